//! From the attribute and its struct to the code of a network, or to messages.

use deltarule_compiler::diagnostic::Severity;
use deltarule_compiler::emit::{EmitOptions, ScalarType, emit};
use deltarule_compiler::limits::DRAWN_MESSAGES;
use deltarule_compiler::pipeline::compile;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Error, Fields, ItemStruct};

use crate::arguments::{Arguments, SpecSource};
use crate::{source, stub};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let structure: ItemStruct = match syn::parse2(item.clone()) {
        Ok(structure) => structure,
        Err(error) => {
            let message = Error::new(error.span(), "derive_backprop stands before a struct without fields: `pub struct Net;`");
            return join(item, [message.into_compile_error()]);
        }
    };
    let arguments = match syn::parse2::<Arguments>(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return join(stub::stub(&structure, ScalarType::default()), [error.into_compile_error()]),
    };
    match network(&arguments, &structure) {
        Ok(tokens) => tokens,
        Err(messages) => {
            let literal = arguments.source.literal().span();
            let errors = messages.into_iter().map(|message| error_at(message.span.unwrap_or(literal), &message.text));
            join(stub::stub(&structure, arguments.scalar), errors)
        }
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

fn network(arguments: &Arguments, structure: &ItemStruct) -> Result<TokenStream, Vec<Message>> {
    check_struct(structure).map_err(|message| vec![message])?;
    let (name, text, rebuild) = match &arguments.source {
        SpecSource::File(literal) => {
            let text = source::read(literal).map_err(|message| vec![message.into()])?;
            let runtime = &arguments.runtime;
            // The user's own literal: the compiler finds the same file, and no path of this machine gets into the expansion.
            let rebuild = quote!(const _: &[u8] = #runtime::__private::core::include_bytes!(#literal););
            (literal.value(), text, rebuild)
        }
        SpecSource::Inline(literal) => (format!("{}.spec", structure.ident), literal.value(), TokenStream::new()),
    };
    let compiled = compile(&name, &text).map_err(|diagnostics| {
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
    };
    Ok(join(rebuild, [emit(&compiled.derivation, &options)]))
}

/// The struct is a name, and the macro gives it its fields.
fn check_struct(structure: &ItemStruct) -> Result<(), Message> {
    if !structure.generics.params.is_empty() {
        let text = "a network has no type parameters; `scalar = f64` chooses the type of its numbers".to_owned();
        return Err(Message { span: Some(structure.ident.span()), text });
    }
    if !matches!(structure.fields, Fields::Unit) {
        let text = format!("the spec gives the struct its fields: write `struct {};`", structure.ident);
        return Err(Message { span: Some(structure.ident.span()), text });
    }
    Ok(())
}

/// An error that rustc underlines at `span`; the second line on is a drawing of the spec.
fn error_at(span: Span, text: &str) -> TokenStream {
    quote_spanned!(span => ::core::compile_error!(#text);)
}

fn join(first: TokenStream, rest: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    std::iter::once(first).chain(rest).collect()
}
