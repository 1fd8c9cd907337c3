//! Statements: from ranges of the text to the tree.

use pest::Parser;
use pest::iterators::Pair;

use super::complaints;
use super::expressions::{Lowered, expression, name, next, text, unforeseen, value};
use super::first_word;
use super::grammar::{NetworkParser, Parts, Place, Rule};
use super::layout::{Body, Chunk};
use super::tree::{
    Declaration, DeclaredIndex, Drawn, EquationStatement, Expr, ExprKind, Formal, FunctionDefinition, LayerDefinition, Name,
    OptimizerDefinition, Spec, Statement, StatementKind, Within,
};
use super::vocabulary::KEYWORDS;
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::span::{SourceId, Span};

/// Where a statement stands, which says what it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    File,
    Layer,
    Optimizer,
}

/// One side of a rule.
pub(super) fn side(slice: &str, place: Place) -> Lowered<Expr> {
    match NetworkParser::parse(Rule::side, slice) {
        Ok(mut pairs) => match pairs.next() {
            Some(pair) => value(pair, place),
            None => Err(unforeseen(place.range(0, slice.len()), "nothing")),
        },
        Err(error) => Err(Box::new(complaints::complaint(&error, slice, complaints::RULE_END, place))),
    }
}

/// What is made of a text.
pub(super) struct Lowering<'s> {
    text: &'s str,
    source: SourceId,
    spec: Spec,
    diagnostics: Vec<Diagnostic>,
}

impl<'s> Lowering<'s> {
    /// `diagnostics` is what was found wrong with the text before.
    pub(super) fn new(text: &'s str, source: SourceId, diagnostics: Vec<Diagnostic>) -> Self {
        Self { text, source, spec: Spec::default(), diagnostics }
    }

    /// Lowers the statements of the file.
    pub(super) fn file(&mut self, chunks: &[Chunk]) {
        for chunk in chunks {
            if self.diagnostics.len() >= limits::SYNTAX_MESSAGES {
                break;
            }
            let statement = match &chunk.body {
                Some(body) => self.definition(chunk, body),
                None => self.statement(chunk, Around::File),
            };
            self.spec.statements.extend(statement);
        }
    }

    /// The tree, and the messages in the order of the text.
    pub(super) fn finish(mut self) -> (Spec, Vec<Diagnostic>) {
        self.diagnostics.sort_by_key(|message| (message.span.start, message.span.end));
        self.diagnostics.truncate(limits::SYNTAX_MESSAGES);
        (self.spec, self.diagnostics)
    }

    fn place(&self, chunk: &Chunk) -> Place {
        Place { source: self.source, offset: chunk.start }
    }

    /// Parses a range of the text by a rule that gives one pair and the end.
    fn parsed(&mut self, chunk: &Chunk, rule: Rule) -> Option<Pair<'s, Rule>> {
        let slice = &self.text[chunk.start..chunk.end];
        match NetworkParser::parse(rule, slice) {
            Ok(mut pairs) => pairs.next(),
            Err(error) => {
                let ending = if chunk.body.is_some() { "`{`" } else { "the end of the statement" };
                self.diagnostics.push(complaints::complaint(&error, slice, ending, self.place(chunk)));
                None
            }
        }
    }

    /// Keeps what could be lowered, and notes what could not.
    fn noted<T>(&mut self, lowered: Lowered<T>) -> Option<T> {
        lowered.map_err(|message| self.diagnostics.push(*message)).ok()
    }

    /// One statement without a body; `network` becomes part of the spec.
    fn statement(&mut self, chunk: &Chunk, around: Around) -> Option<Statement> {
        let place = self.place(chunk);
        let word = first_word(&self.text[chunk.start..chunk.end]);
        self.noted(may_stand(word, place.range(0, word.len()), around))?;
        let pair = self.parsed(chunk, Rule::statement)?;
        let span = place.of(&pair);
        if pair.as_rule() == Rule::network_statement {
            let name = self.noted(next(&mut Parts::of(pair), span))?;
            self.network(super::expressions::name(&name, place));
            return None;
        }
        let kind = self.noted(statement_kind(pair, place))?;
        Some(Statement { kind, span })
    }

    fn network(&mut self, name: Name) {
        match &self.spec.network {
            None => self.spec.network = Some(name),
            Some(first) => {
                let message =
                    Diagnostic::error(name.span, "the network has a second name").also(first.span, "it is named here already");
                self.diagnostics.push(message);
            }
        }
    }

    /// A layer or an optimizer. The body is lowered even where the head is not sound, for its messages.
    fn definition(&mut self, chunk: &Chunk, body: &Body) -> Option<Statement> {
        let place = self.place(chunk);
        let around = if self.text[chunk.start..].starts_with("layer") { Around::Layer } else { Around::Optimizer };
        let head = self.parsed(chunk, Rule::head);
        let mut statements = Vec::new();
        for chunk in &body.statements {
            if self.diagnostics.len() >= limits::SYNTAX_MESSAGES {
                break;
            }
            statements.extend(self.statement(chunk, around));
        }
        let kind = self.noted(definition_kind(head?, statements, place))?;
        Some(Statement { kind, span: place.range(0, body.end - chunk.start) })
    }
}

/// Whether a statement with this first word may stand there.
fn may_stand(word: &str, span: Span, around: Around) -> Lowered<()> {
    let (inside, allowed): (&str, &[&str]) = match around {
        Around::File if word == "state" => {
            return Err(Box::new(Diagnostic::error(span, "`state` stands only inside an optimizer's body")));
        }
        Around::File => return Ok(()),
        Around::Layer => ("a layer", &["param", "noise", "let"]),
        Around::Optimizer => ("an optimizer", &["state", "let"]),
    };
    if allowed.contains(&word) || KEYWORDS.iter().all(|(keyword, _)| *keyword != word) {
        return Ok(());
    }
    let listed: Vec<String> = allowed.iter().map(|word| format!("`{word}`")).collect();
    let message = Diagnostic::error(span, format!("`{word}` cannot stand inside {inside}"));
    Err(Box::new(message.hint(format!("the body of {inside} holds {} and equations", listed.join(", ")))))
}

fn statement_kind(pair: Pair<'_, Rule>, place: Place) -> Lowered<StatementKind> {
    let whole = place.of(&pair);
    let rule = pair.as_rule();
    let mut parts = Parts::of(pair);
    Ok(match rule {
        Rule::let_statement => {
            StatementKind::Let { name: name(&next(&mut parts, whole)?, place), value: value(next(&mut parts, whole)?, place)? }
        }
        Rule::input_statement => StatementKind::Input(declarations(parts, place)?),
        Rule::target_statement => StatementKind::Target(declarations(parts, place)?),
        Rule::param_statement => StatementKind::Param(drawn(parts, whole, place)?),
        Rule::noise_statement => StatementKind::Noise(drawn(parts, whole, place)?),
        Rule::loss_statement => StatementKind::Loss(value(next(&mut parts, whole)?, place)?),
        Rule::regularizer_statement => StatementKind::Regularizer {
            value: value(next(&mut parts, whole)?, place)?,
            on: names(parts.optional(Rule::on_list), place),
        },
        Rule::objective_statement => StatementKind::Objective {
            value: value(next(&mut parts, whole)?, place)?,
            by: names(parts.optional(Rule::by_list), place),
        },
        Rule::optimizer_statement => {
            let rule = match parts.optional(Rule::none_word) {
                Some(_) => None,
                None => Some(value(next(&mut parts, whole)?, place)?),
            };
            StatementKind::Optimizer { rule, on: names(parts.optional(Rule::on_list), place) }
        }
        Rule::function_definition => StatementKind::Function(FunctionDefinition {
            name: name(&next(&mut parts, whole)?, place),
            formals: formals(next(&mut parts, whole)?, place)?,
            body: value(next(&mut parts, whole)?, place)?,
        }),
        Rule::state_statement => StatementKind::State {
            name: name(&next(&mut parts, whole)?, place),
            initial: value(next(&mut parts, whole)?, place)?,
        },
        Rule::include_statement => {
            let pair = next(&mut parts, whole)?;
            StatementKind::Include { span: place.of(&pair), path: text(pair) }
        }
        Rule::equation => StatementKind::Equation(EquationStatement {
            name: name(&next(&mut parts, whole)?, place),
            indices: parts.optional(Rule::left_indices).map(|list| declared_indices(Parts::of(list), place)).transpose()?,
            value: value(next(&mut parts, whole)?, place)?,
        }),
        other => return Err(unforeseen(whole, &format!("{other:?}"))),
    })
}

fn definition_kind(head: Pair<'_, Rule>, body: Vec<Statement>, place: Place) -> Lowered<StatementKind> {
    let whole = place.of(&head);
    let rule = head.as_rule();
    let mut parts = Parts::of(head);
    let name = name(&next(&mut parts, whole)?, place);
    let formals = formals(next(&mut parts, whole)?, place)?;
    if rule == Rule::optimizer_head {
        return Ok(StatementKind::OptimizerDefinition(OptimizerDefinition { name, formals, body }));
    }
    let result = formal(next(&mut parts, whole)?, place)?;
    Ok(StatementKind::Layer(LayerDefinition { name, formals, result, body }))
}

/// `x[28, 28], t: class[10]`
fn declarations(parts: Parts<'_>, place: Place) -> Lowered<Vec<Declaration>> {
    parts
        .map(|pair| {
            let whole = place.of(&pair);
            let mut parts = Parts::of(pair);
            let name = name(&next(&mut parts, whole)?, place);
            let shape = match parts.optional(Rule::extents) {
                Some(extents) => Parts::of(extents).map(|extent| value(extent, place)).collect::<Lowered<_>>()?,
                None => Vec::new(),
            };
            let class = match parts.optional(Rule::class) {
                Some(class) => Some(value(next(&mut Parts::of(class), whole)?, place)?),
                None => None,
            };
            Ok(Declaration { name, shape, class })
        })
        .collect()
}

/// `w[i: 64, j] ~ he if bias`
fn drawn(mut parts: Parts<'_>, whole: Span, place: Place) -> Lowered<Drawn> {
    let name = name(&next(&mut parts, whole)?, place);
    let (leading, indices) = match parts.optional(Rule::drawn_indices) {
        Some(list) => {
            let mut list = Parts::of(list);
            let leading = list.optional(Rule::dots).is_some();
            (leading, list.map(|index| drawn_index(index, place)).collect::<Lowered<_>>()?)
        }
        None => (false, Vec::new()),
    };
    let from = value(next(&mut parts, whole)?, place)?;
    let condition = match parts.optional(Rule::only_if) {
        Some(pair) => Some(expression(next(&mut Parts::of(pair), whole)?, place)?),
        None => None,
    };
    Ok(Drawn { name, leading, indices, from, condition })
}

/// `i: 64`, or an extent alone; a name alone may be either, which the model knows.
fn drawn_index(pair: Pair<'_, Rule>, place: Place) -> Lowered<DeclaredIndex> {
    let whole = place.of(&pair);
    let mut parts = Parts::of(pair);
    if let Some(name) = parts.optional(Rule::name) {
        let extent = value(next(&mut parts, whole)?, place)?;
        return Ok(DeclaredIndex { name: super::expressions::name(&name, place), extent: Some(extent) });
    }
    let Expr { kind, span } = value(next(&mut parts, whole)?, place)?;
    Ok(match kind {
        ExprKind::Name(text) => DeclaredIndex { name: Name { text, span }, extent: None },
        kind => DeclaredIndex { name: Name { text: "_".to_owned(), span }, extent: Some(Expr { kind, span }) },
    })
}

/// `[.., i: 64, j]`, where there is one: whether it begins with `..`, and the indices.
fn index_list(parts: &mut Parts<'_>, place: Place) -> Lowered<Option<(bool, Vec<DeclaredIndex>)>> {
    let Some(list) = parts.optional(Rule::index_list) else { return Ok(None) };
    let mut list = Parts::of(list);
    let leading = list.optional(Rule::dots).is_some();
    Ok(Some((leading, declared_indices(list, place)?)))
}

/// `i: 64, j`
fn declared_indices(list: Parts<'_>, place: Place) -> Lowered<Vec<DeclaredIndex>> {
    list.map(|pair| {
        let whole = place.of(&pair);
        let mut parts = Parts::of(pair);
        let name = name(&next(&mut parts, whole)?, place);
        let extent = parts.next().map(|extent| value(extent, place)).transpose()?;
        Ok(DeclaredIndex { name, extent })
    })
    .collect()
}

fn formals(pair: Pair<'_, Rule>, place: Place) -> Lowered<Vec<Formal>> {
    Parts::of(pair).map(|pair| formal(pair, place)).collect()
}

/// A parameter of a definition, or the result of a layer.
fn formal(pair: Pair<'_, Rule>, place: Place) -> Lowered<Formal> {
    let whole = place.of(&pair);
    let mut parts = Parts::of(pair);
    let name = name(&next(&mut parts, whole)?, place);
    let (leading, indices) = match index_list(&mut parts, place)? {
        Some((leading, indices)) => (leading, Some(indices)),
        None => (false, None),
    };
    let default = match parts.optional(Rule::default) {
        Some(pair) => Some(value(next(&mut Parts::of(pair), whole)?, place)?),
        None => None,
    };
    let within = match parts.optional(Rule::within) {
        Some(pair) => {
            let mut parts = Parts::of(pair);
            let low = value(next(&mut parts, whole)?, place)?;
            let high = value(next(&mut parts, whole)?, place)?;
            Some(Within { low, high, reason: parts.optional(Rule::text).map(text) })
        }
        None => None,
    };
    Ok(Formal { name, leading, indices, default, within })
}

/// `on a, b` or `by a, b`; none where the list is missing.
fn names(list: Option<Pair<'_, Rule>>, place: Place) -> Vec<Name> {
    list.map(|list| Parts::of(list).map(|pair| name(&pair, place)).collect()).unwrap_or_default()
}
