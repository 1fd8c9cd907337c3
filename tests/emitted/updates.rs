//! Updates of generated code against the rule written out.

use deltarule::{Network, derive_backprop};

#[derive_backprop(
    spec = "
    input x[2]
    target t[3]
    y = x |> dense(3)
    loss squared_error(y, t)
    regularizer l2(0.5) / m
    optimizer adam(rate = 0.1 / k)
    optimizer momentum(0.2) on dense1.b
",
    scalar = f64
)]
struct Net;

#[test]
fn three_updates_are_those_of_the_rule() {
    let inputs = [[1.0, -2.0], [0.5, 3.0]];
    let targets = [[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]];
    let (mut state, mut scratch) = (NetState::ZERO, NetScratch::ZERO);
    let mut net = Net::ZERO;
    net.initialize(5);
    let mut expected = net.clone();
    let mut gradient = Net::ZERO;
    let (mut mean, mut square, mut velocity) = ([0.0; 6], [0.0; 6], [0.0; 3]);
    for k in 1..=3 {
        let before = expected.backward_slice(&inputs, &targets, &mut gradient, &mut scratch);
        for at in 0..6 {
            let g = gradient.as_slice()[at];
            mean[at] = 0.9 * mean[at] + (1.0 - 0.9) * g;
            square[at] = 0.999 * square[at] + (1.0 - 0.999) * g * g;
            let (u, v) = (mean[at] / (1.0 - 0.9_f64.powi(k)), square[at] / (1.0 - 0.999_f64.powi(k)));
            expected.as_mut_slice()[at] -= 0.1 / f64::from(k) * u / (v.sqrt() + 1e-8);
        }
        for ((velocity, b), g) in velocity.iter_mut().zip(&mut expected.dense1.b).zip(gradient.dense1.b) {
            *velocity = 0.9 * *velocity - 0.2 * g;
            *b += *velocity;
        }
        let loss = net.train_slice(&inputs, &targets, &mut state, &mut scratch);
        assert!((loss - before).abs() < 1e-12, "the loss is that before the update");
        for (found, expected) in net.as_slice().iter().zip(expected.as_slice()) {
            assert!((found - expected).abs() < 1e-12, "update {k}: {found} is not {expected}");
        }
    }
    assert_eq!(state.updates, 3);
    state.reset();
    assert_eq!(state, NetState::ZERO);
}

mod frozen {
    use super::*;

    #[derive_backprop(
        spec = "
        input x[2]
        target t[1]
        h = x |> dense(3) |> tanh
        y = h |> dense(1)
        loss squared_error(y, t)
        regularizer l2(0.1)
        optimizer sgd(0.1)
        optimizer none on dense1.w
    ",
        examples = 1
    )]
    struct Net;

    #[test]
    fn a_frozen_parameter_has_gradient_0_and_keeps_its_value() {
        let (mut net, mut gradient) = (Net::ZERO, Net::ZERO);
        net.initialize(1);
        gradient.as_mut_slice().fill(7.0);
        let before = net.clone();
        let (mut state, mut scratch) = (NetState::ZERO, NetScratch::ZERO);
        net.backward(&[1.0, 2.0], &[3.0], &mut gradient, &mut scratch);
        assert_eq!(gradient.dense1.w, [[0.0; 3]; 2]);
        assert!(gradient.dense1.b.iter().all(|&g| g != 0.0 && g != 7.0));
        net.train(&[1.0, 2.0], &[3.0], &mut state, &mut scratch);
        assert_eq!(net.dense1.w, before.dense1.w);
        assert_ne!(net.dense1.b, before.dense1.b);
    }

    #[test]
    fn no_space_is_spent_on_a_frozen_gradient() {
        let trained = 3 + 3 + 1;
        let values = 3 + 3 + 1;
        let adjoints = 1 + 3 + 3;
        assert!(Net::SCRATCH_BYTES <= 4 * (trained + values + adjoints + 1), "{} bytes", Net::SCRATCH_BYTES);
    }
}

mod clipped {
    use super::*;

    #[derive_backprop(
        spec = "
        function own_norm(d[..], most) = d * min(1, most / sqrt(sum(..: d^2)))
        input x[2]
        target t[1]
        h = x |> dense(3) |> tanh
        y = h |> dense(1)
        loss squared_error(y, t)
        regularizer l2(0.1)
        optimizer momentum(0.5, alpha = 0.9) |> clip_value(0.2) |> clip_norm(0.3 / k)
        optimizer adam(0.1) |> own_norm(0.05) on dense2.w, dense2.b
    ",
        scalar = f64
    )]
    struct Net;

    fn clipped_to_norm(gradient: &mut [f64], limit: f64) {
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!(norm > limit, "there is something to clip: {norm}");
        gradient.iter_mut().for_each(|g| *g *= limit / norm);
    }

    #[test]
    fn three_updates_are_those_of_clipped_gradients() {
        let (inputs, targets) = ([[1.0, -2.0], [0.5, 3.0]], [[4.0], [-2.0]]);
        let (mut state, mut scratch) = (NetState::ZERO, NetScratch::ZERO);
        let (mut net, mut gradient) = (Net::ZERO, Net::ZERO);
        net.initialize(5);
        let mut expected = net.clone();
        let (mut mean, mut square, mut velocity) = ([0.0; 4], [0.0; 4], [0.0; 9]);
        for k in 1..=3 {
            expected.backward_slice(&inputs, &targets, &mut gradient, &mut scratch);
            let (first, second) = gradient.as_mut_slice().split_at_mut(9);
            first.iter_mut().for_each(|g| *g = g.clamp(-0.2, 0.2));
            clipped_to_norm(first, 0.3 / f64::from(k));
            clipped_to_norm(second, 0.05);
            let (w, v) = expected.as_mut_slice().split_at_mut(9);
            for at in 0..9 {
                velocity[at] = 0.9 * velocity[at] - 0.5 * first[at];
                w[at] += velocity[at];
            }
            for at in 0..4 {
                mean[at] = 0.9 * mean[at] + (1.0 - 0.9) * second[at];
                square[at] = 0.999 * square[at] + (1.0 - 0.999) * second[at] * second[at];
                let (mean, square) = (mean[at] / (1.0 - 0.9_f64.powi(k)), square[at] / (1.0 - 0.999_f64.powi(k)));
                v[at] -= 0.1 * mean / (square.sqrt() + 1e-8);
            }
            net.train_slice(&inputs, &targets, &mut state, &mut scratch);
            for (found, expected) in net.as_slice().iter().zip(expected.as_slice()) {
                assert!((found - expected).abs() < 1e-12, "update {k}: {found} is not {expected}");
            }
        }
    }

    #[test]
    fn a_gradient_of_zero_is_clipped_to_zero() {
        let (mut net, mut state, mut scratch) = (Net::ZERO, NetState::ZERO, NetScratch::ZERO);
        net.train(&[0.0, 0.0], &[0.0], &mut state, &mut scratch);
        assert_eq!(net, Net::ZERO);
    }
}

#[test]
fn initial_values_follow_their_distributions_and_the_seed() {
    let (mut first, mut second) = (Net::ZERO, Net::ZERO);
    first.initialize(1);
    second.initialize(1);
    assert_eq!(first, second);
    second.initialize(2);
    assert_ne!(first, second);
    assert_eq!(first.dense1.b, [0.0; 3]);
    let bound = (6.0_f64 / 5.0).sqrt();
    assert!(first.dense1.w.as_flattened().iter().all(|w| w.abs() <= bound && *w != 0.0));
    assert_eq!(<Net as Network>::PARAMETERS.iter().map(|parameter| parameter.name).collect::<Vec<_>>(), ["dense1.w", "dense1.b"]);
}
