//! How often something in open loops is done.
//!
//! Loops whose bounds are constant multiply. Those whose bounds depend on each other, such as the windows of a padded convolution,
//! are gone through one by one.

use super::polynomial::Polynomial;
use crate::equation::{Affine, Context, IndexId};
use crate::limits;

/// An open loop.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub(super) index: IndexId,
    /// Tells loops apart that are opened one after the other.
    pub(super) serial: usize,
    /// The values that it takes where nothing narrows it.
    pub(super) extent: Polynomial,
    pub(super) kind: LoopKind,
}

#[derive(Clone, Debug)]
pub(super) enum LoopKind {
    /// All values for which none of these is below 0.
    Range(Vec<Affine>),
    /// One value, if it is among those of the index.
    At(Affine),
    /// One value that depends on the data.
    AtData,
}

impl Loop {
    /// What decides which values it takes.
    fn conditions(&self) -> &[Affine] {
        match &self.kind {
            LoopKind::Range(bounds) => bounds,
            LoopKind::At(at) => std::slice::from_ref(at),
            LoopKind::AtData => &[],
        }
    }
}

/// How many different values some of the indices of open loops take together; `None` where there are too many to look at.
pub(super) fn distinct(context: &Context, loops: &[Loop], wanted: &[IndexId]) -> Option<Polynomial> {
    let mut product = Polynomial::number(1);
    for group in groups(loops) {
        let number = match group[..] {
            [single] if loops[single].conditions().is_empty() => {
                let open = &loops[single];
                let is_one = matches!(open.kind, LoopKind::AtData) || !wanted.contains(&open.index);
                if is_one { Polynomial::number(1) } else { open.extent.clone() }
            }
            _ => Polynomial::number(enumerate(context, loops, &group, wanted)?),
        };
        product = product.times(&number);
    }
    Some(product)
}

/// How often the innermost of the open loops is gone through.
pub(super) fn repetitions(context: &Context, loops: &[Loop]) -> Option<Polynomial> {
    let all: Vec<IndexId> = loops.iter().map(|open| open.index).collect();
    distinct(context, loops, &all)
}

/// The loops that depend on each other, by their positions.
fn groups(loops: &[Loop]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, open) in loops.iter().enumerate() {
        let read = |other: usize| {
            let index = loops[other].index;
            open.conditions().iter().any(|affine| affine.terms.iter().any(|term| term.0 == index))
        };
        let mut joined = vec![at];
        groups.retain(|group| {
            let is_apart = !group.iter().any(|&other| read(other));
            if !is_apart {
                joined.extend(group);
            }
            is_apart
        });
        joined.sort_unstable();
        groups.push(joined);
    }
    groups
}

/// The number of different values of wanted indices in a group of loops, one by one.
fn enumerate(context: &Context, loops: &[Loop], group: &[usize], wanted: &[IndexId]) -> Option<usize> {
    let mut search =
        Search { context, loops, group, wanted, values: Vec::new(), steps: 0, found: std::collections::BTreeSet::new() };
    search.go(0)?;
    Some(search.found.len())
}

struct Search<'a> {
    context: &'a Context,
    loops: &'a [Loop],
    group: &'a [usize],
    wanted: &'a [IndexId],
    values: Vec<(IndexId, i64)>,
    steps: usize,
    found: std::collections::BTreeSet<Vec<i64>>,
}

impl Search<'_> {
    fn go(&mut self, depth: usize) -> Option<()> {
        let Some(&at) = self.group.get(depth) else {
            let value = |(index, value): &(IndexId, i64)| self.wanted.contains(index).then_some(*value);
            let place = self.values.iter().filter_map(value).collect();
            self.found.insert(place);
            return Some(());
        };
        let open = &self.loops[at];
        let range = self.context.index_of(open.index);
        let (start, end) = (range.start, range.end);
        match &open.kind {
            LoopKind::Range(bounds) => {
                for value in start..end {
                    self.step()?;
                    self.values.push((open.index, value));
                    if bounds.iter().all(|bound| self.value(bound) >= 0) {
                        self.go(depth + 1)?;
                    }
                    self.values.pop();
                }
            }
            LoopKind::At(affine) => {
                self.step()?;
                let value = self.value(affine);
                if (start..end).contains(&value) {
                    self.values.push((open.index, value));
                    self.go(depth + 1)?;
                    self.values.pop();
                }
            }
            LoopKind::AtData => self.go(depth + 1)?,
        }
        Some(())
    }

    fn step(&mut self) -> Option<()> {
        self.steps += 1;
        (self.steps <= limits::COUNTED_PLACES).then_some(())
    }

    fn value(&self, affine: &Affine) -> i64 {
        affine.terms.iter().fold(affine.constant, |sum, &(index, coefficient)| {
            let value = self.values.iter().rev().find(|(open, _)| *open == index).map_or(0, |open| open.1);
            sum.saturating_add(coefficient.saturating_mul(value))
        })
    }
}
