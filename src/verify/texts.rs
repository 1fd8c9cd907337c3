//! Expressions as a rule writes them: `dy[j]/ds[k]` for an element of `dy/ds`.

use std::collections::BTreeMap;

use super::subject::Subject;
use super::tree::changed;
use crate::syntax::print_expression;
use crate::syntax::tree::{Expr, ExprKind, Name};

/// What is known of names to print them.
pub(super) struct Texts {
    /// The number of axes of each tensor.
    axes: BTreeMap<String, usize>,
}

impl Texts {
    pub(super) fn new(subject: &Subject<'_>) -> Texts {
        let axes = subject.tensors.iter().map(|(name, &tensor)| (name.clone(), subject.context.tensor(tensor).shape.len()));
        Texts { axes: axes.collect() }
    }

    /// An expression.
    pub(super) fn of(&self, expr: &Expr) -> String {
        let shown = changed(expr.clone(), &mut |part| {
            let ExprKind::Access { name, indices } = &part.kind else { return part };
            let Some((of, by, axes)) = self.differentials(&name.text, indices.len()).filter(|parts| parts.2 > 0) else {
                return part;
            };
            let own: Vec<String> = indices[..axes].iter().map(print_expression).collect();
            let text = format!("{of}[{}]/{by}", own.join(", "));
            let kind = match &indices[axes..] {
                [] => ExprKind::Name(text),
                rest => ExprKind::Access { name: Name { text, span: name.span }, indices: rest.to_vec() },
            };
            Expr { kind, span: part.span }
        });
        print_expression(&shown)
    }

    /// An element of a tensor, or of a derivative, at a place.
    pub(super) fn element(&self, name: &str, indices: &[i64]) -> String {
        let indices: Vec<String> = indices.iter().map(i64::to_string).collect();
        let with = |name: &str, indices: &[String]| {
            if indices.is_empty() { name.to_owned() } else { format!("{name}[{}]", indices.join(", ")) }
        };
        match self.differentials(name, indices.len()) {
            Some((of, by, axes)) => format!("{}/{}", with(of, &indices[..axes]), with(by, &indices[axes..])),
            None => with(name, &indices),
        }
    }

    /// The two differentials of a derivative's name, and how many of its indices belong to the first.
    fn differentials<'n>(&self, name: &'n str, indices: usize) -> Option<(&'n str, &'n str, usize)> {
        let (of, by) = name.split_once('/')?;
        let axes = |differential: &str| self.axes.get(differential.strip_prefix('d')?).copied();
        let own = axes(of)?;
        (own + axes(by)? == indices).then_some((of, by, own))
    }
}
