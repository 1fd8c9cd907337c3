//! What is wrong with a rule: small edits of its right side are tried, and the first that makes the rule hold names the difference.

use super::Statement;
use super::compare::{Failure, Outcome, agree_at, compare};
use super::factors;
use super::subject::Subject;
use super::texts::Texts;
use super::tree::{at, places, with};
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Name, Relation, Spec};

/// An edit that makes a rule hold.
pub(super) struct Edit {
    /// What was wrong.
    pub(super) what: String,
    /// The whole rule after the edit.
    pub(super) rule: String,
}

/// Another right side and what its difference is called.
pub(super) struct Candidate {
    pub(super) what: String,
    pub(super) right: Expr,
}

/// How many pairs of edits are tried where no single one helps.
const PAIRS: usize = 4_000;

/// The first edit after which the rule holds, single ones before pairs.
pub(super) fn first_that_holds(
    statement: &Statement,
    subject: &mut Subject<'_>,
    user: &Spec,
    prelude: &Spec,
    failure: &Failure,
) -> Option<Edit> {
    let right = &statement.rule.right;
    let texts = &Texts::new(subject);
    let holds = |subject: &mut Subject<'_>, candidate: &Candidate| {
        let Some(sides) = statement.with_right(subject, user, prelude, &candidate.right) else { return false };
        agree_at(subject, sides, failure) && matches!(compare(subject, sides), Outcome::Same)
    };
    let edited = |candidate: Candidate| Edit {
        what: candidate.what,
        rule: format!("{} = {}", texts.of(&statement.rule.left), texts.of(&candidate.right)),
    };
    let small = small_edits(statement, right, texts);
    let singles = small_edits(statement, right, texts).into_iter().chain(factors::names(subject, texts, right));
    let mut singles: Vec<Candidate> = singles.collect();
    singles.extend(factors::numbers(statement, subject, texts, failure, user, prelude));
    singles.extend(factors::missing(statement, subject, texts));
    for candidate in singles {
        if holds(subject, &candidate) {
            return Some(edited(candidate));
        }
    }
    if let Some(edit) = factors::missing_term(statement, subject, texts) {
        return Some(edit);
    }
    let mut tried = 0;
    for first in small {
        for second in small_edits(statement, &first.right, texts) {
            tried += 1;
            if tried > PAIRS {
                return None;
            }
            let candidate = Candidate { what: format!("{}; {}", first.what, second.what), right: second.right };
            if holds(subject, &candidate) {
                return Some(edited(candidate));
            }
        }
    }
    None
}

/// Edits that add nothing: signs, terms and factors that go, indices, ranges and comparisons.
fn small_edits(statement: &Statement, right: &Expr, texts: &Texts) -> Vec<Candidate> {
    let mut edits = signs(right, texts);
    edits.extend(removed(right, texts));
    edits.extend(indices(statement, right, texts));
    edits.extend(ranges(right, texts));
    edits.extend(comparisons(right, texts));
    edits
}

/// An expression with the other sign.
fn negated(expr: &Expr) -> Expr {
    match &expr.kind {
        ExprKind::Negate(inner) => (**inner).clone(),
        _ => Expr { kind: ExprKind::Negate(Box::new(expr.clone())), span: expr.span },
    }
}

fn binary(operator: BinaryOperator, left: &Expr, right: &Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary { operator, left: Box::new(left.clone()), right: Box::new(right.clone()) }, span }
}

/// The other sign for the whole and for each term.
fn signs(right: &Expr, texts: &Texts) -> Vec<Candidate> {
    use BinaryOperator::{Add, Subtract};
    let mut found = vec![Candidate { what: "the sign of the right side".to_owned(), right: negated(right) }];
    for place in places(right) {
        let part = at(right, &place);
        match &part.kind {
            ExprKind::Binary { operator: operator @ (Add | Subtract), left, right: last } => {
                let other = if *operator == Add { Subtract } else { Add };
                let what = |term: &Expr| format!("the sign of `{}`", texts.of(term));
                found.push(Candidate { what: what(last), right: with(right, &place, binary(other, left, last)) });
                if !matches!(left.kind, ExprKind::Binary { operator: Add | Subtract, .. }) {
                    let first = negated(left);
                    found.push(Candidate { what: what(left), right: with(right, &place, binary(*operator, &first, last)) });
                }
            }
            ExprKind::Negate(inner) if !place.is_empty() => {
                let what = format!("the sign of `{}`", texts.of(inner));
                found.push(Candidate { what, right: with(right, &place, (**inner).clone()) });
            }
            _ => {}
        }
    }
    found
}

/// The whole without one of its terms, factors, divisors, exponents or conditions, or with a factor for a divisor.
fn removed(right: &Expr, texts: &Texts) -> Vec<Candidate> {
    use BinaryOperator::{Add, Divide, Multiply, Power, Subtract};
    let mut found = Vec::new();
    for place in places(right) {
        let mut push = |what: String, part: Expr| found.push(Candidate { what, right: with(right, &place, part) });
        let surplus = |kind: &str, part: &Expr| format!("the {kind} `{}` should not be there", texts.of(part));
        match &at(right, &place).kind {
            ExprKind::Binary { operator, left, right: last } => match operator {
                Add => {
                    push(surplus("term", last), (**left).clone());
                    push(surplus("term", left), (**last).clone());
                }
                Subtract => {
                    push(surplus("term", last), (**left).clone());
                    push(surplus("term", left), negated(last));
                }
                Multiply => {
                    push(surplus("factor", last), (**left).clone());
                    push(surplus("factor", left), (**last).clone());
                    push(format!("`{}` should be a divisor", texts.of(last)), binary(Divide, left, last));
                }
                Divide => {
                    push(surplus("divisor", last), (**left).clone());
                    push(format!("`{}` should be a factor", texts.of(last)), binary(Multiply, left, last));
                }
                Power => push(surplus("exponent", last), (**left).clone()),
            },
            ExprKind::If { condition, then, otherwise } => {
                push(surplus("condition", condition), (**then).clone());
                push(surplus("condition", condition), (**otherwise).clone());
                let turned = ExprKind::If { condition: condition.clone(), then: otherwise.clone(), otherwise: then.clone() };
                push("the branches are swapped".to_owned(), Expr { kind: turned, span: condition.span });
            }
            _ => {}
        }
    }
    found
}

/// Uses of an index: its name, and the places where it is an index of an access by itself.
fn uses(right: &Expr) -> Vec<(String, Vec<usize>)> {
    let mut found = Vec::new();
    for place in places(right) {
        if let ExprKind::Access { indices, .. } = &at(right, &place).kind {
            for (position, index) in indices.iter().enumerate() {
                if let ExprKind::Name(name) = &index.kind {
                    let mut own = place.clone();
                    own.push(position);
                    found.push((name.clone(), own));
                }
            }
        }
    }
    found
}

/// The indices that reductions around a place bind.
pub(super) fn bound_at(right: &Expr, place: &[usize]) -> Vec<String> {
    let mut names = Vec::new();
    for depth in 0..place.len() {
        if let ExprKind::Reduce { indices, .. } = &at(right, &place[..depth]).kind {
            names.extend(indices.iter().map(|index| index.name.text.clone()));
        }
    }
    names
}

/// How many uses of one index are tried in all combinations.
const COMBINED_USES: usize = 6;

/// One index for another at some of its uses, and indices of an access in another order.
fn indices(statement: &Statement, right: &Expr, texts: &Texts) -> Vec<Candidate> {
    let uses = uses(right);
    let around = |place: &[usize]| {
        let mut names: Vec<String> = statement.indices.iter().map(|(name, _)| name.clone()).collect();
        names.extend(bound_at(right, place));
        names
    };
    let mut found = Vec::new();
    let mut froms: Vec<&str> = uses.iter().map(|(name, _)| name.as_str()).collect();
    froms.sort_unstable();
    froms.dedup();
    for from in froms {
        let own: Vec<&Vec<usize>> = uses.iter().filter(|(name, _)| name == from).map(|(_, place)| place).collect();
        let mut others: Vec<String> = own.iter().flat_map(|place| around(place)).filter(|name| name != from).collect();
        others.sort_unstable();
        others.dedup();
        for to in others {
            let open: Vec<&Vec<usize>> = own.iter().copied().filter(|place| around(place).contains(&to)).collect();
            for chosen in choices(open.len()) {
                let chosen: Vec<&Vec<usize>> = chosen.iter().map(|&position| open[position]).collect();
                found.push(renamed(texts, right, from, &to, &chosen));
            }
        }
    }
    for place in places(right) {
        let ExprKind::Access { name, indices } = &at(right, &place).kind else { continue };
        for second in 1..indices.len() {
            for first in 0..second {
                let mut turned = indices.clone();
                turned.swap(first, second);
                let part = at(right, &place);
                let swapped = Expr { kind: ExprKind::Access { name: name.clone(), indices: turned }, span: part.span };
                let what = format!("wrong indices: `{}` should be `{}`", texts.of(part), texts.of(&swapped));
                found.push(Candidate { what, right: with(right, &place, swapped) });
            }
        }
    }
    found
}

/// Which of some uses are changed together: any of few, else one, all but one, or all.
fn choices(count: usize) -> Vec<Vec<usize>> {
    let all = 0..count;
    if count <= COMBINED_USES {
        let mut chosen: Vec<Vec<usize>> =
            (1..1usize << count).map(|bits| all.clone().filter(|position| bits >> position & 1 == 1).collect()).collect();
        chosen.sort_by_key(Vec::len);
        return chosen;
    }
    let but_one = |left_out: usize| all.clone().filter(|&position| position != left_out).collect();
    let single = all.clone().map(|position| vec![position]);
    single.chain(std::iter::once(all.clone().collect())).chain(all.clone().map(but_one)).collect()
}

fn renamed(texts: &Texts, right: &Expr, from: &str, to: &str, chosen: &[&Vec<usize>]) -> Candidate {
    let mut edited = right.clone();
    let mut accesses: Vec<String> = Vec::new();
    for place in chosen {
        let access = texts.of(at(right, &place[..place.len() - 1]));
        if !accesses.contains(&access) {
            accesses.push(access);
        }
        let span = at(right, place).span;
        edited = with(&edited, place, Expr { kind: ExprKind::Name(to.to_owned()), span });
    }
    let accesses: Vec<String> = accesses.iter().map(|access| format!("`{access}`")).collect();
    Candidate { what: format!("a wrong index: `{from}` should be `{to}` in {}", accesses.join(", ")), right: edited }
}

/// Other bounds for a reduction that states its range, and none.
fn ranges(right: &Expr, texts: &Texts) -> Vec<Candidate> {
    let mut found = Vec::new();
    for place in places(right) {
        let part = at(right, &place);
        let ExprKind::Reduce { operator, leading, indices, body } = &part.kind else { continue };
        for (position, index) in indices.iter().enumerate() {
            let Some((first, end)) = &index.range else { continue };
            let shifted = |bound: &Expr, by: f64| {
                let one = Expr { kind: ExprKind::Number(by.abs()), span: bound.span };
                match &bound.kind {
                    ExprKind::Number(number) if number + by >= 0.0 => {
                        Expr { kind: ExprKind::Number(number + by), span: bound.span }
                    }
                    _ => binary(if by > 0.0 { BinaryOperator::Add } else { BinaryOperator::Subtract }, bound, &one),
                }
            };
            let other = [
                None,
                Some((shifted(first, -1.0), end.clone())),
                Some((shifted(first, 1.0), end.clone())),
                Some((first.clone(), shifted(end, 1.0))),
                Some((first.clone(), shifted(end, -1.0))),
            ];
            for range in other {
                let shown = match &range {
                    None => "all of its axis".to_owned(),
                    Some((first, end)) => format!("{}..{}", texts.of(first), texts.of(end)),
                };
                let mut indices = indices.clone();
                indices[position].range = range;
                let kind = ExprKind::Reduce { operator: *operator, leading: *leading, indices, body: body.clone() };
                let what =
                    format!("the range of `{}` should be {shown}, not {}..{}", index.name.text, texts.of(first), texts.of(end));
                found.push(Candidate { what, right: with(right, &place, Expr { kind, span: part.span }) });
            }
        }
    }
    found
}

/// Another comparison in a condition.
fn comparisons(right: &Expr, texts: &Texts) -> Vec<Candidate> {
    use Relation::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let mut found = Vec::new();
    for place in places(right) {
        let part = at(right, &place);
        let ExprKind::Compare { relation, left, right: last } = &part.kind else { continue };
        for other in [GreaterEqual, Greater, LessEqual, Less, Equal, NotEqual] {
            if other != *relation {
                let kind = ExprKind::Compare { relation: other, left: left.clone(), right: last.clone() };
                let edited = Expr { kind, span: part.span };
                let what = format!("the condition `{}` should be `{}`", texts.of(part), texts.of(&edited));
                found.push(Candidate { what, right: with(right, &place, edited) });
            }
        }
    }
    found
}

/// A name or an element of what it stands for.
pub(super) fn element(name: &str, indices: &[String], like: &Expr) -> Expr {
    let span = like.span;
    let index = |name: &String| Expr { kind: ExprKind::Name(name.clone()), span };
    let kind = match indices {
        [] => ExprKind::Name(name.to_owned()),
        _ => ExprKind::Access { name: Name { text: name.to_owned(), span }, indices: indices.iter().map(index).collect() },
    };
    Expr { kind, span }
}
