//! Random networks that are no chain: branches, shared parameters, windows, recurrences, noise, several inputs, targets and losses.

use proptest::prelude::*;

use super::specs::{OPTIMIZERS, REGULARIZERS};

/// Decisions from which a spec is written; fewer and smaller ones make a simpler spec.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    /// What comes in.
    inputs: Vec<u32>,
    /// A value each, out of those before it.
    steps: Vec<Vec<u32>>,
    /// What is done with the values that nothing reads.
    end: Vec<u32>,
}

pub(crate) fn graph() -> impl Strategy<Value = Graph> {
    let decisions = |count| prop::collection::vec(0..1_000_u32, count);
    (decisions(8), prop::collection::vec(decisions(10), 1..7), decisions(8)).prop_map(|(inputs, steps, end)| Graph {
        inputs,
        steps,
        end,
    })
}

/// Takes decisions one after the other.
struct Choices<'a>(std::slice::Iter<'a, u32>);

impl Choices<'_> {
    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        self.0.next().map_or(0, |&number| number as usize) % count.max(1)
    }

    /// A number of these.
    fn within(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }
}

const SMOOTH: [&str; 6] = ["tanh", "sigmoid", "softplus", "swish", "softsign", "gelu"];
const ACTIVATIONS: [&str; 10] =
    ["tanh", "sigmoid", "relu", "leaky_relu(0.2)", "softmax", "swish", "elu", "hard_sigmoid", "log_softmax", "identity"];

/// A value that later ones may read.
struct Value {
    name: String,
    shape: Vec<usize>,
    is_read: bool,
}

/// A spec in the making.
#[derive(Default)]
struct Writer {
    text: String,
    values: Vec<Value>,
    parameters: Vec<String>,
    /// Inputs that are numbers.
    inputs: Vec<String>,
    /// Whether a parameter is multiplied with what depends on an input.
    learns: bool,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text += line;
        self.text += "\n";
    }

    fn add(&mut self, name: &str, shape: &[usize]) {
        self.values.push(Value { name: name.to_owned(), shape: shape.to_vec(), is_read: false });
    }

    /// A value whose shape is such, if there is one.
    fn pick(&mut self, choices: &mut Choices, is_fit: impl Fn(&[usize]) -> bool) -> Option<(String, Vec<usize>)> {
        let fit: Vec<usize> = (0..self.values.len()).filter(|&at| is_fit(&self.values[at].shape)).collect();
        // Rather a late one than an early one.
        let at = *fit.get(fit.len().checked_sub(1 + choices.below(fit.len().min(3)))?)?;
        self.values[at].is_read = true;
        Some((self.values[at].name.clone(), self.values[at].shape.clone()))
    }

    fn parameter(&mut self, name: &str, axes: &str, initial: &str) {
        self.learns = true;
        self.line(&format!("param {name}[{axes}] ~ {initial}"));
        self.parameters.push(name.to_owned());
    }

    fn input(&mut self, number: usize, choices: &mut Choices) {
        let name = format!("x{number}");
        let shape = match choices.below(4) {
            0 => vec![choices.within(2..=4)],
            1 => vec![choices.within(3..=5), choices.within(1..=3)],
            2 => vec![choices.within(3..=6), choices.within(3..=6), choices.within(1..=2)],
            _ => {
                let (steps, classes, width) = (choices.within(2..=4), choices.within(2..=4), choices.within(1..=3));
                self.learns = true;
                self.line(&format!("input {name}[{steps}]: class[{classes}]\ne{number} = {name} |> embedding({width})"));
                return self.add(&format!("e{number}"), &[steps, width]);
            }
        };
        self.line(&format!("input {name}{shape:?}"));
        self.add(&name, &shape);
        self.inputs.push(name);
    }

    /// A value out of those there are; nothing where none fits.
    fn step(&mut self, at: usize, choices: &mut Choices) {
        let read: Vec<bool> = self.values.iter().map(|value| value.is_read).collect();
        if self.try_step(&format!("v{at}"), at, choices).is_none() {
            for (value, is_read) in self.values.iter_mut().zip(read) {
                value.is_read = is_read;
            }
        }
    }

    fn try_step(&mut self, y: &str, at: usize, choices: &mut Choices) -> Option<()> {
        match choices.below(14) {
            0 => self.dense(y, choices),
            1 => self.shared(y, at, choices),
            2 => self.convolution(y, choices),
            3 => self.window(y, at, choices),
            4 => self.pool(y, choices),
            5 => self.recurrent_layer(y, choices),
            6 => self.recurrence(y, at, choices),
            7 => self.group(y, at, choices),
            8 => self.noise(y, at, choices),
            9 => self.join(y, choices),
            10 => self.concat(y, choices),
            11 => self.layer(y, choices),
            12 => self.reduce(y, choices),
            _ => self.rearranged(y, choices),
        }
    }

    fn dense(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (x, mut shape) = self.pick(choices, |shape| !shape.is_empty())?;
        *shape.last_mut()? = choices.within(1..=4);
        let (width, activation, bias) = (shape[shape.len() - 1], choices.of(&ACTIVATIONS), choices.below(3) > 0);
        self.learns = true;
        self.line(&format!("{y} = {x} |> dense({width}, bias = {bias}) |> {activation}"));
        self.add(y, &shape);
        Some(())
    }

    /// One parameter in two places, transposed in the second.
    fn shared(&mut self, y: &str, at: usize, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| shape.len() == 1)?;
        let (n, m, activation) = (shape[0], choices.within(1..=3), choices.of(&SMOOTH));
        self.parameter(&format!("w{at}"), &format!("i: {n}, j: {m}"), "normal(0, 0.7)");
        self.line(&format!("{y}a[j] = {activation}(sum(i: w{at}[i, j] * {x}[i]))"));
        self.line(&format!("{y}[i] = sum(j: w{at}[i, j] * {y}a[j]) - w{at}[i, 0]^2"));
        self.add(y, &[n]);
        Some(())
    }

    fn convolution(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| shape.len() == 3)?;
        let (filters, kernel, stride) = (choices.within(1..=2), choices.within(1..=3), choices.within(1..=3));
        let padding = choices.of(&["valid", "same", "1", "2"]);
        let places = |n: usize| match padding {
            "same" => Some(n.div_ceil(stride)),
            "valid" => Some(n.checked_sub(kernel)? / stride + 1),
            zeros => Some((n + 2 * zeros.parse::<usize>().ok()?).checked_sub(kernel)? / stride + 1),
        };
        let shape = [places(shape[0])?, places(shape[1])?, filters];
        let activation = choices.of(&SMOOTH);
        self.learns = true;
        self.line(&format!("{y} = {x} |> conv2d({filters}, {kernel}, stride = {stride}, padding = {padding}) |> {activation}"));
        self.add(y, &shape);
        Some(())
    }

    /// A convolution along the first axis, with places of any stride and offset, forwards or backwards.
    fn window(&mut self, y: &str, at: usize, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| shape.len() == 2)?;
        let (kernel, stride, offset, places) =
            (choices.within(1..=3), choices.within(1..=3), choices.below(3), choices.within(1..=4));
        let place = match choices.below(3) {
            // An access that is never inside is an error.
            0 if offset < shape[0] => format!("{stride}*p - u + {offset}"),
            1 => format!("{} - p - u", shape[0] - 1),
            _ => format!("{stride}*p + u - {}", offset.min(kernel - 1)),
        };
        let condition = if choices.below(3) == 0 { " * [u <= p]" } else { "" };
        self.parameter(&format!("k{at}"), &format!("u: {kernel}, j: {}", shape[1]), "normal(0, 1)");
        self.line(&format!("{y}[p: {places}, j] = sum(u: k{at}[u, j] * {x}[{place}, j]{condition})"));
        self.add(y, &[places, shape[1]]);
        Some(())
    }

    fn pool(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| shape.len() == 3 && shape[0] >= 2 && shape[1] >= 2)?;
        let (call, stride) = (choices.of(&["max_pool", "avg_pool"]), choices.within(1..=3));
        let places = |n: usize| (n - 2) / stride + 1;
        self.line(&format!("{y} = {x} |> {call}(2, stride = {stride})"));
        self.add(y, &[places(shape[0]), places(shape[1]), shape[2]]);
        Some(())
    }

    fn recurrent_layer(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (x, mut shape) = self.pick(choices, |shape| shape.len() >= 2)?;
        let (call, width) = (choices.of(&["rnn", "lstm", "gru"]), choices.within(1..=3));
        *shape.last_mut()? = width;
        self.learns = true;
        self.line(&format!("{y} = {x} |> {call}({width})"));
        self.add(y, &shape);
        Some(())
    }

    fn recurrence(&mut self, y: &str, at: usize, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| shape.len() == 2 && shape[0] > 1)?;
        let (n, m, longest) = (shape[1], choices.within(1..=3), shape[0] - 1);
        let (near, far, activation) = (choices.within(1..=longest), choices.within(1..=longest), choices.of(&SMOOTH));
        self.parameter(&format!("w{at}"), &format!("i: {n}, j: {m}"), "glorot");
        self.parameter(&format!("u{at}"), &format!("k: {m}, j: {m}"), "glorot");
        self.parameter(&format!("a{at}"), &format!("j: {m}"), "normal(0, 0.5)");
        self.line(&format!(
            "{y}[s, j] = {activation}(sum(i: w{at}[i, j] * {x}[s, i]) + sum(k: u{at}[k, j] * {y}[s - {near}, k])) \
             + a{at}[j] * {y}[s - {far}, j]"
        ));
        self.add(y, &[shape[0], m]);
        Some(())
    }

    /// Two or three equations that need each other.
    fn group(&mut self, y: &str, at: usize, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| shape.len() == 2 && shape[0] > 1)?;
        let (steps, n, m) = (shape[0], shape[1], choices.within(1..=2));
        let [near, far, other] = [0; 3].map(|_| choices.within(1..=steps - 1));
        let activation = choices.of(&SMOOTH);
        self.parameter(&format!("w{at}"), &format!("i: {n}, j: {m}"), "glorot");
        self.parameter(&format!("a{at}"), &format!("j: {m}"), "normal(0, 0.5)");
        let third = choices.below(2) == 0;
        let read = if third { format!("{y}d[s - {other}, j]") } else { format!("{y}[s - {other}, j]") };
        self.line(&format!("{y}[s: {steps}, j: {m}] = {activation}(sum(i: w{at}[i, j] * {x}[s, i]) + {y}c[s - {near}, j])"));
        self.line(&format!("{y}c[s: {steps}, j: {m}] = a{at}[j] * {y}[s, j] * {read} + {y}c[s - {far}, j] / 2"));
        if third {
            self.line(&format!("{y}d[s: {steps}, j: {m}] = sigmoid({y}c[s, j] + sum(k: {y}[s - 1, k]))"));
        }
        self.add(y, &[steps, m]);
        Some(())
    }

    fn noise(&mut self, y: &str, at: usize, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| !shape.is_empty())?;
        if choices.below(2) == 0 || shape.len() != 1 {
            self.line(&format!("{y} = {x} |> dropout({})", choices.of(&["0.2", "0.5", "0.75"])));
        } else {
            let distribution = choices.of(&["normal(0.1, 0.5)", "uniform(-1, 0.5)", "bernoulli(0.3)"]);
            self.line(&format!("noise m{at}[i: {}] ~ {distribution}", shape[0]));
            self.line(&format!("{y}[i] = {x}[i] * m{at}[i] + tanh({x}[i] + m{at}[i])"));
        }
        self.add(y, &shape);
        Some(())
    }

    /// Two values of one shape, or one with itself.
    fn join(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (a, shape) = self.pick(choices, |_| true)?;
        let (b, _) = self.pick(choices, |other| other == shape)?;
        let line = match choices.below(5) {
            0 => format!("{y} = add({a}, {b})"),
            1 => format!("{y} = {a} * tanh({b})"),
            2 => format!("{y} = max({a}, 0.3 - {b})"),
            3 => format!("{y} = {a} / (1 + {b}^2)"),
            _ => format!("{y} = if {a} > {b} {{ {a} }} else {{ sin({b}) }}"),
        };
        self.line(&line);
        self.add(y, &shape);
        Some(())
    }

    fn concat(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (a, mut shape) = self.pick(choices, |shape| !shape.is_empty())?;
        let axes = shape.len() - 1;
        let (b, other) = self.pick(choices, |other| other.len() == axes + 1 && other[..axes] == shape[..axes])?;
        self.line(&format!("{y} = concat({a}, {b})"));
        shape[axes] += other[axes];
        self.add(y, &shape);
        Some(())
    }

    fn layer(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| !shape.is_empty())?;
        let width = shape[shape.len() - 1];
        let call = match choices.below(4) {
            0 => "layer_norm(epsilon = 0.1)".to_owned(),
            1 => format!("residual({})", choices.within(1..=3)),
            2 if shape.len() == 2 => format!("attention(heads = {width}, causal = {})", choices.below(2) == 0),
            _ => format!("maxout({width}, pieces = {})", choices.within(1..=3)),
        };
        self.learns = true;
        self.line(&format!("{y} = {x} |> {call}"));
        self.add(y, &shape);
        Some(())
    }

    fn reduce(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| shape.len() == 2)?;
        let line = match choices.below(5) {
            0 => format!("{y}[j] = max(s: {x}[s, j]) - mean(s: {x}[s, j])"),
            1 => format!("{y}[j: {}] = {x}[{}, j]", shape[1], choices.below(shape[0])),
            2 => format!("{y}[j] = min(s: {x}[s, j]^2) + sum(s: {x}[s, j] * s)"),
            3 => format!("{y}[j] = product(s: 1 + {x}[s, j] / 3)"),
            _ => format!("{y}[j] = ln(sum(s: exp({x}[s, j])))"),
        };
        self.line(&line);
        self.add(y, &shape[1..]);
        Some(())
    }

    /// The same numbers at other places.
    fn rearranged(&mut self, y: &str, choices: &mut Choices) -> Option<()> {
        let (x, shape) = self.pick(choices, |shape| shape.len() >= 2)?;
        let kind = choices.below(3);
        if let (&[rows, columns], 1..) = (&shape[..], kind)
            && rows > 1
        {
            let line = if kind == 1 {
                format!("{y}[j, s] = {x}[s, j]")
            } else {
                format!("{y}[j: {columns}, s: {rows}] = {x}[{} - s, j] - {x}[s - 1, j] + {x}[s, {} - j]", rows - 1, columns - 1)
            };
            self.line(&line);
            self.add(y, &[columns, rows]);
        } else {
            self.line(&format!("{y} = {x} |> flatten"));
            self.add(y, &[shape.iter().product()]);
        }
        Some(())
    }

    /// Losses of the values that nothing reads, or an objective in their place.
    fn end(&mut self, choices: &mut Choices) {
        let unread: Vec<(String, Vec<usize>)> =
            self.values.iter().filter(|value| !value.is_read).map(|value| (value.name.clone(), value.shape.clone())).collect();
        let square = |(name, shape): &(String, Vec<usize>)| {
            let indices = ["i", "j", "l"][..shape.len()].join(", ");
            format!("sum({indices}: {name}[{indices}]^2) / {}", shape.iter().product::<usize>())
        };
        let by: Vec<String> = self.inputs.iter().chain(&self.parameters).cloned().collect();
        if !self.learns || choices.below(4) == 0 && !by.is_empty() {
            let all: Vec<String> = unread.iter().map(square).collect();
            return self.line(&format!("objective {} by {}", all.join(" + "), by.join(", ")));
        }
        for (at, value) in unread.iter().enumerate() {
            let ((name, shape), last) = (value, value.1[value.1.len() - 1]);
            match choices.below(4) {
                0 => self.line(&format!("loss {}", square(value))),
                1 => self.line(&format!("target t{at}{shape:?}\nloss huber({name}, t{at}, 0.4)")),
                2 if shape.len() == 1 => {
                    self.line(&format!(
                        "target t{at}: class[{last}]\np{at} = {name} |> softmax\nloss cross_entropy(p{at}, t{at})"
                    ));
                }
                _ => self.line(&format!("target t{at}{shape:?}\nloss squared_error({name}, t{at}) / 2")),
            }
        }
        if choices.below(3) == 0 {
            self.line(&format!("regularizer {}", choices.of(&REGULARIZERS)));
        }
        self.line(&format!("optimizer {}", choices.of(&OPTIMIZERS)));
        if choices.below(3) == 0 && self.parameters.len() > 1 {
            self.line(&format!("optimizer none on {}", self.parameters[0]));
        }
    }
}

/// The spec of a graph.
pub(crate) fn graph_spec(graph: &Graph) -> String {
    let mut writer = Writer::default();
    let mut choices = Choices(graph.inputs.iter());
    for number in 0..choices.within(1..=2) {
        writer.input(number, &mut choices);
    }
    for (at, step) in graph.steps.iter().enumerate() {
        writer.step(at, &mut Choices(step.iter()));
    }
    writer.end(&mut Choices(graph.end.iter()));
    writer.text
}
