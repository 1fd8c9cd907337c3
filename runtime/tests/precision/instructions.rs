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

/// A function of many elements with given instructions, so that vectors are tested.
macro_rules! elements {
    ($float:ident $form:ident $name:ident) => {{
        use deltarule::__private::{math, tile};

        struct Elements<'a>(&'a [$float], &'a mut [$float]);

        impl tile::Run for Elements<'_> {
            type Output = ();

            #[inline(always)]
            fn run<V: tile::Vectors>(self, vectors: V) {
                for (result, argument) in self.1.iter_mut().zip(self.0) {
                    *result = math::$float::$form::$name(vectors, *argument);
                }
            }
        }

        |instructions: $crate::instructions::Instructions, arguments: &[$float], results: &mut [$float]| {
            instructions.run(Elements(arguments, results));
        }
    }};
}

/// A function of whole rows.
macro_rules! row {
    ($function:ident) => {{
        use deltarule::__private::tile;

        struct Row<'a>(&'a [f32], &'a mut [f32]);

        impl tile::Run for Row<'_> {
            type Output = ();

            #[inline(always)]
            fn run<V: tile::Vectors>(self, vectors: V) {
                tile::of_each(vectors, tile::$function, self.0, self.1);
            }
        }

        |instructions: $crate::instructions::Instructions, arguments: &[f32], results: &mut [f32]| {
            instructions.run(Row(arguments, results));
        }
    }};
}

pub(crate) use {elements, row};
