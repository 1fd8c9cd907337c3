//! A minibatch at once: sums of products in tiles over many examples, all else example by example.
//!
//! What is done in which form follows from the indices alone. In a sum of products of two elements, the last index of the result is
//! that of the columns if it is also the last of one operand and not in the other; an index of the other operand that is not in the
//! first is that of the rows. In a tile of rows and columns each operand is read once for many products. The number of the example is
//! an index like all others: of rows where an operand has no examples (weights), summed over where the result has none (their gradient).

use super::Planner;
use super::delta::Solution;
use super::nest::Nest;
use super::open::Step;
use super::statement::{Place, Range, Statement, Tile};
use crate::equation::{Affine, Block, Context, Equation, ExprId, IndexId, Node, ReduceKind, Role, Tensor, TensorId};

/// Fewer columns than this are not worth a tile.
const LEAST_COLUMNS: usize = 4;
/// Rows that are fewer than this leave registers empty.
const LEAST_ROWS: usize = 4;
/// Fewer products for each example than this are not worth a tile.
const LEAST_PRODUCTS: usize = 128;
/// Fewer examples than this are not worth a transposed copy of a parameter.
pub(crate) const EXAMPLES_FOR_COPY: usize = 6;

/// What is done for several examples at once.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The number of an example.
    pub(crate) example: IndexId,
    /// How many examples are computed at once.
    pub(crate) examples: usize,
    /// What is done, in order.
    pub(crate) steps: Vec<BatchStep>,
    /// Tensors of one example, and the same of all.
    pub(crate) tensors: Vec<(TensorId, TensorId)>,
    /// What there is only once: rows that a kernel fills and reads, and transposed copies.
    pub(crate) shared: Vec<TensorId>,
    /// The gradients that are sums over the examples in tiles. They are done after all steps: what they update, no step must read.
    pub(crate) gradients: Vec<GradientTiles>,
}

/// How the gradient of a parameter is summed up, after the steps of a [`Batch`].
#[derive(Debug)]
pub(crate) struct GradientTiles {
    /// The gradient.
    pub(crate) gradient: TensorId,
    /// What adds to it, in order.
    pub(crate) kernels: Vec<usize>,
    /// For the last examples of a minibatch: the kernel that updates the parameter as well.
    pub(crate) updating: Option<usize>,
}

/// A step of a [`Batch`].
#[derive(Debug)]
pub(crate) enum BatchStep {
    /// A kernel for each example.
    Each(usize),
    /// A kernel for all examples.
    Tiled(usize),
    /// A kernel once.
    Once(usize),
    /// The first for as many examples as [`EXAMPLES_FOR_COPY`] or more, else the second.
    Either(Vec<BatchStep>, usize),
}

/// A sum of products as a tile computes it.
#[derive(Clone, Debug)]
struct Contraction {
    /// Of the result, without rows and columns, from the outermost.
    outer: Vec<IndexId>,
    rows: IndexId,
    columns: IndexId,
    /// What is summed over in loops around the tile, because it decides which rows there are.
    around: Vec<IndexId>,
    /// What is summed over in the tile.
    summed: Vec<IndexId>,
    factor: f64,
    /// A number for each row.
    a: (TensorId, Vec<Affine>),
    /// A row of numbers, one for each column.
    b: (TensorId, Vec<Affine>),
    /// A parameter that is read transposed, and its axis that comes last then.
    transposed: Option<(TensorId, usize)>,
}

/// Lowers what is computed for each example a second time, for many.
pub(super) struct Batcher<'p, 'a> {
    pub(super) planner: &'p mut Planner<'a>,
    example: IndexId,
    examples: usize,
    tensors: Vec<(TensorId, TensorId)>,
    shared: Vec<TensorId>,
    copies: Vec<(TensorId, usize, TensorId, usize)>,
    gradients: Vec<GradientTiles>,
    updates: &'p [usize],
    is_tiled: bool,
}

impl<'a> Planner<'a> {
    /// The steps of a minibatch, if tiles are worth their while.
    ///
    /// `plain` has for each block of equations its kernel for one example, and its equations.
    pub(super) fn batch(&mut self, plain: &[(usize, Vec<&Equation>, Block)], updates: &[usize]) -> Option<Batch> {
        let examples = self.examples;
        self.derivation.model.loss.filter(|_| examples > 1)?;
        let example = self.context.add_index("example", 0, examples as i64);
        let mut batcher = Batcher {
            planner: self,
            example,
            examples,
            tensors: Vec::new(),
            shared: Vec::new(),
            copies: Vec::new(),
            gradients: Vec::new(),
            updates,
            is_tiled: false,
        };
        let targets: Vec<TensorId> =
            plain.iter().flat_map(|(_, equations, _)| equations.iter().map(|equation| equation.target)).collect();
        for target in targets {
            if batcher.planner.sum_of(target).is_none() {
                batcher.batched(target);
            }
        }
        let inputs = &batcher.planner.derivation.model.inputs;
        if let [input] = inputs[..]
            && !batcher.planner.context.tensor(input).label
        {
            batcher.batched(input);
        }
        let mut steps = Vec::new();
        for (kernel, equations, block) in plain {
            match block {
                Block::Whole(_) => batcher.equation(*kernel, equations[0], &mut steps),
                Block::Steps(_) => steps.push(BatchStep::Each(*kernel)),
            }
        }
        let Batcher { tensors, shared, gradients, is_tiled, .. } = batcher;
        is_tiled.then_some(Batch { example, examples, steps, tensors, shared, gradients })
    }
}

impl Batcher<'_, '_> {
    fn context(&mut self) -> &mut Context {
        &mut self.planner.context
    }

    /// A tensor of one example for all examples.
    fn batched(&mut self, tensor: TensorId) -> TensorId {
        if let Some((_, all)) = self.tensors.iter().find(|(one, _)| *one == tensor) {
            return *all;
        }
        let mut all = self.context().tensor(tensor).clone();
        all.shape.insert(0, self.examples);
        all.axes.insert(0, "example".to_owned());
        let all = self.context().add_tensor(all);
        self.tensors.push((tensor, all));
        all
    }

    /// The same for what is known to be there.
    pub(super) fn known(&self, tensor: TensorId) -> Option<TensorId> {
        self.tensors.iter().find(|(one, _)| *one == tensor).map(|(_, all)| *all)
    }

    fn equation(&mut self, plain: usize, equation: &Equation, steps: &mut Vec<BatchStep>) {
        let sum = self.planner.sum_of(equation.target);
        let done = match sum {
            Some(gradient) => self.gradient(gradient, equation),
            None => match self.element_wise(equation) {
                Some(kernel) => {
                    steps.push(BatchStep::Tiled(kernel));
                    Some(())
                }
                None => self.value(plain, equation, steps),
            },
        };
        if done.is_none() {
            steps.push(BatchStep::Each(plain));
        }
    }

    /// The gradient of a parameter: each term a sum over the examples as well.
    fn gradient(&mut self, gradient: TensorId, equation: &Equation) -> Option<()> {
        let terms = match self.context().node(equation.computed) {
            Node::Add(terms) => terms.clone(),
            _ => vec![equation.computed],
        };
        let contractions: Option<Vec<_>> = terms.into_iter().map(|term| self.contraction(equation, term, true)).collect();
        let contractions = contractions?;
        let kernels: Option<Vec<_>> =
            contractions.iter().map(|contraction| self.tile(equation, gradient, contraction, None, true)).collect();
        let kernels = kernels?;
        let updating = match (&kernels[..], &contractions[..]) {
            ([kernel], [contraction]) => self.updating(*kernel, contraction, gradient, equation),
            _ => None,
        };
        self.gradients.push(GradientTiles { gradient, kernels, updating });
        Some(())
    }

    /// The kernel that computes tiles of a gradient and updates the parameter from each, where a tile's rows lie beside each other.
    fn updating(&mut self, tiles: usize, contraction: &Contraction, gradient: TensorId, equation: &Equation) -> Option<usize> {
        let [.., rows, _] = equation.indices[..] else { return None };
        if rows != contraction.rows || !contraction.around.is_empty() {
            return None;
        }
        let reads_gradient = |planner: &Planner<'_>, kernel: usize| {
            planner.kernels[kernel].reads.iter().any(|read| planner.rows.contains(&(*read, gradient)))
        };
        let update = self.updates.iter().copied().find(|&update| reads_gradient(self.planner, update))?;
        let kernels = &self.planner.kernels;
        let reads: Vec<TensorId> = (kernels[tiles].reads.iter().copied())
            .chain([gradient])
            .chain(kernels[update].reads.iter().copied().filter(|&read| !self.planner.rows.contains(&(read, gradient))))
            .collect();
        let writes = kernels[update].writes.clone();
        let lines = [&kernels[tiles].equations[..], &kernels[update].equations[..]].concat();
        let mut body = kernels[tiles].body.clone();
        let locals = kernels[tiles].locals.clone();
        body.iter_mut().for_each(|statement| set_update(statement, update));
        let name = format!("{}_updating", kernels[tiles].name);
        let kernel = self.planner.kernel(&name, lines, body, locals, None);
        let mut unique = Vec::new();
        reads.into_iter().for_each(|read| super::insert_once(&mut unique, read));
        self.planner.kernels[kernel].reads = unique;
        self.planner.kernels[kernel].writes = writes;
        Some(kernel)
    }

    /// A value or an adjoint of each example.
    fn value(&mut self, plain: usize, equation: &Equation, steps: &mut Vec<BatchStep>) -> Option<()> {
        let terms = match self.context().node(equation.computed) {
            Node::Add(terms) => terms.clone(),
            _ => vec![equation.computed],
        };
        // A sum of products, and at most a row that is the first value of all sums.
        if let [term] = terms[..] {
            let contraction = self.contraction(equation, term, false);
            if let Some(contraction) = contraction {
                return self.whole(plain, equation, &contraction, None, steps);
            }
        }
        if let [first, second] = terms[..] {
            for (term, rest) in [(first, second), (second, first)] {
                if let Some(contraction) = self.contraction(equation, term, false)
                    && let Some(start) = self.start(rest, &contraction)
                {
                    return self.whole(plain, equation, &contraction, Some(start), steps);
                }
            }
        }
        self.part(plain, equation, steps)
    }

    /// An equation that is one contraction.
    fn whole(
        &mut self,
        plain: usize,
        equation: &Equation,
        contraction: &Contraction,
        start: Option<Place>,
        steps: &mut Vec<BatchStep>,
    ) -> Option<()> {
        let target = self.known(equation.target)?;
        let mut many = Vec::new();
        let contraction = self.with_copy(contraction, &mut many);
        let kernel = self.tile(equation, target, &contraction, start, false)?;
        many.push(BatchStep::Tiled(kernel));
        self.finish(plain, contraction.transposed.is_some(), many, steps);
        Some(())
    }

    /// An equation with a contraction somewhere inside, which is computed first.
    fn part(&mut self, plain: usize, equation: &Equation, steps: &mut Vec<BatchStep>) -> Option<()> {
        let mut reductions = Vec::new();
        self.context().visit(equation.computed, &mut |context, part| {
            if matches!(context.node(part), Node::Reduce { kind: ReduceKind::Sum, .. }) {
                reductions.push(part);
            }
        });
        let (sum, contraction) = reductions.into_iter().find_map(|sum| Some((sum, self.contraction(equation, sum, false)?)))?;
        let like = self.context().tensor(equation.target).clone();
        let name = format!("sum_{}", equation.number);
        let part = self.context().add_tensor(Tensor { name, role: Role::Value, label: false, origin: None, ..like });
        let target = self.batched(part);
        let mut many = Vec::new();
        let contraction = self.with_copy(&contraction, &mut many);
        many.push(BatchStep::Tiled(self.tile(equation, target, &contraction, None, false)?));
        let read = self.context().access_at(part, &equation.indices);
        let rest = self.context().replace(equation.computed, sum, read);
        let rest = Equation { computed: rest, ..equation.clone() };
        let first_temporary = self.planner.temporaries.len();
        let kernel = self.planner.per_example(&rest);
        self.shared.extend(&self.planner.temporaries[first_temporary..]);
        many.push(BatchStep::Each(kernel));
        self.finish(plain, contraction.transposed.is_some(), many, steps);
        Some(())
    }

    /// Adds steps, with the alternative for few examples where a copy is needed.
    fn finish(&mut self, plain: usize, copied: bool, many: Vec<BatchStep>, steps: &mut Vec<BatchStep>) {
        self.is_tiled = true;
        if copied {
            steps.push(BatchStep::Either(many, plain));
        } else {
            steps.extend(many);
        }
    }

    /// The row with which all sums start.
    fn start(&mut self, expr: ExprId, contraction: &Contraction) -> Option<Place> {
        let Node::Access { tensor, indices } = self.context().node(expr).clone() else { return None };
        let described = self.context().tensor(tensor).clone();
        let is_row = described.role == Role::Parameter
            && indices.last()?.as_index() == Some(contraction.columns)
            && *described.shape.last()? == self.context().index_of(contraction.columns).extent()
            && !indices.iter().any(|index| index.terms.iter().any(|term| term.0 == contraction.rows))
            && indices.iter().zip(&described.shape).all(|(index, &extent)| self.is_within(index, extent));
        is_row.then_some(Place { tensor, indices })
    }

    fn is_within(&mut self, affine: &Affine, extent: usize) -> bool {
        let (low, high) = self.context().affine_range(affine);
        low >= 0 && high < extent as i64
    }

    /// An expression as a contraction, if it is one.
    fn contraction(&mut self, equation: &Equation, expr: ExprId, over_examples: bool) -> Option<Contraction> {
        let example = self.example;
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
                    let indices = [Affine::index(example)].into_iter().chain(indices).collect();
                    operands.push((all, indices));
                }
                None if self.context().tensor(tensor).role == Role::Parameter => operands.push((tensor, indices)),
                None => return None,
            }
        }
        let [first, second]: [(TensorId, Vec<Affine>); 2] = operands.try_into().ok()?;
        let mut free = equation.indices.clone();
        if over_examples {
            summed.push(example);
        } else {
            free.insert(0, example);
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
            if plain
                && shape == extent
                && (rows.is_none_or(|(_, best)| extent > best) && rows.is_none_or(|(best, _)| best != self.example))
            {
                rows = Some((index, extent));
            }
        }
        let mut around = Vec::new();
        if summed.contains(&self.example) && rows.is_none_or(|(_, extent)| extent < LEAST_ROWS) {
            for (index, extent, bounding) in self.shifted_rows(free, columns, summed, a, b) {
                if rows.is_none_or(|(_, best)| extent > best) {
                    (rows, around) = (Some((index, extent)), bounding);
                }
            }
        }
        let (rows, row_count) = rows?;
        let products: usize = summed
            .iter()
            .filter(|&&index| index != self.example)
            .map(|&index| self.planner.context.index_of(index).extent())
            .product();
        let row_count = if rows == self.example { 1 } else { row_count };
        if extent < LEAST_COLUMNS || products * row_count * extent < LEAST_PRODUCTS {
            return None;
        }
        let is_last = axis + 1 == b.1.len();
        let is_parameter = self.context().tensor(b.0).role == Role::Parameter;
        if !is_last && !is_parameter {
            return None;
        }
        Some(Contraction {
            outer: free.iter().copied().filter(|&index| index != rows && index != columns).collect(),
            rows,
            columns,
            summed: summed.iter().copied().filter(|index| !around.contains(index)).collect(),
            around,
            factor,
            a: a.clone(),
            b: b.clone(),
            transposed: (!is_last).then_some((b.0, axis)),
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

    /// The contraction with a transposed copy in place of the parameter.
    fn with_copy(&mut self, contraction: &Contraction, steps: &mut Vec<BatchStep>) -> Contraction {
        let Some((parameter, axis)) = contraction.transposed else { return contraction.clone() };
        let known = self.copies.iter().find(|copy| (copy.0, copy.1) == (parameter, axis)).map(|copy| (copy.2, copy.3));
        let (copy, kernel) = known.unwrap_or_else(|| self.copy(parameter, axis));
        steps.push(BatchStep::Once(kernel));
        let mut indices = contraction.b.1.clone();
        let moved = indices.remove(axis);
        indices.push(moved);
        Contraction { b: (copy, indices), ..contraction.clone() }
    }

    /// A kernel that copies a parameter with an axis moved to the end.
    fn copy(&mut self, parameter: TensorId, axis: usize) -> (TensorId, usize) {
        let mut described = self.context().tensor(parameter).clone();
        let extent = described.shape.remove(axis);
        described.shape.push(extent);
        if axis < described.axes.len() {
            let name = described.axes.remove(axis);
            described.axes.push(name);
        }
        described.name = format!("{}_transposed", described.name);
        described.role = Role::Value;
        let name = described.name.clone();
        let copy = self.context().add_tensor(described);
        let shape = &self.context().tensor(parameter).shape;
        let (rows, columns) = (shape[axis], shape[axis + 1..].iter().product());
        let body = vec![Statement::Transpose { from: parameter, to: copy, rows, columns }];
        let kernel = self.planner.kernel(&name, Vec::new(), body, Vec::new(), None);
        self.shared.push(copy);
        self.copies.push((parameter, axis, copy, kernel));
        (copy, kernel)
    }

    /// The kernel of a contraction.
    fn tile(
        &mut self,
        equation: &Equation,
        target: TensorId,
        contraction: &Contraction,
        start: Option<Place>,
        is_added: bool,
    ) -> Option<usize> {
        let line = self.planner.line(equation);
        let mut temporaries = Vec::new();
        let mut nest = Nest::new(&mut self.planner.context, &mut temporaries);
        let operands = [&contraction.a, &contraction.b].map(|(tensor, indices)| nest.context.access(*tensor, indices.clone()));
        let body = nest.context.multiply(operands);
        contraction.around.iter().chain(&contraction.outer).for_each(|&index| nest.open(index));
        let is_shifted = !contraction.around.is_empty();
        let order: Vec<IndexId> =
            is_shifted.then_some(contraction.rows).into_iter().chain(contraction.summed.iter().copied()).collect();
        let opened = nest.loops_of(&order, body);
        let (a, b) = operands_of(nest.context, opened.body, contraction.columns)?;
        let (mut levels, solved) = levels_of(&mut nest, opened.steps)?;
        let row_range = (is_shifted && levels.first()?.0 == contraction.rows).then(|| levels.remove(0).1);
        let indices = if is_added {
            equation.indices.clone()
        } else {
            [self.example].into_iter().chain(equation.indices.iter().copied()).collect()
        };
        let into = Place { tensor: target, indices: nest.element(target, &indices) };
        let [a, b, into] = [&a, &b, &into].map(|place| in_elements(nest.context, place, &solved));
        let start = start.map(|place| in_elements(nest.context, &place, &solved));
        let summed: Vec<IndexId> = levels.iter().map(|(index, _)| *index).collect();
        let bounds_are_fixed = levels.iter().flat_map(|(index, range)| range.bounds.iter().map(move |bound| (index, bound))).all(
            |(index, bound)| {
                let is_fixed = |moving: IndexId| moving != contraction.rows && !summed.contains(&moving);
                bound.terms.iter().all(|term| term.0 == *index || is_fixed(term.0))
            },
        );
        let rows_ahead = coefficients(&a, &[contraction.rows])[0] > 0 && coefficients(&into, &[contraction.rows])[0] > 0;
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
        })));
        nest.close_to(1);
        let (body, locals) = nest.finish();
        self.is_tiled = true;
        Some(self.planner.kernel(&format!("tiles_{}", equation.number), vec![line], body, locals, None))
    }
}

fn set_update(statement: &mut Statement, update: usize) {
    match statement {
        Statement::Tile(tile) => tile.update = Some(update),
        Statement::For { body, .. } | Statement::At { body, .. } => body.iter_mut().for_each(|inner| set_update(inner, update)),
        _ => {}
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
    let is_row = |place: &Place| place.indices.last().is_some_and(|index| index.as_index() == Some(columns));
    if is_row(&second) {
        Some((first, second))
    } else if is_row(&first) {
        Some((second, first))
    } else {
        None
    }
}
