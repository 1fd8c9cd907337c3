//! Which equations repeat: blocks of them, one reading the block before.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::keys::Keys;
use super::{Family, Folding, Place};
use crate::equation::{Block, Context, Equation, Role, TensorId, schedule};

/// The longest block that is looked for, in equations.
const LONGEST_BLOCK: usize = 256;

/// A run of equations that repeat: `length` of them from `start`, each of the form of that `period` before it.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    period: usize,
    length: usize,
}

/// Finds the stacks of layers and gives their tensors places.
pub(super) fn find(context: &Context, equations: &[Equation]) -> Folding {
    let mut folding = Folding::default();
    let (skeletons, tensors) = {
        let keys = Keys::new(context, &folding);
        let stepwise = stepwise(context, equations);
        let skeleton = |(at, equation): (usize, &Equation)| match stepwise.contains(&at) {
            // Steps are a form of repetition of their own.
            true => Err(at),
            false => Ok((keys.skeleton(equation.value, &equation.indices), equation.indices.len())),
        };
        let skeletons: Vec<_> = equations.iter().enumerate().map(skeleton).collect();
        let tensors: Vec<_> = equations.iter().map(|equation| keys.tensors(equation.value, &equation.indices)).collect();
        (skeletons, tensors)
    };
    let mut open: Vec<Range<usize>> = std::iter::once(0..equations.len()).collect();
    while let Some(range) = open.pop() {
        if let Some(run) = longest(context, &skeletons, &tensors, equations, range.clone()) {
            // Equations behind first, so that stacks are numbered as they follow each other.
            open.push(run.start + run.length..range.end);
            open.push(range.start..run.start);
            place(context, equations, &tensors, run, &mut folding);
        }
    }
    folding
}

/// The equations of recurrences.
fn stepwise(context: &Context, equations: &[Equation]) -> BTreeSet<usize> {
    let all: Vec<&Equation> = equations.iter().collect();
    let blocks = schedule(context, &all, |equation| equation.value).unwrap_or_default();
    let steps = blocks.into_iter().filter_map(|block| match block {
        Block::Steps(recurrence) => Some(recurrence.equations),
        Block::Whole(_) => None,
    });
    steps.flatten().collect()
}

/// The run that covers most equations of a range; of such runs that with the shortest period.
fn longest<K: PartialEq>(
    context: &Context,
    keys: &[K],
    tensors: &[Vec<TensorId>],
    equations: &[Equation],
    range: std::ops::Range<usize>,
) -> Option<Run> {
    let mut best: Option<Run> = None;
    for period in 1..=(range.len() / 2 + 1).min(LONGEST_BLOCK) {
        let mut start = range.start;
        while start + period < range.end {
            // What begins here is not longer than what there is.
            if best.is_some_and(|best| range.end - start <= best.length) {
                break;
            }
            let mut repeated = 0;
            while start + period + repeated < range.end && keys[start + repeated] == keys[start + period + repeated] {
                repeated += 1;
            }
            let run = Run { start, period, length: period + repeated };
            // Half a block at least, as where the last layer has another activation.
            let is_worth = 2 * repeated >= period && best.is_none_or(|best| run.length > best.length);
            if repeated > 0 && is_worth && is_chained(tensors, equations, run) && is_layered(context, tensors, run) {
                best = Some(run);
            }
            start += repeated + 1;
        }
    }
    best
}

/// Whether the second block reads what the first one defines.
fn is_chained(tensors: &[Vec<TensorId>], equations: &[Equation], run: Run) -> bool {
    let second = run.start + run.period..(run.start + 2 * run.period).min(run.start + run.length);
    let defined = &equations[run.start..run.start + run.period];
    second.into_iter().any(|at| tensors[at].iter().any(|read| defined.iter().any(|equation| equation.target == *read)))
}

/// Whether the blocks are layers: each has parameters of its own, or there are more of them than chance explains.
fn is_layered(context: &Context, tensors: &[Vec<TensorId>], run: Run) -> bool {
    const MANY: usize = 4;
    let mut repeated = run.start..run.start + run.length - run.period;
    let is_parameter = |tensor: &TensorId| context.tensor(*tensor).role == Role::Parameter;
    run.length >= MANY * run.period || repeated.any(|at| tensors[at].iter().any(is_parameter))
}

fn place(context: &Context, equations: &[Equation], tensors: &[Vec<TensorId>], run: Run, folding: &mut Folding) {
    let stack = folding.families.iter().map(|family| family.stack + 1).max().unwrap_or(0);
    let layer = |at: usize| ((at - run.start) / run.period) as i64 + 1;
    let slot = |at: usize| (at - run.start) % run.period;
    let all = run.start..run.start + run.length;
    let first_family = folding.families.len();
    for slot in 0..run.period {
        let members = all.clone().skip(slot).step_by(run.period).map(|at| (layer(at), equations[at].target)).collect();
        add(folding, Family { stack, members, is_defined: true });
    }
    let after = run.start + run.length;
    if !run.length.is_multiple_of(run.period)
        && let Some(next) = equations.get(after)
        && tensors[after].contains(&equations[after - 1].target)
        && context.tensor(next.target).shape.len() == context.tensor(equations[after - run.period].target).shape.len()
    {
        // The output of the last layer, by another function than that of the others.
        insert(folding, next.target, Place { family: first_family + slot(after), layer: layer(after) });
    }
    for at in run.start..run.start + run.period {
        for (occurrence, _) in tensors[at].iter().enumerate() {
            let repeats = (at..run.start + run.length).step_by(run.period);
            let read: Vec<(i64, TensorId)> = repeats.map(|at| (layer(at), tensors[at][occurrence])).collect();
            let is_own = |tensor: TensorId| matches!(context.tensor(tensor).role, Role::Parameter | Role::Noise);
            let different: BTreeSet<TensorId> = read.iter().map(|(_, tensor)| *tensor).collect();
            let are_free = read.iter().all(|(_, tensor)| is_own(*tensor) && folding.place(*tensor).is_none());
            if are_free && different.len() == read.len() {
                add(folding, Family { stack, members: read.into_iter().collect(), is_defined: false });
            } else if let [(first, outside), (second, known), ..] = read[..]
                && folding.place(outside).is_none()
                && let Some(place) = folding.place(known)
                && place.family >= first_family
                && place.layer < second
            {
                // What the first layer reads in place of the layer before it.
                insert(folding, outside, Place { layer: place.layer - second + first, ..place });
            }
        }
    }
}

fn add(folding: &mut Folding, family: Family) {
    let at = folding.families.len();
    folding.places.extend(family.members.iter().map(|(&layer, &tensor)| (tensor, Place { family: at, layer })));
    folding.families.push(family);
}

fn insert(folding: &mut Folding, tensor: TensorId, place: Place) {
    let members: &mut BTreeMap<i64, TensorId> = &mut folding.families[place.family].members;
    if !folding.places.contains(tensor) && !members.contains_key(&place.layer) {
        members.insert(place.layer, tensor);
        folding.places.insert(tensor, place);
    }
}
