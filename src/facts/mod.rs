//! Facts about a network, each with its reason: what follows from its equations before anything is trained.
//!
//! Nothing here knows an activation, a loss or an optimizer by name. Ranges come from interval arithmetic, slopes and linearity from the
//! derivation's own rules, symmetry from which axes share an index.

mod activation;
mod collapse;
mod interval;
mod logarithm;
mod range;
mod schedule;
mod supremum;
mod symmetry;
mod unreached;
mod vanishing;

use crate::derivation::Derivation;
use crate::equation::{Context, Equation, ExprId, Node, Role, TensorId};
use crate::span::Span;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// Whether an activation is continuous, and where it has no slope.
    Activation,
    /// A bound on derivatives that go through many small slopes.
    Vanishing,
    /// Units that no training tells apart.
    Symmetry,
    /// A logarithm of what may be 0 or negative.
    Logarithm,
    /// Layers with nothing between them that is not linear.
    Collapse,
    /// Sums of rates.
    Schedule,
    /// A parameter that the loss does not depend on.
    Unreached,
}

impl FactKind {
    /// A name in one word.
    pub fn name(self) -> &'static str {
        match self {
            FactKind::Activation => "activation",
            FactKind::Vanishing => "vanishing",
            FactKind::Symmetry => "symmetry",
            FactKind::Logarithm => "logarithm",
            FactKind::Collapse => "collapse",
            FactKind::Schedule => "schedule",
            FactKind::Unreached => "unreached",
        }
    }
}

/// A statement about a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub kind: FactKind,
    /// Whether it is probably not what the author wanted.
    pub is_mistake: bool,
    /// What is so, in one line.
    pub what: String,
    /// Why.
    pub reason: String,
    /// What it amounts to, as equations in the language of specs.
    pub formulas: Vec<String>,
    /// The equations that it follows from, by their numbers on the sheet.
    pub equations: Vec<u32>,
    /// Where to look in the spec.
    pub origin: Option<Span>,
}

/// Everything that is known about a network, in the order of [`FactKind`].
pub fn facts(derivation: &Derivation) -> Vec<Fact> {
    let mut study = Study::new(derivation);
    let mut facts = activation::facts(&mut study);
    facts.extend(vanishing::facts(&mut study));
    facts.extend(symmetry::facts(&study));
    facts.extend(logarithm::facts(&mut study));
    facts.extend(collapse::facts(&mut study));
    facts.extend(schedule::facts(&mut study));
    facts.extend(unreached::facts(&study));
    facts
}

/// A derivation, and a context to work in.
struct Study<'a> {
    derivation: &'a Derivation,
    context: Context,
}

/// An equation that applies a function of one number to each element of a tensor.
#[derive(Clone, Copy, Debug)]
struct ElementWise {
    /// Its position among the forward equations.
    at: usize,
    /// The tensor.
    source: TensorId,
    /// The element that it reads.
    element: ExprId,
}

impl<'a> Study<'a> {
    fn new(derivation: &'a Derivation) -> Self {
        Self { derivation, context: derivation.model.context.clone() }
    }

    fn forward(&self, at: usize) -> &'a Equation {
        &self.derivation.forward[at]
    }

    fn role(&self, tensor: TensorId) -> Role {
        self.context.tensor(tensor).role
    }

    fn name(&self, tensor: TensorId) -> String {
        self.context.tensor(tensor).name.clone()
    }

    /// Names between backquotes; of many the first and the last.
    fn names(&self, tensors: &[TensorId]) -> String {
        const ALL: usize = 8;
        const FIRST: usize = 3;
        let name = |tensor: &TensorId| format!("`{}`", self.context.tensor(*tensor).name);
        match tensors {
            [first @ .., last] if tensors.len() > ALL => {
                let first: Vec<String> = first.iter().take(FIRST).map(name).collect();
                format!("{}, …, {} ({} of them)", first.join(", "), name(last), tensors.len())
            }
            _ => tensors.iter().map(name).collect::<Vec<String>>().join(", "),
        }
    }

    /// The numbers of forward equations, each once: those of one form share theirs.
    fn numbers(&self, equations: impl IntoIterator<Item = usize>) -> Vec<u32> {
        let mut numbers: Vec<u32> = equations.into_iter().map(|at| self.forward(at).number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The forward equation that defines a tensor.
    fn definition(&self, tensor: TensorId) -> Option<usize> {
        self.derivation.forward.iter().position(|equation| equation.target == tensor)
    }

    /// The forward equations that read a tensor.
    fn readers(&self, tensor: TensorId) -> Vec<usize> {
        let reads = |equation: &Equation| self.context.contains_tensor(equation.value, tensor);
        (0..self.derivation.forward.len()).filter(|&at| reads(self.forward(at))).collect()
    }

    /// The equations that apply a function of one number to each element of a tensor, the loss not among them.
    fn element_wise(&self) -> Vec<ElementWise> {
        (0..self.derivation.forward.len()).filter_map(|at| self.is_element_wise(at)).collect()
    }

    fn is_element_wise(&self, at: usize) -> Option<ElementWise> {
        let equation = self.forward(at);
        if self.derivation.model.loss == Some(equation.target) {
            return None;
        }
        let mut elements = Vec::new();
        let mut is_plain = true;
        self.context.visit(equation.value, &mut |context, part| match context.node(part) {
            Node::Access { tensor, .. } => elements.push((*tensor, part)),
            Node::Reduce { .. } | Node::ArgReduce { .. } | Node::Index(_) => is_plain = false,
            _ => {}
        });
        let &[(source, element)] = &elements[..] else { return None };
        let is_value = matches!(self.role(source), Role::Value | Role::Input) && !self.context.tensor(source).label;
        (is_plain && is_value).then_some(ElementWise { at, source, element })
    }

    /// The adjoint of a tensor, where the code computes it.
    fn computed_adjoint(&self, of: TensorId) -> Option<&'a Equation> {
        let adjoints = self.derivation.backward.iter().filter(|adjoint| adjoint.is_computed);
        adjoints.map(|adjoint| &adjoint.equation).find(|equation| self.role(equation.target) == Role::Adjoint { of })
    }
}

/// A number as a person writes it: a short fraction where it is one.
fn number_text(value: f64) -> String {
    for below in 2..=16_u32 {
        let above = value * f64::from(below);
        if value.fract() != 0.0 && (above - above.round()).abs() < 1e-6 {
            return format!("{}/{below}", above.round());
        }
    }
    let rounded = (value * 1e4).round() / 1e4;
    if rounded == 0.0 && value != 0.0 { format!("{value:.1e}") } else { rounded.to_string() }
}

#[cfg(test)]
mod tests {
    use super::number_text;

    #[test]
    fn short_fractions_are_written_as_such() {
        assert_eq!([0.25, 1.0, 1.0 / 6.0, 1.09984].map(number_text), ["1/4", "1", "1/6", "1.0998"]);
    }
}
