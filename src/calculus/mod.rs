//! Differentiation and simplification of equations, by rules that are named data.
//!
//! Only elementary functions and reductions own a derivative rule ([`differentiate`]); everything else follows. Each rewrite
//! is recorded with the name of its rule, so that the derivation on a sheet is the engine's own.

#[cfg(test)]
mod access_tests;
mod algebra;
mod cases;
mod differentiate;
mod exponentials;
mod forms;
#[cfg(feature = "sheet")]
mod jacobian;
#[cfg(feature = "sheet")]
mod kinks;
pub(crate) mod mutation;
mod output;
#[cfg(test)]
mod random_tests;
mod reverse;
mod rules;
mod simplify;
mod stabilize;
mod sums;
#[cfg(test)]
mod tests;
mod weight;

pub use differentiate::{differentiate, differentiate_with_laws, elementary_slope};
#[cfg(feature = "sheet")]
pub use jacobian::{ComposedJacobian, LocalJacobian, composed_jacobian, local_jacobian};
#[cfg(feature = "sheet")]
pub use kinks::{Kink, kinks, number as number_of};
pub use reverse::adjoints;
pub use rules::{LAWS, RULES, Rewritten, Rule, STEPS, law, reason};
pub use simplify::{simplified, simplify};
pub use stabilize::{Definitions, definitions, stabilize};
pub use weight::weight;

use crate::equation::{Context, ExprId, TensorId};

/// How a right-hand side was found, from the chain rule to its final form.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The factors of the chain rule, each with a derivation of its own.
    pub factors: Vec<Factor>,
    /// Forms of the same right-hand side, each equal to the one before; the last is the equation's value.
    pub steps: Vec<Step>,
    /// The form under a condition that the code does not rely on, such as a target that sums to 1.
    pub special_case: Option<Step>,
}

impl Record {
    /// All steps: those of the right-hand side, those of its factors, and the special case.
    pub(crate) fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let of_factors = self.factors.iter().flat_map(|factor| &factor.steps);
        self.steps.iter().chain(of_factors).chain(&self.special_case)
    }
}

/// A partial derivative that a chain rule names.
#[derive(Clone, Debug)]
pub struct Factor {
    /// The named derivative, a [`crate::equation::Node::Partial`].
    pub partial: ExprId,
    /// The laws of differentiation that the first form was found by, in the order of their use: names in [`LAWS`], and those of
    /// elementary functions.
    pub laws: Vec<&'static str>,
    /// Its forms; the last is what the chain rule uses.
    pub steps: Vec<Step>,
}

/// One form of an expression and the reason why it equals the one before.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name of the rule in kebab-case, as in the tables of this module.
    pub rule: &'static str,
    /// The form.
    pub value: ExprId,
    /// What must hold for the step to be right.
    pub condition: Option<Condition>,
    /// The tensors whose equations the step uses, besides the one before.
    pub uses: Vec<TensorId>,
}

/// What must hold for a step to be right.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The expression is not 0: it was cancelled from a fraction.
    NotZero(ExprId),
    /// The elements of a target sum to 1.
    SumsToOne(TensorId),
}

impl Condition {
    /// Both of two conditions: that a product is not 0 where each asks that of a factor, else the first.
    fn both(context: &mut Context, first: Option<Condition>, second: Option<Condition>) -> Option<Condition> {
        match (first, second) {
            (Some(Condition::NotZero(a)), Some(Condition::NotZero(b))) if a != b => {
                let factors = algebra::factors(context, a);
                Some(Condition::NotZero(if factors.contains(&b) { a } else { context.multiply([a, b]) }))
            }
            (first, second) => first.or(second),
        }
    }
}
