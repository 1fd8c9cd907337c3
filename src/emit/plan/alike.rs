//! Kernels that are alike: they do the same to other tensors, as those of layers of one shape do. One function computes them all.

use rustc_hash::FxHashMap;

use super::statement::{Branch, Condition, Place, Position, Range, Statement, Tile, Value};
use super::{Kernel, Plan};
use crate::equation::{Affine, IndexId, TensorId};

/// A kernel without names: tensors are numbered in the order of its arguments, indices as they are met.
#[derive(Debug, PartialEq)]
struct Form {
    arguments: Vec<Argument>,
    /// How many of them it only reads.
    reads: usize,
    indices: Vec<Variable>,
    body: Vec<Statement>,
    in_double: bool,
    /// What the kernel takes that updates a parameter.
    of_update: Vec<Source>,
}

/// What a function knows of an argument.
#[derive(Debug, PartialEq)]
struct Argument {
    shape: Vec<usize>,
    is_label: bool,
    /// Whether it is a row of as many elements as there happen to be.
    is_row: bool,
    /// Whether it holds as many examples as there are.
    holds_examples: bool,
}

/// What a function knows of an index.
#[derive(Debug, PartialEq)]
enum Variable {
    Example,
    /// Along the rows of arguments.
    Element,
    Range(i64, i64),
}

/// Where a tile finds what its update takes.
#[derive(Debug, PartialEq)]
enum Source {
    /// The sums that it has computed.
    Sums,
    Argument(Option<usize>),
    /// A part of a row.
    Row(Option<usize>),
}

/// Lets kernels that are alike have the function of the first of them.
pub(super) fn share_functions(plan: &mut Plan) {
    let mut forms: FxHashMap<usize, Vec<(Form, usize)>> = FxHashMap::default();
    let is_update = |kernel: &Kernel| update_of(&kernel.body).is_some();
    // A tile that updates asks for the function of the kernel that it calls.
    // A pass keeps a scalar in a variable with the name of its function, which no other scalar can call then; what computes examples
    // beside each other is a chain of many equations.
    let shareable = (0..plan.kernels.len()).filter(|&at| plan.kernels[at].result.is_none() && !plan.kernels[at].is_abreast);
    let (last, first): (Vec<usize>, Vec<usize>) = shareable.partition(|&at| is_update(&plan.kernels[at]));
    for at in first.into_iter().chain(last) {
        let form = form(plan, &plan.kernels[at]);
        let alike = forms.entry(form.arguments.len()).or_default();
        let known = alike.iter().find(|(other, _)| *other == form).map(|(_, function)| *function);
        if known.is_none() {
            alike.push((form, at));
        }
        plan.kernels[at].function = known.unwrap_or(at);
    }
    let mut alike = vec![0; plan.kernels.len()];
    plan.kernels.iter().for_each(|kernel| alike[kernel.function] += 1);
    plan.kernels.iter_mut().for_each(|kernel| kernel.alike = alike[kernel.function]);
}

/// The kernel that a tile calls to update a parameter.
fn update_of(statements: &[Statement]) -> Option<(usize, TensorId)> {
    statements.iter().find_map(|statement| match statement {
        Statement::Tile(tile) => tile.update.map(|update| (update, tile.into.tensor)),
        Statement::For { body, .. } | Statement::At { body, .. } => update_of(body),
        _ => None,
    })
}

fn form(plan: &Plan, kernel: &Kernel) -> Form {
    let tensors: Vec<TensorId> = kernel.reads.iter().chain(&kernel.writes).copied().collect();
    let position = |tensor: TensorId| tensors.iter().position(|other| *other == tensor);
    let arguments = tensors.iter().map(|&tensor| {
        let described = plan.context.tensor(tensor);
        let is_row = plan.rows.second_of(tensor).is_some();
        // A function is told of neither the length of a row nor the number of examples.
        let holds_examples = plan.batch.as_ref().is_some_and(|batch| batch.tensors.first_of(tensor).is_some());
        let known = usize::from(is_row || holds_examples).min(described.shape.len());
        Argument { shape: described.shape[known..].to_vec(), is_label: described.label, is_row, holds_examples }
    });
    let arguments = arguments.collect();
    let of_update = update_of(&kernel.body).map_or_else(Vec::new, |(update, sums)| {
        let update = &plan.kernels[update];
        let sources = update.reads.iter().chain(&update.writes).map(|&tensor| match plan.rows.second_of(tensor) {
            Some(of) if of == sums => Source::Sums,
            Some(_) => Source::Row(position(tensor)),
            None => Source::Argument(position(tensor)),
        });
        sources.collect()
    });
    let mut names = Names { plan, tensors: &tensors, indices: Vec::new() };
    let mut body = kernel.body.clone();
    names.statements(&mut body);
    let indices = names.indices.iter().map(|&index| {
        let range = plan.context.index_of(index);
        if plan.batch.as_ref().is_some_and(|batch| batch.example == index) {
            Variable::Example
        } else if plan.elements.contains(&index) {
            Variable::Element
        } else {
            Variable::Range(range.start, range.end)
        }
    });
    Form { indices: indices.collect(), arguments, reads: kernel.reads.len(), body, in_double: kernel.in_double, of_update }
}

/// Numbers in place of names.
struct Names<'a> {
    plan: &'a Plan,
    tensors: &'a [TensorId],
    indices: Vec<IndexId>,
}

impl Names<'_> {
    fn tensor(&self, tensor: &mut TensorId) {
        if let Some(at) = self.tensors.iter().position(|other| other == tensor) {
            *tensor = TensorId(at as u32);
        }
    }

    fn index(&mut self, index: &mut IndexId) {
        let at = self.indices.iter().position(|other| other == index).unwrap_or(self.indices.len());
        if at == self.indices.len() {
            self.indices.push(*index);
        }
        *index = IndexId(at as u32);
    }

    fn affine(&mut self, affine: &mut Affine) {
        affine.terms.iter_mut().for_each(|(index, _)| self.index(index));
    }

    fn place(&mut self, place: &mut Place) {
        self.tensor(&mut place.tensor);
        place.indices.iter_mut().for_each(|affine| self.affine(affine));
    }

    fn range(&mut self, range: &mut Range) {
        range.bounds.iter_mut().for_each(|bound| self.affine(bound));
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Number(_) | Value::Local(_) => {}
            Value::OfRow(_, index) => self.index(index),
            Value::Load(place) => self.place(place),
            Value::Index(affine) => self.affine(affine),
            Value::Sum(values) | Value::Product(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Quotient(a, b) | Value::Power(a, b) => {
                self.value(a);
                self.value(b);
            }
            Value::IntegerPower(a, _) | Value::Call(_, a) => self.value(a),
            Value::Choose { condition, then, otherwise } => {
                self.condition(condition);
                self.branch(then);
                self.branch(otherwise);
            }
            Value::Truth(condition) => self.condition(condition),
        }
    }

    fn branch(&mut self, branch: &mut Branch) {
        self.statements(&mut branch.statements);
        self.value(&mut branch.value);
    }

    fn condition(&mut self, condition: &mut Condition) {
        match condition {
            Condition::Compare(_, a, b) => {
                self.value(a);
                self.value(b);
            }
            Condition::Label(place, class) => {
                self.place(place);
                self.affine(class);
            }
            Condition::And(parts) | Condition::Or(parts) => parts.iter_mut().for_each(|part| self.condition(part)),
            Condition::Not(part) => self.condition(part),
            Condition::NotZero(value) => self.value(value),
        }
    }

    fn statements(&mut self, statements: &mut [Statement]) {
        statements.iter_mut().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &mut Statement) {
        match statement {
            Statement::For { index, range, body } => {
                self.index(index);
                self.range(range);
                self.statements(body);
            }
            Statement::At { index, position, body } => {
                self.index(index);
                match position {
                    Position::Sum(affine, values) => {
                        self.affine(affine);
                        values.iter_mut().for_each(|(_, value)| self.value(value));
                    }
                    Position::Label(place) => self.place(place),
                }
                self.statements(body);
            }
            Statement::ForLanes { index, body, .. } => {
                self.index(index);
                self.statements(body);
            }
            Statement::Start(..) | Statement::StartLanes(..) | Statement::FinishLanes { .. } => {}
            Statement::StartRow(_, index, place) => {
                self.index(index);
                self.place(place);
            }
            Statement::Let(_, value) | Statement::Combine { value, .. } => self.value(value),
            Statement::KeepBest { value, positions, .. } => {
                self.value(value);
                positions.iter_mut().for_each(|(_, at)| self.affine(at));
            }
            Statement::Set(place, value) | Statement::Add(place, value) => {
                self.place(place);
                self.value(value);
            }
            Statement::Tile(tile) => self.tile(tile),
            Statement::Sweep { product, update } => [product, update].into_iter().for_each(|tile| self.tile(tile)),
            Statement::Transpose { from, to, .. } => {
                self.tensor(from);
                self.tensor(to);
            }
        }
    }

    fn tile(&mut self, tile: &mut Tile) {
        tile.rows.iter_mut().chain([&mut tile.columns]).for_each(|index| self.index(index));
        tile.row_range.iter_mut().for_each(|range| self.range(range));
        for (index, range) in &mut tile.levels {
            self.index(index);
            self.range(range);
        }
        [&mut tile.a, &mut tile.b, &mut tile.into].into_iter().chain(&mut tile.start).for_each(|place| self.place(place));
        tile.update_factor.iter_mut().for_each(|factor| self.tensor(factor));
        if let Some(update) = &mut tile.update {
            *update = self.plan.kernels[*update].function;
        }
    }
}
