//! Names of the spec as Rust identifiers.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use rustc_hash::FxHashMap;

/// In the order of the alphabet, what no identifier may be: keywords of all editions, reserved ones too, and the primitive names that
/// emitted code relies on.
const RESERVED: &[&str] = &[
    "Self", "abstract", "as", "async", "await", "become", "bool", "box", "break", "const", "continue", "core", "crate", "do",
    "dyn", "else", "enum", "extern", "f32", "f64", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "math", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct",
    "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use", "usize", "virtual", "where", "while",
    "yield",
];

/// The Greek letters, from `Α` and `α` on, in the order of Unicode; `ς` is a sigma too.
const GREEK: [&str; 25] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "omicron",
    "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
];

/// A name in ASCII letters, digits and `_`: Greek letters are spelled out, a prime is, what else there is becomes `_`.
pub(super) fn ascii(name: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_word = name.as_bytes().iter().all(is_plain) && name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    if is_word && !is_reserved(name) {
        return name.to_owned();
    }
    let mut result = String::new();
    for character in name.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => result.push(character),
            '\'' => result.push_str("_next"),
            'α'..='ω' => result.push_str(GREEK[character as usize - 'α' as usize]),
            'Α'..='Ω' => {
                let spelled = GREEK[character as usize - 'Α' as usize];
                result.push_str(&spelled[..1].to_uppercase());
                result.push_str(&spelled[1..]);
            }
            _ if character.is_alphanumeric() => result.push_str(&format!("u{:x}", character as u32)),
            _ => result.push('_'),
        }
    }
    if result.is_empty() || result.starts_with(|first: char| first.is_ascii_digit()) {
        result.insert(0, '_');
    }
    if result.chars().all(|character| character == '_') {
        result.push('0');
    }
    if is_reserved(&result) {
        result.push('_');
    }
    result
}

/// Whether a name has a meaning in Rust or for emitted code that no identifier may take.
pub(super) fn is_reserved(name: &str) -> bool {
    name == "_" || RESERVED.binary_search(&name).is_ok()
}

/// `dense1` as the last part of a type's name: `Dense1`.
pub(super) fn camel_case(name: &str) -> String {
    let name = ascii(name);
    let parts = name.split('_').filter(|part| !part.is_empty());
    parts.map(|part| part[..1].to_uppercase() + &part[1..]).collect()
}

/// Identifiers that differ from each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    taken: BTreeSet<String>,
    /// Names of which all numbers below these are taken.
    numbered: FxHashMap<String, u64>,
}

impl Scope {
    /// An identifier like `name` that is not taken yet.
    pub(super) fn identifier(&mut self, name: &str) -> Ident {
        let mut free = ascii(name);
        if self.taken.contains(&free) {
            let next = self.numbered.entry(free.clone()).or_insert(2);
            let name = std::mem::take(&mut free);
            while free.is_empty() || self.taken.contains(&free) {
                free = format!("{name}_{next}");
                *next += 1;
            }
        }
        self.taken.insert(free.clone());
        Ident::new(&free, Span::call_site())
    }

    /// Gives a name back.
    pub(super) fn release(&mut self, identifier: &Ident) {
        self.taken.remove(&identifier.to_string());
        self.numbered.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_spec_become_distinct_ascii_identifiers() {
        let mut scope = Scope::default();
        let names = ["dense1.w", "dense1_w", "λ", "Σ", "v'", "type", "_", "self", "2x", "ю"];
        let identifiers: Vec<_> = names.iter().map(|name| scope.identifier(name).to_string()).collect();
        let expected = ["dense1_w", "dense1_w_2", "lambda", "Sigma", "v_next", "type_", "_0", "self_", "_2x", "u44e"];
        assert_eq!(identifiers, expected);
        assert_eq!(camel_case("batch_norm1"), "BatchNorm1");
    }
}
