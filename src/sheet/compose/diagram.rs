//! The network as a graph: what is computed from what.

use std::collections::BTreeMap;

use super::Composer;
use crate::equation::{Equation, Role, TensorId};
use crate::sheet::document::{Block, Diagram, DiagramNode};

impl Composer<'_> {
    /// The forward pass as a graph: a node for each value, or for each rule where there are too many values.
    pub(super) fn diagram(&self) -> Vec<Block> {
        /// More nodes than this are drawn by rules.
        const MOST: usize = 24;
        let all: Vec<&Equation> = self.derivation.forward.iter().collect();
        let leaders: Vec<&Equation> = all.iter().copied().filter(|equation| self.leads(equation)).collect();
        let equations = if all.len() > MOST { leaders } else { all };
        if equations.len() > MOST {
            return Vec::new();
        }
        let mut diagram = Diagram { nodes: Vec::new(), edges: Vec::new() };
        let mut known: BTreeMap<TensorId, usize> = BTreeMap::new();
        let data = self.derivation.model.inputs.iter().chain(&self.derivation.model.targets);
        for &tensor in data {
            known.insert(tensor, diagram.nodes.len());
            let symbol = self.symbol_with_axes(tensor);
            diagram.nodes.push(DiagramNode { symbol, parameters: Vec::new(), layers: None, number: None });
        }
        let first = diagram.nodes.len();
        for (at, equation) in equations.iter().enumerate() {
            let folded = if equations.len() < self.derivation.forward.len() { self.general_rule(equation) } else { None };
            let members = folded.map_or_else(|| vec![equation.target], |rule| rule.members.clone());
            known.extend(members.into_iter().map(|member| (member, first + at)));
            let symbol = match folded {
                Some(_) => self.general_element(equation.target, &equation.indices),
                None => self.symbol_with_axes(equation.target),
            };
            let read = self.context().tensors_in(equation.value);
            let parameters = read.into_iter().filter(|&tensor| self.context().tensor(tensor).role == Role::Parameter);
            let parameters = parameters.map(|tensor| match folded.and_then(|_| self.derivation.folding.place(tensor)) {
                Some(place) => self.general_symbol_with_axes(tensor, place.layer),
                None => self.symbol_with_axes(tensor),
            });
            diagram.nodes.push(DiagramNode {
                symbol,
                parameters: parameters.collect(),
                layers: folded.and_then(|_| self.layers_upwards(equation)),
                number: Some(equation.number),
            });
        }
        for equation in &self.derivation.forward {
            let Some(&to) = known.get(&equation.target) else { continue };
            for read in self.context().tensors_in(equation.value) {
                if let Some(&from) = known.get(&read)
                    && !diagram.edges.contains(&(from, to))
                {
                    diagram.edges.push((from, to));
                }
            }
        }
        vec![Block::Diagram(diagram)]
    }
}
