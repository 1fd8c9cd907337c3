//! Looking inside reductions, and building an expression again from changed parts.

use super::{Affine, Context, ExprId, IndexId, Node, ReduceKind};

impl Context {
    /// Renames `indices` in `body` to the canonical ones of its depth.
    pub(super) fn close(&mut self, indices: &[IndexId], body: ExprId) -> (Vec<IndexId>, ExprId) {
        let depth = self.depth(body);
        let mut canonical = Vec::with_capacity(indices.len());
        for (position, &index) in indices.iter().enumerate() {
            let level = depth + (indices.len() - position) as u32;
            canonical.push(self.canonical_index(level, index));
        }
        let renaming: Vec<_> = indices.iter().zip(&canonical).map(|(&from, &to)| (from, Affine::index(to))).collect();
        let body = self.substitute_indices(body, &renaming);
        (canonical, body)
    }

    /// Looks inside a reduction: fresh indices in place of the bound ones, and the body in terms of them.
    /// `bound` and `body` are those of a [`Node::Reduce`] or [`Node::ArgReduce`].
    pub fn open(&mut self, bound: &[IndexId], body: ExprId) -> (Vec<IndexId>, ExprId) {
        let fresh: Vec<_> = bound.iter().map(|&index| self.fresh(index)).collect();
        let renaming: Vec<_> = bound.iter().zip(&fresh).map(|(&from, &to)| (from, Affine::index(to))).collect();
        let body = self.substitute_indices(body, &renaming);
        (fresh, body)
    }

    /// What is summed, where that is one term.
    pub fn only_term(&mut self, sum: ExprId) -> Option<ExprId> {
        let Node::Reduce { kind: ReduceKind::Sum, indices, body } = self.node(sum).clone() else { return None };
        let first = |&index: &IndexId| {
            let range = self.index_of(index);
            (range.extent() == 1).then(|| (index, Affine::constant(range.start)))
        };
        let places: Vec<_> = indices.iter().map(first).collect::<Option<_>>()?;
        Some(self.substitute_indices(body, &places))
    }

    /// An expression in which each sum of one term is that term.
    pub fn without_single_terms(&mut self, expr: ExprId) -> ExprId {
        let term = self.only_term(expr).unwrap_or(expr);
        self.rebuild(term, |context, child, _| context.without_single_terms(child))
    }

    /// Builds a node of the same kind from other children, through the constructors.
    /// `child` is called for each child in order. For a reduction it is called with the opened body, and the
    /// second argument holds the indices that were opened; other children see an empty slice. A sum, a
    /// product or a list of conditions none of whose children changes is not built again.
    pub fn rebuild(&mut self, expr: ExprId, mut child: impl FnMut(&mut Self, ExprId, &[IndexId]) -> ExprId) -> ExprId {
        match self.node(expr).clone() {
            Node::Number(_) | Node::Index(_) | Node::Access { .. } | Node::Partial { .. } => expr,
            Node::Add(terms) => self.rebuild_all(&terms, &mut child).map_or(expr, |terms| self.add(terms)),
            Node::Multiply(factors) => self.rebuild_all(&factors, &mut child).map_or(expr, |factors| self.multiply(factors)),
            Node::Power(base, exponent) => {
                let base = child(self, base, &[]);
                let exponent = child(self, exponent, &[]);
                self.power(base, exponent)
            }
            Node::Call(function, argument) => {
                let argument = child(self, argument, &[]);
                self.call(function, argument)
            }
            Node::Compare(relation, left, right) => {
                let left = child(self, left, &[]);
                let right = child(self, right, &[]);
                self.compare(relation, left, right)
            }
            Node::And(conditions) => self.rebuild_all(&conditions, &mut child).map_or(expr, |conditions| self.and(conditions)),
            Node::Or(conditions) => self.rebuild_all(&conditions, &mut child).map_or(expr, |conditions| self.or(conditions)),
            Node::Not(condition) => {
                let condition = child(self, condition, &[]);
                self.not(condition)
            }
            Node::If { condition, then, otherwise } => {
                let condition = child(self, condition, &[]);
                let then = child(self, then, &[]);
                let otherwise = child(self, otherwise, &[]);
                self.if_else(condition, then, otherwise)
            }
            Node::Reduce { kind, indices, body } => {
                let (fresh, opened) = self.open(&indices, body);
                let changed = child(self, opened, &fresh);
                if changed == opened { expr } else { self.reduce(kind, &fresh, changed) }
            }
            Node::ArgReduce { kind, indices, position, body } => {
                let (fresh, opened) = self.open(&indices, body);
                let changed = child(self, opened, &fresh);
                if changed == opened { expr } else { self.arg_reduce(kind, &fresh, position, changed) }
            }
        }
    }

    /// Children of a node whose number is not fixed; none where all stay as they are.
    fn rebuild_all(
        &mut self,
        children: &[ExprId],
        child: &mut impl FnMut(&mut Self, ExprId, &[IndexId]) -> ExprId,
    ) -> Option<Vec<ExprId>> {
        let mut rebuilt = Vec::with_capacity(children.len());
        let mut is_changed = false;
        for &part in children {
            let changed = child(self, part, &[]);
            is_changed |= changed.0 != part.0;
            rebuilt.push(changed);
        }
        is_changed.then_some(rebuilt)
    }
}

/// Calls `visit` for each direct part of a node.
pub(crate) fn for_each_child(node: &Node, mut visit: impl FnMut(ExprId)) {
    match node {
        Node::Number(_) | Node::Index(_) | Node::Access { .. } => {}
        Node::Add(operands) | Node::Multiply(operands) | Node::And(operands) | Node::Or(operands) => {
            operands.iter().copied().for_each(visit);
        }
        Node::Power(a, b) | Node::Compare(_, a, b) | Node::Partial { of: a, by: b } => {
            visit(*a);
            visit(*b);
        }
        Node::Call(_, a) | Node::Not(a) => visit(*a),
        Node::If { condition, then, otherwise } => {
            visit(*condition);
            visit(*then);
            visit(*otherwise);
        }
        Node::Reduce { body, .. } | Node::ArgReduce { body, .. } => visit(*body),
    }
}
