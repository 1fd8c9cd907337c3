//! Which instructions loops are compiled for.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use core::sync::atomic::{AtomicU8, Ordering};

use pulp::{Simd, WithSimd};

use super::contraction::{Contraction, Tiles};
use super::product::{Known, Product, Shape};
use super::transpose::{Matrices, Transpose};

/// Loops that a compiler puts into vectors by itself.
pub trait Run {
    /// What they compute.
    type Output;

    /// Runs them. To be inlined always, so that they get the instructions of the caller.
    fn run<V: Vectors>(self, vectors: V) -> Self::Output;
}

/// Instructions that this machine has.
pub trait Vectors: Copy {
    /// Their vectors.
    type Simd: Simd;

    /// The operations on them.
    fn simd(self) -> Self::Simd;
    /// Runs a task as a function of its own, compiled with these instructions.
    fn run<T: Run>(self, task: T) -> T::Output;
    /// The same as a call, whatever an optimizer thinks of it: for a task that runs at many places of a pass.
    #[inline(never)]
    fn call<T: Run>(self, task: T) -> T::Output {
        self.run(task)
    }
    /// Computes a contraction in single precision.
    fn contract_single(self, contraction: Contraction<'_, f32>);
    /// Computes a contraction in double precision.
    fn contract_double(self, contraction: Contraction<'_, f64>);
    /// Computes a product in single precision.
    fn product_single<P: Shape>(self, product: Product<'_, f32, P>);
    /// Computes a product in double precision.
    fn product_double<P: Shape>(self, product: Product<'_, f64, P>);
    /// Transposes matrices in single precision.
    fn transpose_single(self, matrices: Transpose<'_, f32>);
    /// Transposes matrices in double precision.
    fn transpose_double(self, matrices: Transpose<'_, f64>);
}

/// A task that keeps the name of the instructions with which it runs.
struct Task<V, T>(V, T);

impl<V: Vectors, T: Run> WithSimd for Task<V, T> {
    type Output = T::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> T::Output {
        self.1.run(self.0)
    }
}

/// Products whose constants are known, as functions of their own.
macro_rules! known_products {
    () => { known_products! { product_single f32 contract_single, product_double f64 contract_double } };
    ($($name:ident $scalar:ident $rest:ident),*) => {$(
        #[inline(always)]
        fn $name<P: Shape>(self, mut product: Product<'_, $scalar, P>) {
            let rows = product.whole_rows::<Self>();
            Simd::vectorize(self, Known(&mut product));
            if rows < product.rows {
                self.$rest(product.rows_from(rows));
            }
        }
    )*};
}

/// The same by the routine for all sizes, where there are no vectors or little is to be compiled.
macro_rules! any_products {
    () => { any_products! { product_single f32 contract_single, product_double f64 contract_double } };
    ($($name:ident $scalar:ident $all:ident),*) => {$(
        #[inline(always)]
        fn $name<P: Shape>(self, product: Product<'_, $scalar, P>) {
            self.$all(product.rows_from(0));
        }
    )*};
}

macro_rules! vectors {
    ($($of:ty, $product:ident);*) => {$(
        impl Vectors for $of {
            type Simd = Self;

            #[inline(always)]
            fn simd(self) -> Self {
                self
            }

            $product!();
            #[inline(always)]
            fn run<T: Run>(self, task: T) -> T::Output {
                Simd::vectorize(self, Task(self, task))
            }
            // Not inlined, so that they are compiled here and not in every crate with a network.
            #[inline(never)]
            fn contract_single(self, contraction: Contraction<'_, f32>) {
                Simd::vectorize(self, Tiles(contraction));
            }
            #[inline(never)]
            fn contract_double(self, contraction: Contraction<'_, f64>) {
                Simd::vectorize(self, Tiles(contraction));
            }
            #[inline(never)]
            fn transpose_single(self, matrices: Transpose<'_, f32>) {
                Simd::vectorize(self, Matrices(matrices));
            }
            #[inline(never)]
            fn transpose_double(self, matrices: Transpose<'_, f64>) {
                Simd::vectorize(self, Matrices(matrices));
            }
        }
    )*};
}

vectors! { pulp::Scalar, any_products }
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
vectors! { pulp::x86::V3, known_products; pulp::x86::V4, known_products }
#[cfg(target_arch = "aarch64")]
vectors! { pulp::aarch64::Neon, known_products }

/// Loops as they are, without vectors; contractions with the best instructions.
#[derive(Clone, Copy)]
struct Plain;

impl Vectors for Plain {
    type Simd = pulp::Scalar;

    #[inline(always)]
    fn simd(self) -> pulp::Scalar {
        pulp::Scalar::new()
    }

    any_products!();
    #[inline(always)]
    fn run<T: Run>(self, task: T) -> T::Output {
        task.run(self)
    }
    #[inline(never)]
    fn contract_single(self, contraction: Contraction<'_, f32>) {
        best(contraction);
    }
    #[inline(never)]
    fn contract_double(self, contraction: Contraction<'_, f64>) {
        best(contraction);
    }
    #[inline(never)]
    fn transpose_single(self, matrices: Transpose<'_, f32>) {
        best(matrices);
    }
    #[inline(never)]
    fn transpose_double(self, matrices: Transpose<'_, f64>) {
        best(matrices);
    }
}

impl<T: super::lanes::Lanes> Run for Contraction<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) {
        self.compute(vectors);
    }
}

/// The greatest set of instructions to be used: 0 has no vectors, 1 is AVX2 with FMA, 2 is AVX-512.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
static LIMIT: AtomicU8 = AtomicU8::new(u8::MAX);

/// Lets tests compare the sets of instructions: none greater is used from here on. 0 has no vectors, 1 is AVX2 with FMA, 2 is AVX-512.
pub fn limit(instructions: u8) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    LIMIT.store(instructions, Ordering::Relaxed);
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    let _ = instructions;
}

/// Runs a task with the best instructions of this machine, which are looked for once.
///
/// A build without optimization puts nothing into vectors: there, it is compiled once and not for each set of instructions.
#[inline(always)]
pub fn vectorized<T: Run>(task: T) -> T::Output {
    if cfg!(debug_assertions) { Plain.run(task) } else { best(task) }
}

#[inline(always)]
fn best<T: Run>(task: T) -> T::Output {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        let limit = LIMIT.load(Ordering::Relaxed);
        if limit >= 2
            && let Some(vectors) = pulp::x86::V4::try_new()
        {
            return vectors.run(task);
        }
        if limit >= 1
            && let Some(vectors) = pulp::x86::V3::try_new()
        {
            return vectors.run(task);
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(vectors) = pulp::aarch64::Neon::try_new() {
        return vectors.run(task);
    }
    Vectors::run(pulp::Scalar::new(), task)
}
