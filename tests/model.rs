//! What a spec means: the equations of its model.

use std::fmt::Write;

use deltarule_compiler::equation::{Context, Equation, TensorId};
use deltarule_compiler::model::Model;
use deltarule_compiler::pipeline;

/// A model as text: a line for each of its parts.
fn text(model: &Model) -> String {
    let mut text = String::new();
    let context = &model.context;
    let mut line = |line: String| writeln!(text, "{line}").expect("a String takes all that is written");
    line(format!("network {}", model.name));
    let tensor = |id: TensorId| {
        let tensor = context.tensor(id);
        let shape = if tensor.shape.is_empty() { String::new() } else { format!("{:?}", tensor.shape) };
        format!("{}{shape}{}", tensor.name, if tensor.label { " (label)" } else { "" })
    };
    model.inputs.iter().for_each(|&id| line(format!("input {}", tensor(id))));
    model.targets.iter().for_each(|&id| line(format!("target {}", tensor(id))));
    for parameter in &model.parameters {
        let weight = if parameter.is_weight { ", a weight" } else { "" };
        let frozen = if parameter.trained { "" } else { ", frozen" };
        line(format!("param {} ~ {:?}{weight}{frozen}", tensor(parameter.tensor), parameter.initial));
    }
    model.noises.iter().for_each(|noise| line(format!("noise {} ~ {:?}", tensor(noise.tensor), noise.distribution)));
    model.equations.iter().for_each(|equation| line(equation_text(context, equation)));
    model.outputs.iter().for_each(|&id| line(format!("output {}", tensor(id))));
    if let Some(objective) = &model.objective {
        let by: Vec<String> = objective.by.iter().map(|&id| tensor(id)).collect();
        line(format!("objective {} by {}", tensor(objective.value), by.join(", ")));
    }
    if let Some(loss) = model.loss {
        line(format!("loss {}", tensor(loss)));
    }
    model.constants.iter().for_each(|equation| line(format!("constant {}", equation_text(context, equation))));
    for regularizer in &model.regularizers {
        let value = context.expression_text(regularizer.value);
        line(format!("regularizer {} on {}: {value}", regularizer.line, tensor(regularizer.parameter)));
    }
    for optimizer in &model.optimizers {
        line(format!("optimizer {} {} on {}", optimizer.line, optimizer.rule, tensor(optimizer.parameter)));
        optimizer.states.iter().for_each(|state| line(format!("  state {} ~ {}", tensor(state.tensor), state.initial)));
        optimizer.equations.iter().for_each(|equation| line(format!("  {}", equation_text(context, equation))));
    }
    text
}

fn equation_text(context: &Context, equation: &Equation) -> String {
    context.equation_text(equation)
}

fn model_of(name: &str) -> String {
    let path = format!("tests/specs/{name}.spec");
    let source = std::fs::read_to_string(&path).expect("the fixture is in the repository");
    match pipeline::build(&format!("{name}.spec"), &source) {
        Ok((model, diagnostics)) => format!("{}{}", diagnostics.render(), text(&model)),
        Err(diagnostics) => panic!("{}", diagnostics.render()),
    }
}

#[test]
fn specs_mean_these_equations() {
    for name in [
        "digits",
        "circuit",
        "neuron",
        "autoencoder",
        "definitions",
        "expressions",
        "sequence",
        "affine",
        "recurrences",
        "recurrent_layers",
    ] {
        insta::assert_snapshot!(name, model_of(name));
    }
}

#[test]
fn what_is_drawn_for_each_example_is_listed_in_the_order_of_the_text() {
    insta::assert_snapshot!("noise", model_of("noise"));
}

/// The names of what a spec gives.
fn outputs_of(text: &str) -> Vec<String> {
    match pipeline::build("outputs.spec", text) {
        Ok((model, _)) => model.outputs.iter().map(|&output| model.context.tensor(output).name.clone()).collect(),
        Err(diagnostics) => panic!("{}", diagnostics.render()),
    }
}

#[test]
fn a_recurrence_counts_as_one_equation_where_outputs_are_looked_for() {
    let start = "input x[4, 2]\ntarget t[4, 2]\n";
    let group = "h[s: 4, j: 2] = tanh(x[s, j] + c[s - 1, j])\nc[s: 4, j: 2] = h[s, j] + c[s - 1, j] / 2\n";
    let outputs = |rest: &str| outputs_of(&format!("{start}{rest}"));
    assert_eq!(outputs("h = x |> lstm(2)\nloss squared_error(h, t)"), ["h"], "what its gates read one step later is an output");
    assert_eq!(outputs("h[s, j] = x[s, j] + h[s - 1, j]\nloss squared_error(h, t)"), ["h"]);
    assert_eq!(outputs(&format!("{group}loss squared_error(c, t)")), ["c"], "h is read at the same step");
    assert_eq!(
        outputs(&format!("{group}y = h |> dense(2)\nloss squared_error(y, t)")),
        ["y"],
        "the memory beside h is no output"
    );
    let late = "h[s: 4, j: 2] = x[s, j] + h[s - 1, j]\ny[s: 4, j: 2] = h[s - 1, j]\nloss squared_error(y, t)";
    assert_eq!(outputs(late), ["y"], "another equation reads h, if at earlier steps");
}

#[test]
fn what_is_made_for_the_loss_is_no_output() {
    let text = "function pair(d, far) = if d > far { far } else { d / 2 }
        input x[4]
        h = x |> dense(6)
        e[r: 3, c: 2] = h[2*r + c]
        loss sum(r, s: pair(sum(c: (e[r, c] - e[s, c])^2), 2))
        optimizer sgd(0.1)";
    assert_eq!(outputs_of(text), ["e"]);
}
