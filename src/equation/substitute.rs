//! Substitution without capture, and questions about what occurs in an expression.

use super::known::{Known, Seen};
use super::rebuild::for_each_child;
use super::{Affine, Context, ExprId, IndexId, Node, TensorId};

impl Context {
    /// Replaces free indices by affine expressions, all at once.
    ///
    /// Nothing is captured: bound indices are canonical, and a canonical index never occurs free in a complete expression.
    pub fn substitute_indices(&mut self, expr: ExprId, renaming: &[(IndexId, Affine)]) -> ExprId {
        if renaming.is_empty() || renaming.iter().all(|(from, to)| to.as_index() == Some(*from)) {
            return expr;
        }
        self.substitute_indices_memoized(expr, renaming, &mut Known::default())
    }

    fn substitute_indices_memoized(&mut self, expr: ExprId, renaming: &[(IndexId, Affine)], done: &mut Known<ExprId>) -> ExprId {
        // What has no parts is found again as soon as it is known.
        match self.node(expr) {
            Node::Number(_) => return expr,
            Node::Access { tensor, indices } => {
                let mut is_changed = false;
                for affine in indices {
                    is_changed = is_changed || mentions(affine, renaming);
                }
                if !is_changed {
                    return expr;
                }
                let tensor = *tensor;
                let indices = indices.iter().map(|affine| substitute_affine(affine, renaming)).collect();
                return self.access(tensor, indices);
            }
            _ => {}
        }
        if let Some(&result) = done.get(expr) {
            return result;
        }
        let result = match self.node(expr).clone() {
            Node::Index(affine) => {
                let affine = substitute_affine(&affine, renaming);
                self.index_value(affine)
            }
            Node::Partial { of, by } => {
                let of = self.substitute_indices_memoized(of, renaming, done);
                let by = self.substitute_indices_memoized(by, renaming, done);
                self.partial(of, by)
            }
            // Bodies are renamed in place: their bound indices are canonical and stay as they are, except where the
            // renaming itself speaks of one, which happens while a reduction is closed around this body.
            Node::Reduce { kind, indices, body } => {
                let (fresh, opened) = self.open_if_mentioned(&indices, body, renaming);
                let body = self.substitute_indices_memoized(opened, renaming, done);
                self.reduce(kind, &fresh, body)
            }
            Node::ArgReduce { kind, indices, position, body } => {
                let (fresh, opened) = self.open_if_mentioned(&indices, body, renaming);
                let body = self.substitute_indices_memoized(opened, renaming, done);
                self.arg_reduce(kind, &fresh, position, body)
            }
            _ => self.rebuild(expr, |context, child, _| context.substitute_indices_memoized(child, renaming, done)),
        };
        done.insert(expr, result);
        result
    }

    fn open_if_mentioned(&mut self, bound: &[IndexId], body: ExprId, renaming: &[(IndexId, Affine)]) -> (Vec<IndexId>, ExprId) {
        let mentioned = bound
            .iter()
            .any(|index| renaming.iter().any(|(from, to)| from == index || to.terms.iter().any(|(term, _)| term == index)));
        if mentioned { self.open(bound, body) } else { (bound.to_vec(), body) }
    }

    /// Replaces every access of one tensor by what `replacement` makes of its indices.
    pub fn substitute_tensor(
        &mut self,
        expr: ExprId,
        tensor: TensorId,
        replacement: &mut dyn FnMut(&mut Context, &[Affine]) -> ExprId,
    ) -> ExprId {
        match self.node(expr) {
            Node::Number(_) | Node::Index(_) => expr,
            Node::Access { tensor: accessed, .. } if *accessed != tensor => expr,
            Node::Access { indices, .. } => {
                let indices = indices.clone();
                replacement(self, &indices)
            }
            _ => self.rebuild(expr, |context, child, _| context.substitute_tensor(child, tensor, replacement)),
        }
    }

    /// Replaces an expression wherever it occurs as a part of another.
    pub fn replace(&mut self, expr: ExprId, from: ExprId, to: ExprId) -> ExprId {
        if expr == from {
            return to;
        }
        self.rebuild(expr, |context, child, _| context.replace(child, from, to))
    }

    /// Whether an index occurs free. Canonical indices that are bound inside do not count.
    pub fn contains_index(&self, expr: ExprId, index: IndexId) -> bool {
        let in_affine = |affine: &Affine| affine.terms.iter().any(|(term, _)| *term == index);
        match self.node(expr) {
            Node::Index(affine) => in_affine(affine),
            Node::Access { indices, .. } => indices.iter().any(in_affine),
            Node::Reduce { indices, .. } | Node::ArgReduce { indices, .. } if indices.contains(&index) => false,
            node => {
                let mut found = false;
                for_each_child(node, |child| found = found || self.contains_index(child, index));
                found
            }
        }
    }

    /// Whether any of the indices occurs free.
    pub fn contains_any_index(&self, expr: ExprId, indices: &[IndexId]) -> bool {
        indices.iter().any(|&index| self.contains_index(expr, index))
    }

    /// The indices that occur free, each once, in the order of their ids.
    pub fn free_indices(&self, expr: ExprId) -> Vec<IndexId> {
        let mut free = Vec::new();
        self.collect_free_indices(expr, &mut Vec::new(), &mut free);
        free.sort_unstable();
        free.dedup();
        free
    }

    fn collect_free_indices(&self, expr: ExprId, bound: &mut Vec<IndexId>, free: &mut Vec<IndexId>) {
        let mut affine = |affine: &Affine| {
            free.extend(affine.terms.iter().map(|(index, _)| *index).filter(|index| !bound.contains(index)));
        };
        match self.node(expr) {
            Node::Index(value) => affine(value),
            Node::Access { indices, .. } => indices.iter().for_each(affine),
            Node::Reduce { indices, body, .. } | Node::ArgReduce { indices, body, .. } => {
                let depth = bound.len();
                bound.extend(indices);
                self.collect_free_indices(*body, bound, free);
                bound.truncate(depth);
            }
            node => for_each_child(node, |child| self.collect_free_indices(child, bound, free)),
        }
    }

    /// The tensors that are accessed, each once, in the order of their first use.
    pub fn tensors_in(&self, expr: ExprId) -> Vec<TensorId> {
        let mut found = Vec::new();
        self.collect_tensors(expr, &mut found, &mut Seen::default());
        found
    }

    fn collect_tensors(&self, expr: ExprId, found: &mut Vec<TensorId>, seen: &mut Seen) {
        match self.node(expr) {
            Node::Number(_) | Node::Index(_) => {}
            Node::Access { tensor, .. } => {
                if !found.contains(tensor) {
                    found.push(*tensor);
                }
            }
            node => {
                if seen.insert(expr) {
                    for_each_child(node, |child| self.collect_tensors(child, found, seen));
                }
            }
        }
    }

    /// Whether a tensor is accessed.
    pub fn contains_tensor(&self, expr: ExprId, tensor: TensorId) -> bool {
        match self.node(expr) {
            Node::Access { tensor: accessed, .. } => *accessed == tensor,
            node => {
                let mut found = false;
                for_each_child(node, |child| found = found || self.contains_tensor(child, tensor));
                found
            }
        }
    }

    /// Whether there is a reduction in an expression.
    pub fn has_reduction(&self, expr: ExprId) -> bool {
        let mut found = false;
        self.visit(expr, &mut |context, part| {
            found |= matches!(context.node(part), Node::Reduce { .. } | Node::ArgReduce { .. });
        });
        found
    }

    /// Whether an expression is a part of another, or equal to it.
    pub fn contains(&self, expr: ExprId, part: ExprId) -> bool {
        let mut found = false;
        self.visit(expr, &mut |_, other| found |= other == part);
        found
    }

    /// Calls `visit` for the expression and all its parts, each once, parts after what they are part of.
    pub fn visit(&self, expr: ExprId, visit: &mut dyn FnMut(&Context, ExprId)) {
        self.visit_unseen(expr, visit, &mut Seen::default());
    }

    /// [`Self::visit`], but for the parts that were seen before.
    pub(crate) fn visit_unseen(&self, expr: ExprId, visit: &mut dyn FnMut(&Context, ExprId), seen: &mut Seen) {
        if seen.insert(expr) {
            visit(self, expr);
            for_each_child(self.node(expr), |child| self.visit_unseen(child, visit, seen));
        }
    }

    /// Expressions and all their parts, each once, in the order in which they were made: parts before what they are part of.
    pub(crate) fn parts(&self, exprs: &[ExprId]) -> Vec<ExprId> {
        let (mut parts, mut seen) = (Vec::new(), Seen::default());
        for &expr in exprs {
            self.visit_unseen(expr, &mut |_, part| parts.push(part), &mut seen);
        }
        parts.sort_unstable();
        parts
    }
}

fn mentions(affine: &Affine, renaming: &[(IndexId, Affine)]) -> bool {
    for (index, _) in &affine.terms {
        for (from, _) in renaming {
            if from.0 == index.0 {
                return true;
            }
        }
    }
    false
}

fn substitute_affine(affine: &Affine, renaming: &[(IndexId, Affine)]) -> Affine {
    // An index for an index, mostly.
    if let [(index, coefficient)] = affine.terms[..]
        && let Some((_, to)) = renaming.iter().find(|(from, _)| *from == index)
        && let Some(to) = to.as_index()
    {
        return Affine { terms: vec![(to, coefficient)], constant: affine.constant };
    }
    let mut result = Affine::constant(affine.constant);
    for &(index, coefficient) in &affine.terms {
        let replacement = renaming.iter().find(|(from, _)| *from == index).map(|(_, to)| to.clone());
        let replacement = replacement.unwrap_or_else(|| Affine::index(index));
        // Model building bounds coefficients far below the range of i64, so this cannot overflow.
        result = result.plus(coefficient, &replacement).unwrap_or(result);
    }
    result
}
