//! The order in which equations can be computed, and which of them run together, step by step.

use super::components::components;
use super::{Affine, Context, Equation, ExprId, IndexId, Node};

/// What is computed at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// One equation, whole: its position.
    Whole(usize),
    /// Equations that need each other across steps.
    Steps(Recurrence),
}

/// Equations that need each other, or themselves, at other steps of one index each.
///
/// At each step, from the first to the last or the other way round, the equations are computed in order, for all values of their other
/// indices. What an equation reads of the group was computed at an earlier step, or before it in this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// Positions of the equations, in the order of computing within one step.
    pub equations: Vec<usize>,
    /// For each of [`Self::equations`], which of its indices is the step.
    pub axes: Vec<usize>,
    /// The number of steps, `0..extent`.
    pub extent: usize,
    /// Whether the last step comes first, as in backpropagation through time.
    pub descending: bool,
}

/// Equations that need each other and have no order of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Positions of the equations.
    pub equations: Vec<usize>,
    /// Why there is no order.
    pub reason: CycleReason,
}

/// Why equations cannot be computed step by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycleReason {
    /// They need each other at the same step.
    SameStep,
    /// One needs an earlier step and one a later.
    BothWays,
    /// One reads another at a place that is no fixed distance from its own step.
    NoStep {
        /// The position of the reader.
        reader: usize,
        /// The position of the equation that it reads.
        read: usize,
    },
}

/// The blocks of some equations, each after those it reads; where there is a choice, in the order of the equations.
///
/// `right_side` says which form of an equation counts: the one to read or the one to compute.
pub fn schedule(
    context: &Context,
    equations: &[&Equation],
    right_side: impl Fn(&Equation) -> ExprId,
) -> Result<Vec<Block>, Cycle> {
    let mut positions: Vec<Option<usize>> = vec![None; context.tensors().count()];
    for (position, equation) in equations.iter().enumerate() {
        positions[equation.target.index()] = Some(position);
    }
    let needs: Vec<Vec<usize>> = equations
        .iter()
        .map(|equation| {
            let read = context.tensors_in(right_side(equation));
            let mut needed: Vec<usize> = read.into_iter().filter_map(|tensor| positions[tensor.index()]).collect();
            needed.sort_unstable();
            needed
        })
        .collect();
    let mut blocks = Vec::new();
    for group in components(&needs) {
        let block = match group[..] {
            [single] if !needs[single].contains(&single) => Block::Whole(single),
            _ => Block::Steps(steps(context, equations, &group, &positions, &right_side)?),
        };
        blocks.push(block);
    }
    Ok(blocks)
}

/// How one equation of a group reads another, by their places in the group.
struct Edge {
    reader: usize,
    read: usize,
    places: Vec<Affine>,
}

/// The recurrence that a group of equations is.
fn steps(
    context: &Context,
    equations: &[&Equation],
    group: &[usize],
    positions: &[Option<usize>],
    right_side: &impl Fn(&Equation) -> ExprId,
) -> Result<Recurrence, Cycle> {
    let mut edges = Vec::new();
    for (reader, &at) in group.iter().enumerate() {
        context.visit(right_side(equations[at]), &mut |context, part| {
            if let Node::Access { tensor, indices } = context.node(part)
                && let Some(read) = positions[tensor.index()].and_then(|at| group.iter().position(|&member| member == at))
            {
                edges.push(Edge { reader, read, places: indices.clone() });
            }
        });
    }
    let indices: Vec<&[IndexId]> = group.iter().map(|&at| &equations[at].indices[..]).collect();
    let mut failure = CycleReason::SameStep;
    for first in 0..indices[0].len() {
        match along(context, &indices, &edges, first) {
            Ok(Steps { order, axes, descending }) => {
                return Ok(Recurrence {
                    extent: context.index_of(indices[0][first]).extent(),
                    equations: order.iter().map(|&member| group[member]).collect(),
                    axes: order.iter().map(|&member| axes[member]).collect(),
                    descending,
                });
            }
            Err(reason) if first == 0 || reason == CycleReason::BothWays => failure = reason,
            Err(_) => {}
        }
    }
    if let CycleReason::NoStep { reader, read } = failure {
        failure = CycleReason::NoStep { reader: group[reader], read: group[read] };
    }
    Err(Cycle { equations: group.to_vec(), reason: failure })
}

/// The steps of a group: the order within one, the axis of each equation, and the direction.
struct Steps {
    order: Vec<usize>,
    axes: Vec<usize>,
    descending: bool,
}

/// Steps along one index of the first equation, and what that makes the step of the others.
fn along(context: &Context, indices: &[&[IndexId]], edges: &[Edge], first: usize) -> Result<Steps, CycleReason> {
    let mut axes: Vec<Option<usize>> = vec![None; indices.len()];
    axes[0] = Some(first);
    // A group is connected: each round finds the step of one more equation.
    for _ in 0..indices.len() {
        for edge in edges {
            let Some(axis) = axes[edge.reader] else { continue };
            let step = indices[edge.reader][axis];
            if axes[edge.read].is_none() {
                axes[edge.read] = edge.places.iter().position(|place| distance(place, step).is_some());
            }
        }
    }
    let extent = context.index_of(indices[0][first]).extent();
    let (mut behind, mut ahead) = (false, false);
    let mut needs = vec![Vec::new(); indices.len()];
    for edge in edges {
        let no_step = CycleReason::NoStep { reader: edge.reader, read: edge.read };
        let (Some(reader), Some(read)) = (axes[edge.reader], axes[edge.read]) else { return Err(no_step) };
        let step = indices[edge.reader][reader];
        let Some(distance) = edge.places.get(read).and_then(|place| distance(place, step)) else { return Err(no_step) };
        if context.index_of(step).extent() != extent {
            return Err(no_step);
        }
        match distance {
            0 => needs[edge.reader].push(edge.read),
            1.. => ahead = true,
            _ => behind = true,
        }
    }
    if behind && ahead {
        return Err(CycleReason::BothWays);
    }
    let groups = components(&needs);
    if groups.len() < indices.len() || needs.iter().enumerate().any(|(member, needed)| needed.contains(&member)) {
        return Err(CycleReason::SameStep);
    }
    let axes = axes.into_iter().flatten().collect();
    Ok(Steps { order: groups.concat(), axes, descending: ahead })
}

/// How far a place lies from a step: `c` of `t + c`.
fn distance(place: &Affine, step: IndexId) -> Option<i64> {
    match place.terms[..] {
        [(index, 1)] if index == step => Some(place.constant),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equation::{Role, Tensor, TensorId};

    fn tensor(context: &mut Context, name: &str) -> TensorId {
        context.add_tensor(Tensor {
            name: name.to_owned(),
            shape: vec![5, 3],
            axes: Vec::new(),
            role: Role::Value,
            label: false,
            origin: None,
        })
    }

    /// `target[t, j] = sum of the tensors, each read at t + distance`.
    fn equation(context: &mut Context, target: TensorId, read: &[(TensorId, i64)]) -> Equation {
        let (step, other) = (context.add_index("t", 0, 5), context.add_index("j", 0, 3));
        let parts: Vec<_> = read
            .iter()
            .map(|&(tensor, distance)| {
                let place = Affine { terms: vec![(step, 1)], constant: distance };
                context.access(tensor, vec![place, Affine::index(other)])
            })
            .collect();
        let value = context.add(parts);
        Equation { target, indices: vec![step, other], value, computed: value, number: 0, origin: None }
    }

    fn scheduled(reads: &[&[(usize, i64)]]) -> Result<Vec<Block>, Cycle> {
        let mut context = Context::new();
        let tensors: Vec<_> = (0..reads.len()).map(|at| tensor(&mut context, &format!("v{at}"))).collect();
        let equations: Vec<_> = reads
            .iter()
            .enumerate()
            .map(|(at, read)| {
                let read: Vec<_> = read.iter().map(|&(of, distance)| (tensors[of], distance)).collect();
                equation(&mut context, tensors[at], &read)
            })
            .collect();
        schedule(&context, &equations.iter().collect::<Vec<_>>(), |equation| equation.value)
    }

    #[test]
    fn equations_that_need_each_other_across_steps_run_together_in_the_order_within_a_step() {
        let blocks = scheduled(&[&[(1, 0)], &[(0, -1), (2, -2)], &[(1, 0)], &[(2, 0)]]);
        let recurrence = Recurrence { equations: vec![1, 0, 2], axes: vec![0; 3], extent: 5, descending: false };
        assert_eq!(blocks, Ok(vec![Block::Steps(recurrence), Block::Whole(3)]));
    }

    #[test]
    fn a_read_of_a_later_step_makes_the_last_step_the_first() {
        let recurrence = Recurrence { equations: vec![0], axes: vec![0], extent: 5, descending: true };
        assert_eq!(scheduled(&[&[(0, 1)]]), Ok(vec![Block::Steps(recurrence)]));
    }

    #[test]
    fn equations_without_an_order_of_steps_are_refused() {
        let reason = |reads| scheduled(reads).map_err(|cycle| cycle.reason);
        assert_eq!(reason(&[&[(1, 0)], &[(0, 0)]]), Err(CycleReason::SameStep));
        assert_eq!(reason(&[&[(1, -1)], &[(0, 1)]]), Err(CycleReason::BothWays));
    }
}
