//! Calls of layers: a copy of the definition's parameters and equations for each call.

use super::block::ResultName;
use super::builder::Builder;
use super::call::{Call, Given, slots};
use super::definitions::Home;
use super::function::{Header, Passing};
use super::scope::{Binding, Scope, Word};
use super::value::{Indexed, axes_words, shape_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{IndexId, Node, TensorId};
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, Formal, LayerDefinition, StatementKind};

/// The arguments of a layer, an entry for each of its parameters.
#[derive(Default)]
struct Arguments {
    values: Vec<Option<(Indexed, Span)>>,
    words: Vec<Option<Word>>,
}

impl<'a> Builder<'a> {
    /// Expands a call of a layer; its value, and the tensor of its result, which gets the name `given` if there is one.
    pub(super) fn expand_layer(
        &mut self,
        definition: &'a LayerDefinition,
        home: Home,
        call: Call<'a>,
        given: Option<String>,
        scope: &mut Scope,
    ) -> Option<(Indexed, TensorId)> {
        let span = call.span;
        let Some(local) = scope.instances.get(&span.start).filter(|_| scope.allows_layers).cloned() else {
            let message = format!("the layer `{}` cannot be called here", call.name);
            let hint = "a layer stands in an equation of a spec or of a layer's body; a function owns no parameters";
            self.complain(Diagnostic::error(span, message).hint(hint));
            return None;
        };
        let matched = self.matched(call, &slots(&definition.formals))?;
        let mut arguments = self.layer_arguments(definition, matched, &local, scope)?;
        let passing = Passing::of(&arguments.values, scope);
        arguments.values = passing.arguments(&definition.formals, arguments.values);
        let end = definition.body.last().map_or(definition.name.span, |statement| statement.span);
        self.enter(&definition.name.text, definition.name.span, end, span)?;
        let result = self.expand_body(definition, home, &arguments, (&local, span.start), given, scope);
        self.leave();
        result.map(|(value, tensor)| (passing.result(&mut self.context, value), tensor))
    }

    fn layer_arguments(
        &mut self,
        definition: &'a LayerDefinition,
        matched: Vec<Option<Given<'a>>>,
        local: &str,
        scope: &mut Scope,
    ) -> Option<Arguments> {
        let mut arguments = Arguments::default();
        let mut is_sound = true;
        for (formal, given) in definition.formals.iter().zip(matched) {
            let word = match &given {
                Some(Given::Written(expr)) if formal.indices.is_none() => self.word(expr, scope),
                _ => None,
            };
            let value = match &given {
                Some(given) if word.is_none() => {
                    let value = self.layer_value(formal, given, local, scope).map(|value| (value, given.span()));
                    is_sound &= value.is_some();
                    value
                }
                _ => None,
            };
            arguments.words.push(word);
            arguments.values.push(value);
        }
        is_sound.then_some(arguments)
    }

    /// The word that an argument is: the name of one, or a name that means nothing else.
    fn word(&mut self, expr: &'a Expr, scope: &Scope) -> Option<Word> {
        match &expr.kind {
            ExprKind::Name(name) => match self.find(name, scope) {
                Some(Binding::Word(word)) => Some(word),
                None => Some(Word { text: name.clone(), span: expr.span, near: self.nearest_name(name, scope) }),
                Some(_) => None,
            },
            _ => None,
        }
    }

    /// The value of an argument; a tensor that is more than a name becomes an equation of the layer.
    fn layer_value(&mut self, formal: &'a Formal, given: &Given<'a>, local: &str, scope: &mut Scope) -> Option<Indexed> {
        let value = self.given_value(given, scope)?;
        if formal.indices.is_none() {
            self.number_of(&value, given.span())?;
            return Some(value);
        }
        let is_access = matches!(self.context.node(value.value), Node::Access { .. });
        if is_access || !self.reads_tensors(value.value) {
            return Some(value);
        }
        let mut free = self.context.free_indices(value.value);
        free.retain(|index| !value.axes.contains(index));
        let name = format!("{}{local}.{}", scope.prefix, formal.name.text);
        let tensor = self.define(name, &free, &value, given.span())?;
        let place: Vec<IndexId> = free.iter().chain(&value.axes).copied().collect();
        Some(Indexed { axes: value.axes, value: self.context.access_at(tensor, &place) })
    }

    fn expand_body(
        &mut self,
        definition: &'a LayerDefinition,
        home: Home,
        arguments: &Arguments,
        (local, start): (&str, u32),
        given: Option<String>,
        scope: &mut Scope,
    ) -> Option<(Indexed, TensorId)> {
        let mut inner = Scope::new(home);
        inner.prefix = format!("{}{local}.", scope.prefix);
        inner.names_intermediates = true;
        inner.allows_layers = true;
        inner.place = scope.place.iter().copied().chain([start]).collect();
        let leading = self.bind_layer_header(definition, arguments, &mut inner)?;
        inner.outer = self.indices_around(&arguments.values);
        inner.leading = Some(leading);

        self.layer_statements(definition);
        self.local_lets(&definition.body, &mut inner);
        let owners = self.number_layers(&definition.body, &mut inner);
        self.parameters_of(&definition.body, &mut inner);
        let result_name = &definition.result.name;
        let result = ResultName { local: &result_name.text, given };
        self.equations_of(&definition.body, &owners, Some(result), &mut inner);

        for (name, tensor) in &inner.owned {
            let name = format!("{local}.{name}");
            if scope.local(&name).is_none() {
                let value = self.tensor_value(*tensor);
                scope.bind(&name, definition.name.span, Binding::Value(value));
                scope.owned.push((name, *tensor));
            }
        }
        let tensor = inner.owned.iter().rev().find(|(name, _)| *name == result_name.text).map(|(_, tensor)| *tensor);
        match inner.local(&result_name.text).map(|bound| bound.binding.clone()) {
            Some(Binding::Value(value)) => {
                self.check_result(definition, &value, &inner)?;
                Some((value, tensor?))
            }
            Some(Binding::Broken) => None,
            _ => {
                let message = format!("no equation defines `{}`, the result of `{}`", result_name.text, definition.name.text);
                self.complain(Diagnostic::error(result_name.span, message).label("this is what the layer gives"));
                None
            }
        }
    }

    /// Binds the parameters of a layer and the indices of its header; gives the indices that `..` stands for.
    fn bind_layer_header(
        &mut self,
        definition: &'a LayerDefinition,
        arguments: &Arguments,
        inner: &mut Scope,
    ) -> Option<Vec<IndexId>> {
        let mut header = Header::default();
        let mut is_sound = true;
        // Numbers first: a tensor's header may speak of them.
        let given = || definition.formals.iter().zip(arguments.values.iter().zip(&arguments.words));
        for (formal, argument) in given().filter(|(formal, _)| formal.indices.is_none()) {
            is_sound &= match argument {
                (_, Some(word)) => {
                    inner.bind(&formal.name.text, word.span, Binding::Word(word.clone()));
                    true
                }
                (Some(value), _) => self.bind_scalar(formal, Some(value.clone()), inner).is_some(),
                (None, None) => self.bind_default(formal, inner).is_some(),
            };
        }
        for (formal, (value, _)) in given().filter(|(formal, _)| formal.indices.is_some()) {
            is_sound &= match value {
                Some((value, span)) => self.bind_tensor(formal, value, *span, &mut header, inner).is_some(),
                None => self.complain_about_default(formal),
            };
        }
        if !is_sound {
            return None;
        }
        for (name, extent, span) in header.indices {
            inner.bind(&name, span, Binding::Range(extent));
        }
        let leading = header.leading.map(|(indices, _)| indices).unwrap_or_default();
        inner.leading = Some(leading.clone());
        for index in definition.result.indices.iter().flatten() {
            let Some(extent) = &index.extent else { continue };
            let size = self.size(extent, inner)?;
            match inner.local(&index.name.text).map(|bound| (bound.binding.clone(), bound.span)) {
                Some((Binding::Range(known), first)) if known != size => {
                    let message = Diagnostic::error(extent.span, format!("the index `{}` has two ranges", index.name.text));
                    self.complain(message.label(format!("{size} here")).also(first, format!("{known} here")));
                    return None;
                }
                _ => inner.bind(&index.name.text, index.name.span, Binding::Range(size)),
            }
        }
        Some(leading)
    }

    /// A tensor has no default, for there is no way to write one.
    fn complain_about_default(&mut self, formal: &'a Formal) -> bool {
        let message = format!("`{}` is a tensor, and has no default", formal.name.text);
        self.complain(Diagnostic::error(formal.name.span, message));
        false
    }

    fn bind_default(&mut self, formal: &'a Formal, inner: &mut Scope) -> Option<()> {
        if let Some(default) = &formal.default
            && let Some(word) = self.word(default, inner)
        {
            inner.bind(&formal.name.text, default.span, Binding::Word(word));
            return Some(());
        }
        self.bind_scalar(formal, None, inner)
    }

    /// The indices of the text around, over which all that depends on the arguments is repeated.
    fn indices_around(&self, arguments: &[Option<(Indexed, Span)>]) -> Vec<IndexId> {
        let mut around = Vec::new();
        for (value, _) in arguments.iter().flatten() {
            let free = self.context.free_indices(value.value);
            around.extend(free.into_iter().filter(|index| !value.axes.contains(index)));
        }
        around.sort_unstable();
        around.dedup();
        around
    }

    /// Complains about statements that no layer has.
    fn layer_statements(&mut self, definition: &'a LayerDefinition) {
        for statement in &definition.body {
            let is_known = matches!(
                statement.kind,
                StatementKind::Let { .. } | StatementKind::Param(_) | StatementKind::Noise(_) | StatementKind::Equation(_)
            );
            if !is_known {
                let message = "a layer's body has parameters, noise and equations, and nothing else";
                self.complain(Diagnostic::error(statement.span, message));
            }
        }
    }

    /// Checks the result against the header.
    fn check_result(&mut self, definition: &'a LayerDefinition, value: &Indexed, inner: &Scope) -> Option<()> {
        let Some(indices) = &definition.result.indices else { return Some(()) };
        let lead = value.count_leading(inner.leading.as_deref().unwrap_or_default());
        let shape = value.shape(&self.context)[lead..].to_vec();
        let stated = definition.result.name.span;
        if shape.len() != indices.len() {
            let message = format!("the result of `{}` is declared with {}", definition.name.text, axes_words(indices.len()));
            self.complain(Diagnostic::error(stated, message).label(format!("its equation gives {}", shape_words(&shape))));
            return None;
        }
        for (index, extent) in indices.iter().zip(shape) {
            if let Some(Binding::Range(known)) = inner.local(&index.name.text).map(|bound| &bound.binding)
                && *known != extent
            {
                let message = format!("the index `{}` of the result has extent {known}", index.name.text);
                self.complain(Diagnostic::error(index.name.span, message).label(format!("its equation gives {extent}")));
                return None;
            }
        }
        Some(())
    }
}
