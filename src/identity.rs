//! Which net it is: what a file of parameters says about the spec it belongs to.
//!
//! Two specs describe the same net where their data, parameters and forward equations are the same, whatever their comments, their
//! regularizers and their optimizers: parameters trained with one fit the other.

use crate::equation::TensorId;
use crate::model::{Distribution, Model};

/// The net in lines of text: inputs, targets and parameters with their shapes, then the forward equations.
pub fn lines(model: &Model) -> Vec<String> {
    let declaration = |what: &str, id: TensorId| {
        let tensor = model.context.tensor(id);
        format!("{what} {}{}{:?}", tensor.name, if tensor.label { ": class" } else { "" }, tensor.shape)
    };
    let inputs = model.inputs.iter().map(|&id| declaration("input", id));
    let targets = model.targets.iter().map(|&id| declaration("target", id));
    let parameters = model.parameters.iter().map(|parameter| declaration("param", parameter.tensor));
    let equations = model.equations.iter().map(|equation| model.context.equation_text(equation));
    inputs.chain(targets).chain(parameters).chain(equations).collect()
}

/// A hash of [`lines`]: the same where parameters of one net fit the other.
pub fn hash(model: &Model) -> u64 {
    hash_of(&lines(model))
}

/// [`hash`] and [`hash_of_meaning`].
pub fn hashes(model: &Model) -> [u64; 2] {
    let net = lines(model);
    let hash = hash_of(&net);
    [hash, hash_of(&with_training(model, net))]
}

/// The whole meaning of a spec in lines of text: [`lines`], from what parameters and noise are drawn, and what training does.
pub fn meaning(model: &Model) -> Vec<String> {
    with_training(model, lines(model))
}

fn with_training(model: &Model, mut all: Vec<String>) -> Vec<String> {
    let context = &model.context;
    let name = |id: TensorId| &context.tensor(id).name;
    all.extend(model.parameters.iter().map(|parameter| {
        let trained = if parameter.trained { "" } else { ", not trained" };
        format!("{} ~ {}{trained}", name(parameter.tensor), distribution(parameter.initial))
    }));
    all.extend(model.noises.iter().map(|noise| format!("noise {} ~ {}", name(noise.tensor), distribution(noise.distribution))));
    all.extend(model.outputs.iter().map(|&output| format!("output {}", name(output))));
    all.extend(model.loss.iter().map(|&loss| format!("loss {}", name(loss))));
    all.extend(model.objective.iter().map(|objective| {
        let by: Vec<&str> = objective.by.iter().map(|&tensor| &name(tensor)[..]).collect();
        format!("objective {} by {}", name(objective.value), by.join(", "))
    }));
    all.extend(model.constants.iter().map(|constant| context.equation_text(constant)));
    all.extend(model.regularizers.iter().map(|term| format!("regularizer {}", context.expression_text(term.value))));
    for optimizer in &model.optimizers {
        all.push(format!("optimizer of {}", name(optimizer.parameter)));
        all.extend(optimizer.states.iter().map(|state| format!("state {} ~ {}", name(state.tensor), state.initial)));
        all.extend(optimizer.equations.iter().map(|equation| context.equation_text(equation)));
    }
    all
}

/// A hash of [`meaning`]: the same where a spec says the same, whatever its comments.
pub fn hash_of_meaning(model: &Model) -> u64 {
    hash_of(&meaning(model))
}

fn distribution(distribution: Distribution) -> String {
    match distribution {
        Distribution::Constant(value) => value.to_string(),
        Distribution::Bernoulli(probability) => format!("bernoulli({probability})"),
        Distribution::Uniform { low, high } => format!("uniform({low}, {high})"),
        Distribution::Normal { mean, deviation } => format!("normal({mean}, {deviation})"),
    }
}

/// The same on every machine (FNV-1a of 64 bits: against mix-ups, not against attacks).
fn hash_of(lines: &[String]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for line in lines {
        for &byte in line.as_bytes() {
            hash = with_byte(hash, byte);
        }
        hash = with_byte(hash, b'\n');
    }
    hash
}

fn with_byte(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "input x[3]\ntarget t[2]\nh = x |> dense(4) |> relu |> dropout(0.5)\ny = h |> dense(2)\n\
                        loss squared_error(y, t)\nregularizer l2(0.1)\noptimizer adam(0.01)\n";

    fn hashes(spec: &str) -> [u64; 2] {
        let (model, _) = crate::pipeline::build("net.spec", spec).unwrap_or_else(|messages| panic!("{}", messages.render()));
        [hash(&model), hash_of_meaning(&model)]
    }

    #[test]
    fn whatever_changes_what_training_does_changes_the_hash_of_the_meaning_alone() {
        let [fits, means] = hashes(SPEC);
        assert_eq!(
            hashes(&SPEC.replace("input", "// A comment.\ninput").replace("adam(0.01)", "adam(rate = 1e-2)")),
            [fits, means]
        );
        for (part, other) in [
            ("adam(0.01)", "adam(0.02)"),
            ("adam(0.01)", "sgd(0.01)"),
            ("adam(0.01)", "adam(0.01 / k)"),
            ("adam(0.01)", "adam(0.01) |> clip_norm(1)"),
            ("adam(0.01)", "adam(0.01)\noptimizer none on dense1.b"),
            ("l2(0.1)", "l2(0.2)"),
            ("l2(0.1)", "l1(0.1)"),
            ("regularizer l2(0.1)\n", ""),
        ] {
            let [other_fits, other_means] = hashes(&SPEC.replace(part, other));
            assert_eq!(other_fits, fits, "parameters do not fit with {other}");
            assert_ne!(other_means, means, "{other} in place of {part} means the same");
        }
        assert_ne!(hashes(&SPEC.replace("relu", "tanh"))[0], fits);
    }
}
