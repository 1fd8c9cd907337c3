//! Is a rule what the derivation gives?
//!
//! A rule is an equation that someone has written down: of the forward pass, of an adjoint, of a gradient, of an update, or of a
//! partial derivative between two tensors. Both sides are read as functions of the data and the parameters and compared as such,
//! at many points; how they are written does not matter. Where they differ, the least edit that makes the rule hold says what is wrong.
//!
//! A rule reads as for one example: a term in data stands for its mean over the minibatch, while a regularizer enters whole,
//! with `m` for the number of examples.

mod certificate;
mod compare;
mod derivatives;
mod edits;
mod factors;
mod formulas;
mod numbers;
mod point;
mod report;
mod rules;
mod subject;
mod texts;
mod tree;

pub use numbers::{Given, gradient};
pub use report::{Certainty, Checked, Counterexample, Difference, Holding, Verdict};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::equation::IndexId;
use crate::model::rule::{Vocabulary, extent, meaning};
use crate::pipeline::Compiled;
use crate::sheet::NotationTable;
use crate::syntax::tree::{Expr, Spec};
use compare::{Outcome, Sides};
use formulas::Symbols;
use rules::{Line, Rule};
use subject::Subject;

/// Checks rules, one on a line, against the derivation of a spec. `name` is what messages call their text. A rule with a backslash in it
/// is LaTeX, in the symbols that `notation` gives the spec's tensors.
///
/// # Errors
/// What is wrong with rules that cannot be read, with the places; nothing is checked then.
pub fn verify(compiled: &Compiled, name: &str, text: &str, notation: &NotationTable) -> Result<Vec<Checked>, Diagnostics> {
    let Read { mut subject, prelude, lines } = read(compiled, name, text, notation)?;
    let equations = certificate::Equations::of(&subject);
    let audited = equations.audited();
    let primes = certificate::primes(&audited);
    let checked = lines.iter().map(|(statements, line)| {
        let certainty = |subject: &Subject<'_>, sides: Sides| certificate::certainty(subject, &primes, sides);
        check(statements, line, |statement| statement.check(&mut subject, &compiled.spec, &prelude, &certainty))
    });
    Ok(checked.collect())
}

/// Rules that were read.
struct Read<'d> {
    subject: Subject<'d>,
    prelude: Spec,
    /// What each line says, and the line.
    lines: Vec<(Vec<Statement>, Line)>,
}

/// Reads rules, one on a line.
fn read<'d>(compiled: &'d Compiled, name: &str, text: &str, notation: &NotationTable) -> Result<Read<'d>, Diagnostics> {
    let mut diagnostics = Diagnostics { sources: compiled.diagnostics.sources.clone(), messages: Vec::new() };
    let symbols = Symbols::new(&compiled.derivation, notation);
    let source = diagnostics.sources.add(name, rules::with_primes_at_names(text, &symbols));
    let (prelude, _) = crate::syntax::parse(&diagnostics.sources, crate::span::SourceId(0));
    let mut subject = Subject::new(&compiled.derivation);
    let mut lines = Vec::new();
    for line in rules::split(&diagnostics.sources, source, text, &symbols) {
        let known = diagnostics.messages.len();
        let statements = line.and_then(|mut line| {
            let rules = std::mem::take(&mut line.rules).into_iter();
            let statements = rules.map(|rule| Statement::new(&mut subject, &compiled.spec, &prelude, rule));
            Ok((statements.collect::<Result<Vec<Statement>, _>>()?, line))
        });
        match statements {
            Ok(statements) => lines.push(statements),
            Err(messages) => diagnostics.messages.extend(messages),
        }
        if diagnostics.messages.len() > known && diagnostics.messages.len() >= crate::limits::MODEL_MESSAGES {
            break;
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(Read { subject, prelude, lines })
}

/// Checks the rules of one line, up to the first that does not hold.
fn check(statements: &[Statement], line: &Line, mut check: impl FnMut(&Statement) -> Verdict) -> Checked {
    let verdict = |verdict| Checked { rule: line.text.clone(), line: line.number, verdict };
    let mut whole = Holding::at_once(Certainty::Certified);
    for statement in statements {
        let layer = statement.rule.layer.as_ref();
        match check(statement) {
            Verdict::Differs(mut difference) => {
                if let Some((letter, number)) = layer {
                    difference.what = format!("for {letter} = {number}: {}", difference.what);
                }
                return verdict(Verdict::Differs(difference));
            }
            Verdict::Holds(holding) => {
                whole.certainty = whole.certainty.min(holding.certainty);
                if let Some((letter, number)) = layer {
                    whole.layers.get_or_insert_with(|| (letter.clone(), Vec::new())).1.push(*number);
                }
            }
        }
    }
    if let Some((number, message)) = &line.beyond {
        let letter = whole.layers.as_ref().map_or("l", |(letter, _)| letter.as_str());
        let what = format!("the range: there is no such rule for {letter} = {number}: {}", message.message);
        return verdict(Verdict::Differs(Difference::without_numbers(what)));
    }
    verdict(Verdict::Holds(whole))
}

/// A rule whose sides mean something.
struct Statement {
    rule: Rule,
    /// The indices on the left, with their names.
    indices: Vec<(String, IndexId)>,
    /// The indices that stand for axes which the rule does not write.
    axes: Vec<IndexId>,
    sides: Sides,
    /// What is wrong with indices that leave their axes.
    misfits: Vec<String>,
    /// Whether the left side has such an index.
    is_outside: bool,
}

impl Statement {
    fn new(subject: &mut Subject<'_>, user: &Spec, prelude: &Spec, mut rule: Rule) -> Result<Statement, Vec<Diagnostic>> {
        let mut messages = Vec::new();
        rule.left = subject.with_derivatives(rule.left, &mut messages);
        rule.right = subject.with_derivatives(rule.right, &mut messages);
        if messages.is_empty() {
            messages.extend(subject.wrong_on_the_left(&rule.left, user));
        }
        if !messages.is_empty() {
            return Err(messages);
        }
        let mut indices: Vec<(String, IndexId)> = Vec::new();
        for name in tree::index_names(&rule.left, user) {
            let vocabulary = Vocabulary { user, prelude, known: &subject.known, indices: &[] };
            let extent = extent(&mut subject.context, &vocabulary, &name, &rule.left)? as i64;
            let stated = rule.ranges.iter().find(|(letter, _, _)| *letter == name.text);
            let (first, end) = stated.map_or((0, extent), |(_, first, end)| (*first, *end));
            indices.push((name.text.clone(), subject.context.add_index(name.text, first, end)));
        }
        let vocabulary = Vocabulary { user, prelude, known: &subject.known, indices: &indices };
        let left = meaning(&mut subject.context, &vocabulary, &rule.left)?;
        let is_outside = !left.misfits.is_empty();
        // Of an element that is not there nothing is asked.
        let right = if is_outside { left.clone() } else { meaning(&mut subject.context, &vocabulary, &rule.right)? };
        let misfits = right.misfits.iter().map(|misfit| format!("{}: {}", misfit.message, misfit.label)).collect();
        let axes = left.axes.clone();
        let sides = subject.aligned(&left, &right).ok_or_else(|| vec![rules::shapes_differ(&rule, subject, &left, &right)])?;
        Ok(Statement { rule, indices, axes, sides, misfits, is_outside })
    }

    fn check(
        &self,
        subject: &mut Subject<'_>,
        user: &Spec,
        prelude: &Spec,
        certainty: &dyn Fn(&Subject<'_>, Sides) -> Certainty,
    ) -> Verdict {
        match compare::compare(subject, self.sides) {
            _ if self.is_outside => {
                Verdict::Differs(Difference::without_numbers(format!("the range: {}", self.misfits.join("; "))))
            }
            Outcome::Same => Verdict::Holds(Holding::at_once(certainty(subject, self.sides))),
            Outcome::Undecided => Verdict::Differs(Difference::without_numbers(
                "at none of the points that were tried have both sides a value".to_owned(),
            )),
            Outcome::Different(failure) => {
                let edit = edits::first_that_holds(self, subject, user, prelude, &failure);
                Verdict::Differs(report::difference(self, subject, &failure, edit))
            }
        }
    }

    /// The sides with another right one; `None` where that means nothing or does not fit.
    fn with_right(&self, subject: &mut Subject<'_>, user: &Spec, prelude: &Spec, right: &Expr) -> Option<Sides> {
        let vocabulary = Vocabulary { user, prelude, known: &subject.known, indices: &self.indices };
        let right = meaning(&mut subject.context, &vocabulary, right).ok()?;
        if !right.misfits.is_empty() {
            return None;
        }
        let value = subject.at_axes(&right, &self.axes)?;
        Some(Sides { left: self.sides.left, right: value })
    }
}
