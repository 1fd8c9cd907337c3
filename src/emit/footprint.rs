//! What scratch space takes, and what most of it is for.

use super::EmitOptions;
use super::plan::{Buffer, Memory, Plan};
use crate::derivation::Derivation;
use crate::equation::TensorId;

/// Owners of memory that a message lists.
const LISTED: usize = 8;

/// What scratch space is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `predict`: the size of the struct of values.
    Inference,
    /// `forward`, `backward` and `train`: the size of the scratch space, that of inference included.
    Training,
}

/// How many bytes scratch space takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// All of them.
    pub bytes: usize,
    /// What they are for, the largest part first.
    pub owners: Vec<Owner>,
}

/// A part of scratch space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// What it holds.
    pub name: String,
    /// How many bytes it takes.
    pub bytes: usize,
}

impl Footprint {
    /// What the code takes that [`super::emit`] gives with the same options.
    pub fn new(derivation: &Derivation, options: &EmitOptions, purpose: Purpose) -> Footprint {
        let plan = Plan::new(derivation, options.examples);
        let memory = Memory::new(&plan, derivation);
        let mut owners = Vec::new();
        let mut add = |name: String, scalars: usize| owners.push(Owner { name, bytes: scalars * options.scalar.bytes() });
        for buffer in &memory.values {
            add(names(&plan, buffer), buffer.size);
        }
        if purpose == Purpose::Training {
            for buffer in memory.work.iter().chain(&memory.batch) {
                add(names(&plan, buffer), buffer.size);
            }
            for noise in &derivation.model.noises {
                let (name, size) = (&plan.context.tensor(noise.tensor).name, plan.size(noise.tensor));
                add(format!("noise `{name}`"), size);
                if let Some(batch) = &plan.batch {
                    add(format!("noise `{name}` for {} examples at once", batch.examples), size * batch.examples);
                }
            }
            for &(parameter, _) in &plan.gradients {
                add(format!("the gradient of {}", name_and_shape(&plan, parameter)), plan.size(parameter));
            }
        }
        owners.sort_by_key(|owner| std::cmp::Reverse(owner.bytes));
        Footprint { bytes: owners.iter().map(|owner| owner.bytes).sum(), owners }
    }
}

/// What to say where scratch space takes more than it may: by how much, what for, and how many examples at once it would hold.
pub fn over_budget(derivation: &Derivation, options: &EmitOptions, purpose: Purpose, allowed: usize) -> Option<String> {
    let footprint = Footprint::new(derivation, options, purpose);
    let over = footprint.bytes.checked_sub(allowed).filter(|&over| over > 0)?;
    let what = match purpose {
        Purpose::Inference => "the values of inference take",
        Purpose::Training => "the scratch space of training takes",
    };
    let mut text = format!(
        "{what} {}, {} more than the {} allowed\nthe largest parts are",
        size(footprint.bytes),
        size(over),
        size(allowed)
    );
    let rest = footprint.owners.iter().skip(LISTED).map(|owner| owner.bytes).sum();
    let shown = footprint.owners.iter().take(LISTED).map(|owner| (owner.bytes, owner.name.clone()));
    let others = footprint.owners.len().saturating_sub(LISTED);
    let last = (others > 0).then(|| (rest, format!("{others} others")));
    for (bytes, name) in shown.chain(last) {
        text += &format!("\n{:>12}  {name}", size(bytes));
    }
    if purpose == Purpose::Training {
        text += &fewer_examples(derivation, options, allowed).unwrap_or_default();
    }
    Some(text)
}

/// What a smaller number of examples at once would take: the greatest that fits, or the least there is.
fn fewer_examples(derivation: &Derivation, options: &EmitOptions, allowed: usize) -> Option<String> {
    let needed = |examples: usize| {
        let options = EmitOptions { examples, ..options.clone() };
        Footprint::new(derivation, &options, Purpose::Training).bytes
    };
    let (now, mut examples) = (needed(options.examples), options.examples);
    let mut found = None;
    while examples > 1 {
        examples /= 2;
        let bytes = needed(examples);
        found = Some((examples, bytes)).filter(|_| bytes < now).or(found);
        if bytes <= allowed {
            break;
        }
    }
    let (examples, bytes) = found?;
    let verdict = if bytes <= allowed { "" } else { ", still too much" };
    Some(format!("\nwith `examples = {examples}` instead of {} it would take {}{verdict}", options.examples, size(bytes)))
}

/// What lives in a buffer.
fn names(plan: &Plan, buffer: &Buffer) -> String {
    let names: Vec<String> = buffer.tensors.iter().map(|&tensor| name_and_shape(plan, tensor)).collect();
    let names = match &names[..] {
        [first, second, .., _, last] if names.len() > 4 => {
            format!("one after the other {first}, {second}, {} others and {last}", names.len() - 3)
        }
        [] | [_] => names.concat(),
        _ => format!("one after the other {}", names.join(", ")),
    };
    match buffer.examples.values().max() {
        Some(examples) => format!("{names}; for {examples} examples at once"),
        None => names,
    }
}

fn name_and_shape(plan: &Plan, tensor: TensorId) -> String {
    let tensor = plan.context.tensor(tensor);
    let extents: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
    if extents.is_empty() { format!("`{}`", tensor.name) } else { format!("`{}` ({})", tensor.name, extents.join(" × ")) }
}

/// The units of sizes besides bytes, the greatest first.
const UNITS: [(usize, &str); 2] = [(1 << 20, "MiB"), (1 << 10, "KiB")];

/// How many bytes a unit is that a budget may be given in: `byte`, `bytes`, `KiB` or `MiB`.
pub fn bytes_of_unit(unit: &str) -> Option<usize> {
    match unit {
        "byte" | "bytes" => Some(1),
        _ => UNITS.iter().find(|(_, name)| *name == unit).map(|(bytes, _)| *bytes),
    }
}

/// A number of bytes in the greatest unit in which it is at least 1.
fn size(bytes: usize) -> String {
    for (unit, name) in UNITS {
        if bytes >= unit {
            let number = bytes as f64 / unit as f64;
            return if bytes.is_multiple_of(unit) { format!("{number} {name}") } else { format!("{number:.1} {name}") };
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str =
        "input x[8]\ntarget t[8]\na = x |> dense(16) |> tanh\ny = a |> dense(8)\nloss squared_error(y, t)\noptimizer sgd(0.1)\n";

    fn derivation() -> Derivation {
        crate::pipeline::compile("net.spec", SPEC).expect("the spec is right").derivation
    }

    #[test]
    fn what_is_over_budget_is_said_with_its_owners() {
        let (derivation, options) = (derivation(), EmitOptions::new("Net"));
        let bytes = Footprint::new(&derivation, &options, Purpose::Training).bytes;
        assert_eq!(over_budget(&derivation, &options, Purpose::Training, bytes), None);
        let text = over_budget(&derivation, &options, Purpose::Training, bytes - 3).expect("it is too much");
        assert!(text.contains("3 bytes more than"), "{text}");
        assert!(text.contains("the gradient of `dense1.w` (8 × 16)") && text.contains("for 32 examples at once"), "{text}");
        assert!(text.contains("with `examples = 16` instead of 32 it would take"), "{text}");
    }

    #[test]
    fn inference_needs_less_than_training() {
        let (derivation, options) = (derivation(), EmitOptions::new("Net"));
        let [inference, training] =
            [Purpose::Inference, Purpose::Training].map(|purpose| Footprint::new(&derivation, &options, purpose).bytes);
        // What goes into the hyperbolic tangent and what comes out; the output takes the place of the former.
        assert_eq!(inference, 4 * (16 + 16));
        assert!(inference < training);
    }

    #[test]
    fn sizes_are_in_the_unit_that_reads_best() {
        assert_eq!([1023, 1024, 1536, 3 << 20].map(size), ["1023 bytes", "1 KiB", "1.5 KiB", "3 MiB"]);
    }
}
