//! What documentation comments say of equations, in the notation of the sheet.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::doc_line;
use crate::derivation::Derivation;
use crate::emit::plan::{Kernel, Line, Plan};
use crate::equation::{Equation, TensorId};
use crate::sheet::EquationTexts;

/// Writes lines of documentation.
pub(super) struct Lines<'a> {
    texts: EquationTexts<'a>,
    /// All equations of the derivation, by their targets.
    equations: FxHashMap<TensorId, &'a Equation>,
    /// How equations write a tensor's elements.
    pub(super) symbols: FxHashMap<TensorId, String>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(derivation: &'a Derivation) -> Self {
        let texts = EquationTexts::new(derivation);
        let updates = derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations);
        let equations = (derivation.objective.iter())
            .chain(&derivation.forward)
            .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
            .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
            .chain(&derivation.model.constants)
            .chain(updates);
        let equations = equations.map(|equation| (equation.target, equation)).collect();
        Self { symbols: texts.symbols(), texts, equations }
    }

    fn text(&self, line: &Line) -> String {
        match line {
            Line::Text(text) => text.clone(),
            Line::Equation { target, number } => {
                let text = self.equations.get(target).map_or_else(String::new, |equation| self.texts.text(equation));
                if *number == 0 { format!("`{text}`") } else { format!("({number}) `{text}`") }
            }
        }
    }

    /// The equations that a function computes.
    pub(super) fn of_function(&self, plan: &Plan, kernel: &Kernel) -> Vec<String> {
        let mut lines: Vec<&Line> = kernel.equations.iter().collect();
        let (mut others, mut known) = (Vec::new(), BTreeSet::new());
        for other in plan.kernels.iter().filter(|other| other.function == kernel.function && other.name != kernel.name) {
            for line in &other.equations {
                if !lines.iter().any(|known| are_alike(known, line)) {
                    lines.push(line);
                }
            }
            for &tensor in &other.writes {
                let name = &plan.context.tensor(super::tile::row_of(plan, tensor).unwrap_or(tensor)).name;
                if known.insert(name) {
                    others.push(format!("`{name}`"));
                }
            }
        }
        let others = (!others.is_empty()).then(|| doc_line(&format!("The same for {}.", others.join(", "))));
        lines.into_iter().map(|line| doc_line(&self.text(line))).chain(others).collect()
    }

    /// The equations of kernels as a list. One stands for all of its number.
    pub(super) fn of_kernels<'k>(&self, kernels: impl Iterator<Item = &'k Kernel>) -> Vec<String> {
        let mut lines: Vec<(&Line, usize)> = Vec::new();
        let mut known: FxHashMap<u32, usize> = FxHashMap::default();
        for line in kernels.flat_map(|kernel| &kernel.equations) {
            let at = match line {
                Line::Equation { number, .. } if *number != 0 => *known.entry(*number).or_insert(lines.len()),
                _ => lines.len(),
            };
            match lines.get_mut(at) {
                Some((_, more)) => *more += 1,
                None => lines.push((line, 0)),
            }
        }
        let said = lines.into_iter().map(|(line, more)| match (self.text(line), more) {
            (text, 0) => doc_line(&format!("- {text}")),
            (text, 1) => doc_line(&format!("- {text}, and one more of this form")),
            (text, more) => doc_line(&format!("- {text}, and {more} more of this form")),
        });
        said.collect()
    }
}

/// Whether the second of two lines says nothing new of a function.
fn are_alike(one: &Line, other: &Line) -> bool {
    match (one, other) {
        (Line::Text(one), Line::Text(other)) => one.split(' ').next() == other.split(' ').next(),
        (Line::Equation { number, .. }, Line::Equation { number: other, .. }) => number == other && *number != 0,
        _ => false,
    }
}
