//! Formulas in MathML Core, with their plain text as an alternative.

use super::escape;
use crate::sheet::math::{BigOperator, Fence, Gap, Math, Operator, Side, Spacing, gap};
use crate::sheet::text::math_text;

/// Between a function and its argument: read aloud, not shown.
const APPLY: &str = "<mo>&#x2061;</mo>";
/// Between two factors: read aloud, not shown.
const TIMES: &str = "<mo>&#x2062;</mo>";

/// A formula as a `math` element, set as a display or as a part of a line.
pub(super) fn mathml(math: &Math, display: bool) -> String {
    let mut out = String::new();
    let alternative = escape(math_text(math).trim());
    out.push_str(&format!("<math{} alttext=\"{alternative}\">", if display { " displaystyle=\"true\"" } else { "" }));
    match display {
        true => row(math, &mut out),
        false => row(&math.with_flat_derivatives(), &mut out),
    }
    out.push_str("</math>");
    out
}

/// As exactly one element.
fn row(math: &Math, out: &mut String) {
    out.push_str("<mrow>");
    write(math, out);
    out.push_str("</mrow>");
}

fn write(math: &Math, out: &mut String) {
    match math {
        Math::Row(parts) => parts.iter().for_each(|part| write(part, out)),
        Math::Identifier(name) => out.push_str(&format!("<mi>{}</mi>", escape(&name.replace('\'', "′")))),
        Math::Number(digits) => out.push_str(&format!("<mn>{}</mn>", escape(digits))),
        Math::Operator(operator) => write_operator(*operator, out),
        Math::Product(parts) => write_product(parts, out),
        Math::Fraction(above, below) => {
            out.push_str("<mfrac>");
            row(above, out);
            row(below, out);
            out.push_str("</mfrac>");
        }
        Math::Derivative(of, by) => {
            out.push_str("<mfrac><mrow><mi>∂</mi>");
            write(of, out);
            out.push_str("</mrow><mrow><mi>∂</mi>");
            write(by, out);
            out.push_str("</mrow></mfrac>");
        }
        Math::Scripts { base, sub, sup } => write_scripts(base, sub.as_deref(), sup.as_deref(), out),
        Math::Stack(lines) => {
            out.push_str("<mtable rowspacing=\"0\">");
            for line in lines {
                out.push_str("<mtr><mtd style=\"padding: 0\">");
                row(line, out);
                out.push_str("</mtd></mtr>");
            }
            out.push_str("</mtable>");
        }
        Math::Sqrt(body) => {
            out.push_str("<msqrt>");
            row(body, out);
            out.push_str("</msqrt>");
        }
        Math::Under(body, under) => {
            out.push_str("<munder>");
            row(body, out);
            row(under, out);
            out.push_str("</munder>");
        }
        Math::Fenced(Fence::Bare, body) => write(body, out),
        Math::Fenced(fence, body) => {
            out.push_str("<mrow>");
            write_fence(*fence, Side::Left, body.is_tall(), out);
            write(body, out);
            write_fence(*fence, Side::Right, body.is_tall(), out);
            out.push_str("</mrow>");
        }
        Math::HalfFence(fence, side) => {
            let character = fence_character(*fence, *side);
            out.push_str(&format!("<mo stretchy=\"false\" fence=\"true\">{character}</mo>"));
        }
        Math::Cases(rows) => write_cases(rows, out),
        Math::Matrix(rows) => write_matrix(rows, out),
        Math::Big { operator, under, over, body } => {
            write_big(*operator, under.as_deref(), over.as_deref(), out);
            row(body, out);
        }
        Math::Apply { function, argument } => {
            out.push_str("<mrow>");
            write(function, out);
            out.push_str(APPLY);
            if !matches!(**argument, Math::Fenced(..)) {
                out.push_str("<mspace width=\"0.1667em\"></mspace>");
            }
            row(argument, out);
            out.push_str("</mrow>");
        }
        Math::Call { function, arguments } => {
            let list = Math::list(arguments.clone());
            out.push_str("<mrow>");
            write(function, out);
            out.push_str(APPLY);
            write(&Math::Fenced(Fence::Round, Box::new(list)), out);
            out.push_str("</mrow>");
        }
    }
}

fn write_scripts(base: &Math, sub: Option<&Math>, sup: Option<&Math>, out: &mut String) {
    let element = match (sub, sup) {
        (Some(_), Some(_)) => "msubsup",
        (Some(_), None) => "msub",
        (None, Some(_)) => "msup",
        (None, None) => "mrow",
    };
    out.push_str(&format!("<{element}>"));
    row(base, out);
    for script in [sub, sup].into_iter().flatten() {
        row(script, out);
    }
    out.push_str(&format!("</{element}>"));
}

fn write_cases(rows: &[(Math, Option<Math>)], out: &mut String) {
    out.push_str("<mrow><mo fence=\"true\">{</mo><mtable>");
    for (value, condition) in rows {
        out.push_str("<mtr><mtd style=\"text-align: left\">");
        row(value, out);
        out.push_str("</mtd><mtd style=\"text-align: left\">");
        match condition {
            Some(condition) => {
                out.push_str("<mtext>if&#xa0;</mtext>");
                row(condition, out);
            }
            None => out.push_str("<mtext>otherwise</mtext>"),
        }
        out.push_str("</mtd></mtr>");
    }
    out.push_str("</mtable></mrow>");
}

fn write_matrix(rows: &[Vec<Math>], out: &mut String) {
    out.push_str("<mrow><mo fence=\"true\" form=\"prefix\" stretchy=\"true\">[</mo><mtable>");
    for entries in rows {
        out.push_str("<mtr>");
        for entry in entries {
            out.push_str("<mtd>");
            row(entry, out);
            out.push_str("</mtd>");
        }
        out.push_str("</mtr>");
    }
    out.push_str("</mtable><mo fence=\"true\" form=\"postfix\" stretchy=\"true\">]</mo></mrow>");
}

fn write_operator(operator: Operator, out: &mut String) {
    let character = escape(operator.unicode());
    out.push_str(&match operator.spacing() {
        Spacing::Prefix => format!("<mo form=\"prefix\">{character}</mo>"),
        // Said outright, since a line may begin with one and would then be taken for a sign.
        Spacing::Binary => format!("<mo form=\"infix\" lspace=\"0.2222em\" rspace=\"0.2222em\">{character}</mo>"),
        Spacing::Relation => format!("<mo form=\"infix\" lspace=\"0.2778em\" rspace=\"0.2778em\">{character}</mo>"),
        Spacing::Punctuation => format!("<mo separator=\"true\" lspace=\"0\" rspace=\"0.1667em\">{character}</mo>"),
        Spacing::Ordinary => format!("<mo form=\"infix\" lspace=\"0\" rspace=\"0\">{character}</mo>"),
    });
}

fn write_product(parts: &[Math], out: &mut String) {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            match gap(&parts[at - 1], part) {
                Gap::None => out.push_str(TIMES),
                Gap::Thin => out.push_str(&format!("{TIMES}<mspace width=\"0.1667em\"></mspace>")),
                Gap::Medium => out.push_str(&format!("{TIMES}<mspace width=\"0.2778em\"></mspace>")),
                Gap::Dot => write_operator(Operator::Dot, out),
            }
        }
        write(part, out);
    }
}

fn write_big(operator: BigOperator, under: Option<&Math>, over: Option<&Math>, out: &mut String) {
    let (element, character) = match operator {
        BigOperator::Sum => ("mo", "∑"),
        BigOperator::Product => ("mo", "∏"),
        BigOperator::Max => ("mi", "max"),
        BigOperator::Min => ("mi", "min"),
        BigOperator::ArgMax => ("mi", "arg max"),
        BigOperator::ArgMin => ("mi", "arg min"),
    };
    let base = match element {
        "mo" => format!("<mo movablelimits=\"false\">{character}</mo>"),
        _ => format!("<mi>{character}</mi>"),
    };
    let outer = match (under, over) {
        (Some(_), Some(_)) => "munderover",
        (Some(_), None) => "munder",
        (None, Some(_)) => "mover",
        (None, None) => "mrow",
    };
    out.push_str(&format!("<{outer}>{base}"));
    for limit in [under, over].into_iter().flatten() {
        row(limit, out);
    }
    out.push_str(&format!("</{outer}>"));
    if element == "mi" {
        out.push_str(&format!("{APPLY}<mspace width=\"0.1667em\"></mspace>"));
    }
}

fn write_fence(fence: Fence, side: Side, tall: bool, out: &mut String) {
    let character = fence_character(fence, side);
    let form = if side == Side::Left { "prefix" } else { "postfix" };
    out.push_str(&format!("<mo fence=\"true\" form=\"{form}\" stretchy=\"{tall}\">{character}</mo>"));
}

fn fence_character(fence: Fence, side: Side) -> &'static str {
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
