//! Big operators: their indices, ranges and conditions, and what they apply to.

use super::build::{binary, iverson, reduced};
use super::indices::{entries, span_of};
use super::reader::{Read, Reader};
use super::symbols::text_of;
use super::tokens::{Kind, Token};
use super::value::Value;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, BoundIndex, Expr, ExprKind, Name, ReduceOperator};

impl<'r> Reader<'r> {
    /// A big operator: its range, conditions, and all that follows in the product.
    pub(super) fn big(&mut self, operator: ReduceOperator, span: Span) -> Read<Value> {
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
            return Value::from(size).times(body);
        }
        if self.symbols.numbers_layers(&index, &self.tokens[self.at..]) {
            return self.over_layers(operator, index, bounds, span);
        }
        self.indices.push(index.clone());
        let mut body = self.product()?;
        for condition in conditions {
            let condition = self.part(condition, Self::condition)?.map(iverson);
            body = body.with(condition, |body, condition| binary(BinaryOperator::Multiply, body, condition))?;
        }
        self.indices.pop();
        let number = |value: i64| Expr { kind: ExprKind::Number(value as f64), span };
        let first_index = self.symbols.first_index;
        let range = bounds.map(|(first, last)| (number(first - first_index), number(last - first_index + 1)));
        let index = BoundIndex { name: Name { text: index, span }, range };
        Ok(body.map(|body| reduced(operator, index, body)))
    }

    /// A sum over layers: what follows is read once for each.
    fn over_layers(&mut self, operator: ReduceOperator, layer: String, bounds: Option<(i64, i64)>, span: Span) -> Read<Value> {
        let combine = match operator {
            ReduceOperator::Sum => BinaryOperator::Add,
            ReduceOperator::Product => BinaryOperator::Multiply,
            _ => return Err(Diagnostic::error(span, "over layers there are sums and products")),
        };
        let Some((first, last)) = bounds.filter(|(first, last)| first <= last && last - first < MOST_LAYERS) else {
            let message = format!("a sum over layers needs its first and its last layer, such as `\\sum_{{{layer}=1}}^{{2}}`");
            return Err(Diagnostic::error(span, message));
        };
        let start = self.at;
        let mut total: Option<Value> = None;
        for number in first..=last {
            self.at = start;
            self.layers.push((layer.clone(), number));
            let term = self.product();
            self.layers.pop();
            let term = term?;
            total = Some(match total {
                None => term,
                Some(before) => before.with(term, |before, term| binary(combine, before, term))?,
            });
        }
        total.ok_or_else(|| Diagnostic::error(span, "there are no layers in this range"))
    }

    /// The index of a big operator, with its first and last value where they are numbers.
    fn range(&self, under: &[Token], over: &[Token], span: Span) -> Read<(String, Option<(i64, i64)>)> {
        let number = |tokens: &[Token]| self.number(tokens);
        let is_at_most = |token: &Token| matches!(&token.kind, Kind::Command(name) if name == "le" || name == "leq");
        match under {
            [Token { kind: Kind::Word(name), .. }] => Ok((name.clone(), None)),
            [Token { kind: Kind::Word(name), .. }, Token { kind: Kind::Sign('='), .. }, first @ ..] => {
                Ok((name.clone(), number(first)?.zip(number(over)?)))
            }
            _ => {
                let parts: Vec<&[Token]> = under.split(is_at_most).collect();
                match parts[..] {
                    [first, [Token { kind: Kind::Word(name), .. }], last] => {
                        Ok((name.clone(), number(first)?.zip(number(last)?)))
                    }
                    _ => {
                        let message = "a range is written `k=1` with the last value above, or `1\\le k\\le 3`";
                        Err(Diagnostic::error(span_of(under, span), message))
                    }
                }
            }
        }
    }
}

/// The most layers that one sum goes over.
const MOST_LAYERS: i64 = 1_000;
