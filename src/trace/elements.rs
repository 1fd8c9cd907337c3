//! A gate for a whole element of an equation.

use super::adjoints::Elements;
use super::build::Builder;
use super::{Operation, TraceError};
use crate::equation::{ExprId, Node, evaluate, for_each_child};

impl Builder<'_> {
    /// The gate that reads all elements that the expression reads.
    pub(super) fn whole(&mut self, position: usize, value: ExprId) -> Result<usize, TraceError> {
        let mut operands = Vec::new();
        self.read(value, &mut operands)?;
        operands.sort_unstable();
        operands.dedup();
        let read = operands.iter().filter_map(|&gate| Some((self.gates[gate].element.clone()?, self.gates[gate].value)));
        let values = Elements(read.collect());
        let value = evaluate(self.context, &values, &self.indices, value).unwrap_or(f64::NAN);
        self.push(Operation::Equation(position), operands, value)
    }

    fn read(&mut self, expr: ExprId, operands: &mut Vec<usize>) -> Result<(), TraceError> {
        self.count_step()?;
        let context = self.context;
        match context.node(expr) {
            Node::Access { tensor, indices } => {
                operands.extend(self.place(*tensor, indices).and_then(|place| self.element(*tensor, &place)));
                Ok(())
            }
            Node::Reduce { indices, body, .. } | Node::ArgReduce { indices, body, .. } => {
                self.bind_each(indices, &mut |builder, _| builder.read(*body, operands))
            }
            node => {
                let mut parts = Vec::new();
                for_each_child(node, |part| parts.push(part));
                parts.into_iter().try_for_each(|part| self.read(part, operands))
            }
        }
    }
}
