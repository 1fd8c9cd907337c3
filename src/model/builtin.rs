//! The functions that the language has of its own: the elementary ones, and the piecewise ones of section 4.

use crate::equation::{Context, Elementary, ExprId, Relation};

/// A function of scalars that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    /// One with a derivative rule of its own.
    Elementary(Elementary),
    /// `max(a, b)`; the first where they are equal.
    Max,
    /// `min(a, b)`; the first where they are equal.
    Min,
    /// `clamp(a, low, high)`; slope 1 at both ends.
    Clamp,
    /// `pow(a, b)`, which is `a^b`.
    Power,
}

/// The piecewise functions and `pow`, with the names of their parameters.
const NAMED: [(&str, Builtin, &[&str]); 4] = [
    ("max", Builtin::Max, &["a", "b"]),
    ("min", Builtin::Min, &["a", "b"]),
    ("clamp", Builtin::Clamp, &["a", "low", "high"]),
    ("pow", Builtin::Power, &["a", "b"]),
];

impl Builtin {
    /// The function of that name.
    pub(super) fn from_name(name: &str) -> Option<Builtin> {
        let named = NAMED.iter().find(|entry| entry.0 == name).map(|entry| entry.1);
        named.or_else(|| Elementary::from_name(name).map(Builtin::Elementary))
    }

    /// All names.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|entry| entry.0).chain(Elementary::ALL.into_iter().map(Elementary::name))
    }

    /// The names of the parameters.
    pub(super) fn formals(self) -> &'static [&'static str] {
        NAMED.iter().find(|entry| entry.1 == self).map_or(&["a"], |entry| entry.2)
    }

    /// The value at these arguments, as many as there are [`Self::formals`].
    pub(super) fn apply(self, context: &mut Context, arguments: &[ExprId]) -> ExprId {
        match (self, arguments) {
            (Builtin::Elementary(function), &[a]) => context.call(function, a),
            (Builtin::Max, &[a, b]) => context.maximum(a, b),
            (Builtin::Min, &[a, b]) => context.minimum(a, b),
            (Builtin::Power, &[a, b]) => context.power(a, b),
            (Builtin::Clamp, &[a, low, high]) => {
                let above = context.compare(Relation::Greater, a, high);
                let at_most_high = context.if_else(above, high, a);
                let below = context.compare(Relation::Less, a, low);
                context.if_else(below, low, at_most_high)
            }
            // Arguments are matched with the formals before, so no other number of them comes here.
            _ => context.integer(0),
        }
    }
}
