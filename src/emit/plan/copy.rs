//! Kernels made from others that do the same to other tensors: what equal layers compute is planned once.

use super::forms::Copy;
use super::statement::{Branch, Condition, Place, Position, Range, Statement, Tile, Value};
use super::{Kernel, Line, Planner};
use crate::equation::{Affine, Context, IndexId, TensorId, named};

impl Planner<'_> {
    /// A kernel that does what a known one does to other tensors. Indices that no equation has given it are new ones.
    pub(super) fn copy(&mut self, copy: &Copy, stem: &str, equations: Vec<Line>) -> usize {
        let name = self.unique_name(stem);
        let mut copier = Copier { context: &mut self.context, tensors: &copy.tensors, indices: copy.indices.clone() };
        let Kernel { body, locals, reads, writes, .. } = &self.kernels[copy.known];
        let body = copier.statements(body);
        let (reads, writes) = (copier.tensors_of(reads), copier.tensors_of(writes));
        let locals = locals.clone();
        for (from, to) in &copier.indices[copy.indices.len()..] {
            if self.elements.contains(from) {
                self.elements.insert(*to);
            }
        }
        self.kernels.push(Kernel {
            name,
            equations,
            body,
            locals,
            result: None,
            in_double: false,
            is_abreast: false,
            reads,
            writes,
            function: copy.known,
            alike: 1,
        });
        self.kernels.len() - 1
    }
}

/// Writes statements with other tensors and indices.
struct Copier<'a> {
    context: &'a mut Context,
    /// All tensors there, each with what stands for it here.
    tensors: &'a [(TensorId, TensorId)],
    /// The indices likewise, those among them that were met.
    indices: Vec<(IndexId, IndexId)>,
}

impl Copier<'_> {
    fn tensor(&self, tensor: TensorId) -> TensorId {
        named(self.tensors, tensor).unwrap_or(tensor)
    }

    fn tensors_of(&self, tensors: &[TensorId]) -> Vec<TensorId> {
        let mut copies = Vec::with_capacity(tensors.len());
        for &tensor in tensors {
            copies.push(self.tensor(tensor));
        }
        copies
    }

    fn index(&mut self, index: IndexId) -> IndexId {
        if let Some(known) = named(&self.indices, index) {
            return known;
        }
        let fresh = self.context.fresh(index);
        self.indices.push((index, fresh));
        fresh
    }

    /// Each of a list.
    fn all<T>(&mut self, list: &[T], copy: fn(&mut Self, &T) -> T) -> Vec<T> {
        let mut copies = Vec::with_capacity(list.len());
        for one in list {
            copies.push(copy(self, one));
        }
        copies
    }

    fn affine(&mut self, affine: &Affine) -> Affine {
        let mut terms = self.all(&affine.terms, |copier, &(index, factor)| (copier.index(index), factor));
        if terms.len() > 1 {
            terms.sort_by_key(|(index, _)| *index);
        }
        Affine { terms, constant: affine.constant }
    }

    fn place(&mut self, place: &Place) -> Place {
        Place { tensor: self.tensor(place.tensor), indices: self.all(&place.indices, Self::affine) }
    }

    fn range(&mut self, range: &Range) -> Range {
        Range { descending: range.descending, bounds: self.all(&range.bounds, Self::affine) }
    }

    fn position(&mut self, position: &Position) -> Position {
        match position {
            Position::Sum(affine, others) => {
                let affine = self.affine(affine);
                Position::Sum(affine, self.all(others, |copier, (factor, value)| (*factor, copier.value(value))))
            }
            Position::Label(place) => Position::Label(self.place(place)),
        }
    }

    fn boxed(&mut self, value: &Value) -> Box<Value> {
        Box::new(self.value(value))
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Number(number) => Value::Number(*number),
            Value::Local(local) => Value::Local(*local),
            Value::OfRow(local, index) => Value::OfRow(*local, self.index(*index)),
            Value::Load(place) => Value::Load(self.place(place)),
            Value::Index(affine) => Value::Index(self.affine(affine)),
            Value::Sum(values) => Value::Sum(self.all(values, Self::value)),
            Value::Product(values) => Value::Product(self.all(values, Self::value)),
            Value::Quotient(a, b) => Value::Quotient(self.boxed(a), self.boxed(b)),
            Value::IntegerPower(base, exponent) => Value::IntegerPower(self.boxed(base), *exponent),
            Value::Power(a, b) => Value::Power(self.boxed(a), self.boxed(b)),
            Value::Call(function, argument) => Value::Call(*function, self.boxed(argument)),
            Value::Choose { condition, then, otherwise } => Value::Choose {
                condition: Box::new(self.condition(condition)),
                then: Box::new(self.branch(then)),
                otherwise: Box::new(self.branch(otherwise)),
            },
            Value::Truth(condition) => Value::Truth(Box::new(self.condition(condition))),
        }
    }

    fn condition(&mut self, condition: &Condition) -> Condition {
        match condition {
            Condition::Compare(relation, a, b) => Condition::Compare(*relation, self.value(a), self.value(b)),
            Condition::Label(place, class) => Condition::Label(self.place(place), self.affine(class)),
            Condition::And(parts) => Condition::And(self.all(parts, Self::condition)),
            Condition::Or(parts) => Condition::Or(self.all(parts, Self::condition)),
            Condition::Not(part) => Condition::Not(Box::new(self.condition(part))),
            Condition::NotZero(value) => Condition::NotZero(self.value(value)),
        }
    }

    fn branch(&mut self, branch: &Branch) -> Branch {
        Branch { statements: self.statements(&branch.statements), value: self.value(&branch.value) }
    }

    fn statements(&mut self, statements: &[Statement]) -> Vec<Statement> {
        self.all(statements, Self::statement)
    }

    fn statement(&mut self, statement: &Statement) -> Statement {
        match statement {
            Statement::For { index, range, body } => {
                Statement::For { index: self.index(*index), range: self.range(range), body: self.statements(body) }
            }
            Statement::At { index, position, body } => {
                Statement::At { index: self.index(*index), position: self.position(position), body: self.statements(body) }
            }
            Statement::ForLanes { index, lanes, body } => {
                Statement::ForLanes { index: self.index(*index), lanes: *lanes, body: self.statements(body) }
            }
            Statement::Let(local, value) => Statement::Let(*local, self.value(value)),
            Statement::Start(local, first) => Statement::Start(*local, *first),
            Statement::StartLanes(local, lanes, first) => Statement::StartLanes(*local, *lanes, *first),
            Statement::StartRow(local, index, place) => Statement::StartRow(*local, self.index(*index), self.place(place)),
            Statement::Combine { into, in_lanes, kind, value } => {
                Statement::Combine { into: *into, in_lanes: *in_lanes, kind: *kind, value: self.value(value) }
            }
            Statement::FinishLanes { into, from, kind } => Statement::FinishLanes { into: *into, from: *from, kind: *kind },
            Statement::KeepBest { best, kind, value, positions } => Statement::KeepBest {
                best: *best,
                kind: *kind,
                value: self.value(value),
                positions: self.all(positions, |copier, (local, affine)| (*local, copier.affine(affine))),
            },
            Statement::Set(place, value) => Statement::Set(self.place(place), self.value(value)),
            Statement::Add(place, value) => Statement::Add(self.place(place), self.value(value)),
            Statement::Tile(tile) => Statement::Tile(Box::new(self.tile(tile))),
            Statement::Sweep { product, update } => {
                Statement::Sweep { product: Box::new(self.tile(product)), update: Box::new(self.tile(update)) }
            }
            Statement::Transpose { from, to, rows, columns } => {
                Statement::Transpose { from: self.tensor(*from), to: self.tensor(*to), rows: *rows, columns: *columns }
            }
        }
    }

    fn tile(&mut self, tile: &Tile) -> Tile {
        Tile {
            rows: tile.rows.map(|index| self.index(index)),
            row_range: tile.row_range.as_ref().map(|range| self.range(range)),
            columns: self.index(tile.columns),
            levels: self.all(&tile.levels, |copier, (index, range)| (copier.index(*index), copier.range(range))),
            factor: tile.factor,
            a: self.place(&tile.a),
            b: self.place(&tile.b),
            start: tile.start.as_ref().map(|place| self.place(place)),
            into: self.place(&tile.into),
            is_added: tile.is_added,
            update: tile.update,
            update_factor: tile.update_factor.map(|factor| self.tensor(factor)),
        }
    }
}
