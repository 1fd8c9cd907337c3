//! Formulas in LaTeX's math mode.

use crate::sheet::math::{BigOperator, Fence, Gap, Math, Operator, Side, gap};
use crate::sheet::notation::names::greek_command;

/// How large fractions and operators are set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// By themselves.
    Display,
    /// Above or below the line of a fraction in a display.
    Nested,
    /// Within a line of text, or in a script.
    Text,
}

/// A formula in a display.
pub(in crate::sheet) fn math_latex(math: &Math) -> String {
    latex(math, Style::Display)
}

/// A formula within text.
pub(in crate::sheet) fn inline_latex(math: &Math) -> String {
    latex(math, Style::Text)
}

/// A relation at which a display is aligned.
pub(in crate::sheet) fn relation_latex(relation: Operator) -> String {
    relation.latex().to_owned() + if relation.latex().ends_with(' ') { "" } else { " " }
}

fn latex(math: &Math, style: Style) -> String {
    let mut out = String::new();
    write(math, style, &mut out);
    out
}

fn write(math: &Math, style: Style, out: &mut String) {
    match math {
        Math::Row(parts) => parts.iter().for_each(|part| write(part, style, out)),
        Math::Identifier(name) => out.push_str(&spaced(identifier(name))),
        Math::Number(digits) => out.push_str(digits),
        Math::Operator(operator) => out.push_str(&spaced(operator.latex().to_owned())),
        Math::Product(parts) => write_product(parts, style, out),
        Math::Fraction(above, below) => {
            let (command, inner) = match style {
                Style::Display => ("frac", Style::Nested),
                Style::Nested => ("dfrac", Style::Text),
                Style::Text => ("frac", Style::Text),
            };
            out.push_str(&format!("\\{command}{{{}}}{{{}}}", latex(above, inner), latex(below, inner)));
        }
        Math::Derivative(of, by) => {
            let (of, by) = (latex(of, Style::Text), latex(by, Style::Text));
            out.push_str(&match style {
                Style::Text => format!("\\partial {of}/\\partial {by}"),
                Style::Display | Style::Nested => format!("\\dfrac{{\\partial {of}}}{{\\partial {by}}}"),
            });
        }
        Math::Scripts { base, sub, sup } => {
            match **base {
                Math::Identifier(_) | Math::Number(_) | Math::Fenced(..) => out.push_str(latex(base, style).trim_end()),
                _ => out.push_str(&format!("{{{}}}", latex(base, style))),
            }
            if let Some(sub) = sub {
                out.push_str(&format!("_{{{}}}", script(sub)));
            }
            if let Some(sup) = sup {
                out.push_str(&format!("^{{{}}}", script(sup)));
            }
        }
        Math::Stack(lines) => {
            let lines: Vec<String> = lines.iter().map(script).collect();
            out.push_str(&format!("\\substack{{{}}}", lines.join("\\\\")));
        }
        Math::Under(body, under) => {
            out.push_str(&format!("\\underset{{{}}}{{{}}}", script(under), latex(body, style)));
        }
        Math::Sqrt(body) => out.push_str(&format!("\\sqrt{{{}}}", latex(body, style))),
        Math::Fenced(Fence::Bare, body) => write(body, style, out),
        Math::Fenced(fence, body) => {
            let (left, right) = delimiters(*fence, body, style);
            out.push_str(&left);
            write(body, style, out);
            out.push_str(&right);
        }
        Math::HalfFence(fence, side) => {
            let size = if *side == Side::Left { "\\Biggl" } else { "\\Biggr" };
            out.push_str(&format!("{size}{}", delimiter(*fence, *side)));
        }
        Math::Cases(rows) => write_cases(rows, out),
        Math::Matrix(rows) => {
            let row = |entries: &Vec<Math>| entries.iter().map(|entry| latex(entry, Style::Text)).collect::<Vec<_>>().join(" & ");
            let rows: Vec<String> = rows.iter().map(row).collect();
            out.push_str(&format!("\\begin{{bmatrix}} {} \\end{{bmatrix}}", rows.join(" \\\\ ")));
        }
        Math::Big { operator, under, over, body } => {
            write_big(*operator, under.as_deref(), over.as_deref(), out);
            write(body, style, out);
        }
        Math::Apply { function, argument } => {
            write_function(function, out);
            write(argument, style, out);
        }
        Math::Call { function, arguments } => {
            write_function(function, out);
            let list = Math::list(arguments.clone());
            let (left, right) = delimiters(Fence::Round, &list, style);
            out.push_str(&left);
            write(&list, style, out);
            out.push_str(&right);
        }
    }
}

fn write_cases(rows: &[(Math, Option<Math>)], out: &mut String) {
    let rows: Vec<String> = rows
        .iter()
        .map(|(value, condition)| match condition {
            Some(condition) => format!("{} & \\text{{if }}{}", latex(value, Style::Text), latex(condition, Style::Text)),
            None => format!("{} & \\text{{otherwise}}", latex(value, Style::Text)),
        })
        .collect();
    out.push_str(&format!("\\begin{{cases}}{}\\end{{cases}}", rows.join("\\\\[2pt]")));
}

fn write_big(operator: BigOperator, under: Option<&Math>, over: Option<&Math>, out: &mut String) {
    out.push_str(match operator {
        BigOperator::Sum => "\\sum",
        BigOperator::Product => "\\prod",
        BigOperator::Max => "\\max",
        BigOperator::Min => "\\min",
        BigOperator::ArgMax => "\\operatorname*{arg\\,max}",
        BigOperator::ArgMin => "\\operatorname*{arg\\,min}",
    });
    if let Some(under) = under {
        out.push_str(&format!("_{{{}}}", script(under)));
    }
    if let Some(over) = over {
        out.push_str(&format!("^{{{}}}", script(over)));
    }
    out.push(' ');
}

fn script(math: &Math) -> String {
    latex(math, Style::Text)
}

/// A command that a letter may follow needs a space after it.
fn spaced(mut command: String) -> String {
    if command.starts_with('\\') && command.ends_with(|last: char| last.is_ascii_alphabetic()) {
        command.push(' ');
    }
    command
}

fn write_product(parts: &[Math], style: Style, out: &mut String) {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            let previous = &parts[at - 1];
            out.push_str(match gap(previous, part) {
                // LaTeX spaces operators and inner fences itself.
                Gap::Thin if matches!(part, Math::Apply { .. } | Math::Call { .. } | Math::Big { .. }) => "",
                Gap::Thin if matches!(part, Math::Fenced(..)) && part.is_tall() => "",
                Gap::None => "",
                Gap::Thin => "\\,",
                Gap::Medium => "\\;",
                Gap::Dot => "\\cdot ",
            });
        }
        write(part, style, out);
    }
}

fn write_function(function: &Math, out: &mut String) {
    let (name, sup) = match function {
        Math::Scripts { base, sup: Some(sup), .. } => (&**base, Some(script(sup))),
        function => (function, None),
    };
    match name {
        Math::Identifier(name) if ["exp", "ln", "sin", "cos", "tan", "tanh", "arctan", "max", "min"].contains(&name.as_str()) => {
            out.push_str(&format!("\\{name}"));
        }
        Math::Identifier(name) => out.push_str(&format!("\\operatorname{{{}}}", super::escape(name))),
        other => write(other, Style::Text, out),
    }
    match sup {
        Some(sup) => out.push_str(&format!("^{{{sup}}}")),
        None if out.ends_with('}') => {}
        None => out.push(' '),
    }
}

/// Fences as high as what they hold.
fn delimiters(fence: Fence, body: &Math, style: Style) -> (String, String) {
    let (left, right) = (delimiter(fence, Side::Left), delimiter(fence, Side::Right));
    if body.is_tall() && style != Style::Text {
        (format!("\\left{left}"), format!("\\right{right}"))
    } else if body.has_superscript() || body.is_tall() {
        (format!("\\bigl{left}"), format!("\\bigr{right}"))
    } else {
        (left.to_owned(), right.to_owned())
    }
}

fn delimiter(fence: Fence, side: Side) -> &'static str {
    match (fence, side) {
        (Fence::Round, Side::Left) => "(",
        (Fence::Round, Side::Right) => ")",
        (Fence::Square, Side::Left) => "[",
        (Fence::Square, Side::Right) => "]",
        (Fence::Bars, Side::Left) => "\\lvert ",
        (Fence::Bars, Side::Right) => "\\rvert ",
        (Fence::Floor, Side::Left) => "\\lfloor ",
        (Fence::Floor, Side::Right) => "\\rfloor ",
        (Fence::Norm, Side::Left) => "\\lVert ",
        (Fence::Norm, Side::Right) => "\\rVert ",
        (Fence::Bare, _) => "",
    }
}

/// A letter or word of a formula. Letters that pdflatex's fonts lack are written by their code point.
pub(super) fn identifier(name: &str) -> String {
    let mut characters = name.chars();
    if let (Some(letter), None) = (characters.next(), characters.next()) {
        if letter.is_ascii_alphabetic() {
            return letter.to_string();
        }
        if let Some(command) = letter_command(letter) {
            return command.to_owned();
        }
    }
    let (mut upright, mut primes) = (String::new(), String::new());
    for character in name.chars() {
        match character {
            '_' => upright.push_str("\\_"),
            '\'' => primes.push('\''),
            character if character.is_ascii() => upright.push(character),
            character => match letter_command(character) {
                Some(command) => upright.push_str(&format!("{{{command}}}")),
                None => upright.push_str(&format!("u{:x}", character as u32)),
            },
        }
    }
    format!("\\mathrm{{{upright}}}{primes}")
}

/// The command for a letter outside of ASCII.
fn letter_command(letter: char) -> Option<&'static str> {
    match letter {
        'ℓ' => Some("\\ell"),
        '∞' => Some("\\infty"),
        '⊤' => Some("\\top"),
        '′' => Some("\\prime"),
        'ϕ' => Some("\\phi"),
        'ϵ' => Some("\\epsilon"),
        'ϑ' => Some("\\vartheta"),
        _ => greek_command(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_no_font_of_pdflatex_has_are_written_by_their_code_point() {
        assert_eq!(identifier("ж"), "\\mathrm{u436}");
        assert_eq!(identifier("σ"), "\\sigma");
        assert_eq!(identifier("x_max'"), "\\mathrm{x\\_max}'");
    }
}
