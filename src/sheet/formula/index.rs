//! Indices: their names, their ranges, and their values where counting begins at 1 on paper and at 0 in the spec.

use super::{Level, Piece, Writer, sum_of};
use crate::equation::{Affine, ExprId, IndexId, Node, Role, TensorId};
use crate::sheet::math::{Math, Operator};

impl Writer<'_> {
    /// Keeps indices away from the letters of the tensors that occur in an expression.
    pub(super) fn avoid_letters_of(&mut self, expr: ExprId) {
        for tensor in self.context.tensors_in(expr) {
            self.avoid_tensor(tensor);
        }
    }

    pub(in crate::sheet) fn avoid_tensor(&mut self, tensor: TensorId) {
        match self.context.tensor(tensor).role {
            Role::Adjoint { of } | Role::BatchMean { of } => self.avoid_tensor(of),
            // The formulas of one parameter's update name its indices alike.
            Role::Gradient { of } | Role::Next { of } | Role::State { of } => {
                let optimizers = &self.notation.derivation.model.optimizers;
                let updates = |state: TensorId| optimizers.iter().find(|one| one.states.iter().any(|of| of.tensor == state));
                let optimizer = optimizers.iter().find(|optimizer| optimizer.parameter == of).or_else(|| updates(of));
                self.avoid_letter(optimizer.map_or(of, |optimizer| optimizer.parameter));
                optimizer.into_iter().flat_map(|optimizer| &optimizer.states).for_each(|state| self.avoid_letter(state.tensor));
            }
            _ => self.avoid_letter(tensor),
        }
    }

    fn avoid_letter(&mut self, tensor: TensorId) {
        let letter = self.notation.letter(tensor).to_owned();
        if self.notation.symbol(tensor).by_update {
            self.avoid_tensor(self.notation.derivation.model.update_number);
        }
        if !self.avoid.contains(&letter) {
            self.avoid.push(letter);
        }
    }

    /// Brings a free index into scope, under its own name as far as that is possible.
    pub(super) fn bind_free(&mut self, index: IndexId) {
        let own = self.own_name(index);
        let name = self.free_name(std::iter::once(own));
        self.scope.push((index, name));
    }

    /// Brings an index of a reduction into scope: under the name that the axis of a parameter has, or its own, or that of
    /// another axis it is used on, or the next letter.
    pub(super) fn bind(&mut self, index: IndexId, body: ExprId) {
        let range = |index: IndexId| (self.context.index_of(index).start, self.context.index_of(index).end);
        let preferred = self.preferred.iter().filter(|(like, _)| range(*like) == range(index));
        let mut names: Vec<String> = preferred.map(|(_, name)| name.clone()).collect();
        names.extend(self.axis_names(index, body, true));
        names.push(self.own_name(index));
        names.extend(self.axis_names(index, body, false));
        let name = self.free_name(names.into_iter());
        self.scope.push((index, name));
    }

    /// Takes indices out of scope; sums over the same range will use their names.
    pub(in crate::sheet) fn prefer_and_release(&mut self, indices: &[IndexId]) {
        for &index in indices {
            if let Some(at) = self.scope.iter().position(|(bound, _)| *bound == index) {
                let released = self.scope.remove(at);
                self.preferred.push(released);
            }
        }
    }

    fn own_name(&self, index: IndexId) -> String {
        match self.context.index_of(index).name.as_str() {
            "" | "_" => "i".to_owned(),
            name => name.to_owned(),
        }
    }

    /// The names of the axes that an index is used on plainly, of parameters or of all else.
    fn axis_names(&self, index: IndexId, body: ExprId, of_parameters: bool) -> Vec<String> {
        let mut names = Vec::new();
        self.context.visit(body, &mut |context, part| {
            if let Node::Access { tensor, indices } = context.node(part) {
                let tensor = context.tensor(*tensor);
                let wanted = (tensor.role == Role::Parameter) == of_parameters;
                let axes = indices.iter().zip(&tensor.axes).filter(|(affine, _)| wanted && affine.as_index() == Some(index));
                names.extend(axes.map(|(_, axis)| axis.clone()));
            }
        });
        names.retain(|name| !name.is_empty() && name != "_");
        names
    }

    /// The first of some names, then of the usual letters, that is not taken.
    pub(super) fn free_name(&self, mut names: impl Iterator<Item = String>) -> String {
        const LETTERS: [&str; 16] = ["k", "p", "q", "r", "i", "j", "l", "u", "v", "a", "b", "c", "d", "f", "g", "h"];
        let is_avoided = |name: &str| self.avoid.iter().any(|avoided| avoided == name);
        let is_free = |name: &str| !is_avoided(name) && !self.scope.iter().any(|(_, taken)| taken == name);
        let first = names.find(|name| is_free(name));
        // The letters become strings only where they are wanted.
        let letter = || LETTERS.into_iter().find(|letter| is_free(letter)).map(str::to_owned);
        let numbered = || (1..).map(|number: u32| format!("i{number}")).find(|name| is_free(name));
        first.or_else(letter).or_else(numbered).unwrap_or_default()
    }

    /// The name of an index in scope.
    pub(super) fn name(&self, index: IndexId) -> String {
        let bound = self.scope.iter().rev().find(|(bound, _)| *bound == index);
        bound.map_or_else(|| self.own_name(index), |(_, name)| name.clone())
    }

    fn first(&self) -> i64 {
        self.notation.table.first_index
    }

    /// An index where a tensor is accessed: shifted so that the first element has the number that the sheet counts from.
    pub(super) fn index_position(&mut self, affine: &Affine) -> Math {
        self.index_value(affine, self.first()).math
    }

    /// The value of an affine expression in indices, plus `shift`. Indices on the sheet count from another number than in the
    /// spec; the constant makes up for it.
    pub(super) fn index_value(&self, affine: &Affine, shift: i64) -> Piece {
        let (fixed, mut terms): (Vec<_>, Vec<_>) =
            affine.terms.iter().copied().partition(|(index, _)| self.fixed.contains(index));
        let known: i64 = fixed.iter().map(|&(index, coefficient)| coefficient * self.context.index_of(index).start).sum();
        let coefficients: i64 = terms.iter().map(|(_, coefficient)| coefficient).sum();
        let constant = affine.constant + known + shift - self.first() * coefficients;
        // One order wherever the terms came from: 2p + u − 1.
        terms.sort_by_cached_key(|&(index, coefficient)| (std::cmp::Reverse(coefficient.unsigned_abs()), self.name(index)));
        let mut pieces: Vec<(bool, Piece)> = Vec::new();
        for (index, coefficient) in terms {
            let name = Math::identifier(self.name(index));
            let piece = match coefficient.unsigned_abs() {
                1 => Piece::atom(name),
                factor => Piece::new(Math::product(vec![Math::number(factor), name]), Level::Product),
            };
            pieces.push((coefficient < 0, piece));
        }
        pieces.sort_by_key(|(negative, _)| *negative);
        if constant != 0 || pieces.is_empty() {
            pieces.push((constant < 0, Piece::atom(Math::number(constant.unsigned_abs()))));
        }
        match pieces[..] {
            [(false, _)] => pieces.swap_remove(0).1,
            _ => sum_of(pieces),
        }
    }

    /// The last value of an index: a number, or in terms of what changes from layer to layer.
    fn last(&self, index: IndexId) -> Math {
        let range = self.context.index_of(index);
        match self.extents.get(&index) {
            None => integer(range.end - 1 + self.first()),
            Some(&extent) => {
                let size = self.notation.extent(extent);
                match range.start + self.first() - 1 {
                    0 => size,
                    shift => {
                        let operator = if shift < 0 { Operator::Minus } else { Operator::Plus };
                        Math::Row(vec![size, Math::Operator(operator), Math::number(shift.unsigned_abs())])
                    }
                }
            }
        }
    }

    /// What stands below and above a sum's sign; of other operators, the range stands below.
    ///
    /// `within` is a range, its end excluded, outside of which there is nothing.
    pub(super) fn range(&self, index: IndexId, within: Option<(i64, i64)>, above: bool) -> (Math, Option<Math>) {
        let name = Math::identifier(self.name(index));
        let range = self.context.index_of(index);
        let within = within.unwrap_or((range.start, range.end));
        let first = range.start.max(within.0) + self.first();
        let last = if within.1 < range.end { integer(within.1 - 1 + self.first()) } else { self.last(index) };
        if above {
            (Math::relation(name, Operator::Equal, integer(first)), Some(last))
        } else {
            let upper = [Math::Operator(Operator::LessEqual), last];
            let Math::Row(mut row) = Math::relation(integer(first), Operator::LessEqual, name) else {
                return (Math::Row(upper.to_vec()), None);
            };
            row.extend(upper);
            (Math::Row(row), None)
        }
    }

    /// `i = 1, …, 64`, for each free index.
    pub(in crate::sheet) fn ranges(&self, indices: &[IndexId]) -> Vec<Math> {
        indices.iter().map(|&index| self.values(index, false)).collect()
    }

    /// `t = 1, …, 64`, the values of one index in their order or the other way round.
    pub(in crate::sheet) fn values(&self, index: IndexId, descending: bool) -> Math {
        let range = self.context.index_of(index);
        let (first, last) = (integer(range.start + self.first()), self.last(index));
        let mut values = match range.extent() {
            _ if self.extents.contains_key(&index) => vec![first, Math::Operator(Operator::Ellipsis), last],
            0 | 1 => vec![first],
            2 => vec![first, last],
            3 => vec![first, integer(range.start + self.first() + 1), last],
            _ => vec![first, Math::Operator(Operator::Ellipsis), last],
        };
        if descending {
            values.reverse();
        }
        Math::relation(Math::identifier(self.name(index)), Operator::Equal, Math::list(values))
    }
}

pub(in crate::sheet) fn integer(value: i64) -> Math {
    let magnitude = Math::number(value.unsigned_abs());
    if value < 0 { Math::Row(vec![Math::Operator(Operator::Negative), magnitude]) } else { magnitude }
}
