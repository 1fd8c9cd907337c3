//! Tables of specs: every layer of the prelude, alone and composed with others, and what the language has besides layers.

use deltarule_compiler::derivation::Derivation;

use super::specs::{ACTIVATIONS, LOSSES, OPTIMIZERS, REGULARIZERS, Range, Spec, net};

/// A spec of `input x…` and `target t…`, whose last value is `y`.
fn module(name: &str, input: &str, target: &str, equations: &str) -> Spec {
    let equations: String = equations.lines().map(|line| format!("{}\n", line.trim())).collect();
    Spec { name: name.to_owned(), text: format!("input {input}\ntarget {target}\n{equations}loss squared_error(y, t)\n") }
}

/// Every layer by itself, with each of its arguments, and functions that are used like layers.
pub(crate) fn layers() -> Vec<Spec> {
    let mut specs = Vec::new();
    for (name, input, target, call) in [
        ("dense", "x[3]", "t[4]", "dense(4)"),
        ("dense without bias", "x[3]", "t[4]", "dense(4, bias = false)"),
        ("dense of leading axes", "x[2, 5, 3]", "t[2, 5, 4]", "dense(4)"),
        ("dropout", "x[7]", "t[7]", "dropout(0.4)"),
        ("dropout of a matrix", "x[3, 4]", "t[3, 4]", "dropout(0.25)"),
        ("dropout of all", "x[4]", "t[4]", "dropout(1)"),
        ("conv2d", "x[5, 6, 2]", "t[3, 4, 3]", "conv2d(3, 3)"),
        ("conv2d, same", "x[5, 4, 2]", "t[5, 4, 3]", "conv2d(3, 3, padding = same)"),
        ("conv2d, same, an even kernel", "x[4, 5, 1]", "t[4, 5, 2]", "conv2d(2, 2, padding = same, bias = false)"),
        ("conv2d, same, strided", "x[5, 6, 2]", "t[3, 3, 2]", "conv2d(2, 3, stride = 2, padding = same)"),
        ("conv2d, strided", "x[7, 6, 2]", "t[3, 2, 2]", "conv2d(2, 3, stride = 2)"),
        ("conv2d with wide steps", "x[8, 9, 1]", "t[3, 3, 2]", "conv2d(2, 2, stride = 3)"),
        ("conv2d, padded", "x[3, 4, 2]", "t[5, 6, 1]", "conv2d(1, 3, padding = 2)"),
        ("conv2d, padded and strided", "x[5, 5, 1]", "t[3, 3, 2]", "conv2d(2, 3, stride = 2, padding = 1)"),
        ("conv2d of one place", "x[3, 3, 2]", "t[1, 1, 2]", "conv2d(2, 3)"),
        ("max_pool", "x[4, 6, 2]", "t[2, 3, 2]", "max_pool(2)"),
        ("max_pool of overlapping windows", "x[5, 7, 2]", "t[2, 3, 2]", "max_pool(3, stride = 2)"),
        ("max_pool that leaves some out", "x[5, 4, 1]", "t[2, 1, 1]", "max_pool(2, stride = 3)"),
        ("avg_pool", "x[4, 6, 2]", "t[2, 3, 2]", "avg_pool(2)"),
        ("avg_pool of overlapping windows", "x[5, 7, 2]", "t[3, 5, 2]", "avg_pool(3, stride = 1)"),
        ("flatten", "x[2, 3, 4]", "t[24]", "flatten"),
        ("layer_norm", "x[5]", "t[5]", "layer_norm"),
        ("layer_norm of rows", "x[3, 5]", "t[3, 5]", "layer_norm(epsilon = 0.1)"),
        ("attention", "x[5, 4]", "t[5, 4]", "attention"),
        ("attention in two heads", "x[3, 4]", "t[3, 4]", "attention(heads = 2)"),
        ("causal attention", "x[4, 6]", "t[4, 6]", "attention(3, causal = true)"),
        ("maxout", "x[3]", "t[4]", "maxout(4)"),
        ("maxout of three pieces, of rows", "x[2, 3]", "t[2, 4]", "maxout(4, pieces = 3)"),
        ("residual", "x[4]", "t[4]", "residual(5)"),
        ("residual of rows", "x[2, 4]", "t[2, 4]", "residual(3)"),
        ("duplicate", "x[4]", "t[4]", "duplicate"),
        ("rnn", "x[5, 3]", "t[5, 2]", "rnn(2)"),
        ("lstm", "x[4, 3]", "t[4, 2]", "lstm(2)"),
        ("gru", "x[4, 3]", "t[4, 2]", "gru(2)"),
        ("rnn of leading axes", "x[2, 4, 3]", "t[2, 4, 2]", "rnn(2)"),
        ("gru of one step", "x[1, 3]", "t[1, 2]", "gru(2)"),
    ] {
        specs.push(module(name, input, target, &format!("y = x |> {call}")));
    }
    specs.push(module("embedding", "x: class[5]", "t[3]", "y = x |> embedding(3)"));
    specs.push(module("embedding of a sequence", "x[4]: class[5]", "t[4, 3]", "y = x |> embedding(3)"));
    specs.push(module("concat", "x[3], z[4]", "t[7]", "y = concat(x, z)"));
    specs.push(module("concat of rows", "x[2, 3], z[2, 1]", "t[2, 4]", "y = concat(x, z)"));
    specs.push(module("add", "x[2, 3], z[2, 3]", "t[2, 3]", "y = add(x, z)"));
    specs.push(module("the greater of two", "x[6], z[6]", "t[6]", "y = max(x, z)"));
    specs
}

/// Layers one after the other, and beside each other.
pub(crate) fn compositions() -> Vec<Spec> {
    vec![
        module(
            "convolution, pool, flatten, dense",
            "x[6, 7, 2]",
            "t: class[3]",
            "y = x |> conv2d(3, 3) |> relu |> max_pool(2) |> flatten |> dense(3) |> softmax
             loss cross_entropy(y, t)",
        ),
        module(
            "two convolutions and a mean",
            "x[5, 6, 1]",
            "t[2]",
            "h = x |> conv2d(2, 3, padding = same) |> tanh |> conv2d(3, 2, stride = 2, padding = 1) |> swish
             y = h |> avg_pool(2, stride = 1) |> flatten |> dropout(0.3) |> dense(2)",
        ),
        module("embedding, lstm, dense", "x[4]: class[5]", "t[4, 2]", "y = x |> embedding(3) |> lstm(2) |> dense(2)"),
        module(
            "layer_norm, attention, residual",
            "x[4, 6]",
            "t[4, 6]",
            "h = x + (x |> layer_norm |> attention(heads = 2, causal = true))
             y = h |> layer_norm |> residual(5)",
        ),
        module(
            "the last state of a stack of recurrences",
            "x[4, 3]",
            "t[2]",
            "h = x |> rnn(3) |> gru(2)
             y[j] = h[3, j] + sum(s: h[s, j]) / 4",
        ),
        module(
            "branches joined by concat, add and max",
            "x[4], z[3]",
            "t[5]",
            "a = concat(x |> dense(2), z) |> tanh
             b = add(duplicate(a), z |> dense(5))
             y = max(a, b |> maxout(5)) + a",
        ),
        module(
            "dropout around a recurrence",
            "x[3, 4]",
            "t[3, 2]",
            "y = x |> dropout(0.2) |> lstm(3) |> dropout(0.5) |> dense(2) |> log_softmax",
        ),
        module(
            "a layer twice with one name's parameters each",
            "x[3, 4]",
            "t[3, 4]",
            "h = x |> layer_norm |> layer_norm |> dense(4) as inner
             y = h |> softplus |> dense(4)",
        ),
    ]
}

/// What is no layer: recurrences, noise, shared values, pieces, several inputs, targets and losses.
pub(crate) fn constructs() -> Vec<Spec> {
    let mut specs = vec![
        module(
            "two steps back",
            "x[6, 2]",
            "t[6, 3]",
            "param w[i: 2, j: 3] ~ glorot
             param u[k: 3, j: 3] ~ glorot
             param v[j: 3] ~ normal(0, 1)
             y[s, j] = tanh(sum(i: w[i, j] * x[s, i]) + sum(k: u[k, j] * y[s - 1, k]) - v[j] * y[s - 2, j])",
        ),
        module(
            "a group across steps, a part of which is read before it is written",
            "x[5, 2]",
            "t[5, 2]",
            "param w[i: 2, j: 2] ~ normal(0, 0.7)
             y[s: 5, j: 2] = sigmoid(c[s - 1, j] + d[s - 2, j]) + x[s, j]
             c[s: 5, j: 2] = tanh(sum(i: w[i, j] * y[s, i])) / 2 + c[s - 3, j]
             d[s: 5, j: 2] = y[s - 1, j] * c[s, j]",
        ),
        module(
            "a recurrence over the second axis",
            "x[3, 5]",
            "t[3, 5]",
            "param a[r: 3] ~ normal(0, 0.5)
             y[r, s] = x[r, s] + a[r] * y[r, s - 1] * y[2 - r, s - 1]",
        ),
        module(
            "an earlier step of a window",
            "x[5]",
            "t[5]",
            "param a ~ 0.4
             y[s] = x[s] + a * sum(d in 1..4: y[s - 1] * x[s - d])",
        ),
        module(
            "noise of every distribution",
            "x[4]",
            "t[4]",
            "noise g[i: 4] ~ normal(0, 0.3)
             noise u ~ uniform(-1, 2)
             noise b[i: 4] ~ bernoulli(0.6)
             h = x |> dense(4)
             y[i] = (h[i] + g[i]) * b[i] + u * h[i]^2",
        ),
        module(
            "a parameter in two places",
            "x[3]",
            "t[3]",
            "param w[i: 3, j: 3] ~ normal(0, 0.7)
             h[j] = tanh(sum(i: w[i, j] * x[i]))
             y[j] = sum(i: w[j, i] * h[i]) + w[j, j]",
        ),
        module(
            "a value in three branches",
            "x[3]",
            "t[4]",
            "h = x |> dense(4) |> tanh
             y = (h |> dense(4)) + h * (h |> sigmoid)",
        ),
        module(
            "a mirror and a transpose",
            "x[4, 3]",
            "t[3, 4]",
            "param w[i: 3] ~ normal(0, 1)
             y[i, s] = w[i] * x[3 - s, i] + x[s, 2 - i] * x[0, i]",
        ),
        module(
            "steps of several places",
            "x[9]",
            "t[4]",
            "param k[u: 3] ~ normal(0, 1)
             y[p: 4] = sum(u: k[u] * x[2*p + u - 1]) * k[2 - 2] + x[2*p + 1]",
        ),
        module(
            "a mean up to each step",
            "x[5]",
            "t[5]",
            "param a ~ 0.7
             y[s: 5] = sum(r in 0..5: [r <= s] * tanh(a * x[r])) / (s + 1)",
        ),
        module(
            "two recurrences, one of the other's past",
            "x[4, 2]",
            "t[4, 2]",
            "h = x |> rnn(2)
             past[s: 4, j: 2] = h[s - 1, j]
             y = past |> gru(2)",
        ),
        module(
            "many equal values to choose from",
            "x[6]",
            "t[3]",
            "param v[i: 6] ~ 1
             h[i] = v[i] * floor(2 * x[i])
             y[p: 3] = max(u in 0..3: h[p + u]) - min(i: h[i]) + max(h[p + 0], h[p + 1]) * x[p + 0] - min(h[p + 0], h[p + 2])",
        ),
        module(
            "several inputs, targets and losses",
            "x[3], z: class[4], scale",
            "t[2], label: class[3], q",
            "h = concat(x |> dense(4) |> tanh, z |> embedding(3))
             y = h |> dense(2)
             p = h |> dense(3) |> softmax
             r = scale * sum(i: h[i]^2)
             loss cross_entropy(p, label)
             loss (r - q)^2",
        ),
    ];
    for call in ["max", "min"] {
        specs.push(module(
            &format!("{call} over two indices"),
            "x[3, 4]",
            "t[3]",
            &format!(
                "h = x |> dense(4)
                 y[r] = {call}(i, s in 0..3: h[s, i] * x[r, i]) - {call}(i: x[r, i])"
            ),
        ));
    }
    specs
}

/// Optimizers with schedules, clipping rules apart, and initial values.
pub(crate) fn rules() -> Vec<Spec> {
    let schedules = [
        "lerp(0.1, 0.01, min(k / 2, 1))",
        "inverse_time(0.1, 0.5)",
        "step_decay(0.1, 0.5, every = 2)",
        "exponential_decay(0.1, 0.3)",
        "cosine_decay(0.1, 4)",
        "warmup(0.1, 3)",
    ];
    let base = |text: &str| format!("input x[3]\ntarget t[2]\n{text}\nloss squared_error(y, t)\n");
    let mut specs: Vec<Spec> = schedules
        .iter()
        .map(|schedule| Spec {
            name: schedule.to_string(),
            text: base("y = x |> dense(4) |> tanh |> dense(2)") + &format!("optimizer momentum({schedule})\n"),
        })
        .collect();
    for initial in ["he", "glorot", "lecun", "uniform(-0.5, 0.2)", "normal(0.1, 0.5)", "0.3"] {
        specs.push(Spec {
            name: format!("~ {initial}"),
            text: base(&format!("param w[i: 3, j: 2] ~ {initial}\ny[j] = sum(i: w[i, j] * x[i])")),
        });
    }
    specs.push(Spec {
        name: "a frozen parameter and rules of its own for another".to_owned(),
        text: base("y = x |> dense(4) |> tanh |> dense(2)")
            + "regularizer l2(0.1) / m\noptimizer adam(0.01)\noptimizer none on dense1.w\noptimizer sgd(0.1 / k) on dense2.b\n",
    });
    specs
}

/// Activations as the last layer, each with a loss; losses, each with an activation; regularizers; optimizers.
pub(crate) fn functions() -> Vec<Spec> {
    let mut specs: Vec<Spec> =
        ACTIVATIONS.iter().map(|(activation, _)| net("tanh", activation, "squared_error(y, t)", "t[4]")).collect();
    for (loss, range) in LOSSES {
        let activation = match range {
            Range::Real => "identity",
            Range::Positive => "softplus",
            Range::Unit => "sigmoid",
        };
        specs.push(net("tanh", activation, loss, "t[4]"));
    }
    for regularizer in REGULARIZERS {
        let Spec { text, .. } = net("tanh", "identity", "squared_error(y, t)", "t[4]");
        specs.push(Spec { name: regularizer.to_owned(), text: format!("{text}regularizer {regularizer}\n") });
    }
    for optimizer in OPTIMIZERS {
        let Spec { text, .. } = net("tanh", "identity", "squared_error(y, t)", "t[4]");
        specs.push(Spec { name: optimizer.to_owned(), text: text.replace("sgd(0.1)", optimizer) });
    }
    specs
}

/// The same net with `objective … by …`: all data are inputs, and it is differentiated by all that has derivatives.
pub(crate) fn by_everything(spec: &Spec, derivation: &Derivation) -> String {
    let model = &derivation.model;
    let mut losses = Vec::new();
    let mut text = String::new();
    for line in spec.text.lines() {
        match line.split_once(' ') {
            Some(("loss", loss)) => losses.push(format!("({loss})")),
            Some(("target", declared)) => text += &format!("input {declared}\n"),
            Some(("optimizer" | "regularizer", _)) => {}
            _ => text += &format!("{line}\n"),
        }
    }
    let data = model.inputs.iter().chain(&model.targets).filter(|&&tensor| !model.context.tensor(tensor).label);
    let by: Vec<&str> = data
        .copied()
        .chain(model.parameters.iter().map(|parameter| parameter.tensor))
        .map(|tensor| &model.context.tensor(tensor).name[..])
        .collect();
    text + &format!("objective {} by {}\n", losses.join(" + "), by.join(", "))
}
