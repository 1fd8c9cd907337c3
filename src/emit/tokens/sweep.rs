//! A matrix that is multiplied with a vector and updated in one sweep, as a call of the runtime.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::kernel::KernelTokens;
use crate::emit::plan::Tile;

impl KernelTokens<'_> {
    /// The call of the runtime.
    pub(super) fn sweep(&mut self, product: &Tile, update: &Tile) -> TokenStream {
        let [terms, rows] =
            [update.columns, product.columns].map(|index| Literal::usize_unsuffixed(self.plan.context.index_of(index).extent()));
        let [a, factors] = [&product.a, &update.a].map(|place| self.in_a_row(place.tensor, false));
        let [b, c] = [&update.into, &product.into].map(|place| self.in_a_row(place.tensor, true));
        let factor = update.update_factor.and_then(|factor| self.arguments.get(&factor));
        let (scale, rate) = (self.scale(product, None), self.scale(update, factor));
        quote! {
            tile::Sweep {
                shape: tile::Sizes::<#rows, #terms, 0, 1, 1, #terms, 0>,
                a: #a,
                b: #b,
                scale: #scale,
                c: #c,
                factors: #factors,
                rate: #rate,
            }
            .compute(vectors);
        }
    }
}
