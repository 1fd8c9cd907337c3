//! Calls of functions that are defined in the language.

use super::builder::Builder;
use super::call::{Call, Given, slots};
use super::definitions::Home;
use super::names::for_each_name;
use super::scope::{Binding, Scope};
use super::value::{Indexed, axes_words, shape_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{Context, ExprId, IndexId, Node};
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, Formal, FunctionDefinition};

/// The axes that a definition's header has found in its arguments.
#[derive(Default)]
pub(super) struct Header {
    /// The indices that `..` stands for, and the argument that said so.
    pub(super) leading: Option<(Vec<IndexId>, Span)>,
    /// The header's indices with their extents, and the argument that said so, in the order of the header.
    pub(super) indices: Vec<(String, usize, Span)>,
}

/// How a call inside of a definition passes on the leading axes of that definition's own header.
pub(super) struct Passing {
    /// The leading axes, where an argument has them; else none.
    leading: Vec<IndexId>,
}

impl Passing {
    /// How these arguments are passed.
    pub(super) fn of(given: &[Option<(Indexed, Span)>], scope: &Scope) -> Self {
        let leading = scope.leading.clone().unwrap_or_default();
        let is_led = given.iter().flatten().any(|(value, _)| value.count_leading(&leading) > 0);
        Passing { leading: if is_led { leading } else { Vec::new() } }
    }

    /// The arguments as the callee takes them: where it has no `..` for the leading axes, without these, and the call is
    /// repeated over them.
    pub(super) fn arguments(&self, formals: &[Formal], mut given: Vec<Option<(Indexed, Span)>>) -> Vec<Option<(Indexed, Span)>> {
        for (formal, given) in formals.iter().zip(&mut given) {
            let (Some(indices), Some((value, _))) = (&formal.indices, given) else { continue };
            let lead = value.count_leading(&self.leading);
            if !formal.leading && value.axes.len() == lead + indices.len() {
                value.axes.drain(..lead);
            }
        }
        given
    }

    /// The result, which begins with the leading axes where it depends on them.
    pub(super) fn result(&self, context: &mut Context, result: Indexed) -> Indexed {
        if context.contains_any_index(result.value, &self.leading) {
            let axes = self.leading.iter().chain(&result.axes).copied().collect();
            return Indexed { axes, value: result.value };
        }
        let extents: Vec<usize> = self.leading.iter().map(|&index| context.index_of(index).extent()).collect();
        if result.shape(context).starts_with(&extents) { result.led_by(context, &self.leading) } else { result }
    }
}

impl<'a> Builder<'a> {
    /// A call of a function; where it is not the whole right-hand side its value gets a name.
    pub(super) fn expand_function(
        &mut self,
        definition: &'a FunctionDefinition,
        home: Home,
        call: Call<'a>,
        is_root: bool,
        scope: &mut Scope,
    ) -> Option<Indexed> {
        let (name, span) = (call.name, call.span);
        let call = self.with_parameter(definition, call, scope)?;
        let matched = self.matched(call, &slots(&definition.formals))?;
        let given = self.given_values(&definition.formals, matched, scope)?;
        let given = self.with_constants(definition, home, given, span)?;
        let given = self.with_named_arguments(definition, given, scope)?;
        self.enter(name, definition.name.span, definition.body.span, span)?;
        let mut inner = Scope::new(home);
        inner.prefix.clone_from(&scope.prefix);
        inner.names_intermediates = scope.names_intermediates;
        let has_tensors = definition.formals.iter().any(|formal| formal.indices.is_some());
        let result = if has_tensors {
            let passing = Passing::of(&given, scope);
            let given = passing.arguments(&definition.formals, given);
            let result = self.apply_to_tensors(definition, &given, &mut inner);
            result.map(|result| passing.result(&mut self.context, result))
        } else {
            self.apply_to_elements(definition, &given, scope, &mut inner)
        };
        self.leave();
        let result = result?;
        if is_root || !scope.names_intermediates || !self.deserves_name(result.value) {
            return Some(result);
        }
        self.name_intermediate(name, result, scope, span)
    }

    fn given_values(
        &mut self,
        formals: &'a [Formal],
        matched: Vec<Option<Given<'a>>>,
        scope: &mut Scope,
    ) -> Option<Vec<Option<(Indexed, Span)>>> {
        let mut values = Vec::with_capacity(formals.len());
        let mut is_sound = true;
        for given in &matched {
            let value = given.as_ref().map(|given| (self.given_value(given, scope), given.span()));
            values.push(match value {
                Some((Some(value), span)) => Some((value, span)),
                Some((None, _)) => {
                    is_sound = false;
                    None
                }
                None => None,
            });
        }
        is_sound.then_some(values)
    }

    /// Gives names to arguments that would otherwise be computed several times, or differentiated through in one piece.
    fn with_named_arguments(
        &mut self,
        definition: &'a FunctionDefinition,
        mut given: Vec<Option<(Indexed, Span)>>,
        scope: &Scope,
    ) -> Option<Vec<Option<(Indexed, Span)>>> {
        if !scope.names_intermediates {
            return Some(given);
        }
        let is_plain = is_plain(&definition.body);
        for (formal, given) in definition.formals.iter().zip(&mut given) {
            let Some((value, span)) = given else { continue };
            let uses = uses(&definition.body, &formal.name.text);
            let is_composite = !matches!(self.context.node(value.value), Node::Number(_) | Node::Index(_) | Node::Access { .. });
            let wants_name =
                is_composite && uses > 0 && if self.deserves_name(value.value) { !is_plain || uses > 1 } else { uses > 1 };
            if wants_name && self.reads_tensors(value.value) {
                *value = self.name_intermediate(&formal.name.text, value.clone(), scope, *span)?;
            }
        }
        Some(given)
    }

    /// Whether a value is more than arithmetic, so that its derivative should stop there.
    pub(super) fn deserves_name(&self, value: ExprId) -> bool {
        let mut found = false;
        self.context.visit(value, &mut |context, part| match context.node(part) {
            Node::Call(..) | Node::Reduce { .. } | Node::ArgReduce { .. } => found = true,
            Node::Power(_, exponent) if context.as_number(*exponent).is_none() => found = true,
            _ => {}
        });
        found && self.reads_tensors(value)
    }

    pub(super) fn reads_tensors(&self, value: ExprId) -> bool {
        !self.context.tensors_in(value).is_empty()
    }

    /// A function of scalars: element by element.
    fn apply_to_elements(
        &mut self,
        definition: &'a FunctionDefinition,
        given: &[Option<(Indexed, Span)>],
        outer: &Scope,
        scope: &mut Scope,
    ) -> Option<Indexed> {
        let present: Vec<(Indexed, Span)> = given.iter().flatten().cloned().collect();
        let (axes, elements) = self.aligned(&present, outer)?;
        let mut elements = elements.into_iter();
        for (formal, given) in definition.formals.iter().zip(given) {
            let given = given.as_ref().and_then(|(_, span)| Some((Indexed::scalar(elements.next()?), *span)));
            self.bind_scalar(formal, given, scope)?;
        }
        let value = self.value(&definition.body, scope)?;
        Some(Indexed { axes: axes.into_iter().chain(value.axes).collect(), value: value.value })
    }

    /// Binds a parameter without brackets to its argument or its default.
    pub(super) fn bind_scalar(&mut self, formal: &'a Formal, given: Option<(Indexed, Span)>, scope: &mut Scope) -> Option<()> {
        let (value, span) = match (given, &formal.default) {
            (Some(given), _) => given,
            (None, Some(default)) => (self.value(default, scope)?, default.span),
            (None, None) => return None,
        };
        if !value.axes.is_empty() {
            let message = format!("`{}` is one number", formal.name.text);
            let label = format!("this has {}", shape_words(&value.shape(&self.context)));
            self.complain(Diagnostic::error(span, message).label(label));
            return None;
        }
        if let Some(within) = &formal.within {
            self.check_within(&formal.name.text, &value, within, span, scope)?;
        }
        scope.bind(&formal.name.text, span, Binding::Value(value));
        Some(())
    }

    /// A function of tensors.
    fn apply_to_tensors(
        &mut self,
        definition: &'a FunctionDefinition,
        given: &[Option<(Indexed, Span)>],
        scope: &mut Scope,
    ) -> Option<Indexed> {
        let mut header = Header::default();
        for (formal, given) in definition.formals.iter().zip(given) {
            match (&formal.indices, given) {
                (Some(_), Some((value, span))) => self.bind_tensor(formal, value, *span, &mut header, scope)?,
                (Some(_), None) => {
                    let default = formal.default.as_ref()?;
                    let value = self.value(default, scope)?;
                    self.bind_tensor(formal, &value, default.span, &mut header, scope)?;
                }
                (None, given) => self.bind_scalar(formal, given.clone(), scope)?,
            }
        }
        let leading = header.leading.map(|(indices, _)| indices);
        scope.leading.clone_from(&leading);
        let body = &definition.body;
        let mut own = Vec::new();
        for (name, extent, span) in header.indices {
            let index = self.context.add_index(name.clone(), 0, extent as i64);
            scope.bind(&name, span, Binding::Index(index));
            if uses(body, &name) > 0 {
                own.push(index);
            }
        }
        let mut value = self.value(body, scope)?;
        let after = value.count_leading(&leading.unwrap_or_default());
        value.axes.splice(after..after, own);
        Some(value)
    }

    /// Binds a parameter with brackets, and learns the extents of the header's indices from its argument.
    pub(super) fn bind_tensor(
        &mut self,
        formal: &'a Formal,
        value: &Indexed,
        span: Span,
        header: &mut Header,
        scope: &mut Scope,
    ) -> Option<()> {
        let indices = formal.indices.as_deref().unwrap_or_default();
        let shape = value.shape(&self.context);
        let is_fitting = if formal.leading { shape.len() >= indices.len() } else { shape.len() == indices.len() };
        if !is_fitting {
            let least = if formal.leading { "at least " } else { "" };
            let message = format!("`{}` wants {least}{}", formal.name.text, axes_words(indices.len()));
            let message = Diagnostic::error(span, message).label(format!("this has {}", shape_words(&shape)));
            self.complain(message.also(formal.name.span, "declared here"));
            return None;
        }
        let (leading_shape, own_shape) = shape.split_at(shape.len() - indices.len());
        let mut leading = Vec::new();
        if formal.leading {
            leading = self.leading_axes(leading_shape, value, span, header)?;
        }
        for (index, &extent) in indices.iter().zip(own_shape) {
            self.learn_extent(&index.name.text, extent, span, header)?;
            if let Some(stated) = &index.extent {
                // A name that means nothing yet is given the extent.
                if let ExprKind::Name(name) = &stated.kind
                    && self.find(name, scope).is_none()
                {
                    let number = self.context.integer(extent as i64);
                    scope.bind(name, stated.span, Binding::Value(Indexed::scalar(number)));
                    continue;
                }
                let size = self.size(stated, scope)?;
                if size != extent {
                    let message = format!("`{}` wants an axis of extent {size}", formal.name.text);
                    let message = Diagnostic::error(span, message).label(format!("this has {}", shape_words(&shape)));
                    self.complain(message.also(stated.span, "stated here"));
                    return None;
                }
            }
        }
        let bound = value.led_by(&mut self.context, &leading);
        scope.bind(&formal.name.text, span, Binding::Value(bound));
        Some(())
    }

    /// The indices that `..` stands for; all arguments must agree on them.
    fn leading_axes(&mut self, shape: &[usize], value: &Indexed, span: Span, header: &mut Header) -> Option<Vec<IndexId>> {
        let Some((leading, first)) = &header.leading else {
            let leading: Vec<IndexId> = value.axes[..shape.len()].iter().map(|&axis| self.context.fresh(axis)).collect();
            header.leading = Some((leading.clone(), span));
            return Some(leading);
        };
        let known: Vec<usize> = leading.iter().map(|&index| self.context.index_of(index).extent()).collect();
        if known == shape {
            return Some(leading.clone());
        }
        let message = Diagnostic::error(span, "these shapes do not match").label(format!("this has {}", shape_words(shape)));
        let message = message.also(*first, format!("this has {}", shape_words(&known)));
        self.complain(message);
        None
    }

    /// Notes the extent of a header's index; all arguments must agree on it.
    fn learn_extent(&mut self, name: &str, extent: usize, span: Span, header: &mut Header) -> Option<()> {
        match header.indices.iter().find(|entry| entry.0 == name) {
            None => header.indices.push((name.to_owned(), extent, span)),
            Some((_, known, _)) if *known == extent => {}
            Some(&(_, known, first)) => {
                let message = format!("the axes that share the index `{name}` differ in extent");
                let message = Diagnostic::error(span, message).label(format!("extent {extent} here"));
                self.complain(message.also(first, format!("extent {known} here")));
                return None;
            }
        }
        Some(())
    }
}

/// How often a name is read; inside of a reduction counts as often.
fn uses(body: &Expr, name: &str) -> usize {
    let mut count = 0;
    for_each_name(body, &mut |used, _, repeats| {
        if used == name {
            count += if repeats { 2 } else { 1 };
        }
    });
    count
}

/// Whether a body is arithmetic and `if` alone, by its text: such a function is written out where it is called.
fn is_plain(body: &Expr) -> bool {
    use crate::syntax::tree::ExprKind;
    let mut is_plain = !matches!(body.kind, ExprKind::Call { .. } | ExprKind::Pipe { .. } | ExprKind::Reduce { .. });
    super::names::for_each_part(body, &mut |part| is_plain = is_plain && self::is_plain(part));
    is_plain
}
