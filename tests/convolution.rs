//! The nets of `examples/convolution`, as users of the macro get them, against the generic engine: outputs, losses, gradients and a few
//! updates, dropout included, on images made here.
#![cfg(feature = "generic")]

mod common;

use common::{derivation, numbers};
use deltarule::{Boxed, Trainable, derive_backprop};
use deltarule_compiler::generic::{Engine, Values};
use ndarray::{Array, ArrayD};

#[derive_backprop("../examples/convolution/strided.spec", scalar = f64)]
struct Strided;

#[derive_backprop("../examples/convolution/pooling.spec", scalar = f64)]
struct Pooling;

#[derive_backprop("../examples/convolution/lenet.spec", scalar = f64)]
struct LeNet;

type Image = [[[f64; 1]; 28]; 28];

const EXAMPLES: usize = 3;
const UPDATES: usize = 3;
const SEED: u64 = 5;

/// An image with a bright stroke on a dark ground, as a digit is, and no two pixels alike, so that no window has two greatest ones.
fn image(example: usize) -> Image {
    let pixels = numbers(&[28, 28], 100.0 * example as f64);
    std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            let is_stroke = (row + 3 * example).abs_diff(column) < 4;
            [0.5 * f64::from(u8::from(is_stroke)) + 0.4 * pixels[[row, column]].abs()]
        })
    })
}

/// The largest difference of two lists, relative to the larger of the two numbers or to 1.
fn difference(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(left.len(), right.len(), "as many numbers");
    let relative = |(a, b): (&f64, &f64)| (a - b).abs() / a.abs().max(b.abs()).max(1.0);
    left.iter().zip(right).map(relative).fold(0.0, |largest, error| if error > largest { error } else { largest })
}

fn assert_close(what: &str, generated: &[f64], generic: &[f64]) {
    assert!(generated.iter().chain(generic).all(|number| number.is_finite()), "{what}: a number is not finite");
    let difference = difference(generated, generic);
    assert!(difference < 1e-10, "{what}: generated code and the generic engine are {difference:e} apart");
}

/// Compares the generated code of a net with the generic engine on its spec.
fn both_engines_agree<N>(spec: &str)
where
    N: Trainable<Scalar = f64, Input = Image, Target = usize, Output = [f64; 10]>,
{
    let images: Vec<Image> = (0..EXAMPLES).map(image).collect();
    let labels: Vec<usize> = (0..EXAMPLES).map(|example| (7 * example + 2) % 10).collect();
    let engine = Engine::<f64>::new(&derivation(N::NAME, spec)).expect("the engine takes the net");
    let pixels: ArrayD<f64> = Array::from_shape_fn((EXAMPLES, 28, 28, 1), |(e, r, c, f)| images[e][r][c][f]).into_dyn();
    let batch = engine.batch([("x", Values::Numbers(pixels)), ("t", Values::labels(labels.clone()))]).expect("the data fits");
    let (mut parameters, mut engine_state) = (engine.initialize(SEED), engine.state());
    let (mut net, mut state, mut scratch) = (N::boxed(), N::State::boxed(), N::Scratch::boxed());
    net.initialize(SEED);
    assert_close("initial parameters", net.as_slice(), &parameters.to_vec());

    let expected = engine.gradient(&parameters, &batch).expect("the net runs");
    let mut gradient = N::boxed();
    let loss = net.backward_slice(&images, &labels, &mut gradient, &mut scratch);
    assert_close("mean loss", &[loss], &[expected.loss]);
    assert_close("gradient", gradient.as_slice(), &expected.gradient.to_vec());
    assert!(expected.gradient.to_vec().iter().filter(|slope| **slope != 0.0).count() > 1000, "most slopes are not 0");

    for update in 1..=UPDATES {
        let expected = engine.train(&mut parameters, &mut engine_state, &batch).expect("the net runs");
        let loss = net.train_slice(&images, &labels, &mut state, &mut scratch);
        assert_close(&format!("loss before update {update}"), &[loss], &[expected]);
        assert_close(&format!("parameters after update {update}"), net.as_slice(), &parameters.to_vec());
    }

    let outputs = engine.predict(&parameters, &batch).expect("the net runs");
    let expected: Vec<f64> = outputs.iter().flat_map(|output| output.values.iter().copied()).collect();
    let mut values = N::Values::boxed();
    let mut probabilities = Vec::new();
    for image in &images {
        let mut output = [0.0; 10];
        net.predict(image, &mut output, &mut values);
        probabilities.extend(output);
    }
    assert_close("outputs after training", &probabilities, &expected);
}

#[test]
fn strided_convolutions_train_alike_in_both_engines() {
    both_engines_agree::<Strided>(include_str!("../examples/convolution/strided.spec"));
}

#[test]
fn convolutions_with_max_pooling_train_alike_in_both_engines() {
    both_engines_agree::<Pooling>(include_str!("../examples/convolution/pooling.spec"));
}

#[test]
fn a_lenet_with_dropout_trains_alike_in_both_engines() {
    both_engines_agree::<LeNet>(include_str!("../examples/convolution/lenet.spec"));
}
