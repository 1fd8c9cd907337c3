//! Which instructions loops are compiled for.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use core::sync::atomic::{AtomicU8, Ordering};

use pulp::{Simd, WithSimd};

use super::contraction::{Contraction, Tiles};
#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
use super::elements::Elements;
use super::lanes::Lanes;
#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
use super::product::Known;
use super::product::{Product, Shape, Sweep, Swept};
use super::transpose::{Matrices, Transpose};
use crate::math::{MultiplyAdd, separate};

/// Loops that a compiler puts into vectors by itself.
pub trait Run {
    /// What they compute.
    type Output;

    /// Runs them. To be inlined always, so that they get the instructions of the caller.
    fn run<V: Vectors>(self, vectors: V) -> Self::Output;
}

/// Instructions that this machine has.
pub trait Vectors: MultiplyAdd<f32> + MultiplyAdd<f64> {
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
    /// Computes a sweep in single precision.
    fn sweep_single<P: Shape>(self, sweep: Sweep<'_, f32, P>);
    /// Computes a sweep in double precision.
    fn sweep_double<P: Shape>(self, sweep: Sweep<'_, f64, P>);
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

/// The methods of [`Vectors`] for both types of numbers, given what computes products, contractions and transposed matrices.
macro_rules! operations {
    ($product:ident, $sweep:ident, $contract:ident, $transpose:ident) => {
        operations! { f32 product_single $product, sweep_single $sweep, contract_single $contract, transpose_single $transpose }
        operations! { f64 product_double $product, sweep_double $sweep, contract_double $contract, transpose_double $transpose }
    };
    ($scalar:ident $product:ident $products:ident, $sweep:ident $sweeps:ident, $contract:ident $contractions:ident, $transpose:ident $matrices:ident) => {
        #[inline(always)]
        fn $product<P: Shape>(self, product: Product<'_, $scalar, P>) {
            $products(self, product);
        }
        #[inline(always)]
        fn $sweep<P: Shape>(self, sweep: Sweep<'_, $scalar, P>) {
            $sweeps(self, sweep);
        }
        // Not inlined, so that they are compiled here and not in every crate with a network.
        #[inline(never)]
        fn $contract(self, contraction: Contraction<'_, $scalar>) {
            $contractions(self, contraction);
        }
        #[inline(never)]
        fn $transpose(self, matrices: Transpose<'_, $scalar>) {
            $matrices(self, matrices);
        }
    };
}

/// A product whose constants are known, as a function of its own.
#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn known_product<V: Vectors + Simd, T: Elements, P: Shape>(vectors: V, mut product: Product<'_, T, P>) {
    let (rows, all) = (product.whole_rows::<V>(), product.rows);
    Simd::vectorize(vectors, Known(&mut product));
    if rows < all {
        T::contract(vectors, product.rows_from(rows));
    }
}

/// The same by the routine for all sizes, where there are no vectors or little is to be compiled.
#[inline(always)]
fn any_product<V: Vectors, T: Lanes, P: Shape>(vectors: V, product: Product<'_, T, P>) {
    T::contract(vectors, product.rows_from(0));
}

/// A sweep as a function of its own.
#[cfg_attr(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code))]
#[inline(always)]
fn known_sweep<V: Vectors + Simd, T: Lanes, P: Shape>(vectors: V, sweep: Sweep<'_, T, P>) {
    Simd::vectorize(vectors, Swept(sweep));
}

/// A sweep by the routine for all sizes.
#[inline(always)]
fn any_sweep<V: Vectors, T: Lanes, P: Shape>(vectors: V, sweep: Sweep<'_, T, P>) {
    sweep.apart(vectors);
}

#[inline(always)]
fn contract<V: Vectors + Simd, T: Lanes>(vectors: V, contraction: Contraction<'_, T>) {
    Simd::vectorize(vectors, Tiles(contraction));
}

#[inline(always)]
fn transpose<V: Vectors + Simd, T: Lanes>(vectors: V, matrices: Transpose<'_, T>) {
    Simd::vectorize(vectors, Matrices(matrices));
}

macro_rules! vectors {
    ($($of:ty, $product:ident $sweep:ident);*) => {$(
        impl Vectors for $of {
            type Simd = Self;

            #[inline(always)]
            fn simd(self) -> Self {
                self
            }
            #[inline(always)]
            fn run<T: Run>(self, task: T) -> T::Output {
                Simd::vectorize(self, Task(self, task))
            }
            operations!($product, $sweep, contract, transpose);
        }
    )*};
}

vectors! { pulp::Scalar, any_product any_sweep }
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
vectors! { pulp::x86::V3, known_product known_sweep; pulp::x86::V4, known_product known_sweep }
#[cfg(target_arch = "aarch64")]
vectors! { pulp::aarch64::Neon, known_product known_sweep }

separate! { pulp::Scalar Plain }
// No instruction for it is without `unsafe`, a vector around it, or both.
#[cfg(target_arch = "aarch64")]
separate! { pulp::aarch64::Neon }

/// By an instruction for one number, of which a compiler makes those for vectors.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
macro_rules! fused {
    ($($of:ty)*) => {$(
        impl MultiplyAdd<f32> for $of {
            const IS_FUSED: bool = true;

            #[inline(always)]
            fn multiply_add(self, a: f32, b: f32, c: f32) -> f32 {
                let (a, b, c) = (self.sse._mm_set_ss(a), self.sse._mm_set_ss(b), self.sse._mm_set_ss(c));
                self.sse._mm_cvtss_f32(self.fma._mm_fmadd_ss(a, b, c))
            }
        }

        impl MultiplyAdd<f64> for $of {
            const IS_FUSED: bool = true;

            #[inline(always)]
            fn multiply_add(self, a: f64, b: f64, c: f64) -> f64 {
                let (a, b, c) = (self.sse2._mm_set_sd(a), self.sse2._mm_set_sd(b), self.sse2._mm_set_sd(c));
                self.sse2._mm_cvtsd_f64(self.fma._mm_fmadd_sd(a, b, c))
            }
        }
    )*};
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fused! { pulp::x86::V3 pulp::x86::V4 }

/// Loops as they are, without vectors; contractions with the best instructions.
#[derive(Clone, Copy)]
struct Plain;

impl Vectors for Plain {
    type Simd = pulp::Scalar;

    #[inline(always)]
    fn simd(self) -> pulp::Scalar {
        pulp::Scalar::new()
    }
    #[inline(always)]
    fn run<T: Run>(self, task: T) -> T::Output {
        task.run(self)
    }
    operations!(any_product, any_sweep, best_task, best_task);
}

/// A task with the best instructions, whichever those of its pass are.
#[inline(always)]
fn best_task<T: Run>(_: Plain, task: T) -> T::Output {
    best(task)
}

impl<T: Lanes> Run for Contraction<'_, T> {
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

/// Runs tasks with one set of instructions. It is a module for each set, since the compiler makes a unit of what the functions of a
/// module call, and compiles units beside each other.
macro_rules! units {
    ($($name:ident)*) => {$(
        mod $name {
            #[inline(never)]
            pub(super) fn run<V: super::Vectors, T: super::Run>(vectors: V, task: T) -> T::Output {
                vectors.run(task)
            }
        }
    )*};
}

units! { without }
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
units! { avx2 avx512 }
#[cfg(target_arch = "aarch64")]
units! { neon }

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
            return avx512::run(vectors, task);
        }
        if limit >= 1
            && let Some(vectors) = pulp::x86::V3::try_new()
        {
            return avx2::run(vectors, task);
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(vectors) = pulp::aarch64::Neon::try_new() {
        return neon::run(vectors, task);
    }
    without::run(pulp::Scalar::new(), task)
}
