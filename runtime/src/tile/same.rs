//! Values of types that are equal by another name.

use core::any::Any;

/// A value whose type is another by another name.
#[inline(always)]
pub(super) fn same<A: Copy + 'static, B: Copy + 'static>(value: A) -> Option<B> {
    (&value as &dyn Any).downcast_ref().copied()
}
