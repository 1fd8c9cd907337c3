//! Tables of specs: every activation, loss, regularizer and optimizer of the prelude, combined as they go together.

/// A spec and what a message about it says.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Which numbers an activation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Range {
    /// Any.
    Real,
    /// Above 0.
    Positive,
    /// Between 0 and 1, both excluded.
    Unit,
}

/// Calls of every activation, with the range of what they give.
pub(crate) const ACTIVATIONS: [(&str, Range); 20] = [
    ("identity", Range::Real),
    ("sigmoid", Range::Unit),
    ("tanh", Range::Real),
    ("relu", Range::Real),
    ("relu(0.3)", Range::Real),
    ("relu(theta = 0.1, slope_at_kink = 0.5)", Range::Real),
    ("leaky_relu", Range::Real),
    ("leaky_relu(0.2)", Range::Real),
    ("elu", Range::Real),
    ("elu(0.7)", Range::Real),
    ("selu", Range::Real),
    ("softplus", Range::Positive),
    ("softsign", Range::Real),
    ("swish", Range::Real),
    ("swish(beta = 1.5)", Range::Real),
    ("gelu", Range::Real),
    ("hard_sigmoid", Range::Real),
    ("step", Range::Real),
    ("softmax", Range::Unit),
    ("log_softmax", Range::Real),
];

/// Calls of every loss of a prediction `y` and a target `t`, with the range that `y` must keep to.
pub(crate) const LOSSES: [(&str, Range); 10] = [
    ("squared_error(y, t)", Range::Real),
    ("absolute_error(y, t)", Range::Real),
    ("huber(y, t)", Range::Real),
    ("huber(y, t, delta = 0.3)", Range::Real),
    ("hinge(y, t)", Range::Real),
    ("cross_entropy(y, t)", Range::Positive),
    ("kl_divergence(y, t)", Range::Positive),
    ("binary_cross_entropy(y, t)", Range::Unit),
    ("weighted_binary_cross_entropy(y, t, 2, 0.5)", Range::Unit),
    ("squared_error(y, t) / 3 + 0.1 * absolute_error(y, t)", Range::Real),
];

/// Calls of every regularizer.
pub(crate) const REGULARIZERS: [&str; 4] = ["l1(0.05)", "l2(0.3)", "elastic_net(0.05, 0.2)", "l2(0.6) / m"];

/// Calls of every optimizer, and of what clips a gradient.
pub(crate) const OPTIMIZERS: [&str; 10] = [
    "sgd(0.1)",
    "momentum(0.1)",
    "nesterov(0.1, alpha = 0.8)",
    "adagrad(0.1)",
    "rmsprop(0.01)",
    "adam(0.01)",
    "adam(rate = 0.01, beta1 = 0.8, beta2 = 0.99)",
    "adamw(0.01, decay = 0.1)",
    "sgd(0.1) |> clip_norm(0.3)",
    "momentum(0.1) |> clip_value(0.05) |> clip_norm(0.1 / k)",
];

/// A net of one hidden layer for each activation and each loss that it goes with; the activation is the hidden layer's too.
pub(crate) fn activations_with_losses() -> Vec<Spec> {
    let mut specs = Vec::new();
    for (activation, range) in ACTIVATIONS {
        for (loss, needed) in LOSSES {
            if range >= needed {
                for target in ["t[4]", "t: class[4]"] {
                    specs.push(net(activation, activation, loss, target));
                }
            }
        }
    }
    specs
}

/// `x[3]` through a hidden layer of 5 to 4 outputs.
pub(crate) fn net(hidden: &str, output: &str, loss: &str, target: &str) -> Spec {
    Spec {
        name: format!("{hidden}, {output}, {loss}, {target}"),
        text: format!(
            "input x[3]\ntarget {target}\nh = x |> dense(5) |> {hidden}\ny = h |> dense(4) |> {output}\nloss {loss}\noptimizer sgd(0.1)\n"
        ),
    }
}

/// A net with each regularizer, on all weights and on one.
pub(crate) fn regularizers() -> Vec<Spec> {
    let mut specs = Vec::new();
    for regularizer in REGULARIZERS {
        for on in ["", " on dense2.w", " on dense1.w, dense1.b"] {
            let Spec { name, text } = net("tanh", "identity", "squared_error(y, t)", "t[4]");
            specs.push(Spec {
                name: format!("{name}, {regularizer}{on}"),
                text: format!("{text}regularizer {regularizer}{on}\n"),
            });
        }
    }
    let Spec { text, .. } = net("tanh", "identity", "squared_error(y, t)", "t[4]");
    specs.push(Spec { name: "two regularizers".to_owned(), text: format!("{text}regularizer l1(0.1)\nregularizer l2(0.2)\n") });
    specs
}

/// Nets that are not a chain of layers.
pub(crate) fn shapes_of_nets() -> Vec<Spec> {
    let spec = |name: &str, text: &str| Spec { name: name.to_owned(), text: text.to_owned() };
    vec![
        spec(
            "a residual net",
            "input x[4]
             target t[4]
             h = x |> dense(4) |> tanh
             r = h + (h |> dense(4) |> sigmoid)
             y = add(r, x) |> dense(4)
             loss squared_error(y, t)
             optimizer sgd(0.1)",
        ),
        spec(
            "a neuron in index notation",
            "input x[3]
             target t[1]
             param w[i: 3, j: 1] ~ glorot
             param b[j: 1] ~ 0
             s[j] = sum(i: w[i, j] * x[i]) + b[j]
             y[j] = sigmoid(s[j])
             loss binary_cross_entropy(y, t)
             optimizer sgd(rate = 0.1 / k)",
        ),
        spec(
            "shared weights",
            "input x[3]
             target t[3]
             param w[i: 3, j: 3] ~ normal(0, 0.7)
             h[j] = tanh(sum(i: w[i, j] * x[i]))
             y[j] = sum(i: w[i, j] * h[i])
             loss squared_error(y, t)
             regularizer l2(0.1)
             optimizer sgd(0.1)",
        ),
        spec(
            "tied weights, transposed",
            "input x[5]
             param w[i: 5, j: 3] ~ normal(0, 0.7)
             h[j] = tanh(sum(i: w[i, j] * x[i]))
             y[i] = sum(j: w[i, j] * h[j])
             loss squared_error(y, x)
             optimizer sgd(0.1)",
        ),
        spec(
            "two inputs, two losses",
            "input a[3], b[2]
             target t[2], c: class[3]
             h = (a |> dense(4) |> tanh) + (b |> dense(4, bias = false))
             y = h |> dense(2)
             z = h |> dense(3) |> softmax
             loss squared_error(y, t)
             loss cross_entropy(z, c)
             optimizer sgd(0.1)",
        ),
        spec(
            "leading axes",
            "input x[2, 3]
             target t[2, 4]
             y = x |> dense(5) |> tanh |> dense(4) |> softmax
             loss cross_entropy(y, t)
             optimizer sgd(0.1)",
        ),
        spec(
            "a bilinear form and the norm of its rows",
            "input x[3], z[4]
             target t
             param w[i: 3, j: 4] ~ normal(0, 1)
             param g[i: 3] ~ 1
             n[i] = sqrt(sum(j: w[i, j]^2))
             y = sum(i, j: g[i] * w[i, j] / n[i] * x[i] * z[j])
             loss (y - t)^2
             optimizer sgd(0.1)",
        ),
        spec(
            "greatest, least, product and mean",
            "input x[4]
             target t[4]
             h = x |> dense(4) |> softplus
             a = max(i: h[i]) - min(i: h[i])
             p = product(i: 1 + h[i] / 4)
             q = mean(i: h[i]^2)
             y[j] = h[j] * a + p / (1 + q)
             loss squared_error(y, t)
             optimizer sgd(0.1)",
        ),
        spec(
            "a function of the user's",
            "function bump(s, width = 1) = exp(-(s / width)^2)
             function normalize(s[j]) = s[j] / (1 + sum(k: s[k]^2))
             input x[3]
             target t[4]
             y = x |> dense(5) |> bump(width = 2) |> dense(4) |> normalize
             loss squared_error(y, t)
             optimizer sgd(0.1)",
        ),
        spec("a circuit", "input x, y, z\nq = x + y\nf = q * z\nobjective f by x, y, z"),
        spec(
            "derivatives by an input and a parameter",
            "input x[3]
             param w[i: 3, j: 2] ~ normal(0, 1)
             y[j] = tanh(sum(i: w[i, j] * x[i]))
             f = sum(j: y[j]^2)
             objective f by x, w",
        ),
    ]
}
