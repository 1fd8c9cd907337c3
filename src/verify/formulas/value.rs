//! What formulas mean: elements, and arrays that are written as a whole.
//!
//! A tensor without its indices is a column or a matrix, as on the sheet in matrix notation: beside each other arrays are matrix products, and
//! everything else goes element by element. An array is kept as its element at two indices of its own, so that the formula it ends up in
//! is one of the language, with indices.

use super::build::{binary, reduced};
use super::reader::Read;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{BinaryOperator, BoundIndex, Expr, ExprKind, ReduceOperator};
use crate::verify::tree::{at, changed, places};

/// An axis of an array: the index that stands for the place on it.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) extent: usize,
}

/// An element of the language, or an array with an element at each place of its axes.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) expr: Expr,
    pub(super) rows: Option<Axis>,
    pub(super) columns: Option<Axis>,
    /// Whether it is the derivative of a vector by a vector, which stands for its diagonal where each element depends on one alone.
    pub(super) is_jacobian: bool,
    /// Whether it is `1^T`, whose length is that of what follows.
    pub(super) is_ones: bool,
}

/// The name of the index of an axis until all of a rule is read: none that a rule can have.
pub(super) fn own_index(number: usize) -> String {
    format!("{number}axis")
}

/// The axes in some expressions that go by names of [`own_index`], in the order in which they come.
pub(super) fn own_axes(exprs: &[&Expr]) -> Vec<String> {
    let mut found = Vec::new();
    for expr in exprs {
        for place in places(expr) {
            if let ExprKind::Name(name) = &at(expr, &place).kind
                && name.ends_with("axis")
                && name.starts_with(|digit: char| digit.is_ascii_digit())
                && !found.contains(name)
            {
                found.push(name.clone());
            }
        }
    }
    found
}

impl From<Expr> for Value {
    fn from(expr: Expr) -> Value {
        Value { expr, rows: None, columns: None, is_jacobian: false, is_ones: false }
    }
}

impl Value {
    pub(super) fn span(&self) -> Span {
        self.expr.span
    }

    pub(super) fn is_element(&self) -> bool {
        self.rows.is_none() && self.columns.is_none() && !self.is_ones
    }

    /// `3 × 2`, as messages call it.
    pub(super) fn size(&self) -> String {
        let extent = |axis: &Option<Axis>| axis.as_ref().map_or(1, |axis| axis.extent);
        match self.is_ones {
            true => "1 × any".to_owned(),
            false => format!("{} × {}", extent(&self.rows), extent(&self.columns)),
        }
    }

    /// Both, element by element.
    pub(super) fn with(self, other: impl Into<Value>, build: impl FnOnce(Expr, Expr) -> Expr) -> Read<Value> {
        let mut both = [self, other.into()];
        let (rows, columns) = aligned(&mut both)?;
        let [left, right] = both;
        Ok(Value { rows, columns, ..build(left.expr, right.expr).into() })
    }

    /// Another value at each place.
    pub(super) fn map(self, build: impl FnOnce(Expr) -> Expr) -> Value {
        Value { rows: self.rows, columns: self.columns, ..build(self.expr).into() }
    }

    /// The product of two factors beside each other.
    pub(super) fn times(self, other: Value) -> Read<Value> {
        let multiply = |left, right| binary(BinaryOperator::Multiply, left, right);
        if self.is_ones && other.rows.is_some() {
            return Ok(Value { columns: other.columns, ..sum_over(other.rows, other.expr).into() });
        }
        if self.is_element() || other.is_element() {
            return self.with(other, multiply);
        }
        match (&self.columns, &other.rows) {
            (Some(shared), Some(rows)) if shared.extent == rows.extent => {
                let right = renamed(other.expr, &rows.name, &shared.name);
                let sum = sum_over(self.columns, multiply(self.expr, right));
                Ok(Value { rows: self.rows, columns: other.columns, ..sum.into() })
            }
            (None, None) => Ok(Value { rows: self.rows, columns: other.columns, ..multiply(self.expr, other.expr).into() }),
            _ => {
                let message = format!("there is no matrix product of sizes {} and {}", self.size(), other.size());
                let message = Diagnostic::error(self.span().to(other.span()), message);
                Err(message.hint("`^\\top` (`ᵀ`) transposes, and `\\odot` (`⊙`) multiplies element by element"))
            }
        }
    }

    /// The product element by element.
    pub(super) fn hadamard(self, other: Value) -> Read<Value> {
        let is_vector = |value: &Value| value.rows.is_some() && value.columns.is_none();
        let (left, right) = match (is_vector(&self), is_vector(&other)) {
            (true, false) => (self, other.diagonal()),
            (false, true) => (self.diagonal(), other),
            _ => (self, other),
        };
        left.with(right, |left, right| binary(BinaryOperator::Multiply, left, right))
    }

    /// The column of the derivatives of each element by its own; anything else as it is.
    pub(super) fn diagonal(self) -> Value {
        match (&self.rows, &self.columns) {
            (Some(rows), Some(columns)) if self.is_jacobian && rows.extent == columns.extent => {
                let expr = renamed(self.expr, &columns.name, &rows.name);
                Value { rows: self.rows, ..expr.into() }
            }
            _ => self,
        }
    }

    pub(super) fn transposed(self) -> Value {
        let is_one = self.is_element() && self.expr.kind == ExprKind::Number(1.0);
        Value { rows: self.columns, columns: self.rows, is_ones: is_one, ..self.expr.into() }
    }

    /// The sum of the squares of all elements.
    pub(super) fn squared_norm(self) -> Value {
        let span = self.span();
        let two = Expr { kind: ExprKind::Number(2.0), span };
        let squares = binary(BinaryOperator::Power, self.expr, two);
        sum_over(self.rows, sum_over(self.columns, squares)).into()
    }
}

/// Brings arrays to the same indices; elements are the same everywhere. The axes are those of the first array.
pub(super) fn aligned(values: &mut [Value]) -> Read<(Option<Axis>, Option<Axis>)> {
    let Some(first) = values.iter().find(|value| !value.is_element()).cloned() else { return Ok((None, None)) };
    for value in values.iter_mut().filter(|value| !value.is_element()) {
        let extents = |value: &Value| [&value.rows, &value.columns].map(|axis| axis.as_ref().map(|axis| axis.extent));
        if extents(value) != extents(&first) || value.is_ones {
            let message = format!("sizes {} and {} do not go together element by element", first.size(), value.size());
            let message = Diagnostic::error(value.span(), message).label(format!("this is {}", value.size()));
            return Err(message.also(first.span(), format!("this is {}", first.size())));
        }
        for (own, other) in [(&value.rows, &first.rows), (&value.columns, &first.columns)] {
            if let (Some(own), Some(other)) = (own, other)
                && own.name != other.name
            {
                value.expr = renamed(value.expr.clone(), &own.name, &other.name);
            }
        }
    }
    Ok((first.rows, first.columns))
}

/// The sum along an axis, if there is one.
fn sum_over(axis: Option<Axis>, body: Expr) -> Expr {
    let Some(axis) = axis else { return body };
    let name = crate::syntax::tree::Name { text: axis.name, span: body.span };
    reduced(ReduceOperator::Sum, BoundIndex { name, range: None }, body)
}

/// The same with another name for an index, where it is free and where it is bound.
pub(super) fn renamed(expr: Expr, from: &str, to: &str) -> Expr {
    changed(expr, &mut |mut part| {
        match &mut part.kind {
            ExprKind::Name(name) if name == from => *name = to.to_owned(),
            ExprKind::Reduce { indices, .. } => {
                indices.iter_mut().filter(|index| index.name.text == from).for_each(|index| index.name.text = to.to_owned());
            }
            _ => {}
        }
        part
    })
}
