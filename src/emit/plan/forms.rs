//! Equations of one form: equal but for the names of tensors and indices, as those of equal layers are. What the first of them becomes, the
//! others become with other names.

use rustc_hash::FxHashMap;

use super::batch::{BatchStep, Batcher, GradientTiles};
use super::planner::is_scalar_role;
use super::{Pairs, Planner};
use crate::equation::{Alike, Context, Equation, IndexId, Renaming, Table, TensorId};

/// Which equations have the form of another, and what the first of each form became.
#[derive(Debug, Default)]
pub(super) struct Forms {
    /// By the target of an equation, the first of its form; by a parameter, the first that is updated alike.
    alike: Table<TensorId, Alike>,
    /// The kernels of the first, for each purpose.
    kernels: [Table<TensorId, usize>; 5],
    /// The steps of an equation for one example, if there are tiles in it.
    steps: Table<TensorId, Option<Vec<BatchStep>>>,
}

/// What a kernel does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Computes an equation for one example.
    Example,
    /// Computes the gradient of the objective by a parameter.
    Gradient,
    /// Updates a parameter.
    Update,
    /// Updates a parameter from the adjoint's equation.
    UpdateFromOne,
    /// Adds a multiple of a product of two vectors to a parameter.
    AddedProduct,
}

/// How to make a kernel from another.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) known: usize,
    pub(super) tensors: Vec<(TensorId, TensorId)>,
    pub(super) indices: Vec<(IndexId, IndexId)>,
}

impl Forms {
    /// How the equation that was the first of a form is this one.
    pub(super) fn alike(&self, tensor: TensorId) -> Option<&Alike> {
        self.alike.get(tensor)
    }

    /// Remembers the kernel of an equation or parameter.
    pub(super) fn insert(&mut self, purpose: Purpose, of: TensorId, kernel: usize) {
        self.kernels[purpose as usize].insert(of, kernel);
    }

    /// Remembers what an equation is in tiles.
    pub(super) fn insert_steps(&mut self, of: TensorId, steps: Option<Vec<BatchStep>>) {
        self.steps.insert(of, steps);
    }
}

/// Finds equations of one form among those of one number.
#[derive(Default)]
struct Search<'e> {
    first: FxHashMap<u32, Vec<Vec<&'e Equation>>>,
}

impl<'e> Search<'e> {
    /// The target of the first equation of a form, and how it becomes these. None for the first itself.
    fn find(&mut self, context: &Context, equations: Vec<&'e Equation>) -> Option<(TensorId, Renaming)> {
        let number = equations.first()?.number;
        if number == 0 {
            return None;
        }
        let forms = self.first.entry(number).or_default();
        for known in forms.iter() {
            if let Some(renaming) = renaming(context, known, &equations) {
                return Some((known.first()?.target, renaming));
            }
        }
        forms.push(equations);
        None
    }
}

/// How equations become others, if they do: with the same scalars, which are computed once for all.
fn renaming(context: &Context, known: &[&Equation], equations: &[&Equation]) -> Option<Renaming> {
    let mut renaming = Renaming::default();
    let are_alike = known.len() == equations.len()
        && known.iter().zip(equations).all(|(from, to)| from.number == to.number && renaming.computed(context, from, to));
    let is_kept = |&(from, to): &(TensorId, TensorId)| from == to || !is_scalar_role(context.tensor(from).role);
    (are_alike && renaming.tensors().iter().all(is_kept)).then_some(renaming)
}

impl Planner<'_> {
    /// Finds equations of one form among those that are computed for each example.
    pub(super) fn find_forms<'e>(&mut self, equations: impl Iterator<Item = &'e Equation>) {
        let mut search = Search::default();
        for equation in equations {
            let Some((first, renaming)) = search.find(&self.context, vec![equation]) else { continue };
            let mut alike = renaming.alike(first);
            match (self.sum_of(first), self.sum_of(equation.target)) {
                (None, None) => {}
                (Some(from), Some(to)) => alike.tensors.push((from, to)),
                _ => continue,
            }
            self.forms.alike.insert(equation.target, alike);
        }
    }

    /// Finds parameters that are updated alike.
    pub(super) fn find_forms_of_updates(&mut self) {
        let derivation = self.derivation;
        let mut search = Search::default();
        for optimizer in &derivation.model.optimizers {
            let Some(gradient) = self.gradient_by(optimizer.parameter) else { continue };
            let mut equations = vec![&gradient.equation];
            equations.extend(&optimizer.equations);
            let Some((first, renaming)) = search.find(&self.context, equations) else { continue };
            let Some(first) = self.gradients.first_of(first) else { continue };
            let mut alike = renaming.alike(first);
            if alike.tensor(first).is_none() {
                alike.tensors.push((first, optimizer.parameter));
            }
            self.forms.alike.insert(optimizer.parameter, alike);
        }
    }

    /// The kernel of an equation for one example; a copy where the first of its form has one.
    pub(super) fn per_example(&mut self, equation: &Equation) -> usize {
        if let Some(copy) = self.copy_for(Purpose::Example, equation.target) {
            let lines = self.lines(equation);
            return self.copy(&copy, &format!("equation_{}", equation.number), lines);
        }
        let temporaries = self.temporaries.len();
        let kernel = self.kernel_of(equation);
        if self.temporaries.len() == temporaries {
            self.forms.insert(Purpose::Example, equation.target, kernel);
        }
        kernel
    }

    /// How the kernel of an equation or parameter is made from that of the first of its form, where it can be.
    pub(super) fn copy_for(&mut self, purpose: Purpose, of: TensorId) -> Option<Copy> {
        let alike = self.forms.alike.get(of)?;
        let &known = self.forms.kernels[purpose as usize].get(alike.to)?;
        let alike = alike.clone();
        let tensors = self.stand_ins(known, &alike, None)?;
        Some(Copy { known, tensors, indices: alike.indices })
    }

    /// The same for what updates a parameter from an adjoint's equation.
    pub(super) fn copy_from_adjoint(&mut self, purpose: Purpose, parameter: TensorId, adjoint: TensorId) -> Option<Copy> {
        let alike = self.forms.alike.get(parameter)?;
        let of_adjoint = self.forms.alike.get(adjoint)?;
        let &known = self.forms.kernels[purpose as usize].get(alike.to)?;
        if self.adjoint_of(of_adjoint.to) != Some(alike.to) {
            return None;
        }
        let mut alike = alike.clone();
        for &(from, to) in &of_adjoint.tensors {
            match alike.tensor(from) {
                None => alike.tensors.push((from, to)),
                Some(known) if known == to => {}
                Some(_) => return None,
            }
        }
        alike.indices.extend_from_slice(&of_adjoint.indices);
        let tensors = self.stand_ins(known, &alike, None)?;
        Some(Copy { known, tensors, indices: alike.indices })
    }

    /// The steps of an equation for one example, as those of the first of its form; the outer is none where that is not known.
    pub(super) fn in_tiles_alike(&mut self, equation: &Equation) -> Option<Option<Vec<BatchStep>>> {
        let alike = self.forms.alike.get(equation.target)?;
        let Some(known) = self.forms.steps.get(alike.to)?.clone() else { return Some(None) };
        let mut alike = alike.clone();
        Batcher::new(self, None, 1, &[]).steps_alike(&known, equation, &mut alike).map(Some)
    }

    /// What stands for each tensor that a known kernel reads or writes.
    fn stand_ins(&mut self, known: usize, alike: &Alike, batch: Option<&Pairs>) -> Option<Vec<(TensorId, TensorId)>> {
        let arguments = [&self.kernels[known].reads[..], &self.kernels[known].writes].concat();
        let mut rows = Vec::new();
        let mut stand_ins = Vec::with_capacity(arguments.len());
        for tensor in arguments {
            stand_ins.push((tensor, self.stand_in(tensor, alike, batch, &mut rows)?));
        }
        Some(stand_ins)
    }

    /// What stands for a tensor, or for all examples' or the row of it.
    fn stand_in(
        &mut self,
        tensor: TensorId,
        alike: &Alike,
        batch: Option<&Pairs>,
        rows: &mut Vec<(TensorId, TensorId)>,
    ) -> Option<TensorId> {
        if let Some(known) = alike.tensor(tensor) {
            return Some(known);
        }
        if is_scalar_role(self.context.tensor(tensor).role) {
            return Some(tensor);
        }
        if let Some(whole) = self.rows.second_of(tensor) {
            let whole = self.stand_in(whole, alike, batch, rows)?;
            return Some(self.row_of(whole, rows));
        }
        let batch = batch?;
        batch.second_of(alike.tensor(batch.first_of(tensor)?)?)
    }
}

/// What an equation became for a minibatch.
#[derive(Clone, Debug)]
pub(super) enum Batched {
    /// A kernel for each example.
    Each,
    /// A kernel over the elements of all examples.
    ElementWise(usize),
    /// Kernels with tiles, and with transposed copies of parameters.
    Tiles(Vec<BatchStep>),
    /// Kernels that sum up a gradient, and whether an update can go with the last of them.
    Gradient(Vec<usize>, bool),
}

impl Batcher<'_, '_> {
    /// Makes of an equation what the first of its form became.
    pub(super) fn equation_alike(&mut self, plain: usize, equation: &Equation, steps: &mut Vec<BatchStep>) -> Option<()> {
        let alike = self.planner.forms.alike(equation.target)?;
        let known = self.known_forms.get(alike.to)?.clone();
        let mut alike = alike.clone();
        match known {
            Batched::Each => steps.push(BatchStep::Each(plain)),
            Batched::ElementWise(kernel) => {
                let kernel = self.copy_of(kernel, "all", equation, &alike)?;
                self.element_wise.push((kernel, plain));
                steps.push(BatchStep::Tiled(kernel));
            }
            Batched::Tiles(known) => {
                let copies = self.steps_alike(&known, equation, &mut alike)?;
                steps.extend(copies);
            }
            Batched::Gradient(kernels, is_updating) => {
                let gradient = self.planner.sum_of(equation.target)?;
                let kernels: Option<Vec<usize>> =
                    kernels.into_iter().map(|kernel| self.copy_of(kernel, "tiles", equation, &alike)).collect();
                let kernels = kernels?;
                let updating = if is_updating { self.updating(kernels[0], gradient) } else { None };
                self.is_tiled = true;
                self.gradients.push(GradientTiles { gradient, kernels, updating });
            }
        }
        Some(())
    }

    /// The same steps with other tensors.
    pub(super) fn steps_alike(&mut self, known: &[BatchStep], equation: &Equation, alike: &mut Alike) -> Option<Vec<BatchStep>> {
        let mut steps = Vec::with_capacity(known.len());
        for step in known {
            steps.push(match step {
                BatchStep::Tiled(kernel) => BatchStep::Tiled(self.copy_of(*kernel, "tiles", equation, alike)?),
                BatchStep::Once(kernel) => BatchStep::Once(self.transposed_alike(*kernel, alike)?),
                BatchStep::Either(many, few) => {
                    let many = self.steps_alike(many, equation, alike)?;
                    BatchStep::Either(many, self.copy_of(*few, "tiles", equation, alike)?)
                }
                BatchStep::Each(_) | BatchStep::Abreast(_) => return None,
            });
        }
        self.is_tiled = true;
        Some(steps)
    }

    /// The kernel that transposes another parameter in the same way; its copy stands for that of the known one.
    fn transposed_alike(&mut self, known: usize, alike: &mut Alike) -> Option<usize> {
        let (parameter, axis, transposed) = self.transposed_by(known)?;
        let parameter = alike.tensor(parameter)?;
        let (copy, kernel) = self.transposed(parameter, axis);
        alike.tensors.push((transposed, copy));
        Some(kernel)
    }

    fn copy_of(&mut self, known: usize, stem: &str, equation: &Equation, alike: &Alike) -> Option<usize> {
        let tensors = self.planner.stand_ins(known, alike, Some(&self.tensors))?;
        let lines = self.planner.lines(equation);
        let example = self.example.map(|example| (example, example));
        let indices: Vec<_> = alike.indices.iter().copied().chain(example).collect();
        let copy = Copy { known, tensors, indices };
        Some(self.planner.copy(&copy, &format!("{stem}_{}", equation.number), lines))
    }
}
