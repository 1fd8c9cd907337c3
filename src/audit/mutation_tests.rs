//! Each rule, each derivative and each condition broken in turn: the audit must notice.

use super::audit;
use crate::calculus::RULES;
use crate::calculus::mutation::Mutation::{Condition, Factor, Sign};
use crate::calculus::mutation::{Mutation, with_broken};
use crate::derivation::{Derivation, derive};
use crate::equation::Elementary;
use crate::model::Model;
use crate::pipeline::build;

/// Nets in which, together, every rule changes something.
const FIXTURES: &[&str] = &[
    // A sum of everything that is elementary, at values of both signs.
    "input x[3]\nparam w[i: 3] ~ 1\nfunction f(a) = sin(a) + cos(2 * a) + tan(a / 4) + tanh(3 * a) + atan(a) + erf(a) + abs(a) * a\n\
     function g(a) = exp(a) + expm1(a / 2) + log1p(a^2) + ln(2 + a) + sqrt(2 + a) + floor(4 * a) * a\n\
     y[i] = f(w[i] * x[i]) + g(w[i] - x[i])\nloss sum(i: y[i]^2)\noptimizer sgd(0.1)",
    "input x[3]\ntarget t[4]\ny = x |> dense(4) |> sigmoid\nloss binary_cross_entropy(y, t)\nregularizer elastic_net(0.1, 0.2)\noptimizer sgd(0.1)",
    "input x[3]\ntarget t[4]\ny = x |> dense(4) |> softmax\nloss cross_entropy(y, t)\noptimizer sgd(0.1)",
    "input x[3]\ntarget t: class[4]\ny = x |> dense(4) |> softmax\nloss cross_entropy(y, t)\noptimizer sgd(0.1)",
    "input x[3]\ntarget t[4]\ny = x |> dense(3) |> swish |> dense(4) |> elu(0.7)\nloss absolute_error(y, t)\noptimizer sgd(0.1)",
    "input x[3]\ntarget t[4]\ny = x |> dense(3) |> softplus |> dense(4) |> hard_sigmoid\nloss huber(y, t)\noptimizer sgd(0.1)",
    "input x[3]\ntarget t[4]\ny = x |> dense(3) |> log_softmax |> dense(4) |> relu\nloss hinge(y, t)\noptimizer sgd(0.1)",
    // Reductions, and places that are far from the diagonal.
    "input x[4]\ntarget t[4]\nh = x |> dense(4) |> softplus\na = max(i: h[i]) - min(i: h[i])\np = product(i: 1 + h[i] / 4)\n\
     y[j] = h[j] * a + p / (1 + mean(i: h[i]^2))\nloss squared_error(y, t)\noptimizer sgd(0.1)",
    // Powers with exponents that are learned.
    "input x[3]\nparam w[i: 3] ~ 1\nparam q ~ 2\ny[i] = (2 + w[i] * x[i])^(q + w[i]) + (3 + q)^2.5\nloss sum(i: y[i])\noptimizer sgd(0.1)",
    // Exponentials and logarithms of each other, and a square that has to be multiplied out.
    "input x[3]\nparam w[i: 3] ~ 1\nparam v[i: 3] ~ 1\ny[i] = w[i] * ln(exp(w[i] * x[i])) + v[i] * exp(x[i]) * exp(w[i] - x[i]) + 1 / exp(v[i])\n\
     z[i] = v[i] * (1 + 1 / x[i])^2 * x[i]^2\nloss sum(i: y[i] + z[i])\noptimizer sgd(0.1)",
    // A part of a tensor, and one that is shifted: its adjoint is read outside, where it is 0 and its equation is not.
    "input x[4]\ntarget t[4]\nparam w[i: 4] ~ 1\nparam v[i: 4] ~ 1\ny[i: 4] = v[i - 1] / 2\nz = sum(i in 1..3: w[i] * x[i])\n\
     loss sum(i: (y[i] - t[i] + 1)^2) + z\noptimizer sgd(0.1)",
    // A value only where it has one.
    "input x[3]\nparam w[i: 3] ~ 1\ny[i] = if w[i] > 0 { w[i] * ln(w[i]) * x[i] } else { 0 }\nloss sum(i: y[i] * w[i])\noptimizer sgd(0.1)",
];

fn model(text: &str) -> Model {
    match build("net.spec", text) {
        Ok((model, _)) => model,
        Err(messages) => panic!("{}\n{text}", messages.render()),
    }
}

/// Whether a derivation's record speaks of a rule.
fn uses(derivation: &Derivation, rule: &str) -> bool {
    let adjoints = derivation.backward.iter().map(|adjoint| &adjoint.record);
    let records = adjoints.chain(derivation.gradient.iter().map(|gradient| &gradient.record));
    let mut steps = records.flat_map(|record| {
        record.factors.iter().flat_map(|factor| &factor.steps).chain(&record.steps).chain(&record.special_case)
    });
    steps.any(|step| step.rule == rule)
}

/// What can be broken, and how.
fn mutations() -> Vec<(&'static str, Mutation)> {
    let conditions = ["cancel", "distribute-and-cancel", "expand", "range of an index", "labels are one-hot"];
    let more = ["finite in the other case", "adjoint read inside of its tensor"];
    let derivatives = [
        "derivative of an element",
        "derivative of a sum",
        "derivative of a product",
        "derivative of a composition",
        "derivative of cases",
        "derivative by the base",
        "derivative by the exponent",
        "derivative under a sum",
        "derivative of many factors",
        "derivative of the greatest",
    ];
    let steps = [
        "chain-rule",
        "substitute-factors",
        "in-terms-of-output",
        "substitute-adjoint",
        "targets-sum-to-one",
        "regularizer",
        "mean-over-minibatch",
        "stable logarithm",
        "shifted quotient",
    ];
    // The slope of the greatest integer is 0, which neither a sign nor a factor changes.
    let functions = Elementary::ALL.into_iter().filter(|function| *function != Elementary::Floor).map(Elementary::name);
    let results = RULES.iter().map(|rule| rule.name).chain(functions).chain(derivatives).chain(steps);
    let broken_results = results.flat_map(|rule| [(rule, Sign), (rule, Factor)]);
    broken_results.chain(conditions.into_iter().chain(more).map(|rule| (rule, Condition))).collect()
}

#[test]
fn every_broken_rule_is_noticed() {
    let models: Vec<Model> = FIXTURES.iter().map(|text| model(text)).collect();
    let derivations: Vec<Derivation> = models.iter().map(|model| derive(model.clone())).collect();
    for (derivation, text) in derivations.iter().zip(FIXTURES) {
        let report = audit(derivation, 1);
        assert!(report.discrepancies.is_empty() && report.undecided.is_empty(), "{report:?}\n{text}");
    }
    let mut missed = Vec::new();
    for (rule, mutation) in mutations() {
        // Those whose record speaks of the rule first: it may be used where nothing is recorded, too.
        let (users, others): (Vec<_>, Vec<_>) = (0..models.len()).partition(|&at| uses(&derivations[at], rule));
        let is_noticed = users.iter().chain(&others).any(|&at| {
            let broken = with_broken(rule, mutation, || derive(models[at].clone()));
            !audit(&broken, 1).discrepancies.is_empty()
        });
        if !is_noticed {
            missed.push((rule, mutation, users));
        }
    }
    assert!(missed.is_empty(), "no fixture notices {missed:#?}");
}
