//! Loop nests: what equations are between expressions and tokens.

use crate::equation::{Affine, Elementary, IndexId, ReduceKind, Relation, TensorId};

/// A local variable of a kernel; its name stands in [`super::Kernel::locals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Local(pub(crate) usize);

/// An element of a tensor. Indices that may leave the tensor are guarded when tokens are made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// Of which tensor.
    pub(crate) tensor: TensorId,
    /// Where, an entry for each axis.
    pub(crate) indices: Vec<Affine>,
}

/// A number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A literal.
    Number(f64),
    /// A local variable.
    Local(Local),
    /// The accumulator of a [`Statement::StartRow`] for the value of its index.
    OfRow(Local, IndexId),
    /// An element of a tensor.
    Load(Place),
    /// An affine expression in loop variables.
    Index(Affine),
    /// The sum of two or more.
    Sum(Vec<Value>),
    /// The product of two or more.
    Product(Vec<Value>),
    /// The first divided by the second.
    Quotient(Box<Value>, Box<Value>),
    /// A power with an exponent of at least 2.
    IntegerPower(Box<Value>, u32),
    /// Any other power.
    Power(Box<Value>, Box<Value>),
    /// A function of one number.
    Call(Function, Box<Value>),
    /// One of two values; the other is not computed.
    Choose {
        /// What decides.
        condition: Box<Condition>,
        /// Where it holds.
        then: Box<Branch>,
        /// Where it does not.
        otherwise: Box<Branch>,
    },
    /// 1 where the condition holds, else 0.
    Truth(Box<Condition>),
}

/// A function of one number that the runtime has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// One of the language.
    Elementary(Elementary),
    /// `1 / (1 + exp(-u))`, of which the runtime keeps all digits where it is small.
    Logistic,
}

/// A truth value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// A comparison.
    Compare(Relation, Value, Value),
    /// Whether a label has this value. The place has an entry for each axis of the label's own array.
    Label(Place, Affine),
    /// All hold.
    And(Vec<Condition>),
    /// At least one holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A number other than 0.
    NotZero(Value),
}

/// The values that a loop variable takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Range {
    /// Whether the last comes first.
    pub(crate) descending: bool,
    /// Only the values for which none of these is below 0. Each has the index in it, and else only indices of loops around.
    pub(crate) bounds: Vec<Affine>,
}

/// Where an index is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Position {
    /// At an affine expression, to which multiples of other values are added that are integers.
    Sum(Affine, Vec<(i64, Value)>),
    /// At a label.
    Label(Place),
}

/// Statements and the value they prepare.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Branch {
    /// What is done first.
    pub(crate) statements: Vec<Statement>,
    /// The value.
    pub(crate) value: Value,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    /// A loop over the values of an index.
    For {
        /// The loop variable.
        index: IndexId,
        /// Which values, and from which end.
        range: Range,
        /// What is repeated.
        body: Vec<Statement>,
    },
    /// What is done once, for one value of an index, and not at all where that lies outside of the index's range.
    At {
        /// The index.
        index: IndexId,
        /// Its value.
        position: Position,
        /// What is done.
        body: Vec<Statement>,
    },
    /// The same in groups of `lanes`, for a reduction with as many accumulators.
    ForLanes {
        /// The loop variable.
        index: IndexId,
        /// How many accumulators there are.
        lanes: usize,
        /// What is repeated; its [`Statement::Combine`] goes to the accumulator of the lane.
        body: Vec<Statement>,
    },
    /// An immutable local variable.
    Let(Local, Value),
    /// An accumulator with its first value.
    Start(Local, f64),
    /// An array of accumulators with their first value.
    StartLanes(Local, usize, f64),
    /// An array of accumulators of a sum, one for each value of an index, that starts with what is there: what is added at the end
    /// would be one more to wait for.
    StartRow(Local, IndexId, Place),
    /// Accumulates a value.
    Combine {
        /// The accumulator, or the array of them.
        into: Local,
        /// Whether it is an array.
        in_lanes: bool,
        /// How.
        kind: ReduceKind,
        /// What.
        value: Value,
    },
    /// An immutable local variable: the accumulators of all lanes in one.
    FinishLanes {
        /// The variable.
        into: Local,
        /// The array of accumulators.
        from: Local,
        /// How they are combined.
        kind: ReduceKind,
    },
    /// Remembers the position of a value that is better than all before.
    KeepBest {
        /// The best value so far.
        best: Local,
        /// Greatest or least.
        kind: ReduceKind,
        /// The candidate.
        value: Value,
        /// Where the best value was, as numbers, with where the candidate is.
        positions: Vec<(Local, Affine)>,
    },
    /// Writes an element.
    Set(Place, Value),
    /// Adds to an element.
    Add(Place, Value),
    /// Sums of products for all rows and columns.
    Tile(Box<Tile>),
    /// A vector times the rows of a matrix, to each of which a multiple of the vector is added once it is read.
    Sweep {
        /// What reads the matrix.
        product: Box<Tile>,
        /// What adds to it.
        update: Box<Tile>,
    },
    /// Copies a tensor with one axis moved to the end: matrices of so many rows and columns, one after the other, each transposed.
    Transpose {
        /// What is read.
        from: TensorId,
        /// What is written.
        to: TensorId,
        /// The rows of each matrix that is read.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
}

/// Sums of products for all values of two indices, in tiles. Places are counted in elements from the first one of the tensor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tile {
    /// The index of the rows; none where there is one.
    pub(crate) rows: Option<IndexId>,
    /// Which rows there are, where that depends on the loops around; then sums of several tiles go into each row, from 0.
    pub(crate) row_range: Option<Range>,
    /// The index of the columns.
    pub(crate) columns: IndexId,
    /// What is summed over, from the outermost; at most three.
    pub(crate) levels: Vec<(IndexId, Range)>,
    /// What each sum is multiplied by.
    pub(crate) factor: f64,
    /// A number for each row.
    pub(crate) a: Place,
    /// A number for each column.
    pub(crate) b: Place,
    /// The row with which the sums start; 0 if there is none.
    pub(crate) start: Option<Place>,
    /// The results.
    pub(crate) into: Place,
    /// Whether they are added to what is there, but for the first examples of a minibatch.
    pub(crate) is_added: bool,
    /// The kernel that updates a parameter from these sums, in place of writing them.
    pub(crate) update: Option<usize>,
    /// The scalar times which the sums are added to the parameter, where that is the whole update. Without such a kernel the results are
    /// the parameter.
    pub(crate) update_factor: Option<TensorId>,
}

impl Tile {
    /// The places that are read.
    fn read(&self) -> impl Iterator<Item = &Place> {
        [&self.a, &self.b].into_iter().chain(&self.start)
    }
}

impl Function {
    /// What the runtime calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Function::Elementary(function) => function.name(),
            Function::Logistic => "sigmoid",
        }
    }
}

impl Value {
    /// The first divided by the second.
    pub(super) fn quotient(above: Value, below: Value) -> Value {
        match logistic_argument(&above, &below) {
            Some(argument) => Value::Call(Function::Logistic, Box::new(argument)),
            None => Value::Quotient(Box::new(above), Box::new(below)),
        }
    }

    /// Whether it is written with a minus sign.
    pub(crate) fn is_negative(&self) -> bool {
        match self {
            Value::Number(number) => *number < 0.0,
            Value::Product(factors) => factors.first().is_some_and(Value::is_negative),
            Value::Quotient(above, _) => above.is_negative(),
            _ => false,
        }
    }

    /// The negative of a value that [`Self::is_negative`].
    pub(crate) fn opposite(&self) -> Value {
        match self {
            Value::Number(number) => Value::Number(-number),
            Value::Product(factors) => match &factors[..] {
                [Value::Number(-1.0), single] => single.clone(),
                [Value::Number(-1.0), rest @ ..] => Value::Product(rest.to_vec()),
                [first, rest @ ..] => Value::Product([first.opposite()].into_iter().chain(rest.iter().cloned()).collect()),
                [] => self.clone(),
            },
            Value::Quotient(above, below) => Value::Quotient(Box::new(above.opposite()), below.clone()),
            _ => self.clone(),
        }
    }

    /// Calls `visit` for each place that is read.
    pub(crate) fn places(&self, visit: &mut dyn FnMut(&Place)) {
        match self {
            Value::Number(_) | Value::Local(_) | Value::OfRow(..) | Value::Index(_) => {}
            Value::Load(place) => visit(place),
            Value::Sum(values) | Value::Product(values) => values.iter().for_each(|value| value.places(visit)),
            Value::Quotient(a, b) | Value::Power(a, b) => {
                a.places(visit);
                b.places(visit);
            }
            Value::IntegerPower(a, _) | Value::Call(_, a) => a.places(visit),
            Value::Choose { condition, then, otherwise } => {
                condition.places(visit);
                then.places(visit);
                otherwise.places(visit);
            }
            Value::Truth(condition) => condition.places(visit),
        }
    }
}

/// The `u` of `1 / (1 + exp(-u))`.
fn logistic_argument(above: &Value, below: &Value) -> Option<Value> {
    const EXP: Function = Function::Elementary(Elementary::Exp);
    let (Value::Number(1.0), Value::Sum(terms)) = (above, below) else { return None };
    let ([Value::Number(1.0), Value::Call(EXP, exponent)] | [Value::Call(EXP, exponent), Value::Number(1.0)]) = &terms[..] else {
        return None;
    };
    exponent.is_negative().then(|| exponent.opposite())
}

impl Condition {
    fn places(&self, visit: &mut dyn FnMut(&Place)) {
        match self {
            Condition::Compare(_, a, b) => {
                a.places(visit);
                b.places(visit);
            }
            Condition::Label(place, _) => visit(place),
            Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| part.places(visit)),
            Condition::Not(part) => part.places(visit),
            Condition::NotZero(value) => value.places(visit),
        }
    }
}

impl Branch {
    fn places(&self, visit: &mut dyn FnMut(&Place)) {
        self.statements.iter().for_each(|statement| statement.reads(visit));
        self.value.places(visit);
    }
}

impl Statement {
    /// Calls `visit` for each place that is read.
    pub(crate) fn reads(&self, visit: &mut dyn FnMut(&Place)) {
        match self {
            Statement::For { body, .. } | Statement::ForLanes { body, .. } => {
                body.iter().for_each(|statement| statement.reads(visit));
            }
            Statement::At { position, body, .. } => {
                match position {
                    Position::Sum(_, values) => values.iter().for_each(|(_, value)| value.places(visit)),
                    Position::Label(place) => visit(place),
                }
                body.iter().for_each(|statement| statement.reads(visit));
            }
            Statement::Start(..) | Statement::StartLanes(..) | Statement::FinishLanes { .. } => {}
            Statement::StartRow(_, _, place) => visit(place),
            Statement::Transpose { from, .. } => visit(&Place { tensor: *from, indices: Vec::new() }),
            Statement::Tile(tile) => tile.read().for_each(visit),
            Statement::Sweep { product, update } => product.read().chain(update.read()).for_each(visit),
            Statement::Let(_, value)
            | Statement::Combine { value, .. }
            | Statement::KeepBest { value, .. }
            | Statement::Set(_, value)
            | Statement::Add(_, value) => value.places(visit),
        }
    }

    /// Calls `visit` for each place that is written.
    pub(crate) fn writes(&self, visit: &mut dyn FnMut(&Place)) {
        match self {
            Statement::For { body, .. } | Statement::ForLanes { body, .. } | Statement::At { body, .. } => {
                body.iter().for_each(|statement| statement.writes(visit));
            }
            Statement::Set(place, _) | Statement::Add(place, _) => visit(place),
            Statement::Tile(tile) => visit(&tile.into),
            Statement::Sweep { product, update } => [product, update].into_iter().for_each(|tile| visit(&tile.into)),
            Statement::Transpose { to, .. } => visit(&Place { tensor: *to, indices: Vec::new() }),
            _ => {}
        }
    }
}
