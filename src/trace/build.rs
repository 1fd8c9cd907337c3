//! From equations to gates: which elements there are, and in which order they are computed.

use super::error::TraceError;
use super::given::{Given, tensors};
use super::rules::Rules;
use super::{Circuit, Detail, Gate, Operation};
use crate::derivation::Derivation;
use crate::equation::{Affine, Block, Context, Equation, IndexId, TensorId, schedule};
use crate::limits;
use std::collections::{BTreeMap, HashMap};

/// The circuit, its adjoints still 0.
pub(super) fn build(derivation: &Derivation, given: &Given, detail: Detail) -> Result<Circuit, TraceError> {
    let model = &derivation.model;
    let context = &model.context;
    let result = model.objective.as_ref().map(|objective| objective.value).or(model.loss).ok_or(TraceError::NoResult)?;
    let sizes = tensors(model).chain(derivation.forward.iter().map(|equation| equation.target));
    let elements = sizes.fold(0usize, |sum, tensor| sum.saturating_add(context.tensor(tensor).size()));
    let mut builder = Builder::new(context, detail);
    if elements > builder.most_gates() {
        return Err(builder.too_large());
    }
    for tensor in tensors(model) {
        builder.give(tensor, given)?;
    }
    builder.compute(&derivation.forward)?;
    let result = builder.element(result, &[]).ok_or(TraceError::NoResult)?;
    Ok(Circuit { network: model.name.clone(), gates: builder.gates, result, detail })
}

/// A circuit in the making.
pub(super) struct Builder<'a> {
    pub(super) context: &'a Context,
    detail: Detail,
    pub(super) rules: Rules,
    pub(super) gates: Vec<Gate>,
    /// Gates without a name, by what they do with what.
    pub(super) shared: HashMap<(Operation, Vec<usize>), usize>,
    /// The gates of all elements so far.
    elements: BTreeMap<(TensorId, Vec<i64>), usize>,
    /// The values of the indices in scope, innermost last.
    pub(super) indices: Vec<(IndexId, i64)>,
    steps: usize,
}

impl<'a> Builder<'a> {
    fn new(context: &'a Context, detail: Detail) -> Self {
        Self {
            context,
            detail,
            rules: Rules::default(),
            gates: Vec::new(),
            shared: HashMap::new(),
            elements: BTreeMap::new(),
            indices: Vec::new(),
            steps: 0,
        }
    }

    fn most_gates(&self) -> usize {
        match self.detail {
            Detail::Operations => limits::CIRCUIT_OPERATIONS,
            Detail::Elements => limits::CIRCUIT_ELEMENTS,
        }
    }

    fn too_large(&self) -> TraceError {
        TraceError::TooLarge { detail: self.detail }
    }

    /// Counts one part of an expression that is looked at: sums whose terms are all 0 make no gates, but take time.
    pub(super) fn count_step(&mut self) -> Result<(), TraceError> {
        self.steps += 1;
        if self.steps > limits::CIRCUIT_STEPS { Err(self.too_large()) } else { Ok(()) }
    }

    /// Adds a gate.
    pub(super) fn push(&mut self, operation: Operation, operands: Vec<usize>, value: f64) -> Result<usize, TraceError> {
        if self.gates.len() >= self.most_gates() {
            return Err(self.too_large());
        }
        self.gates.push(Gate { name: None, operation, operands, value, adjoint: 0.0, element: None });
        Ok(self.gates.len() - 1)
    }

    /// The gate of an element, if there is one yet.
    pub(super) fn element(&self, tensor: TensorId, place: &[i64]) -> Option<usize> {
        self.elements.get(&(tensor, place.to_vec())).copied()
    }

    /// Gives a gate the name of an element.
    fn name(&mut self, gate: usize, tensor: TensorId, place: &[i64]) {
        let name = &self.context.tensor(tensor).name;
        let at: Vec<String> = place.iter().map(i64::to_string).collect();
        let name = if at.is_empty() { name.clone() } else { format!("{name}[{}]", at.join(", ")) };
        self.gates[gate].name = Some(name);
        self.gates[gate].element = Some((tensor, place.to_vec()));
        self.elements.insert((tensor, place.to_vec()), gate);
    }

    fn give(&mut self, tensor: TensorId, given: &Given) -> Result<(), TraceError> {
        let mut values = given.of(tensor).iter();
        for_each_place(&ranges(self.context, tensor), &mut |place| {
            let value = values.next().copied().unwrap_or(f64::NAN);
            let gate = self.push(Operation::Given, Vec::new(), value)?;
            self.name(gate, tensor, place);
            Ok(())
        })
    }

    /// The gates of all equations, each element after those it reads.
    fn compute(&mut self, equations: &[Equation]) -> Result<(), TraceError> {
        let all: Vec<&Equation> = equations.iter().collect();
        let blocks = schedule(self.context, &all, |equation| equation.value).map_err(|_| TraceError::NoResult)?;
        for block in blocks {
            match block {
                Block::Whole(position) => {
                    let ranges = ranges(self.context, equations[position].target);
                    for_each_place(&ranges, &mut |place| self.compute_element(position, &equations[position], place))?;
                }
                Block::Steps(recurrence) => {
                    for step in 0..recurrence.extent as i64 {
                        let step = if recurrence.descending { recurrence.extent as i64 - 1 - step } else { step };
                        for (&position, &axis) in recurrence.equations.iter().zip(&recurrence.axes) {
                            let mut ranges = ranges(self.context, equations[position].target);
                            ranges[axis] = (step, step + 1);
                            for_each_place(&ranges, &mut |place| self.compute_element(position, &equations[position], place))?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn compute_element(&mut self, position: usize, equation: &Equation, place: &[i64]) -> Result<(), TraceError> {
        self.indices = equation.indices.iter().copied().zip(place.iter().copied()).collect();
        let gate = match self.detail {
            Detail::Operations => self.root(equation.value)?,
            Detail::Elements => self.whole(position, equation.value)?,
        };
        self.name(gate, equation.target, place);
        Ok(())
    }

    /// The value of an affine expression in the indices in scope.
    pub(super) fn affine(&self, affine: &Affine) -> i64 {
        affine.terms.iter().fold(affine.constant, |sum, &(index, coefficient)| {
            let value = self.indices.iter().rev().find(|(bound, _)| *bound == index).map_or(0, |bound| bound.1);
            sum.saturating_add(coefficient.saturating_mul(value))
        })
    }

    /// Where an access reads; `None` outside of the tensor.
    pub(super) fn place(&self, tensor: TensorId, indices: &[Affine]) -> Option<Vec<i64>> {
        let place: Vec<i64> = indices.iter().map(|index| self.affine(index)).collect();
        let shape = &self.context.tensor(tensor).shape;
        place.iter().zip(shape).all(|(&at, &extent)| at >= 0 && at < extent as i64).then_some(place)
    }

    /// Calls `visit` with every combination of values of some indices in scope.
    #[allow(clippy::type_complexity, reason = "a callback that is written once")]
    pub(super) fn bind_each(
        &mut self,
        indices: &[IndexId],
        visit: &mut dyn FnMut(&mut Self, &[i64]) -> Result<(), TraceError>,
    ) -> Result<(), TraceError> {
        let range = |&index: &IndexId| (self.context.index_of(index).start, self.context.index_of(index).end);
        let ranges: Vec<(i64, i64)> = indices.iter().map(range).collect();
        let outer = self.indices.len();
        let done = for_each_place(&ranges, &mut |place| {
            self.indices.truncate(outer);
            self.indices.extend(indices.iter().copied().zip(place.iter().copied()));
            visit(self, place)
        });
        self.indices.truncate(outer);
        done
    }
}

fn ranges(context: &Context, tensor: TensorId) -> Vec<(i64, i64)> {
    context.tensor(tensor).shape.iter().map(|&extent| (0, extent as i64)).collect()
}

/// Calls `visit` with every combination of values, in row-major order.
fn for_each_place(ranges: &[(i64, i64)], visit: &mut dyn FnMut(&[i64]) -> Result<(), TraceError>) -> Result<(), TraceError> {
    if ranges.iter().any(|(start, end)| start >= end) {
        return Ok(());
    }
    let mut place: Vec<i64> = ranges.iter().map(|range| range.0).collect();
    loop {
        visit(&place)?;
        let Some(axis) = (0..place.len()).rev().find(|&axis| place[axis] + 1 < ranges[axis].1) else { return Ok(()) };
        place[axis] += 1;
        for later in axis + 1..place.len() {
            place[later] = ranges[later].0;
        }
    }
}
