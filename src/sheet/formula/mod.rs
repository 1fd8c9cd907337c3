//! From expressions to formulas as a mathematician sets them: negative terms after positive ones, quotients as fractions, roots,
//! sums with their ranges, indices that clash with nothing.

mod function;
mod index;
mod matrix;
mod number;
mod numbers;
mod piecewise;
mod product;
mod range;
mod sum;

use std::collections::BTreeMap;

use super::math::{BigOperator, Fence, Math, Operator};
use super::notation::Notation;
use crate::equation::{Affine, Context, Elementary, Equation, ExprId, IndexId, Node, ReduceKind, Role, TensorId};
use crate::folding::Extent;

pub(super) use index::integer;
pub(super) use number::{decimal, root_or_decimal};
pub(crate) use numbers::Shown;
pub(super) use numbers::number_math;
pub(super) use range::may_leave_its_tensor;
use sum::sum_of;

/// How tightly a formula holds together, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// Terms, or a term with a sign.
    Sum,
    /// Factors, or a big operator.
    Product,
    /// A function whose argument has no parentheses.
    Apply,
    /// A fraction.
    Fraction,
    /// One symbol, or something in fences.
    Atom,
}

/// A formula and how it holds together.
#[derive(Clone, Debug)]
struct Piece {
    math: Math,
    level: Level,
}

impl Piece {
    fn new(math: Math, level: Level) -> Self {
        Self { math, level }
    }

    fn atom(math: Math) -> Self {
        Self::new(math, Level::Atom)
    }

    /// In parentheses unless it holds together as tightly as `least`.
    fn at_least(self, least: Level) -> Math {
        if self.level >= least { self.math } else { fenced(self.math) }
    }
}

/// In parentheses, or in brackets where there are parentheses inside.
fn fenced(math: Math) -> Math {
    let fence = if has_round_fences(&math) { Fence::Square } else { Fence::Round };
    Math::Fenced(fence, Box::new(math))
}

fn has_round_fences(math: &Math) -> bool {
    match math {
        Math::Fenced(Fence::Round, _) | Math::Call { .. } => true,
        Math::Fenced(_, body) | Math::Sqrt(body) => has_round_fences(body),
        Math::Row(parts) | Math::Product(parts) => parts.iter().any(has_round_fences),
        Math::Fraction(above, below) => has_round_fences(above) || has_round_fences(below),
        Math::Scripts { base, .. } => has_round_fences(base),
        Math::Big { body, .. } => has_round_fences(body),
        Math::Apply { argument, .. } => has_round_fences(argument),
        _ => false,
    }
}

/// Writes the formulas of one equation, or of several that share their free indices.
pub(super) struct Writer<'a> {
    notation: &'a Notation<'a>,
    context: &'a Context,
    /// The indices in scope with the names they go by, innermost last.
    scope: Vec<(IndexId, String)>,
    /// Letters that no index may go by.
    avoid: Vec<String>,
    /// Bound indices of one value only, for which that value stands.
    fixed: Vec<IndexId>,
    /// Names that bound indices with the same range as a certain index try first.
    preferred: Vec<(IndexId, String)>,
    /// The free indices of what is written with whole matrices, if formulas are.
    axes: Option<Vec<IndexId>>,
    /// Whether tensors are written without their indices.
    hides_indices: bool,
    /// Whether terms of all layers are written as one sum over the layers.
    sums_over_layers: bool,
    /// The layer that a rule for several is written from: others go by their distance from it.
    center: Option<i64>,
    /// The indices whose extents change from layer to layer.
    extents: BTreeMap<IndexId, Extent>,
    /// The name of the example that per-example tensors belong to, inside of a mean over the minibatch.
    example: Option<String>,
    /// The scalars that stand for numbers.
    numbers: Option<&'a BTreeMap<TensorId, Shown>>,
}

impl<'a> Writer<'a> {
    /// A writer for expressions of `context`, which may hold more than the derivation's, with `indices` free in them.
    pub(super) fn new(notation: &'a Notation<'a>, context: &'a Context, indices: &[IndexId], expressions: &[ExprId]) -> Self {
        let avoid = vec!["e".to_owned()];
        let mut writer = Self {
            notation,
            context,
            scope: Vec::new(),
            avoid,
            fixed: Vec::new(),
            preferred: Vec::new(),
            axes: None,
            hides_indices: false,
            sums_over_layers: false,
            center: None,
            extents: BTreeMap::new(),
            example: None,
            numbers: None,
        };
        for &expression in expressions {
            writer.avoid_letters_of(expression);
        }
        for &index in indices {
            writer.bind_free(index);
        }
        writer
    }

    /// A writer for one equation of the derivation.
    pub(super) fn for_equation(notation: &'a Notation<'a>, equation: &Equation) -> Self {
        let mut writer = Self::new(notation, &notation.derivation.model.context, &[], &[equation.value]);
        writer.avoid_tensor(equation.target);
        for &index in &equation.indices {
            writer.bind_free(index);
        }
        writer
    }

    /// A writer for an equation of the sheet: in general terms, where the equation stands for those of several layers.
    pub(super) fn for_rule(notation: &'a Notation<'a>, equation: &Equation) -> Self {
        let mut writer =
            Self::new(notation, &notation.derivation.model.context, &[], &[equation.value]).of_layers(equation.target);
        writer.avoid_tensor(equation.target);
        writer.bind_all(&equation.indices);
        writer.sums_over_layers = writer.center.is_none();
        writer
    }

    /// Writes in general terms, where the rule of this tensor is one of several layers.
    pub(super) fn of_layers(mut self, target: TensorId) -> Self {
        let folding = &self.notation.derivation.folding;
        if let Some(rule) = folding.rule(target).filter(|rule| rule.is_general()) {
            let center = rule.members.first().and_then(|&first| folding.place_of(&self.notation.derivation.model.context, first));
            self.center = center.map(|place| place.layer);
            self.extents = rule.extents.clone();
            self.avoid.push(self.notation.table.layer.clone());
            let sizes = rule.extents.values().map(|extent| self.notation.size_letter(extent.size).to_owned());
            self.avoid.extend(sizes);
        }
        let free = std::mem::take(&mut self.scope);
        free.into_iter().for_each(|(index, _)| self.bind_free(index));
        self
    }

    /// Writes something as seen from a layer, and then goes on as before.
    pub(super) fn seen_from<T>(&mut self, layer: i64, write: impl FnOnce(&mut Self) -> T) -> T {
        let center = self.center.replace(layer);
        let extents = std::mem::take(&mut self.extents);
        let written = write(self);
        self.center = center;
        self.extents = extents;
        written
    }

    /// Brings indices into scope that are not there yet.
    pub(super) fn bind_all(&mut self, indices: &[IndexId]) {
        for &index in indices {
            if !self.scope.iter().any(|(bound, _)| *bound == index) {
                self.bind_free(index);
            }
        }
    }

    /// An element of a tensor at indices in scope.
    pub(super) fn element(&mut self, tensor: TensorId, indices: &[IndexId]) -> Math {
        let is_whole = self.axes.as_deref() == Some(indices);
        let hides = std::mem::replace(&mut self.hides_indices, is_whole);
        let element = self.element_at(tensor, indices);
        self.hides_indices = hides;
        element
    }

    fn element_at(&mut self, tensor: TensorId, indices: &[IndexId]) -> Math {
        let indices: Vec<_> = indices.iter().map(|&index| Affine::index(index)).collect();
        self.access(tensor, &indices).math
    }

    /// The sum of all elements along the last axis of a tensor.
    pub(super) fn sum_of_elements(&mut self, tensor: TensorId) -> Math {
        let name = self.free_name(["k"].map(str::to_owned).into_iter());
        let rank = self.context.tensor(tensor).shape.len();
        let free: Vec<Math> = self.scope.iter().map(|(_, name)| Math::identifier(name)).collect();
        let mut indices: Vec<Math> = free.into_iter().take(rank.saturating_sub(1)).collect();
        indices.push(Math::identifier(&name));
        let body = Box::new(self.notation.element(tensor, false, None, indices, self.center));
        Math::Big { operator: BigOperator::Sum, under: Some(Box::new(Math::identifier(name))), over: None, body }
    }

    /// An expression that stands by itself.
    pub(super) fn expression(&mut self, expr: ExprId) -> Math {
        if let Some(axes) = self.axes.take() {
            let piece = self.matrix_piece(expr, &axes);
            self.axes = Some(axes);
            if let Some(piece) = piece {
                return piece.math;
            }
        }
        self.piece(expr).math
    }

    /// The left-hand side of an equation.
    pub(super) fn left(&mut self, equation: &Equation) -> Math {
        self.element(equation.target, &equation.indices)
    }

    /// What stands between the sides: an arrow where the left side is a new value of what it names.
    pub(super) fn relation(&self, equation: &Equation) -> Operator {
        self.relation_to(equation.target)
    }

    /// What stands between a tensor and its value.
    pub(super) fn relation_to(&self, target: TensorId) -> Operator {
        match self.context.tensor(target).role {
            Role::Next { of } if !self.notation.is_primed(of) => Operator::Becomes,
            _ => Operator::Equal,
        }
    }

    fn piece(&mut self, expr: ExprId) -> Piece {
        if self.is_negative(expr) {
            let magnitude = self.magnitude(expr);
            return Piece::new(
                Math::Row(vec![Math::Operator(Operator::Negative), magnitude.at_least(Level::Product)]),
                Level::Sum,
            );
        }
        self.magnitude(expr)
    }

    /// Whether a formula of the expression begins with a minus sign that can be taken out.
    fn is_negative(&self, expr: ExprId) -> bool {
        match self.context.node(expr) {
            Node::Number(number) => number.value() < 0.0,
            Node::Multiply(factors) => {
                let is_minus = |&&factor: &&ExprId| match self.context.node(factor) {
                    Node::Reduce { .. } | Node::If { .. } => self.is_negative(factor),
                    _ => self.is_negative_number(factor),
                };
                factors.iter().filter(is_minus).count() % 2 == 1
            }
            Node::Reduce { kind: ReduceKind::Sum, body, .. } => self.is_negative(*body),
            Node::If { .. } => self.bracketed(expr).is_some_and(|(_, _, value)| self.is_negative(value)),
            _ => false,
        }
    }

    /// Whether an expression is positive at sight, whatever its tensors hold.
    pub(super) fn is_clearly_positive(&self, expr: ExprId) -> bool {
        match self.context.node(expr) {
            Node::Number(number) => number.value() > 0.0,
            Node::Call(Elementary::Exp, _) => true,
            Node::Add(parts) | Node::Multiply(parts) => parts.iter().all(|&part| self.is_clearly_positive(part)),
            Node::Power(base, _) => self.is_clearly_positive(*base),
            Node::Reduce { body, .. } => self.is_clearly_positive(*body),
            _ => false,
        }
    }

    fn is_negative_number(&self, expr: ExprId) -> bool {
        self.context.as_number(expr).is_some_and(|number| number.value() < 0.0)
    }

    /// The expression without the minus sign that [`Self::is_negative`] sees.
    fn magnitude(&mut self, expr: ExprId) -> Piece {
        match self.context.node(expr) {
            Node::Number(number) => number::number(number.value().abs()),
            Node::Index(affine) => self.index_value(affine, 0),
            Node::Access { tensor, indices } => self.access(*tensor, indices),
            Node::Add(terms) => {
                let terms = terms.clone();
                self.sum(&terms)
            }
            Node::Multiply(factors) => {
                let factors = factors.clone();
                self.product(&factors)
            }
            Node::Power(base, exponent) => match self.context.as_number(*exponent) {
                Some(number) if number.value() < 0.0 => self.product(&[expr]),
                _ => self.power(*base, *exponent),
            },
            Node::Call(function, argument) => self.call(*function, *argument),
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => self.iverson(expr),
            Node::If { condition, then, otherwise } => match self.bracketed(expr) {
                Some(_) => self.product(&[expr]),
                None => self.conditional(*condition, *then, *otherwise),
            },
            Node::Reduce { kind, indices, body } => self.reduction(*kind, indices, *body),
            Node::ArgReduce { .. } => self.arg_reduction(expr),
            Node::Partial { of, by } => {
                let (of, by) = (self.expression(*of), self.expression(*by));
                Piece::new(Math::derivative(of, by), Level::Fraction)
            }
        }
    }

    /// Whether an expression has the same value for all examples and all elements.
    fn is_constant(&self, expr: ExprId) -> bool {
        let mut constant = true;
        self.context.visit(expr, &mut |context, part| match context.node(part) {
            Node::Access { tensor, .. } => {
                constant &= matches!(context.tensor(*tensor).role, Role::Constant | Role::BatchSize | Role::UpdateNumber);
            }
            Node::Index(_) | Node::Partial { .. } => constant = false,
            _ => {}
        });
        constant
    }

    fn is_batch_mean(&self, expr: ExprId) -> bool {
        matches!(self.context.node(expr), Node::Access { tensor, .. } if matches!(self.context.tensor(*tensor).role, Role::BatchMean { .. }))
    }

    fn access(&mut self, tensor: TensorId, indices: &[Affine]) -> Piece {
        if let Some(shown) = self.shown(tensor) {
            return numbers::piece(shown);
        }
        match self.context.tensor(tensor).role {
            Role::Adjoint { of } => {
                let by = self.access(of, indices).math;
                let loss = self.notation.loss(self.example.as_deref());
                Piece::new(Math::derivative(loss, by), Level::Fraction)
            }
            Role::Gradient { of } => {
                let by = self.access(of, indices).math;
                Piece::new(Math::derivative(self.notation.objective(), by), Level::Fraction)
            }
            Role::Objective => Piece::atom(self.notation.objective()),
            Role::BatchMean { of } => {
                let (divisor, sum) = self.batch_mean(of, indices);
                Piece::new(Math::product(vec![Math::fraction(Math::number(1), divisor), sum]), Level::Product)
            }
            Role::Next { of } => {
                let indices = self.positions(indices);
                Piece::atom(self.notation.element(of, self.notation.is_primed(of), None, indices, self.center))
            }
            _ => {
                let indices = self.positions(indices);
                let example = self.example.as_deref().filter(|_| self.context.tensor(tensor).is_per_example());
                Piece::atom(self.notation.element(tensor, false, example, indices, self.center))
            }
        }
    }

    fn positions(&mut self, indices: &[Affine]) -> Vec<Math> {
        if self.hides_indices {
            return Vec::new();
        }
        indices.iter().map(|affine| self.index_position(affine)).collect()
    }

    /// The number of examples and the sum over them, whose quotient is the mean of a per-example tensor.
    fn batch_mean(&mut self, of: TensorId, indices: &[Affine]) -> (Math, Math) {
        let size = self.notation.element(self.notation.derivation.model.batch_size, false, None, Vec::new(), None);
        let usual = self.notation.table.example.clone();
        let example = self.free_name([usual].into_iter().chain(["n", "r", "q", "u"].map(str::to_owned)));
        let outer = self.example.replace(example.clone());
        let body = self.access(of, indices).at_least(Level::Product);
        self.example = outer;
        let under = Math::relation(Math::identifier(example), Operator::Equal, Math::number(1));
        let sum = Math::Big {
            operator: BigOperator::Sum,
            under: Some(Box::new(under)),
            over: Some(Box::new(size.clone())),
            body: Box::new(body),
        };
        (size, sum)
    }
}
