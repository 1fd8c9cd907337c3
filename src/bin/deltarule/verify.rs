//! `deltarule verify`: are these rules what the derivation gives?

use crate::common::{compile_file, print};
use crate::failure::Failure;
use crate::notation::NotationOptions;
use clap::{ArgGroup, Args};
use deltarule_compiler::files::read_spec;
use deltarule_compiler::verify::verify;
use std::path::PathBuf;

/// Check rules against the derivation: each holds as an equation of functions, or differs, and where
#[derive(Args)]
#[command(
    group = ArgGroup::new("which").args(["rule", "rules"]).required(true).multiple(true),
    after_help = "Examples:
  deltarule verify digits.spec --rule 'dE/ddense2.s[j] = y[j] - t[j]'
  deltarule verify digits.spec --rule '\\frac{\\partial E}{\\partial b_j^1} = \\frac{\\partial E}{\\partial \\mathrm{sum}_j^1}'
  deltarule verify digits.spec --rule '∂ℓ/∂wˡᵢⱼ = ∂ℓ/∂sumˡⱼ · σˡ⁻¹ᵢ, l = 1, 2'
  deltarule verify digits.spec --notation matrix --rule '∂ℓ/∂W^[1] = x (∂ℓ/∂f^[1])ᵀ'
  deltarule verify net.spec --rule \"w' = w - sgd.rate * dE/dw\" --rule \"b' = b - sgd.rate * dE/db\"
  deltarule verify net.spec --rules notes.rules

A rule is an equation in the language of specs, with dE/dw[i, j] for the derivative of the objective and dy[j]/ds[k] for that of \
one tensor by another. Or it is written as on the sheet, in the symbols of --notation: in LaTeX where it has a backslash, in text \
where it has signs such as ∂, Σ, ⁽¹⁾ or ᵢ. There tensors may stand without indices, as matrices (W^{[1]T} x, ⊙), and a rule for \
layers in general (w^l) is checked for each, or for those it names: l = L-1 down to 1. It reads as for one example: a term in data \
stands for its mean over the minibatch; regularizers enter whole, with m.

A rule that holds does so \"exactly\" where both sides are equal modulo large primes as well, where nothing is rounded (where values \
meet, as at a kink, f64 alone decides); else \"within rounding\", at points in f64.

Exit codes: 0 all rules hold, 1 one does not, 2 one cannot be read."
)]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// A rule; may be given several times
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// A file of rules, one on a line, comments after //
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    #[command(flatten)]
    notation: NotationOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let notation = arguments.notation.table()?;
    let mut texts = Vec::new();
    if !arguments.rule.is_empty() {
        texts.push(("--rule".to_owned(), arguments.rule.join("\n")));
    }
    for path in &arguments.rules {
        texts.push((path.display().to_string(), read_spec(path)?));
    }
    let mut checked = Vec::new();
    for (name, text) in &texts {
        checked.extend(verify(&compiled, name, text, &notation).map_err(|messages| Failure::Unreadable(Box::new(messages)))?);
    }
    if checked.is_empty() {
        return Err(Failure::Usage("there is no rule to check".to_owned()));
    }
    print(&checked.iter().map(ToString::to_string).collect::<String>())?;
    match checked.iter().filter(|checked| !checked.holds()).count() {
        0 => Ok(()),
        1 if checked.len() == 1 => Err(Failure::Refused("the rule does not hold".to_owned())),
        wrong => Err(Failure::Refused(format!("{wrong} of {} rules do not hold", checked.len()))),
    }
}
