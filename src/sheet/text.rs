//! Formulas as one line of Unicode text, for documentation comments, terminals and text alternatives.

use super::math::{BigOperator, Fence, Gap, Math, Operator, Side, Spacing, gap};

/// Characters that Unicode has as subscripts.
const SUBSCRIPTS: &[(char, char)] = &[
    ('0', '₀'),
    ('1', '₁'),
    ('2', '₂'),
    ('3', '₃'),
    ('4', '₄'),
    ('5', '₅'),
    ('6', '₆'),
    ('7', '₇'),
    ('8', '₈'),
    ('9', '₉'),
    ('+', '₊'),
    ('−', '₋'),
    ('=', '₌'),
    ('(', '₍'),
    (')', '₎'),
    ('a', 'ₐ'),
    ('e', 'ₑ'),
    ('h', 'ₕ'),
    ('i', 'ᵢ'),
    ('j', 'ⱼ'),
    ('k', 'ₖ'),
    ('l', 'ₗ'),
    ('m', 'ₘ'),
    ('n', 'ₙ'),
    ('o', 'ₒ'),
    ('p', 'ₚ'),
    ('r', 'ᵣ'),
    ('s', 'ₛ'),
    ('t', 'ₜ'),
    ('u', 'ᵤ'),
    ('v', 'ᵥ'),
    ('x', 'ₓ'),
];

/// Characters that Unicode has as superscripts.
const SUPERSCRIPTS: &[(char, char)] = &[
    ('0', '⁰'),
    ('1', '¹'),
    ('2', '²'),
    ('3', '³'),
    ('4', '⁴'),
    ('5', '⁵'),
    ('6', '⁶'),
    ('7', '⁷'),
    ('8', '⁸'),
    ('9', '⁹'),
    ('+', '⁺'),
    ('−', '⁻'),
    ('=', '⁼'),
    ('(', '⁽'),
    (')', '⁾'),
    ('i', 'ⁱ'),
    ('k', 'ᵏ'),
    ('l', 'ˡ'),
    ('m', 'ᵐ'),
    ('n', 'ⁿ'),
    ('t', 'ᵗ'),
    ('′', '′'),
    ('⊤', 'ᵀ'),
];

/// What a raised character is on the line.
pub(crate) fn raised(script: char) -> Option<char> {
    SUPERSCRIPTS.iter().find(|(_, raised)| *raised == script).map(|(plain, _)| *plain)
}

/// What a lowered character is on the line.
pub(crate) fn lowered(script: char) -> Option<char> {
    SUBSCRIPTS.iter().find(|(_, lowered)| *lowered == script).map(|(plain, _)| *plain)
}

fn raised_or_lowered(text: &str, table: &[(char, char)]) -> Option<String> {
    text.chars().map(|character| table.iter().find(|(plain, _)| *plain == character).map(|(_, script)| *script)).collect()
}

/// A formula as one line of Unicode.
pub(super) fn math_text(math: &Math) -> String {
    let mut text = String::new();
    write(math, &mut text);
    text
}

fn write(math: &Math, out: &mut String) {
    match math {
        Math::Row(parts) => parts.iter().for_each(|part| write(part, out)),
        Math::Identifier(text) | Math::Number(text) => out.push_str(text),
        Math::Operator(operator) => write_operator(*operator, out),
        Math::Product(parts) => write_product(parts, out),
        Math::Fraction(above, below) => {
            write_side(above, !is_sum(above), out);
            out.push('/');
            write_side(below, is_one_symbol(below), out);
        }
        Math::Derivative(of, by) => {
            out.push('∂');
            write(of, out);
            out.push_str("/∂");
            write_side(by, is_one_symbol(by), out);
        }
        Math::Scripts { base, sub, sup } => {
            write_side(base, is_one_symbol(base) && !matches!(**base, Math::Sqrt(_)), out);
            // The number of a layer is part of the name and stands first; an exponent stands last.
            let is_label = sup.as_deref().is_some_and(|sup| match sup {
                Math::Row(parts) => matches!(parts.first(), Some(Math::Fenced(..))),
                other => matches!(other, Math::Fenced(..)) || *other == Math::identifier("′"),
            });
            let scripts = if is_label { [(sup, true), (sub, false)] } else { [(sub, false), (sup, true)] };
            for (script, raised) in scripts {
                if let Some(script) = script.as_deref().filter(|_| is_label && raised) {
                    write_label(script, out);
                } else if let Some(script) = script {
                    write_script(&math_text(script).replace(' ', ""), raised, out);
                }
            }
        }
        Math::Stack(lines) => {
            for (at, line) in lines.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write(line, out);
            }
        }
        Math::Under(body, under) => {
            write(body, out);
            out.push_str(&format!("⟨{}⟩", math_text(under).replace(' ', "")));
        }
        Math::Sqrt(body) => {
            out.push('√');
            write_side(body, is_one_symbol(body), out);
        }
        Math::Fenced(fence, body) => {
            out.push_str(fence_text(*fence, Side::Left));
            write(body, out);
            out.push_str(fence_text(*fence, Side::Right));
        }
        Math::HalfFence(fence, side) => out.push_str(fence_text(*fence, *side)),
        Math::Cases(rows) => write_cases(rows, out),
        Math::Matrix(rows) => {
            let row = |entries: &Vec<Math>| entries.iter().map(math_text).collect::<Vec<_>>().join(", ");
            out.push_str(&format!("[{}]", rows.iter().map(row).collect::<Vec<_>>().join("; ")));
        }
        Math::Big { operator, under, over, body } => {
            write_big(*operator, under.as_deref(), over.as_deref(), out);
            write(body, out);
        }
        Math::Apply { function, argument } => {
            write(function, out);
            if !matches!(**argument, Math::Fenced(..)) {
                out.push(' ');
            }
            write(argument, out);
        }
        Math::Call { function, arguments } => {
            write(function, out);
            out.push('(');
            write(&Math::list(arguments.clone()), out);
            out.push(')');
        }
    }
}

fn write_cases(rows: &[(Math, Option<Math>)], out: &mut String) {
    out.push('{');
    for (at, (value, condition)) in rows.iter().enumerate() {
        out.push_str(if at == 0 { " " } else { "; " });
        write(value, out);
        match condition {
            Some(condition) => {
                out.push_str(" if ");
                write(condition, out);
            }
            None => out.push_str(" otherwise"),
        }
    }
    out.push_str(" }");
}

fn write_operator(operator: Operator, out: &mut String) {
    match operator.spacing() {
        Spacing::Binary | Spacing::Relation => {
            out.push(' ');
            out.push_str(operator.unicode());
            out.push(' ');
        }
        Spacing::Prefix | Spacing::Ordinary => out.push_str(operator.unicode()),
        Spacing::Punctuation => {
            out.push_str(operator.unicode());
            out.push(' ');
        }
    }
}

fn write_product(parts: &[Math], out: &mut String) {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push_str(match gap(&parts[at - 1], part) {
                Gap::None => "",
                Gap::Thin if matches!(parts[at - 1], Math::Derivative(..)) || matches!(part, Math::Derivative(..)) => " · ",
                Gap::Thin => " ",
                Gap::Medium => " · ",
                Gap::Dot => "·",
            });
        }
        // In one line a quotient ends where its denominator ends, which a following factor would hide.
        let is_last = at + 1 == parts.len();
        if matches!(part, Math::Fraction(..)) && !is_last {
            out.push('(');
            write(part, out);
            out.push(')');
        } else {
            write(part, out);
        }
    }
}

/// A side of a quotient, in parentheses unless it is `bare`.
fn write_side(math: &Math, bare: bool, out: &mut String) {
    if bare {
        write(math, out);
    } else {
        out.push('(');
        write(math, out);
        out.push(')');
    }
}

fn is_one_symbol(math: &Math) -> bool {
    match math {
        Math::Identifier(_) | Math::Number(_) | Math::Scripts { .. } | Math::Fenced(..) | Math::Sqrt(_) | Math::Call { .. } => {
            true
        }
        Math::Row(parts) => parts.len() == 1 && is_one_symbol(&parts[0]),
        _ => false,
    }
}

fn is_sum(math: &Math) -> bool {
    match math {
        Math::Row(parts) => parts.len() > 1,
        Math::Big { .. } | Math::Cases(_) => true,
        _ => false,
    }
}

/// The number of a layer, and what stands behind it.
fn write_label(label: &Math, out: &mut String) {
    match label {
        Math::Row(parts) => parts.iter().for_each(|part| write_label(part, out)),
        Math::Fenced(Fence::Square, body) => out.push_str(&format!("^[{}]", math_text(body).replace(' ', ""))),
        other => write_script(&math_text(other).replace(' ', ""), true, out),
    }
}

fn write_script(text: &str, raised: bool, out: &mut String) {
    match raised_or_lowered(text, if raised { SUPERSCRIPTS } else { SUBSCRIPTS }) {
        Some(script) => out.push_str(&script),
        None => {
            out.push(if raised { '^' } else { '_' });
            let one = text.chars().count() == 1 || (text.starts_with('(') && text.ends_with(')') && !text[1..].contains('('));
            if one {
                out.push_str(text);
            } else {
                out.push('(');
                out.push_str(text);
                out.push(')');
            }
        }
    }
}

fn write_big(operator: BigOperator, under: Option<&Math>, over: Option<&Math>, out: &mut String) {
    out.push_str(match operator {
        BigOperator::Sum => "Σ",
        BigOperator::Product => "Π",
        BigOperator::Max => "max",
        BigOperator::Min => "min",
        BigOperator::ArgMax => "argmax",
        BigOperator::ArgMin => "argmin",
    });
    let compact = |limit: Option<&Math>| limit.map(|limit| math_text(limit).replace(' ', "")).unwrap_or_default();
    // A range, and conditions on it in the lines below.
    let (under, conditions) = match under {
        Some(Math::Stack(lines)) => (lines.first(), lines.get(1..).unwrap_or(&[])),
        under => (under, &[][..]),
    };
    let conditions: String = conditions.iter().map(|line| format!("; {}", compact(Some(line)))).collect();
    let (under, over) = (compact(under), compact(over));
    match (raised_or_lowered(&under, SUBSCRIPTS), raised_or_lowered(&over, SUPERSCRIPTS)) {
        (Some(under), Some(over)) if conditions.is_empty() => {
            out.push_str(&under);
            out.push_str(&over);
        }
        _ => {
            let range = if over.is_empty() { under } else { format!("{under}..{over}") };
            out.push_str(&format!("[{range}{conditions}]"));
        }
    }
    out.push(' ');
}

fn fence_text(fence: Fence, side: Side) -> &'static str {
    match (fence, side) {
        (Fence::Round, Side::Left) => "(",
        (Fence::Round, Side::Right) => ")",
        (Fence::Square, Side::Left) => "[",
        (Fence::Square, Side::Right) => "]",
        (Fence::Bars, _) => "|",
        (Fence::Floor, Side::Left) => "⌊",
        (Fence::Floor, Side::Right) => "⌋",
        (Fence::Norm, _) => "‖",
        (Fence::Bare, _) => "",
    }
}
