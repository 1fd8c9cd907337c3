//! What a circuit is made of.

use crate::equation::{Elementary, Number, ReduceKind, Relation, TensorId};

/// How far equations are taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A gate for each operation.
    Operations,
    /// A gate for each element of a tensor.
    Elements,
}

/// What a gate does with its operands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Nothing: an element of an input, target, parameter or noise.
    Given,
    /// Nothing: a number of the spec.
    Number(Number),
    /// `a`, under another name.
    Copy,
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a * b`.
    Multiply,
    /// `a + c`.
    AddNumber(Number),
    /// `a * c`.
    MultiplyByNumber(Number),
    /// `a ^ c`.
    Power(Number),
    /// `a ^ b`.
    Raise,
    /// An elementary function.
    Call(Elementary),
    /// `if a relation b { a } else { b }`: the greater or the lesser of two; the relation says which counts where they are equal.
    Choose(Relation),
    /// `[a relation b]`.
    Compare(Relation),
    /// `[a and b and …]`.
    And,
    /// `[a or b or …]`.
    Or,
    /// `[not a]`.
    Not,
    /// `if a { b } else { c }`.
    If,
    /// The sum, product, greatest or least of all operands.
    Reduce(ReduceKind),
    /// One of these integers: that at the place of the greatest or least operand.
    Place(ReduceKind, Vec<i64>),
    /// An element of the forward equation at this position, as a whole.
    Equation(usize),
}

/// An operation at work.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The element of a tensor that it is, if one: `h[0]`.
    pub name: Option<String>,
    /// What it does.
    pub operation: Operation,
    /// The positions of the gates whose values it takes, all before its own.
    pub operands: Vec<usize>,
    /// What it gives.
    pub value: f64,
    /// The derivative of the circuit's result by its value.
    pub adjoint: f64,
    /// The tensor that the name speaks of, and where in it.
    pub(super) element: Option<(TensorId, Vec<i64>)>,
}

impl Gate {
    /// An element that goes by a name, of which no numbers are known.
    #[cfg(feature = "cli")]
    pub(crate) fn named(name: &str, operation: Operation, operands: Vec<usize>) -> Gate {
        Gate { name: Some(name.to_owned()), operation, operands, value: f64::NAN, adjoint: f64::NAN, element: None }
    }

    /// The tensor and the place in it that the name speaks of.
    #[cfg(feature = "cli")]
    pub(crate) fn element(&self) -> Option<&(TensorId, Vec<i64>)> {
        self.element.as_ref()
    }

    /// Whether it has a value without an operation.
    pub fn is_leaf(&self) -> bool {
        matches!(self.operation, Operation::Given | Operation::Number(_))
    }
}

/// Gates, each after those it reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Circuit {
    /// The name of the network.
    pub network: String,
    /// In the order in which they are computed.
    pub gates: Vec<Gate>,
    /// The position of the one that is differentiated: the loss, or the value of an `objective`.
    pub result: usize,
    /// How far the equations are taken apart.
    pub detail: Detail,
}

impl Circuit {
    /// The gate of a named element, such as `x` or `dense1.w[0, 1]`.
    pub fn gate(&self, name: &str) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.name.as_deref() == Some(name))
    }
}
