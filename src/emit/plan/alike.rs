//! Kernels that are alike: they do the same to other tensors, as those of layers of one shape do. One function computes them all.

use super::statement::{Branch, Condition, Place, Position, Range, Statement, Tile, Value};
use super::{Kernel, Plan};
use crate::equation::{Affine, IndexId, TensorId};

/// Lets kernels that are alike have the function of the first of them.
pub(super) fn share_functions(plan: &mut Plan) {
    // The first kernel of each form, with its signature.
    let mut forms: Vec<(u64, usize)> = Vec::new();
    let is_update = |kernel: &Kernel| update_of(&kernel.body).is_some();
    // A tile that updates asks for the function of the kernel that it calls.
    // A pass keeps a scalar in a variable with the name of its function, which no other scalar can call then; what computes examples
    // beside each other is a chain of many equations.
    let shareable = (0..plan.kernels.len()).filter(|&at| plan.kernels[at].result.is_none() && !plan.kernels[at].is_abreast);
    let (last, first): (Vec<usize>, Vec<usize>) = shareable.partition(|&at| is_update(&plan.kernels[at]));
    for at in first.into_iter().chain(last) {
        let copied = plan.kernels[at].function;
        if copied != at {
            plan.kernels[at].function = plan.kernels[copied].function;
            continue;
        }
        let signature = signature(plan, &plan.kernels[at]);
        let mut function = at;
        for &(known, other) in &forms {
            if known == signature && are_alike(plan, &plan.kernels[other], &plan.kernels[at]) {
                function = other;
                break;
            }
        }
        if function == at {
            forms.push((signature, at));
        }
        plan.kernels[at].function = function;
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

/// A number that is the same for kernels that are alike, and mostly another for those that are not: by their arguments.
fn signature(plan: &Plan, kernel: &Kernel) -> u64 {
    /// An odd number without a pattern: the fraction of the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut signature = kernel.reads.len() as u64;
    for tensors in [&kernel.reads, &kernel.writes] {
        for &tensor in tensors {
            let mut shape = plan.context.tensor(tensor).shape.as_slice();
            if is_of_some_length(plan, tensor) {
                shape = shape.get(1..).unwrap_or_default();
            }
            for &extent in shape {
                signature = (signature ^ extent as u64).wrapping_mul(FACTOR).rotate_left(32);
            }
            signature = (signature ^ shape.len() as u64).wrapping_mul(FACTOR).rotate_left(32);
        }
    }
    signature
}

/// Whether a function is not told how long an argument is: a row, or one of as many examples as there are.
fn is_of_some_length(plan: &Plan, tensor: TensorId) -> bool {
    is_row(plan, tensor) || holds_examples(plan, tensor)
}

fn is_row(plan: &Plan, tensor: TensorId) -> bool {
    plan.rows.second_of(tensor).is_some()
}

fn holds_examples(plan: &Plan, tensor: TensorId) -> bool {
    plan.batch.as_ref().is_some_and(|batch| batch.tensors.first_of(tensor).is_some())
}

/// Whether one function can compute two kernels.
fn are_alike(plan: &Plan, one: &Kernel, other: &Kernel) -> bool {
    if one.in_double != other.in_double || one.reads.len() != other.reads.len() || one.writes.len() != other.writes.len() {
        return false;
    }
    let mut likeness = Likeness { plan, tensors: [arguments(one), arguments(other)], indices: Vec::new() };
    likeness.arguments() && likeness.statements(&one.body, &other.body) && likeness.updates(&one.body, &other.body)
}

fn arguments(kernel: &Kernel) -> Vec<TensorId> {
    [&kernel.reads[..], &kernel.writes].concat()
}

/// What of one kernel stands for what of another.
struct Likeness<'a> {
    plan: &'a Plan,
    /// The arguments of both, each for that at the same position.
    tensors: [Vec<TensorId>; 2],
    /// The indices that were met, each for the other.
    indices: Vec<(IndexId, IndexId)>,
}

/// What a function knows of an index.
#[derive(PartialEq)]
enum Variable {
    Example,
    /// Along the rows of arguments.
    Element,
    Range(i64, i64),
}

/// Where a tile finds what its update takes.
#[derive(PartialEq)]
enum Source {
    /// The sums that it has computed.
    Sums,
    Argument(Option<usize>),
    /// A part of a row.
    Row(Option<usize>),
}

impl Likeness<'_> {
    /// Whether a function knows the same of both kernels' arguments.
    fn arguments(&self) -> bool {
        self.tensors[0].iter().zip(&self.tensors[1]).all(|(&one, &other)| self.argument(one, other))
    }

    fn argument(&self, one: TensorId, other: TensorId) -> bool {
        let (first, second) = (self.plan.context.tensor(one), self.plan.context.tensor(other));
        let unknown = usize::from(is_of_some_length(self.plan, one)).min(first.shape.len());
        first.label == second.label
            && first.shape.len() == second.shape.len()
            && first.shape[unknown..] == second.shape[unknown..]
            && is_row(self.plan, one) == is_row(self.plan, other)
            && holds_examples(self.plan, one) == holds_examples(self.plan, other)
    }

    /// Whether both have the same update, and give it the same.
    fn updates(&self, one: &[Statement], other: &[Statement]) -> bool {
        let sources = |body: &[Statement], arguments: &[TensorId]| {
            let position = |tensor: TensorId| arguments.iter().position(|other| *other == tensor);
            update_of(body).map_or_else(Vec::new, |(update, sums)| {
                let update = &self.plan.kernels[update];
                let sources = update.reads.iter().chain(&update.writes).map(|&tensor| match self.plan.rows.second_of(tensor) {
                    Some(of) if of == sums => Source::Sums,
                    Some(_) => Source::Row(position(tensor)),
                    None => Source::Argument(position(tensor)),
                });
                sources.collect()
            })
        };
        sources(one, &self.tensors[0]) == sources(other, &self.tensors[1])
    }

    fn tensor(&self, one: TensorId, other: TensorId) -> bool {
        let [first, second] = [self.tensors[0].as_slice(), self.tensors[1].as_slice()];
        let mut at = 0;
        while at < first.len() {
            if first[at].0 == one.0 || second[at].0 == other.0 {
                return first[at].0 == one.0 && second[at].0 == other.0;
            }
            at += 1;
        }
        one == other
    }

    fn index(&mut self, one: IndexId, other: IndexId) -> bool {
        for &(known, of_other) in &self.indices {
            if known.0 == one.0 || of_other.0 == other.0 {
                return known.0 == one.0 && of_other.0 == other.0;
            }
        }
        let are_alike = one == other || self.variable(one) == self.variable(other);
        self.indices.push((one, other));
        are_alike
    }

    fn variable(&self, index: IndexId) -> Variable {
        let range = self.plan.context.index_of(index);
        if self.plan.batch.as_ref().is_some_and(|batch| batch.example == index) {
            Variable::Example
        } else if self.plan.elements.contains(&index) {
            Variable::Element
        } else {
            Variable::Range(range.start, range.end)
        }
    }

    /// Whether two lists are alike, part by part.
    fn all<T>(&mut self, one: &[T], other: &[T], are_alike: fn(&mut Self, &T, &T) -> bool) -> bool {
        let mut at = 0;
        while at < one.len() && at < other.len() && are_alike(self, &one[at], &other[at]) {
            at += 1;
        }
        at == one.len() && at == other.len()
    }

    fn optional<T>(&mut self, one: &Option<T>, other: &Option<T>, are_alike: fn(&mut Self, &T, &T) -> bool) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => are_alike(self, one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    fn affine(&mut self, one: &Affine, other: &Affine) -> bool {
        one.constant == other.constant
            && self.all(&one.terms, &other.terms, |likeness, one, other| one.1 == other.1 && likeness.index(one.0, other.0))
    }

    fn place(&mut self, one: &Place, other: &Place) -> bool {
        self.tensor(one.tensor, other.tensor) && self.all(&one.indices, &other.indices, Self::affine)
    }

    fn range(&mut self, one: &Range, other: &Range) -> bool {
        one.descending == other.descending && self.all(&one.bounds, &other.bounds, Self::affine)
    }

    fn value(&mut self, one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => one == other,
            (Value::Local(one), Value::Local(other)) => one == other,
            (Value::OfRow(row, one), Value::OfRow(other_row, other)) => row == other_row && self.index(*one, *other),
            (Value::Load(one), Value::Load(other)) => self.place(one, other),
            (Value::Index(one), Value::Index(other)) => self.affine(one, other),
            (Value::Sum(one), Value::Sum(other)) | (Value::Product(one), Value::Product(other)) => {
                self.all(one, other, Self::value)
            }
            (Value::Quotient(a, b), Value::Quotient(other_a, other_b)) | (Value::Power(a, b), Value::Power(other_a, other_b)) => {
                self.value(a, other_a) && self.value(b, other_b)
            }
            (Value::IntegerPower(one, exponent), Value::IntegerPower(other, other_exponent)) => {
                exponent == other_exponent && self.value(one, other)
            }
            (Value::Call(function, one), Value::Call(other_function, other)) => {
                function == other_function && self.value(one, other)
            }
            (
                Value::Choose { condition, then, otherwise },
                Value::Choose { condition: other_condition, then: other_then, otherwise: other_otherwise },
            ) => {
                self.condition(condition, other_condition)
                    && self.branch(then, other_then)
                    && self.branch(otherwise, other_otherwise)
            }
            (Value::Truth(one), Value::Truth(other)) => self.condition(one, other),
            _ => false,
        }
    }

    fn branch(&mut self, one: &Branch, other: &Branch) -> bool {
        self.statements(&one.statements, &other.statements) && self.value(&one.value, &other.value)
    }

    fn condition(&mut self, one: &Condition, other: &Condition) -> bool {
        match (one, other) {
            (Condition::Compare(relation, a, b), Condition::Compare(other_relation, other_a, other_b)) => {
                relation == other_relation && self.value(a, other_a) && self.value(b, other_b)
            }
            (Condition::Label(place, class), Condition::Label(other_place, other_class)) => {
                self.place(place, other_place) && self.affine(class, other_class)
            }
            (Condition::And(one), Condition::And(other)) | (Condition::Or(one), Condition::Or(other)) => {
                self.all(one, other, Self::condition)
            }
            (Condition::Not(one), Condition::Not(other)) => self.condition(one, other),
            (Condition::NotZero(one), Condition::NotZero(other)) => self.value(one, other),
            _ => false,
        }
    }

    fn statements(&mut self, one: &[Statement], other: &[Statement]) -> bool {
        self.all(one, other, Self::statement)
    }

    fn statement(&mut self, one: &Statement, other: &Statement) -> bool {
        use Statement as S;
        match (one, other) {
            (S::For { index, range, body }, S::For { index: other_index, range: other_range, body: other_body }) => {
                self.index(*index, *other_index) && self.range(range, other_range) && self.statements(body, other_body)
            }
            (S::At { index, position, body }, S::At { index: other_index, position: other_position, body: other_body }) => {
                self.index(*index, *other_index) && self.position(position, other_position) && self.statements(body, other_body)
            }
            (S::ForLanes { index, lanes, body }, S::ForLanes { index: other_index, lanes: other_lanes, body: other_body }) => {
                lanes == other_lanes && self.index(*index, *other_index) && self.statements(body, other_body)
            }
            (S::Start(..), S::Start(..))
            | (S::StartLanes(..), S::StartLanes(..))
            | (S::FinishLanes { .. }, S::FinishLanes { .. }) => one == other,
            (S::StartRow(local, index, place), S::StartRow(other_local, other_index, other_place)) => {
                local == other_local && self.index(*index, *other_index) && self.place(place, other_place)
            }
            (S::Let(local, value), S::Let(other_local, other_value)) => local == other_local && self.value(value, other_value),
            (
                S::Combine { into, in_lanes, kind, value },
                S::Combine { into: other_into, in_lanes: other_in_lanes, kind: other_kind, value: other_value },
            ) => (into, in_lanes, kind) == (other_into, other_in_lanes, other_kind) && self.value(value, other_value),
            (
                S::KeepBest { best, kind, value, positions },
                S::KeepBest { best: other_best, kind: other_kind, value: other_value, positions: other_positions },
            ) => {
                (best, kind) == (other_best, other_kind)
                    && self.value(value, other_value)
                    && self.all(positions, other_positions, |likeness, one, other| {
                        one.0 == other.0 && likeness.affine(&one.1, &other.1)
                    })
            }
            (S::Set(place, value), S::Set(other_place, other_value))
            | (S::Add(place, value), S::Add(other_place, other_value)) => {
                self.place(place, other_place) && self.value(value, other_value)
            }
            (S::Tile(one), S::Tile(other)) => self.tile(one, other),
            (S::Sweep { product, update }, S::Sweep { product: other_product, update: other_update }) => {
                self.tile(product, other_product) && self.tile(update, other_update)
            }
            (
                S::Transpose { from, to, rows, columns },
                S::Transpose { from: other_from, to: other_to, rows: other_rows, columns: other_columns },
            ) => (rows, columns) == (other_rows, other_columns) && self.tensor(*from, *other_from) && self.tensor(*to, *other_to),
            _ => false,
        }
    }

    fn position(&mut self, one: &Position, other: &Position) -> bool {
        match (one, other) {
            (Position::Sum(affine, values), Position::Sum(other_affine, other_values)) => {
                self.affine(affine, other_affine)
                    && self.all(values, other_values, |likeness, one, other| one.0 == other.0 && likeness.value(&one.1, &other.1))
            }
            (Position::Label(one), Position::Label(other)) => self.place(one, other),
            _ => false,
        }
    }

    fn tile(&mut self, one: &Tile, other: &Tile) -> bool {
        let function = |update: usize| self.plan.kernels[update].function;
        (one.factor, one.is_added, one.update.map(function)) == (other.factor, other.is_added, other.update.map(function))
            && self.optional(&one.rows, &other.rows, |likeness, one, other| likeness.index(*one, *other))
            && self.index(one.columns, other.columns)
            && self.optional(&one.row_range, &other.row_range, Self::range)
            && self.all(&one.levels, &other.levels, |likeness, one, other| {
                likeness.index(one.0, other.0) && likeness.range(&one.1, &other.1)
            })
            && self.place(&one.a, &other.a)
            && self.place(&one.b, &other.b)
            && self.place(&one.into, &other.into)
            && self.optional(&one.start, &other.start, Self::place)
            && self.optional(&one.update_factor, &other.update_factor, |likeness, one, other| likeness.tensor(*one, *other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derivation::Derivation;

    /// Kernels that share a function, and kernels that do what that function does.
    fn sharing(derivation: &Derivation, examples: usize) -> (usize, usize) {
        let plan = Plan::new(derivation, examples);
        let sharing = plan.kernels.iter().enumerate().filter(|(at, kernel)| kernel.function != *at);
        let sharing: Vec<&Kernel> = sharing.map(|(_, kernel)| kernel).collect();
        let alike = sharing.iter().filter(|kernel| are_alike(&plan, plan.function_of(kernel), kernel));
        (sharing.len(), alike.count())
    }

    #[test]
    fn kernels_that_share_a_function_do_the_same() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs");
        let files = std::fs::read_dir(folder).expect("the specs").map(|file| file.expect("a file").path());
        let mut specs: Vec<String> = files.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
        for (layer, optimizer) in [
            ("dense(32) |> tanh", "sgd(0.1)"),
            ("dense(32) |> softmax", "adam(0.1)"),
            ("dense(16) |> layer_norm |> gelu", "momentum(0.1)"),
            ("dense(8) |> dropout(0.5) |> relu", "rmsprop(0.1)"),
        ] {
            let layers: String = (1..6).map(|at| format!("h{at} = h{} |> {layer}\n", at - 1)).collect();
            specs.push(format!(
                "input x[32]\ntarget t[1]\nh0 = x\n{layers}y = h5 |> dense(1)\nloss squared_error(y, t)\noptimizer {optimizer}\n"
            ));
        }
        let mut found = 0;
        for spec in specs {
            let Ok(compiled) = crate::pipeline::compile("net.spec", &spec) else { continue };
            for examples in [1, 8, 32] {
                let (sharing, alike) = sharing(&compiled.derivation, examples);
                assert_eq!(alike, sharing, "of\n{spec}");
                found += sharing;
            }
        }
        assert!(found > 200, "only {found} kernels share a function");
    }
}
