//! The sums inside each other of a tile, as the runtime has them.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::tile::literal;

/// One of them.
pub(super) struct Sum {
    /// How many terms.
    pub(super) count: TokenStream,
    /// The same where it is known when the network is compiled.
    pub(super) known: Option<usize>,
    /// How far it is in the factors from one term to the next.
    pub(super) a: i64,
    /// The same in the rows of numbers.
    pub(super) b: i64,
}

/// The same sums, from the outermost, without those of one term; one of two whose terms lie behind each other.
pub(super) fn merged(sums: Vec<Sum>) -> Vec<Sum> {
    let mut merged: Vec<Sum> = Vec::new();
    for inner in sums.into_iter().filter(|sum| sum.known != Some(1)) {
        let length = inner.known.map(|known| known as i64);
        match merged.last_mut() {
            Some(outer) if length.is_some_and(|length| (outer.a, outer.b) == (inner.a * length, inner.b * length)) => {
                let (many, few) = (&outer.count, &inner.count);
                let known = outer.known.zip(inner.known).map(|(many, few)| many * few);
                let count = match known {
                    Some(known) => {
                        let known = Literal::usize_unsuffixed(known);
                        quote!(#known)
                    }
                    None => quote!(#many * #few),
                };
                *outer = Sum { count, known, ..inner };
            }
            _ => merged.push(inner),
        }
    }
    merged
}

/// An array of so many levels: the innermost are the sums, those around have one term.
pub(super) fn levels<const LEVELS: usize>(sums: &[Sum]) -> TokenStream {
    let step = |number: i64| {
        let literal = literal(number);
        if number < 0 { quote!(usize::wrapping_neg(#literal)) } else { quote!(#literal) }
    };
    let once = (sums.len()..LEVELS).map(|_| quote!(tile::Level { count: 1, a: 0, b: 0 }));
    let sums = sums.iter().map(|Sum { count, a, b, .. }| {
        let (a, b) = (step(*a), step(*b));
        quote!(tile::Level { count: #count, a: #a, b: #b })
    });
    let levels = once.chain(sums);
    quote!([#(#levels),*])
}
