//! A kernel as a Rust function.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use crate::emit::layout::{is_scalar, tensor_type};
use crate::emit::names::Scope;
use crate::emit::plan::{Kernel, Local, Plan, Position, Range, Statement, Storage};
use crate::equation::{Affine, IndexId, ReduceKind, TensorId};

/// Makes the tokens of one kernel.
pub(super) struct KernelTokens<'a> {
    pub(super) plan: &'a Plan,
    /// The type in which it computes.
    pub(super) scalar: TokenStream,
    /// The module of functions of that type.
    pub(super) math: Ident,
    pub(super) kernel: &'a Kernel,
    pub(super) arguments: HashMap<TensorId, Ident>,
    locals: Vec<Ident>,
    /// The loop variables that are open, with their identifiers.
    loops: Vec<(IndexId, Ident)>,
    scope: Scope,
    /// Whether numbers that examples differ in are vectors.
    pub(super) is_abreast: bool,
    /// The local variables that are.
    pub(super) varying: HashSet<Local>,
    /// The examples for which something is done.
    pub(super) mask: Option<Ident>,
}

/// At least as many elements as a vector holds.
const LONG_ROW: usize = 16;
/// A function that computes more kernels than this is called by each, not copied into the pass.
const INLINED: usize = 16;
/// So many elements may be written out.
const FEW_ELEMENTS: usize = 128;

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
pub(super) fn function(plan: &Plan, kernel: &Kernel, scalar: &TokenStream) -> TokenStream {
    let mut scope = Scope::default();
    let mut arguments = HashMap::new();
    let is_tiled = super::tile::is_tiled(kernel);
    if is_tiled || kernel.is_abreast {
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
        scalar,
        math,
        kernel,
        arguments,
        locals,
        loops: Vec::new(),
        scope,
        is_abreast: kernel.is_abreast,
        varying: HashSet::new(),
        mask: None,
    };
    if kernel.is_abreast {
        tokens.abreast_function()
    } else if is_tiled {
        tokens.tiled_function()
    } else if is_task(plan, kernel) {
        tokens.task()
    } else {
        tokens.function()
    }
}

/// A call of a kernel, given how a pass reaches a tensor.
pub(super) fn call(plan: &Plan, kernel: &Kernel, scalar: &TokenStream, place: impl Fn(TensorId) -> TokenStream) -> TokenStream {
    let name = super::identifier(&plan.function_of(kernel).name);
    let arguments = arguments(plan, kernel, scalar, place);
    if super::tile::is_tiled(kernel) {
        quote!(#name(vectors, examples, is_first, #(#arguments),*))
    } else if is_task(plan, kernel) {
        let run = if kernel.alike > INLINED { quote!(call) } else { quote!(run) };
        quote!(vectors.#run(#name(#(#arguments),*)))
    } else {
        quote!(#name(#(#arguments),*))
    }
}

/// Whether a kernel runs as a function of its own with the instructions of the pass.
fn is_task(plan: &Plan, kernel: &Kernel) -> bool {
    let is_over_rows = || kernel.reads.iter().chain(&kernel.writes).any(|&tensor| super::tile::row_of(plan, tensor).is_some());
    let is_called_often = plan.is_vectorized && kernel.alike > INLINED && kernel.result.is_none();
    !super::tile::is_tiled(kernel) && (is_called_often || is_over_rows())
}

/// A name without the number of a layer.
fn without_numbers(name: &str) -> String {
    name.chars().filter(|character| !character.is_ascii_digit()).collect()
}

/// Which equations a function computes.
fn documentation(plan: &Plan, kernel: &Kernel) -> Vec<String> {
    let number = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let mut lines = kernel.equations.clone();
    let mut numbers: Vec<String> = lines.iter().map(|line| number(line)).collect();
    let mut others = Vec::new();
    for other in plan.kernels.iter().filter(|other| other.function == kernel.function && other.name != kernel.name) {
        for line in &other.equations {
            if !numbers.contains(&number(line)) {
                numbers.push(number(line));
                lines.push(line.clone());
            }
        }
        for &tensor in &other.writes {
            let name = format!("`{}`", plan.context.tensor(super::tile::row_of(plan, tensor).unwrap_or(tensor)).name);
            if !others.contains(&name) {
                others.push(name);
            }
        }
    }
    if !others.is_empty() {
        lines.push(format!("The same for {}.", others.join(", ")));
    }
    lines.iter().map(|line| super::doc_line(line)).collect()
}

/// The arguments of a call of a kernel, given how a pass reaches a tensor; in the order of the function's parameters.
pub(super) fn arguments(
    plan: &Plan,
    kernel: &Kernel,
    scalar: &TokenStream,
    place: impl Fn(TensorId) -> TokenStream,
) -> Vec<TokenStream> {
    let is_double = kernel.in_double || scalar.to_string() == "f64";
    let reads = kernel.reads.iter().map(|&tensor| {
        if let Some(of) = super::tile::row_of(plan, tensor) {
            return in_a_row(plan, of, &super::tile::of_examples(plan, of, place(of), false), false);
        }
        let place = place(tensor);
        if plan.storage(tensor) == Storage::Scalar {
            if is_double { place } else { quote!(#place as #scalar) }
        } else if is_scalar(plan.context.tensor(tensor)) {
            place
        } else {
            reborrow(&place, &quote!(&))
        }
    });
    let writes = kernel.writes.iter().map(|&tensor| match super::tile::row_of(plan, tensor) {
        Some(of) => in_a_row(plan, of, &super::tile::of_examples(plan, of, place(of), true), true),
        None => reborrow(&place(tensor), &quote!(&mut)),
    });
    reads.chain(writes).collect()
}

/// All elements of a tensor as a slice.
fn in_a_row(plan: &Plan, tensor: TensorId, place: &TokenStream, is_written: bool) -> TokenStream {
    let borrow = if is_written { quote!(&mut) } else { quote!(&) };
    let (from, flatten) = if is_written { ("from_mut", "as_flattened_mut") } else { ("from_ref", "as_flattened") };
    let (from, flatten) = (Ident::new(from, Span::call_site()), Ident::new(flatten, Span::call_site()));
    match plan.context.tensor(tensor).shape.len() {
        0 => {
            let reference = reborrow(place, &borrow);
            quote!(core::slice::#from(#reference))
        }
        1 => quote!(#borrow (#place)[..]),
        rank => {
            let flattened = (1..rank).map(|_| quote!(.#flatten()));
            quote!((#place) #(#flattened)*)
        }
    }
}

/// `&place`, or just `reference` where the place is `*reference`.
fn reborrow(place: &TokenStream, borrow: &TokenStream) -> TokenStream {
    let mut tokens = place.clone().into_iter();
    match tokens.next() {
        Some(proc_macro2::TokenTree::Punct(star)) if star.as_char() == '*' => tokens.collect(),
        _ => quote!(#borrow #place),
    }
}

impl KernelTokens<'_> {
    fn function(&mut self) -> TokenStream {
        let name = super::identifier(&self.kernel.name);
        let lines = documentation(self.plan, self.kernel);
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
        quote! {
            #(#[doc = #lines])*
            #inline
            fn #name(#(#arguments),*) #arrow {
                #body
                #result
            }
        }
    }

    /// The function of a kernel that computes tiles for all examples.
    fn tiled_function(&mut self) -> TokenStream {
        let name = super::identifier(&self.kernel.name);
        let lines = documentation(self.plan, self.kernel);
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
        let lines = documentation(self.plan, self.kernel);
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

    pub(super) fn statements(&mut self, statements: &[Statement]) -> TokenStream {
        statements.iter().map(|statement| self.statement(statement, None)).collect()
    }

    /// A statement; `lane` is the accumulator that a [`Statement::Combine`] in lanes adds to.
    fn statement(&mut self, statement: &Statement, lane: Option<&Ident>) -> TokenStream {
        if self.is_abreast
            && let Some(tokens) = self.abreast_statement(statement)
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
            Statement::StartRow(local, index) => {
                let (zero, scalar) = (self.number(0.0), &self.scalar);
                let extent = Literal::usize_unsuffixed(self.plan.context.index_of(*index).extent());
                let local = self.local(*local);
                quote!(let mut #local: [#scalar; #extent] = [#zero; #extent];)
            }
            Statement::Combine { into, in_lanes, kind, value } => {
                let value = self.value(value);
                let into = self.local(*into);
                let into = match lane {
                    Some(lane) if *in_lanes => quote!(#into[#lane]),
                    _ => quote!(#into),
                };
                match kind {
                    ReduceKind::Sum => quote!(#into += #value;),
                    ReduceKind::Product => quote!(#into *= #value;),
                    ReduceKind::Max => self.with_variable(
                        "candidate",
                        |_, candidate| quote!(let #candidate = #value; if #candidate > #into { #into = #candidate; }),
                    ),
                    ReduceKind::Min => self.with_variable(
                        "candidate",
                        |_, candidate| quote!(let #candidate = #value; if #candidate < #into { #into = #candidate; }),
                    ),
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
                let value = self.value(value);
                let place = self.place(place, true);
                quote!(#place += #value;)
            }
            Statement::Tile(tile) => self.tile(tile),
            Statement::Transpose { from, to, rows, columns } => self.transposed(*from, *to, *rows, *columns),
        }
    }

    /// Whether a loop goes along a row, element by element, and is to become vectors as it is. A compiler that knows how many elements there
    /// are writes such a loop out, and then makes vectors across the rows: their elements lie apart, and each is read and written by itself.
    fn is_long_row(&self, index: IndexId, range: &Range, body: &[Statement]) -> bool {
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
    fn at(&mut self, index: IndexId, position: &Position, body: &[Statement]) -> TokenStream {
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
    fn lanes(&mut self, index: IndexId, lanes: usize, body: &[Statement]) -> TokenStream {
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
    fn loop_values(&mut self, index: IndexId, range: &Range) -> TokenStream {
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
    fn descending(&mut self, index: IndexId, body: &[Statement]) -> TokenStream {
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
