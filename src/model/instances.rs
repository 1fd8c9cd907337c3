//! The names of layers: `as` names, or kind and number in the order of the text.

use std::collections::BTreeMap;

use super::builder::Builder;
use super::definitions::Home;
use super::names::for_each_part;
use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::tree::{EquationStatement, Expr, ExprKind, Name, Statement, StatementKind};

impl<'a> Builder<'a> {
    /// The names of the layers in these statements, by the place of each call: its `as` name, or its kind and a number in the order of
    /// the text. Also which statement each stands in.
    pub(super) fn number_layers(&mut self, statements: &'a [Statement], scope: &mut Scope) -> BTreeMap<String, usize> {
        let mut calls = Vec::new();
        for (number, statement) in statements.iter().enumerate() {
            match &statement.kind {
                StatementKind::Equation(EquationStatement { value, .. })
                | StatementKind::Loss(value)
                | StatementKind::Objective { value, .. } => {
                    self.collect_layers(value, None, scope.home, &mut |span, kind, label| {
                        calls.push((span, kind, label, number))
                    });
                }
                _ => {}
            }
        }
        calls.sort_by_key(|(span, ..)| span.start);
        let mut owners = BTreeMap::new();
        let mut spans: BTreeMap<String, Span> = BTreeMap::new();
        for &(span, _, label, number) in &calls {
            if let Some(label) = label {
                self.complain_about_shared_name(label, statements);
                if let Some(&first) = spans.get(&label.text) {
                    self.complain_about_doubled(&label.text, label.span, first);
                }
                spans.insert(label.text.clone(), label.span);
                scope.instances.insert(span.start, label.text.clone());
                owners.insert(label.text.clone(), number);
            }
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (span, kind, label, number) in calls {
            if label.is_some() {
                continue;
            }
            let count = counts.entry(kind).or_default();
            let name = loop {
                *count += 1;
                let name = format!("{kind}{count}");
                if !owners.contains_key(&name) && !self.taken.contains(&format!("{}{name}", scope.prefix)) {
                    break name;
                }
            };
            scope.instances.insert(span.start, name.clone());
            owners.insert(name, number);
        }
        owners
    }

    /// A label begins the names of what its layer owns, so it is no other parameter's name, nor that of noise.
    fn complain_about_shared_name(&mut self, label: &Name, statements: &[Statement]) {
        let drawn = statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Param(drawn) | StatementKind::Noise(drawn) if drawn.name.text == label.text => Some(&drawn.name),
            _ => None,
        });
        if let Some(drawn) = drawn {
            let message = format!("`{}` names a layer and what is declared beside it", label.text);
            let message = Diagnostic::error(label.span, message).label("the layer").also(drawn.span, "declared here");
            self.complain(
                message.hint("a layer's own parameters have names that begin with its label, so it needs one of its own"),
            );
        }
    }

    fn collect_layers(
        &self,
        expr: &'a Expr,
        label: Option<&'a Name>,
        home: Home,
        found: &mut dyn FnMut(Span, &'a str, Option<&'a Name>),
    ) {
        let mut note = |name: &'a str, span: Span| {
            if self.definitions.layer(name, home).is_some() {
                found(span, name, label);
            }
        };
        match &expr.kind {
            ExprKind::Call { name, .. } => note(&name.text, name.span),
            ExprKind::Pipe { value, call, label } => {
                self.collect_layers(value, None, home, found);
                match &call.kind {
                    ExprKind::Name(name) if self.definitions.layer(name, home).is_some() => {
                        found(call.span, name, label.as_ref())
                    }
                    _ => self.collect_layers(call, label.as_ref(), home, found),
                }
                return;
            }
            _ => {}
        }
        for_each_part(expr, &mut |part| self.collect_layers(part, None, home, found));
    }
}
