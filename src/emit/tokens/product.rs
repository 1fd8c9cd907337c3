//! Products of matrices whose strides are constants of their type.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::kernel::KernelTokens;
use super::sums::{Sum, levels};
use super::tile::{Operands, literal};
use crate::emit::plan::{Tile, coefficients};

/// Fewer rows than this are not worth a function of their own for their windows.
const LEAST_ROWS: usize = 3;

impl KernelTokens<'_> {
    /// How many terms the sums of a tile have, if it is a product of matrices as they lie: of rows, or of a vector and the rows of a matrix.
    pub(super) fn terms_of_product(&mut self, tile: &Tile) -> Option<TokenStream> {
        let b_column = coefficients(&tile.b, &[tile.columns])[0];
        match &tile.levels[..] {
            [] if b_column == 1 => Some(quote!(1)),
            [(index, range)] if range.bounds.is_empty() => {
                let [a_term, b_term] = [&tile.a, &tile.b].map(|place| coefficients(place, &[*index])[0]);
                let is_row = b_column == 1 && a_term > 0 && b_term > 0;
                let is_column = tile.rows.is_none() && b_column > 1 && a_term == 1 && b_term == 1 && !self.is_example(*index);
                let (start, end) = self.loop_bounds(*index, range);
                (start.to_string() == "0" && (is_row || is_column)).then_some(end)
            }
            _ => None,
        }
    }

    /// The call of the runtime that computes a product.
    pub(super) fn matrix_product(
        &self,
        tile: &Tile,
        operands: &Operands,
        [rows, terms, a_at, b_at, c, is_added]: [&TokenStream; 6],
    ) -> TokenStream {
        let term = tile.levels.first().map(|(index, _)| *index);
        let [a_term, b_term] = [&tile.a, &tile.b].map(|place| literal(term.map_or(0, |index| coefficients(place, &[index])[0])));
        let known_terms = Literal::usize_unsuffixed(match term {
            Some(index) if self.is_example(index) => 0,
            Some(index) => self.plan.context.index_of(index).extent(),
            None => 1,
        });
        let from = |all: &TokenStream, at: &TokenStream| match at.to_string().as_str() {
            "0usize" => all.clone(),
            _ => quote!((#all).get(#at..).unwrap_or(&[])),
        };
        let (a, b) = (from(&operands.a, a_at), from(&operands.b, b_at));
        operands.product(&operands.sizes([known_terms, a_term, b_term]), [rows, terms, &a, &b, c, is_added])
    }

    /// The call of the runtime that computes a sum over windows, if it is one of rows that fill registers: the innermost terms are those of a
    /// product, the other sums are around.
    pub(super) fn windows(
        &self,
        tile: &Tile,
        sums: &[Sum],
        operands: &Operands,
        [rows, a_at, b_at, c, is_added]: [&TokenStream; 5],
    ) -> Option<TokenStream> {
        let most_rows = self.plan.context.index_of(tile.rows?).extent();
        let (terms, around) = sums.split_last()?;
        let is_ahead = terms.a > 0 && terms.b > 0 && coefficients(&tile.b, &[tile.columns])[0] == 1;
        if !is_ahead || most_rows < LEAST_ROWS {
            return None;
        }
        let most_rows = Literal::usize_unsuffixed(most_rows);
        let levels = levels::<2>(around);
        let sizes = operands.sizes([terms.known.map_or(0, |known| known as i64), terms.a, terms.b].map(literal));
        let shape = quote! {
            tile::Windows::<#most_rows, _> {
                sizes: #sizes,
                levels: #levels,
                a_at: #a_at,
                b_at: #b_at,
            }
        };
        Some(operands.product(&shape, [rows, &terms.count, &operands.a, &operands.b, c, is_added]))
    }
}

impl Operands {
    /// The constants of a product whose sums have so many terms, 0 where that is known later, at such distances in both operands.
    fn sizes(&self, [terms, a_term, b_term]: [Literal; 3]) -> TokenStream {
        let Self { columns, a_row, b_column, c_row, .. } = self;
        quote!(tile::Sizes::<#columns, #terms, #a_row, #a_term, #b_term, #b_column, #c_row>)
    }

    /// The call of the runtime that computes a product of a shape, from where both operands begin.
    fn product(&self, shape: &TokenStream, [rows, terms, a, b, c, is_added]: [&TokenStream; 6]) -> TokenStream {
        let Self { scale, start, .. } = self;
        quote! {
            tile::Product {
                shape: #shape,
                rows: #rows,
                terms: #terms,
                a: #a,
                b: #b,
                scale: #scale,
                start: #start,
                c: #c,
                is_added: #is_added,
            }
            .compute(vectors);
        }
    }
}
