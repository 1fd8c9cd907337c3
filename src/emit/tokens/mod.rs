//! From a plan to tokens: types, kernels, passes, and the methods over them.

mod abreast;
mod batch;
mod call;
mod functions;
mod fused;
mod kernel;
mod lines;
mod loops;
mod memory;
mod methods;
mod noise;
mod parallel;
mod passes;
mod product;
mod statement;
mod sums;
mod sweep;
mod tile;
mod types;
mod value;
mod variables;

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use self::lines::Lines;
use super::layout::Layout;
use super::plan::Plan;
use super::{EmitOptions, names};
use crate::derivation::Derivation;

/// All that the tokens are made from.
pub(super) struct Emitter<'a> {
    pub(super) derivation: &'a Derivation,
    pub(super) plan: Plan,
    lines: Lines<'a>,
    pub(super) layout: Layout,
    pub(super) options: &'a EmitOptions,
    /// The network's scalar type.
    pub(super) scalar: TokenStream,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(derivation: &'a Derivation, options: &'a EmitOptions) -> Self {
        let plan = Plan::new(derivation, options.examples);
        let layout = Layout::new(derivation, &plan, options);
        let scalar = Ident::new(options.scalar.name(), Span::call_site());
        Self { derivation, plan, lines: Lines::new(derivation), layout, options, scalar: quote!(#scalar) }
    }

    pub(super) fn tokens(&self) -> TokenStream {
        let types = self.types();
        let runtime = &self.options.runtime_path;
        let math = identifier(self.options.scalar.name());
        let (kernels, passes, methods, parallel) = (self.kernels(), self.passes(), self.methods(), self.parallel());
        let views = self.views();
        let items = quote!(#views #kernels #passes #methods #parallel);
        let free_names = self.free_names(&items);
        let version = format_ident!("GENERATED_BY_{}", env!("CARGO_PKG_VERSION").replace(['.', '-', '+'], "_"));
        quote! {
            #types

            #[allow(unused, clippy::all, clippy::pedantic, clippy::nursery)]
            const _: () = {
                use #runtime::__private::{core, memory, math::f64 as double_math, math::#math as math, random, tile};

                const _: () = #runtime::__private::#version;

                #free_names

                #items
            };
        }
    }

    /// The types of arrays as which shared memory is used.
    fn views(&self) -> TokenStream {
        let spaces = [&self.layout.values, &self.layout.work, &self.layout.batch];
        let views: BTreeMap<_, _> = spaces.into_iter().flat_map(|space| &space.views).collect();
        let views = views.into_iter().map(|(name, of_type)| {
            let name = Ident::new(name, Span::call_site());
            quote!(const #name: memory::View<#of_type> = memory::view();)
        });
        views.collect()
    }

    fn kernels(&self) -> TokenStream {
        let kernels = self.plan.kernels.iter().enumerate();
        let functions = kernels.filter(|(at, kernel)| kernel.function == *at);
        functions.map(|(_, kernel)| kernel::function(&self.plan, &self.lines, kernel, &self.scalar)).collect()
    }

    /// The name of a generated type beside the network's.
    pub(in crate::emit) fn type_name(&self, suffix: &str) -> Ident {
        let name = &self.options.struct_name;
        format_ident!("{name}{suffix}")
    }

    /// The name of a generated type that users have no need to name.
    pub(super) fn hidden_type_name(&self, suffix: &str) -> Ident {
        let name = &self.options.struct_name;
        format_ident!("__{name}{suffix}")
    }
}

/// A name that the emitter made, or that is known to be an identifier.
pub(super) fn identifier(name: &str) -> Ident {
    match name {
        "f32" | "f64" => Ident::new(name, Span::call_site()),
        _ => Ident::new(&names::ascii(name), Span::call_site()),
    }
}

/// A line of documentation, a space after the slashes.
pub(in crate::emit) fn doc_line(text: &str) -> String {
    format!(" {text}")
}
