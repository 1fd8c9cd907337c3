//! What the planner writes and the interpreter runs: a list of array operations, each of which fills a slot.

use ndarray::ArrayD;

use crate::equation::{Elementary, IndexId, ReduceKind, Relation, TensorId};

/// What an axis of an array stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// The examples of a minibatch.
    Batch,
    /// The values of an index.
    Index(IndexId),
}

/// The position of an operation, and of its result.
pub(super) type Slot = usize;

/// The operations that compute one equation.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// What is computed.
    pub(super) target: TensorId,
    /// The operations, each after those it reads.
    pub(super) steps: Vec<Step>,
    /// Where the result is; its axes are among [`Self::axes`], in that order.
    pub(super) result: Slot,
    /// The axes of the target, without the step's.
    pub(super) axes: Vec<Axis>,
    /// Where the step is among the target's own axes, if the program computes one step at a time.
    pub(super) step: Option<usize>,
    /// The tensors that are read.
    pub(super) reads: Vec<TensorId>,
    /// The extents of all indices that occur.
    pub(super) extents: Extents,
}

/// How many values each index takes, by its id; 0 for those that do not occur.
#[derive(Clone, Debug, Default)]
pub(super) struct Extents(Vec<usize>);

impl Extents {
    pub(super) fn set(&mut self, index: IndexId, extent: usize) {
        if self.0.len() <= index.index() {
            self.0.resize(index.index() + 1, 0);
        }
        self.0[index.index()] = extent;
    }

    /// The extent of an axis in a minibatch of so many examples.
    pub(super) fn of(&self, axis: Axis, examples: usize) -> usize {
        match axis {
            Axis::Batch => examples,
            Axis::Index(index) => self.0.get(index.index()).copied().unwrap_or(0),
        }
    }
}

/// An operation and the axes of its result, which are sorted: the examples, the free indices of the equation, bound indices.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) operation: Operation,
    pub(super) axes: Vec<Axis>,
    /// The operands that no later step reads, whose memory may be used for the result.
    pub(super) last_uses: Vec<Slot>,
}

/// An array operation. Element by element, operands are broadcast over the axes they lack.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// A number.
    Number(f64),
    /// The share of one example in a mean over the minibatch.
    ExampleShare,
    /// Numbers that depend on indices only.
    Table(Table),
    /// A view of a tensor.
    View(View),
    /// Elements of a tensor at places that are not a view.
    Gather(Gather),
    /// `constant + Σ coefficient · scalar · operand`.
    Sum { constant: f64, terms: Vec<Term> },
    /// `scale · Π factors / Π divisors`.
    Product { scale: f64, factors: Vec<Slot>, divisors: Vec<Slot> },
    /// A power with a small integer exponent.
    IntegerPower(Slot, i32),
    /// Any other power.
    Power(Slot, Slot),
    /// An elementary function.
    Call(Elementary, Slot),
    /// 1 where the relation holds, else 0.
    Compare(Relation, Slot, Slot),
    /// 1 where all are nonzero.
    And(Vec<Slot>),
    /// 1 where any is nonzero.
    Or(Vec<Slot>),
    /// 1 where it is zero.
    Not(Slot),
    /// The second where the first is nonzero, else the third.
    Select(Slot, Slot, Slot),
    /// A reduction of the axes at these positions of the operand.
    Fold { kind: ReduceKind, operand: Slot, positions: Vec<usize> },
    /// The place of the greatest or least value.
    ArgFold(ArgFold),
    /// The sum of a product of two arrays that do not share all axes: matrix products.
    Contraction(Contraction),
    /// A sum of terms that each belong to a place of the result.
    Scatter(Scatter),
}

/// A summand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) coefficient: f64,
    /// A factor without axes.
    pub(super) scalar: Option<Slot>,
    pub(super) operand: Slot,
}

/// How a tensor is looked at.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) tensor: TensorId,
    /// For each axis of the tensor (after the examples'), what is taken of it.
    pub(super) cuts: Vec<Cut>,
    /// The order of the remaining axes, where it changes.
    pub(super) permutation: Option<Vec<usize>>,
}

/// Numbers that depend on indices only.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) numbers: ArrayD<f64>,
    /// Whether the first axis is the step's, of which one place is looked at.
    pub(super) stepped: bool,
}

/// What is taken of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// All of it.
    Whole,
    /// One place; the axis vanishes.
    At(usize),
    /// The place that lies so far from the step; the axis vanishes.
    Step(i64),
    /// Every `step`-th place, so many of them.
    Range { start: usize, step: usize, count: usize },
}

/// Elements by a table of positions.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    pub(super) tensor: TensorId,
    /// Whether the tensor has a value for each example.
    pub(super) batched: bool,
    /// For each place of the result (of one example), where its value is in the tensor; `None` outside.
    pub(super) places: Vec<Option<u32>>,
    /// Whether there is such a table for each step, one after the other.
    pub(super) stepped: bool,
}

/// Where a body is greatest or least.
#[derive(Clone, Debug)]
pub(super) struct ArgFold {
    pub(super) greatest: bool,
    pub(super) operand: Slot,
    /// The axes of the operand that are searched, outermost first.
    pub(super) positions: Vec<usize>,
    /// Which of them is asked for, and its first value.
    pub(super) asked: usize,
    pub(super) start: i64,
}

/// `result[batch, rows, columns] = scale Σ scalars · left[batch, rows, inner] · right[batch, inner, columns]`.
#[derive(Clone, Debug)]
pub(super) struct Contraction {
    pub(super) scale: f64,
    /// Factors without axes.
    pub(super) scalars: Vec<Slot>,
    pub(super) left: Slot,
    pub(super) right: Slot,
    /// The order of the left operand's axes: batch, rows, inner.
    pub(super) left_order: Vec<usize>,
    /// The order of the right operand's axes: batch, inner, columns.
    pub(super) right_order: Vec<usize>,
    pub(super) batch: Vec<Axis>,
    pub(super) rows: Vec<Axis>,
    pub(super) inner: Vec<Axis>,
    pub(super) columns: Vec<Axis>,
    /// For each axis of the result, where it is in batch, rows, columns.
    pub(super) result_order: Option<Vec<usize>>,
}

/// `result[kept, places[bound]] += operand[kept, bound]`.
#[derive(Clone, Debug)]
pub(super) struct Scatter {
    pub(super) operand: Slot,
    pub(super) places: Places,
    /// The axes of the operand and of the places together, sorted; those of them that the result has.
    pub(super) axes: Vec<Axis>,
    pub(super) kept: Vec<Axis>,
    /// The axes of the places in the result.
    pub(super) made: Vec<Axis>,
    /// For each of the kept and then the bound axes, where it is in [`Self::axes`].
    pub(super) order: Vec<usize>,
    /// For each axis of the result, where it is in the kept and then the made ones.
    pub(super) result_order: Vec<usize>,
}

/// Where the terms of a [`Scatter`] go.
#[derive(Clone, Debug)]
pub(super) enum Places {
    /// For each place of the bound axes, the position in the made ones; `None` outside.
    Table(Vec<Option<u32>>),
    /// For each of the made axes, the value of its index, and its first value.
    Computed(Vec<(Slot, i64)>),
}

impl Operation {
    /// Calls `visit` with every operand.
    pub(super) fn for_each_operand(&self, mut visit: impl FnMut(Slot)) {
        match self {
            Operation::Number(_) | Operation::ExampleShare | Operation::Table(_) | Operation::View(_) | Operation::Gather(_) => {}
            Operation::Sum { terms, .. } => {
                for term in terms {
                    visit(term.operand);
                    term.scalar.into_iter().for_each(&mut visit);
                }
            }
            Operation::Product { factors, divisors, .. } => factors.iter().chain(divisors).copied().for_each(visit),
            Operation::Power(a, b) | Operation::Compare(_, a, b) => {
                visit(*a);
                visit(*b);
            }
            Operation::IntegerPower(a, _) | Operation::Call(_, a) | Operation::Not(a) => visit(*a),
            Operation::And(operands) | Operation::Or(operands) => operands.iter().copied().for_each(visit),
            Operation::Select(a, b, c) => {
                visit(*a);
                visit(*b);
                visit(*c);
            }
            Operation::Fold { operand, .. } | Operation::ArgFold(ArgFold { operand, .. }) => visit(*operand),
            Operation::Contraction(Contraction { left, right, scalars, .. }) => {
                visit(*left);
                visit(*right);
                scalars.iter().copied().for_each(visit);
            }
            Operation::Scatter(Scatter { operand, places, .. }) => {
                visit(*operand);
                if let Places::Computed(slots) = places {
                    slots.iter().for_each(|slot| visit(slot.0));
                }
            }
        }
    }
}

impl Program {
    /// Whether the result has a value for each example.
    pub(super) fn is_batched(&self) -> bool {
        self.axes.first() == Some(&Axis::Batch)
    }
}
