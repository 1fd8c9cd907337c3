//! Sums of products that the runtime computes: which expressions are one, and how.
//!
//! What is done in which form follows from the indices alone. In a sum of products of two elements, the last index of the result is
//! that of the columns if it is also the last of one operand and not in the other; an index of the other operand that is not in the
//! first is that of the rows. In a tile of rows and columns each operand is read once for many products. The number of the example is
//! an index like all others: of rows where an operand has no examples (weights), summed over where the result has none (their gradient).

use super::batch::Batcher;
use super::delta::Solution;
use super::nest::Nest;
use super::open::Step;
use super::statement::{Place, Range, Statement, Tile};
use crate::equation::{Affine, Context, Equation, ExprId, IndexId, Node, ReduceKind, Role, TensorId};

/// Fewer columns than this are not worth a tile.
const LEAST_COLUMNS: usize = 4;
/// Rows that are fewer than this leave registers empty.
const LEAST_ROWS: usize = 4;
/// Fewer products for each example than this are not worth a tile.
const LEAST_PRODUCTS: usize = 128;
/// The same where there is one example.
const LEAST_PRODUCTS_OF_ONE: usize = 256;

/// A sum of products as a tile computes it.
#[derive(Clone, Debug)]
pub(super) struct Contraction {
    /// Of the result, without rows and columns, from the outermost.
    pub(super) outer: Vec<IndexId>,
    /// None where there is one row.
    pub(super) rows: Option<IndexId>,
    pub(super) columns: IndexId,
    /// What is summed over in loops around the tile, because it decides which rows there are.
    pub(super) around: Vec<IndexId>,
    /// What is summed over in the tile.
    pub(super) summed: Vec<IndexId>,
    pub(super) factor: f64,
    /// A number for each row.
    pub(super) a: (TensorId, Vec<Affine>),
    /// A row of numbers, one for each column.
    pub(super) b: (TensorId, Vec<Affine>),
    /// A parameter that is read transposed, and its axis that comes last then.
    pub(super) transposed: Option<(TensorId, usize)>,
}

impl Batcher<'_, '_> {
    /// The row with which all sums start.
    pub(super) fn start(&mut self, expr: ExprId, contraction: &Contraction) -> Option<Place> {
        let context = &self.planner.context;
        let Node::Access { tensor, indices } = context.node(expr) else { return None };
        let described = context.tensor(*tensor);
        let is_within = |(index, &extent): (&Affine, &usize)| {
            let (low, high) = context.affine_range(index);
            low >= 0 && high < extent as i64
        };
        let is_row = described.role == Role::Parameter
            && indices.last()?.as_index() == Some(contraction.columns)
            && *described.shape.last()? == context.index_of(contraction.columns).extent()
            && !indices.iter().any(|index| index.terms.iter().any(|term| Some(term.0) == contraction.rows))
            && indices.iter().zip(&described.shape).all(is_within);
        is_row.then(|| Place { tensor: *tensor, indices: indices.clone() })
    }

    /// An expression as a contraction, if it is one.
    pub(super) fn contraction(&mut self, equation: &Equation, expr: ExprId, over_examples: bool) -> Option<Contraction> {
        let (mut summed, body) = self.sum_of_products(expr)?;
        let mut factor = 1.0;
        let mut operands = Vec::new();
        let parts = match self.context().node(body) {
            Node::Multiply(parts) => parts.clone(),
            _ => return None,
        };
        for part in parts {
            if let Some(number) = self.context().as_number(part) {
                factor *= number.value();
                continue;
            }
            let Node::Access { tensor, indices } = self.context().node(part).clone() else { return None };
            if self.context().tensor(tensor).label {
                return None;
            }
            match self.known(tensor) {
                Some(all) => {
                    let indices = self.example.map(Affine::index).into_iter().chain(indices).collect();
                    operands.push((all, indices));
                }
                None if self.context().tensor(tensor).role == Role::Parameter => operands.push((tensor, indices)),
                None => return None,
            }
        }
        let [first, second]: [(TensorId, Vec<Affine>); 2] = operands.try_into().ok()?;
        let mut free = equation.indices.clone();
        match self.example {
            Some(example) if over_examples => summed.push(example),
            Some(example) => free.insert(0, example),
            None => {}
        }
        let columns = *equation.indices.last()?;
        self.arranged(&free, columns, &summed, factor, &first, &second)
            .or_else(|| self.arranged(&free, columns, &summed, factor, &second, &first))
    }

    /// The indices and the body of a sum; a number before it goes inside.
    fn sum_of_products(&mut self, expr: ExprId) -> Option<(Vec<IndexId>, ExprId)> {
        let mut temporaries = Vec::new();
        let inside = Nest::new(&mut self.planner.context, &mut temporaries).with_factor_inside(expr);
        match self.context().node(inside).clone() {
            Node::Reduce { kind: ReduceKind::Sum, indices, body } => Some(self.context().open(&indices, body)),
            Node::Multiply(_) => Some((Vec::new(), inside)),
            _ => None,
        }
    }

    fn arranged(
        &mut self,
        free: &[IndexId],
        columns: IndexId,
        summed: &[IndexId],
        factor: f64,
        a: &(TensorId, Vec<Affine>),
        b: &(TensorId, Vec<Affine>),
    ) -> Option<Contraction> {
        let mentions =
            |indices: &[Affine], index: IndexId| indices.iter().any(|affine| affine.terms.iter().any(|term| term.0 == index));
        if mentions(&a.1, columns) {
            return None;
        }
        let axis = b.1.iter().position(|affine| affine.as_index() == Some(columns))?;
        let count = b.1.iter().filter(|affine| affine.terms.iter().any(|term| term.0 == columns)).count();
        let extent = self.context().index_of(columns).extent();
        if count != 1 || self.context().index_of(columns).start != 0 || self.context().tensor(b.0).shape[axis] != extent {
            return None;
        }
        // The rows: an index of `a` at a place of its own, the examples if they will do.
        let mut rows = None;
        for &index in free.iter().filter(|&&index| index != columns && !mentions(&b.1, index)) {
            let places: Vec<_> = (0..a.1.len()).filter(|&axis| mentions(&a.1[axis..=axis], index)).collect();
            let [place] = places[..] else { continue };
            let plain = a.1[place].as_index() == Some(index) && self.context().index_of(index).start == 0;
            let shape = self.context().tensor(a.0).shape[place];
            let extent = self.context().index_of(index).extent();
            if plain && shape == extent && rows.is_none_or(|(best, most)| extent > most && Some(best) != self.example) {
                rows = Some((index, extent));
            }
        }
        let mut around = Vec::new();
        if self.example.is_some_and(|example| summed.contains(&example)) && rows.is_none_or(|(_, extent)| extent < LEAST_ROWS) {
            for (index, extent, bounding) in self.shifted_rows(free, columns, summed, a, b) {
                if rows.is_none_or(|(_, best)| extent > best) {
                    (rows, around) = (Some((index, extent)), bounding);
                }
            }
        }
        let products: usize = (summed.iter().filter(|&&index| Some(index) != self.example))
            .map(|&index| self.planner.context.index_of(index).extent())
            .product();
        let is_last = axis + 1 == b.1.len();
        let rows = match self.example {
            Some(example) => {
                let (rows, count) = rows?;
                let count = if rows == example { 1 } else { count };
                let is_parameter = self.context().tensor(b.0).role == Role::Parameter;
                if products * count * extent < LEAST_PRODUCTS || !is_last && !is_parameter {
                    return None;
                }
                Some(rows)
            }
            // Two vectors: no sum.
            None if summed.is_empty() => {
                let (rows, _) = rows.filter(|_| free.len() == 2 && is_last)?;
                Some(rows)
            }
            // A vector and a matrix. Where the columns are not the last axis, the terms are, of both.
            None => {
                let [term] = summed[..] else { return None };
                let ends_with_term = |place: &[Affine]| place.last().and_then(Affine::as_index) == Some(term);
                let is_product = free == [columns] && (is_last || ends_with_term(&a.1) && ends_with_term(&b.1));
                if products * extent < LEAST_PRODUCTS_OF_ONE || !is_product {
                    return None;
                }
                None
            }
        };
        if extent < LEAST_COLUMNS {
            return None;
        }
        Some(Contraction {
            outer: free.iter().copied().filter(|&index| Some(index) != rows && index != columns).collect(),
            rows,
            columns,
            summed: summed.iter().copied().filter(|index| !around.contains(index)).collect(),
            around,
            factor,
            a: a.clone(),
            b: b.clone(),
            transposed: (!is_last && self.example.is_some()).then_some((b.0, axis)),
        })
    }

    /// Indices that could be those of rows although others move them, as the places of a window's kernel are: each with its extent and the
    /// others, which are summed over.
    fn shifted_rows(
        &mut self,
        free: &[IndexId],
        columns: IndexId,
        summed: &[IndexId],
        a: &(TensorId, Vec<Affine>),
        b: &(TensorId, Vec<Affine>),
    ) -> Vec<(IndexId, usize, Vec<IndexId>)> {
        let factor = |affine: &Affine, index: IndexId| affine.terms.iter().find(|term| term.0 == index).map(|term| term.1);
        let mut found = Vec::new();
        // The last come first: their factors lie nearest to each other.
        for &index in
            free.iter().rev().filter(|&&index| index != columns && b.1.iter().all(|affine| factor(affine, index).is_none()))
        {
            let places: Vec<&Affine> = a.1.iter().filter(|affine| factor(affine, index).is_some()).collect();
            let [place] = places[..] else { continue };
            let others: Vec<IndexId> = place.terms.iter().map(|term| term.0).filter(|&other| other != index).collect();
            let range = self.context().index_of(index);
            if range.start == 0 && factor(place, index) > Some(0) && others.iter().all(|other| summed.contains(other)) {
                found.push((index, range.extent(), others));
            }
        }
        found
    }

    /// The kernel of a contraction.
    pub(super) fn tile(
        &mut self,
        equation: &Equation,
        target: TensorId,
        contraction: &Contraction,
        start: Option<Place>,
        is_added: bool,
    ) -> Option<usize> {
        let lines = self.planner.lines(equation);
        let mut temporaries = Vec::new();
        let mut nest = Nest::new(&mut self.planner.context, &mut temporaries);
        let operands = [&contraction.a, &contraction.b].map(|(tensor, indices)| nest.context.access(*tensor, indices.clone()));
        let body = nest.context.multiply(operands);
        contraction.around.iter().chain(&contraction.outer).for_each(|&index| nest.open(index));
        let is_shifted = !contraction.around.is_empty();
        let shifted = contraction.rows.filter(|_| is_shifted);
        let order: Vec<IndexId> = shifted.into_iter().chain(contraction.summed.iter().copied()).collect();
        let opened = nest.loops_of(&order, body);
        let (a, b) = operands_of(nest.context, opened.body, contraction.columns)?;
        let (mut levels, solved) = levels_of(&mut nest, opened.steps)?;
        let row_range = (is_shifted && Some(levels.first()?.0) == shifted).then(|| levels.remove(0).1);
        let indices = if is_added {
            equation.indices.clone()
        } else {
            self.example.into_iter().chain(equation.indices.iter().copied()).collect()
        };
        let into = Place { tensor: target, indices: nest.element(target, &indices) };
        let [a, b, into] = [&a, &b, &into].map(|place| in_elements(nest.context, place, &solved));
        let start = start.map(|place| in_elements(nest.context, &place, &solved));
        let summed: Vec<IndexId> = levels.iter().map(|(index, _)| *index).collect();
        let bounds_are_fixed = levels.iter().flat_map(|(index, range)| range.bounds.iter().map(move |bound| (index, bound))).all(
            |(index, bound)| {
                let is_fixed = |moving: IndexId| Some(moving) != contraction.rows && !summed.contains(&moving);
                bound.terms.iter().all(|term| term.0 == *index || is_fixed(term.0))
            },
        );
        let is_ahead = |rows: IndexId| coefficients(&a, &[rows])[0] > 0 && coefficients(&into, &[rows])[0] > 0;
        let rows_ahead = contraction.rows.is_none_or(is_ahead);
        if levels.len() > 3 || !bounds_are_fixed || !rows_ahead || row_range.is_some() != is_shifted {
            return None;
        }
        nest.push(Statement::Tile(Box::new(Tile {
            rows: contraction.rows,
            row_range,
            columns: contraction.columns,
            levels,
            factor: contraction.factor,
            a,
            b,
            start,
            into,
            is_added,
            update: None,
            update_factor: None,
        })));
        nest.close_to(1);
        let (body, locals) = nest.finish();
        self.is_tiled = true;
        Some(self.planner.kernel(&format!("tiles_{}", equation.number), lines, body, locals, None))
    }
}

/// Indices that follow from others.
type Solved = Vec<(IndexId, Affine)>;

/// The loops of a sum, and what indices are that follow from those of loops; none if they follow from something else.
fn levels_of(nest: &mut Nest<'_>, steps: Vec<Step>) -> Option<(Vec<(IndexId, Range)>, Solved)> {
    let (mut levels, mut solved) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Loop(index, range) => levels.push((index, range)),
            Step::At(index, Solution::Sum(affine, others)) if others.is_empty() => {
                // Within the index's range by the bounds of the loops, or always.
                let is_bounded = affine.terms.iter().any(|term| levels.iter().any(|(level, _)| *level == term.0));
                if !is_bounded && !nest.is_within(&affine, index) {
                    return None;
                }
                solved.push((index, affine));
            }
            Step::At(..) => return None,
        }
    }
    Some((levels, solved))
}

/// A place counted in elements from the first one of its tensor.
pub(super) fn in_elements(context: &Context, place: &Place, solved: &[(IndexId, Affine)]) -> Place {
    let mut offset = Affine::default();
    let mut stride = 1;
    for (index, extent) in place.indices.iter().zip(&context.tensor(place.tensor).shape).rev() {
        offset = offset.plus(stride, index).unwrap_or_default();
        stride *= *extent as i64;
    }
    for (index, affine) in solved.iter().rev() {
        let Some(at) = offset.terms.iter().position(|term| term.0 == *index) else { continue };
        let (_, coefficient) = offset.terms.remove(at);
        offset = offset.plus(coefficient, affine).unwrap_or_default();
    }
    offset.terms.retain(|term| term.1 != 0);
    Place { tensor: place.tensor, indices: vec![offset] }
}

/// How far it is from one value of each index to the next, in a place counted in elements.
pub(crate) fn coefficients(place: &Place, indices: &[IndexId]) -> Vec<i64> {
    let of = |index: &IndexId| {
        place.indices.iter().flat_map(|affine| &affine.terms).find(|term| term.0 == *index).map_or(0, |term| term.1)
    };
    indices.iter().map(of).collect()
}

/// The operands of a product: a number for each row, and a row with the columns.
fn operands_of(context: &Context, body: ExprId, columns: IndexId) -> Option<(Place, Place)> {
    let Node::Multiply(factors) = context.node(body) else { return None };
    let places: Option<Vec<Place>> = factors
        .iter()
        .map(|&factor| match context.node(factor) {
            Node::Access { tensor, indices } => Some(Place { tensor: *tensor, indices: indices.clone() }),
            _ => None,
        })
        .collect();
    let [first, second]: [Place; 2] = places?.try_into().ok()?;
    let is_row = |place: &Place| place.indices.iter().any(|index| index.as_index() == Some(columns));
    if is_row(&second) {
        Some((first, second))
    } else if is_row(&first) {
        Some((second, first))
    } else {
        None
    }
}
