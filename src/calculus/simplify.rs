//! The driver of the rules: one rule at a time, everywhere in the expression, until none applies.

use rustc_hash::FxHashMap;

use super::rules::{RULES, Rule};
use super::weight::weight;
use super::{Condition, Step, mutation};
use crate::equation::{Context, ExprId};
use crate::limits::REWRITE_STEPS;

/// The simplest equal form that the rules find, with a step for each rule that was applied.
///
/// Deterministic and bounded by [`REWRITE_STEPS`].
pub fn simplify(context: &mut Context, expr: ExprId, steps: &mut Vec<Step>) -> ExprId {
    let mut current = expr;
    let mut seen = vec![expr];
    'rewriting: for _ in 0..REWRITE_STEPS {
        for rule in RULES {
            let mut pass = Pass { rule, condition: None, done: FxHashMap::default() };
            let next = pass.apply(context, current);
            // A form that was seen before would be rewritten in a circle.
            if next != current && !seen.contains(&next) {
                steps.push(Step { rule: rule.name, value: next, condition: pass.condition, uses: Vec::new() });
                seen.push(next);
                current = next;
                continue 'rewriting;
            }
        }
        break;
    }
    current
}

/// [`simplify`] without a record.
pub fn simplified(context: &mut Context, expr: ExprId) -> ExprId {
    simplify(context, expr, &mut Vec::new())
}

/// One rule applied to every node, parts first.
struct Pass<'a> {
    rule: &'a Rule,
    condition: Option<Condition>,
    done: FxHashMap<ExprId, ExprId>,
}

impl Pass<'_> {
    fn apply(&mut self, context: &mut Context, expr: ExprId) -> ExprId {
        if let Some(&result) = self.done.get(&expr) {
            return result;
        }
        let inner = context.rebuild(expr, |context, part, _| self.apply(context, part));
        let result = match (self.rule.apply)(context, inner) {
            Some(rewritten) if !self.rule.must_pay || weight(context, rewritten.value) < weight(context, inner) => {
                let condition = mutation::condition(self.rule.name, rewritten.condition);
                self.condition = Condition::both(context, self.condition.take(), condition);
                mutation::result(context, self.rule.name, rewritten.value)
            }
            _ => inner,
        };
        self.done.insert(expr, result);
        result
    }
}
