//! What the formulas take for granted: values outside of tensors, steps before the first, ties, noise.

use super::{Composer, separated};
use crate::equation::{Equation, Node, TensorId};
use crate::model::{Distribution, Noise};
use crate::sheet::document::{Block, Inline};
use crate::sheet::formula::{decimal, may_leave_its_tensor};
use crate::sheet::math::{Math, Operator};

impl Composer<'_> {
    pub(super) fn conventions(&self) -> Vec<Block> {
        let forward: Vec<&Equation> = self.derivation.forward.iter().collect();
        let backward = self.derivation.backward.iter().map(|adjoint| &adjoint.equation);
        let mut sentences: Vec<Vec<Inline>> = Vec::new();
        if forward.iter().copied().chain(backward).any(|equation| may_leave_its_tensor(self.context(), equation.value)) {
            sentences.push(vec![Inline::text("A value with an index outside of its range is 0.")]);
        }
        let runs = self.runs(&forward);
        let mut recurrent = Vec::new();
        for run in runs.iter().filter(|run| run.is_recurrence()) {
            recurrent.extend(run.equations.iter().filter(|&&position| {
                let target = forward[position].target;
                run.equations.iter().any(|&reader| self.reads_elsewhere(forward[reader], target))
            }));
        }
        if !recurrent.is_empty() {
            let symbols =
                recurrent.into_iter().map(|&position| vec![Inline::Math(self.symbol_with_axes(forward[position].target))]);
            let mut text = vec![Inline::text("Before the first step the values of ")];
            text.extend(separated(symbols.collect(), ", "));
            text.push(Inline::text(" are 0."));
            sentences.push(text);
        }
        if self.has_ties() {
            let text = "Where several values are the greatest or the least, the first in the order of the indices counts.";
            sentences.push(vec![Inline::text(text)]);
        }
        if self.notation.table.uses_matrices {
            sentences.push(self.layout());
        }
        let sentences = separated(sentences, " ");
        if sentences.is_empty() { Vec::new() } else { vec![Block::Paragraph(sentences)] }
    }

    /// How vectors and matrices are laid out.
    fn layout(&self) -> Vec<Inline> {
        let math = |of: &str, by: &str| Inline::Math(Math::derivative(Math::identifier(of), Math::identifier(by)));
        let hadamard = Inline::Math(Math::Operator(Operator::Hadamard));
        vec![
            Inline::text(
                "Values of one example are column vectors; the examples of a minibatch may stand side by side as the columns of matrices, and \
                 all equations hold for each. A matrix of size p × q has p rows and q columns, the axes of its tensor in the spec, and sizes \
                 stand below the factors of matrix products. A derivative ",
            ),
            math("ℓ", "W"),
            Inline::text(" has the layout of "),
            Inline::Math(Math::identifier("W")),
            Inline::text("; a vector "),
            Inline::Math(Math::identifier("f")),
            Inline::text(" has by a vector "),
            Inline::Math(Math::identifier("a")),
            Inline::text(" the Jacobian matrix "),
            math("f", "a"),
            Inline::text(
                " with a row for each element of f, and the vector of the derivatives where each element depends on one alone. The product ",
            ),
            hadamard,
            Inline::text(
                ", functions, fractions and comparisons of vectors apply element by element; a number that is added to a vector is added to each of \
                 its elements. A derivative of a vector by a matrix would need three indices: such a chain rule is written for one element, and its \
                 result for all at once. What has no such form stands with its indices.",
            ),
        ]
    }

    /// Whether an equation reads a tensor at a step other than its own.
    fn reads_elsewhere(&self, equation: &Equation, tensor: TensorId) -> bool {
        let mut found = false;
        self.context().visit(equation.value, &mut |context, part| {
            if let Node::Access { tensor: read, indices } = context.node(part) {
                found |= *read == tensor && indices.iter().any(|place| place.constant < 0);
            }
        });
        found
    }

    /// What noise is in training and in inference.
    pub(super) fn noise_meaning(&self, noise: &Noise) -> Vec<Inline> {
        let mut text = vec![Inline::text("noise, for each example ")];
        text.extend(drawn(noise.distribution));
        text.push(Inline::text("; in inference its mean "));
        text.push(Inline::Math(signed(noise.distribution.mean(), decimal)));
        text
    }
}

/// What is done to draw from a distribution, as it goes on after the name of what is drawn.
pub(super) fn drawn(distribution: Distribution) -> Vec<Inline> {
    use crate::sheet::formula::root_or_decimal;
    match distribution {
        Distribution::Constant(value) => vec![Inline::Math(signed(value, decimal))],
        Distribution::Bernoulli(probability) => {
            vec![Inline::text("1 with probability "), Inline::Math(decimal(probability)), Inline::text(", else 0")]
        }
        Distribution::Uniform { low, high } => {
            let ends = Math::list(vec![signed(low, root_or_decimal), signed(high, root_or_decimal)]);
            vec![Inline::text("uniformly from "), Inline::Math(ends.parenthesized())]
        }
        Distribution::Normal { mean, deviation } => vec![
            Inline::text("from the normal distribution with mean "),
            Inline::Math(signed(mean, decimal)),
            Inline::text(" and standard deviation "),
            Inline::Math(root_or_decimal(deviation)),
        ],
    }
}

/// A number with its sign.
pub(super) fn signed(value: f64, magnitude: impl Fn(f64) -> Math) -> Math {
    let math = magnitude(value.abs());
    if value < 0.0 { Math::Row(vec![Math::Operator(Operator::Negative), math]) } else { math }
}
