//! What an experienced reader leaves out: the choice of the forms that a derivation shows with `key` steps.
//!
//! A lecturer writes three to six lines for an equation. The rule of choice knows the names of rules only: the last form stands always;
//! forms that only tidy up are left to the reader; and where lines are many, those go first that only put in what is known already.

use crate::calculus::Step;

/// How many lines the derivation of one equation has, its factors included, where the forms that matter fit in.
pub(super) const MOST_LINES: usize = 6;
/// How many lines the chain rule and its result take.
pub(super) const LEAST_LINES: usize = 2;
/// How many forms are shown at least after the chain rule, where there are so many.
const LEAST_FORMS: usize = 2;
/// How many reasons stand beside one line.
const MOST_REASONS: usize = 3;

/// Rules that put in what is known: the first to be left out.
const SUBSTITUTIONS: [&str; 2] = ["substitute-factors", "substitute-adjoint"];
/// Rules whose result a reader sees without the form before.
const TIDYING: [&str; 7] =
    ["collect-terms", "power-of-power", "expand", "merge-cases", "case-to-bracket", "constant-sum", "magnitude"];

/// The positions of the forms that are shown after a chain rule, where its factors have taken `lines` lines already.
pub(super) fn key_forms(steps: &[Step], lines: usize) -> Vec<usize> {
    let rule = |at: usize| steps.get(at).map(|step| step.rule);
    let puts_in = |at: usize| rule(at) == Some("substitute-adjoint");
    let is_key = |&at: &usize| match steps[at].rule {
        _ if at + 1 == steps.len() => true,
        // What is put in at once with something else is one line with it.
        "substitute-factors" | "substitute-adjoint" => !puts_in(at + 1),
        "cancel" | "distribute-and-cancel" | "in-terms-of-output" => true,
        _ => puts_in(at + 1),
    };
    let mut shown: Vec<usize> = (0..steps.len()).filter(is_key).collect();
    // The chain rule itself has a line too.
    let room = MOST_LINES.saturating_sub(lines + 1).max(LEAST_FORMS);
    let mut leave_out = |is_left_out: &dyn Fn(usize) -> bool| {
        while shown.len() > room
            && let Some(position) = shown.iter().take(shown.len() - 1).position(|&at| is_left_out(at))
        {
            shown.remove(position);
        }
    };
    for substitution in SUBSTITUTIONS {
        leave_out(&|at| rule(at) == Some(substitution));
    }
    leave_out(&|_| true);
    shown
}

/// Whether all steps only tidy up what stands before them.
pub(super) fn only_tidy(steps: &[Step]) -> bool {
    steps.iter().all(|step| TIDYING.contains(&step.rule))
}

/// The reasons that are told of those of several steps, in their order: what was put in and what holds under a condition before all
/// else.
pub(super) fn told<'s>(steps: &[&'s Step]) -> Vec<&'s Step> {
    let rank = |step: &Step| match step.rule {
        rule if SUBSTITUTIONS.contains(&rule) => 0,
        _ if step.condition.is_some() || step.rule == "in-terms-of-output" => 1,
        rule if !TIDYING.contains(&rule) => 2,
        _ => 3,
    };
    let mut distinct: Vec<&Step> = Vec::new();
    for &step in steps {
        if !distinct.iter().any(|other| other.rule == step.rule && other.uses == step.uses) {
            distinct.push(step);
        }
    }
    let mut order: Vec<usize> = (0..distinct.len()).collect();
    order.sort_by_key(|&at| (rank(distinct[at]), at));
    order.truncate(MOST_REASONS);
    order.sort_unstable();
    order.into_iter().map(|at| distinct[at]).collect()
}
