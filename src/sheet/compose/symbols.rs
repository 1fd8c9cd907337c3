//! Section 1: what each symbol stands for.

use super::{Composer, references};
use crate::equation::{Equation, ExprId, Node, ReduceKind, Role, TensorId};
use crate::folding::Family;
use crate::model::Parameter;
use crate::sheet::document::{Block, Inline, Table};
use crate::sheet::formula::decimal;
use crate::sheet::math::{Math, Operator};

type Row = Vec<Vec<Inline>>;

/// How a value is computed.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// From values times parameters.
    WeightedSum,
    /// Each element from one of a tensor.
    FunctionOf(TensorId),
    /// In another way.
    Value,
}

impl Composer<'_> {
    pub(super) fn symbols(&self) -> Vec<Block> {
        let model = &self.derivation.model;
        let mut rows: Vec<Row> = Vec::new();
        rows.extend(model.inputs.iter().map(|&input| self.row(input, self.data_meaning(input, "input"))));
        rows.extend(model.targets.iter().map(|&target| self.row(target, self.data_meaning(target, "target"))));
        for parameter in &model.parameters {
            match self.family_of(parameter.tensor) {
                Some(family) => rows.extend(self.family_row(family, parameter.tensor, || self.parameter_meaning(parameter))),
                None => rows.push(self.row(parameter.tensor, self.parameter_meaning(parameter))),
            }
        }
        rows.extend(model.noises.iter().map(|noise| self.row(noise.tensor, self.noise_meaning(noise))));
        for equation in &self.derivation.forward {
            match self.family_of(equation.target) {
                Some(family) => rows.extend(self.family_row(family, equation.target, || self.family_meaning(family))),
                None if Some(equation.target) == model.loss => {}
                None => rows.push(self.row(equation.target, self.value_meaning(equation))),
            }
        }
        rows.extend((0..self.derivation.folding.sizes.len()).map(|size| self.size_row(size)));
        self.scalar_rows(&mut rows);
        let header = vec!["symbol", "in the spec", "shape", "meaning"];
        let mut blocks = vec![Block::Table(Table { header, rows })];
        blocks.extend(self.conventions());
        blocks
    }

    /// The family that stands in one row of the table.
    fn family_of(&self, tensor: TensorId) -> Option<&Family> {
        let folding = &self.derivation.folding;
        let place = folding.place(tensor).filter(|place| place.layer > 0 && self.notation.has_general_symbol(place.family))?;
        let family = &folding.families[place.family];
        (family.members.range(1..).count() > 1).then_some(family)
    }

    /// The row of a family, at its first tensor.
    fn family_row(&self, family: &Family, tensor: TensorId, meaning: impl FnOnce() -> Vec<Inline>) -> Option<Row> {
        // Only once, and at its first tensor: a thousand layers have a thousand of them.
        family.members.range(1..).next().filter(|(_, first)| **first == tensor)?;
        let mut meaning = meaning();
        let members: Vec<(i64, TensorId)> = family.members.range(1..).map(|(&layer, &tensor)| (layer, tensor)).collect();
        let &(layer, first) = members.first()?;
        let layers: Vec<i64> = members.iter().map(|(layer, _)| *layer).collect();
        meaning.push(Inline::text(", "));
        meaning.extend(self.layers_in_words(family.stack, &layers));
        let names = members.iter().map(|(_, tensor)| vec![Inline::Code(self.context().tensor(*tensor).name.clone())]);
        let shapes = members.iter().map(|(_, tensor)| vec![Inline::Math(shape_math(&self.context().tensor(*tensor).shape))]);
        let mut shapes: Vec<Vec<Inline>> = shapes.collect();
        shapes.dedup();
        let symbol = Inline::Math(self.general_symbol_with_axes(first, layer));
        Some(vec![vec![symbol], shortened(names.collect()), shortened(shapes), meaning])
    }

    /// What the values of a family are: by which equations, and which of them are outputs.
    fn family_meaning(&self, family: &Family) -> Vec<Inline> {
        let members: Vec<TensorId> = family.members.range(1..).map(|(_, &tensor)| tensor).collect();
        let equations = self.derivation.forward.iter().filter(|equation| members.contains(&equation.target));
        let kinds: Vec<Kind> = equations.map(|equation| self.kind(equation)).collect();
        let mut meaning = match kinds.first() {
            Some(&kind) if kinds.iter().all(|&other| self.are_alike(kind, other)) => self.kind_in_words(kind, true),
            _ => vec![Inline::text("value")],
        };
        meaning.push(Inline::text(", by "));
        meaning.extend(references(members.iter().filter_map(|&tensor| self.number(tensor))));
        for &output in members.iter().filter(|tensor| self.derivation.model.outputs.contains(tensor)) {
            meaning.extend([Inline::text("; "), Inline::Math(self.symbol_with_axes(output)), Inline::text(" is the output")]);
        }
        meaning
    }

    fn value_meaning(&self, equation: &Equation) -> Vec<Inline> {
        let is_output = self.derivation.model.outputs.contains(&equation.target);
        let mut meaning = if is_output { vec![Inline::text("output")] } else { self.kind_in_words(self.kind(equation), false) };
        meaning.extend([Inline::text(", by "), Inline::Reference(equation.number)]);
        meaning
    }

    /// How a value is computed, as far as one can say it in two words.
    fn kind(&self, equation: &Equation) -> Kind {
        let context = self.context();
        let is_parameter = |tensor: &TensorId| context.tensor(*tensor).role == Role::Parameter;
        let (mut is_weighted, mut is_elementwise) = (false, true);
        context.visit(equation.value, &mut |context, part| match context.node(part) {
            Node::Reduce { kind, body, .. } => {
                is_elementwise = false;
                let factors = match context.node(*body) {
                    Node::Multiply(factors) => &factors[..],
                    _ => &[],
                };
                let accessed = factors.iter().filter_map(|&factor| match context.node(factor) {
                    Node::Access { tensor, .. } => Some(*tensor),
                    _ => None,
                });
                let (parameters, values): (Vec<TensorId>, Vec<TensorId>) = accessed.partition(is_parameter);
                is_weighted |= *kind == ReduceKind::Sum && !parameters.is_empty() && !values.is_empty();
            }
            Node::ArgReduce { .. } | Node::Index(_) => is_elementwise = false,
            Node::Access { indices, .. } => {
                let is_here = indices.iter().zip(&equation.indices).all(|(affine, index)| affine.as_index() == Some(*index));
                is_elementwise &= indices.len() == equation.indices.len() && is_here;
            }
            _ => {}
        });
        let terms = match context.node(equation.value) {
            Node::Add(terms) => &terms[..],
            _ => std::slice::from_ref(&equation.value),
        };
        let is_linear =
            |&term: &ExprId| matches!(context.node(term), Node::Reduce { kind: ReduceKind::Sum, .. } | Node::Access { .. });
        match context.tensors_in(equation.value)[..] {
            _ if is_weighted && terms.iter().all(is_linear) => Kind::WeightedSum,
            [tensor] if is_elementwise && !is_parameter(&tensor) => Kind::FunctionOf(tensor),
            _ => Kind::Value,
        }
    }

    /// Whether what is said of one layer's value is said of another's.
    fn are_alike(&self, a: Kind, b: Kind) -> bool {
        match (a, b) {
            (Kind::FunctionOf(a), Kind::FunctionOf(b)) => {
                let family = |tensor: TensorId| self.derivation.folding.place(tensor).map(|place| place.family);
                family(a).is_some() && family(a) == family(b)
            }
            _ => a == b,
        }
    }

    /// What is said of a value, or of those of several layers in general.
    fn kind_in_words(&self, kind: Kind, in_general: bool) -> Vec<Inline> {
        match kind {
            Kind::WeightedSum => vec![Inline::text("weighted sum")],
            Kind::FunctionOf(tensor) => {
                let symbol = match in_general {
                    true => self.general_element(tensor, self.axes_of(tensor)),
                    false => self.symbol_with_axes(tensor),
                };
                vec![Inline::text("function of "), Inline::Math(symbol)]
            }
            Kind::Value => vec![Inline::text("value")],
        }
    }

    /// What the number of units is in each layer.
    fn size_row(&self, size: usize) -> Row {
        let values = self.derivation.folding.sizes[size].values.iter().map(|(&layer, &value)| {
            let symbol = self.notation.extent_of(size, layer);
            vec![Inline::Math(Math::relation(symbol, Operator::Equal, Math::number(value)))]
        });
        let symbol = self.notation.extent(crate::folding::Extent { size, offset: 0 });
        let mut meaning =
            vec![Inline::text("size of layer "), Inline::Math(Math::identifier(&self.notation.table.layer)), Inline::text(": ")];
        let values: Vec<Vec<Inline>> = values.collect();
        meaning.extend(if values.len() > 12 { shortened(values) } else { super::separated(values, ", ") });
        vec![vec![Inline::Math(symbol)], Vec::new(), Vec::new(), meaning]
    }

    /// What a parameter does in the equations that read it: a bias is a term by itself.
    fn parameter_meaning(&self, parameter: &Parameter) -> Vec<Inline> {
        let readers: Vec<&Equation> = (self.derivation.forward.iter())
            .filter(|equation| self.context().contains_tensor(equation.value, parameter.tensor))
            .collect();
        let is_term = |equation: &&Equation| self.is_only_added(parameter.tensor, equation.value);
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

    /// Whether a tensor is read as a term of sums and nowhere else.
    fn is_only_added(&self, tensor: TensorId, value: ExprId) -> bool {
        let (mut read, mut added) = (0, 0);
        self.context().visit(value, &mut |context, part| {
            let is_read = |part: &ExprId| matches!(context.node(*part), Node::Access { tensor: read, .. } if *read == tensor);
            read += usize::from(is_read(&part));
            if let Node::Add(terms) = context.node(part) {
                added += terms.iter().filter(|term| is_read(term)).count();
            }
        });
        read == added
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
                    let symbol = self.notation.element(equation.target, false, None, Vec::new(), None);
                    vec![Inline::Math(Math::relation(symbol, Operator::Equal, value))]
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

    /// The symbol of the layer before the first of several, for what the first one reads in its place; `None` where it goes by that.
    fn stands_for(&self, tensor: TensorId) -> Option<Math> {
        let folding = &self.derivation.folding;
        let place = folding.place(tensor).filter(|place| place.layer < 1 && self.notation.has_general_symbol(place.family))?;
        let layer = self.notation.stack_shift(folding.families[place.family].stack) + place.layer;
        let symbol = self.notation.symbol_in_layer(place.family, layer);
        (symbol != self.notation.element(tensor, false, None, Vec::new(), None)).then_some(symbol)
    }

    fn row(&self, id: TensorId, mut meaning: Vec<Inline>) -> Row {
        if let Some(symbol) = self.stands_for(id) {
            meaning.extend([Inline::text(", which stands for "), Inline::Math(symbol)]);
        }
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

    /// The symbol of a tensor of several layers in general terms.
    pub(super) fn general_symbol_with_axes(&self, id: TensorId, layer: i64) -> Math {
        let axes = self.axes_of(id);
        if axes.len() == self.context().tensor(id).shape.len() {
            return self.general_element(id, axes);
        }
        self.notation.element(id, false, None, self.axis_letters(id), Some(layer))
    }

    /// A tensor's symbol with index names that are usual for it.
    pub(super) fn symbol_with_axes(&self, id: TensorId) -> Math {
        let tensor = self.context().tensor(id);
        let axes = self.axes_of(id);
        if axes.len() == tensor.shape.len() {
            return self.generic_element(id, axes);
        }
        self.notation.element(id, false, None, self.axis_letters(id), None)
    }

    /// Index names that are usual for a tensor.
    fn axis_letters(&self, id: TensorId) -> Vec<Math> {
        let tensor = self.context().tensor(id);
        const LETTERS: [&str; 8] = ["i", "j", "k", "l", "p", "q", "r", "u"];
        let mut names: Vec<String> = Vec::new();
        for axis in 0..tensor.shape.len() {
            let own = tensor.axes.get(axis).filter(|name| !name.is_empty() && *name != "_").cloned();
            let mut candidates = own.into_iter().chain(LETTERS.map(str::to_owned));
            let letter = self.notation.letter(id);
            let name = candidates.find(|name| !names.contains(name) && name != letter).unwrap_or_default();
            names.push(name);
        }
        names.into_iter().map(Math::Identifier).collect()
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

/// The first and the last entries of a long list.
fn shortened(entries: Vec<Vec<Inline>>) -> Vec<Inline> {
    const LONGEST: usize = 3;
    if entries.len() <= LONGEST {
        return super::separated(entries, ", ");
    }
    let count = entries.len();
    let ends = entries.into_iter().enumerate().filter(|(at, _)| *at < 2 || at + 1 == count).map(|(_, entry)| entry);
    let mut ends: Vec<Vec<Inline>> = ends.collect();
    ends.insert(2, vec![Inline::text("…")]);
    super::separated(ends, ", ")
}
