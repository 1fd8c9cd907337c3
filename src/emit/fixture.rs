//! A net built by hand: two dense layers, relu, softmax, cross-entropy, l2 and momentum.

use crate::derivation::{Derivation, derive};
use crate::equation::{Context, Elementary, Equation, ExprId, IndexId, Number, ReduceKind, Relation, Role, Tensor, TensorId};
use crate::model::{Distribution, Model, Optimizer, Parameter, Regularizer, State};

fn tensor(context: &mut Context, name: &str, shape: &[usize], role: Role) -> TensorId {
    let axes = ["i", "j"].iter().take(shape.len()).map(|&axis| axis.to_owned()).collect();
    context.add_tensor(Tensor { name: name.to_owned(), shape: shape.to_vec(), axes, role, label: false, origin: None })
}

fn equation(target: TensorId, indices: Vec<IndexId>, value: ExprId) -> Equation {
    Equation { target, indices, value, computed: value, number: 0, origin: None }
}

fn dense(context: &mut Context, name: &str, input: TensorId, output: usize) -> (Equation, [TensorId; 2]) {
    let width = context.tensor(input).shape[0];
    let w = tensor(context, &format!("{name}.w"), &[width, output], Role::Parameter);
    let b = tensor(context, &format!("{name}.b"), &[output], Role::Parameter);
    let s = tensor(context, &format!("{name}.s"), &[output], Role::Value);
    let (i, j) = (context.add_index("i", 0, width as i64), context.add_index("j", 0, output as i64));
    let factors = [context.access_at(w, &[i, j]), context.access_at(input, &[i])];
    let product = context.multiply(factors);
    let sum = context.sum(&[i], product);
    let bias = context.access_at(b, &[j]);
    let value = context.add([sum, bias]);
    (equation(s, vec![j], value), [w, b])
}

fn relu(context: &mut Context, name: &str, input: TensorId) -> Equation {
    let shape = context.tensor(input).shape.clone();
    let h = tensor(context, name, &shape, Role::Value);
    let j = context.add_index("j", 0, shape[0] as i64);
    let (s, zero) = (context.access_at(input, &[j]), context.integer(0));
    let condition = context.compare(Relation::Greater, s, zero);
    let value = context.if_else(condition, s, zero);
    equation(h, vec![j], value)
}

fn softmax(context: &mut Context, name: &str, input: TensorId) -> Equation {
    let shape = context.tensor(input).shape.clone();
    let y = tensor(context, name, &shape, Role::Value);
    let (j, k) = (context.add_index("j", 0, shape[0] as i64), context.add_index("k", 0, shape[0] as i64));
    let (at_j, at_k) = (context.access_at(input, &[j]), context.access_at(input, &[k]));
    let exp_j = context.call(Elementary::Exp, at_j);
    let exp_k = context.call(Elementary::Exp, at_k);
    let total = context.reduce(ReduceKind::Sum, &[k], exp_k);
    let value = context.divide(exp_j, total);
    equation(y, vec![j], value)
}

fn cross_entropy(context: &mut Context, y: TensorId, t: TensorId) -> Equation {
    let loss = tensor(context, "loss", &[], Role::Value);
    let k = context.add_index("k", 0, context.tensor(y).shape[0] as i64);
    let (at_y, at_t) = (context.access_at(y, &[k]), context.access_at(t, &[k]));
    let log = context.call(Elementary::Ln, at_y);
    let product = context.multiply([at_t, log]);
    let sum = context.sum(&[k], product);
    let value = context.negate(sum);
    equation(loss, Vec::new(), value)
}

/// `v' = 0.9 v - rate g`, `w' = w + v'`.
fn momentum(context: &mut Context, parameter: TensorId, rate: TensorId, line: usize) -> Optimizer {
    let (name, shape) = (context.tensor(parameter).name.clone(), context.tensor(parameter).shape.clone());
    let gradient = tensor(context, &format!("g.{name}"), &shape, Role::Gradient { of: parameter });
    let v = tensor(context, &format!("{name}.v"), &shape, Role::State { of: parameter });
    let next_v = tensor(context, &format!("{name}.v'"), &shape, Role::Next { of: v });
    let next_w = tensor(context, &format!("{name}'"), &shape, Role::Next { of: parameter });
    let indices = context.fresh_axes(parameter);
    let alpha = context.number(Number::new(0.9).unwrap_or(Number::ONE));
    let (rate, g) = (context.access(rate, Vec::new()), context.access_at(gradient, &indices));
    let kept = context.access_at(v, &indices);
    let (kept, step) = (context.multiply([alpha, kept]), context.multiply([rate, g]));
    let value = context.subtract(kept, step);
    let first = equation(next_v, indices, value);
    let indices = context.fresh_axes(parameter);
    let (w, moved) = (context.access_at(parameter, &indices), context.access_at(next_v, &indices));
    let value = context.add([w, moved]);
    let second = equation(next_w, indices, value);
    let states = vec![State { tensor: v, initial: 0.0 }];
    Optimizer { parameter, gradient, states, equations: vec![first, second], rule: "momentum".to_owned(), line }
}

/// The derivation of a 64-32-10 net.
pub(super) fn digits() -> Derivation {
    let mut context = Context::new();
    let c = &mut context;
    let x = tensor(c, "x", &[64], Role::Input);
    let t = tensor(c, "t", &[10], Role::Target);
    c.tensor_mut(t).label = true;
    let (first, [w1, b1]) = dense(c, "dense1", x, 32);
    let hidden = relu(c, "h", first.target);
    let (second, [w2, b2]) = dense(c, "dense2", hidden.target, 10);
    let output = softmax(c, "y", second.target);
    let loss = cross_entropy(c, output.target, t);
    let (rate, decay) = (tensor(c, "momentum.rate", &[], Role::Constant), tensor(c, "l2.a", &[], Role::Constant));
    let (rate_value, decay_value) = (c.number(Number::new(0.1).unwrap_or(Number::ONE)), c.integer(2));
    let optimizers = [w1, b1, w2, b2].map(|parameter| momentum(c, parameter, rate, 0)).to_vec();
    let two = c.integer(2);
    let half = c.reciprocal(two);
    let mut penalty = |parameter: TensorId| {
        let indices = c.fresh_axes(parameter);
        let element = c.access_at(parameter, &indices);
        let square = c.power(element, two);
        let sum = c.sum(&indices, square);
        let decay = c.access(decay, Vec::new());
        let value = c.multiply([half, decay, sum]);
        Regularizer { value, parameter, line: 0 }
    };
    let regularizers = vec![penalty(w1), penalty(w2)];
    let batch_size = tensor(c, "m", &[], Role::BatchSize);
    let update_number = tensor(c, "k", &[], Role::UpdateNumber);
    let parameter = |tensor: TensorId, is_weight: bool| {
        let initial = if is_weight { Distribution::Normal { mean: 0.0, deviation: 0.2 } } else { Distribution::Constant(0.0) };
        Parameter { tensor, initial, is_weight, trained: true }
    };
    derive(Model {
        name: "Digits".to_owned(),
        inputs: vec![x],
        targets: vec![t],
        parameters: vec![parameter(w1, true), parameter(b1, false), parameter(w2, true), parameter(b2, false)],
        noises: Vec::new(),
        outputs: vec![output.target],
        loss: Some(loss.target),
        equations: vec![first, hidden, second, output, loss],
        objective: None,
        regularizers,
        optimizers,
        constants: vec![equation(rate, Vec::new(), rate_value), equation(decay, Vec::new(), decay_value)],
        batch_size,
        update_number,
        context,
    })
}
