//! The table of rewrite rules.
//!
//! A rule looks at one node whose parts are already in their final form under the same rule, and gives an equal
//! expression or nothing. The driver ([`super::simplify`]) applies one rule everywhere before it tries the next, so that
//! each recorded step has one reason.

use super::Condition;
use super::{algebra, cases, exponentials, sums};
use crate::equation::{Context, ExprId};

/// What a rule made of a node.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// The equal expression.
    pub value: ExprId,
    /// What must hold for it to be equal.
    pub condition: Option<Condition>,
}

impl Rewritten {
    /// Equal without a condition.
    pub fn always(value: ExprId) -> Rewritten {
        Rewritten { value, condition: None }
    }
}

/// A rewrite rule.
pub struct Rule {
    /// Its name, which the sheet explains.
    pub name: &'static str,
    /// What a reader is told.
    pub reason: &'static str,
    /// Rewrites one node, where it can.
    pub apply: fn(&mut Context, ExprId) -> Option<Rewritten>,
    /// Whether the result must weigh less than the node it replaces.
    pub must_pay: bool,
}

/// The rules, in the order in which they are tried.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    Rule { name: "collect-terms",         reason: "collect like terms",                          apply: algebra::collect_terms,         must_pay: false },
    Rule { name: "power-of-power",        reason: "multiply exponents",                          apply: algebra::power_of_power,        must_pay: false },
    Rule { name: "cancel",                reason: "cancel common factors",                       apply: algebra::combine_powers,        must_pay: false },
    Rule { name: "magnitude",             reason: "a number times its sign is its magnitude",    apply: algebra::magnitude,             must_pay: false },
    Rule { name: "exp-of-ln",             reason: "exp and ln cancel",                           apply: exponentials::inverse_pair,     must_pay: false },
    Rule { name: "merge-cases",           reason: "merge cases with the same value",             apply: cases::merge,                   must_pay: false },
    Rule { name: "factor-out-of-cases",   reason: "factor out of the cases",                     apply: cases::factor_out,              must_pay: false },
    Rule { name: "case-to-bracket",       reason: "write the case as a bracket [...]",           apply: cases::to_bracket,              must_pay: false },
    Rule { name: "sum-over-delta",        reason: "the sum over delta picks one term",           apply: sums::pick_delta,               must_pay: false },
    Rule { name: "one-hot-sum",           reason: "a one-hot target sums to 1",                  apply: sums::one_hot,                  must_pay: false },
    Rule { name: "constant-sum",          reason: "a sum of equal terms is a multiple",          apply: sums::constant,                 must_pay: false },
    Rule { name: "factor-out-of-sum",     reason: "take what does not depend on the index out of the sum", apply: sums::factor_out,     must_pay: false },
    Rule { name: "split-sum",             reason: "split the sum",                               apply: sums::split,                    must_pay: false },
    Rule { name: "exp-product",           reason: "add exponents",                               apply: exponentials::product,          must_pay: true  },
    Rule { name: "reciprocal-of-exp",     reason: "1/e^u is e^(-u)",                             apply: exponentials::reciprocal,       must_pay: true  },
    Rule { name: "logistic",              reason: "divide by e^u",                               apply: exponentials::logistic,         must_pay: true  },
    Rule { name: "common-denominator",    reason: "common denominator",                          apply: algebra::common_denominator,    must_pay: true  },
    Rule { name: "distribute-and-cancel", reason: "multiply out and cancel",                     apply: algebra::distribute_and_cancel, must_pay: true  },
    Rule { name: "expand",                reason: "expand and collect",                          apply: algebra::expand,                must_pay: true  },
    Rule { name: "factor",                reason: "factor out",                                  apply: algebra::factor_common,         must_pay: false },
];

/// Names of steps that are not rewrites of one node.
#[rustfmt::skip]
pub const STEPS: &[(&str, &str)] = &[
    ("chain-rule",           "chain rule"),
    ("derivative",           "differentiate term by term"),
    ("substitute-factors",   "with the factors"),
    ("in-terms-of-output",   "in terms of the output, already computed forward"),
    ("substitute-adjoint",   "substitute the derivative by the output"),
    ("targets-sum-to-one",   "if the targets sum to 1"),
    ("regularizer",          "derivative of the regularizer"),
    ("mean-over-minibatch",  "mean over the minibatch"),
];

/// The laws of differentiation that a reader may have to think of. The others go without saying: that of a sum, of cases, and of
/// functions whose derivative shows in the result.
#[rustfmt::skip]
pub const LAWS: &[(&str, &str)] = &[
    ("quotient",    "quotient rule"),
    ("product",     "product rule"),
    ("power",       "power rule"),
    ("exponential", "the derivative of a^u is a^u ln a"),
    ("ln",          "the derivative of ln u is 1/u"),
    ("log1p",       "the derivative of ln(1 + u) is 1/(1 + u)"),
];

/// What a reader is told about a law of differentiation; `None` where it goes without saying.
pub fn law(name: &str) -> Option<&'static str> {
    LAWS.iter().find(|(candidate, _)| *candidate == name).map(|(_, text)| *text)
}

/// What a reader is told about a step with this name.
pub fn reason(name: &str) -> &'static str {
    RULES
        .iter()
        .map(|rule| (rule.name, rule.reason))
        .chain(STEPS.iter().copied())
        .find(|(candidate, _)| *candidate == name)
        .map_or("", |(_, reason)| reason)
}
