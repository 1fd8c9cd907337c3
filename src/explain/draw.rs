//! The ways as a drawing: each stop as a gate, its value above the wire and the derivative by it below; without numbers, what the
//! next one depends on it by.

use super::{Explanation, digits};
use crate::derivation::Derivation;
use crate::trace::{Circuit, Detail, Gate, Note, Operation, TraceError, draw};

impl Explanation {
    /// The drawing as SVG.
    ///
    /// # Errors
    /// Where there are more stops or links than one can follow.
    pub fn to_svg(&self, derivation: &Derivation) -> Result<String, TraceError> {
        let gate = |at: usize| {
            let stop = &self.stops[at];
            let position = derivation.forward.iter().position(|equation| equation.target == stop.tensor);
            let operation = position.filter(|_| at > 0).map_or(Operation::Given, Operation::Equation);
            let operands = self.links.iter().filter(|link| link.to == at).map(|link| link.from).collect();
            Gate::named(&stop.name, operation, operands)
        };
        let circuit = Circuit {
            network: self.network.clone(),
            gates: (0..self.stops.len()).map(gate).collect(),
            result: self.stops.len() - 1,
            detail: Detail::Elements,
        };
        let notes: Vec<Note> = (0..self.stops.len()).map(|at| self.note(at)).collect();
        let title = format!("The ways from {} to {}", self.stops[0].name, self.stops[self.stops.len() - 1].name);
        let description = match self.stops[0].derivative {
            Some(derivative) => {
                format!("Values stand above the wires, derivatives below. The whole derivative is {}.", digits(derivative))
            }
            None => "Above each wire stands the factor that it adds to the product.".to_owned(),
        };
        draw(&circuit, &notes, &title, &description)
    }

    fn note(&self, at: usize) -> Note {
        let stop = &self.stops[at];
        let links: Vec<_> = self.links.iter().filter(|link| link.from == at).collect();
        let factor = match links[..] {
            [single] => format!("× {}", single.factor),
            _ => String::new(),
        };
        Note {
            above: stop.value.map_or(factor, digits),
            below: stop.derivative.map(digits),
            title: match (stop.value, stop.derivative) {
                (Some(value), Some(derivative)) => {
                    format!("{}: value {}, derivative {}", stop.name, digits(value), digits(derivative))
                }
                _ => stop.name.clone(),
            },
        }
    }
}
