//! How many operations of each kind.

use std::collections::BTreeMap;

use super::polynomial::Polynomial;
use crate::equation::Elementary;

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// A product of two numbers.
    Multiply,
    /// A sum or difference of two numbers.
    Add,
    /// A quotient of two numbers.
    Divide,
    /// A comparison of two numbers.
    Compare,
    /// A power that is not multiplied out.
    Power,
    /// A call of an elementary function.
    Call(Elementary),
}

impl Operation {
    /// What a table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Multiply => "multiplications",
            Operation::Add => "additions",
            Operation::Divide => "divisions",
            Operation::Compare => "comparisons",
            Operation::Power => "pow",
            Operation::Call(function) => function.name(),
        }
    }
}

/// A number of operations of each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    operations: BTreeMap<Operation, Polynomial>,
    /// Whether it is the number for all data; else an upper bound, since what is computed depends on the data.
    pub is_exact: bool,
}

impl Default for Count {
    fn default() -> Self {
        Self { operations: BTreeMap::new(), is_exact: true }
    }
}

impl Count {
    /// How many of a kind.
    pub fn of(&self, operation: Operation) -> Polynomial {
        self.operations.get(&operation).cloned().unwrap_or_default()
    }

    /// The kinds that occur, with their numbers.
    pub fn operations(&self) -> impl Iterator<Item = (Operation, &Polynomial)> {
        self.operations.iter().map(|(&operation, number)| (operation, number))
    }

    /// All kinds together.
    pub fn all(&self) -> Polynomial {
        self.operations.values().fold(Polynomial::default(), |sum, number| sum.plus(number))
    }

    /// Adds some of a kind.
    pub(super) fn insert(&mut self, operation: Operation, number: Polynomial) {
        let sum = self.of(operation).plus(&number);
        self.set(operation, sum);
    }

    /// Takes some of a kind away.
    pub(super) fn remove(&mut self, operation: Operation, number: &Polynomial) {
        let difference = self.of(operation).minus(number);
        self.set(operation, difference);
    }

    fn set(&mut self, operation: Operation, number: Polynomial) {
        if number == Polynomial::default() {
            self.operations.remove(&operation);
        } else {
            self.operations.insert(operation, number);
        }
    }

    /// Adds another count.
    pub fn add(&mut self, other: &Count) {
        for (operation, number) in other.operations() {
            self.insert(operation, number.clone());
        }
        self.is_exact &= other.is_exact;
    }

    /// The greater of two for each kind: a bound where one of both is done.
    pub(super) fn either(self, other: Count) -> Count {
        if self == other {
            return self;
        }
        let mut greater = self.clone();
        for (operation, number) in other.operations() {
            if number.value() > greater.of(operation).value() {
                greater.set(operation, number.clone());
            }
        }
        greater.is_exact = false;
        greater
    }
}
