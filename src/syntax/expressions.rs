//! Expressions: from pairs to the tree.

use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, ConstPrattParser, Op, pratt_precedence};

use super::grammar::{Parts, Place, Rule};
use super::tree::{Argument, BinaryOperator, BoundIndex, Expr, ExprKind, Name, ReduceOperator, Relation};
use crate::diagnostic::{Diagnostic, nearest};
use crate::span::Span;

/// What lowering gives: the tree, or what is wrong with the statement, in a box because each level of a nested expression
/// keeps room for it on the stack.
pub(super) type Lowered<T> = Result<T, Box<Diagnostic>>;

/// Which operator binds tighter: loosest first, those of one line alike. `|>` binds looser than all of them.
static PRECEDENCE: ConstPrattParser<Rule, 15> = ConstPrattParser::new_const(pratt_precedence![
    Op::infix(Rule::or, Assoc::Left),
    Op::infix(Rule::and, Assoc::Left),
    Op::prefix(Rule::not),
    Op::infix(Rule::less, Assoc::Left)
        | Op::infix(Rule::less_equal, Assoc::Left)
        | Op::infix(Rule::equal, Assoc::Left)
        | Op::infix(Rule::not_equal, Assoc::Left)
        | Op::infix(Rule::greater_equal, Assoc::Left)
        | Op::infix(Rule::greater, Assoc::Left),
    Op::infix(Rule::add, Assoc::Left) | Op::infix(Rule::subtract, Assoc::Left),
    Op::infix(Rule::multiply, Assoc::Left) | Op::infix(Rule::divide, Assoc::Left),
    Op::prefix(Rule::negate),
    Op::infix(Rule::power, Assoc::Right),
]);

/// The reductions by name.
pub(super) const REDUCTIONS: [(&str, ReduceOperator); 5] = [
    ("sum", ReduceOperator::Sum),
    ("mean", ReduceOperator::Mean),
    ("product", ReduceOperator::Product),
    ("max", ReduceOperator::Max),
    ("min", ReduceOperator::Min),
];

/// The next part, which the grammar promises.
pub(super) fn next<'i>(parts: &mut Parts<'i>, whole: Span) -> Lowered<Pair<'i, Rule>> {
    parts.next().ok_or_else(|| unforeseen(whole, "nothing"))
}

/// A pair that the grammar does not put here. Only a grammar that this file was not told of makes one.
pub(super) fn unforeseen(span: Span, found: &str) -> Box<Diagnostic> {
    let message = format!("the grammar gives `{found}` here, which the tree has no place for");
    Box::new(Diagnostic::error(span, message).hint("please report this spec"))
}

/// A name or a path.
pub(super) fn name(pair: &Pair<'_, Rule>, place: Place) -> Name {
    Name { text: pair.as_str().to_owned(), span: place.of(pair) }
}

/// An expression where a value stands.
pub(super) fn value(pair: Pair<'_, Rule>, place: Place) -> Lowered<Expr> {
    expression(pair, place).and_then(must_be_value)
}

/// An expression where a condition may stand.
pub(super) fn expression(pair: Pair<'_, Rule>, place: Place) -> Lowered<Expr> {
    let whole = place.of(&pair);
    let mut parts = Parts::of(pair);
    let first = operation(next(&mut parts, whole)?, place)?;
    parts.try_fold(first, |value, part| pipe(value, part, place))
}

/// `value |> f(a) as label`
fn pipe(value: Expr, pair: Pair<'_, Rule>, place: Place) -> Lowered<Expr> {
    let value = must_be_value(value)?;
    let whole = place.of(&pair);
    let mut parts = Parts::of(pair);
    let callee = name(&next(&mut parts, whole)?, place);
    let call = match parts.optional(Rule::arguments) {
        Some(pair) => {
            let span = callee.span.to(place.of(&pair));
            Expr { kind: ExprKind::Call { name: callee, arguments: arguments(pair, place)? }, span }
        }
        None => Expr { kind: ExprKind::Name(callee.text), span: callee.span },
    };
    let label = match parts.optional(Rule::label) {
        Some(pair) => Some(name(&next(&mut Parts::of(pair), whole)?, place)),
        None => None,
    };
    let span = value.span.to(whole);
    Ok(Expr { kind: ExprKind::Pipe { value: Box::new(value), call: Box::new(call), label }, span })
}

/// Operands and operators in a row.
fn operation(pair: Pair<'_, Rule>, place: Place) -> Lowered<Expr> {
    PRECEDENCE
        .map_primary(|pair| operand(pair, place))
        .map_prefix(|sign, operand| prefix(sign, operand?, place))
        .map_infix(|left, sign, right| infix(left?, &sign, right?, place))
        .parse(pair.into_inner())
}

fn prefix(sign: Pair<'_, Rule>, operand: Expr, place: Place) -> Lowered<Expr> {
    let span = place.of(&sign).to(operand.span);
    let kind = match sign.as_rule() {
        Rule::not => ExprKind::Not(Box::new(operand)),
        _ => ExprKind::Negate(Box::new(must_be_value(operand)?)),
    };
    Ok(Expr { kind, span })
}

fn infix(left: Expr, sign: &Pair<'_, Rule>, right: Expr, place: Place) -> Lowered<Expr> {
    let span = left.span.to(right.span);
    let arithmetic = |operator| (Some(operator), None);
    let comparison = |relation| (None, Some(relation));
    let (operator, relation) = match sign.as_rule() {
        Rule::add => arithmetic(BinaryOperator::Add),
        Rule::subtract => arithmetic(BinaryOperator::Subtract),
        Rule::multiply => arithmetic(BinaryOperator::Multiply),
        Rule::divide => arithmetic(BinaryOperator::Divide),
        Rule::power => arithmetic(BinaryOperator::Power),
        Rule::less => comparison(Relation::Less),
        Rule::less_equal => comparison(Relation::LessEqual),
        Rule::equal => comparison(Relation::Equal),
        Rule::not_equal => comparison(Relation::NotEqual),
        Rule::greater_equal => comparison(Relation::GreaterEqual),
        Rule::greater => comparison(Relation::Greater),
        Rule::and => return Ok(Expr { kind: ExprKind::And(Box::new(left), Box::new(right)), span }),
        Rule::or => return Ok(Expr { kind: ExprKind::Or(Box::new(left), Box::new(right)), span }),
        other => return Err(unforeseen(place.of(sign), &format!("{other:?}"))),
    };
    if relation.is_some() && matches!(left.kind, ExprKind::Compare { .. }) {
        return Err(comparisons_chain(place.of(sign), left.span));
    }
    let (left, right) = (Box::new(must_be_value(left)?), Box::new(must_be_value(right)?));
    let kind = match (operator, relation) {
        (Some(operator), _) => ExprKind::Binary { operator, left, right },
        (None, Some(relation)) => ExprKind::Compare { relation, left, right },
        (None, None) => return Err(unforeseen(place.of(sign), sign.as_str())),
    };
    Ok(Expr { kind, span })
}

fn comparisons_chain(sign: Span, left: Span) -> Box<Diagnostic> {
    let message = Diagnostic::error(sign, "comparisons do not chain").also(left, "this is a comparison already");
    Box::new(message.hint("join two comparisons with `and`: `a < b and b < c`"))
}

/// What an operator works on.
fn operand(pair: Pair<'_, Rule>, place: Place) -> Lowered<Expr> {
    let span = place.of(&pair);
    let kind = match pair.as_rule() {
        Rule::number => ExprKind::Number(number(&pair, place)?),
        Rule::text => ExprKind::Text(text(pair)),
        Rule::conditional => return conditional(pair, place),
        Rule::iverson => ExprKind::Iverson(Box::new(expression(next(&mut Parts::of(pair), span)?, place)?)),
        Rule::group => {
            let inner = expression(next(&mut Parts::of(pair), span)?, place)?;
            return Ok(Expr { kind: inner.kind, span });
        }
        Rule::reference => return reference(pair, place),
        other => return Err(unforeseen(span, &format!("{other:?}"))),
    };
    Ok(Expr { kind, span })
}

fn number(pair: &Pair<'_, Rule>, place: Place) -> Lowered<f64> {
    match pair.as_str().replace('_', "").parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => {
            let message = Diagnostic::error(place.of(pair), "this number is too large");
            Err(Box::new(message.hint("the largest is about 1.8e308; `inf` is infinity")))
        }
    }
}

/// What stands between quotes.
pub(super) fn text(pair: Pair<'_, Rule>) -> String {
    pair.into_inner().map(|characters| characters.as_str()).collect()
}

/// `if c { a } else { b }`, with any number of `else if`.
fn conditional(pair: Pair<'_, Rule>, place: Place) -> Lowered<Expr> {
    let span = place.of(&pair);
    let mut parts = Parts::of(pair);
    let condition = Box::new(expression(next(&mut parts, span)?, place)?);
    let then = Box::new(value(next(&mut parts, span)?, place)?);
    let last = next(&mut parts, span)?;
    let otherwise = Box::new(match last.as_rule() {
        Rule::conditional => conditional(last, place)?,
        _ => value(last, place)?,
    });
    Ok(Expr { kind: ExprKind::If { condition, then, otherwise }, span })
}

/// All that begins with a name.
fn reference(pair: Pair<'_, Rule>, place: Place) -> Lowered<Expr> {
    let span = place.of(&pair);
    let mut parts = Parts::of(pair);
    let name = name(&next(&mut parts, span)?, place);
    let Some(tail) = parts.next() else { return Ok(Expr { kind: ExprKind::Name(name.text), span }) };
    let kind = match tail.as_rule() {
        Rule::indices => {
            let indices = Parts::of(tail).map(|index| value(index, place)).collect::<Lowered<_>>()?;
            ExprKind::Access { name, indices }
        }
        Rule::arguments => ExprKind::Call { name, arguments: arguments(tail, place)? },
        Rule::reduction => reduction(&name, tail, place)?,
        Rule::all_axes if name.text == POSITION => ExprKind::Position,
        Rule::all_axes => return Err(no_reduction(&name)),
        other => return Err(unforeseen(span, &format!("{other:?}"))),
    };
    Ok(Expr { kind, span })
}

fn arguments(pair: Pair<'_, Rule>, place: Place) -> Lowered<Vec<Argument>> {
    let mut arguments: Vec<Argument> = Vec::new();
    for pair in Parts::of(pair) {
        let span = place.of(&pair);
        let mut parts = Parts::of(pair);
        let name = parts.optional(Rule::name).map(|pair| name(&pair, place));
        let value = expression(next(&mut parts, span)?, place)?;
        let value = if matches!(value.kind, ExprKind::Text(_)) { value } else { must_be_value(value)? };
        if let (None, Some(named)) = (&name, arguments.iter().find_map(|earlier| earlier.name.as_ref())) {
            let message = Diagnostic::error(span, "an argument without a name follows one with a name");
            return Err(Box::new(message.also(named.span, "this argument is named").hint("put the named arguments last")));
        }
        arguments.push(Argument { name, value });
    }
    Ok(arguments)
}

/// The word for the place of an element in a row.
pub(super) const POSITION: &str = "position";

/// `sum(i, k in 0..4: body)`
fn reduction(word: &Name, pair: Pair<'_, Rule>, place: Place) -> Lowered<ExprKind> {
    let whole = place.of(&pair);
    let Some((_, operator)) = REDUCTIONS.into_iter().find(|(name, _)| *name == word.text) else { return Err(no_reduction(word)) };
    let mut parts = Parts::of(pair);
    let leading = parts.optional(Rule::dots).is_some();
    let mut indices = Vec::new();
    while let Some(pair) = parts.optional(Rule::bound_index) {
        indices.push(bound_index(pair, place)?);
    }
    let body = Box::new(value(next(&mut parts, whole)?, place)?);
    Ok(ExprKind::Reduce { operator, leading, indices, body })
}

fn no_reduction(word: &Name) -> Box<Diagnostic> {
    let mut message = Diagnostic::error(word.span, format!("`{}` is no reduction, so no index can be bound here", word.text));
    if let Some(near) = nearest(&word.text, REDUCTIONS.iter().map(|(name, _)| *name)) {
        message = message.hint(format!("did you mean `{near}`?"));
    }
    let reductions = "the reductions are sum, mean, product, max and min";
    Box::new(message.hint(reductions).hint("an argument with a name is written with `=`: `f(n = 10)`"))
}

/// `i`, or `i in 0..4`
fn bound_index(pair: Pair<'_, Rule>, place: Place) -> Lowered<BoundIndex> {
    let whole = place.of(&pair);
    let mut parts = Parts::of(pair);
    let name = name(&next(&mut parts, whole)?, place);
    let Some(low) = parts.optional(Rule::expression) else { return Ok(BoundIndex { name, range: None }) };
    let low = value(low, place)?;
    parts.optional(Rule::dots);
    let high = value(next(&mut parts, whole)?, place)?;
    Ok(BoundIndex { name, range: Some((low, high)) })
}

/// Refuses a condition or a text where a value stands.
fn must_be_value(expr: Expr) -> Lowered<Expr> {
    if let ExprKind::Compare { relation: Relation::Equal, left, .. } = &expr.kind
        && let ExprKind::Call { name, .. } = &left.kind
    {
        let message = Diagnostic::error(expr.span, "a condition stands where a value is expected");
        let hint = format!("where this defines `{0}`, write it in a line of its own: `function {0}(…) = …`", name.text);
        return Err(Box::new(message.hint(hint)));
    }
    let (message, hint) = match expr.kind {
        ExprKind::Compare { .. } | ExprKind::And(..) | ExprKind::Or(..) | ExprKind::Not(_) => (
            "a condition stands where a value is expected",
            "in square brackets it is a value: `[a < b]` is 1 where it holds and 0 elsewhere",
        ),
        ExprKind::Text(_) => ("a text stands where a value is expected", "text stands only as an argument or after `include`"),
        _ => return Ok(expr),
    };
    Err(Box::new(Diagnostic::error(expr.span, message).hint(hint)))
}
