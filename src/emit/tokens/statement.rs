//! The statements of a kernel.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::kernel::KernelTokens;
use crate::emit::plan::{Range, Statement, Value};
use crate::equation::ReduceKind;

impl KernelTokens<'_> {
    pub(super) fn statements(&mut self, statements: &[Statement]) -> TokenStream {
        statements.iter().map(|statement| self.statement(statement, None)).collect()
    }

    /// A statement; `lane` is the accumulator that a [`Statement::Combine`] in lanes adds to.
    pub(super) fn statement(&mut self, statement: &Statement, lane: Option<&Ident>) -> TokenStream {
        if self.is_abreast
            && let Some(tokens) = self.abreast_statement(statement)
        {
            return tokens;
        }
        if let Statement::For { index, range, body } = statement
            && let Some(tokens) = self.row_function(*index, range, body)
        {
            return tokens;
        }
        match statement {
            Statement::For { index, range, body } if range.descending => self.descending(*index, body),
            Statement::For { index, range, body } => self.with_loop(*index, |tokens, variable| {
                let is_long = tokens.is_long_row(*index, range, body);
                let body = tokens.statements(body);
                let fence = is_long.then(|| quote!(core::sync::atomic::compiler_fence(core::sync::atomic::Ordering::AcqRel);));
                let values = tokens.loop_values(*index, range);
                quote!(#fence for #variable in #values { #body })
            }),
            Statement::At { index, position, body } => self.at(*index, position, body),
            Statement::ForLanes { index, lanes, body } => self.lanes(*index, *lanes, body),
            Statement::Let(local, value) => {
                let value = self.value(value);
                let local = self.local(*local);
                quote!(let #local = #value;)
            }
            Statement::Start(local, first) => {
                let (first, scalar) = (self.number(*first), &self.scalar);
                let local = self.local(*local);
                quote!(let mut #local: #scalar = #first;)
            }
            Statement::StartLanes(local, lanes, first) => {
                let (first, scalar, lanes) = (self.number(*first), &self.scalar, Literal::usize_unsuffixed(*lanes));
                let local = self.local(*local);
                quote!(let mut #local: [#scalar; #lanes] = [#first; #lanes];)
            }
            Statement::StartRow(row, index, place) => {
                let extent = Literal::usize_unsuffixed(self.plan.context.index_of(*index).extent());
                let (zero, local) = (self.number(0.0), self.local(*row).clone());
                let filled = self.with_loop(*index, |tokens, variable| {
                    let (values, element) =
                        (tokens.loop_values(*index, &Range::default()), tokens.value(&Value::OfRow(*row, *index)));
                    let first = tokens.place(place, false);
                    quote!(for #variable in #values { #element = #first; })
                });
                let scalar = &self.scalar;
                quote!(let mut #local: [#scalar; #extent] = [#zero; #extent]; #filled)
            }
            Statement::Combine { into, in_lanes, kind, value } => {
                let into = self.local(*into);
                let into = match lane {
                    Some(lane) if *in_lanes => quote!(#into[#lane]),
                    _ => quote!(#into),
                };
                match kind {
                    ReduceKind::Sum => self.added(&into, value),
                    ReduceKind::Product => {
                        let value = self.value(value);
                        quote!(#into *= #value;)
                    }
                    ReduceKind::Max | ReduceKind::Min => {
                        let value = self.value(value);
                        let better = if *kind == ReduceKind::Min { quote!(<) } else { quote!(>) };
                        self.with_variable(
                            "candidate",
                            |_, candidate| quote!(let #candidate = #value; if #candidate #better #into { #into = #candidate; }),
                        )
                    }
                }
            }
            Statement::FinishLanes { into, from, kind } => {
                let combine = super::identifier(kind.name());
                let (into, from, math) = (self.local(*into), self.local(*from), &self.math);
                quote!(let #into = #math::#combine(&#from);)
            }
            Statement::KeepBest { best, kind, value, positions } => {
                let value = self.value(value);
                let positions: TokenStream = positions
                    .iter()
                    .map(|(position, at)| {
                        let at = self.affine_as_number(at);
                        let position = self.local(*position);
                        quote!(#position = #at;)
                    })
                    .collect();
                let best = self.local(*best).clone();
                let better = if *kind == ReduceKind::Min { quote!(<) } else { quote!(>) };
                self.with_variable("candidate", |_, candidate| {
                    quote! {
                        let #candidate = #value;
                        if #candidate #better #best {
                            #best = #candidate;
                            #positions
                        }
                    }
                })
            }
            Statement::Set(place, value) => {
                let value = self.value(value);
                let place = self.place(place, true);
                quote!(#place = #value;)
            }
            Statement::Add(place, value) => {
                let place = self.place(place, true);
                self.added(&place, value)
            }
            Statement::Tile(tile) => self.tile(tile),
            Statement::Sweep { product, update } => self.sweep(product, update),
            Statement::Transpose { from, to, rows, columns } => self.transposed(*from, *to, *rows, *columns),
        }
    }
}
