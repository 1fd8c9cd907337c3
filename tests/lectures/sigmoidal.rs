//! Lecture 001: the sigmoidal network with K outputs, other activations, and the ways to descend.

use super::running::{Data, Lecture, assert_close, sigmoid};

const X: [f64; 8] = [0.5, -1.0, 0.25, 2.0, -0.75, 1.5, 1.0, -0.5];
const T: [f64; 6] = [1.0, 0.0, 0.5, 0.0, 1.0, 1.0];

/// Weights without a pattern.
fn weights(count: usize, seed: f64) -> Vec<f64> {
    (0..count).map(|at| ((at as f64 + seed) * 12.9898).sin()).collect()
}

struct Given {
    w1: Vec<f64>,
    w2: Vec<f64>,
}

impl Given {
    fn new() -> Given {
        Given { w1: weights(20, 1.0), w2: weights(15, 40.0) }
    }

    fn with<R>(&self, examples: std::ops::Range<usize>, use_data: impl FnOnce(Data<'_>) -> R) -> R {
        let x = &X[4 * examples.start..4 * examples.end];
        let t = &T[3 * examples.start..3 * examples.end];
        use_data(&[("x", x), ("t", t), ("dense1.w", &self.w1), ("dense2.w", &self.w2)])
    }
}

#[test]
fn the_rules_are_those_of_the_lecture() {
    let common = [
        "E = (1/m) Σₙ₌₁ᵐ ℓ⁽ⁿ⁾ + (λ/(2m)) Σᵢ₌₁⁴ Σⱼ₌₁⁵ (w¹ᵢⱼ)² + (λ/(2m)) Σᵢ₌₁⁵ Σⱼ₌₁³ (w²ᵢⱼ)²",
        "sum¹ⱼ = Σᵢ₌₁⁴ w¹ᵢⱼ xᵢ",
        "ℓ = −Σⱼ₌₁³ [tⱼ ln σ²ⱼ + (1 − tⱼ) ln(1 − σ²ⱼ)]",
        "∂ℓ/∂sum²ⱼ = σ²ⱼ − tⱼ",
        "∂ℓ/∂σ¹ⱼ = Σₖ₌₁³ ∂ℓ/∂sum²ₖ · w²ⱼₖ",
        "∂ℓ/∂w²ᵢⱼ = ∂ℓ/∂sum²ⱼ · σ¹ᵢ",
        "∂ℓ/∂w¹ᵢⱼ = ∂ℓ/∂sum¹ⱼ · xᵢ",
        "∂E/∂w¹ᵢⱼ = (1/m) Σₙ₌₁ᵐ ∂ℓ⁽ⁿ⁾/∂w¹ᵢⱼ + (λ/m) w¹ᵢⱼ",
        "w¹ᵢⱼ ← w¹ᵢⱼ − η · ∂E/∂w¹ᵢⱼ",
    ];
    for (name, slope) in [
        ("001/sigmoid", "∂ℓ/∂sum¹ⱼ = ∂ℓ/∂σ¹ⱼ · σ¹ⱼ(1 − σ¹ⱼ)"),
        ("001/tanh", "∂ℓ/∂sum¹ⱼ = ∂ℓ/∂σ¹ⱼ · [1 − (σ¹ⱼ)²]"),
        ("001/relu", "∂ℓ/∂sum¹ⱼ = ∂ℓ/∂σ¹ⱼ · [sum¹ⱼ ≥ 0]"),
    ] {
        let lecture = Lecture::open(name);
        lecture.assert_states(&common);
        lecture.assert_states(&[slope]);
    }
}

#[test]
fn values_and_derivatives_are_those_of_a_loop_over_the_lecture_s_formulas() {
    type Activation = (fn(f64) -> f64, fn(f64) -> f64);
    let activations: [(&str, Activation); 3] = [
        ("001/sigmoid", (sigmoid, |s| sigmoid(s) * (1.0 - sigmoid(s)))),
        ("001/tanh", (f64::tanh, |s| 1.0 - s.tanh() * s.tanh())),
        ("001/relu", (|s| s.max(0.0), |s| if s >= 0.0 { 1.0 } else { 0.0 })),
    ];
    let given = Given::new();
    for (name, (activation, slope)) in activations {
        let lecture = Lecture::open(name);
        let s1: Vec<f64> = (0..5).map(|j| (0..4).map(|i| given.w1[5 * i + j] * X[i]).sum()).collect();
        let h: Vec<f64> = s1.iter().map(|&s| activation(s)).collect();
        let y: Vec<f64> = (0..3).map(|j| sigmoid((0..5).map(|i| given.w2[3 * i + j] * h[i]).sum())).collect();
        let ds2: Vec<f64> = (0..3).map(|j| y[j] - T[j]).collect();
        let ds1: Vec<f64> = (0..5).map(|j| slope(s1[j]) * (0..3).map(|p| ds2[p] * given.w2[3 * j + p]).sum::<f64>()).collect();
        let dw1: Vec<f64> = (0..20).map(|at| X[at / 5] * ds1[at % 5]).collect();
        given.with(0..1, |data| {
            let run = lecture.run(data);
            assert_close("h", run.of("h"), &h);
            assert_close("y", run.of("y"), &y);
            assert_close("the derivative by the outputs' sums", run.by("dense2.s"), &ds2);
            assert_close("the derivative by the hidden sums", run.by("dense1.s"), &ds1);
            assert_close("the derivative by the first weights", run.by("dense1.w"), &dw1);
            let regularized: Vec<f64> = dw1.iter().zip(&given.w1).map(|(slope, w)| slope + 0.01 * w).collect();
            let found: Vec<f64> = lecture.gradient(data, 1).gradient.get("dense1.w").expect("w").iter().copied().collect();
            assert_close("the gradient", &found, &regularized);
        });
    }
}

/// The notes have `-y/σ - (1-y)/(1-σ)`: with that, the derivative by the sum would be `2yσ - σ - y`, which is not 0 where `σ = y`.
#[test]
fn the_second_fraction_of_the_derivative_of_cross_entropy_is_added() {
    let lecture = Lecture::open("001/sigmoid");
    lecture.assert_states(&["∂ℓ/∂σ²ⱼ = (1 − tⱼ)/(1 − σ²ⱼ) − tⱼ/σ²ⱼ"]);
    Given::new().with(0..1, |data| {
        let run = lecture.run(data);
        let expected: Vec<f64> = run.of("y").iter().zip(T).map(|(y, t)| -t / y + (1.0 - t) / (1.0 - y)).collect();
        assert_close("the derivative by y", run.by("y"), &expected);
    });
}

/// The notes draw `w^l` with `i` up to `s_l` and `j` up to `s_(l+1)`, but sum `w^l` over the `s_(l-1)` units below; the sums are right.
#[test]
fn weights_lead_from_the_layer_below_to_their_own() {
    let lecture = Lecture::open("001/sigmoid");
    let shapes: Vec<Vec<usize>> = lecture.engine.initialize(0).iter().map(|array| array.values.shape().to_vec()).collect();
    assert_eq!(shapes, [[4, 5], [5, 3]]);
}

/// The notes average the derivatives by the outputs. What is averaged must be the derivatives by the weights: each example has its own
/// activations, and a mean of the outputs' derivatives times a mean of those is something else.
#[test]
fn a_minibatch_averages_the_derivatives_by_the_weights() {
    let (lecture, given) = (Lecture::open("001/sigmoid"), Given::new());
    let both: Vec<f64> = given.with(0..2, |data| lecture.gradient(data, 2).gradient.to_vec());
    let single = |at: usize| {
        given.with(at..at + 1, |data| {
            let run = lecture.run(data);
            [run.by("dense1.w"), run.by("dense2.w")].concat()
        })
    };
    let (first, second, weights) = (single(0), single(1), [given.w1.clone(), given.w2.clone()].concat());
    let mean: Vec<f64> = (0..weights.len()).map(|at| (first[at] + second[at]) / 2.0 + 0.01 / 2.0 * weights[at]).collect();
    assert_close("the gradient over two examples", &both, &mean);
}

/// One weight's rule: the update's number from 1, the derivative, and the weight with what the rule remembers.
type Rule = fn(k: f64, g: f64, weight: &mut [f64; 3]);

const RULES: [(&str, Rule); 8] = [
    ("001/sigmoid", |_, g, [w, ..]| *w -= 0.1 * g),
    ("001/sgd_reciprocal", |k, g, [w, ..]| *w -= g / k),
    ("001/sgd_convex_combination", |k, g, [w, ..]| *w -= ((1.0 - k / 100.0) * 0.1 + k / 100.0 * 0.001) * g),
    ("001/momentum", |_, g, [w, v, _]| {
        *v = 0.9 * *v - 0.1 * g;
        *w += *v;
    }),
    ("001/momentum_reciprocal", |k, g, [w, v, _]| {
        *v = 0.5 * *v - g / k;
        *w += *v;
    }),
    ("001/adagrad", |_, g, [w, s, _]| {
        *s += g * g;
        *w -= 0.1 * g / (s.sqrt() + 1e-8);
    }),
    ("001/rmsprop", |_, g, [w, s, _]| {
        *s = 0.9 * *s + 0.1 * g * g;
        *w -= 0.01 * g / (s.sqrt() + 1e-8);
    }),
    ("001/adam", |k, g, [w, u, v]| {
        *u = 0.9 * *u + 0.1 * g;
        *v = 0.999 * *v + 0.001 * g * g;
        *w -= 0.01 * (*u / (1.0 - 0.9_f64.powf(k))) / ((*v / (1.0 - 0.999_f64.powf(k))).sqrt() + 1e-8);
    }),
];

#[test]
fn three_updates_by_each_rule_of_the_lecture() {
    for (name, rule) in RULES {
        let lecture = Lecture::open(name);
        Given::new().with(0..2, |data| {
            let (mut parameters, mut state, batch) = (lecture.parameters(data), lecture.engine.state(), lecture.batch(data, 2));
            let mut weights: Vec<[f64; 3]> = parameters.to_vec().into_iter().map(|w| [w, 0.0, 0.0]).collect();
            for k in 1..=3 {
                let gradient = lecture.engine.gradient(&parameters, &batch).expect("the net runs").gradient.to_vec();
                lecture.engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
                weights.iter_mut().zip(&gradient).for_each(|(weight, &g)| rule(f64::from(k), g, weight));
                let expected: Vec<f64> = weights.iter().map(|weight| weight[0]).collect();
                assert_close(&format!("{name} after update {k}"), &parameters.to_vec(), &expected);
            }
        });
    }
}

#[test]
fn momentum_and_the_schedules_read_as_in_the_lecture() {
    Lecture::open("001/momentum").assert_states(&["v¹_(w,ij) ← α v¹_(w,ij) − η · ∂E/∂w¹ᵢⱼ", "w¹ᵢⱼ ← w¹ᵢⱼ + v¹_(w,ij)"]);
    Lecture::open("001/sgd_reciprocal").assert_states(&["ηₖ = 1/k", "w¹ᵢⱼ ← w¹ᵢⱼ − ηₖ · ∂E/∂w¹ᵢⱼ"]);
    Lecture::open("001/sgd_convex_combination").assert_states(&["ηₖ = 0.1 + (0.001 − 0.1) min(1, k/100)"]);
}

/// The notes let `β_k = k/K` grow past 1 after update K, where the rate would turn negative; it has to stay at `η_K`.
#[test]
fn the_rate_stays_at_its_end_after_the_last_step_of_the_combination() {
    let lecture = Lecture::open("001/sgd_convex_combination");
    Given::new().with(0..1, |data| {
        let (mut parameters, mut state, batch) = (lecture.parameters(data), lecture.engine.state(), lecture.batch(data, 1));
        for _ in 0..150 {
            lecture.engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
        }
        let (before, gradient) =
            (parameters.to_vec(), lecture.engine.gradient(&parameters, &batch).expect("the net runs").gradient);
        lecture.engine.train(&mut parameters, &mut state, &batch).expect("the net runs");
        let expected: Vec<f64> = before.iter().zip(gradient.to_vec()).map(|(w, g)| w - 0.001 * g).collect();
        assert_close("update 151", &parameters.to_vec(), &expected);
    });
}
