//! Operations against memory: values that are not kept for the backward pass are computed again.

use std::collections::{BTreeMap, BTreeSet};

use super::count::Count;
use super::kernel;
use super::sizes::Sizes;
use crate::emit::plan::{Plan, Storage};
use crate::equation::TensorId;

/// One way of keeping values between the passes over an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tradeoff {
    /// Into how many parts the forward pass is cut. In each but the last, only what later parts read is kept, and the rest computed again.
    pub parts: usize,
    /// Operations of forward and backward pass.
    pub operations: i128,
    /// Bytes of the values that are kept at a time.
    pub bytes: i128,
}

/// A value of the forward pass, its stages counted from 0.
struct Kept {
    bytes: i128,
    /// The stage that computes it.
    written: usize,
    /// The last stage that reads it.
    last_read: usize,
    /// Whether the backward pass reads it.
    is_needed: bool,
}

/// The ways in which no other one takes fewer operations and less memory.
pub(super) fn tradeoffs(plan: &Plan, sizes: &Sizes, forward: &[usize], scalar_bytes: usize) -> Vec<Tradeoff> {
    if plan.backward.is_empty() || forward.is_empty() {
        return Vec::new();
    }
    let operations = |kernel: usize| kernel::count(plan, sizes, &plan.kernels[kernel]).count;
    let stages: Vec<i128> = forward.iter().map(|&at| operations(at).all().value()).collect();
    let mut backward = Count::default();
    plan.backward.iter().for_each(|&kernel| backward.add(&operations(kernel)));
    let once: i128 = stages.iter().sum::<i128>() + backward.all().value();
    let values = values(plan, forward, scalar_bytes);
    let mut found: Vec<Tradeoff> = Vec::new();
    for parts in numbers_of_parts(stages.len()) {
        let cuts: Vec<usize> = (0..=parts).map(|part| part * stages.len() / parts).collect();
        let again: i128 = stages[..cuts[parts - 1]].iter().sum();
        let option = Tradeoff { parts, operations: once + again, bytes: bytes(&values, &cuts) };
        let is_worse = |other: &Tradeoff| other.operations <= option.operations && other.bytes <= option.bytes;
        if !found.iter().any(is_worse) {
            found.retain(|other| !(option.operations <= other.operations && option.bytes <= other.bytes));
            found.push(option);
        }
    }
    found.sort_by_key(|option| option.operations);
    found
}

/// Few numbers that grow faster and faster: 1, 2, 3, 4, 6, 8, 12, ….
fn numbers_of_parts(stages: usize) -> Vec<usize> {
    let powers = (0..usize::BITS - 1).map(|power| 1_usize << power).take_while(|&power| power <= stages);
    let mut parts: Vec<usize> = powers.flat_map(|power| [power, power + power / 2]).filter(|&parts| parts <= stages).collect();
    parts.dedup();
    parts
}

fn values(plan: &Plan, forward: &[usize], scalar_bytes: usize) -> Vec<Kept> {
    let needed: BTreeSet<TensorId> = plan.backward.iter().flat_map(|&at| plan.kernels[at].reads.iter().copied()).collect();
    let mut last_read: BTreeMap<TensorId, usize> = BTreeMap::new();
    for (stage, &at) in forward.iter().enumerate() {
        last_read.extend(plan.kernels[at].reads.iter().map(|&tensor| (tensor, stage)));
    }
    let mut values = Vec::new();
    for (stage, &at) in forward.iter().enumerate() {
        let stored = plan.kernels[at].writes.iter().copied();
        for tensor in stored.filter(|&tensor| matches!(plan.storage(tensor), Storage::Values | Storage::Scratch)) {
            values.push(Kept {
                bytes: (plan.context.tensor(tensor).size() * scalar_bytes) as i128,
                written: stage,
                last_read: last_read.get(&tensor).copied().unwrap_or(stage),
                is_needed: needed.contains(&tensor),
            });
        }
    }
    values
}

/// The bytes of all that passes a cut, and of what the backward pass needs inside of the part where that is most.
fn bytes(values: &[Kept], cuts: &[usize]) -> i128 {
    let mut passing = 0;
    let mut within = vec![0; cuts.len()];
    for value in values {
        let part = cuts.partition_point(|&cut| cut <= value.written);
        let passes = cuts.get(part).is_some_and(|&next| next <= value.last_read);
        if passes {
            passing += value.bytes;
        } else if value.is_needed {
            within[part] += value.bytes;
        }
    }
    passing + within.into_iter().max().unwrap_or(0)
}
