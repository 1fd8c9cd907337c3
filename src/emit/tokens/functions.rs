//! Elementary functions of whole rows, which vectors may compute by tables.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::call::takes_vectors;
use super::kernel::KernelTokens;
use crate::emit::plan::{Place, Range, Statement, Value};
use crate::equation::{Affine, IndexId};

/// The functions that the runtime has for rows, with what stands for them.
const OF_ROWS: [(&str, &str); 2] = [("tanh", "Tanh"), ("sigmoid", "Sigmoid")];
/// The elements of a row, at most, for whose function a pass waits. Of more, many are computed while one waits, and a table is no quicker.
const SHORT_ROW: usize = 64;

impl KernelTokens<'_> {
    /// What stands for a function that the runtime has for rows.
    pub(super) fn tabled_function(&self, name: &str) -> Option<TokenStream> {
        let (_, function) =
            OF_ROWS.iter().find(|(of_one, _)| *of_one == name).filter(|_| takes_vectors(self.plan, self.kernel))?;
        let function = Ident::new(function, Span::call_site());
        Some(quote!(tile::#function))
    }

    /// A loop along a short row that does nothing but compute a function of each number.
    pub(super) fn row_function(&mut self, index: IndexId, range: &Range, body: &[Statement]) -> Option<TokenStream> {
        let [Statement::Set(to, Value::Call(function, argument))] = body else { return None };
        let Value::Load(from) = &**argument else { return None };
        let function = self.tabled_function(function.name())?;
        let is_short = self.plan.context.index_of(index).extent() <= SHORT_ROW && !self.plan.elements.contains(&index);
        if !is_short || self.is_abreast || self.is_example(index) || *range != Range::default() || from.tensor == to.tensor {
            return None;
        }
        let (from, to) = (self.whole_row(from, index)?, self.whole_row(to, index)?);
        Some(quote!(tile::of_each(vectors, #function, &#from, &mut #to);))
    }

    /// The row along which an index goes from the first to the last of its elements.
    fn whole_row(&mut self, place: &Place, index: IndexId) -> Option<TokenStream> {
        let shape = &self.plan.context.tensor(place.tensor).shape;
        let ((last, others), extent) = (place.indices.split_last()?, *shape.last()?);
        let range = self.plan.context.index_of(index);
        let is_whole = *last == Affine { terms: vec![(index, 1)], constant: 0 } && range.start == 0 && range.extent() == extent;
        if !is_whole || others.iter().any(|other| other.terms.iter().any(|(term, _)| *term == index)) {
            return None;
        }
        if !self.guards(&Place { indices: others.to_vec(), ..place.clone() }).is_empty() {
            return None;
        }
        let argument = self.arguments[&place.tensor].clone();
        let others: Vec<_> = others.iter().map(|other| self.position(other)).collect();
        Some(quote!(#argument #([#others])* [..]))
    }
}
