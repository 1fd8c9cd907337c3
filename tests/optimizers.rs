//! Three updates of every optimizer against the same rule written as a loop over numbers.
#![cfg(feature = "generic")]

mod common;

use common::{derivation, numbers};
use deltarule_compiler::generic::Engine;
use ndarray::ArrayD;

/// The numbers that one weight's rule works with.
#[derive(Clone, Copy, Default)]
struct Weight {
    w: f64,
    u: f64,
    v: f64,
}

/// One update of one weight: `k` from 1, `g` the gradient.
type Rule = fn(k: i32, g: f64, weight: &mut Weight);

/// A learning rate as a function of the update, from 1.
type Rate = fn(k: f64) -> f64;

/// Every optimizer with the rule that its paper gives.
const RULES: [(&str, Rule); 12] = [
    ("sgd(0.1)", |_, g, p| p.w -= 0.1 * g),
    ("sgd(rate = 0.1 / k)", |k, g, p| p.w -= 0.1 / f64::from(k) * g),
    ("momentum(0.1)", |_, g, p| {
        p.v = 0.9 * p.v - 0.1 * g;
        p.w += p.v;
    }),
    ("momentum(0.1, alpha = 0.5)", |_, g, p| {
        p.v = 0.5 * p.v - 0.1 * g;
        p.w += p.v;
    }),
    ("nesterov(0.1, alpha = 0.8)", |_, g, p| {
        p.v = 0.8 * p.v - 0.1 * g;
        p.w += 0.8 * p.v - 0.1 * g;
    }),
    ("adagrad(0.1)", |_, g, p| {
        p.v += g * g;
        p.w -= 0.1 * g / (p.v.sqrt() + 1e-8);
    }),
    ("adagrad(0.1, epsilon = 0.01)", |_, g, p| {
        p.v += g * g;
        p.w -= 0.1 * g / (p.v.sqrt() + 0.01);
    }),
    ("rmsprop(0.01)", |_, g, p| {
        p.v = 0.9 * p.v + 0.1 * g * g;
        p.w -= 0.01 * g / (p.v.sqrt() + 1e-8);
    }),
    ("rmsprop(0.01, rho = 0.7)", |_, g, p| {
        p.v = 0.7 * p.v + 0.3 * g * g;
        p.w -= 0.01 * g / (p.v.sqrt() + 1e-8);
    }),
    ("adam(0.01)", |k, g, p| adam(k, g, p, 0.9, 0.999, 0.0)),
    ("adam(rate = 0.01, beta1 = 0.8, beta2 = 0.99)", |k, g, p| adam(k, g, p, 0.8, 0.99, 0.0)),
    ("adamw(0.01, decay = 0.1)", |k, g, p| adam(k, g, p, 0.9, 0.999, 0.1)),
];

fn adam(k: i32, g: f64, p: &mut Weight, beta1: f64, beta2: f64, decay: f64) {
    p.u = beta1 * p.u + (1.0 - beta1) * g;
    p.v = beta2 * p.v + (1.0 - beta2) * g * g;
    let (u, v) = (p.u / (1.0 - beta1.powi(k)), p.v / (1.0 - beta2.powi(k)));
    p.w -= 0.01 * (u / (v.sqrt() + 1e-8) + decay * p.w);
}

const EXAMPLES: usize = 5;
const INPUTS: usize = 3;
const OUTPUTS: usize = 2;

/// Trains `y = x w` with the engine, and returns the weights after each of three updates with those that the rule gives.
fn three_updates(optimizer: &str, rule: Rule) -> Vec<(Vec<f64>, Vec<f64>)> {
    let text = format!(
        "input x[{INPUTS}]\ntarget t[{OUTPUTS}]\ny = x |> dense({OUTPUTS}, bias = false)\nloss squared_error(y, t)\n\
         regularizer l2(0.2)\noptimizer {optimizer}\n"
    );
    let engine = Engine::<f64>::new(&derivation(optimizer, &text)).expect("the engine takes the net");
    let (x, t) = (numbers(&[EXAMPLES, INPUTS], 1.0), numbers(&[EXAMPLES, OUTPUTS], 50.0));
    let batch = engine.batch([("x", x.clone().into()), ("t", t.clone().into())]).expect("the data fits");
    let mut parameters = engine.initialize(3);
    let mut state = engine.state();
    let mut weights: Vec<Weight> = parameters.to_vec().into_iter().map(|w| Weight { w, ..Weight::default() }).collect();
    let mut updates = Vec::new();
    for k in 1..=3 {
        engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
        let before: Vec<f64> = weights.iter().map(|weight| weight.w).collect();
        for i in 0..INPUTS {
            for j in 0..OUTPUTS {
                let slopes = (0..EXAMPLES).map(|example| {
                    let y: f64 = (0..INPUTS).map(|i| x[[example, i]] * before[i * OUTPUTS + j]).sum();
                    (y - t[[example, j]]) * x[[example, i]]
                });
                let g = slopes.sum::<f64>() / EXAMPLES as f64 + 0.2 * before[i * OUTPUTS + j];
                rule(k, g, &mut weights[i * OUTPUTS + j]);
            }
        }
        updates.push((parameters.to_vec(), weights.iter().map(|weight| weight.w).collect()));
    }
    assert_eq!(state.updates(), 3);
    updates
}

fn largest_difference(updates: &[(Vec<f64>, Vec<f64>)]) -> f64 {
    let pairs = updates.iter().flat_map(|(found, expected)| found.iter().zip(expected));
    pairs.map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max)
}

#[test]
fn three_updates_of_every_optimizer_are_those_of_its_paper() {
    for (optimizer, rule) in RULES {
        let difference = largest_difference(&three_updates(optimizer, rule));
        assert!(difference < 1e-12, "{optimizer}: weights differ by {difference}");
    }
}

#[test]
fn a_mistaken_rule_shows() {
    let mistaken: [(&str, Rule); 4] = [
        ("sgd(0.1)", |_, g, p| p.w += 0.1 * g),
        ("momentum(0.1)", |_, g, p| p.w -= 0.1 * g),
        ("nesterov(0.1, alpha = 0.8)", |_, g, p| {
            p.v = 0.8 * p.v - 0.1 * g;
            p.w += p.v;
        }),
        ("adam(0.01)", |_, g, p| adam(1, g, p, 0.9, 0.999, 0.0)),
    ];
    for (optimizer, rule) in mistaken {
        let difference = largest_difference(&three_updates(optimizer, rule));
        assert!(difference > 1e-6, "{optimizer}: a mistake in its rule changes no weight by more than {difference}");
    }
}

#[test]
fn schedules_are_expressions_in_the_updates_number() {
    let schedules: [(&str, Rate); 7] = [
        ("0.3 / k^2", |k| 0.3 / (k * k)),
        ("lerp(0.1, 0.001, min(k / 2, 1))", |k| 0.1 + (0.001 - 0.1) * (k / 2.0).min(1.0)),
        ("inverse_time(0.1, 0.5)", |k| 0.1 / (1.0 + 0.5 * (k - 1.0))),
        ("step_decay(0.1, 0.5, every = 2)", |k| 0.1 * 0.5_f64.powf(((k - 1.0) / 2.0).floor())),
        ("exponential_decay(0.1, 0.3)", |k| 0.1 * (-0.3 * (k - 1.0)).exp()),
        ("cosine_decay(0.1, 2)", |k| 0.1 * (1.0 + (std::f64::consts::PI * ((k - 1.0) / 2.0).min(1.0)).cos()) / 2.0),
        ("warmup(0.1, 2)", |k| 0.1 * (k / 2.0).min(1.0)),
    ];
    for (schedule, rate) in schedules {
        let text =
            format!("input x\ntarget t\nparam w ~ 0.5\ny = w * x\nloss squared_error(y, t)\noptimizer sgd(rate = {schedule})\n");
        let engine = Engine::<f64>::new(&derivation(schedule, &text)).expect("the engine takes the net");
        let one = || ndarray::array![1.0].into_dyn();
        let batch = engine.batch([("x", one().into()), ("t", (one() * 2.0).into())]).expect("the data fits");
        let (mut parameters, mut state) = (engine.initialize(0), engine.state());
        let mut w = 0.5;
        for k in 1..=3 {
            engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
            w -= rate(f64::from(k)) * (w - 2.0);
            let found = parameters.to_vec()[0];
            assert!((found - w).abs() < 1e-14, "{schedule}: w is {found} after update {k}, not {w}");
        }
    }
}

/// A net with weights of two shapes, its optimizer line to follow.
const TWO_SHAPES: &str = "input x[2]\ntarget t[2]\ny = x |> dense(3) |> tanh |> dense(2)\nloss squared_error(y, t)\n\
                          regularizer l2(0.3)\n";

/// The gradient of [`TWO_SHAPES`] by all parameters in a row, and what three updates of `sgd(1)` behind these functions take off the parameters
/// beside it; each update from the parameters that the last has left.
fn three_clipped_steps(clips: &str, definitions: &str) -> Vec<(Vec<f64>, Vec<f64>)> {
    let text = format!("{definitions}{TWO_SHAPES}optimizer sgd(1) |> {clips}\n");
    let engine = Engine::<f64>::new(&derivation(clips, &text)).expect("the engine takes the net");
    let batch = engine.batch([("x", numbers(&[4, 2], 1.0).into()), ("t", numbers(&[4, 2], 9.0).into())]).expect("the data fits");
    let (mut parameters, mut state) = (engine.initialize(1), engine.state());
    let mut steps = Vec::new();
    for _ in 0..3 {
        let before = parameters.to_vec();
        let gradient = engine.gradient(&parameters, &batch).expect("the net runs").gradient.to_vec();
        engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
        steps.push((gradient, before.iter().zip(parameters.to_vec()).map(|(before, after)| before - after).collect()));
    }
    steps
}

/// Checks each step against what a function makes of the gradient.
fn assert_clipped(clips: &str, definitions: &str, expected: impl Fn(&[f64]) -> Vec<f64>) {
    for (gradient, step) in three_clipped_steps(clips, definitions) {
        let expected = expected(&gradient);
        let off = step.iter().zip(&expected).map(|(step, expected)| (step - expected).abs()).fold(0.0, f64::max);
        assert!(off < 1e-14, "{clips}: the gradient {gradient:?} becomes {step:?}, not {expected:?}");
        let change = gradient.iter().zip(&expected).map(|(gradient, expected)| (gradient - expected).abs()).fold(0.0, f64::max);
        assert!(change > 1e-3, "{clips}: the gradient {gradient:?} is not clipped at all");
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn clipped_to_norm(gradient: &[f64], limit: f64) -> Vec<f64> {
    gradient.iter().map(|g| g * (limit / norm(gradient)).min(1.0)).collect()
}

fn clipped_to_value(gradient: &[f64], limit: f64) -> Vec<f64> {
    gradient.iter().map(|g| g.clamp(-limit, limit)).collect()
}

#[test]
fn the_norm_that_clips_is_that_of_all_parameters_of_the_line_and_of_the_regularizer() {
    assert_clipped("clip_norm(0.25)", "", |g| clipped_to_norm(g, 0.25));
    assert_clipped("clip_norm(limit = 0.1)", "", |g| clipped_to_norm(g, 0.1));
    for (gradient, step) in three_clipped_steps("clip_norm(1000)", "") {
        let off = step.iter().zip(&gradient).map(|(step, g)| (step - g).abs()).fold(0.0, f64::max);
        assert!(off < 1e-14, "a short gradient stays as it is");
    }
}

#[test]
fn a_gradient_of_length_0_is_clipped_to_itself_whatever_the_limit() {
    for limit in ["0", "0.5", "0 / k"] {
        let text = format!("{}optimizer sgd(1) |> clip_norm({limit})\n", TWO_SHAPES.replace("regularizer l2(0.3)\n", ""));
        let engine = Engine::<f64>::new(&derivation("still.spec", &text)).expect("the engine takes the net");
        let batch = |t: ArrayD<f64>| engine.batch([("x", numbers(&[4, 2], 1.0).into()), ("t", t.into())]).expect("the data fits");
        let mut parameters = engine.initialize(1);
        let before = parameters.to_vec();
        // Targets that are met leave nothing to learn.
        let met = engine.predict(&parameters, &batch(numbers(&[4, 2], 9.0))).expect("the net runs").remove(0).values;
        let batch = batch(met);
        engine.train(&mut parameters, &mut engine.state(), &batch).expect("the net runs");
        assert_eq!(parameters.to_vec(), before, "clip_norm({limit})");
    }
}

#[test]
fn values_are_clipped_one_by_one() {
    assert_clipped("clip_value(0.05)", "", |g| clipped_to_value(g, 0.05));
    assert_clipped("clamp(-0.05, 0.02)", "", |g| g.iter().map(|g| g.clamp(-0.05, 0.02)).collect());
}

#[test]
fn functions_in_a_row_see_what_the_one_before_has_left() {
    assert_clipped("clip_value(0.1) |> clip_norm(0.2)", "", |g| clipped_to_norm(&clipped_to_value(g, 0.1), 0.2));
    assert_clipped("clip_norm(0.2) |> clip_value(0.05)", "", |g| clipped_to_value(&clipped_to_norm(g, 0.2), 0.05));
    assert_clipped("clip_norm(0.2) |> clip_norm(0.1)", "", |g| clipped_to_norm(&clipped_to_norm(g, 0.2), 0.1));
}

#[test]
fn a_users_own_function_clips_as_those_of_the_prelude_do() {
    let definition =
        "function length(v[..]) = sqrt(sum(..: v^2))\nfunction shorten(d[..], most) = d * min(1, most / length(d))\n";
    assert_clipped("shorten(0.25)", definition, |g| clipped_to_norm(g, 0.25));
    let definition = "function to_greatest(d[..], most) = d * min(1, most / max(..: abs(d)))\n";
    assert_clipped("to_greatest(0.05)", definition, |g| {
        let greatest = g.iter().map(|g| g.abs()).fold(0.0, f64::max);
        g.iter().map(|g| g * (0.05 / greatest).min(1.0)).collect()
    });
    // A reduction inside of another.
    let definition = "function standard(d[..]) = (d - mean(..: d)) / sqrt(mean(..: (d - mean(..: d))^2))\n";
    assert_clipped("standard", definition, |g| {
        let mean = g.iter().sum::<f64>() / g.len() as f64;
        let deviation = (g.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / g.len() as f64).sqrt();
        g.iter().map(|g| (g - mean) / deviation).collect()
    });
}

#[test]
fn what_a_function_sums_over_axes_of_its_own_is_a_sum_over_one_gradient() {
    let definition = "function by_rows(d[.., j], most) = d[j] * min(1, most / sqrt(sum(l: d[l]^2)))\n";
    assert_clipped("by_rows(0.05)", definition, |g| {
        // dense1.w [2, 3], dense1.b [3], dense2.w [3, 2], dense2.b [2].
        let (first, second) = g.split_at(9);
        first.chunks(3).chain(second.chunks(2)).flat_map(|row| clipped_to_norm(row, 0.05)).collect()
    });
}

#[test]
fn each_line_clips_its_own_parameters_by_its_own_schedule() {
    let text = format!(
        "{TWO_SHAPES}optimizer sgd(1) |> clip_norm(0.1 / k)\noptimizer sgd(1) |> clip_norm(0.05) on dense2.w, dense2.b\n"
    );
    let engine = Engine::<f64>::new(&derivation("lines", &text)).expect("the engine takes the net");
    let batch = engine.batch([("x", numbers(&[4, 2], 1.0).into()), ("t", numbers(&[4, 2], 9.0).into())]).expect("the data fits");
    let (mut parameters, mut state) = (engine.initialize(1), engine.state());
    for k in 1..=3 {
        let before = parameters.to_vec();
        engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
        let step: Vec<f64> = before.iter().zip(parameters.to_vec()).map(|(before, after)| before - after).collect();
        let (first, second) = step.split_at(9);
        assert!((norm(first) - 0.1 / f64::from(k)).abs() < 1e-14, "update {k}: the step is {} long", norm(first));
        assert!((norm(second) - 0.05).abs() < 1e-14, "update {k}: the step is {} long", norm(second));
    }
}

#[test]
fn a_gradient_of_zero_is_clipped_to_zero() {
    let text = "input x\ntarget t\nparam w ~ 0.5\ny = w * x\nloss squared_error(y, t)\noptimizer momentum(0.1) |> clip_norm(1)\n";
    let engine = Engine::<f64>::new(&derivation("zero", text)).expect("the engine takes the net");
    let zero = || ndarray::array![0.0].into_dyn();
    let batch = engine.batch([("x", zero().into()), ("t", zero().into())]).expect("the data fits");
    let (mut parameters, mut state) = (engine.initialize(0), engine.state());
    engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
    assert_eq!(parameters.to_vec(), [0.5]);
}

#[test]
fn a_line_with_names_outranks_one_without_and_none_freezes() {
    let text = "input x[2]\ntarget t[2]\ny = x |> dense(3) |> tanh |> dense(2)\nloss squared_error(y, t)\n\
                optimizer sgd(0.1)\noptimizer momentum(0.2) on dense2.w\noptimizer none on dense1.w\n";
    let engine = Engine::<f64>::new(&derivation("freeze", text)).expect("the engine takes the net");
    let batch = engine.batch([("x", numbers(&[4, 2], 1.0).into()), ("t", numbers(&[4, 2], 2.0).into())]).expect("the data fits");
    let (mut parameters, mut state) = (engine.initialize(1), engine.state());
    let before = parameters.clone();
    let gradient = engine.gradient(&parameters, &batch).expect("the net runs").gradient;
    assert_eq!(gradient.iter().map(|array| array.name.as_str()).collect::<Vec<_>>(), ["dense1.b", "dense2.w", "dense2.b"]);
    engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
    assert_eq!(parameters.get("dense1.w"), before.get("dense1.w"), "a frozen parameter keeps its value");
    for (name, rate) in [("dense1.b", 0.1), ("dense2.w", 0.2), ("dense2.b", 0.1)] {
        let expected = before.get(name).expect("it is there") - &(gradient.get(name).expect("it is trained") * rate);
        let difference = (parameters.get(name).expect("it is there") - &expected).mapv(f64::abs).sum();
        assert!(difference < 1e-14, "{name} is off by {difference}");
    }
    assert_eq!(state.iter().map(|array| array.name.as_str()).collect::<Vec<_>>().len(), 1, "only momentum remembers");
}
