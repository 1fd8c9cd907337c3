//! Rules broken on purpose, one at a time, to see that the audit of a derivation notices. Outside of this crate's own tests nothing
//! here does anything.

use super::Condition;
use crate::equation::{Context, ExprId};

/// What is broken in a rule.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// Its result has the wrong sign.
    Sign,
    /// Its result is twice what it should be.
    Factor,
    /// It does not say what must hold, or does not ask for it.
    Condition,
}

#[cfg(test)]
thread_local! {
    static BROKEN: std::cell::Cell<Option<(&'static str, Mutation)>> = const { std::cell::Cell::new(None) };
}

/// Runs something while a rule is broken.
#[cfg(test)]
pub(crate) fn with_broken<T>(rule: &'static str, mutation: Mutation, run: impl FnOnce() -> T) -> T {
    BROKEN.set(Some((rule, mutation)));
    let result = run();
    BROKEN.set(None);
    result
}

#[cfg(test)]
fn broken(rule: &str) -> Option<Mutation> {
    BROKEN.get().filter(|(name, _)| *name == rule).map(|(_, mutation)| mutation)
}

/// The result of a rule: as it is, but in a test that breaks it.
pub(crate) fn result(context: &mut Context, rule: &str, value: ExprId) -> ExprId {
    #[cfg(test)]
    match broken(rule) {
        Some(Mutation::Sign) => return context.negate(value),
        Some(Mutation::Factor) => {
            let two = context.integer(2);
            return context.multiply([two, value]);
        }
        _ => {}
    }
    let _ = (context, rule);
    value
}

/// What a rule says that must hold: as it is, but in a test that breaks it.
pub(super) fn condition(rule: &str, condition: Option<Condition>) -> Option<Condition> {
    #[cfg(test)]
    if broken(rule) == Some(Mutation::Condition) {
        return None;
    }
    let _ = rule;
    condition
}

/// Whether a rule may be applied: as asked, but in a test that breaks it.
pub(super) fn may(rule: &str, asked: bool) -> bool {
    #[cfg(test)]
    if broken(rule) == Some(Mutation::Condition) {
        return true;
    }
    let _ = rule;
    asked
}
