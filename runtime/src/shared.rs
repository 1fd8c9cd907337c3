//! Memory in which several arrays live, one after the other.
#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

/// A scalar, an array of scalars, an array of such arrays, and so on.
///
/// # Safety
/// `Self` must be `COUNT` values of type `T` in a row and nothing else.
pub unsafe trait ArrayOf<T> {
    /// How many scalars there are.
    const COUNT: usize;
}

// SAFETY: a scalar is one scalar.
unsafe impl ArrayOf<f32> for f32 {
    const COUNT: usize = 1;
}

// SAFETY: a scalar is one scalar.
unsafe impl ArrayOf<f64> for f64 {
    const COUNT: usize = 1;
}

// SAFETY: a label is one label.
unsafe impl ArrayOf<usize> for usize {
    const COUNT: usize = 1;
}

// SAFETY: the elements of an array lie beside each other, each of which is scalars in a row.
unsafe impl<T, A: ArrayOf<T>, const EXTENT: usize> ArrayOf<T> for [A; EXTENT] {
    const COUNT: usize = EXTENT * A::COUNT;
}

/// All scalars of an array of arrays, in a row.
#[inline(always)]
pub fn row<T, A: ArrayOf<T>>(array: &A) -> &[T] {
    // SAFETY: by the trait's contract, memory of `array` is `A::COUNT` values of type `T` and nothing else; the result borrows it.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(array).cast(), A::COUNT) }
}

/// All scalars of an array of arrays, to be changed.
#[inline(always)]
pub fn row_mut<T, A: ArrayOf<T>>(array: &mut A) -> &mut [T] {
    // SAFETY: as in `row`; the borrow is exclusive, and any scalars make a valid array.
    unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(array).cast(), A::COUNT) }
}

/// All scalars of the first so many arrays, in a row; none if there are fewer arrays.
#[inline(always)]
pub fn first_rows<T, A: ArrayOf<T>>(arrays: &[A], count: usize) -> &[T] {
    let arrays = arrays.get(..count).unwrap_or(&[]);
    // SAFETY: by the trait's contract, each array is `A::COUNT` values of type `T` and nothing else; the result borrows them.
    unsafe { core::slice::from_raw_parts(arrays.as_ptr().cast(), arrays.len() * A::COUNT) }
}

/// All scalars of the first so many arrays, to be changed.
#[inline(always)]
pub fn first_rows_mut<T, A: ArrayOf<T>>(arrays: &mut [A], count: usize) -> &mut [T] {
    let arrays = arrays.get_mut(..count).unwrap_or(&mut []);
    // SAFETY: as in `first_rows`; the borrow is exclusive, and any scalars make valid arrays.
    unsafe { core::slice::from_raw_parts_mut(arrays.as_mut_ptr().cast(), arrays.len() * A::COUNT) }
}

/// Space for arrays of at most `COUNT` scalars. What one of them left, the next one finds.
#[derive(Clone, Debug, PartialEq)]
#[repr(transparent)]
pub struct Shared<T, const COUNT: usize>([T; COUNT]);

impl<T, const COUNT: usize> Shared<T, COUNT> {
    /// Space that holds these scalars.
    pub const fn new(scalars: [T; COUNT]) -> Self {
        Self(scalars)
    }
}

/// As which array the space is used: `shared[AS_2X3]` with `const AS_2X3: View<[[f32; 3]; 2]> = view()`.
#[derive(Clone, Copy, Debug)]
pub struct View<A>(PhantomData<A>);

/// As an array of the type that is asked for.
#[inline(always)]
pub const fn view<A>() -> View<A> {
    View(PhantomData)
}

impl<T, A: ArrayOf<T>, const COUNT: usize> Index<View<A>> for Shared<T, COUNT> {
    type Output = A;

    #[inline(always)]
    fn index(&self, _: View<A>) -> &A {
        const { assert!(A::COUNT <= COUNT, "the array is larger than the space") };
        // SAFETY: an array of `A::COUNT` scalars and nothing else, which are there by the assertion, is aligned as they are.
        unsafe { &*core::ptr::from_ref(&self.0).cast::<A>() }
    }
}

impl<T, A: ArrayOf<T>, const COUNT: usize> IndexMut<View<A>> for Shared<T, COUNT> {
    #[inline(always)]
    fn index_mut(&mut self, _: View<A>) -> &mut A {
        const { assert!(A::COUNT <= COUNT, "the array is larger than the space") };
        // SAFETY: as in `index`; the borrow is exclusive, and any scalars make a valid array.
        unsafe { &mut *core::ptr::from_mut(&mut self.0).cast::<A>() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_the_scalars_of_arrays_in_order() {
        let mut arrays = [[[1.0_f32, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]];
        assert_eq!(row::<f32, _>(&arrays), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(row::<f32, _>(&9.0), [9.0]);
        assert_eq!(first_rows::<f32, _>(&arrays, 1), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(first_rows::<f32, [[f32; 2]; 2]>(&arrays, 3), [0.0; 0]);
        row_mut::<f32, _>(&mut arrays)[7] = 80.0;
        first_rows_mut::<f32, _>(&mut arrays, 1)[0] = 10.0;
        assert_eq!(first_rows_mut::<f32, [[f32; 2]; 2]>(&mut arrays, 0), [0.0; 0]);
        assert_eq!((arrays[0][0][0], arrays[1][1][1]), (10.0, 80.0));
    }

    #[test]
    fn arrays_of_several_shapes_use_the_same_scalars() {
        let mut shared = Shared::new([0.0_f32; 6]);
        shared[view::<[[f32; 3]; 2]>()] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        assert_eq!(shared[view::<[[f32; 2]; 2]>()], [[1.0, 2.0], [3.0, 4.0]]);
        shared[view::<f32>()] = 7.0;
        assert_eq!(shared[view::<[f32; 6]>()], [7.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}
