//! The gradient over several examples, and data and parameters that are refused.

use crate::builder::{Builder, numbers};
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::equation::{Elementary, Role};
use deltarule_compiler::generic::{DataError, Engine, Values, check_gradients};
use ndarray::{ArrayD, IxDyn, array};

/// `s[j] = Σ w[i, j] x[i] + b[j]`, squared error.
fn linear() -> Derivation {
    let mut b = Builder::new();
    let x = b.input("x", &[4]);
    let t = b.tensor("t", &[3], Role::Target, false);
    let (w, bias) = (b.parameter("w", &[4, 3]), b.parameter("b", &[3]));
    let i = b.context.add_index("i", 0, 4);
    let s = b.equation("s", &[3], |c, at| {
        let (w, x, bias) = (c.access_at(w, &[i, at[0]]), c.access_at(x, &[i]), c.access_at(bias, &[at[0]]));
        let product = c.multiply([w, x]);
        let sum = c.sum(&[i], product);
        c.add([sum, bias])
    });
    let y = b.equation("y", &[3], |c, at| {
        let s = c.access_at(s, &[at[0]]);
        c.call(Elementary::Tanh, s)
    });
    let j = b.context.add_index("j", 0, 3);
    let loss = b.equation("loss", &[], |c, _| {
        let (y, t) = (c.access_at(y, &[j]), c.access_at(t, &[j]));
        let two = c.integer(2);
        let error = c.subtract(y, t);
        let square = c.power(error, two);
        c.sum(&[j], square)
    });
    b.derive(vec![y], Some(loss))
}

#[test]
fn the_gradient_is_the_mean_over_the_examples() {
    let derivation = linear();
    let engine = Engine::<f64>::new(&derivation).expect("the engine takes the model");
    let parameters = engine.initialize(7);
    let (x, t) = (numbers(&[5, 4], 1.0), numbers(&[5, 3], 2.0));
    let batch = engine.batch([("x", x.clone().into()), ("t", t.clone().into())]).expect("the data fits");
    let gradient = engine.gradient(&parameters, &batch).expect("the model runs").gradient;
    let (w, bias) = (parameters.get("w").expect("w"), parameters.get("b").expect("b"));
    let mut expected = ArrayD::<f64>::zeros(IxDyn(&[4, 3]));
    for example in 0..5 {
        for j in 0..3 {
            let s: f64 = (0..4).map(|i| w[[i, j]] * x[[example, i]]).sum::<f64>() + bias[[j]];
            let slope = 2.0 * (s.tanh() - t[[example, j]]) * (1.0 - s.tanh() * s.tanh());
            for i in 0..4 {
                expected[[i, j]] += slope * x[[example, i]] / 5.0;
            }
        }
    }
    for (found, expected) in gradient.get("w").expect("w").iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-14, "{found} where {expected} is right");
    }
    let report = check_gradients(&derivation, 5).expect("the check runs");
    assert!(report.passes(), "{report}");
}

#[test]
fn data_that_does_not_fit_is_refused_by_name_example_and_index() {
    let mut b = Builder::new();
    let x = b.input("x", &[2, 2]);
    let label = b.tensor("t", &[3], Role::Target, true);
    let j = b.context.add_index("j", 0, 3);
    let i = b.context.add_index("i", 0, 2);
    let loss = b.equation("loss", &[], |c, _| {
        let (x, t) = (c.access_at(x, &[i, i]), c.access_at(label, &[j]));
        let product = c.multiply([x, t]);
        c.sum(&[i, j], product)
    });
    let derivation = b.derive(vec![], Some(loss));
    let engine = Engine::<f32>::new(&derivation).expect("the engine takes the model");
    let x = || Values::from(ArrayD::<f32>::zeros(IxDyn(&[2, 2, 2])));
    let refusal = |data: Vec<(&str, Values<f32>)>| engine.batch(data).expect_err("the data does not fit").to_string();
    assert_eq!(refusal(vec![("q", x())]), "there is no q; there are: x, t");
    assert_eq!(refusal(vec![("x", x()), ("x", x())]), "x is given twice");
    assert_eq!(refusal(vec![("x", Values::labels([1]))]), "x takes numbers, not labels");
    assert_eq!(refusal(vec![("t", x())]), "t takes integer labels, not numbers");
    assert_eq!(
        refusal(vec![("x", ArrayD::<f32>::zeros(IxDyn(&[2, 2, 3])).into())]),
        "x has shape [2, 2], but the values have shape [2, 3]"
    );
    assert_eq!(refusal(vec![("x", ArrayD::<f32>::zeros(IxDyn(&[0, 2, 2])).into())]), "x has no examples");
    assert_eq!(refusal(vec![("x", x()), ("t", Values::labels([1]))]), "t has 1 examples, where the tensors before it have 2");
    assert_eq!(refusal(vec![("t", Values::labels([1, 3]))]), "t of example 1 is 3, but there are 3 classes, counted from 0");

    let mut bad = ArrayD::<f32>::zeros(IxDyn(&[2, 2, 2]));
    bad[[1, 0, 1]] = f32::NAN;
    let batch = engine.batch([("x", bad.into())]).expect("the shape fits");
    let message = batch.check_finite().expect_err("NaN is not finite").to_string();
    assert_eq!(message, "x of example 1 at [0, 1] is NaN");
    assert_eq!(
        engine.objective(&engine.initialize(0), &batch),
        Err(DataError::Missing { tensor: "t".to_owned() }),
        "a loss needs its target"
    );
    assert!(matches!(batch.select(&[0, 2]), Err(DataError::NoSuchExample { example: 2, examples: 2 })));
    let selected = engine.batch([("t", Values::labels([0, 1, 2]))]).and_then(|batch| batch.select(&[2, 0]));
    assert_eq!(selected, engine.batch([("t", Values::labels([2, 0]))]));
}

#[test]
fn parameters_that_do_not_fit_are_refused_by_name() {
    let engine = Engine::<f64>::new(&linear()).expect("the engine takes the model");
    let (w, b) = (ArrayD::zeros(IxDyn(&[4, 3])), ArrayD::zeros(IxDyn(&[3])));
    let refusal = |arrays: Vec<(&str, ArrayD<f64>)>| engine.parameters(arrays).expect_err("they do not fit").to_string();
    assert_eq!(refusal(vec![("w", w.clone())]), "b has no values");
    assert_eq!(refusal(vec![("w", w.clone()), ("b", b.clone()), ("v", b.clone())]), "there is no v; there are: w, b");
    assert_eq!(refusal(vec![("w", b.clone()), ("b", b.clone())]), "w has shape [4, 3], but the values have shape [3]");
    let mut parameters = engine.parameters([("b", b), ("w", w)]).expect("the order does not matter");
    assert_eq!(parameters.iter().map(|array| array.name.as_str()).collect::<Vec<_>>(), ["w", "b"]);
    assert_eq!(parameters.check_finite(), Ok(()));
    parameters.set("b", array![0.0, f64::INFINITY, 0.0].into_dyn()).expect("the shape fits");
    assert_eq!(parameters.check_finite().expect_err("it is infinite").to_string(), "b at [1] is inf");
}

#[test]
fn both_number_types_draw_the_same_initial_values() {
    let derivation = linear();
    let double = Engine::<f64>::new(&derivation).expect("the engine takes the model").initialize(42).to_vec();
    let single = Engine::<f32>::new(&derivation).expect("the engine takes the model").initialize(42).to_vec();
    assert_eq!(single, double.iter().map(|&value| value as f32).collect::<Vec<_>>());
    assert!(double.iter().any(|&value| value < 0.0) && double.iter().any(|&value| value > 0.0));
}
