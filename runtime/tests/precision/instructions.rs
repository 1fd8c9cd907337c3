//! The sets of instructions that functions are compiled for.

use deltarule::__private::tile::{Run, Vectors};

/// Instructions that this machine has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instructions {
    /// None for vectors; the same bits everywhere.
    Scalar(pulp::Scalar),
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
}

impl Instructions {
    pub(crate) fn all() -> Vec<Instructions> {
        let scalar = [Instructions::Scalar(pulp::Scalar::new())].into_iter();
        #[cfg(target_arch = "x86_64")]
        let all = {
            let avx2 = pulp::x86::V3::try_new().map(Instructions::Avx2);
            scalar.chain(avx2).chain(pulp::x86::V4::try_new().map(Instructions::Avx512))
        };
        #[cfg(target_arch = "aarch64")]
        let all = scalar.chain(pulp::aarch64::Neon::try_new().map(Instructions::Neon));
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let all = scalar;
        all.collect()
    }

    /// Those of a set with the most numbers in a vector.
    pub(crate) fn widest(sets: &[Instructions]) -> Instructions {
        *sets.last().expect("there are those without vectors")
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Instructions::Scalar(_) => "scalar",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(_) => "AVX-512",
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon(_) => "Neon",
        }
    }

    pub(crate) fn run<T: Run>(self, task: T) -> T::Output {
        match self {
            Instructions::Scalar(vectors) => Vectors::run(vectors, task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(vectors) => Vectors::run(vectors, task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(vectors) => Vectors::run(vectors, task),
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon(vectors) => Vectors::run(vectors, task),
        }
    }
}

/// A function of many elements with given instructions, so that vectors are tested: element by element in a form, or of the whole row.
macro_rules! elements {
    ($float:ident row $function:ident) => {
        elements!(@ $float, vectors, arguments, results, tile::of_each(vectors, tile::$function, arguments, results))
    };
    ($float:ident $form:ident $name:ident) => {
        elements!(@ $float, vectors, arguments, results, {
            for (result, argument) in results.iter_mut().zip(arguments) {
                *result = math::$float::$form::$name(vectors, *argument);
            }
        })
    };
    (@ $float:ident, $vectors:ident, $arguments:ident, $results:ident, $compute:expr) => {{
        #[allow(unused_imports)]
        use deltarule::__private::{math, tile};

        struct Elements<'a>(&'a [$float], &'a mut [$float]);

        impl tile::Run for Elements<'_> {
            type Output = ();

            #[inline(always)]
            fn run<V: tile::Vectors>(self, $vectors: V) {
                let Self($arguments, $results) = self;
                $compute;
            }
        }

        |instructions: $crate::instructions::Instructions, arguments: &[$float], results: &mut [$float]| {
            instructions.run(Elements(arguments, results));
        }
    }};
}

pub(crate) use elements;
