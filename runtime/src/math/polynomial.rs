//! Polynomials with short chains of operations.

/// The polynomial with these coefficients from the lowest, or, where something stands before them, that and `x²` times the polynomial.
///
/// By Estrin's scheme (1960): pairs of terms are added up beside each other, then pairs of pairs, so that an argument waits for as many
/// steps as the number of coefficients has bits, not as there are coefficients.
macro_rules! polynomial {
    ($arithmetic:ident, $x:ident, [$($coefficients:literal),+]) => {
        polynomial!(@pairs $arithmetic, $x; []; $($coefficients),+)
    };
    ($arithmetic:ident, $x:ident, $lowest:expr, [$($coefficients:literal),+]) => {{
        let square = $x * $x;
        polynomial!(@first $arithmetic, $x, square; [$lowest]; $($coefficients),+)
    }};
    // Pairs in `x` behind what is given.
    (@first $arithmetic:ident, $x:ident, $square:ident; [$($done:expr),+]; $a:literal, $b:literal, $($rest:literal),+) => {
        polynomial!(@first $arithmetic, $x, $square; [$($done,)+ $arithmetic.multiply_add($x, $b, $a)]; $($rest),+)
    };
    (@first $arithmetic:ident, $x:ident, $square:ident; [$($done:expr),+]; $a:literal, $b:literal) => {
        polynomial!(@pairs $arithmetic, $square; []; $($done,)+ $arithmetic.multiply_add($x, $b, $a))
    };
    (@first $arithmetic:ident, $x:ident, $square:ident; [$($done:expr),+]; $a:literal) => {
        polynomial!(@pairs $arithmetic, $square; []; $($done,)+ $a)
    };
    (@pairs $arithmetic:ident, $x:ident; [$($done:expr),*]; $a:expr, $b:expr, $($rest:expr),+) => {
        polynomial!(@pairs $arithmetic, $x; [$($done,)* $arithmetic.multiply_add($b, $x, $a)]; $($rest),+)
    };
    (@pairs $arithmetic:ident, $x:ident; []; $a:expr, $b:expr) => {
        $arithmetic.multiply_add($b, $x, $a)
    };
    (@pairs $arithmetic:ident, $x:ident; [$($done:expr),+]; $a:expr, $b:expr) => {{
        let square = $x * $x;
        polynomial!(@pairs $arithmetic, square; []; $($done,)+ $arithmetic.multiply_add($b, $x, $a))
    }};
    (@pairs $arithmetic:ident, $x:ident; [$($done:expr),+]; $a:expr) => {{
        let square = $x * $x;
        polynomial!(@pairs $arithmetic, square; []; $($done,)+ $a)
    }};
}

pub(super) use polynomial;
