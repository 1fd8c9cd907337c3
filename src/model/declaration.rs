//! Declarations: inputs, targets, parameters and noise.

use super::builder::Builder;
use super::scope::{Binding, Scope};
use super::value::Indexed;
use crate::diagnostic::Diagnostic;
use crate::equation::{IndexId, Role, Tensor, TensorId};
use crate::span::Span;
use crate::syntax::tree::{Declaration, DeclaredIndex, Drawn, Name, Statement, StatementKind};

/// Names of axes where a declaration gives none.
const AXES: [&str; 8] = ["i", "j", "k", "l", "p", "q", "r", "s"];

/// The name of an axis that was declared without one.
pub(super) fn default_axis(position: usize) -> &'static str {
    AXES[position % AXES.len()]
}

/// The data of a spec.
#[derive(Default)]
pub(super) struct Data {
    pub(super) inputs: Vec<TensorId>,
    pub(super) targets: Vec<TensorId>,
}

impl<'a> Builder<'a> {
    /// Declares inputs and targets.
    pub(super) fn data(&mut self, statements: &'a [Statement], scope: &mut Scope) -> Data {
        let mut data = Data::default();
        for statement in statements {
            let (declarations, role) = match &statement.kind {
                StatementKind::Input(declarations) => (declarations, Role::Input),
                StatementKind::Target(declarations) => (declarations, Role::Target),
                _ => continue,
            };
            for declaration in declarations {
                let tensor = self.declare(declaration, role, scope);
                if let Some(tensor) = tensor {
                    let list = if role == Role::Input { &mut data.inputs } else { &mut data.targets };
                    list.push(tensor);
                }
                let value = tensor.map(|tensor| self.tensor_value(tensor));
                self.bind_new(scope, &declaration.name, value.map_or(Binding::Broken, Binding::Value));
            }
        }
        data
    }

    fn declare(&mut self, declaration: &'a Declaration, role: Role, scope: &mut Scope) -> Option<TensorId> {
        let extents: Vec<Option<usize>> =
            declaration.shape.iter().chain(&declaration.class).map(|extent| self.size(extent, scope)).collect();
        let shape = extents.into_iter().collect::<Option<Vec<usize>>>()?;
        let Name { text, span } = &declaration.name;
        self.check_shape(&shape, text, *span)?;
        let axes = (0..shape.len()).map(|position| default_axis(position).to_owned()).collect();
        let label = declaration.class.is_some();
        Some(self.context.add_tensor(Tensor { name: text.clone(), shape, axes, role, label, origin: Some(*span) }))
    }

    /// Declares the parameters and the noise among these statements.
    pub(super) fn parameters_of(&mut self, statements: &'a [Statement], scope: &mut Scope) {
        for statement in statements {
            let (drawn, is_noise) = match &statement.kind {
                StatementKind::Param(drawn) => (drawn, false),
                StatementKind::Noise(drawn) => (drawn, true),
                _ => continue,
            };
            let value = self.drawn(drawn, is_noise, statement.span, scope);
            self.bind_new(scope, &drawn.name, value.map_or(Binding::Broken, Binding::Value));
        }
    }

    /// A tensor that is drawn: a parameter once, noise for each example.
    fn drawn(&mut self, drawn: &'a Drawn, is_noise: bool, span: Span, scope: &mut Scope) -> Option<Indexed> {
        let (outer, leading) = self.drawn_leading(drawn, is_noise, scope)?;
        let mut extents = Vec::new();
        for index in &drawn.indices {
            extents.push(self.declared_extent(index, scope));
        }
        let own = extents.into_iter().collect::<Option<Vec<usize>>>()?;
        let around: Vec<IndexId> = outer.iter().chain(&leading).copied().collect();
        let extents = around.iter().map(|&index| self.context.index_of(index).extent());
        let shape: Vec<usize> = extents.chain(own.iter().copied()).collect();
        let name = format!("{}{}", scope.prefix, drawn.name.text);
        self.check_shape(&shape, &name, drawn.name.span)?;
        let own: Vec<IndexId> = drawn
            .indices
            .iter()
            .zip(own)
            .enumerate()
            .map(|(position, (index, extent))| {
                self.context.add_index(axis_name(index, around.len() + position), 0, extent as i64)
            })
            .collect();
        let axes = leading.iter().chain(&own).copied().collect();
        if let Some(condition) = &drawn.condition {
            let holds = self.condition(condition, scope)?;
            if self.number_of(&holds, condition.span)? == 0.0 {
                return Some(Indexed { axes, value: self.context.integer(0) });
            }
        }
        let place: Vec<IndexId> = around.iter().chain(&own).copied().collect();
        let names = place.iter().map(|&index| self.context.index_of(index).name.clone()).collect();
        let role = if is_noise { Role::Noise } else { Role::Parameter };
        let origin = Some(self.in_spec(drawn.name.span));
        let tensor = Tensor { name, shape, axes: names, role, label: false, origin };
        let path = scope.place.iter().copied().chain([span.start]).collect();
        let tensor = if is_noise {
            let distribution = self.distribution(&drawn.from, scope)?;
            self.add_noise(tensor, distribution, path, drawn.name.span)?
        } else {
            let initial = self.initial(&drawn.from, &tensor.shape, scope)?;
            self.add_parameter(tensor, initial, path, drawn.name.span)?
        };
        scope.owned.push((drawn.name.text.clone(), tensor));
        Some(Indexed { axes, value: self.context.access_at(tensor, &place) })
    }

    /// The indices that a declaration over `..` begins with: those of the text around, over which noise is drawn as often as the
    /// layer is repeated, and the leading ones of the layer's header.
    fn drawn_leading(&mut self, drawn: &Drawn, is_noise: bool, scope: &Scope) -> Option<(Vec<IndexId>, Vec<IndexId>)> {
        if !drawn.leading {
            return Some((Vec::new(), Vec::new()));
        }
        let Some(leading) = &scope.leading else {
            let message = "`..` stands for the leading axes of a layer's header, and there is none around";
            self.complain(Diagnostic::error(drawn.name.span, message).hint("state the indices, as in `[i: 4]`"));
            return None;
        };
        Some((if is_noise { scope.outer.clone() } else { Vec::new() }, leading.clone()))
    }

    /// The extent that a declaration states, or the header of the layer.
    fn declared_extent(&mut self, index: &'a DeclaredIndex, scope: &mut Scope) -> Option<usize> {
        if let Some(extent) = &index.extent {
            return self.size(extent, scope);
        }
        if let Some(Binding::Range(extent)) = scope.local(&index.name.text).map(|bound| &bound.binding) {
            return Some(*extent);
        }
        let message = format!("the range of the index `{}` is unknown", index.name.text);
        let hint = format!("state it, as in `{}: 4`", index.name.text);
        self.complain(Diagnostic::error(index.name.span, message).hint(hint));
        None
    }
}

/// The name of an axis of a declaration.
fn axis_name(index: &DeclaredIndex, position: usize) -> String {
    if index.name.text == "_" { default_axis(position).to_owned() } else { index.name.text.clone() }
}
