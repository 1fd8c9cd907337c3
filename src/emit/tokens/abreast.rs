//! Kernels that compute several examples at once: the code of one example, with a vector in place of each number that examples differ in.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};

use super::kernel::KernelTokens;
use super::{Emitter, call};
use crate::emit::access::Access;
use crate::emit::code::Code;
use crate::emit::layout::tensor_type;
use crate::emit::plan::{Abreast, Batch, Branch, Condition, Place, Plan, Position, Statement, Storage, Value};
use crate::equation::{IndexId, ReduceKind, Relation, TensorId};

/// The tensor that holds one of several examples beside each other.
fn rows_of(plan: &Plan, tensor: TensorId) -> Option<TensorId> {
    plan.batch.as_ref()?.rows.iter().find(|(one, _)| *one == tensor).map(|(_, rows)| *rows)
}

/// All elements of something with so many axes, in a row.
fn flat(place: &TokenStream, rank: usize, is_written: bool) -> TokenStream {
    match (rank, is_written) {
        (0, false) => quote!(core::slice::from_ref(&#place)),
        (0, true) => quote!(core::slice::from_mut(&mut #place)),
        (1, false) => quote!(&(#place)[..]),
        (1, true) => quote!(&mut (#place)[..]),
        (_, false) => {
            let flattened = (1..rank).map(|_| quote!(.as_flattened()));
            quote!((#place) #(#flattened)*)
        }
        (_, true) => {
            let flattened = (1..rank).map(|_| quote!(.as_flattened_mut()));
            quote!((#place) #(#flattened)*)
        }
    }
}

impl Emitter<'_> {
    /// A loop over blocks of examples: what a kernel reads is put into rows, and what others read of it back.
    pub(super) fn abreast_step(&self, batch: &Batch, step: &Abreast) -> TokenStream {
        let scalar = &self.scalar;
        let (mut each, mut blocks) = (Vec::new(), Vec::new());
        for &tensor in &step.gathered {
            match self.gather_block(batch, tensor) {
                Some(block) => blocks.push(block),
                None => each.push(self.gather_example(tensor)),
            }
        }
        let each = (!each.is_empty()).then(|| {
            quote! {
                for (lane, (input, target)) in inputs.iter().zip(targets).skip(first).take(count).enumerate() { #(#each)* }
            }
        });
        let scattered = step.scattered.iter().filter_map(|&tensor| {
            let stored = self.layout.batch.place(tensor)?;
            let described = self.plan.context.tensor(tensor);
            let (rows, size) = (self.rows_place(tensor, false), Literal::usize_unsuffixed(described.size()));
            let to = flat(&quote!(batch.#stored), described.shape.len() + 1, true);
            Some(quote!(tile::scatter(vectors, #rows, #size, count, (#to).get_mut(first * #size..).unwrap_or(&mut []));))
        });
        let call = self.abreast_call(step.kernel);
        quote! {
            let mut first = 0;
            while first < examples {
                let count = tile::examples_of_block::<V, #scalar>(vectors).min(examples - first);
                #(#blocks)*
                #each
                #call;
                #(#scattered)*
                first += count;
            }
        }
    }

    /// Puts a tensor of the examples of a block into rows, where they lie one after the other.
    fn gather_block(&self, batch: &Batch, tensor: TensorId) -> Option<TokenStream> {
        let described = self.plan.context.tensor(tensor);
        let rows = self.rows_place(tensor, true);
        if self.layout.targets == [tensor] && described.label && described.shape.len() == 1 {
            return Some(quote!(tile::gather_labels(targets.get(first..).unwrap_or(&[]), count, #rows);));
        }
        let all = match self.layout.batch.place(tensor) {
            Some(stored) => quote!(batch.#stored),
            None if batch.tensors.second_of(tensor).is_some() => quote!(inputs),
            None => return None,
        };
        let (from, size) = (flat(&all, described.shape.len() + 1, false), Literal::usize_unsuffixed(described.size()));
        Some(quote!(tile::gather(vectors, (#from).get(first * #size..).unwrap_or(&[]), #size, count, #rows);))
    }

    /// Puts a tensor of one example into rows.
    fn gather_example(&self, tensor: TensorId) -> TokenStream {
        let described = self.plan.context.tensor(tensor);
        let (rows, rank) = (self.rows_place(tensor, true), described.shape.len());
        let (put, rank) = if described.label { (quote!(place_labels), rank - 1) } else { (quote!(place), rank) };
        let elements = flat(&self.layout.place(&self.plan, tensor).to_token_stream(), rank, false);
        let put = quote!(tile::#put(#elements, lane, #rows););
        match self.plan.storage(tensor) {
            Storage::Noise => quote!(if let core::option::Option::Some(noise) = batch.noises.get(first + lane) { #put }),
            _ => put,
        }
    }

    fn abreast_call(&self, kernel: usize) -> TokenStream {
        let kernel = &self.plan.kernels[kernel];
        let name = super::identifier(&kernel.name);
        let arguments = call::arguments(kernel).map(|argument| {
            let mut code = Code::default();
            match rows_of(&self.plan, argument.tensor).and_then(|rows| self.layout.batch.place(rows)) {
                stored @ Some(_) => Access::variable("batch").stored(stored).borrow(argument.is_written, &mut code),
                None => {
                    let place = |tensor| self.layout.place(&self.plan, tensor);
                    argument.write(&self.plan, kernel, self.options.scalar, place, &mut code);
                }
            }
            code
        });
        quote!(#name(vectors, count, #(#arguments),*))
    }

    /// A tensor's rows as a slice.
    fn rows_place(&self, tensor: TensorId, is_written: bool) -> TokenStream {
        let stored = rows_of(&self.plan, tensor).and_then(|rows| self.layout.batch.place(rows));
        let tensor = self.plan.context.tensor(tensor);
        let rank = tensor.shape.len() - usize::from(tensor.label);
        flat(&quote!(batch.#stored), rank, is_written)
    }
}

impl KernelTokens<'_> {
    /// The function of a kernel for several examples.
    pub(super) fn abreast_function(&mut self) -> TokenStream {
        let name = super::identifier(&self.kernel.name);
        let lines = self.lines.of_function(self.plan, self.kernel);
        let arguments: Vec<_> = self
            .kernel_arguments()
            .into_iter()
            .map(|tensor| {
                let (name, is_written) = (&self.arguments[&tensor], self.is_written(tensor));
                let mutable = is_written.then(|| quote!(mut));
                match rows_of(self.plan, tensor) {
                    Some(rows) => {
                        let of_type = tensor_type(self.plan.context.tensor(rows), &self.scalar);
                        quote!(#name: & #mutable #of_type)
                    }
                    None => {
                        let of_type = self.tiled_type(tensor, &TokenStream::new());
                        quote!(#name: #of_type)
                    }
                }
            })
            .collect();
        let (kernel, scalar) = (self.kernel, self.scalar.clone());
        let body = self.statements(&kernel.body);
        quote! {
            #(#[doc = #lines])*
            #[inline(always)]
            fn #name<V: tile::Vectors>(vectors: V, examples: usize, #(#arguments),*) {
                let block = tile::Block::<_, #scalar>::new(vectors, examples);
                #body
            }
        }
    }

    /// What is different of a statement.
    pub(super) fn abreast_statement(&mut self, statement: &Statement) -> Option<TokenStream> {
        Some(match statement {
            Statement::Let(local, value) => {
                let is_varying = self.varies(value);
                let value = if is_varying { self.value(value) } else { self.uniform(|tokens| tokens.value(value)) };
                if is_varying {
                    self.varying.insert(*local);
                }
                let local = self.local(*local);
                quote!(let #local = #value;)
            }
            Statement::Start(local, first) => {
                let first = self.number(*first);
                self.varying.insert(*local);
                let local = self.local(*local);
                quote!(let mut #local = block.all(#first);)
            }
            Statement::Combine { into, kind, value, .. } => self.combine_abreast(self.local(*into).clone(), *kind, value),
            Statement::Set(place, value) => {
                let value = self.value(value);
                let row = self.row(place, true);
                quote!((#value).store(#row);)
            }
            Statement::Add(place, value) => {
                let value = self.value(value);
                let value = self.masked(value);
                if rows_of(self.plan, place.tensor).is_none() {
                    let place = self.place(place, true);
                    return Some(quote!(#place += block.total(#value);));
                }
                let (read, written) = (self.row(place, false), self.row(place, true));
                quote!((block.load(#read) + #value).store(#written);)
            }
            Statement::At { index, position: Position::Label(place), body } => self.at_label(*index, place, body),
            _ => return None,
        })
    }

    fn combine_abreast(&mut self, into: Ident, kind: ReduceKind, value: &Value) -> TokenStream {
        if let (ReduceKind::Sum, None, Value::Product(factors)) = (kind, &self.mask, value)
            && let [first, rest @ ..] = &factors[..]
            && !matches!(first, Value::Number(_))
            && !rest.is_empty()
        {
            let (first, rest) = (self.value(first), self.value(&Value::Product(rest.to_vec())));
            return quote!(#into = (#first).multiply_add(#rest, #into););
        }
        let value = self.value(value);
        match kind {
            ReduceKind::Sum => {
                let value = self.masked(value);
                quote!(#into += #value;)
            }
            ReduceKind::Product => quote!(#into *= #value;),
            ReduceKind::Max => quote!(#into = { let candidate = #value; #into.less(candidate).choose(candidate, #into) };),
            ReduceKind::Min => quote!(#into = { let candidate = #value; candidate.less(#into).choose(candidate, #into) };),
        }
    }

    /// A term, 0 for examples that have another label.
    fn masked(&self, value: TokenStream) -> TokenStream {
        match &self.mask {
            Some(mask) => quote!(#mask.choose(#value, block.all(0.0))),
            None => value,
        }
    }

    /// What is done for one value of an index, which each example has for itself: for all values, each with those examples that have it.
    fn at_label(&mut self, index: IndexId, place: &Place, body: &[Statement]) -> TokenStream {
        let range = self.plan.context.index_of(index).clone();
        let (start, end) = (Literal::i64_unsuffixed(range.start.max(0)), Literal::i64_unsuffixed(range.end.max(0)));
        let (row, scalar) = (self.row(place, false), self.scalar.clone());
        self.with_loop(index, |tokens, variable| {
            let variable = variable.clone();
            let body = tokens.with_variable("here", |tokens, here| {
                tokens.mask = Some(here.clone());
                let body = tokens.statements(body);
                tokens.mask = None;
                quote!(let #here = block.load(#row).equal(block.all(#variable as #scalar)); #body)
            });
            quote!(for #variable in #start..#end { #body })
        })
    }

    /// The row of an element's examples.
    fn row(&mut self, place: &Place, is_written: bool) -> TokenStream {
        let argument = self.arguments[&place.tensor].clone();
        let borrow = if is_written { quote!(&mut) } else { quote!(&) };
        if place.indices.is_empty() {
            return quote!(#borrow *#argument);
        }
        let indices: Vec<_> = place.indices.iter().map(|index| self.position(index)).collect();
        quote!(#borrow #argument #([#indices])*)
    }

    /// Runs `work` where numbers are numbers.
    fn uniform<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.is_abreast, false);
        let result = work(self);
        self.is_abreast = before;
        result
    }

    /// A function of the runtime of each number.
    fn mapped(&self, name: &str, argument: &TokenStream) -> TokenStream {
        if let Some(function) = self.tabled_function(name) {
            return quote!((#argument).of_each(vectors, #function));
        }
        if self.has_fused(name) {
            let of_each = self.function_of(name, &quote!(number));
            return quote!((#argument).map(|number| #of_each));
        }
        let (math, function) = (&self.math, super::identifier(name));
        quote!((#argument).map(#math::#function))
    }

    /// A value that is different from what it is for one example, as something that binds tightly.
    pub(super) fn abreast_value(&mut self, value: &Value) -> Option<TokenStream> {
        if !self.varies(value) {
            let value = self.uniform(|tokens| tokens.value(value));
            return Some(quote!(block.all(#value)));
        }
        Some(match value {
            Value::Load(place) => {
                let guards = self.guards(place);
                let row = self.row(place, false);
                if guards.is_empty() {
                    return Some(quote!(block.load(#row)));
                }
                quote!((if #(#guards)&&* { block.load(#row) } else { block.all(0.0) }))
            }
            Value::Call(function, argument) => {
                let argument = self.value(argument);
                self.mapped(function.name(), &argument)
            }
            Value::Choose { condition, then, otherwise } => {
                let (one, other) = (self.block(then), self.block(otherwise));
                if self.condition_varies(condition) {
                    let truth = self.truth(condition);
                    return Some(quote!(#truth.choose({ #one }, { #other })));
                }
                let condition = self.uniform(|tokens| tokens.condition(condition));
                quote!((if #condition { #one } else { #other }))
            }
            Value::Truth(condition) => {
                let truth = self.truth(condition);
                quote!(#truth.choose(block.all(1.0), block.all(0.0)))
            }
            _ => return None,
        })
    }

    /// A condition as a truth value for each example.
    fn truth(&mut self, condition: &Condition) -> TokenStream {
        if !self.condition_varies(condition) {
            let condition = self.uniform(|tokens| tokens.condition(condition));
            return quote!(block.truth(#condition));
        }
        match condition {
            Condition::Compare(relation, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                match relation {
                    Relation::Less => quote!((#left).less(#right)),
                    Relation::LessEqual => quote!((#left).at_most(#right)),
                    Relation::Greater => quote!((#right).less(#left)),
                    Relation::GreaterEqual => quote!((#right).at_most(#left)),
                    Relation::Equal => quote!((#left).equal(#right)),
                    Relation::NotEqual => quote!((!(#left).equal(#right))),
                }
            }
            Condition::Label(place, class) => {
                let row = self.row(place, false);
                let class = self.affine_as_number(class);
                quote!(block.load(#row).equal(block.all(#class)))
            }
            Condition::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.truth(part)).collect();
                quote!((#(#parts)&*))
            }
            Condition::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.truth(part)).collect();
                quote!((#(#parts)|*))
            }
            Condition::Not(part) => {
                let part = self.truth(part);
                quote!((!#part))
            }
            Condition::NotZero(value) => {
                let value = self.value(value);
                quote!((!(#value).equal(block.all(0.0))))
            }
        }
    }

    /// Whether examples differ in a value.
    fn varies(&self, value: &Value) -> bool {
        match value {
            Value::Number(_) | Value::Index(_) => false,
            Value::Local(local) | Value::OfRow(local, _) => self.varying.contains(local),
            Value::Load(place) => rows_of(self.plan, place.tensor).is_some(),
            Value::Sum(values) | Value::Product(values) => values.iter().any(|value| self.varies(value)),
            Value::Quotient(one, other) | Value::Power(one, other) => self.varies(one) || self.varies(other),
            Value::IntegerPower(base, _) | Value::Call(_, base) => self.varies(base),
            Value::Choose { condition, then, otherwise } => {
                self.condition_varies(condition) || self.branch_varies(then) || self.branch_varies(otherwise)
            }
            Value::Truth(condition) => self.condition_varies(condition),
        }
    }

    /// A branch with statements of its own is not looked into: it is computed for all examples.
    fn branch_varies(&self, branch: &Branch) -> bool {
        !branch.statements.is_empty() || self.varies(&branch.value)
    }

    fn condition_varies(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Compare(_, left, right) => self.varies(left) || self.varies(right),
            Condition::Label(..) => true,
            Condition::And(parts) | Condition::Or(parts) => parts.iter().any(|part| self.condition_varies(part)),
            Condition::Not(part) => self.condition_varies(part),
            Condition::NotZero(value) => self.varies(value),
        }
    }
}
