//! Equations as one line of plain text in the spec language, such as `s[j] = sum(i: w[i, j] * x[i]) + b[j]`.
//!
//! For snapshots, messages and debugging; what people read in a sheet is set by `crate::sheet`.

use super::rebuild::for_each_child;
use super::{Affine, Context, Equation, ExprId, IndexId, Node, Number};

impl Context {
    /// An equation's value, or its computed form, after its left-hand side.
    pub fn equation_text(&self, equation: &Equation) -> String {
        let mut printer = Printer::new(self, equation.value);
        let indices: Vec<String> = equation.indices.iter().map(|&index| printer.bind(index)).collect();
        let name = &self.tensor(equation.target).name;
        let left = if indices.is_empty() { name.clone() } else { format!("{name}[{}]", indices.join(", ")) };
        format!("{left} = {}", printer.expression(equation.value, Level::Lowest))
    }

    /// An expression, its free indices called by their own names as far as these differ.
    pub fn expression_text(&self, expr: ExprId) -> String {
        let mut printer = Printer::new(self, expr);
        for index in self.free_indices(expr) {
            printer.bind(index);
        }
        printer.expression(expr, Level::Lowest)
    }
}

/// How tightly an operator binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Lowest,
    Product,
    Power,
    Primary,
}

struct Printer<'a> {
    context: &'a Context,
    /// The indices in scope with the names they go by, innermost last.
    names: Vec<(IndexId, String)>,
    /// Names of scalar tensors, which an index must not hide.
    scalars: Vec<&'a str>,
}

impl<'a> Printer<'a> {
    fn new(context: &'a Context, expr: ExprId) -> Self {
        let tensors = context.tensors_in(expr).into_iter().map(|tensor| context.tensor(tensor));
        let scalars = tensors.filter(|tensor| tensor.shape.is_empty()).map(|tensor| tensor.name.as_str()).collect();
        Self { context, names: Vec::new(), scalars }
    }

    /// Brings an index into scope under its own name, or the next letter that is free.
    fn bind(&mut self, index: IndexId) -> String {
        let own = &self.context.index_of(index).name;
        let own = if own.is_empty() || own == "_" { "i" } else { own };
        let letters = ('i'..='z').chain('a'..='h').map(String::from);
        let numbered = (1..).map(|number| format!("{own}{number}"));
        let mut candidates = std::iter::once(own.to_owned()).chain(letters).chain(numbered);
        let is_free =
            |name: &String| !self.names.iter().any(|(_, taken)| taken == name) && !self.scalars.contains(&name.as_str());
        let name = candidates.find(is_free).unwrap_or_default();
        self.names.push((index, name.clone()));
        name
    }

    fn name(&self, index: IndexId) -> &str {
        let bound = self.names.iter().rev().find(|(bound, _)| *bound == index);
        bound.map_or_else(|| self.context.index_of(index).name.as_str(), |(_, name)| name)
    }

    fn affine(&self, affine: &Affine) -> String {
        let mut text = String::new();
        for &(index, coefficient) in &affine.terms {
            let name = self.name(index);
            let term = match coefficient.unsigned_abs() {
                1 => name.to_owned(),
                times => format!("{times}*{name}"),
            };
            push_term(&mut text, coefficient < 0, &term);
        }
        if affine.constant != 0 || text.is_empty() {
            push_term(&mut text, affine.constant < 0, &affine.constant.unsigned_abs().to_string());
        }
        text
    }

    fn expression(&mut self, expr: ExprId, level: Level) -> String {
        let context = self.context;
        let (text, own) = match context.node(expr) {
            Node::Number(number) => {
                let own = if number.value() < 0.0 { Level::Product } else { Level::Primary };
                (number_text(*number), own)
            }
            Node::Index(affine) => {
                let own = if affine.as_index().is_some() { Level::Primary } else { Level::Lowest };
                (self.affine(affine), own)
            }
            Node::Access { tensor, indices } => {
                let name = &context.tensor(*tensor).name;
                let indices: Vec<String> = indices.iter().map(|affine| self.affine(affine)).collect();
                let text = if indices.is_empty() { name.clone() } else { format!("{name}[{}]", indices.join(", ")) };
                (text, Level::Primary)
            }
            Node::Add(terms) => (self.sum_of(terms), Level::Lowest),
            Node::Multiply(factors) => (self.product_of(factors), Level::Product),
            Node::Power(base, exponent) => match context.as_number(*exponent) {
                Some(number) if number.value() < 0.0 => (self.product_of(&[expr]), Level::Product),
                _ => (self.power(*base, *exponent), Level::Power),
            },
            Node::Call(function, argument) => {
                (format!("{}({})", function.name(), self.expression(*argument, Level::Lowest)), Level::Primary)
            }
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => {
                (format!("[{}]", self.condition(expr, true)), Level::Primary)
            }
            Node::If { condition, then, otherwise } => {
                let condition = self.condition(*condition, true);
                let then = self.expression(*then, Level::Lowest);
                let otherwise = self.expression(*otherwise, Level::Lowest);
                (format!("if {condition} {{ {then} }} else {{ {otherwise} }}"), Level::Lowest)
            }
            Node::Reduce { kind, indices, body } => (self.reduction(kind.name(), indices, *body), Level::Primary),
            Node::ArgReduce { kind, indices, position, body } => {
                let place = if indices.len() > 1 { format!("_{position}") } else { String::new() };
                (self.reduction(&format!("arg{}{place}", kind.name()), indices, *body), Level::Primary)
            }
            Node::Partial { of, by } => {
                let of = self.expression(*of, Level::Lowest);
                let by = self.expression(*by, Level::Lowest);
                (format!("d({of})/d({by})"), Level::Primary)
            }
        };
        if own < level { format!("({text})") } else { text }
    }

    fn reduction(&mut self, name: &str, indices: &[IndexId], body: ExprId) -> String {
        let scope = self.names.len();
        let mut bound = Vec::new();
        for &index in indices {
            let name = self.bind(index);
            let range = self.context.index_of(index);
            let is_plain = range.start == 0 && self.is_range_of_an_axis(body, index);
            bound.push(if is_plain { name } else { format!("{name} in {}..{}", range.start, range.end) });
        }
        let body = self.expression(body, Level::Lowest);
        self.names.truncate(scope);
        format!("{name}({}: {body})", bound.join(", "))
    }

    /// Whether a reader sees the range of an index from a tensor that is accessed with it.
    fn is_range_of_an_axis(&self, expr: ExprId, index: IndexId) -> bool {
        match self.context.node(expr) {
            Node::Access { tensor, indices } => {
                let shape = &self.context.tensor(*tensor).shape;
                let extent = self.context.index_of(index).extent();
                indices.iter().zip(shape).any(|(affine, &axis)| affine.as_index() == Some(index) && axis == extent)
            }
            Node::Reduce { indices, .. } | Node::ArgReduce { indices, .. } if indices.contains(&index) => false,
            node => {
                let mut found = false;
                for_each_child(node, |child| found = found || self.is_range_of_an_axis(child, index));
                found
            }
        }
    }

    fn condition(&mut self, expr: ExprId, outermost: bool) -> String {
        let context = self.context;
        let (text, is_compound) = match context.node(expr) {
            Node::Compare(relation, left, right) => {
                let left = self.expression(*left, Level::Lowest);
                let right = self.expression(*right, Level::Lowest);
                (format!("{left} {} {right}", relation.sign()), false)
            }
            Node::And(conditions) => (self.conditions(conditions, " and "), true),
            Node::Or(conditions) => (self.conditions(conditions, " or "), true),
            Node::Not(condition) => (format!("not {}", self.condition(*condition, false)), false),
            _ => (format!("{} != 0", self.expression(expr, Level::Lowest)), false),
        };
        if is_compound && !outermost { format!("({text})") } else { text }
    }

    fn conditions(&mut self, conditions: &[ExprId], separator: &str) -> String {
        let texts: Vec<String> = conditions.iter().map(|&condition| self.condition(condition, false)).collect();
        texts.join(separator)
    }

    fn sum_of(&mut self, terms: &[ExprId]) -> String {
        let terms: Vec<(bool, String)> = terms.iter().map(|&term| self.signed_term(term)).collect();
        let first = terms.iter().position(|(is_negative, _)| !is_negative).unwrap_or(0);
        let rest = terms.iter().enumerate().filter(|(at, _)| *at != first).map(|(_, term)| term);
        let mut text = String::new();
        for (is_negative, term) in std::iter::once(&terms[first]).chain(rest) {
            push_term(&mut text, *is_negative, term);
        }
        text
    }

    /// A summand without its sign, and whether that is a minus.
    fn signed_term(&mut self, term: ExprId) -> (bool, String) {
        let text = self.expression(term, Level::Product);
        match text.strip_prefix('-') {
            Some(positive) => (true, positive.to_owned()),
            None => (false, text),
        }
    }

    fn product_of(&mut self, factors: &[ExprId]) -> String {
        let mut numerator = Vec::new();
        let mut denominator = Vec::new();
        let mut is_negative = false;
        for &factor in factors {
            match self.context.node(factor) {
                Node::Number(number) if number.value() < 0.0 => {
                    is_negative = !is_negative;
                    if *number != Number::MINUS_ONE {
                        numerator.push(number_text(*number).trim_start_matches('-').to_owned());
                    }
                }
                Node::Power(base, exponent) => match self.context.as_number(*exponent) {
                    Some(number) if number == Number::MINUS_ONE => denominator.push(self.expression(*base, Level::Power)),
                    Some(number) if number.value() < 0.0 => {
                        let base = self.expression(*base, Level::Primary);
                        denominator.push(format!("{base}^{}", number_text(number).trim_start_matches('-')));
                    }
                    _ => numerator.push(self.expression(factor, Level::Power)),
                },
                _ => numerator.push(self.expression(factor, Level::Power)),
            }
        }
        let mut text = if numerator.is_empty() { "1".to_owned() } else { numerator.join(" * ") };
        match &denominator[..] {
            [] => {}
            [single] => text = format!("{text} / {single}"),
            several => text = format!("{text} / ({})", several.join(" * ")),
        }
        if is_negative { format!("-{text}") } else { text }
    }

    fn power(&mut self, base: ExprId, exponent: ExprId) -> String {
        let base = self.expression(base, Level::Primary);
        let exponent = self.expression(exponent, Level::Power);
        format!("{base}^{exponent}")
    }
}

fn push_term(text: &mut String, is_negative: bool, term: &str) {
    text.push_str(match (text.is_empty(), is_negative) {
        (true, false) => "",
        (true, true) => "-",
        (false, false) => " + ",
        (false, true) => " - ",
    });
    text.push_str(term);
}

fn number_text(number: Number) -> String {
    let value = number.value();
    if value != 0.0 && value.is_finite() && !(1e-4..1e15).contains(&value.abs()) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Elementary, Relation, Role, Tensor};
    use super::*;

    fn tensor(context: &mut Context, name: &str, shape: &[usize]) -> super::super::TensorId {
        let axes = shape.iter().map(|_| "i".to_owned()).collect();
        let (name, shape) = (name.to_owned(), shape.to_vec());
        context.add_tensor(Tensor { name, shape, axes, role: Role::Value, label: false, origin: None })
    }

    #[test]
    fn a_dense_equation_reads_as_it_was_written() {
        let mut context = Context::new();
        let [w, x, b, s] =
            [("w", &[3, 2][..]), ("x", &[3]), ("b", &[2]), ("s", &[2])].map(|(name, shape)| tensor(&mut context, name, shape));
        let [i, j] = [context.add_index("i", 0, 3), context.add_index("j", 0, 2)];
        let factors = [context.access_at(w, &[i, j]), context.access_at(x, &[i])];
        let product = context.multiply(factors);
        let terms = [context.sum(&[i], product), context.access_at(b, &[j])];
        let value = context.add(terms);
        let equation = Equation { target: s, indices: vec![j], value, computed: value, number: 0, origin: None };
        assert_eq!(context.equation_text(&equation), "s[j] = sum(i: w[i, j] * x[i]) + b[j]");
    }

    #[test]
    fn a_bound_index_does_not_take_the_name_of_a_free_one() {
        let mut context = Context::new();
        let s = tensor(&mut context, "s", &[4]);
        let [free, bound] = [context.add_index("j", 0, 4), context.add_index("j", 0, 4)];
        let terms = [context.access_at(s, &[free]), context.access_at(s, &[bound])];
        let exps = terms.map(|term| context.call(Elementary::Exp, term));
        let total = context.sum(&[bound], exps[1]);
        let softmax = context.divide(exps[0], total);
        assert_eq!(context.expression_text(softmax), "exp(s[j]) / sum(i: exp(s[i]))");
    }

    #[test]
    fn signs_quotients_and_conditions_read_as_in_the_language() {
        let mut context = Context::new();
        let [a, b] = [("a", &[][..]), ("b", &[])].map(|(name, shape)| {
            let id = tensor(&mut context, name, shape);
            context.access(id, Vec::new())
        });
        let one = context.integer(1);
        let difference = context.subtract(one, a);
        let product = context.multiply([b, difference]);
        let quotient = context.divide(product, a);
        let negated = context.negate(quotient);
        assert_eq!(context.expression_text(negated), "-b * (1 - a) / a");
        let condition = context.compare(Relation::LessEqual, a, b);
        let clamp = context.if_else(condition, difference, quotient);
        assert_eq!(context.expression_text(clamp), "if a <= b { 1 - a } else { b * (1 - a) / a }");
        assert_eq!(context.expression_text(condition), "[a <= b]");
    }
}
