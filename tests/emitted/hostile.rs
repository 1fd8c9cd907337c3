//! Users whose own names are those that generated code might think of.

/// A path of the user's own to the runtime.
pub(crate) mod elsewhere {
    pub(crate) use deltarule as backprop;
}

/// Everything has another meaning here.
#[allow(dead_code, unused_macros)]
mod shadowed {
    mod core {}
    mod std {}
    mod alloc {}
    mod math {}
    mod double_math {}
    mod random {}
    mod deltarule {}
    struct Option;
    struct Some;
    struct None;
    struct Result;
    struct Ok;
    struct Err;
    struct Vec;
    struct Box;
    struct String;
    struct Default;
    struct Iterator;
    struct IntoIterator;
    struct Clone;
    struct PartialEq;
    struct Debug;
    struct Gradient;
    struct Parameter;
    struct Network;
    struct Supervised;
    struct Trainable;
    fn drop() {}
    fn forward_outputs() {}
    fn accumulate() {}
    fn update() {}
    fn equation_1() {}
    macro_rules! assert {
        () => {};
    }
    macro_rules! const_assert {
        () => {};
    }

    use super::elsewhere::backprop::derive_backprop;

    /// Names of tensors may be those of the generated code's variables, of Rust's keywords, Greek, or primed.
    #[derive_backprop(
        spec = "
        input  input[3], self, λ
        target target, type[2]
        param  values[i: 3, j: 2] ~ normal(0, 1)
        param  parameters ~ 1
        param  math ~ 0.5
        work[j]  = tanh(sum(i: values[i, j] * input[i]) + parameters)
        σ[j]     = work[j] * math + λ
        gradient = sum(j: σ[j]) * self
        loss (gradient - target)^2
        loss squared_error(σ, type)
        regularizer l2(0.1)
        optimizer adam(0.1)
    ",
        crate = crate::hostile::elsewhere::backprop
    )]
    pub(super) struct Net;
}

#[test]
fn a_net_works_among_hostile_names() {
    use shadowed::{Net, NetInput, NetScratch, NetState, NetTarget};

    let (mut net, mut state, mut scratch) = (Net::ZERO, NetState::ZERO, NetScratch::ZERO);
    net.initialize(1);
    let input = NetInput { input: [1.0, 2.0, 3.0], self_: 0.5, lambda: 0.1 };
    let target = NetTarget { target: 0.5, type_: [0.2, 0.4] };
    let first = net.train(&input, &target, &mut state, &mut scratch);
    for _ in 0..200 {
        net.train(&input, &target, &mut state, &mut scratch);
    }
    assert!(net.forward(&input, &target, &mut scratch) < first / 10.0);
}

/// Constants, whose names generated code has for variables.
mod constants {
    use deltarule::derive_backprop;

    macro_rules! constants {
        ($($name:ident)*) => {
            $(
                #[allow(dead_code, non_upper_case_globals)]
                const $name: u8 = 0;
            )*
        };
    }
    constants! {
        W N x t h i j k w b y values work scratch input inputs target targets output outputs parameters gradient gradients state examples
        example batch batch_size update_number mean_loss loss total noise noises generator seed draw drawn sums count done is_first
        candidate lane lanes block row rows element best position seed_ index from into value variable chunk
    }
    #[allow(dead_code)]
    struct E;

    #[derive_backprop(
        spec = "
        input x[6]
        target t: class[3]
        param W[i: 6, j: 5] ~ normal(0, 1)
        N[j] = tanh(sum(i: W[i, j] * x[i]))
        E = N |> dense(21) |> relu |> dropout(0.1)
        y = E |> dense(3) |> softmax
        loss cross_entropy(y, t)
        regularizer l2(0.001)
        optimizer adam(0.05) |> clip_norm(10)
    ",
        examples = 1
    )]
    pub(super) struct OneByOne;

    #[derive_backprop(spec = "
        input x[6, 6, 2]
        target t: class[3]
        h = x |> conv2d(4, 3, padding = same) |> relu |> max_pool(2) |> flatten |> dropout(0.1)
        y = h |> dense(20) |> sigmoid |> dense(3) |> softmax
        loss cross_entropy(y, t)
        optimizer momentum(0.05)
    ")]
    pub(super) struct Together;

    #[derive_backprop(spec = "
        input x[5, 3]
        target t[2]
        s = x |> lstm(4)
        W[j: 4] = s[4, j]
        y = W |> dense(2)
        loss squared_error(y, t)
        optimizer adam(0.05)
    ")]
    pub(super) struct Steps;
}

#[test]
fn variables_may_be_called_as_constants_are() {
    use constants::{
        OneByOne, OneByOneScratch, OneByOneState, Steps, StepsScratch, StepsState, Together, TogetherScratch, TogetherState,
    };

    let (mut net, mut state, mut scratch) = (OneByOne::ZERO, OneByOneState::ZERO, OneByOneScratch::ZERO);
    net.initialize(1);
    assert!(net.train(&[0.5; 6], &2, &mut state, &mut scratch) > 0.0);
    let (mut net, mut state, mut scratch) = (Together::ZERO, TogetherState::ZERO, TogetherScratch::ZERO);
    net.initialize(1);
    assert!(net.train(&[[[0.5; 2]; 6]; 6], &2, &mut state, &mut scratch) > 0.0);
    let (mut net, mut state, mut scratch) = (Steps::ZERO, StepsState::ZERO, StepsScratch::ZERO);
    net.initialize(1);
    assert!(net.train(&[[0.5; 3]; 5], &[1.0; 2], &mut state, &mut scratch) > 0.0);
}

/// Lints of a strict crate do not see generated code.
#[deny(warnings, missing_docs, unused, clippy::all, clippy::pedantic, unsafe_code)]
pub(crate) mod strict {
    use deltarule::derive_backprop;

    /// A net.
    #[derive_backprop("../specs/neuron.spec", scalar = f64)]
    pub(crate) struct Neuron;

    #[test]
    fn a_net_passes_strict_lints() {
        let mut net = Neuron::ZERO;
        net.initialize(1);
        let mut output = [0.0];
        net.predict(&[1.0, 2.0, 3.0], &mut output, &mut NeuronScratch::ZERO.values.clone());
        assert!(output[0] > 0.0 && output[0] < 1.0);
    }
}
