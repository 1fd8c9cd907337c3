//! The names that an expression reads.

use crate::syntax::tree::{Expr, ExprKind};

/// Calls `visit` with each name that is read in an expression and not bound inside it, and its place as a part of the
/// tree. `repeats` says that the place is inside a reduction, and so is read many times.
pub(super) fn for_each_name<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a str, &'a Expr, bool)) {
    walk(expr, &mut Vec::new(), false, visit);
}

fn walk<'a>(expr: &'a Expr, bound: &mut Vec<&'a str>, repeats: bool, visit: &mut dyn FnMut(&'a str, &'a Expr, bool)) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Position => {}
        ExprKind::Name(name) => {
            if !bound.contains(&name.as_str()) {
                visit(name, expr, repeats);
            }
        }
        ExprKind::Access { name, indices } => {
            if !bound.contains(&name.text.as_str()) {
                visit(&name.text, expr, repeats);
            }
            indices.iter().for_each(|index| walk(index, bound, repeats, visit));
        }
        ExprKind::Reduce { indices, body, .. } => {
            for (first, end) in indices.iter().filter_map(|index| index.range.as_ref()) {
                walk(first, bound, repeats, visit);
                walk(end, bound, repeats, visit);
            }
            let outer = bound.len();
            bound.extend(indices.iter().map(|index| index.name.text.as_str()));
            walk(body, bound, true, visit);
            bound.truncate(outer);
        }
        _ => for_each_part(expr, &mut |part| walk(part, bound, repeats, visit)),
    }
}

/// Calls `visit` for each direct part of an expression, in the order of the text.
pub(super) fn for_each_part<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) | ExprKind::Position => {}
        ExprKind::Access { indices, .. } => indices.iter().for_each(visit),
        ExprKind::Call { arguments, .. } => arguments.iter().for_each(|argument| visit(&argument.value)),
        // The name after `|>` is a definition's, not a value's.
        ExprKind::Pipe { value, call, .. } => {
            visit(value);
            if !matches!(call.kind, ExprKind::Name(_)) {
                visit(call);
            }
        }
        ExprKind::Negate(a) | ExprKind::Not(a) | ExprKind::Iverson(a) => visit(a),
        ExprKind::Binary { left, right, .. }
        | ExprKind::Compare { left, right, .. }
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right) => {
            visit(left);
            visit(right);
        }
        ExprKind::If { condition, then, otherwise } => {
            visit(condition);
            visit(then);
            visit(otherwise);
        }
        ExprKind::Reduce { indices, body, .. } => {
            for (first, end) in indices.iter().filter_map(|index| index.range.as_ref()) {
                visit(first);
                visit(end);
            }
            visit(body);
        }
    }
}
