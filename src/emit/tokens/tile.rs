//! Sums of products in tiles, as calls of the runtime.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::kernel::KernelTokens;
use super::sums::{Sum, levels, merged};
use crate::emit::layout::{is_scalar, tensor_type};
use crate::emit::plan::{Kernel, Place, Plan, Range, Statement, Tile, coefficients};
use crate::equation::{IndexId, TensorId};

/// Numbers of a gradient that are computed before they update a parameter; they stay in the nearest memory.
const BUFFERED: usize = 4096;

/// Whether a kernel computes tiles, for all examples at once.
pub(super) fn is_tiled(kernel: &Kernel) -> bool {
    fn has_tile(statement: &Statement) -> bool {
        match statement {
            Statement::Tile(_) | Statement::Sweep { .. } | Statement::Transpose { .. } => true,
            Statement::For { body, .. } | Statement::At { body, .. } => body.iter().any(has_tile),
            _ => false,
        }
    }
    kernel.body.iter().any(has_tile)
}

/// Whether a tensor holds all examples, along its first axis.
pub(super) fn holds_all_examples(plan: &Plan, tensor: TensorId) -> bool {
    plan.batch.as_ref().is_some_and(|batch| batch.tensors.first_of(tensor).is_some())
}

/// What a tensor is all elements of, in a row.
pub(super) fn row_of(plan: &Plan, tensor: TensorId) -> Option<TensorId> {
    plan.rows.second_of(tensor)
}

/// How far it is from a row of a tile to the next.
fn row_step(tile: &Tile, place: &Place) -> i64 {
    tile.rows.map_or(0, |rows| coefficients(place, &[rows])[0])
}

/// A number without its sign.
pub(super) fn literal(number: i64) -> Literal {
    Literal::usize_unsuffixed(usize::try_from(number.abs()).unwrap_or(0))
}

/// How many rows of a gradient are computed before they update a parameter, and how many columns they have.
pub(super) fn rows_at_once(plan: &Plan, tile: &Tile) -> (usize, usize) {
    let columns = plan.context.index_of(tile.columns).extent();
    let all = tile.rows.map_or(1, |rows| plan.context.index_of(rows).extent());
    ((BUFFERED / columns).clamp(8, 64).min(all), columns)
}

/// What all forms of a tile read.
pub(super) struct Operands {
    pub(super) columns: Literal,
    pub(super) a: TokenStream,
    pub(super) a_row: Literal,
    pub(super) b: TokenStream,
    pub(super) b_column: Literal,
    pub(super) scale: TokenStream,
    pub(super) start: TokenStream,
    pub(super) c_row: Literal,
}

impl KernelTokens<'_> {
    /// The type of an argument of a kernel with tiles.
    pub(super) fn tiled_type(&self, tensor: TensorId, lifetime: &TokenStream) -> TokenStream {
        let described = self.plan.context.tensor(tensor);
        let written = self.is_written(tensor).then(|| quote!(mut));
        if holds_all_examples(self.plan, tensor) || row_of(self.plan, tensor).is_some() {
            let mut one = described.clone();
            one.shape.remove(0);
            let of_type = tensor_type(&one, &self.scalar);
            return quote!(& #lifetime #written [#of_type]);
        }
        let of_type = tensor_type(described, &self.scalar);
        if is_scalar(described) && written.is_none() { of_type } else { quote!(& #lifetime #written #of_type) }
    }

    /// What makes the slices of examples as long as there are examples, so that no access can leave them.
    pub(super) fn cut_to_examples(&self, tensors: &[TensorId]) -> TokenStream {
        let of_examples: Vec<TensorId> =
            tensors.iter().copied().filter(|&tensor| holds_all_examples(self.plan, tensor)).collect();
        self.cut(&of_examples, &quote!(examples))
    }

    /// What makes slices as long as given.
    pub(super) fn cut(&self, tensors: &[TensorId], length: &TokenStream) -> TokenStream {
        let cuts = tensors.iter().map(|tensor| {
            let name = &self.arguments[tensor];
            let get = Ident::new(if self.is_written(*tensor) { "get_mut" } else { "get" }, Span::call_site());
            quote!(let core::option::Option::Some(#name) = #name.#get(..#length) else { return };)
        });
        quote!(#(#cuts)*)
    }

    /// The call of the runtime that computes tiles.
    pub(super) fn tile(&mut self, tile: &Tile) -> TokenStream {
        match tile.update {
            Some(update) => self.updating_tiles(tile, update),
            None => {
                if let Some(range) = &tile.row_range {
                    return self.some_rows(tile, range);
                }
                let rows = self.rows(tile);
                let c = self.place_in_row(&tile.into, &[], true);
                let factor = tile.update_factor.and_then(|factor| self.arguments.get(&factor)).cloned();
                let is_added = match (&factor, tile.is_added) {
                    (Some(_), _) => quote!(true),
                    (None, true) => quote!(!is_first),
                    (None, false) => quote!(false),
                };
                self.contraction(tile, &rows, None, &c, factor.as_ref(), &is_added)
            }
        }
    }

    /// The call of the runtime that transposes matrices.
    pub(super) fn transposed(&self, from: TensorId, to: TensorId, rows: usize, columns: usize) -> TokenStream {
        let (from, to) = (self.in_a_row(from, false), self.in_a_row(to, true));
        let [rows, columns] = [rows, columns].map(Literal::usize_unsuffixed);
        quote! {
            tile::Transpose { from: #from, from_row: #columns, to: #to, to_row: #rows, rows: #rows, columns: #columns }
                .compute_here(vectors);
        }
    }

    /// A tile of the rows that the loops around leave.
    fn some_rows(&mut self, tile: &Tile, range: &Range) -> TokenStream {
        let Some(rows) = tile.rows else { return TokenStream::new() };
        let (from, to) = self.loop_bounds(rows, range);
        let [a_row, c_row] =
            [&tile.a, &tile.into].map(|place| Literal::usize_unsuffixed(usize::try_from(row_step(tile, place)).unwrap_or(0)));
        let c = self.place_in_row(&tile.into, &[], true);
        let c = quote!((#c).get_mut(first * #c_row..).unwrap_or(&mut []));
        let contraction =
            self.contraction(tile, &quote!(end.saturating_sub(first)), Some(quote!(first * #a_row)), &c, None, &quote!(true));
        quote! {
            let (first, end): (usize, usize) = (#from, #to);
            #contraction
        }
    }

    /// What sets results to 0 to which tiles add at once.
    pub(super) fn cleared(&self, statements: &[Statement]) -> Option<TokenStream> {
        statements.iter().find_map(|statement| match statement {
            Statement::Tile(tile) if tile.row_range.is_some() => {
                let all = self.in_a_row(tile.into.tensor, true);
                Some(quote!(if is_first { #all.fill(0.0); }))
            }
            Statement::For { body, .. } | Statement::At { body, .. } => self.cleared(body),
            _ => None,
        })
    }

    fn rows(&self, tile: &Tile) -> TokenStream {
        if tile.rows.is_some_and(|rows| self.is_example(rows)) {
            return quote!(examples);
        }
        let rows = Literal::usize_unsuffixed(tile.rows.map_or(1, |rows| self.plan.context.index_of(rows).extent()));
        quote!(#rows)
    }

    /// `Contraction { … }.compute();` `skipped` is added to the place of the first factor, `factor` is that of all sums.
    fn contraction(
        &mut self,
        tile: &Tile,
        rows: &TokenStream,
        skipped: Option<TokenStream>,
        c: &TokenStream,
        factor: Option<&Ident>,
        is_added: &TokenStream,
    ) -> TokenStream {
        let operands = self.operands(tile, factor);
        let mut inner: Vec<IndexId> = tile.levels.iter().map(|(index, _)| *index).collect();
        inner.extend(tile.rows.into_iter().chain([tile.columns]));
        let (mut a_at, mut b_at) = (self.offset(&tile.a, &inner), self.offset(&tile.b, &inner));
        if let Some(skipped) = skipped {
            a_at = quote!(usize::wrapping_add(#a_at, #skipped));
        }
        if let Some(terms) = self.terms_of_product(tile) {
            return self.matrix_product(tile, &operands, [rows, &terms, &a_at, &b_at, c, is_added]);
        }
        let skip = |at: &mut TokenStream, number: i64, from: &Ident| {
            let literal = literal(number);
            let skip = Ident::new(if number < 0 { "wrapping_sub" } else { "wrapping_add" }, Span::call_site());
            *at = quote!(usize::#skip(#at, #from * #literal));
        };
        let (mut bounds, mut sums) = (Vec::new(), Vec::new());
        for (at, (index, range)) in tile.levels.iter().enumerate() {
            let [a, b] = [&tile.a, &tile.b].map(|place| coefficients(place, &[*index])[0]);
            let (start, end) = self.loop_bounds(*index, range);
            if range.bounds.is_empty() && start.to_string() == "0" {
                let known = (!self.is_example(*index)).then(|| self.plan.context.index_of(*index).extent());
                sums.push(Sum { count: end, known, a, b });
                continue;
            }
            let (from, to) =
                (Ident::new(&format!("from_{at}"), Span::call_site()), Ident::new(&format!("to_{at}"), Span::call_site()));
            bounds.push(quote!(let (#from, #to): (usize, usize) = (#start, #end);));
            skip(&mut a_at, a, &from);
            skip(&mut b_at, b, &from);
            sums.push(Sum { count: quote!(#to.saturating_sub(#from)), known: None, a, b });
        }
        let sums = merged(sums);
        if let Some(windows) = self.windows(tile, &sums, &operands, [rows, &a_at, &b_at, c, is_added]) {
            return quote!(#(#bounds)* #windows);
        }
        let levels = levels::<3>(&sums);
        let Operands { columns, a, a_row, b, b_column, scale, start, c_row } = operands;
        quote! {
            #(#bounds)*
            tile::Contraction {
                rows: #rows,
                columns: #columns,
                a: #a,
                a_at: #a_at,
                a_row: #a_row,
                b: #b,
                b_at: #b_at,
                b_column: #b_column,
                levels: #levels,
                scale: #scale,
                start: #start,
                c: #c,
                c_row: #c_row,
                is_added: #is_added,
            }
            .compute(vectors);
        }
    }

    /// What all sums of a tile are multiplied by.
    pub(super) fn scale(&self, tile: &Tile, factor: Option<&Ident>) -> TokenStream {
        let number = self.number(tile.factor);
        match factor {
            Some(factor) if tile.factor == 1.0 => quote!(#factor),
            Some(factor) => quote!(#number * #factor),
            None => number,
        }
    }

    /// What all forms of a tile read, and how far it is from one place to the next.
    fn operands(&mut self, tile: &Tile, factor: Option<&Ident>) -> Operands {
        let mut inner: Vec<IndexId> = tile.levels.iter().map(|(index, _)| *index).collect();
        inner.extend(tile.rows.into_iter().chain([tile.columns]));
        let columns = literal(self.plan.context.index_of(tile.columns).extent() as i64);
        Operands {
            a: self.in_a_row(tile.a.tensor, false),
            a_row: literal(row_step(tile, &tile.a)),
            b: self.in_a_row(tile.b.tensor, false),
            b_column: literal(coefficients(&tile.b, &[tile.columns])[0]),
            scale: self.scale(tile, factor),
            start: match &tile.start {
                Some(place) => self.place_in_row(place, &inner, false),
                None => quote!(&[]),
            },
            c_row: if tile.update.is_some() { columns.clone() } else { literal(row_step(tile, &tile.into)) },
            columns,
        }
    }

    /// All elements of a tensor from a place on.
    fn place_in_row(&mut self, place: &Place, inner: &[IndexId], is_written: bool) -> TokenStream {
        let mut without = inner.to_vec();
        // Indices that are no loops around are those of the tile: it starts with their first values.
        without.extend(place.indices[0].terms.iter().map(|term| term.0).filter(|index| self.loop_variable(*index).is_none()));
        let all = self.in_a_row(place.tensor, is_written);
        let at = self.offset(place, &without);
        if at.to_string() == "0usize" {
            return all;
        }
        if is_written { quote!(#all.get_mut(#at..).unwrap_or(&mut [])) } else { quote!(#all.get(#at..).unwrap_or(&[])) }
    }

    /// All elements of a tensor in a row.
    pub(super) fn in_a_row(&self, tensor: TensorId, is_written: bool) -> TokenStream {
        let name = &self.arguments[&tensor];
        let rank = self.plan.context.tensor(tensor).shape.len();
        let (flatten, borrow) = if is_written { ("as_flattened_mut", quote!(&mut)) } else { ("as_flattened", quote!(&)) };
        let flatten = Ident::new(flatten, Span::call_site());
        let flattened = (1..rank).map(|_| quote!(.#flatten()));
        if rank > 1 { quote!(#name #(#flattened)*) } else { quote!(#borrow #name[..]) }
    }

    /// Where a place is among all elements, where the inner indices have their first values, as `usize`; modulo its range where it is
    /// below 0 but for those values.
    fn offset(&mut self, place: &Place, inner: &[IndexId]) -> TokenStream {
        let mut offset = place.indices[0].clone();
        for index in inner {
            if let Some(at) = offset.terms.iter().position(|term| term.0 == *index) {
                let (index, coefficient) = offset.terms.remove(at);
                // Those that start below 0 are counted from 0.
                offset.constant += coefficient * self.plan.context.index_of(index).start.min(0);
            }
        }
        if offset.terms.is_empty() && offset.constant >= 0 {
            let constant = Literal::usize_suffixed(usize::try_from(offset.constant).unwrap_or(0));
            return quote!(#constant);
        }
        let is_signed = offset.constant < 0 || offset.terms.iter().any(|term| term.1 < 0);
        let offset = self.affine(&offset, is_signed);
        if is_signed { quote!(((#offset) as usize)) } else { quote!((#offset)) }
    }

    /// Tiles of some rows after the other, each followed by the update of its rows.
    fn updating_tiles(&mut self, tile: &Tile, update: usize) -> TokenStream {
        let scalar = self.scalar.clone();
        let all = tile.rows.map_or(1, |rows| self.plan.context.index_of(rows).extent());
        let (group, columns) = rows_at_once(self.plan, tile);
        let contraction = self.tile_from(tile, &quote!(first), &quote!(rows), &quote!(buffer.as_flattened_mut()), None);
        let before = self.place_in_row(&tile.into, &[], false);
        let mut offset = tile.into.indices[0].clone();
        offset.terms.retain(|term| self.loop_variable(term.0).is_some());
        let offset = self.affine(&offset, false);
        let kernel = &self.plan.kernels[update];
        let name = super::identifier(&self.plan.function_of(kernel).name);
        let (mut finds, mut arguments) = (Vec::new(), Vec::new());
        let tensors = (kernel.reads.iter().map(|read| (*read, false))).chain(kernel.writes.iter().map(|write| (*write, true)));
        for (tensor, is_written) in tensors {
            let argument = self.arguments.get(&tensor).cloned();
            if row_of(self.plan, tensor) == Some(tile.into.tensor) {
                arguments.push(quote!(sums));
                continue;
            }
            let Some(argument) = argument else { continue };
            arguments.push(quote!(#argument));
            if row_of(self.plan, tensor).is_some() {
                let get = Ident::new(if is_written { "get_mut" } else { "get" }, Span::call_site());
                finds.push(
                    quote!(let core::option::Option::Some(#argument) = #argument.#get(place..place + count) else { return };),
                );
            }
        }
        let direct = self.added_to_parameter(tile, kernel, &offset);
        let [all, group, columns] = [all, group, columns].map(Literal::usize_unsuffixed);
        let buffered = quote! {
            let mut buffer: [[#scalar; #columns]; #group] = [[0.0; #columns]; #group];
            let mut first = 0;
            while first < #all {
                let rows = if #all - first < #group { #all - first } else { #group };
                let (place, count) = (#offset + first * #columns, rows * #columns);
                if !is_first {
                    let before = (#before).get(first * #columns..).unwrap_or(&[]);
                    buffer.as_flattened_mut().iter_mut().zip(before).for_each(|(sum, before)| *sum = *before);
                }
                #contraction
                let core::option::Option::Some(sums) = buffer.as_flattened().get(..count) else { return };
                #(#finds)*
                vectors.run(#name(#(#arguments),*));
                first += #group;
            }
        };
        match direct {
            Some(direct) => quote!(if is_first { #direct } else { #buffered }),
            None => buffered,
        }
    }

    /// So many rows of tiles from the first on, times a factor, in place of what is in `c` or added to it.
    pub(super) fn tile_from(
        &mut self,
        tile: &Tile,
        first: &TokenStream,
        rows: &TokenStream,
        c: &TokenStream,
        factor: Option<&Ident>,
    ) -> TokenStream {
        let a_row = Literal::usize_unsuffixed(usize::try_from(row_step(tile, &tile.a)).unwrap_or(0));
        self.contraction(tile, rows, Some(quote!(#first * #a_row)), c, factor, &quote!(!is_first))
    }

    /// Where the only examples' sums times a scalar are added to the parameter: a tile that does so.
    fn added_to_parameter(&mut self, tile: &Tile, update: &Kernel, offset: &TokenStream) -> Option<TokenStream> {
        let factor = self.arguments.get(&tile.update_factor?)?.clone();
        let parameter = self.arguments.get(update.writes.first()?)?;
        let c = quote!(#parameter.get_mut(#offset..).unwrap_or(&mut []));
        Some(self.contraction(tile, &self.rows(tile), None, &c, Some(&factor), &quote!(true)))
    }

    /// Whether an index is the number of an example.
    pub(super) fn is_example(&self, index: IndexId) -> bool {
        self.plan.batch.as_ref().is_some_and(|batch| batch.example == index)
    }
}
