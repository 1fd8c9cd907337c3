//! Structs of buffers.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Emitter, doc_line};
use crate::emit::plan::Buffer;
use crate::emit::space::{Space, stored_type};

impl Emitter<'_> {
    /// The fields of a struct of buffers. Those that tensors share are not for others.
    pub(super) fn space_fields(&self, space: &Space) -> TokenStream {
        let runtime = &self.options.runtime_path;
        let fields = space.fields.iter().map(|(field, buffer)| {
            let (line, scalar) = (doc_line(&self.describe_buffer(buffer)), &self.scalar);
            match buffer.tensors.first() {
                Some(&tensor) if !buffer.is_shared() => {
                    let of_type = stored_type(&self.plan, buffer, tensor, scalar);
                    quote!(#[doc = #line] pub #field: #of_type)
                }
                _ => {
                    let size = proc_macro2::Literal::usize_unsuffixed(buffer.size);
                    quote!(#[doc = #line] #field: #runtime::__private::memory::Shared<#scalar, #size>)
                }
            }
        });
        quote!(#(#fields,)*)
    }

    /// The same with all numbers 0.
    pub(super) fn space_zeros(&self, space: &Space) -> TokenStream {
        let zeros = space.fields.iter().map(|(field, buffer)| {
            let zero = match buffer.tensors.first() {
                Some(tensor) if !buffer.is_shared() => {
                    let zero = self.filled(*tensor, 0.0);
                    match buffer.examples.get(tensor) {
                        Some(&examples) => {
                            let examples = proc_macro2::Literal::usize_unsuffixed(examples);
                            quote!([#zero; #examples])
                        }
                        None => zero,
                    }
                }
                _ => {
                    let size = proc_macro2::Literal::usize_unsuffixed(buffer.size);
                    quote!(memory::Shared::new([0.0; #size]))
                }
            };
            quote!(#field: #zero)
        });
        quote!(#(#zeros,)*)
    }

    fn describe_buffer(&self, buffer: &Buffer) -> String {
        match &buffer.tensors[..] {
            [tensor] => self.described(*tensor),
            several => {
                let names: Vec<String> =
                    several.iter().map(|tensor| format!("`{}`", self.plan.context.tensor(*tensor).name)).collect();
                format!("One after the other: {}.", names.join(", "))
            }
        }
    }
}
