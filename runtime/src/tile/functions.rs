//! Elementary functions of rows and vectors.

use super::elements::Elements;
use super::instructions::Vectors;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use super::table;
use crate::math::{self, MultiplyAdd};

/// A function that vectors may look up.
pub trait Function<T>: Copy {
    /// Which it is.
    const KIND: Kind;

    /// Its value.
    fn of<A: MultiplyAdd<T>>(self, arithmetic: A, x: T) -> T;
}

/// The functions that vectors may look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Hyperbolic tangent.
    Tanh,
    /// The logistic function.
    Sigmoid,
}

macro_rules! functions {
    ($($doc:literal $name:ident $function:ident;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy)]
        pub struct $name;

        functions! { $name $function f32 }
        functions! { $name $function f64 }
    )*};
    ($name:ident $function:ident $float:ident) => {
        impl Function<$float> for $name {
            const KIND: Kind = Kind::$name;

            #[inline(always)]
            fn of<A: MultiplyAdd<$float>>(self, arithmetic: A, x: $float) -> $float {
                math::$float::fused::$function(arithmetic, x)
            }
        }
    };
}

functions! {
    "Hyperbolic tangent." Tanh tanh;
    "The logistic function." Sigmoid sigmoid;
}

/// A function of each number of a row, for which a pass waits: where registers hold tables, one waits less.
#[inline(always)]
pub fn of_each<V: Vectors + MultiplyAdd<T>, T: Elements, F: Function<T>>(vectors: V, function: F, from: &[T], to: &mut [T]) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if table::of_row::<_, T, F>(vectors.simd(), from, to) {
        return;
    }
    for (result, argument) in to.iter_mut().zip(from) {
        *result = function.of(vectors, *argument);
    }
}

#[cfg(test)]
mod tests {
    use super::super::all_instructions::with_all_instructions;
    use super::super::instructions::Run;
    use super::*;
    use crate::math::Separate;

    macro_rules! rows {
        ($test:ident $float:ident) => {
            #[test]
            fn $test() {
                /// Rows of all lengths beside the same numbers one by one.
                #[derive(Clone, Copy)]
                struct Rows<F>(F);

                impl<F: Function<$float>> Run for Rows<F> {
                    type Output = ();

                    fn run<V: Vectors>(self, vectors: V) {
                        let arguments: [$float; 70] = core::array::from_fn(|at| (at * 29 % 70) as $float - 34.5);
                        for length in 0..=arguments.len() {
                            let mut results = [2.0; 70];
                            of_each(vectors, self.0, &arguments[..length], &mut results[..length]);
                            for (at, (argument, result)) in arguments.iter().zip(results).enumerate() {
                                let expected = if at < length { self.0.of(Separate, *argument) } else { 2.0 };
                                let is_near = (result - expected).abs() <= 4.0 * $float::EPSILON * expected.abs();
                                assert!(is_near, "{:?} of {argument} in a row of {length}: {result}, not {expected}", F::KIND);
                            }
                        }
                    }
                }

                with_all_instructions(Rows(Tanh));
                with_all_instructions(Rows(Sigmoid));
            }
        };
    }

    rows! { a_row_has_the_function_of_each_single_number f32 }
    rows! { a_row_has_the_function_of_each_double_number f64 }
}
