//! The forms that a lecture writes come out of the rules, and every step on the way is an equality.

use std::collections::HashMap;

use super::*;
use crate::derivation::Adjoint;
use crate::equation::*;

/// A small network under construction.
struct Builder {
    context: Context,
    equations: Vec<Equation>,
}

impl Builder {
    fn new() -> Self {
        Builder { context: Context::new(), equations: Vec::new() }
    }

    fn tensor(&mut self, name: &str, shape: &[usize], role: Role, label: bool) -> TensorId {
        let axes = ["i", "j", "k"].iter().take(shape.len()).map(|axis| (*axis).to_owned()).collect();
        self.context.add_tensor(Tensor { name: name.to_owned(), shape: shape.to_vec(), axes, role, label, origin: None })
    }

    fn vector(&mut self, name: &str, role: Role) -> TensorId {
        self.tensor(name, &[3], role, false)
    }

    /// `name[i] = value(i)` over 3 values of `i`.
    fn define(&mut self, name: &str, value: impl FnOnce(&mut Context, IndexId) -> ExprId) -> TensorId {
        let target = self.vector(name, Role::Value);
        let index = self.context.add_index("i", 0, 3);
        let value = value(&mut self.context, index);
        self.equations.push(Equation { target, indices: vec![index], value, computed: value, number: 0, origin: None });
        target
    }

    /// `name = sum over k of term(k)`.
    fn sum(&mut self, name: &str, term: impl FnOnce(&mut Context, IndexId) -> ExprId) -> TensorId {
        let target = self.tensor(name, &[], Role::Value, false);
        let index = self.context.add_index("k", 0, 3);
        let term = term(&mut self.context, index);
        let value = self.context.sum(&[index], term);
        self.equations.push(Equation { target, indices: Vec::new(), value, computed: value, number: 0, origin: None });
        target
    }

    /// The last adjoint, that of `by`, as text; every step on the way to it is checked.
    fn adjoint_text(&mut self, by: TensorId) -> String {
        let result = self.equations.last().expect("an equation").target;
        let adjoints = adjoints(&mut self.context, &self.equations, result, &[by]);
        let values = self.values(&adjoints);
        for adjoint in &adjoints {
            let factors = adjoint.record.factors.iter().map(|factor| &factor.steps[..]);
            for steps in factors.chain([&adjoint.record.steps[1..]]) {
                self.check_steps(steps, &values);
            }
        }
        self.context.equation_text(&adjoints.last().expect("an adjoint").equation)
    }

    fn check_steps(&self, steps: &[Step], values: &HashMap<TensorId, Vec<f64>>) {
        for pair in steps.windows(2) {
            let [before, after] = [&pair[0], &pair[1]].map(|step| {
                let free = self.context.free_indices(step.value);
                let at: Vec<_> = free.into_iter().enumerate().map(|(at, index)| (index, at as i64 % 3)).collect();
                evaluate(&self.context, &(&self.context, values), &at, step.value).expect("a value")
            });
            assert!(
                (before - after).abs() <= 1e-9 * (1.0 + before.abs()),
                "{} changes {before} to {after}:\n{}\n{}",
                pair[1].rule,
                self.context.expression_text(pair[0].value),
                self.context.expression_text(pair[1].value)
            );
        }
    }

    /// Inputs that look random, and what the equations make of them.
    fn values(&self, adjoints: &[Adjoint]) -> HashMap<TensorId, Vec<f64>> {
        let mut values: HashMap<TensorId, Vec<f64>> = HashMap::new();
        for (id, tensor) in self.context.tensors() {
            let element = |at: usize| match tensor.label {
                true => f64::from(u8::from(at % 3 == 1)),
                false => 0.2 + 0.13 * ((at * 7 + id.index() * 5) % 11) as f64 - 0.7 * (at % 2) as f64,
            };
            values.insert(id, (0..tensor.size()).map(element).collect());
        }
        for equation in self.equations.iter().chain(adjoints.iter().map(|adjoint| &adjoint.equation)) {
            let size = self.context.tensor(equation.target).size();
            let element = |at: usize| {
                let indices: Vec<_> = equation.indices.iter().map(|&index| (index, at as i64)).collect();
                evaluate(&self.context, &(&self.context, &values), &indices, equation.value).expect("a value")
            };
            let computed = (0..size).map(element).collect();
            values.insert(equation.target, computed);
        }
        values
    }
}

fn sigmoid(c: &mut Context, u: ExprId) -> ExprId {
    let minus = c.negate(u);
    let exponential = c.call(Elementary::Exp, minus);
    let one = c.integer(1);
    let denominator = c.add([one, exponential]);
    c.reciprocal(denominator)
}

fn binary_cross_entropy(b: &mut Builder, y: TensorId, t: TensorId) {
    b.sum("loss", |c, k| {
        let (y, t, one) = (c.access_at(y, &[k]), c.access_at(t, &[k]), c.integer(1));
        let (not_y, not_t) = (c.subtract(one, y), c.subtract(one, t));
        let (ln_y, ln_not_y) = (c.call(Elementary::Ln, y), c.call(Elementary::Ln, not_y));
        let (hit, miss) = (c.multiply([t, ln_y]), c.multiply([not_t, ln_not_y]));
        let sum = c.add([hit, miss]);
        c.negate(sum)
    });
}

fn weighted_sum(b: &mut Builder, y: TensorId, t: TensorId) {
    b.sum("loss", |c, k| {
        let (y, t) = (c.access_at(y, &[k]), c.access_at(t, &[k]));
        c.multiply([t, y])
    });
}

fn activation(value: impl Fn(&mut Context, ExprId) -> ExprId) -> String {
    let mut b = Builder::new();
    let (s, t) = (b.vector("s", Role::Parameter), b.vector("t", Role::Target));
    let y = b.define("y", |c, i| {
        let s = c.access_at(s, &[i]);
        value(c, s)
    });
    weighted_sum(&mut b, y, t);
    b.adjoint_text(s)
}

#[test]
fn slopes_of_activations_are_those_of_the_lectures() {
    assert_eq!(activation(sigmoid), "ds[i] = dy[i] * y[i] * (1 - y[i])");
    assert_eq!(activation(|c, s| c.call(Elementary::Tanh, s)), "ds[i] = dy[i] * (1 - y[i]^2)");
    let softplus = |c: &mut Context, s| {
        let exponential = c.call(Elementary::Exp, s);
        let one = c.integer(1);
        let sum = c.add([one, exponential]);
        c.call(Elementary::Ln, sum)
    };
    assert_eq!(activation(softplus), "ds[i] = dy[i] / (1 + exp(-s[i]))");
    let relu = |c: &mut Context, s| {
        let zero = c.integer(0);
        let positive = c.compare(Relation::Greater, s, zero);
        c.if_else(positive, s, zero)
    };
    assert_eq!(activation(relu), "ds[i] = dy[i] * [s[i] > 0]");
    let elu = |c: &mut Context, s| {
        let (zero, minus_one) = (c.integer(0), c.integer(-1));
        let exponential = c.call(Elementary::Exp, s);
        let rest = c.add([exponential, minus_one]);
        let a = c.number(Number::new(0.3).expect("a number"));
        let rest = c.multiply([a, rest]);
        let positive = c.compare(Relation::Greater, s, zero);
        c.if_else(positive, s, rest)
    };
    assert_eq!(activation(elu), "ds[i] = dy[i] * (if s[i] > 0 { 1 } else { 0.3 + y[i] })");
}

#[test]
fn sigmoid_with_binary_cross_entropy_is_y_minus_t() {
    let mut b = Builder::new();
    let (s, t) = (b.vector("s", Role::Parameter), b.vector("t", Role::Target));
    let y = b.define("y", |c, i| {
        let s = c.access_at(s, &[i]);
        sigmoid(c, s)
    });
    binary_cross_entropy(&mut b, y, t);
    assert_eq!(b.adjoint_text(s), "ds[i] = y[i] - t[i]");
}

fn define_softmax(b: &mut Builder, s: TensorId) -> TensorId {
    b.define("y", |c, j| {
        let k = c.add_index("k", 0, 3);
        let (at_j, at_k) = (c.access_at(s, &[j]), c.access_at(s, &[k]));
        let (numerator, term) = (c.call(Elementary::Exp, at_j), c.call(Elementary::Exp, at_k));
        let denominator = c.sum(&[k], term);
        c.divide(numerator, denominator)
    })
}

fn define_cross_entropy(b: &mut Builder, y: TensorId, t: TensorId) {
    b.sum("loss", |c, k| {
        let (y, t) = (c.access_at(y, &[k]), c.access_at(t, &[k]));
        let ln_y = c.call(Elementary::Ln, y);
        let product = c.multiply([t, ln_y]);
        c.negate(product)
    });
}

fn softmax_network(label: bool, cross_entropy: bool) -> String {
    let mut b = Builder::new();
    let (s, t) = (b.vector("s", Role::Parameter), b.tensor("t", &[3], Role::Target, label));
    let y = define_softmax(&mut b, s);
    if cross_entropy {
        define_cross_entropy(&mut b, y, t);
    } else {
        weighted_sum(&mut b, y, t);
    }
    b.adjoint_text(s)
}

#[test]
fn softmax_alone_and_with_cross_entropy() {
    assert_eq!(softmax_network(true, true), "ds[i] = y[i] - t[i]");
    assert_eq!(softmax_network(false, true), "ds[i] = y[i] * sum(k: t[k]) - t[i]");
    assert_eq!(softmax_network(false, false), "ds[i] = y[i] * (dy[i] - sum(k: dy[k] * y[k]))");
}

/// The loss of a network with one equation `y` between its parameter `s` and its loss, at given logits, in the form that
/// is computed.
fn computed_loss(b: &mut Builder, s: TensorId, t: TensorId, logits: [f64; 3], target: [f64; 3]) -> f64 {
    let definitions = definitions(&b.equations);
    let loss = b.equations.last().expect("an equation").value;
    let computed = stabilize(&mut b.context, loss, &definitions);
    let values = HashMap::from([(s, logits.to_vec()), (t, target.to_vec())]);
    evaluate(&b.context, &(&b.context, &values), &[], computed).expect("the computed form reads the logits alone")
}

#[test]
fn losses_of_huge_logits_are_finite_and_right() {
    for (logits, target, expected) in [
        ([1000.0, -1000.0, 0.0], [0.0, 1.0, 0.0], 2000.0),
        ([1000.0, -1000.0, 0.0], [1.0, 0.0, 0.0], 0.0),
        ([1000.0, 1000.0, 1000.0], [1.0, 0.0, 0.0], 3f64.ln()),
    ] {
        let mut b = Builder::new();
        let (s, t) = (b.vector("s", Role::Parameter), b.vector("t", Role::Target));
        let y = define_softmax(&mut b, s);
        define_cross_entropy(&mut b, y, t);
        let loss = computed_loss(&mut b, s, t, logits, target);
        assert!((loss - expected).abs() < 1e-9, "softmax cross-entropy of {logits:?} is {loss}, not {expected}");
    }
    for (logits, target, expected) in
        [([1000.0, -1000.0, 0.0], [1.0, 0.0, 1.0], 2f64.ln()), ([1000.0, -1000.0, 0.0], [0.0, 1.0, 1.0], 2000.0 + 2f64.ln())]
    {
        let mut b = Builder::new();
        let (s, t) = (b.vector("s", Role::Parameter), b.vector("t", Role::Target));
        let y = b.define("y", |c, i| {
            let s = c.access_at(s, &[i]);
            sigmoid(c, s)
        });
        binary_cross_entropy(&mut b, y, t);
        let loss = computed_loss(&mut b, s, t, logits, target);
        assert!((loss - expected).abs() < 1e-9, "sigmoid cross-entropy of {logits:?} is {loss}, not {expected}");
    }
}
