//! The loops of a kernel.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::kernel::KernelTokens;
use crate::emit::plan::{Position, Range, Statement};
use crate::equation::{Affine, IndexId};

/// At least as many elements as a vector holds.
const LONG_ROW: usize = 16;
/// So many elements may be written out.
const FEW_ELEMENTS: usize = 128;

impl KernelTokens<'_> {
    /// Whether a loop goes along a row, element by element, and is to become vectors as it is. A compiler that knows how many elements there
    /// are writes such a loop out, and then makes vectors across the rows: their elements lie apart, and each is read and written by itself.
    pub(super) fn is_long_row(&self, index: IndexId, range: &Range, body: &[Statement]) -> bool {
        let extent = self.plan.context.index_of(index).extent();
        let around: usize = self.loops.iter().map(|(open, _)| self.plan.context.index_of(*open).extent()).product();
        let is_element_wise =
            body.iter().all(|statement| matches!(statement, Statement::Let(..) | Statement::Set(..) | Statement::Add(..)));
        self.plan.is_vectorized
            && !self.is_abreast
            && *range == Range::default()
            && !self.is_example(index)
            && !self.plan.elements.contains(&index)
            && extent >= LONG_ROW
            && (extent >= 2 * LONG_ROW || around > FEW_ELEMENTS)
            && is_element_wise
    }

    /// What is done for one value of an index. The value is computed as an unsigned number, modulo 2 to the number of its bits: one
    /// below 0 is then great, so that one comparison tells whether it is within.
    pub(super) fn at(&mut self, index: IndexId, position: &Position, body: &[Statement]) -> TokenStream {
        let value = match position {
            Position::Label(place) => self.place(place, false),
            Position::Sum(affine, others) => self.wrapping_sum(affine, others),
        };
        let range = self.plan.context.index_of(index).clone();
        let (start, end) = (Literal::i64_unsuffixed(range.start), Literal::i64_unsuffixed(range.end));
        self.with_loop(index, |tokens, variable| {
            let body = tokens.statements(body);
            let is_above = (range.start > 0).then(|| quote!(#variable >= #start &&));
            quote! {
                let #variable = #value;
                if #is_above #variable < #end { #body }
            }
        })
    }

    /// A loop in groups of `lanes`: the constant bounds let the compiler see that no access leaves its array.
    pub(super) fn lanes(&mut self, index: IndexId, lanes: usize, body: &[Statement]) -> TokenStream {
        let extent = self.plan.context.index_of(index).extent();
        let offset = self.plan.context.index_of(index).start.max(0) as usize;
        let (blocks, rest) = (extent / lanes, extent % lanes);
        let literal = Literal::usize_unsuffixed;
        if lanes == extent && offset == 0 {
            return self.with_loop(index, |tokens, variable| {
                let body: TokenStream = body.iter().map(|statement| tokens.statement(statement, Some(variable))).collect();
                let lanes = literal(lanes);
                quote!(for #variable in 0..#lanes { #body })
            });
        }
        self.with_variable("lane", |tokens, lane| {
            let lane_body = tokens.with_loop(index, |tokens, variable| {
                let body: TokenStream = body.iter().map(|statement| tokens.statement(statement, Some(lane))).collect();
                (variable.clone(), body)
            });
            let (variable, body) = lane_body;
            let lanes_literal = literal(lanes);
            let shift = |start: usize| if start == 0 { quote!() } else { shift_by(literal(start)) };
            let main_shift = shift(offset);
            let blocks = tokens.with_variable("block", |_, block| {
                let blocks = literal(blocks);
                quote! {
                    for #block in 0..#blocks {
                        for #lane in 0..#lanes_literal {
                            let #variable = #block * #lanes_literal + #lane #main_shift;
                            #body
                        }
                    }
                }
            });
            if rest == 0 {
                return blocks;
            }
            let (rest_literal, rest_shift) = (literal(rest), shift(offset + extent - rest));
            quote! {
                #blocks
                for #lane in 0..#rest_literal {
                    let #variable = #lane #rest_shift;
                    #body
                }
            }
        })
    }

    /// The values of a loop's variable. One that would start below 0 counts from 0, and accesses are shifted instead.
    pub(super) fn loop_values(&mut self, index: IndexId, range: &Range) -> TokenStream {
        let (start, end) = self.loop_bounds(index, range);
        if range.descending { quote!((#start..#end).rev()) } else { quote!(#start..#end) }
    }

    /// The first value of a loop's variable, and the first after the last.
    pub(super) fn loop_bounds(&mut self, index: IndexId, range: &Range) -> (TokenStream, TokenStream) {
        if self.is_example(index) {
            return (quote!(0), quote!(examples));
        }
        if self.plan.elements.contains(&index) {
            return (quote!(0), quote!(elements));
        }
        let (start, end) = self.loop_range(index);
        let first = self.plan.context.index_of(index).start;
        let (mut start, mut end) = (quote!(#start), quote!(#end));
        for bound in &range.bounds {
            let (mut rest, mut factor) = (bound.clone(), 0);
            rest.terms.retain(|&(term, coefficient)| {
                if term == index {
                    factor = coefficient;
                }
                term != index
            });
            rest.constant += factor * first.min(0);
            let magnitude = Literal::i64_unsuffixed(factor.abs());
            if factor > 0 {
                // factor * index >= -rest
                let mut least = Affine::constant(factor - 1).plus(-1, &rest).unwrap_or_default();
                least.terms.retain(|&(_, coefficient)| coefficient != 0);
                let least = self.affine(&least, true);
                let least = if factor == 1 { least } else { quote!(isize::div_euclid(#least, #magnitude)) };
                let least = quote!(isize::max(#least, 0) as usize);
                start = if start.to_string() == "0" { least } else { quote!(usize::max(#start, #least)) };
            } else if factor < 0 {
                // -factor * index <= rest
                rest.constant += -factor;
                let most = self.affine(&rest, true);
                let most = if factor == -1 { most } else { quote!(isize::div_euclid(#most, #magnitude)) };
                end = quote!(usize::min(#end, isize::max(#most, 0) as usize));
            }
        }
        (start, end)
    }

    /// A loop over all values of an index, the last first. It counts upwards, for then the optimizer knows the range of the index.
    pub(super) fn descending(&mut self, index: IndexId, body: &[Statement]) -> TokenStream {
        let (first, extent) = {
            let range = self.plan.context.index_of(index);
            (range.start.max(0) as usize, range.extent())
        };
        let body = self.with_loop(index, |tokens, variable| (variable.clone(), tokens.statements(body)));
        let (variable, body) = body;
        let last = Literal::usize_unsuffixed((first + extent).saturating_sub(1));
        let extent = Literal::usize_unsuffixed(extent);
        self.with_variable("step", |_, step| {
            quote! {
                for #step in 0..#extent {
                    let #variable: usize = #last - #step;
                    #body
                }
            }
        })
    }

    /// The bounds of all values of a loop's variable.
    fn loop_range(&self, index: IndexId) -> (Literal, Literal) {
        let range = self.plan.context.index_of(index);
        let start = range.start.max(0) as usize;
        (Literal::usize_unsuffixed(start), Literal::usize_unsuffixed(start + range.extent()))
    }

    /// An affine expression in terms of loop variables, which never start below 0.
    pub(super) fn in_loop_variables(&self, affine: &Affine) -> Affine {
        let mut shifted = affine.clone();
        for &(index, coefficient) in &affine.terms {
            shifted.constant += coefficient * self.plan.context.index_of(index).start.min(0);
        }
        shifted
    }
}

fn shift_by(literal: Literal) -> TokenStream {
    quote!(+ #literal)
}
