//! What model building has made so far, and how it speaks of mistakes.

use std::collections::{BTreeMap, BTreeSet};

use super::clipping::Totals;
use super::definitions::{Definitions, Home};
use super::recurrence::RecurrentRead;
use super::regularizer::Line;
use super::scope::{Bound, Scope};
use super::value::Indexed;
use super::{Distribution, Noise, Parameter};
use crate::diagnostic::{Diagnostic, Severity};
use crate::equation::{Context, Equation, ExprId, IndexId, Role, Tensor, TensorId};
use crate::limits;
use crate::span::{SourceId, Span};

/// The prelude is the first of all files.
const PRELUDE: SourceId = SourceId(0);

/// A definition that is being expanded.
pub(super) struct Frame {
    /// Its name.
    pub(super) name: String,
    /// The whole definition, which tells it from another of the same name.
    pub(super) definition: Span,
    /// Where it was called.
    pub(super) call: Span,
}

/// All that has been made so far.
pub(super) struct Builder<'a> {
    pub(super) context: Context,
    pub(super) messages: Vec<Diagnostic>,
    pub(super) definitions: Definitions<'a>,
    pub(super) prelude_lets: BTreeMap<String, Bound>,
    pub(super) user_lets: BTreeMap<String, Bound>,
    /// Names that have a meaning in the present statement and in all that it calls, such as `k`.
    pub(super) ambient: Vec<(&'static str, Indexed)>,
    /// The forward equations, each after those it reads.
    pub(super) equations: Vec<Equation>,
    /// Parameters, each with the place of its declaration: the path of positions that leads to it.
    pub(super) parameters: Vec<(Vec<u32>, Parameter)>,
    /// What is drawn for each example, each with the place of its declaration.
    pub(super) noises: Vec<(Vec<u32>, Noise)>,
    /// Scalars that rules are given by name, each after those it reads.
    pub(super) constants: Vec<Equation>,
    /// The `regularizer` line that is being read.
    pub(super) line: Option<Line>,
    /// The reductions of the clipping function that is being read.
    pub(super) totals: Option<Totals>,
    /// Names of tensors that are given, or that the user will give.
    pub(super) taken: BTreeSet<String>,
    /// The last number that a name was given, by what comes before the number.
    numbers: BTreeMap<String, usize>,
    /// The definitions that are being expanded, outermost first.
    pub(super) frames: Vec<Frame>,
    /// The tensors of the recurrences that are being read.
    pub(super) recurrent: Vec<TensorId>,
    /// Where they are read.
    pub(super) recurrent_reads: Vec<RecurrentRead>,
    /// Intermediate values that have a name, by shape and by value in terms of [`Self::slots`].
    intermediates: BTreeMap<(Vec<usize>, ExprId), TensorId>,
    /// One index for each axis number and extent, to compare values that differ in their indices alone.
    slots: BTreeMap<(usize, usize), IndexId>,
    /// How many calls were expanded.
    expansions: usize,
    /// How deeply expressions are nested at present.
    pub(super) depth: usize,
    /// Sizes of expressions as trees, as far as they are known.
    sizes: Vec<u64>,
    /// The scalars of the parameters so far.
    parameter_count: usize,
    /// Whether a bound was passed: nothing more is expanded, and nothing more is said.
    pub(super) is_exhausted: bool,
    /// Where rules are read, indices that leave an axis or have two ranges: what is wrong with them is the answer, not an error.
    pub(super) misfits: Option<Vec<Diagnostic>>,
}

impl<'a> Builder<'a> {
    /// Nothing but the definitions.
    pub(super) fn new(definitions: Definitions<'a>, messages: Vec<Diagnostic>) -> Self {
        Builder {
            context: Context::new(),
            messages,
            definitions,
            prelude_lets: BTreeMap::new(),
            user_lets: BTreeMap::new(),
            ambient: Vec::new(),
            equations: Vec::new(),
            parameters: Vec::new(),
            noises: Vec::new(),
            constants: Vec::new(),
            line: None,
            totals: None,
            taken: BTreeSet::new(),
            numbers: BTreeMap::new(),
            frames: Vec::new(),
            recurrent: Vec::new(),
            recurrent_reads: Vec::new(),
            intermediates: BTreeMap::new(),
            slots: BTreeMap::new(),
            expansions: 0,
            depth: 0,
            sizes: Vec::new(),
            parameter_count: 0,
            is_exhausted: false,
            misfits: None,
        }
    }

    /// Notes a message. One about the prelude points at the user's call, and at the place in the prelude besides.
    pub(super) fn complain(&mut self, mut message: Diagnostic) {
        if self.is_exhausted {
            return;
        }
        let innermost = self.frames.last();
        if message.span.source == PRELUDE {
            if let Some(frame) = self.frames.iter().rev().find(|frame| frame.call.source != PRELUDE) {
                let inside = self.frames.last().map_or("", |frame| frame.name.as_str());
                let label = if message.label.is_empty() { String::new() } else { format!(": {}", message.label) };
                let also =
                    crate::diagnostic::Label { span: message.span, text: format!("in the definition of `{inside}`{label}") };
                message.also.insert(0, also);
                message.span = frame.call;
                message.label = "in this call".to_owned();
            }
        } else if let Some(frame) = innermost
            && frame.call.source != PRELUDE
            && self.is_inside_definition(message.span)
        {
            message = message.also(frame.call, format!("in this call of `{}`", frame.name));
        }
        if !self.messages.contains(&message) {
            self.messages.push(message);
        }
        self.is_exhausted = self.messages.len() >= limits::MODEL_MESSAGES;
    }

    /// Notes that an index does not fit. Gives nothing where that is an error, and where it is not, goes on.
    pub(super) fn misfit(&mut self, message: Diagnostic) -> Option<()> {
        match &mut self.misfits {
            Some(misfits) => {
                misfits.push(message);
                Some(())
            }
            None => {
                self.complain(message);
                None
            }
        }
    }

    /// Whether a place lies in the definition that is being expanded.
    fn is_inside_definition(&self, span: Span) -> bool {
        self.frames.last().is_some_and(|frame| {
            let whole = frame.definition;
            whole.source == span.source && whole.start <= span.start && span.end <= whole.end
        })
    }

    /// Says that a bound was passed; nothing more is said after that.
    pub(super) fn exhaust(&mut self, message: Diagnostic) {
        self.complain(message);
        self.is_exhausted = true;
    }

    /// Whether any message is an error.
    pub(super) fn has_errors(&self) -> bool {
        self.messages.iter().any(|message| message.severity == Severity::Error)
    }

    /// Begins to expand a definition, which has its name at `header` and ends at `end`; or says why not.
    pub(super) fn enter(&mut self, name: &str, header: Span, end: Span, call: Span) -> Option<()> {
        let definition = header.to(end);
        if self.is_exhausted {
            return None;
        }
        if self.frames.iter().any(|frame| frame.definition == definition) {
            let message = format!("`{name}` needs itself");
            let hint = "a definition is expanded where it is called, so it cannot call itself, nor can those it calls";
            self.complain(Diagnostic::error(call, message).label("called again here").also(header, "defined here").hint(hint));
            return None;
        }
        if self.frames.len() >= limits::EXPANSION_DEPTH {
            let message = format!("definitions call each other more than {} deep", limits::EXPANSION_DEPTH);
            self.complain(Diagnostic::error(call, message));
            return None;
        }
        self.expansions += 1;
        if self.expansions > limits::EXPANSIONS {
            self.exhaust(Diagnostic::error(call, format!("this spec expands more than {} calls", limits::EXPANSIONS)));
            return None;
        }
        self.frames.push(Frame { name: name.to_owned(), definition, call });
        Some(())
    }

    /// The place in the user's spec that a place in the prelude was expanded for.
    pub(super) fn in_spec(&self, span: Span) -> Span {
        let call = self.frames.iter().rev().map(|frame| frame.call).find(|call| call.source != PRELUDE);
        if span.source == PRELUDE { call.unwrap_or(span) } else { span }
    }

    /// Ends what [`Self::enter`] began.
    pub(super) fn leave(&mut self) {
        self.frames.pop();
    }

    /// Whether an expression is small enough to be read, by people and by recursive passes.
    pub(super) fn check_size(&mut self, expr: ExprId, span: Span) -> Option<()> {
        for at in self.sizes.len()..self.context.expression_count() {
            let mut size = 1u64;
            crate::equation::for_each_child(self.context.node(ExprId(at as u32)), |part| {
                size = size.saturating_add(self.sizes[part.index()])
            });
            self.sizes.push(size);
        }
        if self.sizes[expr.index()] > limits::EXPRESSION_SIZE {
            let message =
                format!("this expression has more than {} parts when its calls are written out", limits::EXPRESSION_SIZE);
            self.exhaust(Diagnostic::error(span, message).hint("give its parts names, by equations of their own"));
            return None;
        }
        if self.context.expression_count() > limits::EXPRESSIONS {
            self.exhaust(Diagnostic::error(
                span,
                format!("this spec has more than {} different expressions", limits::EXPRESSIONS),
            ));
            return None;
        }
        Some(())
    }

    /// A tensor that an equation of the given right-hand side defines, at `leading` and the value's own axes.
    pub(super) fn define(&mut self, name: String, leading: &[IndexId], result: &Indexed, origin: Span) -> Option<TensorId> {
        let indices: Vec<IndexId> = leading.iter().chain(&result.axes).copied().collect();
        let target = self.value_tensor(name, &indices, origin)?;
        self.add_equation(target, indices, result.value, origin)?;
        Some(target)
    }

    /// A tensor with these axes that an equation is to define.
    pub(super) fn value_tensor(&mut self, name: String, indices: &[IndexId], origin: Span) -> Option<TensorId> {
        let shape: Vec<usize> = indices.iter().map(|&index| self.context.index_of(index).extent()).collect();
        self.check_shape(&shape, &name, origin)?;
        let origin = Some(self.in_spec(origin));
        let axes = indices.iter().map(|&index| self.context.index_of(index).name.clone()).collect();
        self.taken.insert(name.clone());
        Some(self.context.add_tensor(Tensor { name, shape, axes, role: Role::Value, label: false, origin }))
    }

    /// Adds an equation for a tensor.
    pub(super) fn add_equation(&mut self, target: TensorId, indices: Vec<IndexId>, value: ExprId, origin: Span) -> Option<()> {
        if self.equations.len() >= limits::EQUATIONS {
            self.exhaust(Diagnostic::error(origin, format!("this spec has more than {} equations", limits::EQUATIONS)));
            return None;
        }
        let (number, origin) = (0, Some(self.in_spec(origin)));
        self.equations.push(Equation { target, indices, value, computed: value, number, origin });
        Some(())
    }

    /// A tensor as a value, each time with axes of its own.
    pub(super) fn tensor_value(&mut self, tensor: TensorId) -> Indexed {
        let axes = self.context.fresh_axes(tensor);
        let value = self.context.access_at(tensor, &axes);
        Indexed { axes, value }
    }

    /// Gives an intermediate value a name and an equation of its own, with the indices it reads as axes before its own.
    /// A value that has a name already keeps it.
    pub(super) fn name_intermediate(&mut self, base: &str, result: Indexed, scope: &Scope, origin: Span) -> Option<Indexed> {
        let mut free = self.context.free_indices(result.value);
        free.retain(|index| !result.axes.contains(index));
        if free.iter().any(|&index| self.context.index_of(index).start != 0) {
            return Some(result);
        }
        let indices: Vec<IndexId> = free.iter().chain(&result.axes).copied().collect();
        let shape: Vec<usize> = indices.iter().map(|&index| self.context.index_of(index).extent()).collect();
        let mut slots = Vec::new();
        for (axis, &extent) in shape.iter().enumerate() {
            let context = &mut self.context;
            slots.push(*self.slots.entry((axis, extent)).or_insert_with(|| context.add_index("i", 0, extent as i64)));
        }
        let whole = Indexed { axes: indices.clone(), value: result.value };
        let key = (shape, whole.at_indices(&mut self.context, &slots));
        let tensor = match self.intermediates.get(&key) {
            Some(&tensor) => tensor,
            None => {
                let name = self.unused_name(&scope.prefix, base);
                let tensor = self.define(name, &free, &result, origin)?;
                self.intermediates.insert(key, tensor);
                tensor
            }
        };
        Some(Indexed { axes: result.axes, value: self.context.access_at(tensor, &indices) })
    }

    /// `base1`, or the next number that is free.
    pub(super) fn unused_name(&mut self, prefix: &str, base: &str) -> String {
        let number = self.numbers.entry(format!("{prefix}{base}")).or_default();
        loop {
            *number += 1;
            let name = format!("{prefix}{base}{number}");
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }

    /// Adds a parameter.
    pub(super) fn add_parameter(
        &mut self,
        tensor: Tensor,
        initial: Distribution,
        place: Vec<u32>,
        origin: Span,
    ) -> Option<TensorId> {
        if self.parameters.len() >= limits::EQUATIONS {
            let message = format!("this spec declares more than {} parameters", limits::EQUATIONS);
            self.exhaust(Diagnostic::error(origin, message));
            return None;
        }
        self.parameter_count = self.parameter_count.saturating_add(tensor.size());
        if self.parameter_count > limits::PARAMETERS {
            self.exhaust(Diagnostic::error(
                origin,
                format!("the parameters of this spec have more than {} elements", limits::PARAMETERS),
            ));
            return None;
        }
        self.taken.insert(tensor.name.clone());
        let tensor = self.context.add_tensor(tensor);
        self.parameters.push((place, Parameter { tensor, initial, is_weight: false, trained: true }));
        Some(tensor)
    }

    /// Adds noise.
    pub(super) fn add_noise(
        &mut self,
        tensor: Tensor,
        distribution: Distribution,
        place: Vec<u32>,
        origin: Span,
    ) -> Option<TensorId> {
        if self.noises.len() >= limits::EQUATIONS {
            self.exhaust(Diagnostic::error(origin, format!("this spec declares noise more than {} times", limits::EQUATIONS)));
            return None;
        }
        self.taken.insert(tensor.name.clone());
        let tensor = self.context.add_tensor(tensor);
        self.noises.push((place, Noise { tensor, distribution }));
        Some(tensor)
    }

    /// Whether a tensor may have this shape.
    pub(super) fn check_shape(&mut self, shape: &[usize], name: &str, span: Span) -> Option<()> {
        if shape.len() > limits::AXES {
            let message = format!("`{name}` has {} axes, and a tensor may have {}", shape.len(), limits::AXES);
            self.complain(Diagnostic::error(span, message));
            return None;
        }
        let elements = shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
        if elements.is_none_or(|elements| elements > limits::TENSOR_ELEMENTS) {
            let shape = super::value::shape_text(shape);
            let message =
                format!("`{name}` would have shape {shape}, and a tensor may have {} elements", limits::TENSOR_ELEMENTS);
            self.complain(Diagnostic::error(span, message));
            return None;
        }
        Some(())
    }

    /// The `let`s of a file.
    pub(super) fn lets_mut(&mut self, home: Home) -> &mut BTreeMap<String, Bound> {
        if home == Home::User { &mut self.user_lets } else { &mut self.prelude_lets }
    }
}
