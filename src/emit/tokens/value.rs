//! Values and conditions as Rust expressions, with as few parentheses as they need.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::kernel::KernelTokens;
use crate::emit::layout::is_scalar;
use crate::emit::plan::{Branch, Condition, Place, Value};
use crate::equation::{Affine, Relation};

/// How tightly an expression binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    Conditional,
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Cast,
    Sign,
    Tight,
}

/// Powers up to this one are written as products; `math::powi` multiplies in a loop.
const GREATEST_WRITTEN_POWER: u32 = 4;

impl KernelTokens<'_> {
    /// A value where any expression may stand.
    pub(super) fn value(&mut self, value: &Value) -> TokenStream {
        self.bound_value(value).0
    }

    /// A value as an operand of something that binds as given.
    pub(super) fn operand(&mut self, value: &Value, least: Binding) -> TokenStream {
        let (tokens, binding) = self.bound_value(value);
        parenthesized(tokens, binding < least)
    }

    fn bound_value(&mut self, value: &Value) -> (TokenStream, Binding) {
        if self.is_abreast
            && let Some(tokens) = self.abreast_value(value)
        {
            return (tokens, Binding::Tight);
        }
        match value {
            Value::Number(number) => (self.number(*number), if *number < 0.0 { Binding::Sign } else { Binding::Tight }),
            Value::Local(local) => {
                let local = self.local(*local);
                (quote!(#local), Binding::Tight)
            }
            Value::OfRow(local, index) => {
                let first = self.plan.context.index_of(*index).start;
                let lane = self.affine(&Affine { terms: vec![(*index, 1)], constant: -first }, false);
                let local = self.local(*local);
                (quote!(#local[#lane]), Binding::Tight)
            }
            Value::Load(place) => self.load(place),
            // A cast before `<` would read as the start of type arguments.
            Value::Index(affine) => (self.affine_as_number(affine), Binding::Conditional),
            Value::Sum(terms) => self.sum(terms),
            Value::Product(factors) => self.product(factors),
            Value::Quotient(above, below) => {
                let (above, below) = (self.operand(above, Binding::Product), self.operand(below, Binding::Cast));
                (quote!(#above / #below), Binding::Product)
            }
            Value::IntegerPower(base, times) if *times <= GREATEST_WRITTEN_POWER => {
                let base = self.operand(base, Binding::Sign);
                let rest = (1..*times).map(|_| &base);
                (quote!(#base #(* #rest)*), Binding::Product)
            }
            Value::IntegerPower(base, times) => {
                let (base, times) = (self.value(base), Literal::u32_unsuffixed(*times));
                let math = &self.math;
                (quote!(#math::powi(#base, #times)), Binding::Tight)
            }
            Value::Power(base, exponent) => {
                let (base, exponent) = (self.value(base), self.value(exponent));
                let math = &self.math;
                (quote!(#math::pow(#base, #exponent)), Binding::Tight)
            }
            Value::Call(function, argument) => {
                let argument = self.value(argument);
                (self.function_of(function.name(), &argument), Binding::Tight)
            }
            Value::Choose { condition, then, otherwise } => {
                let is_there = self.is_there(then) && self.is_there(otherwise);
                let condition = self.condition(condition);
                let (then, otherwise) = (self.block(then), self.block(otherwise));
                if is_there {
                    return (quote!(core::hint::select_unpredictable(#condition, #then, #otherwise)), Binding::Tight);
                }
                (quote!(if #condition { #then } else { #otherwise }), Binding::Conditional)
            }
            Value::Truth(condition) => {
                let condition = self.condition(condition);
                let (one, zero) = (self.number(1.0), self.number(0.0));
                (quote!(if #condition { #one } else { #zero }), Binding::Conditional)
            }
        }
    }

    /// Whether a branch is a number or an element: nothing is to be gained by a jump over it, and a wrong guess costs as much as many.
    fn is_there(&mut self, branch: &Branch) -> bool {
        branch.statements.is_empty()
            && match &branch.value {
                Value::Number(_) | Value::Local(_) => true,
                Value::Load(place) => self.guards(place).is_empty(),
                _ => false,
            }
    }

    pub(super) fn block(&mut self, block: &Branch) -> TokenStream {
        let statements = self.statements(&block.statements);
        let value = self.value(&block.value);
        quote!(#statements #value)
    }

    fn product(&mut self, factors: &[Value]) -> (TokenStream, Binding) {
        if let [Value::Number(-1.0), single] = factors {
            let single = self.operand(single, Binding::Sign);
            return (quote!(-#single), Binding::Sign);
        }
        let (sign, factors) = match factors {
            [Value::Number(-1.0), rest @ ..] => (quote!(-), rest),
            _ => (quote!(), factors),
        };
        let factors: Vec<_> = factors.iter().map(|factor| self.operand(factor, Binding::Cast)).collect();
        let (first, rest) = factors.split_at(factors.len().min(1));
        (quote!(#sign #(#first)* #(* #rest)*), Binding::Product)
    }

    /// A literal of the kernel's type.
    pub(super) fn number(&self, number: f64) -> TokenStream {
        let scalar = &self.scalar;
        let is_single = scalar.to_string() == "f32";
        let (infinite, literal) = if is_single {
            ((number as f32).is_infinite(), Literal::f32_unsuffixed(finite(number as f32)))
        } else {
            (number.is_infinite(), Literal::f64_unsuffixed(if number.is_finite() { number.abs() } else { 0.0 }))
        };
        match (infinite, number < 0.0) {
            (true, false) => quote!(#scalar::INFINITY),
            (true, true) => quote!(#scalar::NEG_INFINITY),
            (false, false) => quote!(#literal),
            (false, true) => quote!(-#literal),
        }
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> TokenStream {
        self.bound_condition(condition).0
    }

    fn condition_operand(&mut self, condition: &Condition, least: Binding) -> TokenStream {
        let (tokens, binding) = self.bound_condition(condition);
        parenthesized(tokens, binding < least)
    }

    fn bound_condition(&mut self, condition: &Condition) -> (TokenStream, Binding) {
        match condition {
            Condition::Compare(relation, left, right) => {
                let (left, right) = (self.operand(left, Binding::Sum), self.operand(right, Binding::Sum));
                let relation = match relation {
                    Relation::Less => quote!(<),
                    Relation::LessEqual => quote!(<=),
                    Relation::Equal => quote!(==),
                    Relation::NotEqual => quote!(!=),
                    Relation::GreaterEqual => quote!(>=),
                    Relation::Greater => quote!(>),
                };
                (quote!(#left #relation #right), Binding::Comparison)
            }
            Condition::Label(place, class) => self.label(place, class),
            Condition::And(parts) => {
                let parts = parts.iter().map(|part| self.condition_operand(part, Binding::Comparison)).collect::<Vec<_>>();
                if parts.is_empty() { (quote!(true), Binding::Tight) } else { (quote!(#(#parts)&&*), Binding::And) }
            }
            Condition::Or(parts) => {
                let parts = parts.iter().map(|part| self.condition_operand(part, Binding::And)).collect::<Vec<_>>();
                if parts.is_empty() { (quote!(false), Binding::Tight) } else { (quote!(#(#parts)||*), Binding::Or) }
            }
            Condition::Not(part) => {
                let part = self.condition_operand(part, Binding::Tight);
                (quote!(!#part), Binding::Sign)
            }
            Condition::NotZero(value) => {
                let (value, zero) = (self.operand(value, Binding::Sum), self.number(0.0));
                (quote!(#value != #zero), Binding::Comparison)
            }
        }
    }

    /// Whether a label is this class. A class outside of the declared range is nobody's.
    fn label(&mut self, place: &Place, class: &Affine) -> (TokenStream, Binding) {
        let label = self.place(place, false);
        let classes = self.plan.context.tensor(place.tensor).shape.last().copied().unwrap_or(0);
        match self.class_guard(class, classes) {
            None => {
                let class = self.affine(class, false);
                (quote!(#label == #class), Binding::Comparison)
            }
            Some(guard) => {
                let class = self.affine(class, true);
                (quote!(#guard && #label as isize == #class), Binding::And)
            }
        }
    }

    /// Whether an index is within an extent, as one comparison of the same value that [`Self::place`] takes: so the optimizer sees that
    /// the access needs no check of its own. An index below 0 is a great number as `usize`.
    fn class_guard(&mut self, index: &Affine, extent: usize) -> Option<TokenStream> {
        let (low, high) = self.plan.context.affine_range(index);
        if low >= 0 && high < extent as i64 {
            return None;
        }
        let (index, extent) = (self.affine(index, low < 0), Literal::usize_unsuffixed(extent));
        Some(if low < 0 { quote!(((#index) as usize) < #extent) } else { quote!(#index < #extent) })
    }

    /// An element to read; 0 outside of the tensor.
    fn load(&mut self, place: &Place) -> (TokenStream, Binding) {
        let guards = self.guards(place);
        let element = self.place(place, false);
        if guards.is_empty() {
            return (element, Binding::Tight);
        }
        let zero = self.number(0.0);
        (quote!(if #(#guards)&&* { #element } else { #zero }), Binding::Conditional)
    }

    /// What holds where a place is within its tensor, as far as that is not known.
    pub(super) fn guards(&mut self, place: &Place) -> Vec<TokenStream> {
        let shape = self.plan.context.tensor(place.tensor).shape.clone();
        place.indices.iter().zip(shape).filter_map(|(index, extent)| self.class_guard(index, extent)).collect()
    }

    /// An element as a place expression.
    pub(super) fn place(&mut self, place: &Place, is_written: bool) -> TokenStream {
        let argument = self.arguments[&place.tensor].clone();
        let tensor = self.plan.context.tensor(place.tensor);
        if is_scalar(tensor) {
            let by_reference = is_written || self.is_written(place.tensor);
            return if by_reference { quote!(*#argument) } else { quote!(#argument) };
        }
        let indices: Vec<_> = place.indices.iter().map(|index| self.position(index)).collect();
        quote!(#argument #([#indices])*)
    }

    /// A place along an axis, as `usize`.
    pub(super) fn position(&mut self, index: &Affine) -> TokenStream {
        let low = self.plan.context.affine_range(index).0;
        let tokens = self.affine(index, low < 0);
        if low < 0 { quote!((#tokens) as usize) } else { tokens }
    }

    /// An affine expression as `usize`, or as `isize` where it may be negative. Positive terms come first, so that no part of the
    /// sum is below 0 unless the whole may be.
    pub(super) fn affine(&mut self, affine: &Affine, signed: bool) -> TokenStream {
        let affine = self.in_loop_variables(affine);
        let mut parts: Vec<(bool, TokenStream)> = Vec::new();
        for &(index, coefficient) in &affine.terms {
            let Some(variable) = self.loop_variable(index) else { continue };
            let variable = if signed { quote!(#variable as isize) } else { quote!(#variable) };
            let magnitude = Literal::u64_unsuffixed(coefficient.unsigned_abs());
            let variable = if signed { quote!((#variable)) } else { variable };
            let term = if coefficient.unsigned_abs() == 1 { variable } else { quote!(#magnitude * #variable) };
            parts.push((coefficient < 0, term));
        }
        if affine.constant != 0 || parts.is_empty() {
            let magnitude = Literal::u64_unsuffixed(affine.constant.unsigned_abs());
            parts.push((affine.constant < 0, quote!(#magnitude)));
        }
        parts.sort_by_key(|(negative, _)| *negative);
        let mut tokens = TokenStream::new();
        for (at, (negative, part)) in parts.into_iter().enumerate() {
            tokens.extend(match (at, negative) {
                (0, false) => part,
                // Never below 0, so that it is 0 throughout; but a `usize` takes no sign.
                (0, true) if !signed => quote!(0 - #part),
                (_, false) => quote!(+ #part),
                (_, true) => quote!(- #part),
            });
        }
        tokens
    }

    /// A sum of integers as `usize`, modulo 2 to the number of its bits.
    pub(super) fn wrapping_sum(&mut self, affine: &Affine, others: &[(i64, Value)]) -> TokenStream {
        let affine = self.in_loop_variables(affine);
        let (mut positive, mut negative) = (Affine::default(), Affine::default());
        for &(index, coefficient) in &affine.terms {
            let part = if coefficient > 0 { &mut positive } else { &mut negative };
            part.terms.push((index, coefficient.abs()));
        }
        let part = if affine.constant > 0 { &mut positive } else { &mut negative };
        part.constant = affine.constant.abs();
        let mut tokens = match (positive.terms.is_empty(), positive.constant) {
            (true, constant) => {
                let constant = Literal::usize_suffixed(constant.unsigned_abs() as usize);
                quote!(#constant)
            }
            _ => self.plain_affine(&positive),
        };
        if others.is_empty() && negative == Affine::default() {
            return tokens;
        }
        // Called by its type: nothing else may say that a loop's variable is a `usize`.
        if negative != Affine::default() {
            let negative = self.plain_affine(&negative);
            tokens = quote!(usize::wrapping_sub(#tokens, #negative));
        }
        for (factor, value) in others {
            let value = self.operand(value, Binding::Cast);
            let value = quote!(#value as isize as usize);
            let magnitude = Literal::u64_unsuffixed(factor.unsigned_abs());
            let value = if factor.abs() == 1 { value } else { quote!(usize::wrapping_mul(#value, #magnitude)) };
            let operation = super::identifier(if *factor < 0 { "wrapping_sub" } else { "wrapping_add" });
            tokens = quote!(usize::#operation(#tokens, #value));
        }
        tokens
    }

    /// An affine expression in loop variables without a minus sign.
    fn plain_affine(&mut self, affine: &Affine) -> TokenStream {
        let mut parts = Vec::new();
        for &(index, coefficient) in &affine.terms {
            let Some(variable) = self.loop_variable(index) else { continue };
            let magnitude = Literal::i64_unsuffixed(coefficient);
            parts.push(if coefficient == 1 { quote!(#variable) } else { quote!(#magnitude * #variable) });
        }
        if affine.constant != 0 || parts.is_empty() {
            let constant = Literal::i64_unsuffixed(affine.constant);
            parts.push(quote!(#constant));
        }
        quote!(#(#parts)+*)
    }

    /// An affine expression as a number.
    pub(super) fn affine_as_number(&mut self, affine: &Affine) -> TokenStream {
        let signed = self.plan.context.affine_range(affine).0 < 0;
        let is_plain = affine.as_index().is_some() && !signed;
        let tokens = self.affine(affine, signed);
        let scalar = &self.scalar;
        if is_plain { quote!(#tokens as #scalar) } else { quote!((#tokens) as #scalar) }
    }
}

fn finite(number: f32) -> f32 {
    if number.is_finite() { number.abs() } else { 0.0 }
}

fn parenthesized(tokens: TokenStream, needed: bool) -> TokenStream {
    if needed { quote!((#tokens)) } else { tokens }
}
