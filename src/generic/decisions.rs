//! Which way every comparison went: two points with the same decisions lie on the same smooth piece of a network.

use super::kernels::{self, Value};
use super::program::{ArgFold, Operation, Slot};
use super::scalar::Scalar;
use crate::equation::{Elementary, ReduceKind};

/// A fingerprint of all decisions of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decisions(u64);

impl Decisions {
    pub(super) fn new() -> Self {
        Decisions(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in what an operation decides by its operand: a sign, or a place.
    pub(super) fn before<T: Scalar>(&mut self, operation: &Operation, slot: Slot, operand: &Value<'_, T>) {
        match operation {
            Operation::Call(Elementary::Abs, _) => self.take(&kernels::map(operand.borrow(), T::signum)),
            Operation::Fold { kind: kind @ (ReduceKind::Max | ReduceKind::Min), positions, .. } => {
                for asked in 0..positions.len() {
                    let greatest = *kind == ReduceKind::Max;
                    let fold = ArgFold { greatest, operand: slot, positions: positions.clone(), asked, start: 0 };
                    self.take(&kernels::arg_fold(&fold, operand.array()));
                }
            }
            _ => {}
        }
    }

    /// Takes in what an operation decided by its result.
    pub(super) fn after<T: Scalar>(&mut self, operation: &Operation, result: &Value<'_, T>) {
        if let Operation::Compare(..) | Operation::ArgFold(_) | Operation::Call(Elementary::Floor, _) = operation {
            self.take(result);
        }
    }

    fn take<T: Scalar>(&mut self, value: &Value<'_, T>) {
        // FNV-1a, a number at a time.
        for value in value.array() {
            self.0 = (self.0 ^ value.into_f64().to_bits()).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
