//! Structs of buffers.

use proc_macro2::TokenStream;
use quote::ToTokens;

use super::Emitter;
use crate::emit::code::Code;
use crate::emit::layout::write_array;
use crate::emit::plan::Buffer;
use crate::emit::space::{Space, write_stored_type};

impl Emitter<'_> {
    /// The fields of a struct of buffers. Those that tensors share are not for others.
    pub(super) fn space_fields(&self, space: &Space) -> TokenStream {
        let runtime = &self.options.runtime_path;
        let mut tokens = TokenStream::new();
        let mut code = Code::default();
        for (field, buffer) in &space.fields {
            code.add_line(&self.describe_buffer(buffer));
            match buffer.tensors.first() {
                Some(&tensor) if !buffer.is_shared() => {
                    code.add(format_args!("pub {field}: "));
                    write_stored_type(&self.plan, buffer, tensor, self.options.scalar, &mut code);
                    code.push(",\n");
                }
                _ => {
                    code.add(format_args!("{field}: "));
                    std::mem::take(&mut code).to_tokens(&mut tokens);
                    runtime.to_tokens(&mut tokens);
                    let (scalar, size) = (self.options.scalar.name(), buffer.size);
                    code.add(format_args!("::__private::memory::Shared<{scalar}, {size}>,\n"));
                }
            }
        }
        code.to_tokens(&mut tokens);
        tokens
    }

    /// The same with all numbers 0.
    pub(super) fn space_zeros(&self, space: &Space) -> Code {
        let mut code = Code::default();
        for (field, buffer) in &space.fields {
            code.add(format_args!("{field}: "));
            match buffer.tensors.first() {
                Some(tensor) if !buffer.is_shared() => {
                    let shape = &self.plan.context.tensor(*tensor).shape;
                    let all: Vec<usize> = buffer.examples.get(tensor).into_iter().chain(shape).copied().collect();
                    write_array(&"0.0", &all, &mut code);
                }
                _ => code.add(format_args!("memory::Shared::new([0.0; {}])", buffer.size)),
            }
            code.push(",\n");
        }
        code
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
