//! Formulas: from tokens to the tree of the language.

use std::collections::BTreeSet;

use super::indices::{entries, position, span_of};
use super::symbols::{Symbol, Symbols, text_of};
use super::tokens::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{Argument, BinaryOperator, BoundIndex, Expr, ExprKind, Name, ReduceOperator, Relation};

type Read<T> = Result<T, Diagnostic>;

/// The functions that are written as commands, and their names in the language.
const FUNCTIONS: [(&str, &str); 10] = [
    ("exp", "exp"),
    ("ln", "ln"),
    ("log", "ln"),
    ("sin", "sin"),
    ("cos", "cos"),
    ("tan", "tan"),
    ("tanh", "tanh"),
    ("arctan", "atan"),
    ("erf", "erf"),
    ("sgn", "sgn"),
];

/// Reads one side of a rule.
pub(super) struct Reader<'r> {
    symbols: &'r Symbols,
    tokens: &'r [Token],
    at: usize,
    /// Where the tokens end, for messages.
    end: Span,
    /// Letters that are indices here.
    indices: Vec<String>,
    /// Letters that name an example of the minibatch.
    examples: Vec<String>,
    /// Tensors whose symbols stand for their new values.
    renewed: BTreeSet<String>,
    depth: usize,
}

/// Scripts of a symbol.
#[derive(Default)]
struct Scripts<'r> {
    sub: Option<&'r [Token]>,
    sup: Option<&'r [Token]>,
    primes: usize,
}

impl<'r> Reader<'r> {
    pub(super) fn new(symbols: &'r Symbols, tokens: &'r [Token], end: Span) -> Self {
        let (indices, examples, renewed) = (Vec::new(), Vec::new(), BTreeSet::new());
        Reader { symbols, tokens, at: 0, end, indices, examples, renewed, depth: 0 }
    }

    /// The left side, which gives its letters to the indices.
    pub(super) fn left(&mut self, is_update: bool) -> Read<Expr> {
        // Every letter below a symbol is an index of the rule.
        let mut below = 0i32;
        for (at, token) in self.tokens.iter().enumerate() {
            match &token.kind {
                Kind::Sign('{') if below > 0 || at > 0 && self.tokens[at - 1].kind == Kind::Sign('_') => below += 1,
                Kind::Sign('}') if below > 0 => below -= 1,
                Kind::Word(name) if below > 0 || at > 0 && self.tokens[at - 1].kind == Kind::Sign('_') => {
                    self.indices.push(name.clone());
                }
                _ => {}
            }
        }
        let left = self.whole()?;
        if !is_update {
            return Ok(left);
        }
        let primed = |name: &str| if name.ends_with('\'') { name.to_owned() } else { format!("{name}'") };
        let kind = match left.kind {
            ExprKind::Name(name) => ExprKind::Name(primed(&name)),
            ExprKind::Access { name, indices } => {
                ExprKind::Access { name: Name { text: primed(&name.text), span: name.span }, indices }
            }
            _ => return Err(Diagnostic::error(left.span, "an arrow stands behind the parameter or state that it changes")),
        };
        Ok(Expr { kind, span: left.span })
    }

    /// Takes over what the left side says: its indices, and what was updated before it.
    pub(super) fn adopt(&mut self, left: &Reader<'_>, expr: &Expr) {
        self.indices = left.indices.clone();
        let target = match &expr.kind {
            ExprKind::Name(name) => name,
            ExprKind::Access { name, .. } => &name.text,
            _ => return,
        };
        self.renewed = self.symbols.renewed_before(target);
    }

    /// All tokens as one expression.
    pub(super) fn whole(&mut self) -> Read<Expr> {
        let value = self.sum()?;
        match self.peek() {
            None => Ok(value),
            Some(token) => Err(Diagnostic::error(token.span, "the formula ends before this").label("not read")),
        }
    }

    /// A part of the tokens as one expression, with the same names.
    fn part(&mut self, tokens: &'r [Token], read: impl FnOnce(&mut Self) -> Read<Expr>) -> Read<Expr> {
        let end = span_of(tokens, self.end);
        let outer = (std::mem::replace(&mut self.tokens, tokens), std::mem::replace(&mut self.at, 0));
        let outer_end = std::mem::replace(&mut self.end, end);
        let result = read(self);
        (self.tokens, self.at) = outer;
        self.end = outer_end;
        result
    }

    fn group_value(&mut self, tokens: &'r [Token]) -> Read<Expr> {
        self.part(tokens, Self::whole)
    }

    fn peek(&self) -> Option<&'r Token> {
        self.tokens.get(self.at)
    }

    fn is_next(&self, sign: char) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Sign(sign))
    }

    fn is_command(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token { kind: Kind::Command(command), .. }) if command == name)
    }

    fn here(&self) -> Span {
        self.peek().map_or(self.end, |token| token.span)
    }

    fn error<T>(&self, message: impl Into<String>) -> Read<T> {
        Err(Diagnostic::error(self.here(), message))
    }

    /// Terms with their signs.
    fn sum(&mut self) -> Read<Expr> {
        self.depth += 1;
        if self.depth > limits::NESTING {
            return self.error("this is nested too deep");
        }
        let mut sum: Option<Expr> = None;
        loop {
            let negative = self.is_next('-');
            if negative || self.is_next('+') {
                self.at += 1;
            } else if sum.is_some() {
                break;
            }
            let term = self.product()?;
            sum = Some(match sum {
                None if negative => negated(term),
                None => term,
                Some(before) => binary(if negative { BinaryOperator::Subtract } else { BinaryOperator::Add }, before, term),
            });
        }
        self.depth -= 1;
        match sum {
            Some(sum) => Ok(sum),
            None => self.error("a formula is missing here"),
        }
    }

    /// Factors beside each other.
    fn product(&mut self) -> Read<Expr> {
        let mut product = self.factor()?;
        loop {
            if self.is_command("cdot") || self.is_command("times") {
                self.at += 1;
            } else if self.is_next('/') {
                self.at += 1;
                let divisor = self.factor()?;
                product = binary(BinaryOperator::Divide, product, divisor);
                continue;
            } else if !self.begins_factor() {
                return Ok(product);
            }
            let factor = self.factor()?;
            product = binary(BinaryOperator::Multiply, product, factor);
        }
    }

    fn begins_factor(&self) -> bool {
        match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(_) | Kind::Number(_) | Kind::Sign('(' | '[' | '{')) => true,
            Some(Kind::Command(name)) => !matches!(
                name.as_str(),
                "le" | "leq" | "ge" | "geq" | "ne" | "neq" | "land" | "lor" | "rvert" | "rfloor" | "end" | "leftarrow" | "gets"
            ),
            _ => false,
        }
    }

    /// One factor, with its exponent.
    fn factor(&mut self) -> Read<Expr> {
        let Some(token) = self.peek() else { return self.error("a formula ends where a factor is expected") };
        match &token.kind {
            Kind::Word(_) => self.symbol(),
            Kind::Number(number) => {
                self.at += 1;
                let number = Expr { kind: ExprKind::Number(*number), span: token.span };
                self.raised(number)
            }
            Kind::Sign('(' | '{') => {
                let inner = self.fenced()?;
                let value = self.group_value(inner)?;
                self.raised(value)
            }
            Kind::Sign('[') => {
                let inner = self.fenced()?;
                let value = if has_relation(inner) {
                    let condition = self.part(inner, Self::condition)?;
                    let span = condition.span;
                    Expr { kind: ExprKind::Iverson(Box::new(condition)), span }
                } else {
                    self.group_value(inner)?
                };
                self.raised(value)
            }
            Kind::Command(name) => self.command(name, token.span),
            _ => self.error("a factor is expected here"),
        }
    }

    /// A value with the exponent that follows, if one does.
    fn raised(&mut self, base: Expr) -> Read<Expr> {
        if !self.is_next('^') {
            return Ok(base);
        }
        self.at += 1;
        let exponent = self.script()?;
        let exponent = self.group_value(exponent)?;
        Ok(binary(BinaryOperator::Power, base, exponent))
    }

    /// The tokens between a pair of fences, which are passed.
    fn fenced(&mut self) -> Read<&'r [Token]> {
        let start = self.at;
        let mut open = Vec::new();
        while let Some(token) = self.peek() {
            self.at += 1;
            match token.kind {
                Kind::Sign(sign @ ('(' | '[' | '{')) => open.push(sign),
                Kind::Sign(sign @ (')' | ']' | '}')) => {
                    let expected = open.pop().map(|open| match open {
                        '(' => ')',
                        '[' => ']',
                        _ => '}',
                    });
                    if expected != Some(sign) {
                        return Err(Diagnostic::error(token.span, format!("this `{sign}` closes nothing")));
                    }
                }
                _ => {}
            }
            if open.is_empty() {
                return Ok(&self.tokens[start + 1..self.at - 1]);
            }
        }
        let place = self.tokens.get(start).map_or(self.end, |token| token.span);
        Err(Diagnostic::error(place, "this is never closed"))
    }

    /// What `_` or `^` applies to: a group in braces, or one token.
    fn script(&mut self) -> Read<&'r [Token]> {
        if self.is_next('{') {
            return self.fenced();
        }
        if self.peek().is_none() {
            return self.error("a script is missing here");
        }
        self.at += 1;
        Ok(&self.tokens[self.at - 1..self.at])
    }

    fn scripts(&mut self) -> Read<Scripts<'r>> {
        let mut scripts = Scripts::default();
        loop {
            if self.is_next('\'') {
                self.at += 1;
                scripts.primes += 1;
            } else if self.is_next('_') && scripts.sub.is_none() {
                self.at += 1;
                scripts.sub = Some(self.script()?);
            } else if self.is_next('^') && scripts.sup.is_none() {
                self.at += 1;
                scripts.sup = Some(self.script()?);
            } else {
                return Ok(scripts);
            }
        }
    }

    /// A tensor's element, an index, or the number e.
    fn symbol(&mut self) -> Read<Expr> {
        let Some(Token { kind: Kind::Word(word), span }) = self.peek() else { return self.error("a symbol is expected here") };
        self.at += 1;
        let scripts = self.scripts()?;
        let quoted = format!("{word}{}", "'".repeat(scripts.primes));
        let symbols = self.symbols;
        let (key, primes) = if symbols.all.iter().any(|symbol| symbol.key == quoted) {
            (quoted.as_str(), 0)
        } else {
            (word.as_str(), scripts.primes)
        };
        // A letter that the rule binds is an index, also where it is that of the number of updates or examples elsewhere.
        let is_index = scripts.sub.is_none() && self.indices.contains(word);
        let is_other = |symbol: &&Symbol| symbol.key == key && !(is_index && symbol.is_counter);
        let with_key: Vec<&Symbol> = symbols.all.iter().filter(is_other).collect();
        let above = scripts.sup.map(|sup| self.above(sup)).unwrap_or_default();
        // The reading in which most of the superscript is a layer comes first.
        for with_label in [true, false] {
            for symbol in &with_key {
                let has_label = above.labels.first().is_some_and(|label| *label == symbol.label);
                if (has_label && !symbol.label.is_empty()) == with_label
                    && symbol.label.is_empty() != with_label
                    && let Some(indices) = self.positions(symbol, scripts.sub.unwrap_or_default(), *span)?
                {
                    let is_next = primes > 0 || above.is_primed || self.renewed.contains(&symbol.name);
                    let name = if is_next { format!("{}'", symbol.name) } else { symbol.name.clone() };
                    let element = element(name, indices, *span);
                    let exponent = if with_label { above.after_label } else { above.exponent };
                    return match exponent {
                        Some(tokens) if !tokens.is_empty() => {
                            let exponent = self.group_value(tokens)?;
                            Ok(binary(BinaryOperator::Power, element, exponent))
                        }
                        _ => Ok(element),
                    };
                }
            }
        }
        self.other_word(word, *span, &scripts)
    }

    /// A word that is no tensor's.
    fn other_word(&mut self, word: &str, span: Span, scripts: &Scripts<'r>) -> Read<Expr> {
        let exponent = match scripts.sup {
            Some(sup) => Some(self.group_value(sup)?),
            None => None,
        };
        if word == "e" && scripts.sub.is_none() {
            let one = Expr { kind: ExprKind::Number(1.0), span };
            return Ok(call("exp", vec![exponent.unwrap_or(one)], span));
        }
        if self.indices.iter().any(|index| index == word) && scripts.sub.is_none() {
            let index = Expr { kind: ExprKind::Name(word.to_owned()), span };
            let value = match self.symbols.first_index {
                0 => index,
                first => binary(BinaryOperator::Add, index, Expr { kind: ExprKind::Number(first as f64), span }),
            };
            return Ok(match exponent {
                Some(exponent) => binary(BinaryOperator::Power, value, exponent),
                None => value,
            });
        }
        let shown = word.trim_start_matches('\\');
        let message = Diagnostic::error(span, format!("`{shown}` is no symbol of this network, with these scripts"));
        Err(message.hint("section 1 of the sheet lists the symbols: `deltarule sheet SPEC`"))
    }

    /// What a superscript may say.
    fn above(&self, sup: &'r [Token]) -> Above<'r> {
        let mut above = Above { exponent: Some(sup), ..Above::default() };
        let mut rest = sup;
        let fenced = |tokens: &'r [Token]| {
            let close = match tokens.first()?.kind {
                Kind::Sign('(') => ')',
                Kind::Sign('[') => ']',
                _ => return None,
            };
            tokens.iter().position(|token| token.kind == Kind::Sign(close))
        };
        while let Some(end) = fenced(rest) {
            above.labels.push(text_of(&rest[1..end]));
            rest = &rest[end + 1..];
            above.after_label = Some(rest);
        }
        if above.labels.is_empty() {
            let end = rest
                .iter()
                .position(|token| matches!(token.kind, Kind::Sign('(' | '[')) || is_prime(token))
                .unwrap_or(rest.len());
            above.labels.push(text_of(&rest[..end]));
            rest = &rest[end..];
            above.after_label = Some(rest);
        }
        above.is_primed = sup.last().is_some_and(is_prime);
        // The number of an example, or a prime, is no exponent.
        let is_example = |label: &String| self.examples.contains(label);
        if above.is_primed || above.labels.iter().any(is_example) {
            above.exponent = None;
            above.after_label = None;
        }
        if let Some(after) = above.after_label
            && let Some(end) = fenced(after)
            && is_example(&text_of(&after[1..end]))
        {
            above.after_label = Some(&after[end + 1..]);
        }
        above
    }

    /// The positions in a subscript, where it is one of this symbol.
    fn positions(&self, symbol: &Symbol, sub: &'r [Token], place: Span) -> Read<Option<Vec<Expr>>> {
        let mut parts = entries(sub);
        if parts.len() < symbol.tags.len() || symbol.tags.iter().zip(&parts).any(|(tag, part)| *tag != text_of(part)) {
            return Ok(None);
        }
        parts.drain(..symbol.tags.len());
        if symbol.by_update && parts.len() > symbol.rank {
            parts.pop();
        }
        let letters: Vec<&[Token]> = match &parts[..] {
            // Letters beside each other are indices of their own.
            [one] if symbol.rank != 1 => one.chunks(1).collect(),
            _ => parts,
        };
        if letters.len() != symbol.rank {
            return Ok(None);
        }
        letters.into_iter().map(|tokens| position(tokens, self.symbols.first_index, place)).collect::<Read<Vec<Expr>>>().map(Some)
    }

    fn command(&mut self, name: &str, span: Span) -> Read<Expr> {
        self.at += 1;
        match name {
            "frac" | "dfrac" | "tfrac" => {
                let (above, below) = (self.script()?, self.script()?);
                let fraction = match (differential(above), differential(below)) {
                    (Some(of), Some(by)) => self.derivative(of, by)?,
                    _ => {
                        let (above, below) = (self.group_value(above)?, self.group_value(below)?);
                        binary(BinaryOperator::Divide, above, below)
                    }
                };
                self.raised(fraction)
            }
            "partial" => self.flat_derivative(),
            "sqrt" => {
                let inner = self.script()?;
                let inner = self.group_value(inner)?;
                self.raised(call("sqrt", vec![inner], span))
            }
            "sum" => self.big(ReduceOperator::Sum, span),
            "prod" => self.big(ReduceOperator::Product, span),
            "max" | "min" if self.is_next('_') => {
                self.big(if name == "max" { ReduceOperator::Max } else { ReduceOperator::Min }, span)
            }
            "max" | "min" => {
                if !self.is_next('(') {
                    return self.error("arguments in parentheses are expected here");
                }
                let inner = self.fenced()?;
                let mut arguments = Vec::new();
                for argument in arguments_of(inner) {
                    arguments.push(self.group_value(argument)?);
                }
                self.raised(call(name, arguments, span))
            }
            "lvert" | "lfloor" => {
                let close = if name == "lvert" { "rvert" } else { "rfloor" };
                let inner = self.until(name, close, span)?;
                let inner = self.group_value(inner)?;
                self.raised(call(if name == "lvert" { "abs" } else { "floor" }, vec![inner], span))
            }
            "begin" => self.cases(span),
            "infty" => Ok(Expr { kind: ExprKind::Name("inf".to_owned()), span }),
            "pi" => {
                let pi = Expr { kind: ExprKind::Name("pi".to_owned()), span };
                self.raised(pi)
            }
            _ => match FUNCTIONS.iter().find(|(written, _)| *written == name) {
                Some((_, function)) => self.function(function, span),
                None => Err(Diagnostic::error(span, format!("`\\{name}` has no meaning in a rule"))),
            },
        }
    }

    /// A function with its argument: in parentheses, or the one symbol that follows.
    fn function(&mut self, function: &str, span: Span) -> Read<Expr> {
        let power = if self.is_next('^') {
            self.at += 1;
            let exponent = self.script()?;
            Some(self.group_value(exponent)?)
        } else {
            None
        };
        let is_fenced = self.is_next('(') || self.is_next('[');
        let argument = if is_fenced {
            let inner = self.fenced()?;
            self.group_value(inner)?
        } else {
            self.factor()?
        };
        let value = match function {
            "sgn" => sign_of(argument, span),
            _ => call(function, vec![argument], span),
        };
        let value = if is_fenced { self.raised(value)? } else { value };
        Ok(match power {
            Some(exponent) => binary(BinaryOperator::Power, value, exponent),
            None => value,
        })
    }

    /// `\partial a/\partial b`, the first mark passed.
    fn flat_derivative(&mut self) -> Read<Expr> {
        let of = self.symbol()?;
        if !self.is_next('/') {
            return self.error("`/` is expected behind what is differentiated");
        }
        self.at += 1;
        if !self.is_command("partial") {
            return self.error("`\\partial` is expected here");
        }
        self.at += 1;
        let by = self.symbol()?;
        Ok(fraction(of, by))
    }

    fn derivative(&mut self, of: &'r [Token], by: &'r [Token]) -> Read<Expr> {
        let (of, by) = (self.group_value(of)?, self.group_value(by)?);
        Ok(fraction(of, by))
    }

    /// The tokens up to a closing command, which is passed.
    fn until(&mut self, open: &str, close: &str, span: Span) -> Read<&'r [Token]> {
        let start = self.at;
        let mut depth = 1;
        while self.peek().is_some() {
            if self.is_command(open) {
                depth += 1;
            } else if self.is_command(close) {
                depth -= 1;
            }
            self.at += 1;
            if depth == 0 {
                return Ok(&self.tokens[start..self.at - 1]);
            }
        }
        Err(Diagnostic::error(span, "this is never closed"))
    }

    /// A big operator: its range, conditions, and all that follows in the product.
    fn big(&mut self, operator: ReduceOperator, span: Span) -> Read<Expr> {
        let scripts = self.scripts()?;
        let under = scripts.sub.unwrap_or_default();
        let lines: Vec<&'r [Token]> = match under {
            [Token { kind: Kind::Command(name), .. }, Token { kind: Kind::Sign('{'), .. }, inner @ .., _]
                if name == "substack" =>
            {
                inner.split(|token| token.kind == Kind::NewRow).collect()
            }
            _ => entries(under),
        };
        let Some((range, conditions)) = lines.split_first() else {
            return Err(Diagnostic::error(span, "a sum needs its index below, such as `\\sum_{k=1}^{3}`"));
        };
        let over = scripts.sup.unwrap_or_default();
        let (index, bounds) = self.range(range, over, span)?;
        if bounds.is_none() && text_of(over) == self.symbols.batch_size && !over.is_empty() {
            // A sum over the minibatch is m times the mean, and a term in data stands for its mean.
            self.examples.push(index);
            let body = self.product()?;
            self.examples.pop();
            let size = Expr { kind: ExprKind::Name("m".to_owned()), span };
            return Ok(binary(BinaryOperator::Multiply, size, body));
        }
        self.indices.push(index.clone());
        let mut body = self.product()?;
        for condition in conditions {
            let condition = self.part(condition, Self::condition)?;
            let span = condition.span;
            body = binary(BinaryOperator::Multiply, body, Expr { kind: ExprKind::Iverson(Box::new(condition)), span });
        }
        self.indices.pop();
        let number = |value: i64| Expr { kind: ExprKind::Number(value as f64), span };
        let first_index = self.symbols.first_index;
        let range = bounds.map(|(first, last)| (number(first - first_index), number(last - first_index + 1)));
        let indices = vec![BoundIndex { name: Name { text: index, span }, range }];
        Ok(Expr { kind: ExprKind::Reduce { operator, leading: false, indices, body: Box::new(body) }, span })
    }

    /// The index of a big operator, with its first and last value where they are numbers.
    fn range(&self, under: &[Token], over: &[Token], span: Span) -> Read<(String, Option<(i64, i64)>)> {
        let number = |tokens: &[Token]| match tokens {
            [Token { kind: Kind::Number(number), .. }] => Some(*number as i64),
            [Token { kind: Kind::Sign('-'), .. }, Token { kind: Kind::Number(number), .. }] => Some(-*number as i64),
            _ => None,
        };
        let is_at_most = |token: &Token| matches!(&token.kind, Kind::Command(name) if name == "le" || name == "leq");
        match under {
            [Token { kind: Kind::Word(name), .. }] => Ok((name.clone(), None)),
            [Token { kind: Kind::Word(name), .. }, Token { kind: Kind::Sign('='), .. }, first @ ..] => {
                Ok((name.clone(), number(first).zip(number(over))))
            }
            _ => {
                let parts: Vec<&[Token]> = under.split(is_at_most).collect();
                match parts[..] {
                    [first, [Token { kind: Kind::Word(name), .. }], last] => Ok((name.clone(), number(first).zip(number(last)))),
                    _ => {
                        let message = "a range is written `k=1` with the last value above, or `1\\le k\\le 3`";
                        Err(Diagnostic::error(span_of(under, span), message))
                    }
                }
            }
        }
    }

    /// Comparisons and their connectives.
    fn condition(&mut self) -> Read<Expr> {
        let mut condition = self.conjunction()?;
        while self.is_command("lor") {
            self.at += 1;
            let right = self.conjunction()?;
            let span = condition.span.to(right.span);
            condition = Expr { kind: ExprKind::Or(Box::new(condition), Box::new(right)), span };
        }
        match self.peek() {
            None => Ok(condition),
            Some(token) => Err(Diagnostic::error(token.span, "the condition ends before this")),
        }
    }

    fn conjunction(&mut self) -> Read<Expr> {
        let mut condition = self.comparison()?;
        while self.is_command("land") {
            self.at += 1;
            let right = self.comparison()?;
            condition = both(condition, right);
        }
        Ok(condition)
    }

    /// `a`, relation, `b`; also `a \le b \le c`.
    fn comparison(&mut self) -> Read<Expr> {
        if self.is_command("lnot") || self.is_command("neg") {
            let span = self.here();
            self.at += 1;
            let inner = self.comparison()?;
            return Ok(Expr { kind: ExprKind::Not(Box::new(inner)), span });
        }
        if (self.is_next('(') || self.is_next('[')) && self.fence_holds_condition() {
            let inner = self.fenced()?;
            return self.part(inner, Self::condition);
        }
        let mut left = self.sum()?;
        let mut whole: Option<Expr> = None;
        while let Some(relation) = self.relation() {
            self.at += 1;
            let right = self.sum()?;
            let span = left.span.to(right.span);
            let kind = ExprKind::Compare { relation, left: Box::new(left), right: Box::new(right.clone()) };
            let compared = Expr { kind, span };
            whole = Some(match whole {
                Some(before) => both(before, compared),
                None => compared,
            });
            left = right;
        }
        match whole {
            Some(whole) => Ok(whole),
            None => self.error("a relation is expected here"),
        }
    }

    fn fence_holds_condition(&self) -> bool {
        let mut ahead = Reader { indices: Vec::new(), examples: Vec::new(), renewed: BTreeSet::new(), ..*self };
        ahead.fenced().is_ok_and(has_relation)
    }

    fn relation(&self) -> Option<Relation> {
        match &self.peek()?.kind {
            Kind::Sign('=') => Some(Relation::Equal),
            Kind::Sign('<') => Some(Relation::Less),
            Kind::Sign('>') => Some(Relation::Greater),
            Kind::Command(name) => match name.as_str() {
                "le" | "leq" => Some(Relation::LessEqual),
                "ge" | "geq" => Some(Relation::GreaterEqual),
                "ne" | "neq" => Some(Relation::NotEqual),
                _ => None,
            },
            _ => None,
        }
    }

    /// `\begin{cases} a & \text{if }c \\ b & \text{otherwise} \end{cases}`, the first command passed.
    fn cases(&mut self, span: Span) -> Read<Expr> {
        let name = self.script()?;
        if text_of(name) != "cases" {
            return Err(Diagnostic::error(span, "of environments, only `cases` are read"));
        }
        let inner = self.until("begin", "end", span)?;
        let closing = self.script()?;
        if text_of(closing) != "cases" {
            return Err(Diagnostic::error(span, "these cases are never closed"));
        }
        let mut value: Option<Expr> = None;
        let rows: Vec<&'r [Token]> = rows_of(inner);
        for row in rows.iter().rev() {
            let mut cells = row.split(|token| token.kind == Kind::Sign('&'));
            let then = cells.next().unwrap_or_default();
            let then = self.group_value(without_comma(then))?;
            let condition = cells.next().unwrap_or_default();
            value = Some(match (value, condition) {
                (None, []) => then,
                (None, _) if rows.len() > 1 => {
                    // A last case with a condition of its own: what it leaves open is 0.
                    let zero = Expr { kind: ExprKind::Number(0.0), span };
                    self.choice(condition, then, zero, span)?
                }
                (Some(otherwise), [_, ..]) => self.choice(condition, then, otherwise, span)?,
                _ => return Err(Diagnostic::error(span_of(row, span), "each case but the last has a condition")),
            });
        }
        match value {
            Some(value) => Ok(value),
            None => Err(Diagnostic::error(span, "there are no cases here")),
        }
    }

    fn choice(&mut self, condition: &'r [Token], then: Expr, otherwise: Expr, span: Span) -> Read<Expr> {
        let condition = Box::new(self.part(condition, Self::condition)?);
        Ok(Expr { kind: ExprKind::If { condition, then: Box::new(then), otherwise: Box::new(otherwise) }, span })
    }
}

/// What a superscript may be: a layer, an example, a prime, an exponent.
#[derive(Default)]
struct Above<'r> {
    labels: Vec<String>,
    is_primed: bool,
    /// The exponent, if none of it is a layer.
    exponent: Option<&'r [Token]>,
    /// The exponent, if its first part is a layer.
    after_label: Option<&'r [Token]>,
}

fn is_prime(token: &Token) -> bool {
    token.kind == Kind::Sign('\'') || token.kind == Kind::Command("prime".to_owned())
}

fn without_comma(tokens: &[Token]) -> &[Token] {
    match tokens {
        [rest @ .., Token { kind: Kind::Sign(','), .. }] => rest,
        _ => tokens,
    }
}

/// The rows of cases: not those of cases inside.
fn rows_of(tokens: &[Token]) -> Vec<&[Token]> {
    let mut rows = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Command(name) if name == "begin" => depth += 1,
            Kind::Command(name) if name == "end" => depth -= 1,
            Kind::NewRow if depth == 0 => {
                rows.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    rows.push(&tokens[start..]);
    rows.retain(|row| !row.is_empty());
    rows
}

/// What stands behind `\partial`, where that is all of one side of a fraction.
fn differential(tokens: &[Token]) -> Option<&[Token]> {
    match tokens {
        [Token { kind: Kind::Command(name), .. }, rest @ ..] if name == "partial" && !rest.is_empty() => Some(rest),
        _ => None,
    }
}

/// The arguments between commas that stand in no brackets.
fn arguments_of(tokens: &[Token]) -> Vec<&[Token]> {
    let mut arguments = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            Kind::Sign(',') if depth == 0 => {
                arguments.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    arguments.push(&tokens[start..]);
    arguments
}

/// Whether tokens compare anything outside of scripts and deeper brackets.
fn has_relation(tokens: &[Token]) -> bool {
    let mut depth = 0;
    tokens.iter().any(|token| {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        let is_relation = match &token.kind {
            Kind::Sign('=' | '<' | '>') => true,
            Kind::Command(name) => {
                matches!(name.as_str(), "le" | "leq" | "ge" | "geq" | "ne" | "neq" | "land" | "lor" | "lnot" | "neg")
            }
            _ => false,
        };
        depth == 0 && is_relation
    })
}

fn negated(expr: Expr) -> Expr {
    let span = expr.span;
    Expr { kind: ExprKind::Negate(Box::new(expr)), span }
}

fn binary(operator: BinaryOperator, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) }, span }
}

fn both(left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::And(Box::new(left), Box::new(right)), span }
}

fn call(function: &str, arguments: Vec<Expr>, span: Span) -> Expr {
    let name = Name { text: function.to_owned(), span };
    let arguments = arguments.into_iter().map(|value| Argument { name: None, value }).collect();
    Expr { kind: ExprKind::Call { name, arguments }, span }
}

/// `[u > 0] - [u < 0]`
fn sign_of(value: Expr, span: Span) -> Expr {
    let bracket = |relation| {
        let zero = Expr { kind: ExprKind::Number(0.0), span };
        let compared = ExprKind::Compare { relation, left: Box::new(value.clone()), right: Box::new(zero) };
        Expr { kind: ExprKind::Iverson(Box::new(Expr { kind: compared, span })), span }
    };
    binary(BinaryOperator::Subtract, bracket(Relation::Greater), bracket(Relation::Less))
}

fn element(name: String, indices: Vec<Expr>, span: Span) -> Expr {
    let kind = match indices[..] {
        [] => ExprKind::Name(name),
        _ => ExprKind::Access { name: Name { text: name, span }, indices },
    };
    Expr { kind, span }
}

/// `d` before a name makes it a differential.
fn fraction(of: Expr, by: Expr) -> Expr {
    let differential = |expr: Expr| {
        let kind = match expr.kind {
            ExprKind::Name(name) => ExprKind::Name(format!("d{name}")),
            ExprKind::Access { name, indices } => {
                ExprKind::Access { name: Name { text: format!("d{}", name.text), span: name.span }, indices }
            }
            other => other,
        };
        Expr { kind, span: expr.span }
    };
    binary(BinaryOperator::Divide, differential(of), differential(by))
}
