//! What is said about a rule.

use std::cell::RefCell;
use std::fmt;

use super::Statement;
use super::compare::Failure;
use super::edits::Edit;
use super::subject::Subject;
use super::texts::Texts;
use crate::equation::{Affine, Bindings, IndexId, Node, Role, TensorId, evaluate};

/// A rule and whether it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The rule as it was written.
    pub rule: String,
    /// The line of its text, from 1.
    pub line: usize,
    /// Whether it holds.
    pub verdict: Verdict,
}

impl Checked {
    /// Whether the rule is what the derivation gives.
    pub fn holds(&self) -> bool {
        matches!(self.verdict, Verdict::Holds(_))
    }
}

/// Whether a rule is what the derivation gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Both sides are the same function.
    Holds(Holding),
    /// They are not.
    Differs(Difference),
}

/// How it is known that a rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// How sure it is.
    pub certainty: Certainty,
    /// For a rule about layers in general: the letter of a layer, and for which layers it was checked.
    pub layers: Option<(String, Vec<i64>)>,
}

/// How two sides were found equal. Wherever values do not meet as at a kink: there both are compared in `f64` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// At points in `f64`, within rounding: something in the rule has no value modulo a prime, or is rounded.
    Sampled,
    /// Also modulo large primes, where there is no rounding: different functions would hardly ever agree.
    Certified,
}

impl Holding {
    /// That a rule holds which is about no layers in general.
    pub(super) fn at_once(certainty: Certainty) -> Holding {
        Holding { certainty, layers: None }
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("holds")?;
        if let Some((letter, layers)) = &self.layers {
            let layers: Vec<String> = layers.iter().map(i64::to_string).collect();
            write!(formatter, " for {letter} = {}", layers.join(", "))?;
        }
        formatter.write_str(match self.certainty {
            Certainty::Certified => ", exactly: also modulo large primes",
            Certainty::Sampled => ", within rounding: at points in f64",
        })
    }
}

/// How a rule differs from the derivation.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What is wrong: the least edit that makes the rule hold, or that none was found.
    pub what: String,
    /// The rule after that edit.
    pub corrected: Option<String>,
    /// What the derivation gives for the left side, with the number of the equation on the sheet, 0 where it has none.
    pub derived: Option<(u32, String)>,
    /// Numbers that tell the sides apart.
    pub counterexample: Option<Counterexample>,
}

/// Numbers at which two sides differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterexample {
    /// The values of the indices on the left, such as `i = 0, j = 2`; empty where there are none.
    pub at: String,
    /// The left side.
    pub left: f64,
    /// The right side.
    pub right: f64,
    /// What the sides read, with their values.
    pub values: Vec<(String, f64)>,
}

impl Difference {
    /// A difference that no numbers show.
    pub(super) fn without_numbers(what: String) -> Difference {
        Difference { what, corrected: None, derived: None, counterexample: None }
    }
}

/// How many elements a counterexample names.
const VALUES: usize = 8;

/// Describes how a rule differs.
pub(super) fn difference(statement: &Statement, subject: &Subject<'_>, failure: &Failure, edit: Option<Edit>) -> Difference {
    let derived = derived(statement, subject);
    let (what, corrected) = match edit {
        Some(edit) => (edit.what, Some(edit.rule)),
        None => match statement.misfits.first() {
            Some(misfit) => (format!("a wrong index: {misfit}"), None),
            None => ("the right side is another function, and no small edit makes it the left one".to_owned(), None),
        },
    };
    let what = if failure.only_where_values_meet { format!("only where values meet, as at a kink: {what}") } else { what };
    Difference { what, corrected, derived, counterexample: Some(counterexample(statement, subject, failure)) }
}

/// The equation that the derivation has for the left side.
fn derived(statement: &Statement, subject: &Subject<'_>) -> Option<(u32, String)> {
    let Node::Access { tensor, .. } = subject.context.node(statement.sides.left) else { return None };
    let equation = subject.equation_of(*tensor)?;
    Some((equation.number, subject.context.equation_text(equation)))
}

fn counterexample(statement: &Statement, subject: &Subject<'_>, failure: &Failure) -> Counterexample {
    let inner = subject.points[failure.point].values(subject);
    let recorder = Recorder { inner: &inner, read: RefCell::default() };
    for side in [statement.sides.left, statement.sides.right] {
        // The value is known; what counts is what was read on the way.
        let _ = evaluate(&subject.context, &recorder, &failure.at, side);
    }
    let left = match subject.context.node(statement.sides.left) {
        Node::Access { tensor, indices } => Some((*tensor, places(indices, &failure.at))),
        _ => None,
    };
    let texts = Texts::new(subject);
    let mut values = Vec::new();
    for (tensor, indices, value) in recorder.read.into_inner() {
        let tensor_name = &subject.context.tensor(tensor).name;
        let name = texts.element(tensor_name, &indices);
        let is_left = left.as_ref() == Some(&(tensor, indices));
        let is_obvious = subject.context.tensor(tensor).role == Role::Objective;
        if !is_left && !is_obvious && values.len() < VALUES && !values.iter().any(|(known, _)| *known == name) {
            values.push((name, value));
        }
    }
    let name_of = |index: IndexId| {
        let named = statement.indices.iter().find(|(_, own)| *own == index);
        named.map_or_else(|| subject.context.index_of(index).name.clone(), |(name, _)| name.clone())
    };
    let at: Vec<String> = failure.at.iter().map(|&(index, value)| format!("{} = {value}", name_of(index))).collect();
    Counterexample { at: at.join(", "), left: failure.left, right: failure.right, values }
}

fn places(indices: &[Affine], at: &[(IndexId, i64)]) -> Vec<i64> {
    let value = |index: IndexId| at.iter().find(|(own, _)| *own == index).map_or(0, |(_, value)| *value);
    indices
        .iter()
        .map(|affine| affine.terms.iter().fold(affine.constant, |sum, &(index, times)| sum + times * value(index)))
        .collect()
}

/// Notes which elements are read.
struct Recorder<'a> {
    inner: &'a dyn Bindings,
    read: RefCell<Vec<(TensorId, Vec<i64>, f64)>>,
}

impl Bindings for Recorder<'_> {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        let value = self.inner.element(tensor, indices)?;
        self.read.borrow_mut().push((tensor, indices.to_vec(), value));
        Some(value)
    }
}

/// A number as a reader wants it, with so many digits behind the point.
struct Digits(f64, usize);

/// How many digits behind the point are shown, unless more are needed to tell two numbers apart.
const DIGITS: usize = 4;

impl fmt::Display for Digits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Digits(value, digits) = *self;
        if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) {
            let text = format!("{value:.digits$e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            return write!(formatter, "{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'));
        }
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        formatter.write_str(if text == "-0" { "0" } else { text })
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(formatter, "at {}: ", self.at)?;
        }
        let shown = |value: f64, digits: usize| Digits(value, digits).to_string();
        let digits = (DIGITS..16).find(|&digits| shown(self.left, digits) != shown(self.right, digits)).unwrap_or(16);
        write!(formatter, "left {}, right {}", shown(self.left, digits), shown(self.right, digits))?;
        for (number, (name, value)) in self.values.iter().enumerate() {
            write!(formatter, "{} {name} = {}", if number == 0 { ", where" } else { "," }, Digits(*value, DIGITS))?;
        }
        Ok(())
    }
}

/// The rule, and below it whether it holds.
impl fmt::Display for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.rule)?;
        let difference = match &self.verdict {
            Verdict::Holds(holding) => return writeln!(formatter, "  {holding}"),
            Verdict::Differs(difference) => difference,
        };
        writeln!(formatter, "  differs: {}", difference.what)?;
        if let Some(corrected) = &difference.corrected {
            writeln!(formatter, "    right: {corrected}")?;
        }
        if let Some((number, equation)) = &difference.derived {
            let number = if *number == 0 { String::new() } else { format!(" ({number})") };
            writeln!(formatter, "    derived:{number} {equation}")?;
        }
        if let Some(counterexample) = &difference.counterexample {
            writeln!(formatter, "    {counterexample}")?;
        }
        Ok(())
    }
}
