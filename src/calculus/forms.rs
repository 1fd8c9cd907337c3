//! Adjoints of the same form: one is derived by the rules, the others by naming other tensors in its record.
//!
//! Layers that are alike are derived in time that does not depend on how long the rules look for a simple form.

use rustc_hash::FxHashMap;

use super::{Condition, Factor, Record, Step};
use crate::derivation::Adjoint;
use crate::equation::{Context, Equation, ExprId, IndexId, Renaming, TensorId};

/// All that an adjoint is derived from, besides the tables of the context.
pub(super) struct Source<'a> {
    /// The tensor that the result is derived by.
    pub(super) tensor: TensorId,
    /// The adjoint, where it has a name before it is derived.
    pub(super) announced: Option<TensorId>,
    /// The equations that read the tensor, each with its own adjoint; the result has none.
    pub(super) reading: Vec<(&'a Equation, Option<TensorId>)>,
}

/// The adjoints that were derived by the rules.
#[derive(Default)]
pub(super) struct Forms<'a> {
    /// By the shapes of the tensors, so that few have to be compared.
    known: FxHashMap<Vec<Vec<usize>>, Vec<Form<'a>>>,
}

struct Form<'a> {
    source: Source<'a>,
    /// The position of the adjoint among all.
    at: usize,
    /// The free indices of its record, in the order of their making.
    indices: Vec<IndexId>,
    /// All parts of its record, in the order of their making; found when they are first needed.
    parts: Vec<ExprId>,
}

impl<'a> Forms<'a> {
    /// Remembers that the adjoint at a position was derived from a source.
    pub(super) fn insert(&mut self, context: &Context, source: Source<'a>, at: usize, indices: Vec<IndexId>) {
        self.known.entry(key(context, &source)).or_default().push(Form { source, at, indices, parts: Vec::new() });
    }

    /// The adjoint of a source, by way of one that was derived from a source of the same form. `target` makes its tensor.
    pub(super) fn adjoint(
        &mut self,
        context: &mut Context,
        adjoints: &[Adjoint],
        source: &Source<'_>,
        target: impl FnOnce(&mut Context) -> TensorId,
    ) -> Option<Adjoint> {
        let forms = self.known.get_mut(&key(context, source))?;
        let (form, mut renaming) = forms.iter_mut().find_map(|form| {
            let renaming = renaming(context, &form.source, source)?;
            Some((form, renaming))
        })?;
        let known = &adjoints[form.at];
        if form.parts.is_empty() {
            form.parts = context.parts(&expressions(&known.record));
        }
        let fresh = renaming.refresh(context, &form.indices);
        renaming.rename(context, &form.parts)?;
        let record = record(&renaming, &known.record)?;
        let value = renaming.renamed(known.equation.value)?;
        let indices = fresh[..known.equation.indices.len()].to_vec();
        let target = source.announced.unwrap_or_else(|| target(context));
        let origin = context.tensor(source.tensor).origin;
        let alike = Some(renaming.alike(known.equation.target));
        Some(Adjoint {
            equation: Equation { target, indices, value, computed: value, number: 0, origin },
            record,
            is_computed: true,
            alike,
        })
    }
}

/// Adjoints that do not become cheaper by being merged, each with the one that reads it.
#[derive(Default)]
pub(super) struct Apart {
    /// By the shapes of both.
    known: FxHashMap<[Vec<usize>; 2], Vec<[Equation; 2]>>,
}

impl Apart {
    /// Remembers two.
    pub(super) fn insert(&mut self, context: &Context, inner: &Equation, reader: &Equation) {
        self.known.entry(shapes(context, inner, reader)).or_default().push([inner.clone(), reader.clone()]);
    }

    /// Whether it is known of two of that form.
    pub(super) fn contains(&self, context: &Context, inner: &Equation, reader: &Equation) -> bool {
        let known = self.known.get(&shapes(context, inner, reader));
        known.into_iter().flatten().any(|[known_inner, known_reader]| {
            let mut renaming = Renaming::default();
            renaming.equation(context, known_inner, inner) && renaming.equation(context, known_reader, reader)
        })
    }
}

fn shapes(context: &Context, inner: &Equation, reader: &Equation) -> [Vec<usize>; 2] {
    [inner, reader].map(|equation| context.tensor(equation.target).shape.clone())
}

fn key(context: &Context, source: &Source<'_>) -> Vec<Vec<usize>> {
    let targets = source.reading.iter().map(|(equation, _)| equation.target);
    [source.tensor].into_iter().chain(targets).map(|tensor| context.tensor(tensor).shape.clone()).collect()
}

/// How one source becomes another, if it does.
fn renaming(context: &Context, from: &Source<'_>, to: &Source<'_>) -> Option<Renaming> {
    let mut renaming = Renaming::default();
    let mut optional = |from: Option<TensorId>, to: Option<TensorId>| match (from, to) {
        (Some(from), Some(to)) => renaming.tensor(context, from, to),
        (from, to) => from.is_none() && to.is_none(),
    };
    let are_named = from.reading.len() == to.reading.len()
        && optional(Some(from.tensor), Some(to.tensor))
        && optional(from.announced, to.announced)
        && from.reading.iter().zip(&to.reading).all(|((_, from), (_, to))| optional(*from, *to));
    let are_alike =
        are_named && from.reading.iter().zip(&to.reading).all(|((from, _), (to, _))| renaming.equation(context, from, to));
    are_alike.then_some(renaming)
}

/// All expressions of a record.
pub(super) fn expressions(record: &Record) -> Vec<ExprId> {
    let conditions = record.all_steps().filter_map(|step| match step.condition {
        Some(Condition::NotZero(expr)) => Some(expr),
        _ => None,
    });
    record
        .all_steps()
        .map(|step| step.value)
        .chain(conditions)
        .chain(record.factors.iter().map(|factor| factor.partial))
        .collect()
}

fn record(renaming: &Renaming, from: &Record) -> Option<Record> {
    let factors = from.factors.iter().map(|factor| {
        let (partial, steps) = (renaming.renamed(factor.partial)?, steps(renaming, &factor.steps)?);
        Some(Factor { partial, laws: factor.laws.clone(), steps })
    });
    let special_case = match &from.special_case {
        Some(special) => Some(step(renaming, special)?),
        None => None,
    };
    Some(Record { factors: factors.collect::<Option<_>>()?, steps: steps(renaming, &from.steps)?, special_case })
}

fn steps(renaming: &Renaming, from: &[Step]) -> Option<Vec<Step>> {
    from.iter().map(|from| step(renaming, from)).collect()
}

fn step(renaming: &Renaming, from: &Step) -> Option<Step> {
    let condition = match from.condition {
        Some(Condition::NotZero(expr)) => Some(Condition::NotZero(renaming.renamed(expr)?)),
        Some(Condition::SumsToOne(tensor)) => Some(Condition::SumsToOne(renaming.renamed_tensor(tensor)?)),
        None => None,
    };
    let uses = from.uses.iter().map(|&tensor| renaming.renamed_tensor(tensor)).collect::<Option<_>>()?;
    Some(Step { rule: from.rule, value: renaming.renamed(from.value)?, condition, uses })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calculus::reverse::adjoints_by;
    use crate::model::Model;

    /// Everything that is derived, as text.
    fn text(mut model: Model, by_form: bool) -> String {
        let by: Vec<TensorId> = model.parameters.iter().map(|parameter| parameter.tensor).collect();
        let Some(loss) = model.loss else { return String::new() };
        let adjoints = adjoints_by(&mut model.context, &model.equations, loss, &by, by_form);
        let context = &model.context;
        let mut text = String::new();
        let mut line = |what: &str, expr: ExprId| text.push_str(&format!("{what} {}\n", context.expression_text(expr)));
        for Adjoint { equation, record, is_computed, .. } in &adjoints {
            line(if *is_computed { "computed" } else { "merged" }, equation.value);
            record.factors.iter().for_each(|factor| line(&factor.laws.join(", "), factor.partial));
            for step in record.all_steps() {
                let uses: Vec<&str> = step.uses.iter().map(|&tensor| &context.tensor(tensor).name[..]).collect();
                line(&format!("{} ({}):", step.rule, uses.join(", ")), step.value);
                match step.condition {
                    Some(Condition::NotZero(expr)) => line("not zero:", expr),
                    Some(Condition::SumsToOne(tensor)) => line(&context.tensor(tensor).name, step.value),
                    None => {}
                }
            }
        }
        text
    }

    #[test]
    fn adjoints_by_form_are_those_by_the_rules() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs");
        let files = std::fs::read_dir(folder).expect("the specs").map(|file| file.expect("a file").path());
        let mut specs: Vec<String> = files.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
        for activation in ["tanh", "sigmoid", "relu", "softplus", "layer_norm", "softmax"] {
            let layers: String = (1..5).map(|at| format!("h{at} = h{} |> dense(3) |> {activation}\n", at - 1)).collect();
            specs.push(format!("input x[3]\ntarget t[3]\nh0 = x\n{layers}loss squared_error(h4, t)\noptimizer sgd(0.1)\n"));
        }
        let mut compared = 0;
        for spec in specs {
            let Ok((model, _)) = crate::pipeline::build("net.spec", &spec) else { continue };
            compared += 1;
            assert_eq!(text(model.clone(), true), text(model, false), "of\n{spec}");
        }
        assert!(compared > 6, "only {compared} nets were compared");
    }

    #[test]
    fn equal_layers_are_derived_once() {
        let layers: String = (1..=30).map(|at| format!("h{at} = h{} |> dense(3) |> tanh\n", at - 1)).collect();
        let spec = format!("input x[3]\ntarget t[3]\nh0 = x\n{layers}loss squared_error(h30, t)\noptimizer sgd(0.1)\n");
        let (model, _) = crate::pipeline::build("net.spec", &spec).expect("the spec is right");
        let by: Vec<TensorId> = model.parameters.iter().map(|parameter| parameter.tensor).collect();
        let [once, each] = [true, false].map(|by_form| {
            let mut context = model.context.clone();
            adjoints_by(&mut context, &model.equations, model.loss.expect("a loss"), &by, by_form);
            context.expression_count() - model.context.expression_count()
        });
        assert!(once * 2 < each, "{once} expressions are made where forms are derived once, {each} by the rules alone");
    }
}
