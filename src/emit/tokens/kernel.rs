//! A kernel as a Rust function.

use rustc_hash::{FxHashMap, FxHashSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::call::{INLINED, is_task, takes_vectors};
use super::lines::Lines;
use crate::emit::layout::{is_scalar, tensor_type};
use crate::emit::names::Scope;
use crate::emit::plan::{Kernel, Local, Plan};
use crate::equation::{IndexId, TensorId};

/// Makes the tokens of one kernel.
pub(super) struct KernelTokens<'a> {
    pub(super) plan: &'a Plan,
    pub(super) lines: &'a Lines<'a>,
    /// The type in which it computes.
    pub(super) scalar: TokenStream,
    /// The module of functions of that type.
    pub(super) math: Ident,
    pub(super) kernel: &'a Kernel,
    pub(super) arguments: FxHashMap<TensorId, Ident>,
    pub(super) locals: Vec<Ident>,
    /// The loop variables that are open, with their identifiers.
    pub(super) loops: Vec<(IndexId, Ident)>,
    pub(super) scope: Scope,
    /// Whether numbers that examples differ in are vectors.
    pub(super) is_abreast: bool,
    /// The local variables that are.
    pub(super) varying: FxHashSet<Local>,
    /// The examples for which something is done.
    pub(super) mask: Option<Ident>,
}

/// What kernels with tiles call their own variables.
const RESERVED: [&str; 18] = [
    "vectors",
    "examples",
    "is_first",
    "buffer",
    "first",
    "end",
    "rows",
    "place",
    "count",
    "before",
    "sums",
    "from_0",
    "from_1",
    "from_2",
    "to_0",
    "tile",
    "block",
    "candidate",
];

/// The function of a kernel. `scalar` is the network's scalar type.
pub(super) fn function(plan: &Plan, lines: &Lines<'_>, kernel: &Kernel, scalar: &TokenStream) -> TokenStream {
    tokens(plan, lines, kernel, scalar, |tokens| {
        if kernel.is_abreast {
            tokens.abreast_function()
        } else if super::tile::is_tiled(kernel) {
            tokens.tiled_function()
        } else if is_task(plan, kernel) {
            tokens.task()
        } else {
            tokens.function()
        }
    })
}

/// What is written of a kernel.
pub(super) fn tokens<'a>(
    plan: &'a Plan,
    lines: &'a Lines<'a>,
    kernel: &'a Kernel,
    scalar: &TokenStream,
    write: impl FnOnce(&mut KernelTokens<'a>) -> TokenStream,
) -> TokenStream {
    let mut scope = Scope::default();
    let mut arguments = FxHashMap::default();
    let is_tiled = super::tile::is_tiled(kernel);
    if is_tiled || takes_vectors(plan, kernel) {
        RESERVED.into_iter().for_each(|name| {
            scope.identifier(name);
        });
    }
    // What computes several layers is of none of them.
    let general = |name: &str| if kernel.alike > 1 { without_numbers(name) } else { name.to_owned() };
    for &tensor in kernel.reads.iter().chain(&kernel.writes) {
        arguments.insert(tensor, scope.identifier(&general(&plan.context.tensor(tensor).name)));
    }
    let locals = kernel.locals.iter().map(|name| scope.identifier(&general(name))).collect();
    let (scalar, math) = if kernel.in_double { (quote!(f64), "double_math") } else { (scalar.clone(), "math") };
    let math = Ident::new(math, Span::call_site());
    let mut tokens = KernelTokens {
        plan,
        lines,
        scalar,
        math,
        kernel,
        arguments,
        locals,
        loops: Vec::new(),
        scope,
        is_abreast: kernel.is_abreast,
        varying: FxHashSet::default(),
        mask: None,
    };
    write(&mut tokens)
}

/// A name without the number of a layer.
fn without_numbers(name: &str) -> String {
    name.chars().filter(|character| !character.is_ascii_digit()).collect()
}

impl KernelTokens<'_> {
    fn function(&mut self) -> TokenStream {
        let name = super::identifier(&self.kernel.name);
        let lines = self.lines.of_function(self.plan, self.kernel);
        let read_arguments = self.kernel.reads.iter().map(|tensor| {
            let (name, of_type) = self.argument(*tensor);
            if is_scalar(self.plan.context.tensor(*tensor)) { quote!(#name: #of_type) } else { quote!(#name: &#of_type) }
        });
        let written_arguments = self.kernel.writes.iter().map(|tensor| {
            let (name, of_type) = self.argument(*tensor);
            quote!(#name: &mut #of_type)
        });
        let arguments: Vec<_> = read_arguments.chain(written_arguments).collect();
        let kernel = self.kernel;
        let body = self.statements(&kernel.body);
        let result = kernel.result.as_ref().map(|value| self.value(value));
        let scalar = &self.scalar;
        let arrow = result.as_ref().map(|_| quote!(-> #scalar));
        let inline = (kernel.alike <= INLINED).then(|| quote!(#[inline(always)]));
        let (generic, vectors) =
            if takes_vectors(self.plan, kernel) { (quote!(<V: tile::Vectors>), quote!(vectors: V,)) } else { Default::default() };
        quote! {
            #(#[doc = #lines])*
            #inline
            fn #name #generic(#vectors #(#arguments),*) #arrow {
                #body
                #result
            }
        }
    }

    /// The function of a kernel that computes tiles for all examples.
    fn tiled_function(&mut self) -> TokenStream {
        let name = super::identifier(&self.kernel.name);
        let lines = self.lines.of_function(self.plan, self.kernel);
        let tensors = self.kernel_arguments();
        let arguments: Vec<_> = tensors
            .iter()
            .map(|&tensor| {
                let (name, of_type) = (&self.arguments[&tensor], self.tiled_type(tensor, &TokenStream::new()));
                quote!(#name: #of_type)
            })
            .collect();
        let cuts = self.cut_to_examples(&tensors);
        let kernel = self.kernel;
        let cleared = self.cleared(&kernel.body);
        let body = self.statements(&kernel.body);
        let inline = if kernel.alike <= INLINED { quote!(always) } else { quote!(never) };
        quote! {
            #(#[doc = #lines])*
            #[inline(#inline)]
            fn #name<V: tile::Vectors>(vectors: V, examples: usize, is_first: bool, #(#arguments),*) {
                #cuts
                #cleared
                #body
            }
        }
    }

    /// The function of a kernel that runs with the instructions of the pass: over parts of rows of elements, or called often.
    fn task(&mut self) -> TokenStream {
        let name = super::identifier(&self.kernel.name);
        let lines = self.lines.of_function(self.plan, self.kernel);
        let tensors = self.kernel_arguments();
        let names: Vec<_> = tensors.iter().map(|tensor| self.arguments[tensor].clone()).collect();
        let types: Vec<_> = tensors.iter().map(|&tensor| self.tiled_type(tensor, &quote!('a))).collect();
        let rows: Vec<TensorId> =
            tensors.iter().copied().filter(|&tensor| super::tile::row_of(self.plan, tensor).is_some()).collect();
        let lengths: Vec<_> = rows
            .iter()
            .map(|tensor| {
                let name = &self.arguments[tensor];
                quote!(.min(#name.len()))
            })
            .collect();
        let elements = (!rows.is_empty()).then(|| quote!(let elements = usize::MAX #(#lengths)*;));
        let cuts = self.cut(&rows, &quote!(elements));
        let kernel = self.kernel;
        let body = self.statements(&kernel.body);
        quote! {
            #(#[doc = #lines])*
            struct #name<'a>(#(#types),*);

            impl tile::Run for #name<'_> {
                type Output = ();

                #[inline(always)]
                fn run<V: tile::Vectors>(self, vectors: V) {
                    let Self(#(#names),*) = self;
                    #elements
                    #cuts
                    #body
                }
            }
        }
    }

    /// What the kernel reads, then what it writes.
    pub(super) fn kernel_arguments(&self) -> Vec<TensorId> {
        self.kernel.reads.iter().chain(&self.kernel.writes).copied().collect()
    }

    fn argument(&self, tensor: TensorId) -> (&Ident, TokenStream) {
        (&self.arguments[&tensor], tensor_type(self.plan.context.tensor(tensor), &self.scalar))
    }

    pub(super) fn local(&self, local: crate::emit::plan::Local) -> &Ident {
        &self.locals[local.0]
    }

    /// Whether a tensor reaches the kernel by `&mut`.
    pub(super) fn is_written(&self, tensor: TensorId) -> bool {
        self.kernel.writes.contains(&tensor)
    }

    /// The identifier of an open loop's variable.
    pub(super) fn loop_variable(&self, index: IndexId) -> Option<&Ident> {
        self.loops.iter().rev().find(|(open, _)| *open == index).map(|(_, identifier)| identifier)
    }

    /// A new variable that is given back when `work` is done.
    pub(super) fn with_variable<T>(&mut self, name: &str, work: impl FnOnce(&mut Self, &Ident) -> T) -> T {
        let identifier = self.scope.identifier(name);
        let result = work(self, &identifier);
        self.scope.release(&identifier);
        result
    }

    pub(super) fn with_loop<T>(&mut self, index: IndexId, work: impl FnOnce(&mut Self, &Ident) -> T) -> T {
        let name = self.plan.context.index_of(index).name.clone();
        self.with_variable(&name, |tokens, identifier| {
            tokens.loops.push((index, identifier.clone()));
            let result = work(tokens, identifier);
            tokens.loops.pop();
            result
        })
    }
}
