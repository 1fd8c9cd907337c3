//! The parts of an expression's tree, and the tree with another part.

use crate::syntax::tree::{Expr, ExprKind, Name, Spec, StatementKind};

/// The direct parts of an expression that are values or conditions, in the order of the text.
pub(super) fn parts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) | ExprKind::Position => Vec::new(),
        ExprKind::Access { indices, .. } => indices.iter().collect(),
        ExprKind::Call { arguments, .. } => arguments.iter().map(|argument| &argument.value).collect(),
        ExprKind::Pipe { value, .. } => vec![value],
        ExprKind::Negate(a) | ExprKind::Not(a) | ExprKind::Iverson(a) => vec![a],
        ExprKind::Binary { left, right, .. }
        | ExprKind::Compare { left, right, .. }
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right) => vec![left, right],
        ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
        ExprKind::Reduce { body, .. } => vec![body],
    }
}

fn parts_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) | ExprKind::Position => Vec::new(),
        ExprKind::Access { indices, .. } => indices.iter_mut().collect(),
        ExprKind::Call { arguments, .. } => arguments.iter_mut().map(|argument| &mut argument.value).collect(),
        ExprKind::Pipe { value, .. } => vec![value],
        ExprKind::Negate(a) | ExprKind::Not(a) | ExprKind::Iverson(a) => vec![a],
        ExprKind::Binary { left, right, .. }
        | ExprKind::Compare { left, right, .. }
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right) => vec![left, right],
        ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
        ExprKind::Reduce { body, .. } => vec![body],
    }
}

/// Changes every part, the innermost first.
pub(super) fn changed(mut expr: Expr, change: &mut dyn FnMut(Expr) -> Expr) -> Expr {
    for part in parts_mut(&mut expr) {
        let placeholder = Expr { kind: ExprKind::Position, span: part.span };
        let whole = std::mem::replace(part, placeholder);
        *part = changed(whole, change);
    }
    change(expr)
}

/// The places of all parts of an expression, itself first: which part to take, from the outermost on.
pub(super) fn places(expr: &Expr) -> Vec<Vec<usize>> {
    fn walk(expr: &Expr, here: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        found.push(here.clone());
        for (position, part) in parts(expr).into_iter().enumerate() {
            here.push(position);
            walk(part, here, found);
            here.pop();
        }
    }
    let mut found = Vec::new();
    walk(expr, &mut Vec::new(), &mut found);
    found
}

/// The part at a place.
pub(super) fn at<'e>(expr: &'e Expr, place: &[usize]) -> &'e Expr {
    let mut part = expr;
    for &position in place {
        match parts(part).get(position) {
            Some(inner) => part = inner,
            None => return part,
        }
    }
    part
}

/// The expression with another part at a place.
pub(super) fn with(expr: &Expr, place: &[usize], part: Expr) -> Expr {
    let mut whole = expr.clone();
    let mut at = &mut whole;
    for &position in place {
        match parts_mut(at).into_iter().nth(position) {
            Some(inner) => at = inner,
            None => return expr.clone(),
        }
    }
    *at = part;
    whole
}

/// The names that stand as indices in the accesses of a left side, each once. A constant of the spec is no index.
pub(super) fn index_names(left: &Expr, user: &Spec) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for place in places(left) {
        let ExprKind::Access { indices, .. } = &at(left, &place).kind else { continue };
        for index in indices {
            for place in places(index) {
                let part = at(index, &place);
                if let ExprKind::Name(name) = &part.kind
                    && !is_constant(name, user)
                    && !names.iter().any(|known| known.text == *name)
                {
                    names.push(Name { text: name.clone(), span: part.span });
                }
            }
        }
    }
    names
}

/// Whether a spec defines a constant of that name.
pub(super) fn is_constant(name: &str, user: &Spec) -> bool {
    user.statements.iter().any(|statement| matches!(&statement.kind, StatementKind::Let { name: own, .. } if own.text == name))
}
