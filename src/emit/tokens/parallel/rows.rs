//! Blocks whose gradients are summed up row by row, each followed by its update, so that none is stored.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};

use super::super::kernel::{self, KernelTokens};
use super::super::tile::{row_of, rows_at_once};
use super::super::{Emitter, call};
use crate::emit::code::Code;
use crate::emit::names;
use crate::emit::plan::{Batch, Kernel, Statement, Tile};
use crate::equation::{Table, TensorId};

/// An update writes at most so many tensors, which the runtime knows too.
const MOST_WRITTEN: usize = 4;
/// Elements of a gradient that is summed up elsewhere, which a thread updates before the next asks for work.
const UPDATED: usize = 4096;
/// Elements of a parameter to which a thread adds its gradient before the next asks for work.
const IN_PLACE: usize = 1 << 13;

/// A parameter that is updated row by row.
struct Updated<'a> {
    gradient: TensorId,
    /// The kernel that computes tiles of its gradient, if there is one; else each block has the whole.
    tiles: Option<&'a Kernel>,
    /// The scalar times which the gradient is added to the parameter, where that is the whole update.
    factor: Option<TensorId>,
    update: &'a Kernel,
    /// The most elements that are computed at once.
    elements: usize,
}

/// The tile that a kernel consists of.
fn only_tile(kernel: &Kernel) -> Option<&Tile> {
    match &kernel.body[..] {
        [Statement::Tile(tile)] => Some(tile),
        _ => None,
    }
}

/// The name of the function that computes some rows of a kernel's tiles.
pub(in crate::emit::tokens) fn some_rows(kernel: &Kernel) -> String {
    format!("rows_{}", kernel.function)
}

impl Emitter<'_> {
    /// All parameters, if each can be updated row by row.
    fn updated_in_rows(&self, batch: &Batch) -> Option<Vec<Updated<'_>>> {
        let kernels = &self.plan.kernels;
        let is_row = |tensor: &TensorId| row_of(&self.plan, *tensor).is_some();
        if !self.trains_in_tiles() || !self.plan.update_is_fused || self.plan.update.len() != self.plan.gradients.len() {
            return None;
        }
        // The first update that reads each gradient, as one row.
        let mut updates: Table<TensorId, &Kernel> = Table::default();
        for &update in &self.plan.update {
            let rows: Vec<TensorId> = kernels[update].reads.iter().filter_map(|&read| row_of(&self.plan, read)).collect();
            for &row in &rows {
                if rows.iter().filter(|other| **other == row).count() == 1 {
                    updates.insert_first(row, &kernels[update]);
                }
            }
        }
        let updated = self.plan.gradients.iter().map(|&(_, gradient)| {
            let update = *updates.get(gradient)?;
            let in_rows = update.reads.iter().filter(|read| is_row(read)).count();
            if in_rows != 1 || update.writes.len() > MOST_WRITTEN || !update.writes.iter().all(is_row) {
                return None;
            }
            let Some(tiles) = batch.tiles_of(gradient) else {
                let elements = self.plan.size(gradient).min(UPDATED);
                return Some(Updated { gradient, tiles: None, factor: None, update, elements });
            };
            let updating = only_tile(&kernels[tiles.updating?])?;
            let tiles = &kernels[*tiles.kernels.first()?];
            only_tile(&kernels[tiles.function])?;
            let (rows, columns) = rows_at_once(&self.plan, updating);
            let factor = updating.update_factor;
            let rows = if factor.is_some() { (IN_PLACE / columns).max(rows) } else { rows };
            Some(Updated { gradient, tiles: Some(tiles), factor, update, elements: rows * columns })
        });
        updated.collect()
    }

    /// The blocks of a minibatch, if it can be done in rows.
    pub(super) fn parallel_in_rows(&self) -> Option<TokenStream> {
        let batch = self.plan.batch.as_ref()?;
        let updated = self.updated_in_rows(batch)?;
        let (runtime, network, scratch, scalar) =
            (&self.options.runtime_path, &self.options.struct_name, self.type_name("Scratch"), &self.scalar);
        let (input, target, state) = (self.input_type(), self.target_type(), self.type_name("State"));
        let examples = Literal::usize_unsuffixed(self.examples_of_a_block().min(batch.examples));
        let buffer = Literal::usize_unsuffixed(
            updated.iter().filter(|updated| updated.factor.is_none()).map(|updated| updated.elements).max().unwrap_or(1),
        );
        let [_, vectors, _] = self.vectors();
        let (seed, pass) = (self.block_seed(), self.pass_of_block(batch));
        let updating = batch.gradients.iter().filter_map(|tiles| tiles.updating);
        let updating: Vec<usize> = self.plan.update.iter().copied().chain(updating).collect();
        let constants = self.plan.constants_for(&updating);
        let count = Literal::usize_unsuffixed(constants.len());
        let names: Vec<_> = constants.iter().map(|(tensor, _)| self.layout.field(*tensor)).collect();
        let constants = self.constants_for(&updating);
        let mut parts = Code::default();
        updated.iter().enumerate().for_each(|(at, updated)| self.write_part(at, updated, &mut parts));
        let mut functions = std::collections::BTreeMap::new();
        for kernel in updated.iter().filter_map(|updated| updated.tiles) {
            functions.entry(kernel.function).or_insert_with(|| self.rows_function(&self.plan.kernels[kernel.function]));
        }
        let functions = functions.values();
        let sums = self.sums_of_parts(batch, &updated);
        let updates = self.updates_of_parts(&updated);
        Some(quote! {
            #runtime::__parallel! {
                rows,
                #network,
                impl #runtime::__private::parallel::rows::Split for #network {
                    const EXAMPLES: usize = #examples;
                    type Constants = [f64; #count];
                    type Buffer = [#scalar; #buffer];
                    const BUFFER: [#scalar; #buffer] = [0.0; #buffer];

                    fn seed(state: &mut #state) -> u64 { #seed }

                    fn pass(&self, inputs: &[#input], targets: &[#target], seed: u64, scratch: &mut #scratch) -> f64 {
                        let (parameters, seed) = (self, &seed);
                        #pass
                    }

                    fn constants(state: &mut #state, examples: usize) -> [f64; #count] {
                        state.updates = state.updates.wrapping_add(1);
                        let update_number = state.updates as f64;
                        let batch_size = examples as f64;
                        #constants
                        [#(#names),*]
                    }

                    fn parts<'a>(
                        &'a mut self,
                        sums: &'a mut Self,
                        state: &'a mut #state,
                        parts: &mut #runtime::__private::parallel::rows::Parts<'a, #scalar>,
                    ) {
                        let (parameters, gradient) = (self, Gradient::in_network(sums));
                        #parts
                    }

                    #[inline(always)]
                    fn add_part<V: tile::Vectors>(
                        #vectors
                        (parameter, place): (usize, usize),
                        (inputs, scratch): (&[#input], &#scratch),
                        constants: &[f64; #count],
                        is_first: bool,
                        sums: &mut [#scalar],
                    ) {
                        #(#functions)*
                        let [#(#names),*] = *constants;
                        let (#scratch { batch, gradient, .. }, examples) = (scratch, inputs.len());
                        match parameter { #sums _ => {} }
                    }

                    #[inline(always)]
                    fn update_part<V: tile::Vectors>(
                        #vectors
                        parameter: usize,
                        constants: &[f64; #count],
                        sums: &[#scalar],
                        written: &mut [&mut [#scalar]; #MOST_WRITTEN],
                    ) {
                        let [#(#names),*] = *constants;
                        let [written_0, written_1, written_2, written_3] = written;
                        match parameter { #updates _ => {} }
                    }
                }
            }
        })
    }

    /// Forward and backward for a block, with what needs no tiles of its gradient.
    fn pass_of_block(&self, batch: &Batch) -> TokenStream {
        let (network, scratch) = (&self.options.struct_name, self.type_name("Scratch"));
        let (input, target) = (self.input_type(), self.target_type());
        let clear = self.clear_rest(batch);
        let draw = self.layout.noises.is_some().then(|| {
            quote! {
                let mut generator = random::Generator::new(*seed);
                batch.noises.iter_mut().take(inputs.len()).for_each(|noise| noise.draw(&mut generator));
            }
        });
        let variables = [
            ("parameters", quote!(#network)),
            ("inputs", quote!([#input])),
            ("targets", quote!([#target])),
            ("seed", quote!(u64)),
            ("scratch", quote!(mut #scratch)),
        ];
        let pass = quote! {
            let #scratch { batch, gradient, .. } = scratch;
            let gradient = &mut Gradient::in_scratch(gradient);
            #clear
            #draw
            pass(vectors, parameters, inputs, targets, batch, gradient)
        };
        self.with_vectors(&variables, &quote!(f64), &pass)
    }

    /// A parameter, its gradient and what is updated with it.
    fn write_part(&self, at: usize, updated: &Updated<'_>, code: &mut Code) {
        let (field, elements, is_added) = (self.layout.field(updated.gradient), updated.elements, updated.factor.is_some());
        code.add(format_args!("parts.add({at}, ({elements}, {is_added}), memory::row_mut(gradient.{field}), ["));
        for (number, argument) in call::arguments(updated.update).filter(|argument| argument.is_written).enumerate() {
            code.push(if number == 0 { "" } else { ", " });
            let place = |tensor| self.layout.place(&self.plan, tensor);
            argument.write(&self.plan, updated.update, self.options.scalar, place, code);
        }
        code.push("]);\n");
    }

    /// The function that computes some rows of a gradient.
    fn rows_function(&self, kernel: &Kernel) -> TokenStream {
        let name = super::super::identifier(&some_rows(kernel));
        kernel::tokens(&self.plan, &self.lines, kernel, &self.scalar, |tokens| tokens.function_of_rows(&name))
    }

    /// How a block's parts of the gradient are added up.
    fn sums_of_parts(&self, batch: &Batch, updated: &[Updated<'_>]) -> TokenStream {
        let (mut tokens, mut code) = (TokenStream::new(), Code::default());
        for (at, updated) in updated.iter().enumerate() {
            match updated.tiles {
                Some(kernel) => self.write_sums_in_tiles(batch, at, updated, kernel, &mut code),
                None => {
                    code.add(format_args!("{at} => "));
                    std::mem::take(&mut code).to_tokens(&mut tokens);
                    self.options.runtime_path.to_tokens(&mut tokens);
                    let field = self.layout.field(updated.gradient);
                    code.add(format_args!(
                        "::__private::parallel::rows::add(memory::row(&gradient.{field}), place, is_first, sums),"
                    ));
                }
            }
        }
        code.to_tokens(&mut tokens);
        tokens
    }

    fn write_sums_in_tiles(&self, batch: &Batch, at: usize, updated: &Updated<'_>, kernel: &Kernel, code: &mut Code) {
        code.add(format_args!("{at} => {}(vectors, examples, is_first, place, ", some_rows(kernel)));
        for argument in call::arguments(kernel).filter(|argument| !argument.is_written) {
            argument.write(&self.plan, kernel, self.options.scalar, |tensor| self.batch_place(batch, tensor, true), code);
            code.push(", ");
        }
        match updated.factor {
            Some(factor) => code.add(format_args!("{} as {}", self.layout.field(factor), self.options.scalar.name())),
            None => code.push("1.0"),
        }
        code.push(", sums),");
    }

    /// The updates, those with the same arguments together.
    fn updates_of_parts(&self, updated: &[Updated<'_>]) -> TokenStream {
        let mut arms: Vec<(Code, Code)> = Vec::new();
        for (at, Updated { gradient, update, .. }) in updated.iter().enumerate() {
            let mut run = Code::default();
            run.add(format_args!("vectors.run({}(", names::ascii(&self.plan.function_of(update).name)));
            let mut written = 0;
            for (number, argument) in call::arguments(update).enumerate() {
                run.push(if number == 0 { "" } else { ", " });
                if argument.is_written {
                    run.add(format_args!("written_{written}"));
                    written += 1;
                } else if row_of(&self.plan, argument.tensor) == Some(*gradient) {
                    run.push("sums");
                } else {
                    let place = |tensor| self.layout.place(&self.plan, tensor);
                    argument.write(&self.plan, update, self.options.scalar, place, &mut run);
                }
            }
            run.push("))");
            match arms.iter_mut().find(|arm| arm.1 == run) {
                Some((numbers, _)) => numbers.add(format_args!("|{at}")),
                None => {
                    let mut numbers = Code::default();
                    numbers.add(format_args!("{at}"));
                    arms.push((numbers, run));
                }
            }
        }
        arms.into_iter().map(|(numbers, run)| quote!(#numbers => #run,)).collect()
    }
}

impl KernelTokens<'_> {
    /// A function that computes as many elements of tiles as there are sums, from a place on where a row starts.
    fn function_of_rows(&mut self, name: &Ident) -> TokenStream {
        let kernel = self.kernel;
        let Some(tile) = only_tile(kernel) else { return TokenStream::new() };
        let scalar = self.scalar.clone();
        let parameters: Vec<_> = (kernel.reads.iter())
            .map(|&tensor| {
                let (name, of_type) = (&self.arguments[&tensor], self.tiled_type(tensor, &TokenStream::new()));
                quote!(#name: #of_type)
            })
            .collect();
        let cuts = self.cut_to_examples(&kernel.reads);
        let columns = Literal::usize_unsuffixed(self.plan.context.index_of(tile.columns).extent());
        let factor = self.scope.identifier("factor");
        let (first, rows) = (quote!((place / #columns)), quote!((sums.len() / #columns)));
        let tile = self.tile_from(tile, &first, &rows, &quote!(sums), Some(&factor));
        quote! {
            #[inline(always)]
            fn #name<V: tile::Vectors>(
                vectors: V,
                examples: usize,
                is_first: bool,
                place: usize,
                #(#parameters,)*
                #factor: #scalar,
                sums: &mut [#scalar],
            ) {
                #cuts
                #tile
            }
        }
    }
}
