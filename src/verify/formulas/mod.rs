//! Rules as they stand on the sheet, in LaTeX or in text, read back into the language of specs.
//!
//! `latex` and `text` make the same tokens, so that there is one meaning for both. Only what the sheet prints is read, and what people
//! write in its place: fractions, roots, sums with ranges and conditions, cases, brackets for conditions, scripts, arrays as a whole.
//! Which symbol stands for which tensor is the sheet's own table. A rule for layers in general is one for each of its layers.

mod build;
mod commands;
mod conditions;
mod elements;
mod indices;
mod latex;
mod layers;
mod ranges;
mod reader;
mod scripts;
mod symbols;
mod text;
mod tokens;
mod value;

use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind};
use layers::Ranges;
use reader::{Reader, letters_below};
use std::collections::BTreeSet;
pub(super) use symbols::Symbols;
pub(super) use text::is_text;
use tokens::{Kind, Token};
use value::{Value, aligned, own_axes, renamed};

/// Whether a rule is written in LaTeX: the language has no backslash, and no brace behind a script.
pub(super) fn is_latex(rule: &str) -> bool {
    rule.contains('\\') || rule.contains("^{") || rule.contains("_{")
}

/// A rule that was read: for one layer, if it is about layers in general.
pub(super) struct Written {
    pub(super) left: Expr,
    pub(super) right: Expr,
    /// Letters that stand for a few of their values only: the first and one past the last, from 0.
    pub(super) ranges: Vec<(String, i64, i64)>,
    /// The letter of the layer and its number.
    pub(super) layer: Option<(String, i64)>,
}

/// What a rule says for each of its layers; for one that it states and that cannot be, why.
pub(super) type Layers = Vec<Result<Written, (i64, Diagnostic)>>;

/// Both sides of a rule that stands at `span`, in LaTeX or in text.
pub(super) fn read(text: &str, span: Span, symbols: &Symbols) -> Result<Layers, Diagnostic> {
    let tokens = if is_latex(text) { latex::tokens(text, span)? } else { text::tokens(text, span, symbols)? };
    let Some(sign) = relation(&tokens) else {
        let message = Diagnostic::error(span, "a rule is an equation, and this has neither `=` nor `\\leftarrow` (`←`)");
        return Err(message.hint("such as `\\sigma_j^1 = \\tanh s_j^1`, or `σ¹ⱼ = tanh s¹ⱼ`"));
    };
    let (right, ranges) = Ranges::split_off(&tokens[sign + 1..]);
    let sides = Parts { symbols, left: &tokens[..sign], sign: &tokens[sign], right, ranges, span };
    let letter = symbols.layer.clone();
    let is_general = symbols.numbers_layers(&letter, sides.left) && !letters_below(sides.left).contains(&letter);
    if !is_general {
        return sides.read(None).map(|written| vec![Ok(written)]);
    }
    let stated = sides.ranges.stated.iter().find(|(name, _)| name.kind == Kind::Word(letter.clone()));
    let Some((_, values)) = stated else { return sides.wherever_it_means_something(&letter) };
    let numbers = Reader::new(symbols, &[], span, None).values(values)?;
    let read = |number: i64| sides.read(Some(&(letter.clone(), number))).map_err(|message| (number, message));
    let mut layers: Layers = numbers.into_iter().map(read).collect();
    // What can be read for no layer is no question of their range.
    match layers.iter().all(Result::is_err).then(|| layers.swap_remove(0)) {
        Some(Err((_, message))) => Err(message),
        _ => Ok(layers),
    }
}

/// The place of the first sign of equality, or arrow, that stands in no brackets.
fn relation(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0i32;
    tokens.iter().position(|token| {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        depth == 0 && (token.kind == Kind::Sign('=') || is_arrow(token))
    })
}

fn is_arrow(token: &Token) -> bool {
    matches!(&token.kind, Kind::Command(name) if name == "leftarrow" || name == "gets")
}

/// The tokens of a rule.
struct Parts<'r> {
    symbols: &'r Symbols,
    left: &'r [Token],
    sign: &'r Token,
    right: &'r [Token],
    ranges: Ranges<'r>,
    span: Span,
}

impl Parts<'_> {
    /// Both sides, for one layer where they are about layers in general.
    fn read(&self, layer: Option<&(String, i64)>) -> Result<Written, Diagnostic> {
        let end = Span { start: self.span.end, ..self.span };
        let mut left_side = Reader::new(self.symbols, self.left, self.sign.span, layer);
        let left = left_side.left(is_arrow(self.sign))?;
        let mut right_side = Reader::new(self.symbols, self.right, end, layer);
        right_side.adopt(&left_side, &left);
        let right = right_side.whole()?;
        let mut ranges = Vec::new();
        for (letter, values) in &self.ranges.stated {
            let Kind::Word(name) = &letter.kind else { continue };
            if layer.is_some_and(|(layer, _)| layer == name) {
                continue;
            }
            if !left_side.indices.contains(name) {
                let message = format!("`{name}` is no index of the left side, so that it has no range");
                return Err(Diagnostic::error(letter.span, message));
            }
            let values = right_side.values(values)?;
            let (least, greatest) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
            ranges.push((name.clone(), least - self.symbols.first_index, greatest - self.symbols.first_index + 1));
        }
        let mut taken: BTreeSet<String> = self.symbols.all.iter().map(|symbol| symbol.name.clone()).collect();
        taken.extend(left_side.indices);
        let (left, right) = self.with_indices(left, right, taken)?;
        Ok(Written { left, right, ranges, layer: layer.cloned() }.with_names_apart())
    }

    /// Both sides at the same indices, where they are arrays, which get the usual letters.
    fn with_indices(&self, left: Value, right: Value, mut taken: BTreeSet<String>) -> Result<(Expr, Expr), Diagnostic> {
        let left = if right.columns.is_none() { left.diagonal() } else { left };
        if left.is_element() && !right.is_element() {
            let message = Diagnostic::error(self.span, "the sides of this rule have different shapes");
            let message = message.also(left.span(), "this is one number").also(right.span(), format!("this is {}", right.size()));
            return Err(message.hint("write both with indices, or both without"));
        }
        let mut sides = [left, right];
        aligned(&mut sides)?;
        let [mut left, mut right] = sides.map(|side| side.expr);
        for side in [&left, &right] {
            taken.extend(names(side));
        }
        let mut letters = ["i", "j", "k", "p", "q", "r", "u", "v"].map(str::to_owned).into_iter();
        let mut numbered = (1..).map(|number: u32| format!("i{number}"));
        for axis in own_axes(&[&left, &right]) {
            let free = letters.by_ref().chain(numbered.by_ref()).find(|letter| !taken.contains(letter));
            let letter = free.unwrap_or_else(|| axis.clone());
            left = renamed(left, &axis, &letter);
            right = renamed(right, &axis, &letter);
        }
        Ok((left, right))
    }

    /// The rule for each layer that has all that it speaks of.
    fn wherever_it_means_something(&self, letter: &str) -> Result<Layers, Diagnostic> {
        let mut layers = Vec::new();
        let mut complaint: Option<Diagnostic> = None;
        for &number in &self.symbols.layers {
            match self.read(Some(&(letter.to_owned(), number))) {
                Ok(written) => layers.push(Ok(written)),
                // The layer for which most of the rule can be read, says best what is wrong.
                Err(message) if complaint.as_ref().is_none_or(|before| before.span.start < message.span.start) => {
                    complaint = Some(message);
                }
                Err(_) => {}
            }
        }
        match complaint {
            Some(message) if layers.is_empty() => Err(message),
            _ => Ok(layers),
        }
    }
}

impl Written {
    /// The same with other letters for indices that have the name of an array, which on paper is written with another letter.
    fn with_names_apart(mut self) -> Self {
        let arrays: BTreeSet<String> = [&self.left, &self.right].into_iter().flat_map(arrays).collect();
        let mut taken: BTreeSet<String> = names(&self.left).into_iter().chain(names(&self.right)).collect();
        for array in arrays {
            let Some(letter) = (1..).map(|number: u32| format!("{array}{number}")).find(|letter| !taken.contains(letter)) else {
                continue;
            };
            taken.insert(letter.clone());
            self.left = renamed(self.left, &array, &letter);
            self.right = renamed(self.right, &array, &letter);
            self.ranges.iter_mut().filter(|(name, ..)| *name == array).for_each(|(name, ..)| name.clone_from(&letter));
        }
        self
    }
}

/// The names of arrays of which an expression reads elements.
fn arrays(expr: &Expr) -> BTreeSet<String> {
    let places = super::tree::places(expr);
    let arrays = places.iter().filter_map(|place| match &super::tree::at(expr, place).kind {
        ExprKind::Access { name, .. } => Some(name.text.clone()),
        _ => None,
    });
    arrays.collect()
}

/// All names in an expression.
fn names(expr: &Expr) -> BTreeSet<String> {
    let places = super::tree::places(expr);
    let names = places.iter().filter_map(|place| match &super::tree::at(expr, place).kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Access { name, .. } => Some(name.text.clone()),
        _ => None,
    });
    names.collect()
}
