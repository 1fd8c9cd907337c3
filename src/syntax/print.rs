//! From tree to text: the canonical way to write a spec.
//!
//! Reading what was printed gives the same tree, save for the places.

use std::fmt::Write as _;

use super::expressions::REDUCTIONS;
use super::tree::{
    Argument, BinaryOperator, BoundIndex, Declaration, DeclaredIndex, Drawn, Expr, ExprKind, Formal, Name, Spec, Statement,
    StatementKind,
};

/// How tightly an expression holds together, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Pipe,
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Negate,
    Power,
    Operand,
}

/// Writes a spec, one statement on a line.
pub fn print(spec: &Spec) -> String {
    let mut text = String::new();
    if let Some(name) = &spec.network {
        text.push_str(&format!("network {}\n", name.text));
    }
    for one in &spec.statements {
        statement(one, "", &mut text);
    }
    text
}

fn statement(one: &Statement, indent: &str, text: &mut String) {
    text.push_str(indent);
    text.push_str(&match &one.kind {
        StatementKind::Let { name, value } => format!("let {} = {}", name.text, whole(value)),
        StatementKind::Input(list) => format!("input {}", joined(list, declaration)),
        StatementKind::Target(list) => format!("target {}", joined(list, declaration)),
        StatementKind::Param(it) => format!("param {}", drawn(it)),
        StatementKind::Noise(it) => format!("noise {}", drawn(it)),
        StatementKind::Equation(it) => {
            let indices = it.indices.as_ref().map_or(String::new(), |indices| format!("[{}]", joined(indices, index)));
            format!("{}{indices} = {}", it.name.text, whole(&it.value))
        }
        StatementKind::Loss(value) => format!("loss {}", whole(value)),
        StatementKind::Regularizer { value, on } => format!("regularizer {}{}", whole(value), list(" on ", on)),
        StatementKind::Objective { value, by } => format!("objective {}{}", whole(value), list(" by ", by)),
        StatementKind::Optimizer { rule, on } => {
            let rule = match rule {
                None => "none".to_owned(),
                Some(Expr { kind: ExprKind::Name(name), .. }) if name == "none" => "(none)".to_owned(),
                Some(rule) => whole(rule),
            };
            format!("optimizer {rule}{}", list(" on ", on))
        }
        StatementKind::Function(it) => {
            format!("function {}({}) = {}", it.name.text, joined(&it.formals, formal), whole(&it.body))
        }
        StatementKind::Layer(it) => {
            let head = format!("layer {}({}) -> {}", it.name.text, joined(&it.formals, formal), formal(&it.result));
            head + &body(&it.body, indent)
        }
        StatementKind::OptimizerDefinition(it) => {
            format!("optimizer {}({}){}", it.name.text, joined(&it.formals, formal), body(&it.body, indent))
        }
        StatementKind::State { name, initial } => format!("state {} ~ {}", name.text, whole(initial)),
        StatementKind::Include { path, .. } => format!("include \"{path}\""),
    });
    text.push('\n');
}

fn body(statements: &[Statement], indent: &str) -> String {
    if statements.is_empty() {
        return " {}".to_owned();
    }
    let mut text = String::from(" {\n");
    for one in statements {
        statement(one, &format!("{indent}    "), &mut text);
    }
    text + indent + "}"
}

fn joined<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    items.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// ` on a, b`, or nothing.
fn list(word: &str, names: &[Name]) -> String {
    if names.is_empty() { String::new() } else { format!("{word}{}", joined(names, |name| name.text.clone())) }
}

fn declaration(it: &Declaration) -> String {
    let shape = if it.shape.is_empty() { String::new() } else { format!("[{}]", joined(&it.shape, whole)) };
    let class = it.class.as_ref().map_or(String::new(), |class| format!(": class[{}]", whole(class)));
    format!("{}{shape}{class}", it.name.text)
}

fn drawn(it: &Drawn) -> String {
    let one = |it: &DeclaredIndex| match &it.extent {
        Some(extent) if it.name.text == "_" => whole(extent),
        _ => index(it),
    };
    let leading = if it.leading { vec!["..".to_owned()] } else { Vec::new() };
    let all: Vec<String> = leading.into_iter().chain(it.indices.iter().map(one)).collect();
    let indices = if all.is_empty() { String::new() } else { format!("[{}]", all.join(", ")) };
    let condition = it.condition.as_ref().map_or(String::new(), |condition| format!(" if {}", whole(condition)));
    format!("{}{indices} ~ {}{condition}", it.name.text, whole(&it.from))
}

fn index(it: &DeclaredIndex) -> String {
    match &it.extent {
        Some(extent) => format!("{}: {}", it.name.text, whole(extent)),
        None => it.name.text.clone(),
    }
}

fn formal(it: &Formal) -> String {
    let mut text = it.name.text.clone();
    if let Some(indices) = &it.indices {
        let leading = if it.leading { vec!["..".to_owned()] } else { Vec::new() };
        let all: Vec<String> = leading.into_iter().chain(indices.iter().map(index)).collect();
        text.push_str(&format!("[{}]", all.join(", ")));
    }
    if let Some(default) = &it.default {
        text.push_str(&format!(" = {}", whole(default)));
    }
    if let Some(within) = &it.within {
        text.push_str(&format!(" in [{}, {}]", whole(&within.low), whole(&within.high)));
        if let Some(reason) = &within.reason {
            text.push_str(&format!(" \"{reason}\""));
        }
    }
    text
}

/// Writes one expression.
pub fn print_expression(expr: &Expr) -> String {
    whole(expr)
}

/// An expression where any may stand.
fn whole(expr: &Expr) -> String {
    let mut text = String::new();
    expression(expr, Binding::Pipe, &mut text);
    text
}

/// Writes an expression where one that binds at least so tightly may stand without brackets.
fn expression(expr: &Expr, least: Binding, text: &mut String) {
    let bracketed = binding(&expr.kind) < least;
    if bracketed {
        text.push('(');
    }
    match &expr.kind {
        ExprKind::Number(value) => number(*value, text),
        ExprKind::Text(it) => text.push_str(&format!("\"{it}\"")),
        ExprKind::Name(name) => text.push_str(name),
        ExprKind::Access { name, indices } => text.push_str(&format!("{}[{}]", name.text, joined(indices, whole))),
        ExprKind::Call { name, arguments } => text.push_str(&format!("{}({})", name.text, joined(arguments, argument))),
        ExprKind::Pipe { value, call, label } => {
            expression(value, Binding::Pipe, text);
            text.push_str(" |> ");
            expression(call, Binding::Operand, text);
            if let Some(label) = label {
                text.push_str(&format!(" as {}", label.text));
            }
        }
        ExprKind::Negate(operand) => {
            text.push('-');
            expression(operand, Binding::Negate, text);
        }
        ExprKind::Binary { operator, left, right } => {
            let (sign, left_least, right_least) = match operator {
                BinaryOperator::Add => (" + ", Binding::Sum, Binding::Product),
                BinaryOperator::Subtract => (" - ", Binding::Sum, Binding::Product),
                BinaryOperator::Multiply => (" * ", Binding::Product, Binding::Negate),
                BinaryOperator::Divide => (" / ", Binding::Product, Binding::Negate),
                BinaryOperator::Power => ("^", Binding::Operand, Binding::Negate),
            };
            expression(left, left_least, text);
            text.push_str(sign);
            expression(right, right_least, text);
        }
        ExprKind::Compare { relation, left, right } => {
            expression(left, Binding::Sum, text);
            text.push_str(&format!(" {} ", relation.sign()));
            expression(right, Binding::Sum, text);
        }
        ExprKind::And(left, right) => {
            expression(left, Binding::And, text);
            text.push_str(" and ");
            expression(right, Binding::Not, text);
        }
        ExprKind::Or(left, right) => {
            expression(left, Binding::Or, text);
            text.push_str(" or ");
            expression(right, Binding::And, text);
        }
        ExprKind::Not(operand) => {
            text.push_str("not ");
            expression(operand, Binding::Not, text);
        }
        ExprKind::Position => text.push_str("position(..)"),
        ExprKind::Iverson(condition) => text.push_str(&format!("[{}]", whole(condition))),
        ExprKind::If { condition, then, otherwise } => {
            text.push_str(&format!("if {} {{ {} }} else ", whole(condition), whole(then)));
            if matches!(otherwise.kind, ExprKind::If { .. }) {
                expression(otherwise, Binding::Operand, text);
            } else {
                text.push_str(&format!("{{ {} }}", whole(otherwise)));
            }
        }
        ExprKind::Reduce { operator, leading, indices, body } => {
            let word = REDUCTIONS.iter().find(|(_, known)| known == operator).map_or("", |(word, _)| word);
            let leading = if *leading { vec!["..".to_owned()] } else { Vec::new() };
            let all: Vec<String> = leading.into_iter().chain(indices.iter().map(bound)).collect();
            text.push_str(&format!("{word}({}: {})", all.join(", "), whole(body)));
        }
    }
    if bracketed {
        text.push(')');
    }
}

fn binding(kind: &ExprKind) -> Binding {
    match kind {
        ExprKind::Pipe { .. } => Binding::Pipe,
        ExprKind::Or(..) => Binding::Or,
        ExprKind::And(..) => Binding::And,
        ExprKind::Not(_) => Binding::Not,
        ExprKind::Compare { .. } => Binding::Compare,
        ExprKind::Binary { operator: BinaryOperator::Add | BinaryOperator::Subtract, .. } => Binding::Sum,
        ExprKind::Binary { operator: BinaryOperator::Multiply | BinaryOperator::Divide, .. } => Binding::Product,
        ExprKind::Binary { operator: BinaryOperator::Power, .. } => Binding::Power,
        ExprKind::Negate(_) => Binding::Negate,
        ExprKind::Number(value) if value.is_sign_negative() => Binding::Negate,
        _ => Binding::Operand,
    }
}

/// The shortest digits that give the same number, with an exponent where there would be many zeros.
fn number(value: f64, text: &mut String) {
    let plain = value == 0.0 || (1e-6..1e16).contains(&value.abs());
    let _ = if plain { write!(text, "{value}") } else { write!(text, "{value:e}") };
}

fn argument(it: &Argument) -> String {
    match &it.name {
        Some(name) => format!("{} = {}", name.text, whole(&it.value)),
        None => whole(&it.value),
    }
}

fn bound(it: &BoundIndex) -> String {
    match &it.range {
        Some((low, high)) => format!("{} in {}..{}", it.name.text, whole(low), whole(high)),
        None => it.name.text.clone(),
    }
}
