//! A circuit in words: what each gate does, and the two passes as a table.

use super::{Circuit, Detail, Gate, Operation};
use crate::equation::{Number, Relation};

/// Operands that a formula names; of more, the first and the last.
const NAMED_OPERANDS: usize = 6;

impl Operation {
    /// The sign in the gate: `+`, `exp`, `1/x`.
    pub fn symbol(&self) -> String {
        match self {
            Operation::Given | Operation::Equation(_) => String::new(),
            Operation::Number(number) => digits(number.value(), 6),
            Operation::Copy => "=".to_owned(),
            Operation::Add => "+".to_owned(),
            Operation::Subtract => "−".to_owned(),
            Operation::Multiply => "×".to_owned(),
            Operation::AddNumber(number) if number.value() < 0.0 => format!("−{}", digits(-number.value(), 4)),
            Operation::AddNumber(number) => format!("+{}", digits(number.value(), 4)),
            Operation::MultiplyByNumber(number) => format!("×{}", digits(number.value(), 4)),
            Operation::Power(number) if *number == Number::MINUS_ONE => "1/x".to_owned(),
            Operation::Power(number) => format!("^{}", digits(number.value(), 4)),
            Operation::Raise => "^".to_owned(),
            Operation::Call(function) => function.name().to_owned(),
            Operation::Choose(Relation::Greater | Relation::GreaterEqual) => "max".to_owned(),
            Operation::Choose(_) => "min".to_owned(),
            Operation::Compare(relation) => relation.sign().to_owned(),
            Operation::And => "and".to_owned(),
            Operation::Or => "or".to_owned(),
            Operation::Not => "not".to_owned(),
            Operation::If => "if".to_owned(),
            Operation::Reduce(kind) => kind.name().to_owned(),
            Operation::Place(kind, _) => format!("arg{}", kind.name()),
        }
    }

    /// What it does with operands of these names, in the language of specs.
    fn formula(&self, names: &[String]) -> String {
        let infix = |sign: &str| names.join(&format!(" {sign} "));
        let first = names.first().map_or("", String::as_str);
        match self {
            Operation::Given => "given".to_owned(),
            Operation::Number(number) => digits(number.value(), 6),
            Operation::Copy => first.to_owned(),
            Operation::Add => infix("+"),
            Operation::Subtract => infix("-"),
            Operation::Multiply => infix("*"),
            Operation::AddNumber(number) if number.value() < 0.0 => format!("{first} - {}", digits(-number.value(), 6)),
            Operation::AddNumber(number) => format!("{first} + {}", digits(number.value(), 6)),
            Operation::MultiplyByNumber(number) => format!("{first} * {}", digits(number.value(), 6)),
            Operation::Power(number) if *number == Number::MINUS_ONE => format!("1 / {first}"),
            Operation::Power(number) => format!("{first} ^ {}", digits(number.value(), 6)),
            Operation::Raise => infix("^"),
            Operation::Compare(relation) => format!("[{}]", infix(relation.sign())),
            Operation::And => infix("and"),
            Operation::Or => infix("or"),
            Operation::Not => format!("not {first}"),
            Operation::If => match names {
                [condition, then, otherwise] => format!("if {condition} {{ {then} }} else {{ {otherwise} }}"),
                _ => String::new(),
            },
            Operation::Equation(_) => format!("from {}", listed(names)),
            Operation::Call(_) | Operation::Choose(_) | Operation::Reduce(_) | Operation::Place(..) => {
                format!("{}({})", self.symbol(), listed(names))
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [first, .., last] if names.len() > NAMED_OPERANDS => format!("{first}, …, {last}"),
        _ => names.join(", "),
    }
}

impl Circuit {
    /// The name of a gate: that of its element, or its number after `#`.
    pub fn name(&self, gate: usize) -> String {
        match &self.gates[gate] {
            Gate { name: Some(name), .. } => name.clone(),
            Gate { operation: Operation::Number(number), .. } => digits(number.value(), 6),
            _ => format!("#{}", self.gates[..=gate].iter().filter(|gate| gate.name.is_none() && !gate.is_leaf()).count()),
        }
    }

    /// What a gate does, by the names of what it reads: `x + y`.
    pub fn formula(&self, gate: usize) -> String {
        let names: Vec<String> = self.gates[gate].operands.iter().map(|&operand| self.name(operand)).collect();
        self.gates[gate].operation.formula(&names)
    }

    /// What the gates of this circuit are, in one line.
    pub fn summary(&self) -> String {
        let count = self.gates.iter().filter(|gate| !gate.is_leaf()).count();
        let what = match (self.detail, count) {
            (Detail::Operations, 1) => "1 operation".to_owned(),
            (Detail::Operations, _) => format!("{count} operations"),
            (Detail::Elements, 1) => "1 computed element".to_owned(),
            (Detail::Elements, _) => format!("{count} computed elements"),
        };
        let result = &self.gates[self.result];
        format!("{}: {what}, {} = {}", self.network, self.name(self.result), digits(result.value, 6))
    }

    /// Both passes as a table: values in the order in which they are computed, adjoints in the order in which these are.
    pub fn to_text(&self) -> String {
        let shown: Vec<usize> = (0..self.gates.len())
            .filter(|&at| !matches!(self.gates[at], Gate { name: None, operation: Operation::Number(_), .. }))
            .collect();
        let names: Vec<String> = shown.iter().map(|&at| self.name(at)).collect();
        let formulas: Vec<String> = shown.iter().map(|&at| self.formula(at)).collect();
        let wide = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
        let (name_width, formula_width) = (wide(&names), wide(&formulas));
        let mut text = format!("{}\n\nforward\n", self.summary());
        for ((&at, name), formula) in shown.iter().zip(&names).zip(&formulas) {
            let value = digits(self.gates[at].value, 6);
            text += &format!("  {name:<name_width$} = {formula:<formula_width$}  {value:>12}\n");
        }
        text += &format!("\nbackward: the derivative of {} by each\n", self.name(self.result));
        for (&at, name) in shown.iter().zip(&names).rev() {
            let adjoint = digits(self.gates[at].adjoint, 6);
            text += &format!("  {name:<name_width$}  {adjoint:>12}\n");
        }
        text
    }
}

/// A number rounded to so many significant digits, without trailing zeros.
pub fn digits(value: f64, count: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", count.saturating_sub(1));
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return value.to_string() };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= 2 * count as i32 {
        let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
        return format!("{mantissa}e{exponent}");
    }
    let decimals = usize::try_from(count as i32 - 1 - exponent).unwrap_or(0);
    let fixed = format!("{value:.decimals$}");
    if fixed.contains('.') { fixed.trim_end_matches('0').trim_end_matches('.').to_owned() } else { fixed }
}
