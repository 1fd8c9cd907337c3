//! Numbers of several examples beside each other, in vector registers.
//!
//! Where a tensor of one example has fewer elements than a vector, its sums and functions leave most of a vector empty. The same
//! element of several examples fills it: code for one example then computes all of them, a vector in place of each number.

use core::ops::{Add, AddAssign, BitAnd, BitOr, Div, Mul, MulAssign, Neg, Not, Sub};

use pulp::Simd;

use super::elements::Elements;
use super::functions::Function;
use super::instructions::Vectors;
use super::lanes::lanes_of;
use super::transpose::Transpose;
use crate::math::MultiplyAdd;

/// As many numbers as the longest block has examples: a row of memory for one element of a tensor.
pub const ABREAST: usize = 32;
/// How many vectors hold one element: two, for the operations on one do not wait for those on the other.
const VECTORS: usize = 2;

/// Some examples that are computed at once, as many as [`examples_of_block`] says or fewer. What is computed for those that are missing has no meaning.
#[derive(Clone, Copy)]
pub struct Block<S: Simd, T: Elements> {
    simd: S,
    /// Which examples there are.
    present: Truth<S, T>,
}

/// One number for each example of a block.
#[derive(Clone, Copy)]
pub struct Abreast<S: Simd, T: Elements> {
    simd: S,
    vectors: [T::Vector<S>; VECTORS],
}

/// One truth value for each example of a block.
#[derive(Clone, Copy)]
pub struct Truth<S: Simd, T: Elements> {
    simd: S,
    masks: [T::Mask<S>; VECTORS],
}

/// How many examples a block has at most.
#[inline(always)]
pub fn examples_of_block<V: Vectors, T: Elements>(_vectors: V) -> usize {
    VECTORS * lanes_of::<T, V::Simd>()
}

/// Puts an element after the other of each example into its row: `to[element][example] = from[example][element]`, for examples of so many elements.
#[inline(always)]
pub fn gather<V: Vectors, T: Elements>(vectors: V, from: &[T], size: usize, examples: usize, to: &mut [[T; ABREAST]]) {
    let to = to.get_mut(..size).unwrap_or(&mut []).as_flattened_mut();
    let matrix = Transpose { from, from_row: size, to, to_row: ABREAST, rows: examples, columns: size };
    matrix.compute_one(vectors, (examples_of_block::<V, T>(vectors), size));
}

/// Puts the elements of one example into their rows.
#[inline(never)]
pub fn place<T: Copy>(elements: &[T], example: usize, to: &mut [[T; ABREAST]]) {
    for (row, element) in to.iter_mut().zip(elements) {
        if let Some(number) = row.get_mut(example) {
            *number = *element;
        }
    }
}

/// Puts the labels of one example into their rows. One that is no class stays none: classes are small numbers, which are exact.
#[inline(always)]
pub fn place_labels<T: Elements>(labels: &[usize], example: usize, to: &mut [[T; ABREAST]]) {
    for (row, label) in to.iter_mut().zip(labels) {
        if let Some(number) = row.get_mut(example) {
            *number = T::from_f64(*label as f64);
        }
    }
}

/// Puts the labels of so many examples into their row.
#[inline(never)]
pub fn gather_labels<T: Elements>(labels: &[usize], examples: usize, to: &mut [[T; ABREAST]]) {
    for (example, label) in labels.iter().take(examples).enumerate() {
        place_labels(core::slice::from_ref(label), example, to);
    }
}

/// The opposite of [`gather`]: `to[example][element] = from[element][example]`.
#[inline(always)]
pub fn scatter<V: Vectors, T: Elements>(vectors: V, from: &[[T; ABREAST]], size: usize, examples: usize, to: &mut [T]) {
    let matrix = Transpose { from: from.as_flattened(), from_row: ABREAST, to, to_row: size, rows: size, columns: examples };
    matrix.compute_one(vectors, (size, examples_of_block::<V, T>(vectors)));
}

impl<S: Simd, T: Elements> Block<S, T> {
    /// A block of so many examples.
    #[inline(always)]
    pub fn new<V: Vectors<Simd = S>>(vectors: V, examples: usize) -> Self {
        let simd = vectors.simd();
        let zero = Abreast { simd, vectors: [T::splat(simd, T::default()); VECTORS] };
        let mut numbers = [T::default(); ABREAST];
        numbers.iter_mut().take(examples).for_each(|number| *number = T::from_f64(1.0));
        Self { simd, present: zero.less(zero.read(&numbers)) }
    }

    /// The same number for all.
    #[inline(always)]
    pub fn all(self, number: T) -> Abreast<S, T> {
        Abreast { simd: self.simd, vectors: [T::splat(self.simd, number); VECTORS] }
    }

    /// The same truth value for all.
    #[inline(always)]
    pub fn truth(self, value: bool) -> Truth<S, T> {
        let [zero, one] = [T::default(), T::from_f64(f64::from(u8::from(value)))].map(|number| self.all(number));
        zero.less(one)
    }

    /// The numbers of a row.
    #[inline(always)]
    pub fn load(self, row: &[T; ABREAST]) -> Abreast<S, T> {
        self.all(T::default()).read(row)
    }

    /// The sum over the examples there are.
    #[inline(always)]
    pub fn total(self, numbers: Abreast<S, T>) -> T {
        let Abreast { vectors: [first, second], .. } = self.present.choose(numbers, self.all(T::default()));
        T::total(self.simd, T::plus(self.simd, first, second))
    }
}

impl<S: Simd, T: Elements> Abreast<S, T> {
    #[inline(always)]
    fn read(self, row: &[T; ABREAST]) -> Self {
        match T::vectors::<S>(row).first_chunk() {
            Some(vectors) => Self { vectors: *vectors, ..self },
            None => self,
        }
    }

    /// Writes a row.
    #[inline(always)]
    pub fn store(self, row: &mut [T; ABREAST]) {
        if let Some(vectors) = T::vectors_mut::<S>(row).first_chunk_mut() {
            *vectors = self.vectors;
        }
    }

    #[inline(always)]
    fn with(self, other: Self, operation: impl Fn(S, T::Vector<S>, T::Vector<S>) -> T::Vector<S>) -> Self {
        let ([a, b], [c, d]) = (self.vectors, other.vectors);
        Self { vectors: [operation(self.simd, a, c), operation(self.simd, b, d)], ..self }
    }

    #[inline(always)]
    fn compare(self, other: Self, operation: impl Fn(S, T::Vector<S>, T::Vector<S>) -> T::Mask<S>) -> Truth<S, T> {
        let ([a, b], [c, d]) = (self.vectors, other.vectors);
        Truth { simd: self.simd, masks: [operation(self.simd, a, c), operation(self.simd, b, d)] }
    }

    /// A function of each number.
    #[inline(always)]
    pub fn map(self, function: impl Fn(T) -> T) -> Self {
        let mut numbers = [T::default(); ABREAST];
        self.store(&mut numbers);
        for number in numbers.iter_mut().take(VECTORS * lanes_of::<T, S>()) {
            *number = function(*number);
        }
        self.read(&numbers)
    }

    /// An elementary function of each number.
    #[inline(always)]
    pub fn of_each<V: Vectors<Simd = S> + MultiplyAdd<T>, F: Function<T>>(self, vectors: V, function: F) -> Self {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            let [first, second] = self.vectors;
            let first = super::table::of_vector::<S, T, F>(self.simd, first);
            let second = super::table::of_vector::<S, T, F>(self.simd, second);
            if let (Some(first), Some(second)) = (first, second) {
                return Self { vectors: [first, second], ..self };
            }
        }
        self.map(|number| function.of(vectors, number))
    }

    /// `self * factor + term`, rounded once where the machine can.
    #[inline(always)]
    pub fn multiply_add(self, factor: Self, term: Self) -> Self {
        let ([a, b], [c, d], [e, f]) = (self.vectors, factor.vectors, term.vectors);
        Self { vectors: [T::multiply_add(self.simd, a, c, e), T::multiply_add(self.simd, b, d, f)], ..self }
    }

    /// `self < other`.
    #[inline(always)]
    pub fn less(self, other: Self) -> Truth<S, T> {
        self.compare(other, T::less)
    }

    /// `self <= other`.
    #[inline(always)]
    pub fn at_most(self, other: Self) -> Truth<S, T> {
        self.compare(other, T::at_most)
    }

    /// `self == other`.
    #[inline(always)]
    pub fn equal(self, other: Self) -> Truth<S, T> {
        self.compare(other, T::equal)
    }
}

impl<S: Simd, T: Elements> Truth<S, T> {
    /// The one where it holds, the other elsewhere.
    #[inline(always)]
    pub fn choose(self, one: Abreast<S, T>, other: Abreast<S, T>) -> Abreast<S, T> {
        let ([a, b], [c, d], [e, f]) = (self.masks, one.vectors, other.vectors);
        Abreast { simd: self.simd, vectors: [T::select(self.simd, a, c, e), T::select(self.simd, b, d, f)] }
    }

    #[inline(always)]
    fn with(self, other: Self, operation: impl Fn(S, T::Mask<S>, T::Mask<S>) -> T::Mask<S>) -> Self {
        let ([a, b], [c, d]) = (self.masks, other.masks);
        Self { masks: [operation(self.simd, a, c), operation(self.simd, b, d)], ..self }
    }
}

macro_rules! operators {
    ($($operator:ident $name:ident $function:ident;)*) => {$(
        impl<S: Simd, T: Elements> $operator for Abreast<S, T> {
            type Output = Self;

            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                self.with(other, T::$function)
            }
        }
    )*};
}

operators! { Add add plus; Sub sub minus; Mul mul times; Div div over; }

impl<S: Simd, T: Elements> AddAssign for Abreast<S, T> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<S: Simd, T: Elements> MulAssign for Abreast<S, T> {
    #[inline(always)]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl<S: Simd, T: Elements> Neg for Abreast<S, T> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        let [a, b] = self.vectors;
        Self { vectors: [T::negative(self.simd, a), T::negative(self.simd, b)], ..self }
    }
}

impl<S: Simd, T: Elements> Not for Truth<S, T> {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        let [a, b] = self.masks;
        let zero = T::splat(self.simd, T::default());
        let all = T::equal(self.simd, zero, zero);
        Self { masks: [T::one_of(self.simd, a, all), T::one_of(self.simd, b, all)], ..self }
    }
}

impl<S: Simd, T: Elements> BitAnd for Truth<S, T> {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        self.with(other, T::both)
    }
}

impl<S: Simd, T: Elements> BitOr for Truth<S, T> {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        self.with(other, T::either)
    }
}

#[cfg(test)]
mod tests {
    use super::super::all_instructions::with_all_instructions;
    use super::super::instructions::Run;
    use super::*;

    /// Numbers without a pattern.
    fn number<T: Elements>(at: usize) -> T {
        T::from_f64(((at * 7919 + 13) % 2003) as f64 / 1001.5 - 1.0)
    }

    /// Compares what a block computes of two rows with what numbers give.
    #[derive(Clone, Copy)]
    struct Check<T>(core::marker::PhantomData<T>);

    impl<T: Elements> Run for Check<T> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vectors>(self, vectors: V) {
            let size = examples_of_block::<V, T>(vectors);
            for examples in 1..=size {
                let block = Block::<_, T>::new(vectors, examples);
                let (one, other): ([T; ABREAST], [T; ABREAST]) =
                    (core::array::from_fn(number), core::array::from_fn(|at| number(at % 5 + 3)));
                let (a, b) = (block.load(&one), block.load(&other));
                let zero = block.all(T::default());
                let results = [
                    a + b * a - b / (a * a + block.all(T::from_f64(2.0))),
                    a.multiply_add(b, -a),
                    (a.less(b) & !b.less(zero)).choose(a, b),
                    (a.at_most(b) | a.equal(b) | block.truth(false)).choose(zero, a.map(|x| T::from_f64(x.to_f64() * 3.0))),
                ];
                let expected = |x: f64, y: f64| {
                    [
                        x + y * x - y / (x * x + 2.0),
                        x * y - x,
                        if x < y && y >= 0.0 { x } else { y },
                        if x <= y { 0.0 } else { 3.0 * x },
                    ]
                };
                for (at, result) in results.into_iter().enumerate() {
                    let mut row = [T::default(); ABREAST];
                    result.store(&mut row);
                    let mut total = 0.0;
                    for (example, found) in row.iter().take(examples).enumerate() {
                        let expected = expected(one[example].to_f64(), other[example].to_f64())[at];
                        assert!((found.to_f64() - expected).abs() < 1e-5, "{at}, example {example}: {found:?}, not {expected}");
                        total += expected;
                    }
                    let found = block.total(result);
                    assert!((found.to_f64() - total).abs() < 1e-4, "{at}, {examples} examples: {found:?}, not {total}");
                }
            }
        }
    }

    #[test]
    fn a_block_computes_each_example_like_one_alone() {
        with_all_instructions(Check::<f32>(core::marker::PhantomData));
        with_all_instructions(Check::<f64>(core::marker::PhantomData));
    }

    /// Puts elements of examples into rows and back.
    #[derive(Clone, Copy)]
    struct ThereAndBack<T>(core::marker::PhantomData<T>);

    impl<T: Elements> Run for ThereAndBack<T> {
        type Output = ();

        fn run<V: Vectors>(self, vectors: V) {
            const SIZE: usize = 35;
            let zero = T::default();
            let numbers: [T; SIZE * ABREAST] = core::array::from_fn(number);
            for size in 1..=SIZE {
                for examples in 0..=ABREAST {
                    let (mut rows, mut back) = ([[zero; ABREAST]; SIZE], [zero; SIZE * ABREAST]);
                    gather(vectors, &numbers[..size * examples], size, examples, &mut rows);
                    for (at, &number) in numbers[..size * examples].iter().enumerate() {
                        assert_eq!(rows[at % size][at / size], number, "{size} elements, {examples} examples");
                    }
                    let is_free = |row: usize, example: usize| row >= size || example >= examples;
                    let mut places = (0..SIZE).flat_map(|row| (0..ABREAST).map(move |example| (row, example)));
                    assert!(places.all(|(row, example)| !is_free(row, example) || rows[row][example] == zero));
                    scatter(vectors, &rows[..size], size, examples, &mut back);
                    assert_eq!(back[..size * examples], numbers[..size * examples], "{size} elements, {examples} examples");
                    assert!(back[size * examples..].iter().all(|number| *number == zero));
                }
            }
        }
    }

    #[test]
    fn rows_hold_each_example_in_a_column() {
        with_all_instructions(ThereAndBack::<f32>(core::marker::PhantomData));
        with_all_instructions(ThereAndBack::<f64>(core::marker::PhantomData));
    }

    #[test]
    fn a_row_holds_the_labels() {
        let labels: [usize; ABREAST] = core::array::from_fn(|at| at * at);
        for examples in 0..=ABREAST {
            let mut row = [-1.0; ABREAST];
            gather_labels(&labels, examples, core::slice::from_mut(&mut row));
            assert!(row.iter().zip(labels).take(examples).all(|(found, label)| *found == label as f32));
            assert!(row.iter().skip(examples).all(|found| *found == -1.0));
        }
    }
}
