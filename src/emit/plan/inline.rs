//! Adjoints that are computed where they are read: those without a sum that one equation reads, element by element.
//!
//! Behind a layer with one output, for instance, an adjoint is that of the output times a weight. Where it is a factor in the next equation, all
//! factors that are known before are multiplied before it is there, and it is not stored.

use rustc_hash::FxHashMap;

use super::{Line, Planner};
use crate::equation::{Affine, Equation, ExprId, Node, TensorId};

impl Planner<'_> {
    /// Computes adjoints inside of their only readers, whose kernels name them from then on.
    pub(super) fn inline_adjoints(&mut self, adjoints: &mut Vec<Equation>) {
        // The position of the only equation that reads a tensor.
        let mut readers: FxHashMap<TensorId, Option<usize>> = FxHashMap::default();
        for (at, equation) in adjoints.iter().enumerate() {
            for tensor in self.context.tensors_in(equation.computed) {
                readers.entry(tensor).and_modify(|reader| *reader = None).or_insert(Some(at));
            }
        }
        let mut inlined_in: Vec<Option<usize>> = vec![None; adjoints.len()];
        for at in 0..adjoints.len() {
            let Some(&Some(mut reader)) = readers.get(&adjoints[at].target) else { continue };
            while let Some(outer) = inlined_in[reader] {
                reader = outer;
            }
            if reader != at
                && let Some(computed) = self.with_inside(&adjoints[reader], &adjoints[at])
            {
                let lines = self.lines(&adjoints[at]);
                let reader_lines = self.inlined.entry(adjoints[reader].target).or_default();
                reader_lines.extend(lines);
                adjoints[reader].computed = computed;
                inlined_in[at] = Some(reader);
            }
        }
        let mut inlined_in = inlined_in.iter();
        adjoints.retain(|_| inlined_in.next().is_some_and(Option::is_none));
    }

    /// The equations that a kernel of one computes, as its documentation shows them.
    pub(super) fn lines(&self, equation: &Equation) -> Vec<Line> {
        let inlined = self.inlined.get(&equation.target).into_iter().flatten().cloned();
        inlined.chain([self.line(equation)]).collect()
    }

    /// What the reader of an adjoint computes with the adjoint's value inside.
    fn with_inside(&mut self, reader: &Equation, adjoint: &Equation) -> Option<ExprId> {
        let places = self.only_access(reader, adjoint.target)?;
        let value = self.context.without_single_terms(adjoint.computed);
        if self.context.has_reduction(value) {
            return None;
        }
        let renaming: Vec<_> = adjoint.indices.iter().copied().zip(places.iter().cloned()).collect();
        let value = self.context.substitute_indices(value, &renaming);
        let access = self.context.access(adjoint.target, places);
        Some(self.context.replace(reader.computed, access, value))
    }

    /// Where an equation reads a tensor, if it reads one element for each of its own, and not in a reduction.
    fn only_access(&self, equation: &Equation, read: TensorId) -> Option<Vec<Affine>> {
        let (mut found, mut is_reduced) = (Vec::new(), false);
        self.context.visit(equation.computed, &mut |context, part| match context.node(part) {
            Node::Access { tensor, indices } if *tensor == read => found.push(indices.clone()),
            Node::Reduce { .. } | Node::ArgReduce { .. } => is_reduced |= context.contains_tensor(part, read),
            _ => {}
        });
        let [places] = &mut found[..] else { return None };
        let mut indices: Vec<_> = places.iter().map(Affine::as_index).collect::<Option<_>>()?;
        let mut own = equation.indices.clone();
        indices.sort_unstable();
        own.sort_unstable();
        (!is_reduced && indices == own).then(|| std::mem::take(places))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Line, Plan};

    /// The plan of a net that ends in these layers and has one output, and the targets of the equations that each kernel names.
    fn named(layers: &str) -> (Plan, Vec<Vec<String>>) {
        let spec = format!(
            "input x[3]\ntarget t[1]\nh = x |> dense(4) |> tanh\n{layers}\nloss squared_error(y, t)\noptimizer sgd(0.1)\n"
        );
        let derivation = crate::pipeline::compile("layers.spec", &spec).expect("the spec is right").derivation;
        let plan = Plan::new(&derivation, 1);
        let target = |line: &Line| match line {
            Line::Equation { target, .. } => plan.context.tensor(*target).name.clone(),
            Line::Text(text) => text.clone(),
        };
        let names = plan.kernels.iter().map(|kernel| kernel.equations.iter().map(target).collect()).collect();
        (plan, names)
    }

    fn is_written(plan: &Plan, name: &str) -> bool {
        let writes = plan.kernels.iter().flat_map(|kernel| &kernel.writes);
        writes.into_iter().any(|tensor| plan.context.tensor(*tensor).name == name)
    }

    #[test]
    fn an_adjoint_that_is_no_sum_is_computed_where_it_is_read() {
        let (plan, kernels) = named("y = h |> dense(1)");
        assert!(!is_written(&plan, "dh"), "{kernels:?}");
        assert!(kernels.contains(&vec!["dh".to_owned(), "ddense1.s".to_owned()]), "{kernels:?}");
    }

    #[test]
    fn an_adjoint_inside_of_one_may_have_others_inside() {
        let (plan, kernels) = named("g = h |> sigmoid |> sigmoid\ny = g |> dense(1)");
        let inside = ["dg", "dsigmoid1", "dh"].map(str::to_owned);
        assert!(inside.iter().all(|name| !is_written(&plan, name)), "{kernels:?}");
        assert!(kernels.iter().any(|named| named.len() == 4 && inside.iter().all(|name| named.contains(name))), "{kernels:?}");
    }

    #[test]
    fn a_sum_and_what_two_equations_read_are_computed_once() {
        let (plan, kernels) = named("y = h |> dense(2) |> tanh |> dense(1)");
        assert!(is_written(&plan, "dh"), "a sum of two products is in {kernels:?}");
        assert!(is_written(&plan, "ddense2.s"), "what weights, biases and inputs read is in none of {kernels:?}");
    }
}
