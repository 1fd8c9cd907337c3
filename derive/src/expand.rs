//! From the attribute and its struct to the code of a network, or to messages.

use deltarule_compiler::diagnostic::Severity;
use deltarule_compiler::emit::{EmitOptions, emit, over_budget};
use deltarule_compiler::include::read_below;
use deltarule_compiler::limits::DRAWN_MESSAGES;
use deltarule_compiler::pipeline::{compile, compile_with};
use std::path::Path;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Data, DataStruct, DeriveInput, Error, Fields, LitStr};

use crate::arguments::{Arguments, SpecSource};
use crate::{source, stub};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let structure = match structure(item.clone()) {
        Ok(structure) => structure,
        Err(place) => {
            let message = Error::new(place, "derive_backprop stands before a struct without fields: `pub struct Net;`");
            return join(item, [message.into_compile_error()]);
        }
    };
    let arguments = match syn::parse2::<Arguments>(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return stub::stub(&structure, &error.into_compile_error()),
    };
    match network(&arguments, &structure) {
        Ok(tokens) => tokens,
        Err(messages) => {
            let literal = arguments.source.literal().span();
            let mut errors = messages.into_iter().map(|message| error_at(message.span.unwrap_or(literal), &message.text));
            let first = errors.next().unwrap_or_default();
            join(stub::stub(&structure, &first), errors.map(|error| quote!(#error;)))
        }
    }
}

/// The struct that an item is, or the place where it turns out to be none.
///
/// It is read as for a derive macro: `syn` with all of Rust's items takes far longer to build.
fn structure(item: TokenStream) -> Result<DeriveInput, Span> {
    let structure: DeriveInput = syn::parse2(item).map_err(|error| error.span())?;
    match &structure.data {
        Data::Struct(_) => Ok(structure),
        Data::Enum(data) => Err(data.enum_token.span),
        Data::Union(data) => Err(data.union_token.span),
    }
}

/// A message and where it points; at the literal that names the spec if nowhere else.
struct Message {
    span: Option<Span>,
    text: String,
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self { span: None, text }
    }
}

fn network(arguments: &Arguments, structure: &DeriveInput) -> Result<TokenStream, Vec<Message>> {
    check_struct(structure).map_err(|message| vec![message])?;
    let (compiled, file) = match &arguments.source {
        SpecSource::File(literal) => {
            let (path, text) = source::read(literal).map_err(|message| vec![message.into()])?;
            let folder = path.parent().unwrap_or(Path::new(""));
            let compiled = compile_with(&literal.value(), &text, &mut |included| read_below(folder, included));
            (compiled, Some(literal))
        }
        SpecSource::Inline(literal) => (compile(&format!("{}.spec", structure.ident), &literal.value()), None),
    };
    let compiled = compiled.map_err(|diagnostics| {
        let errors = diagnostics.messages.iter().filter(|message| message.severity == Severity::Error);
        errors.take(DRAWN_MESSAGES).map(|message| message.draw(&diagnostics.sources).into()).collect::<Vec<Message>>()
    })?;
    let attributes = &structure.attrs;
    let options = EmitOptions {
        struct_name: structure.ident.clone(),
        visibility: structure.vis.to_token_stream(),
        attributes: quote!(#(#attributes)*),
        is_documented: attributes.iter().any(|attribute| attribute.path().is_ident("doc")),
        scalar: arguments.scalar,
        runtime_path: arguments.runtime.to_token_stream(),
        examples: arguments.examples,
    };
    let over = arguments.budgets.iter().filter_map(|budget| {
        let text = over_budget(&compiled.derivation, &options, budget.purpose, budget.bytes)?;
        Some(Message { span: Some(budget.span), text })
    });
    let over: Vec<Message> = over.collect();
    if !over.is_empty() {
        return Err(over);
    }
    let rebuild = file.map_or_else(TokenStream::new, |literal| rebuild(literal, &compiled.included, &options.runtime_path));
    Ok(join(rebuild, [emit(&compiled.derivation, &options)]))
}

/// What makes cargo compile the network again when a file of its spec changes.
///
/// The literals are relative as the user's own is: the compiler finds the same files, and no path of this machine gets into the
/// expansion.
fn rebuild(literal: &LitStr, included: &[String], runtime: &TokenStream) -> TokenStream {
    let name = literal.value();
    let folder = name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let included = included.iter().map(|path| format!("{folder}{path}"));
    let files = std::iter::once(name.clone()).chain(included).map(|path| LitStr::new(&path, literal.span()));
    files.map(|file| quote!(const _: &[u8] = #runtime::__private::core::include_bytes!(#file);)).collect()
}

/// The struct is a name, and the macro gives it its fields.
fn check_struct(structure: &DeriveInput) -> Result<(), Message> {
    if !structure.generics.params.is_empty() {
        let text = "a network has no type parameters; `scalar = f64` chooses the type of its numbers".to_owned();
        return Err(Message { span: Some(structure.ident.span()), text });
    }
    if !matches!(structure.data, Data::Struct(DataStruct { fields: Fields::Unit, .. })) {
        let text = format!("the spec gives the struct its fields: write `struct {};`", structure.ident);
        return Err(Message { span: Some(structure.ident.span()), text });
    }
    Ok(())
}

/// An error that rustc underlines at `span`; the second line on is a drawing of the spec.
fn error_at(span: Span, text: &str) -> TokenStream {
    quote_spanned!(span => ::core::compile_error!(#text))
}

fn join(first: TokenStream, rest: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    std::iter::once(first).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_spec_is_watched_relative_to_the_source() {
        let literal = LitStr::new("nets/digits.spec", Span::call_site());
        let included = ["layers.spec".to_owned(), "parts/sizes.spec".to_owned()];
        let tokens = rebuild(&literal, &included, &quote!(::deltarule)).to_string();
        for file in ["nets/digits.spec", "nets/layers.spec", "nets/parts/sizes.spec"] {
            assert!(tokens.contains(&format!("include_bytes ! (\"{file}\")")), "{file} is not watched: {tokens}");
        }
    }
}
