//! Definitions that a user writes: a layer, activations, losses over pairs, an optimizer, a regularizer, a schedule and an initial
//! distribution. Each has the derivatives of its differences, is the same in both engines, and can be printed.
#![cfg(feature = "cli")]

mod common;

use common::derivation;
use deltarule::{Trainable, derive_backprop};
use deltarule_compiler::generic::{Engine, Parameters, Values, check_gradients};
use deltarule_compiler::sheet::{NotationTable, Sheet, SheetOptions, Steps};
use ndarray::{ArrayD, IxDyn};

const EXAMPLES: usize = 4;
const SEED: u64 = 3;

/// Numbers between -1 and 1 without a pattern.
fn number(at: usize) -> f64 {
    ((at * 7919 + 13) % 2003) as f64 / 1001.5 - 1.0
}

/// The inputs, or with another offset the targets, of all examples.
fn rows<const N: usize>(offset: usize) -> Vec<[f64; N]> {
    (0..EXAMPLES).map(|example| std::array::from_fn(|at| number(offset + 31 * example + 3 * at))).collect()
}

fn array<const N: usize>(rows: &[[f64; N]]) -> Values<f64> {
    let numbers: Vec<f64> = rows.as_flattened().to_vec();
    Values::Numbers(ArrayD::from_shape_vec(IxDyn(&[rows.len(), N]), numbers).expect("as many numbers"))
}

/// How far two lists of numbers lie apart.
fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max)
}

/// The derivatives are those of central differences, and no derivative is missing.
fn has_its_derivatives(spec: &str) {
    for seed in 1..=5 {
        let report = check_gradients(&derivation("own.spec", spec), seed).expect("the net can be checked");
        assert!(report.passes() && report.checks.iter().all(|check| check.compared > 0), "{report}");
    }
}

/// Gradient and updates of the macro's code are those of the generic engine.
fn is_the_same_in_both_engines<N, const I: usize, const T: usize>(spec: &str, mut state: N::State, mut scratch: N::Scratch)
where
    N: Trainable<Scalar = f64, Input = [f64; I], Target = [f64; T]>,
{
    let (inputs, targets) = (rows::<I>(1), rows::<T>(500));
    let engine = Engine::<f64>::new(&derivation("own.spec", spec)).expect("the engine takes the net");
    let batch = engine.batch([("x", array(&inputs)), ("t", array(&targets))]).expect("the data fits");
    let (mut parameters, mut kept) = (engine.initialize(SEED), engine.state());
    let (mut net, mut gradient) = (N::ZERO, N::ZERO);
    net.initialize(SEED);
    assert!(distance(net.as_slice(), &parameters.to_vec()) < 1e-15, "both draw the same parameters");
    let loss = net.backward_slice(&inputs, &targets, &mut gradient, &mut scratch);
    let expected = engine.gradient(&parameters, &batch).expect("the net runs");
    assert!((loss - expected.loss).abs() < 1e-12 * expected.loss.abs().max(1.0), "{loss} is not {}", expected.loss);
    assert!(distance(gradient.as_slice(), &expected.gradient.to_vec()) < 1e-12, "{:?}", gradient.as_slice());
    assert!(gradient.as_slice().iter().any(|slope| *slope != 0.0), "nothing is learned");
    for _ in 0..5 {
        net.train_slice(&inputs, &targets, &mut state, &mut scratch);
        engine.train(&mut parameters, &mut kept, &batch).expect("the net runs");
    }
    assert!(distance(net.as_slice(), &parameters.to_vec()) < 1e-12, "both update alike");
}

/// A sheet with all steps is printed in every format, and names the net.
fn can_be_printed(spec: &str) {
    let derivation = derivation("own.spec", spec);
    for notation in [NotationTable::lecture(), NotationTable::matrix(), NotationTable::plain()] {
        let sheet = Sheet::new(&derivation, &SheetOptions { steps: Steps::All, notation });
        for printed in [sheet.to_text(), sheet.to_latex(), sheet.to_html(), sheet.to_markdown()] {
            assert!(printed.contains("Own"), "{printed}");
        }
    }
}

/// What a rule makes of parameters, given the gradient at each: by the engine's gradients and by its own updates.
fn follows(spec: &str, updates: usize, mut rule: impl FnMut(usize, &mut [f64], &[f64])) {
    let engine = Engine::<f64>::new(&derivation("own.spec", spec)).expect("the engine takes the net");
    let batch = engine.batch([("x", array(&rows::<5>(1))), ("t", array(&rows::<3>(500)))]).expect("the data fits");
    let (mut parameters, mut state) = (engine.initialize(SEED), engine.state());
    let mut expected = parameters.to_vec();
    for k in 1..=updates {
        let gradient: Parameters<f64> = engine.gradient(&parameters, &batch).expect("the net runs").gradient;
        rule(k, &mut expected, &gradient.to_vec());
        engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
        assert!(distance(&parameters.to_vec(), &expected) < 1e-12, "update {k}");
    }
}

macro_rules! own {
    ($($(#[$doc:meta])* $name:ident($inputs:literal, $targets:literal) = $spec:literal;)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            pub(super) const SPEC: &str = $spec;

            #[derive_backprop(spec = $spec, scalar = f64)]
            struct Net;

            #[test]
            fn its_derivatives_are_those_of_differences() {
                has_its_derivatives(SPEC);
            }

            #[test]
            fn both_engines_agree() {
                is_the_same_in_both_engines::<Net, $inputs, $targets>(SPEC, NetState::ZERO, NetScratch::ZERO);
            }

            #[test]
            fn the_sheet_prints() {
                can_be_printed(SPEC);
            }
        }
    )*};
}

own! {
    /// A layer of two inputs that is linear in each.
    bilinear(5, 3) = "
        network Own
        layer bilinear(x[i], z[k], n, bias = true) -> s[j: n] {
            param w[i, k, j] ~ glorot
            param b[j]       ~ 0 if bias
            s[j] = sum(i, k: w[i, k, j] * x[i] * z[k]) + b[j]
        }
        input x[5]
        target t[3]
        left[i: 3] = x[i + 0]
        right[k: 2] = x[k + 3]
        h = bilinear(left, right, 4) |> tanh
        y = bilinear(h, h, n = 3, bias = false)
        loss squared_error(y, t)
        optimizer sgd(0.1)
    ";
    /// A smooth activation of two numbers, one with a kink, and one whose slope is learned.
    activation(5, 3) = "
        network Own
        function snake(s, frequency = 1, slope = 0.1) = slope * s + sin(frequency * s)^2 / frequency
        function bent(s, below, above) = if s < below { below + (s - below) / 4 } else if s <= above { s } else { above }
        layer prelu(x[.., i]) -> y[i] {
            param a[i] ~ 0.25
            y[i] = if x[i] > 0 { x[i] } else { a[i] * x[i] }
        }
        input x[5]
        target t[3]
        y = x |> dense(4) |> snake(frequency = 2) |> dense(4) |> prelu |> dense(3) |> bent(-0.3, above = 0.4) |> snake(0.5, 0.3)
        loss squared_error(y, t)
        optimizer momentum(0.05)
    ";
    /// A loss over all pairs that the target puts in an order.
    ranking(5, 3) = "
        network Own
        function ranking(y[p], t[p], margin = 1) = sum(i, j: [t[i] > t[j]] * max(0, margin - (y[i] - y[j])))
        input x[5]
        target t[3]
        y = x |> dense(6) |> tanh |> dense(3)
        loss ranking(y, t)
        loss ranking(y, t, margin = 0.2)^2 / 3
        optimizer adam(0.02)
    ";
    /// A loss over all pairs i < j of rows: those of a kind are drawn together, the others kept apart.
    contrastive(5, 4) = "
        network Own
        function contrastive(e[r, c], t[r], margin = 1) = sum(r, s: [r < s] * pair(sum(c: (e[r, c] - e[s, c])^2), t[r] * t[s], margin))
        function pair(d, product, margin) = if product > 0 { d / 2 } else { max(0, margin - sqrt(d + 0.01))^2 / 2 }
        input x[5]
        target t[4]
        h = x |> dense(6) |> softplus |> dense(8)
        e[r: 4, c: 2] = h[2*r + c]
        loss contrastive(e, t, margin = 2)
        optimizer rmsprop(0.01)
    ";
    /// An optimizer that remembers two things, one of which does not begin at 0.
    optimizer(5, 3) = "
        network Own
        optimizer yogi(rate, beta1 = 0.9, beta2 = 0.99, epsilon = 0.001) {
            state u ~ 0
            state v ~ 0.1
            u' = beta1 * u + (1 - beta1) * g
            v' = v + (1 - beta2) * (if g^2 > v { g^2 } else { -g^2 })
            w' = w - rate * u' / (1 - beta1^k) / (sqrt(v') + epsilon)
        }
        input x[5]
        target t[3]
        y = x |> dense(4) |> tanh |> dense(3)
        loss squared_error(y, t)
        optimizer yogi(0.1)
    ";
    /// A regularizer that reads a weight as a matrix, and an initial distribution.
    regularizer(5, 3) = "
        network Own
        function group_lasso(w[i, j], a) = a * sum(i: sqrt(sum(j: w[i, j]^2) + 0.0001))
        function wide() = uniform(-3 / sqrt(fan_in), 3 / sqrt(fan_in))
        input x[5]
        target t[3]
        param v[i: 5, j: 3] ~ wide
        y[j] = sum(i: v[i, j] * x[i]) + z[j]
        z = x |> dense(2) |> dense(3)
        loss squared_error(y, t)
        regularizer group_lasso(0.2)
        regularizer group_lasso(0.3) / m on dense2.w
        optimizer sgd(0.1)
    ";
    /// A schedule in a triangle.
    schedule(5, 3) = "
        network Own
        function triangle(low, high, period) = low + (high - low) * abs(2 * ((k - 1) / period - floor((k - 1) / period)) - 1)
        input x[5]
        target t[3]
        y = x |> dense(3) |> sigmoid
        loss binary_cross_entropy(y, t)
        optimizer sgd(rate = triangle(0.01, 0.3, period = 4))
    ";
}

#[test]
fn an_optimizer_with_two_states_does_what_its_text_says() {
    let (mut u, mut v) = ([0.0; 64], [0.1; 64]);
    follows(optimizer::SPEC, 6, |k, w, g| {
        for (at, (w, g)) in w.iter_mut().zip(g).enumerate() {
            u[at] = 0.9 * u[at] + (1.0 - 0.9) * g;
            v[at] += (1.0 - 0.99) * if g * g > v[at] { g * g } else { -g * g };
            *w -= 0.1 * u[at] / (1.0 - 0.9_f64.powi(k as i32)) / (v[at].sqrt() + 0.001);
        }
    });
}

#[test]
fn a_schedule_is_read_at_the_number_of_each_update() {
    let rates = [0.3, 0.155, 0.01, 0.155, 0.3, 0.155, 0.01];
    follows(schedule::SPEC, rates.len(), |k, w, g| {
        w.iter_mut().zip(g).for_each(|(w, g)| *w -= rates[k - 1] * g);
    });
}

#[test]
fn a_regularizer_applies_to_weights_or_to_what_it_names() {
    let engine = Engine::<f64>::new(&derivation("own.spec", regularizer::SPEC)).expect("the engine takes the net");
    let batch = engine.batch([("x", array(&rows::<5>(1))), ("t", array(&rows::<3>(500)))]).expect("the data fits");
    let parameters = engine.initialize(SEED);
    let penalty = |name: &str| -> f64 {
        let weight = parameters.get(name).expect("there is such a weight");
        weight.rows().into_iter().map(|row| (row.iter().map(|w| w * w).sum::<f64>() + 0.0001).sqrt()).sum()
    };
    let expected = 0.2 * (penalty("v") + penalty("dense1.w")) + 0.3 / EXAMPLES as f64 * penalty("dense2.w");
    let gradient = engine.gradient(&parameters, &batch).expect("the net runs");
    // The line with `on` is another line: a weight that both name gets both.
    let both = expected + 0.2 * penalty("dense2.w");
    let found = gradient.objective - gradient.loss;
    assert!((found - both).abs() < 1e-12, "{found} is not {both}");
}
