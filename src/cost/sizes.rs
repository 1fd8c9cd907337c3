//! Symbols for extents: axes that one index runs over have one symbol.

use std::collections::BTreeMap;

use super::polynomial::{Polynomial, Symbol};
use crate::derivation::Derivation;
use crate::emit::plan::{Place, Plan, Statement};
use crate::equation::{Affine, Axis, AxisClasses, Context, IndexId, Role, TensorId};

/// What a symbol stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// The symbol.
    pub symbol: Symbol,
    /// Its value.
    pub extent: usize,
    /// The tensor that has an axis of this extent, and which axis, from 0.
    pub of: (String, usize),
    /// Whether it stands for all axes of its extent, in a network with more sizes than one can follow.
    pub is_for_all: bool,
}

/// With more different sizes than these, those of one extent have one symbol.
const MOST_SYMBOLS: usize = 16;

/// The symbols of all axes.
#[derive(Debug)]
pub(super) struct Sizes {
    /// Axes of one extent.
    classes: AxisClasses,
    /// The symbols of axes that stand for all, with a description.
    symbols: BTreeMap<Axis, Symbol>,
    table: Vec<Size>,
}

impl Sizes {
    pub(super) fn new(derivation: &Derivation, plan: &Plan) -> Self {
        let mut sizes = Sizes { classes: AxisClasses::default(), symbols: BTreeMap::new(), table: Vec::new() };
        for kernel in &plan.kernels {
            sizes.join_all(&plan.context, &kernel.body);
        }
        let model = &derivation.model;
        let forward = derivation.forward.iter().map(|equation| equation.target);
        let parameters = model.parameters.iter().map(|parameter| parameter.tensor);
        let first = model.inputs.iter().copied().chain(forward).chain(model.targets.iter().copied()).chain(parameters);
        let rest = plan.context.tensors().map(|(tensor, _)| tensor);
        for tensor in first.chain(rest) {
            let described = plan.context.tensor(tensor);
            for (axis, &extent) in described.shape.iter().enumerate() {
                let root = sizes.classes.root((tensor, axis));
                if !sizes.symbols.contains_key(&root) {
                    let symbol = Symbol(sizes.table.len() as u32);
                    sizes.symbols.insert(root, symbol);
                    sizes.table.push(Size { symbol, extent, of: (described.name.clone(), axis), is_for_all: false });
                }
            }
        }
        if sizes.table.len() > MOST_SYMBOLS {
            sizes.join_equal_extents();
        }
        sizes
    }

    /// One symbol for each extent.
    fn join_equal_extents(&mut self) {
        let mut by_extent: BTreeMap<usize, Symbol> = BTreeMap::new();
        let mut table: Vec<Size> = Vec::new();
        let mut joined: BTreeMap<Symbol, Symbol> = BTreeMap::new();
        for size in &self.table {
            let symbol = *by_extent.entry(size.extent).or_insert_with(|| {
                let symbol = Symbol(table.len() as u32);
                table.push(Size { symbol, is_for_all: true, ..size.clone() });
                symbol
            });
            joined.insert(size.symbol, symbol);
        }
        self.symbols.values_mut().for_each(|symbol| *symbol = joined[symbol]);
        self.table = table;
    }

    /// All symbols.
    pub(super) fn table(&self) -> Vec<Size> {
        self.table.clone()
    }

    /// Joins the axes that each loop runs over.
    fn join_all(&mut self, context: &Context, statements: &[Statement]) {
        for statement in statements {
            let (Statement::For { index, body, .. }
            | Statement::At { index, body, .. }
            | Statement::ForLanes { index, body, .. }) = statement
            else {
                continue;
            };
            let axes = axes_over(context, *index, body);
            self.classes.join(&axes);
            self.join_all(context, body);
        }
    }

    /// The extent of the axis that a loop runs over, as a symbol where the loop runs over one.
    pub(super) fn of_loop(&self, context: &Context, index: IndexId, body: &[Statement]) -> Polynomial {
        let extent = context.index_of(index).extent();
        match axes_over(context, index, body).first() {
            Some(&axis) => self.of_axis(axis, extent),
            None => Polynomial::number(extent),
        }
    }

    fn of_axis(&self, axis: Axis, extent: usize) -> Polynomial {
        match self.symbols.get(&self.classes.root(axis)) {
            Some(&symbol) => Polynomial::symbol(symbol, extent),
            None => Polynomial::number(extent),
        }
    }

    /// The number of scalars of a tensor as it is stored: a label is not one.
    pub(super) fn of_tensor(&self, plan: &Plan, tensor: TensorId) -> Polynomial {
        let described = plan.context.tensor(tensor);
        let of_axis = |(axis, &extent): (usize, &usize)| self.of_axis((tensor, axis), extent);
        described.shape.iter().enumerate().map(of_axis).fold(Polynomial::number(1), |product, extent| product.times(&extent))
    }
}

/// The axes of tensors that an index runs over from end to end.
fn axes_over(context: &Context, index: IndexId, body: &[Statement]) -> Vec<Axis> {
    let extent = context.index_of(index).extent();
    let mut axes = Vec::new();
    let mut visit = |place: &Place| {
        let tensor = context.tensor(place.tensor);
        for (axis, (affine, &of_axis)) in place.indices.iter().zip(&tensor.shape).enumerate() {
            if of_axis == extent && is_plain(context, affine, index) && !axes.contains(&(place.tensor, axis)) {
                axes.push((place.tensor, axis));
            }
        }
    };
    for statement in body {
        statement.reads(&mut visit);
        statement.writes(&mut visit);
    }
    // A row that is filled for one loop and then another of the same length joins what the network keeps apart by accident only.
    axes.sort_by_key(|&(tensor, axis)| (context.tensor(tensor).role == Role::Value, tensor, axis));
    axes
}

/// Whether an affine expression takes each place of its axis once as the index runs.
fn is_plain(context: &Context, affine: &Affine, index: IndexId) -> bool {
    affine.terms == [(index, 1)] && affine.constant == -context.index_of(index).start
}
