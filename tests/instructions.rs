//! Generated code with each set of instructions that this machine has, for minibatches of all sizes around those of tiles, against the
//! same net in `f64`, one example after the other.

use deltarule::__private::tile;
use deltarule::{Boxed, Trainable};

/// A net in `f32` as it is by default, and in `f64` without anything that is done for several examples at once.
macro_rules! net {
    ($name:ident, $spec:literal) => {
        mod $name {
            pub(crate) mod quick {
                #[deltarule::derive_backprop(spec = $spec)]
                pub(crate) struct Net;
            }
            pub(crate) mod plain {
                #[deltarule::derive_backprop(spec = $spec, scalar = f64, examples = 1)]
                pub(crate) struct Net;
            }
        }
    };
}

net!(
    dense,
    "input x[19]\ntarget t: class[10]\ny = x |> dense(70) |> tanh |> dense(33) |> relu |> dense(10) |> softmax\n\
     loss cross_entropy(y, t)\nregularizer l2(0.01)\noptimizer momentum(0.05)\n"
);
net!(
    narrow,
    "input x[19]\ntarget t: class[3]\ny = x |> dense(16) |> sigmoid |> dense(3) |> softmax\nloss cross_entropy(y, t)\noptimizer sgd(0.1)\n"
);

net!(
    abreast,
    "input x[19]\ntarget t: class[3]\ny = x |> dense(4) |> tanh |> dense(3) |> softmax\nloss cross_entropy(y, t)\noptimizer adam(0.01)\n"
);
net!(
    branches,
    "input x[19]\ntarget t: class[4]\ny = x |> dense(5) |> leaky_relu |> dense(6) |> softsign |> dense(4) |> elu\nloss hinge(y, t)\n\
     optimizer sgd(0.1)\n"
);

const SIZES: [usize; 12] = [0, 1, 2, 5, 6, 15, 16, 17, 31, 32, 33, 70];

/// Numbers between -1 and 1 without a pattern.
fn number(at: usize) -> f64 {
    ((at * 7919 + 13) % 2003) as f64 / 1001.5 - 1.0
}

fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 2e-5 * expected.abs().max(1.0), "{what}, element {at}: {found} is not {expected}");
    }
}

fn check<Q, P>(name: &str, classes: usize)
where
    Q: Trainable<Scalar = f32, Input = [f32; 19], Target = usize>,
    P: Trainable<Scalar = f64, Input = [f64; 19], Target = usize>,
    Q::Scratch: Boxed,
    P::Scratch: Boxed,
    Q::State: Boxed,
    P::State: Boxed,
{
    let (mut quick_scratch, mut plain_scratch): (Box<Q::Scratch>, Box<P::Scratch>) = (Boxed::boxed(), Boxed::boxed());
    for size in SIZES {
        let inputs: Vec<[f64; 19]> = (0..size).map(|example| std::array::from_fn(|at| number(example * 19 + at))).collect();
        let narrowed: Vec<[f32; 19]> = inputs.iter().map(|input| input.map(|value| value as f32)).collect();
        let targets: Vec<usize> = (0..size).map(|example| example * 7 % classes).collect();
        let (mut quick, mut plain) = (Q::ZERO, P::ZERO);
        quick.initialize(size as u64);
        plain.as_mut_slice().iter_mut().zip(quick.as_slice()).for_each(|(wide, narrow)| *wide = f64::from(*narrow));
        let (mut quick_gradient, mut plain_gradient) = (Q::ZERO, P::ZERO);
        let (mut quick_state, mut plain_state): (Box<Q::State>, Box<P::State>) = (Boxed::boxed(), Boxed::boxed());
        for step in 0..3 {
            let what = format!("{name}, {size} examples, step {step}");
            let loss = quick.backward_slice(&narrowed, &targets, &mut quick_gradient, &mut quick_scratch);
            let expected = plain.backward_slice(&inputs, &targets, &mut plain_gradient, &mut plain_scratch);
            assert_close(&format!("{what}: loss"), &[loss], &[expected]);
            assert_close(&format!("{what}: gradient"), quick_gradient.as_slice(), plain_gradient.as_slice());
            let loss = quick.train_slice(&narrowed, &targets, &mut quick_state, &mut quick_scratch);
            let expected = plain.train_slice(&inputs, &targets, &mut plain_state, &mut plain_scratch);
            assert_close(&format!("{what}: loss of training"), &[loss], &[expected]);
            assert_close(&format!("{what}: parameters"), quick.as_slice(), plain.as_slice());
        }
    }
}

#[test]
fn every_set_of_instructions_trains_alike_on_minibatches_of_all_sizes() {
    for instructions in [0, 1, 2] {
        tile::limit(instructions);
        check::<dense::quick::Net, dense::plain::Net>(&format!("dense, instructions {instructions}"), 10);
        check::<narrow::quick::Net, narrow::plain::Net>(&format!("narrow, instructions {instructions}"), 3);
        check::<abreast::quick::Net, abreast::plain::Net>(&format!("abreast, instructions {instructions}"), 3);
        check::<branches::quick::Net, branches::plain::Net>(&format!("branches, instructions {instructions}"), 4);
    }
}
