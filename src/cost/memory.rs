//! Operations against memory: values that are not kept for the backward pass are computed again.

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

/// One equation of the forward pass, or several that need each other.
struct Stage {
    operations: i128,
    writes: Vec<TensorId>,
    reads: Vec<TensorId>,
}

/// The ways in which no other one takes fewer operations and less memory.
pub(super) fn tradeoffs(plan: &Plan, sizes: &Sizes, forward: &[usize], scalar_bytes: usize) -> Vec<Tradeoff> {
    if plan.backward.is_empty() {
        return Vec::new();
    }
    let operations = |kernel: usize| kernel::count(plan, sizes, &plan.kernels[kernel]).count;
    let stage = |&at: &usize| Stage {
        operations: operations(at).all().value(),
        writes: plan.kernels[at].writes.clone(),
        reads: plan.kernels[at].reads.clone(),
    };
    let stages: Vec<Stage> = forward.iter().map(stage).collect();
    let mut backward = Count::default();
    plan.backward.iter().for_each(|&kernel| backward.add(&operations(kernel)));
    let is_value = |tensor: &TensorId| matches!(plan.storage(*tensor), Storage::Values | Storage::Scratch);
    let needed: Vec<TensorId> =
        plan.backward.iter().flat_map(|&at| plan.kernels[at].reads.iter().copied()).filter(is_value).collect();
    let bytes = |tensors: &[TensorId]| -> i128 {
        tensors.iter().map(|&tensor| (plan.context.tensor(tensor).size() * scalar_bytes) as i128).sum()
    };
    let once: i128 = stages.iter().map(|stage| stage.operations).sum::<i128>() + backward.all().value();
    let mut found: Vec<Tradeoff> = Vec::new();
    for parts in 1..=stages.len() {
        let cuts: Vec<usize> = (0..=parts).map(|part| part * stages.len() / parts).collect();
        let again: i128 = stages[..cuts[parts - 1]].iter().map(|stage| stage.operations).sum();
        let mut kept = Vec::new();
        for &cut in &cuts[1..parts] {
            let crossing = stages[..cut].iter().flat_map(|stage| &stage.writes).copied();
            let is_read_later = |tensor: &TensorId| stages[cut..].iter().any(|stage| stage.reads.contains(tensor));
            insert(&mut kept, crossing.filter(is_read_later));
        }
        let greatest = cuts.windows(2).map(|part| {
            let mut within = Vec::new();
            let written = stages[part[0]..part[1]].iter().flat_map(|stage| &stage.writes).copied();
            insert(&mut within, written.filter(|tensor| needed.contains(tensor) && !kept.contains(tensor)));
            bytes(&within)
        });
        let bytes = greatest.max().unwrap_or(0) + bytes(&kept);
        let option = Tradeoff { parts, operations: once + again, bytes };
        let is_worse = |other: &Tradeoff| other.operations <= option.operations && other.bytes <= option.bytes;
        if !found.iter().any(is_worse) {
            found.retain(|other| !(option.operations <= other.operations && option.bytes <= other.bytes));
            found.push(option);
        }
    }
    found.sort_by_key(|option| option.operations);
    found
}

fn insert(list: &mut Vec<TensorId>, tensors: impl Iterator<Item = TensorId>) {
    for tensor in tensors {
        if !list.contains(&tensor) {
            list.push(tensor);
        }
    }
}
