//! Expressions by which passes reach tensors.

use std::fmt::{self, Display, Formatter};

use proc_macro2::TokenStream;
use quote::ToTokens;

use super::code::Code;
use super::space::Stored;

/// A place, such as `parameters.dense1.w` or `*gradient.dense1_w`.
#[derive(Clone, Debug)]
pub(super) struct Access {
    /// Whether the place is a reference, which is to be followed.
    is_reference: bool,
    code: Code,
}

/// Most places are no longer.
const LENGTH: usize = 48;

impl Access {
    /// A local variable.
    pub(super) fn variable(name: &str) -> Access {
        let mut code = Code::with_capacity(LENGTH);
        code.push(name);
        Access { is_reference: false, code }
    }

    /// What a local variable refers to; with fields, what they refer to.
    pub(super) fn reference(name: &str) -> Access {
        Access { is_reference: true, ..Access::variable(name) }
    }

    pub(super) fn field(mut self, name: impl Display) -> Access {
        self.code.add(format_args!(".{name}"));
        self
    }

    pub(super) fn fields(self, names: &[impl Display]) -> Access {
        names.iter().fold(self, Access::field)
    }

    /// Where a struct of buffers holds a tensor.
    pub(super) fn stored(mut self, stored: Option<&Stored>) -> Access {
        self.code.push(".");
        if let Some(stored) = stored {
            stored.write(&mut self.code);
        }
        self
    }

    /// An element, by the name of its index.
    pub(super) fn element(mut self, index: &str) -> Access {
        self.code.add(format_args!("[{index}]"));
        self
    }

    /// `&place`, or just the reference that leads to it.
    pub(super) fn borrow(&self, is_mutable: bool, code: &mut Code) {
        if !self.is_reference {
            code.push(if is_mutable { "&mut " } else { "&" });
        }
        code.push(self.code.text());
    }

    /// The place itself.
    pub(super) fn write(&self, code: &mut Code) {
        code.add(format_args!("{self}"));
    }
}

impl Display for Access {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_reference { "*" } else { "" })?;
        self.code.fmt(formatter)
    }
}

impl ToTokens for Access {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut code = Code::default();
        self.write(&mut code);
        code.to_tokens(tokens);
    }
}
