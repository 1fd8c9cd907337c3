//! A call of a kernel.

use crate::emit::access::Access;
use crate::emit::code::Code;
use crate::emit::layout::is_scalar;
use crate::emit::plan::{Kernel, Plan, Storage};
use crate::emit::{ScalarType, names};
use crate::equation::TensorId;

/// A function that computes more kernels than this is called by each, not copied into the pass.
pub(super) const INLINED: usize = 16;

/// Writes a call of a kernel, given how a pass reaches a tensor.
pub(super) fn call(plan: &Plan, kernel: &Kernel, scalar: ScalarType, place: impl Fn(TensorId) -> Access, code: &mut Code) {
    let (is_tiled, is_task) = (super::tile::is_tiled(kernel), is_task(plan, kernel));
    if is_task {
        code.push(if kernel.alike > INLINED { "vectors.call(" } else { "vectors.run(" });
    }
    code.push(&names::ascii(&plan.function_of(kernel).name));
    code.push("(");
    if is_tiled {
        code.push("vectors,examples,is_first,");
    } else if !is_task && takes_vectors(plan, kernel) {
        code.push("vectors,");
    }
    for argument in arguments(kernel) {
        argument.write(plan, kernel, scalar, &place, code);
        code.push(",");
    }
    code.push(if is_task { "))" } else { ")" });
}

/// Whether a kernel computes with the instructions of the pass. What has a result of its own is for all passes.
pub(super) fn takes_vectors(plan: &Plan, kernel: &Kernel) -> bool {
    plan.is_vectorized && kernel.result.is_none()
}

/// Whether a kernel runs as a function of its own with the instructions of the pass.
pub(super) fn is_task(plan: &Plan, kernel: &Kernel) -> bool {
    let is_over_rows = || kernel.reads.iter().chain(&kernel.writes).any(|&tensor| super::tile::row_of(plan, tensor).is_some());
    let is_called_often = takes_vectors(plan, kernel) && kernel.alike > INLINED;
    !super::tile::is_tiled(kernel) && (is_called_often || is_over_rows())
}

/// An argument of a call of a kernel.
#[derive(Clone, Copy)]
pub(super) struct Argument {
    pub(super) tensor: TensorId,
    pub(super) is_written: bool,
}

/// The arguments of a call of a kernel, in the order of the function's parameters.
pub(super) fn arguments(kernel: &Kernel) -> impl Iterator<Item = Argument> {
    let reads = kernel.reads.iter().map(|&tensor| Argument { tensor, is_written: false });
    reads.chain(kernel.writes.iter().map(|&tensor| Argument { tensor, is_written: true }))
}

impl Argument {
    /// Writes the argument, given how a pass reaches a tensor.
    pub(super) fn write(
        self,
        plan: &Plan,
        kernel: &Kernel,
        scalar: ScalarType,
        place: impl Fn(TensorId) -> Access,
        code: &mut Code,
    ) {
        let Argument { tensor, is_written } = self;
        if let Some(of) = super::tile::row_of(plan, tensor) {
            return in_a_row(plan, of, &place(of), is_written, code);
        }
        let place = place(tensor);
        if !is_written && plan.storage(tensor) == Storage::Scalar {
            place.write(code);
            if !kernel.in_double && scalar == ScalarType::F32 {
                code.push(" as ");
                code.push(scalar.name());
            }
        } else if !is_written && is_scalar(plan.context.tensor(tensor)) {
            place.write(code);
        } else {
            place.borrow(is_written, code);
        }
    }
}

/// Writes all elements of a tensor as a slice; of all examples there are, if it holds examples.
fn in_a_row(plan: &Plan, tensor: TensorId, place: &Access, is_written: bool, code: &mut Code) {
    let holds_examples = super::tile::holds_all_examples(plan, tensor);
    code.push(match (holds_examples, is_written) {
        (false, false) => "memory::row(",
        (false, true) => "memory::row_mut(",
        (true, false) => "memory::first_rows(",
        (true, true) => "memory::first_rows_mut(",
    });
    place.borrow(is_written, code);
    code.push(if holds_examples { ",examples)" } else { ")" });
}
