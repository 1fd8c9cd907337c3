//! Gradients of generated code against central differences, in `f64`.

use deltarule::{Supervised, derive_backprop};

/// The largest difference between a gradient and central differences, relative to the larger of the two or to 1.
fn gradient_error<N: Supervised<Scalar = f64> + Clone>(seed: u64, inputs: &[N::Input], targets: &[N::Target]) -> f64 {
    let mut net = N::ZERO;
    net.initialize(seed);
    // Biases that are not 0, so that a forgotten one shows.
    for (at, parameter) in net.as_mut_slice().iter_mut().enumerate() {
        *parameter += 0.01 * ((at * 7 % 11) as f64 - 5.0);
    }
    let mut scratch: Box<N::Scratch> = deltarule::Boxed::boxed();
    let mut gradient = N::ZERO;
    let loss = net.backward_slice(inputs, targets, &mut gradient, &mut scratch);
    // Several examples at once are summed up in another order than one by itself.
    let alone = net.forward_slice(inputs, targets, &mut scratch);
    assert!((loss - alone).abs() <= 1e-14 * loss.abs().max(1.0), "forward and backward see one loss: {alone} and {loss}");
    let mut objective = |net: &N| {
        let mean_loss = net.forward_slice(inputs, targets, &mut scratch);
        net.objective(mean_loss, inputs.len().min(targets.len()))
    };
    let mut worst = 0.0_f64;
    let mut moved = net.clone();
    for at in 0..net.as_slice().len() {
        let here = net.as_slice()[at];
        let step = 1e-5 * here.abs().max(1.0);
        moved.as_mut_slice()[at] = here + step;
        let above = objective(&moved);
        moved.as_mut_slice()[at] = here - step;
        let below = objective(&moved);
        moved.as_mut_slice()[at] = here;
        let (expected, found) = ((above - below) / (2.0 * step), gradient.as_slice()[at]);
        worst = worst.max((expected - found).abs() / expected.abs().max(found.abs()).max(1.0));
    }
    worst
}

/// Numbers between -1 and 1 without a pattern.
fn number(at: usize) -> f64 {
    ((at * 7919 + 13) % 2003) as f64 / 1001.5 - 1.0
}

fn vector<const N: usize>(example: usize) -> [f64; N] {
    std::array::from_fn(|at| number(example * 31 + at * 3 + 1))
}

/// A distribution.
fn distribution<const N: usize>(example: usize) -> [f64; N] {
    let numbers: [f64; N] = vector(example + 5);
    let total: f64 = numbers.iter().map(|number| number.exp()).sum();
    numbers.map(|number| number.exp() / total)
}

macro_rules! networks {
    ($($(#[$doc:meta])* $name:ident($seed:expr, $inputs:expr, $targets:expr) = $spec:literal;)*) => {$(
        #[allow(non_snake_case)]
        mod $name {
            use super::*;

            #[derive_backprop(spec = $spec, scalar = f64)]
            struct Net;

            #[test]
            fn gradient_is_that_of_central_differences() {
                let (inputs, targets) = ((0..5).map($inputs).collect::<Vec<_>>(), (0..5).map($targets).collect::<Vec<_>>());
                for examples in [1, 5] {
                    let error = gradient_error::<Net>($seed, &inputs[..examples], &targets[..examples]);
                    assert!(error < 1e-6, "relative error {error:e} with {examples} examples");
                }
            }
        }
    )*};
}

networks! {
    classifier(1, vector::<6>, |example| example % 4) = "
        input x[6]
        target t: class[4]
        h = x |> dense(37) |> relu
        y = h |> dense(4) |> softmax
        loss cross_entropy(y, t)
        regularizer l2(0.1) / m
    ";
    distributions(2, vector::<6>, distribution::<4>) = "
        input x[6]
        target t[4]
        h = x |> dense(5) |> tanh
        y = h |> dense(4) |> softmax
        loss cross_entropy(y, t)
        loss kl_divergence(y, t)
        regularizer l1(0.1)
        regularizer l2(0.2)
    ";
    regression(3, vector::<3>, vector::<2>) = "
        input x[3]
        target t[2]
        h = x |> dense(4, bias = false) |> swish |> dense(4) |> gelu |> dense(4) |> softplus
        y = h |> dense(2) |> softsign
        loss squared_error(y, t)
        loss huber(y, t, delta = 0.1)
    ";
    attention_of_images(4, |example| [vector::<4>(example), vector::<4>(example + 9), vector::<4>(example + 18)], vector::<3>) = "
        input x[3, 4]
        target t[3]
        param scale ~ 1
        h = x |> dense(5) |> softmax
        s[r] = scale * sum(j: h[r, j]^3 * h[r, j])
        y = s |> sigmoid
        loss binary_cross_entropy(y, t)
    ";
    transposed(5, vector::<4>, vector::<3>) = "
        input x[4]
        target t[3]
        param w[i: 3, j: 4] ~ glorot
        param v[i: 3, j: 3] ~ glorot
        s[i] = sum(j: w[i, j] * x[j]) * sum(j, k: v[j, k] * v[k, j]) + sqrt(1 + v[i, i]^2)
        y[i] = s[i] / (1 + max(k: abs(s[k]))) - min(k: s[k]) + product(k: v[i, k])
        loss squared_error(y, t)
    ";
    several(6, |example| NetInput { a: vector(example), b: number(example), c: example % 3 },
        |example| NetTarget { p: vector(example), q: number(example + 2) }) = "
        input a[3], b
        input c: class[3]
        target p[2], q
        h = a |> dense(4) |> elu
        y = h |> dense(2)
        param u[k: 3] ~ normal(0, 1)
        z = tanh(sum(j: h[j]) * b + sum(k: c[k] * u[k]))
        loss squared_error(y, p)
        loss (z - q)^2
        regularizer l1(0.3) on u
    ";
    windows(7, |example| -> [[[f64; 2]; 7]; 6] { std::array::from_fn(|r| std::array::from_fn(|c| vector(example + 9 * r + 70 * c))) },
        |example| example % 3) = "
        input x[6, 7, 2]
        target t: class[3]
        param k[u: 3, v: 2, f: 2, g: 4] ~ glorot
        s[p: 3, q: 4, g] = sum(u, v, f: k[u, v, f, g] * x[2*p + u - 1, 2*q + v - 1, f])
        m[p: 2, q: 2, g: 4] = max(u in 0..2, v in 0..2: s[p + u, 2*q + v, g])
        h[i: 16] = sum(p in 0..2, q in 0..2, g in 0..4: [i = (p*2 + q)*4 + g] * m[p, q, g])
        y = h |> dense(3) |> softmax
        loss cross_entropy(y, t)
    ";
    recurrence(8, |example| -> [[f64; 3]; 5] { std::array::from_fn(|step| vector(example + 9 * step)) }, vector::<2>) = "
        input x[5, 3]
        target t[2]
        param u[i: 3, j: 4] ~ glorot
        param w[i: 4, j: 4] ~ glorot
        param v[i: 4, j: 4] ~ glorot
        h[s: 5, j] = tanh(sum(i: u[i, j] * x[s, i]) + sum(i: w[i, j] * h[s - 1, i]) + c[s - 1, j])
        c[s: 5, j] = sigmoid(sum(i: v[i, j] * h[s, i])) * c[s - 1, j] + h[s, j] / sum(k: exp(h[s, k]))
        z = h |> dense(2)
        y[j: 2] = z[4, j]
        loss squared_error(y, t)
    ";
    embedding(9, |example| [example % 5, 3, (example * 7) % 5, 2], vector::<3>) = "
        input x[4]: class[5]
        target t[3]
        param w[k: 5, j: 3] ~ glorot
        e[s: 4, j: 3] = sum(k: w[k, j] * x[s, k])
        a[s: 4, r: 4] = [r <= s] * exp(sum(j: e[s, j] * e[r, j]))
        o[s: 4, j: 3] = sum(r in 0..4: a[s, r] * [r <= s] * e[r, j])
        y[j: 3] = sum(s: o[s, j])
        loss squared_error(y, t)
    ";
}
