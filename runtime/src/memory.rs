//! Generated types as plain memory. All `unsafe` that generated code relies on is in this file.
#![allow(unsafe_code)]

use crate::Scalar;

/// Parameters that lie in memory as one row of scalars.
///
/// # Safety
/// `Self` must be `#[repr(C)]` and start with `COUNT` values of type `Element`, with nothing between them.
pub unsafe trait Contiguous: Sized {
    /// The type of the scalars.
    type Element: Scalar;
    /// How many there are.
    const COUNT: usize;

    /// All scalars in the order of the fields, arrays row by row.
    #[inline]
    fn scalars(&self) -> &[Self::Element] {
        if Self::COUNT == 0 {
            return &[];
        }
        // SAFETY: by the trait's contract, memory of `self` is `COUNT` initialized scalars, aligned for them; the result borrows it.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast(), Self::COUNT) }
    }

    /// All scalars, to be changed.
    #[inline]
    fn scalars_mut(&mut self) -> &mut [Self::Element] {
        if Self::COUNT == 0 {
            return &mut [];
        }
        // SAFETY: as in `scalars`; the borrow is exclusive, and any scalars make a valid `Self`.
        unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(self).cast(), Self::COUNT) }
    }
}

/// Memory of which all bits may be 0, with the values that a new one has.
///
/// # Safety
/// Bits that are all 0 must make a valid `Self`.
pub unsafe trait Plain: Sized {
    /// From bits that are all 0 to the state of a new value.
    #[inline]
    fn start(&mut self) {}
}

/// Values on the heap that never were on the stack.
#[cfg(feature = "alloc")]
pub trait Boxed: Plain {
    /// A new value: parameters and space are 0, an optimizer's state is that before the first update.
    fn boxed() -> alloc::boxed::Box<Self> {
        use alloc::alloc::{Layout, alloc_zeroed, handle_alloc_error};

        let layout = Layout::new::<Self>();
        if layout.size() == 0 {
            // SAFETY: a type of size 0 has no bits; by the trait's contract there is a valid value, and any aligned address holds it.
            return unsafe { alloc::boxed::Box::from_raw(core::ptr::NonNull::<Self>::dangling().as_ptr()) };
        }
        // SAFETY: the layout's size is not 0. The memory is all 0 bits, hence a valid `Self` by the trait's contract, and has the
        // layout with which the box will free it.
        let mut value = unsafe {
            let memory = alloc_zeroed(layout);
            if memory.is_null() {
                handle_alloc_error(layout);
            }
            alloc::boxed::Box::from_raw(memory.cast::<Self>())
        };
        value.start();
        value
    }
}

#[cfg(feature = "alloc")]
impl<T: Plain> Boxed for T {}

/// Declares a generated struct to be [`Contiguous`], having checked its size and alignment.
///
/// Generated structs have fields of scalars, arrays of scalars and structs of such fields, all `#[repr(C)]`: between fields of one alignment
/// lies nothing, which the place where the last one ends confirms. After it may be as much as the struct's own alignment asks for.
#[doc(hidden)]
#[macro_export]
macro_rules! __contiguous {
    ($type:ty, $scalar:ty, $count:expr $(, $last:ident: $last_type:ty)?) => {
        const _: () = {
            use $crate::__private::core::mem::{align_of, size_of};
            $(
                use $crate::__private::core::mem::offset_of;
                $crate::__private::core::assert!(
                    offset_of!($type, $last) + size_of::<$last_type>() == $count * size_of::<$scalar>(),
                    "a struct of parameters has padding between its fields"
                );
            )?
            $crate::__private::core::assert!(
                size_of::<$type>() == ($count * size_of::<$scalar>()).next_multiple_of(align_of::<$type>()),
                "a struct of parameters has padding"
            );
            $crate::__private::core::assert!(
                align_of::<$type>() % align_of::<$scalar>() == 0 || $count == 0,
                "a struct of parameters has another alignment"
            );
        };
        // SAFETY: the generator makes fields of `$scalar` only, `$count` of them, as the assertions above check.
        unsafe impl $crate::Contiguous for $type {
            type Element = $scalar;
            const COUNT: usize = $count;
        }
    };
}

/// Declares a generated struct to be [`Plain`]; the closure makes a new value of one that is all 0 bits.
#[doc(hidden)]
#[macro_export]
macro_rules! __plain {
    ($type:ty) => {
        // SAFETY: the generator makes fields of floating-point numbers and integers only, for which 0 bits are 0.
        unsafe impl $crate::Plain for $type {}
    };
    ($type:ty, $start:expr) => {
        // SAFETY: the generator makes fields of floating-point numbers and integers only, for which 0 bits are 0, and one source of
        // noise, which is integers and a tag whose values 0 and 1 are both valid before any integers.
        unsafe impl $crate::Plain for $type {
            #[inline]
            fn start(&mut self) {
                let start: fn(&mut Self) = $start;
                start(self);
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    struct Layer {
        w: [[f32; 3]; 2],
        b: [f32; 3],
    }
    #[repr(C, align(64))]
    struct Net {
        first: Layer,
        scale: f32,
    }
    #[repr(C)]
    struct Empty {}

    crate::__contiguous!(Net, f32, 10, scale: f32);
    crate::__contiguous!(Empty, f32, 0);
    crate::__plain!(Net, |net: &mut Net| net.scale = 1.0);
    crate::__plain!(Empty);

    fn net() -> Net {
        Net { first: Layer { w: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], b: [7.0, 8.0, 9.0] }, scale: 10.0 }
    }

    #[test]
    fn scalars_lie_in_the_order_of_the_fields() {
        assert_eq!(net().scalars(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
    }

    #[test]
    fn writing_a_scalar_changes_its_field() {
        let mut net = net();
        net.scalars_mut()[4] = 50.0;
        net.scalars_mut()[9] = 100.0;
        assert_eq!((net.first.w[1][1], net.scale, net.first.b[0]), (50.0, 100.0, 7.0));
    }

    #[test]
    fn a_net_without_parameters_has_an_empty_slice() {
        assert!(Empty {}.scalars().is_empty());
        assert!(Empty {}.scalars_mut().is_empty());
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_boxed_value_starts_as_a_new_one() {
        let net = Net::boxed();
        assert_eq!(net.scalars()[..9], [0.0; 9]);
        assert_eq!(net.scale, 1.0);
        drop(Empty::boxed());
    }
}
