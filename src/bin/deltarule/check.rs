//! `deltarule check`: is the spec right, and what does it mean?

use crate::common::{compile_file, print, print_json};
use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::dataset::{classes, data_shape};
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::diagnostic::{Diagnostic, Diagnostics};
use deltarule_compiler::equation::{Tensor, TensorId};
use deltarule_compiler::facts::{Fact, facts};
use deltarule_compiler::generic::{GradientReport, check_gradients};
use deltarule_compiler::model::{Distribution, Parameter};
use serde_json::json;
use std::path::PathBuf;

/// Parse a spec, infer shapes, derive, compare the derivation with finite differences, and say what follows from the equations
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule check digits.spec
  deltarule check digits.spec --json

Facts that are probably not what was wanted (units that stay identical, a logarithm of 0, layers that collapse) are warnings.")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// Decides the random parameters and data at which gradients are compared
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut compiled = compile_file(&arguments.spec)?;
    let facts = facts(&compiled.derivation);
    warn(&mut compiled.diagnostics, &facts);
    let derivation = &compiled.derivation;
    let report = check_gradients(derivation, arguments.seed)
        .map_err(|error| Failure::Refused(format!("{}: the gradients cannot be checked: {error}", arguments.spec.display())))?;
    if arguments.json {
        print_json(&as_json(derivation, &report, &facts))?;
    } else {
        print(&summary(derivation, &report, &facts))?;
    }
    if report.passes() {
        return Ok(());
    }
    let failed: Vec<&str> = report.checks.iter().filter(|check| !check.passes()).map(|check| check.tensor.as_str()).collect();
    let message =
        format!("{}: the derivation and finite differences disagree in {}", arguments.spec.display(), failed.join(", "));
    Err(Failure::Refused(message))
}

fn summary(derivation: &Derivation, report: &GradientReport, facts: &[Fact]) -> String {
    let model = &derivation.model;
    let list = |ids: &[TensorId]| ids.iter().map(|&id| declaration(model.context.tensor(id))).collect::<Vec<_>>().join(", ");
    let mut text = format!("network     {}\n", model.name);
    for (what, ids) in [("inputs", &model.inputs), ("targets", &model.targets), ("outputs", &model.outputs)] {
        if !ids.is_empty() {
            text += &format!("{what:<12}{}\n", list(ids));
        }
    }
    text += &format!("parameters  {}\n", parameter_count(derivation));
    for parameter in &model.parameters {
        let frozen = if parameter.trained { "" } else { ", not trained" };
        let tensor = declaration(model.context.tensor(parameter.tensor));
        text += &format!("  {tensor:<24} {}{frozen}\n", initial_text(parameter));
    }
    let counts = equation_counts(derivation);
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    text += &format!("equations   {}\n", counts.join(", "));
    text += "gradients   compared with finite differences in f64\n";
    if report.checks.len() < report.tensors {
        let (compared, all) = (report.checks.len(), report.tensors);
        text += &format!("  {compared} of {all} tensors, each rule of the sheet at least once, since all would take long\n");
    }
    for line in report.to_string().lines() {
        text += &format!("  {line}\n");
    }
    if !facts.is_empty() {
        text += "facts\n";
    }
    for fact in facts {
        let equations: Vec<String> = fact.equations.iter().map(|number| format!("({number})")).collect();
        text += format!("  {}\n    {} {}", fact.what, fact.reason, equations.join(" ")).trim_end();
        text.push('\n');
        for formula in &fact.formulas {
            text += &format!("    {formula}\n");
        }
    }
    text
}

/// What is probably a mistake goes to standard error, with its place.
fn warn(diagnostics: &mut Diagnostics, facts: &[Fact]) {
    diagnostics.messages.clear();
    for fact in facts.iter().filter(|fact| fact.is_mistake) {
        match fact.origin {
            Some(span) => diagnostics.push(Diagnostic::warning(span, fact.what.as_str()).hint(fact.reason.as_str())),
            None => eprintln!("warning: {}: {}", fact.what, fact.reason),
        }
    }
    if !diagnostics.messages.is_empty() {
        eprintln!("{}", diagnostics.render().trim_end());
    }
}

fn as_json(derivation: &Derivation, report: &GradientReport, facts: &[Fact]) -> serde_json::Value {
    let model = &derivation.model;
    let tensor = |id: &TensorId| {
        let tensor = model.context.tensor(*id);
        let classes = tensor.label.then(|| classes(tensor));
        json!({"name": tensor.name, "shape": data_shape(tensor), "classes": classes})
    };
    let parameter = |parameter: &Parameter| {
        let tensor = model.context.tensor(parameter.tensor);
        let initial = initial_text(parameter);
        json!({"name": tensor.name, "shape": tensor.shape, "initial": initial, "trained": parameter.trained})
    };
    let check = |check: &deltarule_compiler::generic::GradientCheck| {
        json!({"tensor": check.tensor, "compared": check.compared, "at_kinks": check.at_kinks, "relative_error": check.error,
            "passes": check.passes()})
    };
    let fact = |fact: &Fact| {
        json!({"kind": fact.kind.name(), "what": fact.what, "reason": fact.reason, "formulas": fact.formulas,
            "equations": fact.equations, "warning": fact.is_mistake})
    };
    json!({
        "network": model.name,
        "inputs": model.inputs.iter().map(tensor).collect::<Vec<_>>(),
        "targets": model.targets.iter().map(tensor).collect::<Vec<_>>(),
        "outputs": model.outputs.iter().map(tensor).collect::<Vec<_>>(),
        "parameters": model.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "parameter_count": parameter_count(derivation),
        "equations": equation_counts(derivation).into_iter().map(|(what, count)| (what.to_owned(), json!(count)))
            .collect::<serde_json::Map<_, _>>(),
        "tensors": report.tensors,
        "gradients": report.checks.iter().map(check).collect::<Vec<_>>(),
        "passes": report.passes(),
        "facts": facts.iter().map(fact).collect::<Vec<_>>(),
    })
}

/// `x[64]`, `t: class[10]`, `y`.
fn declaration(tensor: &Tensor) -> String {
    let extents = |shape: &[usize]| match shape {
        [] => String::new(),
        shape => format!("[{}]", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    };
    match tensor.label {
        true => format!("{}{}: class[{}]", tensor.name, extents(&data_shape(tensor)), classes(tensor)),
        false => format!("{}{}", tensor.name, extents(&tensor.shape)),
    }
}

fn initial_text(parameter: &Parameter) -> String {
    match parameter.initial {
        Distribution::Constant(value) => format!("~ {value}"),
        Distribution::Bernoulli(probability) => format!("~ bernoulli({probability})"),
        Distribution::Uniform { low, high } => format!("~ uniform({low:.5}, {high:.5})"),
        Distribution::Normal { mean, deviation } => format!("~ normal({mean:.5}, {deviation:.5})"),
    }
}

fn parameter_count(derivation: &Derivation) -> usize {
    derivation.model.parameters.iter().map(|parameter| derivation.model.context.tensor(parameter.tensor).size()).sum()
}

fn equation_counts(derivation: &Derivation) -> [(&'static str, usize); 3] {
    let updates = derivation.model.optimizers.iter().map(|optimizer| optimizer.equations.len()).sum();
    [("forward", derivation.forward.len()), ("backward", derivation.backward.len()), ("update", updates)]
}
