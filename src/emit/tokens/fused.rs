//! Sums, and functions that consist of them, with the instruction that multiplies and adds where a pass has it.

use proc_macro2::TokenStream;
use quote::quote;

use super::call::takes_vectors;
use super::kernel::KernelTokens;
use super::value::Binding;
use crate::emit::plan::Value;

/// The functions that the runtime has for the instructions of a pass.
const FUSED: [&str; 7] = ["exp", "expm1", "ln", "log1p", "tanh", "sigmoid", "erf"];

impl KernelTokens<'_> {
    /// A function of the runtime, with the instructions of the pass where there are any.
    pub(super) fn function_of(&self, name: &str, argument: &TokenStream) -> TokenStream {
        let (math, function) = (&self.math, super::identifier(name));
        if self.has_fused(name) {
            quote!(#math::fused::#function(vectors, #argument))
        } else {
            quote!(#math::#function(#argument))
        }
    }

    /// Whether a function of the runtime is computed with the instructions of the pass.
    pub(super) fn has_fused(&self, name: &str) -> bool {
        FUSED.contains(&name) && takes_vectors(self.plan, self.kernel)
    }

    /// Terms with a minus sign follow the first that has none, so that `-t + y` reads `y - t`. With the instructions of a pass, products
    /// follow what is none, each added by the instruction that multiplies it: what they are added to need not wait for them.
    pub(super) fn sum(&mut self, terms: &[Value]) -> (TokenStream, Binding) {
        let mut terms: Vec<_> = terms.iter().collect();
        let fuses = takes_vectors(self.plan, self.kernel);
        if fuses {
            terms.sort_by_key(|term| split_product(term).is_some());
        }
        if let Some(first) = terms.iter().position(|term| !term.is_negative()) {
            let first = terms.remove(first);
            terms.insert(0, first);
        }
        let (mut tokens, mut binding) = (TokenStream::new(), Binding::Sum);
        for (at, term) in terms.into_iter().enumerate() {
            if at == 0 {
                (tokens, binding) = (self.operand(term, Binding::Sum), Binding::Sum);
            } else if let Some((one, other)) = split_product(term).filter(|_| fuses) {
                (tokens, binding) = (self.multiply_add(&one, &other, &tokens), Binding::Tight);
            } else if term.is_negative() {
                let opposite = self.operand(&term.opposite(), Binding::Product);
                tokens.extend(quote!(- #opposite));
                binding = Binding::Sum;
            } else {
                let term = self.operand(term, Binding::Product);
                tokens.extend(quote!(+ #term));
                binding = Binding::Sum;
            }
        }
        (tokens, binding)
    }

    /// The statement that adds a value to what is at a place.
    pub(super) fn added(&mut self, place: &TokenStream, value: &Value) -> TokenStream {
        match split_product(value) {
            Some((one, other)) if takes_vectors(self.plan, self.kernel) => {
                let sum = self.multiply_add(&one, &other, place);
                quote!(#place = #sum;)
            }
            _ => {
                let value = self.value(value);
                quote!(#place += #value;)
            }
        }
    }

    fn multiply_add(&mut self, one: &Value, other: &Value, sum: &TokenStream) -> TokenStream {
        let (one, other) = (self.value(one), self.value(other));
        if self.is_abreast { quote!((#one).multiply_add(#other, #sum)) } else { quote!(vectors.multiply_add(#one, #other, #sum)) }
    }
}

/// A product as that of its last factor and the others, but for the opposite of a value.
fn split_product(value: &Value) -> Option<(Value, Value)> {
    let Value::Product(factors) = value else { return None };
    match &factors[..] {
        [] | [_] | [Value::Number(-1.0), _] => None,
        [one, other] => Some((one.clone(), other.clone())),
        [others @ .., last] => Some((Value::Product(others.to_vec()), last.clone())),
    }
}
