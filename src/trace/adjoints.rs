//! Back through the circuit, from its result to what was given.

use super::rules::Rules;
use super::{Circuit, Gate, Operation};
use crate::calculus::{differentiate, simplified};
use crate::derivation::Derivation;
use crate::equation::{Bindings, Context, Equation, ExprId, IndexId, TensorId, evaluate};
use std::collections::{BTreeMap, HashMap};

/// Sets the adjoint of each gate: the sum, over the gates that read it, of their adjoints times their slopes.
pub(super) fn propagate(circuit: &mut Circuit, derivation: &Derivation) {
    let mut rules = Rules::default();
    let mut equations = Equations::new(circuit, derivation);
    circuit.gates[circuit.result].adjoint = 1.0;
    for at in (0..circuit.gates.len()).rev() {
        let gate = &circuit.gates[at];
        let adjoint = gate.adjoint;
        // What does not count passes nothing on, also where its slope is not finite: a branch that is not taken.
        if adjoint == 0.0 || gate.is_leaf() {
            continue;
        }
        let slopes = match gate.operation {
            Operation::Equation(position) => equations.slopes(position, gate, &circuit.gates),
            _ => {
                let operands: Vec<f64> = gate.operands.iter().map(|&operand| circuit.gates[operand].value).collect();
                rules.slopes(&gate.operation, &operands)
            }
        };
        for (operand, slope) in gate.operands.clone().into_iter().zip(slopes) {
            if slope != 0.0 {
                circuit.gates[operand].adjoint += adjoint * slope;
            }
        }
    }
}

/// The derivatives of whole equations by the tensors they read.
struct Equations<'a> {
    context: Context,
    equations: &'a [Equation],
    values: Elements,
    known: HashMap<(usize, TensorId), (ExprId, Vec<IndexId>)>,
}

/// The values of all elements.
pub(super) struct Elements(pub(super) BTreeMap<(TensorId, Vec<i64>), f64>);

impl Bindings for Elements {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        self.0.get(&(tensor, indices.to_vec())).copied()
    }
}

impl<'a> Equations<'a> {
    fn new(circuit: &Circuit, derivation: &'a Derivation) -> Self {
        let named = circuit.gates.iter().filter_map(|gate| Some((gate.element.clone()?, gate.value)));
        let (context, values) = (derivation.model.context.clone(), Elements(named.collect()));
        Self { context, equations: &derivation.forward, values, known: HashMap::new() }
    }

    /// The slopes of one element of an equation.
    fn slopes(&mut self, position: usize, gate: &Gate, gates: &[Gate]) -> Vec<f64> {
        let Some((_, place)) = &gate.element else { return Vec::new() };
        let equations = self.equations;
        let equation = &equations[position];
        let slope = |operand: &usize| {
            let Some((tensor, at)) = &gates[*operand].element else { return 0.0 };
            let context = &mut self.context;
            let (slope, indices) = self.known.entry((position, *tensor)).or_insert_with(|| {
                let indices = context.fresh_axes(*tensor);
                let slope = differentiate(context, equation.value, *tensor, &indices);
                (simplified(context, slope), indices)
            });
            let own = equation.indices.iter().copied().zip(place.iter().copied());
            let bound: Vec<(IndexId, i64)> = own.chain(indices.iter().copied().zip(at.iter().copied())).collect();
            evaluate(&self.context, &self.values, &bound, *slope).unwrap_or(f64::NAN)
        };
        gate.operands.iter().map(slope).collect()
    }
}
