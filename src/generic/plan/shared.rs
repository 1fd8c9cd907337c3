//! Bound indices that may as well be free ones: in `exp(s[j]) / sum(k: exp(s[k]))` the exponentials are the same numbers.

use std::collections::{HashMap, HashSet};

use crate::equation::{Affine, Context, ExprId, IndexId, Node};

/// For a reduction, indices and a body in place of its own.
pub(super) type Renamed = HashMap<ExprId, (Vec<IndexId>, ExprId)>;

/// Finds the reductions in an equation's right-hand side whose bodies, with a free index of the equation in place of a
/// bound one, compute a function that the equation computes anyway.
pub(super) fn rename_bound(context: &mut Context, indices: &[IndexId], value: ExprId) -> Renamed {
    let mut parts = Vec::new();
    context.visit(value, &mut |_, part| parts.push(part));
    let known: HashSet<ExprId> = parts.iter().copied().collect();
    let mut renamed = Renamed::new();
    for &part in &parts {
        let (Node::Reduce { indices: bound, body, .. } | Node::ArgReduce { indices: bound, body, .. }) =
            context.node(part).clone()
        else {
            continue;
        };
        for (position, &from) in bound.iter().enumerate() {
            let range = (context.index_of(from).start, context.index_of(from).end);
            let found = indices.iter().find_map(|&to| {
                if range != (context.index_of(to).start, context.index_of(to).end) || context.contains_index(body, to) {
                    return None;
                }
                let candidate = context.substitute_indices(body, &[(from, Affine::index(to))]);
                computes_known(context, candidate, to, &known).then_some((to, candidate))
            });
            if let Some((to, candidate)) = found {
                let mut bound = bound.clone();
                bound[position] = to;
                renamed.insert(part, (bound, candidate));
                break;
            }
        }
    }
    renamed
}

/// Whether a part that depends on the index is a known function: worth being computed once.
fn computes_known(context: &Context, candidate: ExprId, index: IndexId, known: &HashSet<ExprId>) -> bool {
    let mut found = false;
    context.visit(candidate, &mut |context, part| {
        let is_function = matches!(context.node(part), Node::Call(..));
        found = found || is_function && known.contains(&part) && context.contains_index(part, index);
    });
    found
}
