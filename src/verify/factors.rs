//! Edits that bring something new into a rule: another name, a factor, a term.

use super::Statement;
use super::compare::{Failure, Outcome, Sides, compare, value_at};
use super::edits::{Candidate, Edit, bound_at, element};
use super::subject::Subject;
use super::texts::Texts;
use super::tree::{at, places, with};
use crate::equation::{Affine, Node};
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Name, Spec};

/// Other names of the same shape.
pub(super) fn names(subject: &Subject<'_>, texts: &Texts, right: &Expr) -> Vec<Candidate> {
    let shape = |name: &str| {
        let known = subject.known.iter().find(|known| known.name == name)?;
        Some(known.axes.iter().map(|&axis| subject.context.index_of(axis).extent()).collect::<Vec<_>>())
    };
    let mut found = Vec::new();
    for place in places(right) {
        let part = at(right, &place);
        let (name, indices): (&str, &[Expr]) = match &part.kind {
            ExprKind::Name(name) => (name, &[]),
            ExprKind::Access { name, indices } => (&name.text, indices),
            _ => continue,
        };
        let Some(own) = shape(name) else { continue };
        for known in &subject.known {
            if known.name == name || known.axes.len() != own.len() || shape(&known.name).as_ref() != Some(&own) {
                continue;
            }
            let kind = match indices {
                [] => ExprKind::Name(known.name.clone()),
                _ => {
                    let name = Name { text: known.name.clone(), span: part.span };
                    ExprKind::Access { name, indices: indices.to_vec() }
                }
            };
            let other = Expr { kind, span: part.span };
            let what = format!("`{}` should be `{}`", texts.of(part), texts.of(&other));
            found.push(Candidate { what, right: with(right, &place, other) });
        }
    }
    found
}

/// How many factors are tried at one place.
const FACTORS: usize = 400;

/// Factors that may be missing: elements of what has a name, at the indices that are in scope.
pub(super) fn missing(statement: &Statement, subject: &Subject<'_>, texts: &Texts) -> Vec<Candidate> {
    let right = &statement.rule.right;
    let mut found = Vec::new();
    for place in products(right) {
        let part = at(right, &place);
        let mut scope: Vec<(String, usize)> =
            (statement.indices.iter()).map(|(name, index)| (name.clone(), subject.context.index_of(*index).extent())).collect();
        // The range of a bound index follows from its uses; the elaboration refuses what does not fit.
        scope.extend(bound_at(right, &place).into_iter().map(|name| (name, 0)));
        for factor in factors(subject, &scope, part).into_iter().take(FACTORS) {
            let what = format!("the factor `{}` is missing in `{}`", texts.of(&factor), texts.of(part));
            found.push(Candidate { what, right: with(right, &place, product(part, &factor)) });
        }
    }
    found
}

fn product(left: &Expr, right: &Expr) -> Expr {
    let (left, right, span) = (Box::new(left.clone()), Box::new(right.clone()), left.span);
    Expr { kind: ExprKind::Binary { operator: BinaryOperator::Multiply, left, right }, span }
}

/// The places of terms: the whole, the operands of sums, the bodies of reductions.
fn products(right: &Expr) -> Vec<Vec<usize>> {
    let is_sum =
        |expr: &Expr| matches!(expr.kind, ExprKind::Binary { operator: BinaryOperator::Add | BinaryOperator::Subtract, .. });
    let is_term = |place: &Vec<usize>| match place.split_last() {
        None => true,
        Some((_, outer)) => {
            let outer = at(right, outer);
            is_sum(outer) || matches!(outer.kind, ExprKind::Reduce { .. } | ExprKind::Negate(_))
        }
    };
    places(right).into_iter().filter(is_term).collect()
}

/// What may be a factor where these indices are in scope.
fn factors(subject: &Subject<'_>, scope: &[(String, usize)], like: &Expr) -> Vec<Expr> {
    let mut found = Vec::new();
    for known in &subject.known {
        let extents: Vec<usize> = known.axes.iter().map(|&axis| subject.context.index_of(axis).extent()).collect();
        let mut choices: Vec<Vec<String>> = vec![Vec::new()];
        for extent in extents {
            choices = choices
                .iter()
                .flat_map(|choice| {
                    let fitting = scope.iter().filter(move |(_, own)| *own == extent || *own == 0);
                    fitting.map(|(name, _)| choice.iter().chain([name]).cloned().collect())
                })
                .collect();
        }
        for choice in choices {
            let factor = element(&known.name, &choice, like);
            let one = Expr { kind: ExprKind::Number(1.0), span: like.span };
            let complement =
                ExprKind::Binary { operator: BinaryOperator::Subtract, left: Box::new(one), right: Box::new(factor.clone()) };
            found.push(factor);
            found.push(Expr { kind: complement, span: like.span });
        }
    }
    found
}

/// For each term of the right side the number that it would have to be multiplied with, where that is a simple one.
pub(super) fn numbers(
    statement: &Statement,
    subject: &mut Subject<'_>,
    texts: &Texts,
    failure: &Failure,
    user: &Spec,
    prelude: &Spec,
) -> Vec<Candidate> {
    let right = &statement.rule.right;
    let batch = subject.context.access(subject.derivation.model.batch_size, Vec::new());
    let mut found = Vec::new();
    for place in top_terms(right) {
        let part = at(right, &place).clone();
        let zero = Expr { kind: ExprKind::Number(0.0), span: part.span };
        let Some(others) = statement.with_right(subject, user, prelude, &with(right, &place, zero)) else { continue };
        let Some(others) = value_at(subject, others.right, failure) else { continue };
        let (term, needed) = (failure.right - others, failure.left - others);
        let size = value_at(subject, batch, failure).unwrap_or(1.0);
        let m = Expr { kind: ExprKind::Name("m".to_owned()), span: part.span };
        let units = [(1.0, None), (size, Some((BinaryOperator::Multiply, &m))), (1.0 / size, Some((BinaryOperator::Divide, &m)))];
        for (unit, with_size) in units {
            let Some((over, under)) = simple_fraction(needed / term / unit) else { continue };
            if (over, under) == (1, 1) && with_size.is_none() {
                continue;
            }
            let number = |value: i64| Expr { kind: ExprKind::Number(value as f64), span: part.span };
            let binary = |operator, left: Expr, right: Expr| Expr {
                kind: ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) },
                span: part.span,
            };
            let mut factor = number(over);
            if under != 1 {
                factor = binary(BinaryOperator::Divide, factor, number(under));
            }
            if let Some((operator, m)) = with_size {
                let is_plain = (over, under) == (1, 1) && operator == BinaryOperator::Multiply;
                factor = if is_plain { m.clone() } else { binary(operator, factor, m.clone()) };
            }
            let what = format!("the factor `{}` is missing in `{}`", texts.of(&factor), texts.of(&part));
            found.push(Candidate { what, right: with(right, &place, product(&factor, &part)) });
        }
    }
    found
}

/// The operands of the outermost sum.
fn top_terms(right: &Expr) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(place) = open.pop() {
        match &at(right, &place).kind {
            ExprKind::Binary { operator: BinaryOperator::Add | BinaryOperator::Subtract, .. } => {
                for position in [1, 0] {
                    let mut part: Vec<usize> = place.clone();
                    part.push(position);
                    open.push(part);
                }
            }
            _ => found.push(place),
        }
    }
    found
}

/// A positive fraction of small integers other than 1.
fn simple_fraction(value: f64) -> Option<(i64, i64)> {
    (1..=12i64).find_map(|under| {
        let over = (value * under as f64).round();
        let is_near = (value * under as f64 - over).abs() <= 1e-9 * over.abs();
        (is_near && (1.0..=1000.0).contains(&over)).then_some((over as i64, under))
    })
}

/// A term of the derivation that the rule lacks.
pub(super) fn missing_term(statement: &Statement, subject: &mut Subject<'_>, texts: &Texts) -> Option<Edit> {
    let Node::Access { tensor, indices } = subject.context.node(statement.sides.left).clone() else { return None };
    let equation = subject.equation_of(tensor)?.clone();
    let renaming: Vec<(_, Affine)> = equation.indices.iter().copied().zip(indices).collect();
    let value = subject.context.substitute_indices(equation.value, &renaming);
    let Node::Add(terms) = subject.context.node(value).clone() else { return None };
    for term in terms {
        let right = subject.context.add([statement.sides.right, term]);
        if let Outcome::Same = compare(subject, Sides { left: statement.sides.left, right }) {
            let shown = subject.context.expression_text(term);
            let rule = &statement.rule;
            return Some(Edit {
                what: format!("the term `{shown}` is missing"),
                rule: format!("{} = {} + {shown}", texts.of(&rule.left), texts.of(&rule.right)),
            });
        }
    }
    None
}
