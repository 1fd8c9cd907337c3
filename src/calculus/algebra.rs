//! Rules of sums, products and powers.

use super::exponentials;
use super::rules::Rewritten;
use super::{Condition, weight::weight};
use crate::equation::{Context, Elementary, ExprId, Node, Number, Relation};
use crate::limits::EXPANDED_TERMS;

/// The summands of an expression; one, where it is not a sum.
pub(super) fn terms(context: &Context, expr: ExprId) -> Vec<ExprId> {
    match context.node(expr) {
        Node::Add(terms) => terms.clone(),
        _ => vec![expr],
    }
}

/// The factors of an expression; one, where it is not a product.
pub(super) fn factors(context: &Context, expr: ExprId) -> Vec<ExprId> {
    match context.node(expr) {
        Node::Multiply(factors) => factors.clone(),
        _ => vec![expr],
    }
}

/// A term as a number times the rest.
fn coefficient_and_rest(context: &mut Context, term: ExprId) -> (Number, ExprId) {
    let parts = factors(context, term);
    match context.as_number(parts[0]) {
        Some(number) if parts.len() > 1 => {
            let rest = context.multiply(parts[1..].iter().copied());
            (number, rest)
        }
        Some(number) => (number, context.integer(1)),
        None => (Number::ONE, term),
    }
}

/// A factor as a base with a numeric exponent.
fn base_and_exponent(context: &Context, factor: ExprId) -> (ExprId, Number) {
    if let Node::Power(base, exponent) = context.node(factor)
        && let Some(number) = context.as_number(*exponent)
    {
        return (*base, number);
    }
    (factor, Number::ONE)
}

/// The factors of a term but its number, each base once; `None` where exponents cannot be added exactly.
fn powers(context: &Context, term: ExprId) -> Option<Vec<(ExprId, Number)>> {
    let mut powers: Vec<(ExprId, Number)> = Vec::new();
    for (position, factor) in factors(context, term).into_iter().enumerate() {
        if position == 0 && context.as_number(factor).is_some() {
            continue;
        }
        let (base, exponent) = base_and_exponent(context, factor);
        match powers.iter_mut().find(|(candidate, _)| *candidate == base) {
            Some((_, sum)) => *sum = sum.exact_sum(exponent)?,
            None => powers.push((base, exponent)),
        }
    }
    Some(powers)
}

fn power_of(context: &mut Context, base: ExprId, exponent: Number) -> ExprId {
    let exponent = context.number(exponent);
    context.power(base, exponent)
}

/// `2 a + 3 a = 5 a`.
pub(super) fn collect_terms(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Add(operands) = context.node(expr).clone() else { return None };
    let mut collected: Vec<(ExprId, Number)> = Vec::new();
    let mut merged = false;
    for operand in operands {
        let (coefficient, rest) = coefficient_and_rest(context, operand);
        match collected.iter_mut().find(|(candidate, _)| *candidate == rest) {
            Some((_, sum)) => {
                *sum = sum.exact_sum(coefficient)?;
                merged = true;
            }
            None => collected.push((rest, coefficient)),
        }
    }
    if !merged {
        return None;
    }
    let terms: Vec<_> = collected
        .into_iter()
        .map(|(rest, coefficient)| {
            let coefficient = context.number(coefficient);
            context.multiply([coefficient, rest])
        })
        .collect();
    Some(Rewritten::always(context.add(terms)))
}

/// `(a^m)^n = a^(mn)` and `(a b)^n = a^n b^n` for integers `n`, and `sqrt(a)^(2n) = a^n`.
pub(super) fn power_of_power(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Power(base, exponent) = *context.node(expr) else { return None };
    let outer = context.as_number(exponent)?;
    let times = outer.as_integer()?;
    match context.node(base).clone() {
        // Wherever the root has a value.
        Node::Call(Elementary::Sqrt, inside) if times % 2 == 0 => {
            let half = Number::integer(times / 2);
            Some(Rewritten::always(power_of(context, inside, half)))
        }
        Node::Power(inner_base, inner) => {
            let inner = context.as_number(inner)?;
            // sqrt(a)^2 style exponents would lose the sign of a: only integers inside.
            inner.as_integer()?;
            let exponent = inner.exact_product(outer)?;
            Some(Rewritten::always(power_of(context, inner_base, exponent)))
        }
        Node::Multiply(parts) => {
            let parts: Vec<_> = parts.into_iter().map(|part| power_of(context, part, outer)).collect();
            Some(Rewritten::always(context.multiply(parts)))
        }
        _ => None,
    }
}

/// `a^m a^n = a^(m+n)`. Where a factor leaves the denominator, it must not be 0.
pub(super) fn combine_powers(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Multiply(operands) = context.node(expr).clone() else { return None };
    let mut collected: Vec<(ExprId, Number)> = Vec::new();
    let mut merged = false;
    let mut condition = None;
    for operand in operands {
        let (base, exponent) = base_and_exponent(context, operand);
        // A condition is 0 or 1, so its square is itself.
        if is_condition(context, base) && exponent == Number::ONE && collected.iter().any(|(seen, _)| *seen == base) {
            merged = true;
            continue;
        }
        match collected.iter_mut().find(|(candidate, _)| *candidate == base) {
            Some((_, sum)) => {
                if (sum.value() < 0.0) != (exponent.value() < 0.0) && context.as_number(base).is_none() {
                    condition = Condition::both(context, condition, Some(Condition::NotZero(base)));
                }
                *sum = sum.exact_sum(exponent)?;
                merged = true;
            }
            None => collected.push((base, exponent)),
        }
    }
    if !merged {
        return cancel_numbers(context, expr);
    }
    let factors: Vec<_> = collected.into_iter().map(|(base, exponent)| power_of(context, base, exponent)).collect();
    Some(Rewritten { value: context.multiply(factors), condition })
}

/// `u ([u > 0] - [u < 0]) = |u|`.
pub(super) fn magnitude(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Multiply(operands) = context.node(expr).clone() else { return None };
    let zero = context.integer(0);
    for (position, &operand) in
        operands.iter().enumerate().filter(|(_, operand)| context.as_number(**operand).is_none()).collect::<Vec<_>>()
    {
        let positive = context.compare(Relation::Greater, operand, zero);
        let negative = context.compare(Relation::Less, operand, zero);
        let sign = context.subtract(positive, negative);
        let Some(at) = operands.iter().position(|&other| other == sign) else { continue };
        let rest = operands.iter().enumerate().filter(|(other, _)| ![position, at].contains(other)).map(|(_, part)| *part);
        let rest: Vec<_> = rest.chain([context.call(Elementary::Abs, operand)]).collect();
        return Some(Rewritten::always(context.multiply(rest)));
    }
    None
}

/// `6 * 3^-1 = 2`, where that is exact.
fn cancel_numbers(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let parts = factors(context, expr);
    let number = context.as_number(parts[0])?;
    for (position, &part) in parts.iter().enumerate().skip(1) {
        let Node::Power(base, exponent) = *context.node(part) else { continue };
        let Some(base) = context.as_number(base) else { continue };
        if context.as_number(exponent) != Some(Number::MINUS_ONE) {
            continue;
        }
        let quotient = Number::new(number.value() / base.value())?;
        if quotient.exact_product(base) == Some(number) {
            let quotient = context.number(quotient);
            let rest = parts.iter().enumerate().filter(|(at, _)| *at != 0 && *at != position).map(|(_, part)| *part);
            let rest: Vec<_> = rest.chain([quotient]).collect();
            return Some(Rewritten::always(context.multiply(rest)));
        }
    }
    None
}

pub(super) fn is_condition(context: &Context, expr: ExprId) -> bool {
    matches!(context.node(expr), Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_))
}

/// `c + n/d = (c d + n)/d`, for a number `c` where the numerator collapses: `1 - 1/(1+a) = a/(1+a)`.
pub(super) fn common_denominator(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Add(operands) = context.node(expr).clone() else { return None };
    let number = operands[0];
    context.as_number(number)?;
    for (position, &operand) in operands.iter().enumerate().skip(1) {
        let parts = factors(context, operand);
        let Some(at) = parts.iter().position(|&part| {
            let (base, exponent) = base_and_exponent(context, part);
            exponent == Number::MINUS_ONE && matches!(context.node(base), Node::Add(_))
        }) else {
            continue;
        };
        let (denominator, _) = base_and_exponent(context, parts[at]);
        let Rewritten { value: scaled, condition } = multiply_out(context, &[number, denominator])?;
        let rest = context.multiply(parts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| *part));
        let numerator = context.add([scaled, rest]);
        let numerator = collect_terms(context, numerator).map_or(numerator, |rewritten| rewritten.value);
        let fraction = context.divide(numerator, denominator);
        // e^u/(1 + e^u) pays only in the form that takes one exponential.
        let fraction = exponentials::logistic(context, fraction).map_or(fraction, |rewritten| rewritten.value);
        let others = operands.iter().enumerate().filter(|(other, _)| *other != 0 && *other != position).map(|(_, term)| *term);
        let others: Vec<_> = others.chain([fraction]).collect();
        return Some(Rewritten { value: context.add(others), condition });
    }
    None
}

/// The product of expressions with all sums multiplied out; `None` past the bound.
pub(super) fn multiply_out(context: &mut Context, parts: &[ExprId]) -> Option<Rewritten> {
    let mut condition = None;
    let mut sum = vec![context.integer(1)];
    for &part in parts {
        let part_terms = terms(context, part);
        if sum.len() * part_terms.len() > EXPANDED_TERMS {
            return None;
        }
        let mut next = Vec::with_capacity(sum.len() * part_terms.len());
        for &left in &sum {
            for &right in &part_terms {
                let product = context.multiply([left, right]);
                let Some(rewritten) = combine_powers(context, product) else {
                    next.push(product);
                    continue;
                };
                condition = Condition::both(context, condition, rewritten.condition);
                next.push(rewritten.value);
            }
        }
        sum = next;
    }
    Some(Rewritten { value: context.add(sum), condition })
}

/// Multiplies one sum of a product out where that cancels a denominator: `(1/y - 1) y^2 = y - y^2`.
pub(super) fn distribute_and_cancel(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Multiply(operands) = context.node(expr).clone() else { return None };
    let mut best: Option<(f64, Rewritten)> = None;
    for (position, &operand) in operands.iter().enumerate() {
        let Node::Add(summands) = context.node(operand).clone() else { continue };
        let rest: Vec<_> = operands.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, factor)| *factor).collect();
        let mut condition = None;
        let mut cancelled = false;
        let mut products = Vec::new();
        for summand in summands {
            let product = context.multiply(rest.iter().copied().chain([summand]));
            match combine_powers(context, product) {
                Some(rewritten) => {
                    cancelled = true;
                    condition = Condition::both(context, condition, rewritten.condition);
                    products.push(rewritten.value);
                }
                None => products.push(product),
            }
        }
        if !cancelled {
            continue;
        }
        let sum = context.add(products);
        let value = collect_terms(context, sum).map_or(sum, |rewritten| rewritten.value);
        let value_weight = weight(context, value);
        if best.as_ref().is_none_or(|(least, _)| value_weight < *least) {
            best = Some((value_weight, Rewritten { value, condition }));
        }
    }
    best.map(|(_, rewritten)| rewritten)
}

/// Multiplies everything out and collects; pays where terms vanish: `-t(1-y) + (1-t) y = y - t`.
pub(super) fn expand(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    if !matches!(context.node(expr), Node::Add(_) | Node::Multiply(_)) {
        return None;
    }
    let mut expanded = Vec::new();
    let mut condition = None;
    for term in terms(context, expr) {
        let mut parts = Vec::new();
        for factor in factors(context, term) {
            let (base, exponent) = base_and_exponent(context, factor);
            match exponent.as_integer() {
                Some(times @ 1..=4) if matches!(context.node(base), Node::Add(_)) => {
                    parts.extend(std::iter::repeat_n(base, times as usize));
                }
                _ => parts.push(factor),
            }
        }
        let product = multiply_out(context, &parts)?;
        condition = Condition::both(context, condition, product.condition);
        expanded.push(product.value);
        if expanded.len() > EXPANDED_TERMS {
            return None;
        }
    }
    let sum = context.add(expanded);
    let value = collect_terms(context, sum).map_or(sum, |rewritten| rewritten.value);
    (value != expr).then_some(Rewritten { value, condition })
}

/// `a b + a c = a (b + c)`, for the factors that all terms share.
pub(super) fn factor_common(context: &mut Context, expr: ExprId) -> Option<Rewritten> {
    let Node::Add(operands) = context.node(expr).clone() else { return None };
    let mut common = powers(context, operands[0])?;
    for &operand in &operands[1..] {
        let present = powers(context, operand)?;
        common.retain_mut(|(base, exponent)| match present.iter().find(|(candidate, _)| candidate == base) {
            Some((_, other)) if (other.value() > 0.0) == (exponent.value() > 0.0) => {
                if other.value().abs() < exponent.value().abs() {
                    *exponent = *other;
                }
                true
            }
            _ => false,
        });
    }
    let number = common_number(context, &operands);
    if common.is_empty() && number == Number::ONE {
        return None;
    }
    let mut quotients = Vec::new();
    for &operand in &operands {
        let coefficient = coefficient_and_rest(context, operand).0;
        let quotient =
            Number::new(coefficient.value() / number.value()).filter(|q| q.exact_product(number) == Some(coefficient))?;
        let mut parts = vec![context.number(quotient)];
        for (base, exponent) in powers(context, operand)? {
            let shared = common.iter().find(|(candidate, _)| *candidate == base).map_or(Number::ZERO, |(_, shared)| *shared);
            let left = exponent.exact_sum(shared.exact_product(Number::MINUS_ONE)?)?;
            parts.push(power_of(context, base, left));
        }
        quotients.push(context.multiply(parts));
    }
    let inner = context.add(quotients);
    let mut parts: Vec<_> = common.iter().map(|&(base, exponent)| power_of(context, base, exponent)).collect();
    parts.push(context.number(number));
    parts.push(inner);
    Some(Rewritten::always(context.multiply(parts)))
}

/// A number other than 1 that all terms have as their coefficient, up to its sign; negative where all are.
fn common_number(context: &mut Context, operands: &[ExprId]) -> Number {
    let coefficients: Vec<_> = operands.iter().map(|&operand| coefficient_and_rest(context, operand).0.value()).collect();
    let magnitude = coefficients[0].abs();
    if coefficients.iter().any(|coefficient| coefficient.abs() != magnitude) {
        return Number::ONE;
    }
    let sign = if coefficients.iter().all(|&coefficient| coefficient < 0.0) { -1.0 } else { 1.0 };
    Number::new(sign * magnitude).unwrap_or(Number::ONE)
}
