//! What users do with a network besides training it.

use deltarule::{Boxed, Network, Parameter, Supervised, Trainable, derive_backprop};

/// Documented by its user.
#[derive_backprop("../specs/digits.spec")]
struct Digits;

static NET: Digits = Digits::ZERO;

#[test]
fn a_net_fits_in_a_static() {
    assert_eq!(NET.as_slice().len(), Digits::PARAMETER_COUNT);
    assert_eq!(Digits::PARAMETER_COUNT, 64 * 32 + 32 + 32 * 10 + 10);
}

#[test]
fn the_table_of_parameters_says_where_each_lies() {
    let expected = [
        Parameter { name: "dense1.w", shape: &[64, 32], offset: 0 },
        Parameter { name: "dense1.b", shape: &[32], offset: 2048 },
        Parameter { name: "dense2.w", shape: &[32, 10], offset: 2080 },
        Parameter { name: "dense2.b", shape: &[10], offset: 2400 },
    ];
    assert_eq!(Digits::PARAMETERS, expected);
    let mut net = Digits::boxed();
    net.dense2.w[1][2] = 5.0;
    assert_eq!(net.as_slice()[2080 + 12], 5.0);
}

#[test]
fn sizes_are_constants() {
    assert_eq!(Digits::VALUES_BYTES, size_of::<DigitsValues>());
    assert_eq!(Digits::SCRATCH_BYTES, size_of::<DigitsScratch>());
    assert_eq!(Digits::STATE_BYTES, size_of::<DigitsState>());
    const { assert!(Digits::STATE_BYTES >= 2 * 4 * Digits::PARAMETER_COUNT) };
}

#[test]
fn a_label_out_of_range_is_a_row_of_zeros() {
    let mut net = Digits::boxed();
    net.initialize(1);
    let mut scratch = DigitsScratch::boxed();
    let loss = net.forward(&[0.5; 64], &10, &mut scratch);
    assert_eq!(loss, 0.0);
    let mut gradient = Digits::boxed();
    assert!(net.backward(&[0.5; 64], &usize::MAX, &mut gradient, &mut scratch).is_finite());
}

#[test]
fn without_examples_nothing_happens() {
    let mut net = Digits::boxed();
    net.initialize(1);
    let before = net.clone();
    let (mut scratch, mut state) = (DigitsScratch::boxed(), DigitsState::boxed());
    let mut gradient = Digits::boxed();
    gradient.dense1.b[3] = 4.0;
    assert_eq!(net.train_slice(&[], &[], &mut state, &mut scratch), 0.0);
    assert_eq!(net.train_slice(&[[0.0; 64]], &[], &mut state, &mut scratch), 0.0);
    assert_eq!(net.backward_slice(&[], &[1], &mut gradient, &mut scratch), 0.0);
    assert_eq!(net.forward_slice(&[], &[], &mut scratch), 0.0);
    net.predict_slice(&[], &mut [], &mut scratch.values);
    assert_eq!((net, state.updates, gradient.dense1.b[3]), (before, 0, 4.0));
}

#[test]
fn of_two_slices_the_shorter_counts() {
    let mut net = Digits::boxed();
    net.initialize(1);
    let mut scratch = DigitsScratch::boxed();
    let inputs = [[0.1; 64], [0.7; 64]];
    let loss = net.forward(&inputs[0], &3, &mut scratch);
    assert_eq!(net.forward_slice(&inputs, &[3], &mut scratch), loss);
    let mut outputs = [[0.0; 10]; 1];
    net.predict_slice(&inputs, &mut outputs, &mut scratch.values);
    assert!((outputs[0].iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

#[test]
fn logits_of_1000_give_finite_losses_and_gradients() {
    let mut net = Digits::boxed();
    net.dense2.b = [1000.0, -1000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let (mut scratch, mut gradient) = (DigitsScratch::boxed(), Digits::boxed());
    for label in 0..3 {
        let loss = net.backward(&[1.0; 64], &label, &mut gradient, &mut scratch);
        assert!(loss.is_finite() && gradient.as_slice().iter().all(|g| g.is_finite()), "label {label}: loss {loss}");
    }
}

/// A training loop for any network.
fn train<N: Trainable>(net: &mut N, inputs: &[N::Input], targets: &[N::Target], updates: usize) -> N::Scalar
where
    N::Scratch: Boxed,
    N::State: Boxed,
{
    let (mut scratch, mut state) = (N::Scratch::boxed(), N::State::boxed());
    for _ in 0..updates {
        net.train_slice(inputs, targets, &mut state, &mut scratch);
    }
    net.forward_slice(inputs, targets, &mut scratch)
}

#[test]
fn a_training_loop_can_be_generic_over_networks() {
    let mut net = Digits::boxed();
    Network::initialize(&mut *net, 1);
    let inputs: Vec<[f32; 64]> = (0..10).map(|n| std::array::from_fn(|at| f32::from(u8::from(at % 10 == n)))).collect();
    let targets: Vec<usize> = (0..10).collect();
    let loss = train(&mut *net, &inputs, &targets, 300);
    assert!(loss < 0.1, "loss {loss}");
    assert!(Supervised::objective(&*net, loss, 10) > loss, "a regularizer adds to the loss");
}

/// Nothing but derivatives: no loss, no parameters.
#[derive_backprop("../specs/circuit.spec")]
struct Circuit;

#[test]
fn an_objective_is_evaluated_and_differentiated() {
    let (mut scratch, mut gradient) = (CircuitScratch::ZERO, CircuitGradient::ZERO);
    let input = CircuitInput { x: -2.0, y: 5.0, z: -4.0 };
    assert_eq!(Circuit::ZERO.evaluate(&input, &mut scratch), -12.0);
    assert_eq!(Circuit::ZERO.gradient(&input, &mut gradient, &mut scratch), -12.0);
    assert_eq!(gradient, CircuitGradient { x: -4.0, y: -4.0, z: 3.0 });
    assert_eq!(scratch.values.q, 3.0);
}

mod budget {
    use super::*;
    use deltarule_compiler::emit::{EmitOptions, Footprint, Purpose};
    use deltarule_compiler::pipeline::compile;

    #[derive_backprop(
        spec = "
        input x[8]
        target t[8]
        a = x |> dropout(0.5) |> dense(16) |> tanh
        y = a |> dense(8)
        loss squared_error(y, t)
        optimizer adam(0.1)
    ",
        scratch <= 8 KiB,
        values <= 256 bytes,
        examples = 4
    )]
    struct Net;

    #[test]
    fn budgets_are_counted_as_memory_is_taken() {
        let spec = "input x[8]\ntarget t[8]\na = x |> dropout(0.5) |> dense(16) |> tanh\ny = a |> dense(8)\n\
                    loss squared_error(y, t)\noptimizer adam(0.1)\n";
        for (text, examples, values, scratch) in [
            (spec, 4, Net::VALUES_BYTES, Net::SCRATCH_BYTES),
            (include_str!("../specs/digits.spec"), 32, Digits::VALUES_BYTES, Digits::SCRATCH_BYTES),
        ] {
            let derivation = compile("net.spec", text).expect("the spec is right").derivation;
            let options = EmitOptions { examples, ..EmitOptions::new("Net") };
            let counted = |purpose| Footprint::new(&derivation, &options, purpose).bytes;
            // What is taken may be more by what fills up the last cache line of each struct, on machines with vectors.
            let is_counted = |counted: usize, taken: usize, structs: usize| (counted..=counted + 63 * structs).contains(&taken);
            assert!(is_counted(counted(Purpose::Inference), values, 1), "{values}");
            assert!(is_counted(counted(Purpose::Training), scratch, 5), "{scratch}");
        }
    }
}

#[derive_backprop(spec = "
    input  x[1]
    target t[1]
    y = x |> dense(1) |> sigmoid
    loss squared_error(y, t)
    optimizer sgd(1)
")]
struct Unlikely;

#[test]
fn a_logistic_function_keeps_results_whose_reciprocal_is_out_of_range() {
    let (mut net, mut scratch, mut output) = (Unlikely::ZERO, UnlikelyScratch::ZERO, [0.0]);
    net.dense1.b = [-95.0];
    net.predict(&[0.0], &mut output, &mut scratch.values);
    assert!((output[0] / 5.521e-42 - 1.0).abs() < 1e-3, "1 / (1 + exp(95)) is {:e}", output[0]);
}
