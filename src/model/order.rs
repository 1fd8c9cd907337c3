//! The order in which statements can be computed, whatever order they were written in.

use crate::syntax::tree::{Expr, ExprKind};

/// Items in an order in which each comes after those it needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// Groups of items that need each other; nearly always of one item. A group comes after those it needs, and otherwise
    /// in the order of the items' numbers.
    pub(super) groups: Vec<Vec<usize>>,
}

/// Sorts items, given the items that each one needs (Tarjan 1972, without recursion).
pub(super) fn sort(needs: &[Vec<usize>]) -> Order {
    const UNSEEN: usize = usize::MAX;
    let mut order = Order::default();
    let mut number = vec![UNSEEN; needs.len()];
    let mut lowest = vec![UNSEEN; needs.len()];
    let mut is_open = vec![false; needs.len()];
    let (mut open, mut next) = (Vec::new(), 0);
    for root in 0..needs.len() {
        if number[root] != UNSEEN {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some(top) = path.last_mut() {
            let (item, position) = *top;
            top.1 += 1;
            if position == 0 {
                (number[item], lowest[item]) = (next, next);
                next += 1;
                open.push(item);
                is_open[item] = true;
            }
            if let Some(&needed) = needs[item].get(position) {
                if number[needed] == UNSEEN {
                    path.push((needed, 0));
                } else if is_open[needed] {
                    lowest[item] = lowest[item].min(number[needed]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                lowest[parent] = lowest[parent].min(lowest[item]);
            }
            if lowest[item] == number[item] {
                let start = open.iter().rposition(|&candidate| candidate == item).unwrap_or(0);
                let mut group = open.split_off(start);
                group.iter().for_each(|&member| is_open[member] = false);
                group.sort_unstable();
                order.groups.push(group);
            }
        }
    }
    order
}

/// Calls `visit` with each name that is read in an expression and not bound inside it, and its place as a part of the
/// tree. `repeats` says that the place is inside a reduction, and so is read many times.
pub(super) fn for_each_name<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a str, &'a Expr, bool)) {
    walk(expr, &mut Vec::new(), false, visit);
}

fn walk<'a>(expr: &'a Expr, bound: &mut Vec<&'a str>, repeats: bool, visit: &mut dyn FnMut(&'a str, &'a Expr, bool)) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) => {}
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
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) => {}
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

#[cfg(test)]
mod tests {
    use super::sort;

    #[test]
    fn what_is_needed_comes_first_and_text_order_decides_the_rest() {
        let order = sort(&[vec![2], vec![], vec![], vec![0, 1]]);
        assert_eq!(order.groups, [vec![2], vec![0], vec![1], vec![3]]);
    }

    #[test]
    fn items_that_need_each_other_are_one_group() {
        let order = sort(&[vec![1], vec![2], vec![0], vec![0]]);
        assert_eq!(order.groups, [vec![0, 1, 2], vec![3]]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let needs: Vec<Vec<usize>> = (0..200_000).map(|item| if item + 1 < 200_000 { vec![item + 1] } else { vec![] }).collect();
        assert_eq!(sort(&needs).groups[0], [199_999]);
    }
}
