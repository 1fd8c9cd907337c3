//! Equations that run together step by step, as the schedule finds them.

use super::Composer;
use crate::equation::{self, Equation, IndexId, Recurrence};
use crate::sheet::formula::Writer;
use crate::sheet::math::Math;

/// Equations that stand in one display: those of a recurrence, or as many others as follow each other.
pub(super) struct Run {
    /// Their positions, in the order of computing.
    pub(super) equations: Vec<usize>,
    recurrence: Option<Recurrence>,
}

impl Run {
    /// Whether the equations run together step by step.
    pub(super) fn is_recurrence(&self) -> bool {
        self.recurrence.is_some()
    }

    /// The index that counts the steps, in the equation at this position.
    fn step(&self, equation: &Equation, position: usize) -> Option<IndexId> {
        let recurrence = self.recurrence.as_ref()?;
        let member = recurrence.equations.iter().position(|&member| member == position)?;
        equation.indices.get(recurrence.axes[member]).copied()
    }

    /// The indices of an equation without that of the steps, which is announced above all of them; where it goes by another
    /// name in this equation it stays.
    pub(super) fn indices_beside_step(&self, composer: &Composer<'_>, equation: &Equation, position: usize) -> Vec<IndexId> {
        let step = self.step(equation, position);
        let name = |index| composer.context().index_of(index).name.as_str();
        let announced =
            |index| Some(index) == step && equation.indices.iter().filter(|&&other| name(other) == name(index)).count() == 1;
        equation.indices.iter().copied().filter(|&index| !announced(index)).collect()
    }
}

impl Composer<'_> {
    /// Equations in the order of computing, recurrences apart from the others.
    pub(super) fn runs(&self, equations: &[&Equation]) -> Vec<Run> {
        let Ok(blocks) = equation::schedule(self.context(), equations, |equation| equation.value) else {
            return vec![Run { equations: (0..equations.len()).collect(), recurrence: None }];
        };
        let mut runs: Vec<Run> = Vec::new();
        for block in blocks {
            match (block, runs.last_mut()) {
                (equation::Block::Steps(recurrence), _) => {
                    runs.push(Run { equations: recurrence.equations.clone(), recurrence: Some(recurrence) });
                }
                (equation::Block::Whole(position), Some(run)) if !run.is_recurrence() => run.equations.push(position),
                (equation::Block::Whole(position), _) => runs.push(Run { equations: vec![position], recurrence: None }),
            }
        }
        if !runs.iter().any(Run::is_recurrence) {
            runs.iter_mut().for_each(|run| run.equations.sort_unstable());
        }
        runs
    }

    /// The steps of a recurrence in their order, `t = 5, …, 1`.
    pub(super) fn steps(&self, equations: &[&Equation], run: &Run) -> Option<Math> {
        let recurrence = run.recurrence.as_ref()?;
        let (&position, &axis) = recurrence.equations.first().zip(recurrence.axes.first())?;
        let equation = equations.get(position)?;
        let writer = Writer::for_rule(self.notation, equation);
        Some(writer.values(*equation.indices.get(axis)?, recurrence.descending))
    }
}
