//! Section 1: what each symbol stands for.

use super::{Composer, references};
use crate::equation::{Equation, Node, Role, TensorId};
use crate::model::Parameter;
use crate::sheet::document::{Block, Inline, Table};
use crate::sheet::formula::decimal;
use crate::sheet::math::{Math, Operator};

type Row = Vec<Vec<Inline>>;

impl Composer<'_> {
    pub(super) fn symbols(&self) -> Vec<Block> {
        let model = &self.derivation.model;
        let mut rows: Vec<Row> = Vec::new();
        rows.extend(model.inputs.iter().map(|&input| self.row(input, self.data_meaning(input, "input"))));
        rows.extend(model.targets.iter().map(|&target| self.row(target, self.data_meaning(target, "target"))));
        for parameter in &model.parameters {
            rows.push(self.row(parameter.tensor, self.parameter_meaning(parameter)));
        }
        rows.extend(model.noises.iter().map(|noise| self.row(noise.tensor, self.noise_meaning(noise))));
        for equation in &self.derivation.forward {
            if Some(equation.target) != model.loss {
                let what = if model.outputs.contains(&equation.target) { "output, by " } else { "value, by " };
                rows.push(self.row(equation.target, vec![Inline::text(what), Inline::Reference(equation.number)]));
            }
        }
        self.scalar_rows(&mut rows);
        let header = vec!["symbol", "in the spec", "shape", "meaning"];
        let mut blocks = vec![Block::Table(Table { header, rows })];
        blocks.extend(self.conventions());
        blocks
    }

    /// What a parameter does in the equations that read it: a bias is a term by itself.
    fn parameter_meaning(&self, parameter: &Parameter) -> Vec<Inline> {
        let readers: Vec<&Equation> = (self.derivation.forward.iter())
            .filter(|equation| self.context().contains_tensor(equation.value, parameter.tensor))
            .collect();
        let is_term = |equation: &&Equation| match self.context().node(equation.value) {
            Node::Add(terms) => terms
                .iter()
                .any(|&term| matches!(self.context().node(term), Node::Access { tensor, .. } if *tensor == parameter.tensor)),
            _ => false,
        };
        let what = match parameter.is_weight {
            true => "weight",
            false if !readers.is_empty() && readers.iter().all(is_term) => "bias",
            false => "parameter",
        };
        let numbers = references(readers.iter().map(|equation| equation.number));
        let mut meaning = vec![Inline::text(what)];
        if !numbers.is_empty() {
            meaning.push(Inline::text(" in "));
            meaning.extend(numbers);
        }
        if !parameter.trained {
            meaning.push(Inline::text(", frozen"));
        }
        meaning
    }

    /// The loss, the objective, numbers of examples and updates, and constants.
    fn scalar_rows(&self, rows: &mut Vec<Row>) {
        let model = &self.derivation.model;
        if let Some(loss) = model.loss {
            let number = self.number(loss).map(Inline::Reference);
            let meaning = [Inline::text("loss of one example, by ")].into_iter().chain(number).collect();
            rows.push(self.row(loss, meaning));
        }
        if let Some(objective) = &self.derivation.objective {
            let meaning = vec![Inline::text("objective, by "), Inline::Reference(objective.number)];
            rows.push(vec![vec![Inline::Math(self.notation.objective())], Vec::new(), Vec::new(), meaning]);
            rows.push(self.row(model.batch_size, vec![Inline::text("number of examples in a minibatch")]));
        }
        if self.is_read(model.update_number) {
            rows.push(self.row(model.update_number, vec![Inline::text("number of the update, from 1")]));
        }
        for equation in &model.constants {
            let meaning = match self.context().as_number(equation.value) {
                Some(number) => {
                    let value = match decimal(number.value().abs()) {
                        value if number.value() < 0.0 => Math::Row(vec![Math::Operator(Operator::Negative), value]),
                        value => value,
                    };
                    let symbol = self.notation.element(equation.target, false, None, Vec::new());
                    let value = Math::relation(symbol, Operator::Equal, value);
                    vec![Inline::Math(value), Inline::text(" "), Inline::Number(equation.number)]
                }
                None => vec![Inline::text("by "), Inline::Reference(equation.number)],
            };
            rows.push(self.row(equation.target, meaning));
        }
    }

    fn is_read(&self, tensor: TensorId) -> bool {
        let model = &self.derivation.model;
        let equations = model.constants.iter().chain(model.optimizers.iter().flat_map(|optimizer| &optimizer.equations));
        equations.into_iter().any(|equation| self.context().contains_tensor(equation.value, tensor))
    }

    fn data_meaning(&self, tensor: TensorId, what: &str) -> Vec<Inline> {
        if !self.context().tensor(tensor).label {
            return vec![Inline::text(what)];
        }
        let last = Math::number(1);
        vec![
            Inline::text(format!("{what}, a class: ")),
            Inline::Math(last),
            Inline::text(" where the last index is the class of the example, else "),
            Inline::Math(Math::number(0)),
        ]
    }

    fn row(&self, id: TensorId, meaning: Vec<Inline>) -> Row {
        let tensor = self.context().tensor(id);
        let shape = match &tensor.shape[..] {
            [] => Vec::new(),
            shape => vec![Inline::Math(shape_math(shape))],
        };
        let name = match tensor.role {
            Role::BatchSize | Role::UpdateNumber => Vec::new(),
            _ => vec![Inline::Code(tensor.name.clone())],
        };
        vec![vec![Inline::Math(self.symbol_with_axes(id))], name, shape, meaning]
    }

    /// A tensor's symbol with index names that are usual for it.
    pub(super) fn symbol_with_axes(&self, id: TensorId) -> Math {
        let tensor = self.context().tensor(id);
        let axes = self.axes_of(id);
        if axes.len() == tensor.shape.len() {
            return self.generic_element(id, axes);
        }
        const LETTERS: [&str; 8] = ["i", "j", "k", "l", "p", "q", "r", "u"];
        let mut names: Vec<String> = Vec::new();
        for axis in 0..tensor.shape.len() {
            let own = tensor.axes.get(axis).filter(|name| !name.is_empty() && *name != "_").cloned();
            let mut candidates = own.into_iter().chain(LETTERS.map(str::to_owned));
            let letter = self.notation.letter(id);
            let name = candidates.find(|name| !names.contains(name) && name != letter).unwrap_or_default();
            names.push(name);
        }
        self.notation.element(id, false, None, names.into_iter().map(Math::Identifier).collect())
    }
}

fn shape_math(shape: &[usize]) -> Math {
    let mut row = Vec::new();
    for extent in shape {
        if !row.is_empty() {
            row.push(Math::Operator(Operator::Times));
        }
        row.push(Math::number(extent));
    }
    Math::Row(row)
}
