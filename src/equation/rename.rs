//! Expressions that are equal up to the names of tensors and free indices, and writing one with the names of another.

use super::known::Known;
use super::table::Id;
use super::{Affine, Context, Equation, ExprId, IndexId, Node, TensorId};

/// How what is said of one tensor became what is said of another.
#[derive(Clone, Debug)]
pub(crate) struct Alike {
    /// The tensor of which it was said first.
    pub(crate) to: TensorId,
    /// The tensors there, each with what stands for it here.
    pub(crate) tensors: Vec<(TensorId, TensorId)>,
    /// The free indices likewise.
    pub(crate) indices: Vec<(IndexId, IndexId)>,
}

impl Alike {
    /// What stands for an index.
    pub(crate) fn index(&self, index: IndexId) -> IndexId {
        named(&self.indices, index).unwrap_or(index)
    }

    /// What stands for a tensor.
    pub(crate) fn tensor(&self, tensor: TensorId) -> Option<TensorId> {
        named(&self.tensors, tensor)
    }
}

/// What stands for one of a list, in which it is sooner found than in a table.
pub(crate) fn named<I: Id>(list: &[(I, I)], one: I) -> Option<I> {
    let mut at = 0;
    while at < list.len() {
        if list[at].0.position() == one.position() {
            return Some(list[at].1);
        }
        at += 1;
    }
    None
}

/// Whether one stands for another, as far as either is in a list.
fn is_known<I: Id>(list: &[(I, I)], from: I, to: I) -> Option<bool> {
    for &(one, other) in list {
        let is_one = one.position() == from.position();
        if is_one || other.position() == to.position() {
            return Some(is_one && other.position() == to.position());
        }
    }
    None
}

/// Which tensors and free indices stand for which others, one to one. Bound indices are canonical, and stand for themselves.
#[derive(Default)]
pub(crate) struct Renaming {
    tensors: Vec<(TensorId, TensorId)>,
    indices: Vec<(IndexId, IndexId)>,
    expressions: Known<ExprId>,
}

impl Renaming {
    /// Whether a tensor can stand for another: both are of one kind and shape, and neither stands for a third.
    pub(crate) fn tensor(&mut self, context: &Context, from: TensorId, to: TensorId) -> bool {
        if let Some(is_known) = is_known(&self.tensors, from, to) {
            return is_known;
        }
        let (one, other) = (context.tensor(from), context.tensor(to));
        let are_alike = one.shape == other.shape
            && one.axes == other.axes
            && one.label == other.label
            && std::mem::discriminant(&one.role) == std::mem::discriminant(&other.role);
        if are_alike {
            self.tensors.push((from, to));
        }
        are_alike
    }

    /// Whether an index can stand for another.
    fn index(&mut self, context: &Context, from: IndexId, to: IndexId) -> bool {
        if let Some(is_known) = is_known(&self.indices, from, to) {
            return is_known;
        }
        let (one, other) = (context.index_of(from), context.index_of(to));
        let are_alike = one == other && (from == to || !one.canonical);
        if are_alike {
            self.indices.push((from, to));
        }
        are_alike
    }

    /// Whether an equation becomes another.
    pub(crate) fn equation(&mut self, context: &Context, from: &Equation, to: &Equation) -> bool {
        self.element(context, from, to) && self.expression(context, from.value, to.value)
    }

    /// Whether an equation becomes another, in the form in which they are computed.
    pub(crate) fn computed(&mut self, context: &Context, from: &Equation, to: &Equation) -> bool {
        self.element(context, from, to) && self.expression(context, from.computed, to.computed)
    }

    /// Whether an equation's left side becomes another's.
    fn element(&mut self, context: &Context, from: &Equation, to: &Equation) -> bool {
        self.tensor(context, from.target, to.target)
            && from.indices.len() == to.indices.len()
            && from.indices.iter().zip(&to.indices).all(|(&from, &to)| self.index(context, from, to))
    }

    /// The tensors, each with what stands for it.
    pub(crate) fn tensors(&self) -> &[(TensorId, TensorId)] {
        &self.tensors
    }

    fn affine(&mut self, context: &Context, from: &Affine, to: &Affine) -> bool {
        from.constant == to.constant
            && self.all(context, &from.terms, &to.terms, |renaming, context, (from, factor), (to, of_other)| {
                factor == of_other && renaming.index(context, *from, *to)
            })
    }

    fn expressions(&mut self, context: &Context, from: &[ExprId], to: &[ExprId]) -> bool {
        self.all(context, from, to, |renaming, context, from, to| renaming.expression(context, *from, *to))
    }

    /// Whether each of a list becomes that of another.
    fn all<T>(&mut self, context: &Context, from: &[T], to: &[T], becomes: fn(&mut Renaming, &Context, &T, &T) -> bool) -> bool {
        let mut at = 0;
        while at < from.len() && at < to.len() {
            if !becomes(self, context, &from[at], &to[at]) {
                return false;
            }
            at += 1;
        }
        from.len() == to.len()
    }

    fn expression(&mut self, context: &Context, from: ExprId, to: ExprId) -> bool {
        if let Some(&known) = self.expressions.get(from) {
            return known == to;
        }
        let are_alike = self.node_becomes(context, context.node(from), context.node(to));
        if are_alike {
            self.expressions.insert(from, to);
        }
        are_alike
    }

    fn node_becomes(&mut self, context: &Context, from: &Node, to: &Node) -> bool {
        match (from, to) {
            (Node::Number(one), Node::Number(other)) => one == other,
            (Node::Index(one), Node::Index(other)) => self.affine(context, one, other),
            (Node::Access { tensor: one, indices: from }, Node::Access { tensor: other, indices: to }) => {
                self.tensor(context, *one, *other) && self.all(context, from, to, Renaming::affine)
            }
            (Node::Add(one), Node::Add(other))
            | (Node::Multiply(one), Node::Multiply(other))
            | (Node::And(one), Node::And(other))
            | (Node::Or(one), Node::Or(other)) => self.expressions(context, one, other),
            (Node::Power(one, exponent), Node::Power(other, of_other)) => {
                self.expression(context, *one, *other) && self.expression(context, *exponent, *of_other)
            }
            (Node::Call(function, one), Node::Call(of_other, other)) => {
                function == of_other && self.expression(context, *one, *other)
            }
            (Node::Compare(relation, left, right), Node::Compare(of_other, left_of_other, right_of_other)) => {
                relation == of_other
                    && self.expression(context, *left, *left_of_other)
                    && self.expression(context, *right, *right_of_other)
            }
            (Node::Not(one), Node::Not(other)) => self.expression(context, *one, *other),
            (
                Node::If { condition, then, otherwise },
                Node::If { condition: of_other, then: then_of_other, otherwise: otherwise_of_other },
            ) => self.expressions(context, &[*condition, *then, *otherwise], &[*of_other, *then_of_other, *otherwise_of_other]),
            (Node::Reduce { kind, indices, body }, Node::Reduce { kind: of_other, indices: others, body: other }) => {
                kind == of_other && indices == others && self.expression(context, *body, *other)
            }
            (
                Node::ArgReduce { kind, indices, position, body },
                Node::ArgReduce { kind: of_other, indices: others, position: at, body: other },
            ) => kind == of_other && indices == others && position == at && self.expression(context, *body, *other),
            (Node::Partial { of, by }, Node::Partial { of: other, by: by_other }) => {
                self.expression(context, *of, *other) && self.expression(context, *by, *by_other)
            }
            _ => false,
        }
    }

    /// New indices in place of others.
    pub(crate) fn refresh(&mut self, context: &mut Context, indices: &[IndexId]) -> Vec<IndexId> {
        let fresh = indices.iter().map(|&index| {
            let fresh = context.fresh(index);
            self.indices.push((index, fresh));
            fresh
        });
        fresh.collect()
    }

    /// The names by which what was said of a tensor is said of another.
    pub(crate) fn alike(&self, to: TensorId) -> Alike {
        Alike { to, tensors: self.tensors.clone(), indices: self.indices.clone() }
    }

    /// What stands for a tensor.
    pub(crate) fn renamed_tensor(&self, tensor: TensorId) -> Option<TensorId> {
        named(&self.tensors, tensor)
    }

    /// What an expression has become whose parts were [renamed](Self::rename).
    pub(crate) fn renamed(&self, expr: ExprId) -> Option<ExprId> {
        self.expressions.get(expr).copied()
    }

    /// Writes expressions with other names: `parts` are their parts and they themselves, in the order of their ids, in which parts come
    /// before what they are part of. `None` where a tensor has no other name, or where summands would come in another order.
    pub(crate) fn rename(&mut self, context: &mut Context, parts: &[ExprId]) -> Option<()> {
        for &part in parts {
            if self.expressions.get(part).is_some() {
                continue;
            }
            let renamed = match context.node(part) {
                Node::Number(_) => part,
                node => {
                    let node = self.node(context, node)?;
                    context.intern(node)
                }
            };
            self.expressions.insert(part, renamed);
        }
        Some(())
    }

    fn node(&self, context: &Context, node: &Node) -> Option<Node> {
        let one = |part: &ExprId| self.renamed(*part);
        Some(match node {
            Node::Number(number) => Node::Number(*number),
            Node::Index(affine) => Node::Index(self.renamed_affine(context, affine)?),
            Node::Access { tensor, indices } => {
                let mut renamed = Vec::with_capacity(indices.len());
                for affine in indices {
                    renamed.push(self.renamed_affine(context, affine)?);
                }
                Node::Access { tensor: self.renamed_tensor(*tensor)?, indices: renamed }
            }
            Node::Add(parts) => Node::Add(self.in_order(parts)?),
            Node::Multiply(parts) => Node::Multiply(self.in_order(parts)?),
            Node::And(parts) => Node::And(self.in_order(parts)?),
            Node::Or(parts) => Node::Or(self.in_order(parts)?),
            Node::Power(base, exponent) => Node::Power(one(base)?, one(exponent)?),
            Node::Call(function, argument) => Node::Call(*function, one(argument)?),
            Node::Compare(relation, left, right) => {
                let sides = self.in_order(&[*left, *right])?;
                Node::Compare(*relation, sides[0], sides[1])
            }
            Node::Not(condition) => Node::Not(one(condition)?),
            Node::If { condition, then, otherwise } => {
                Node::If { condition: one(condition)?, then: one(then)?, otherwise: one(otherwise)? }
            }
            Node::Reduce { kind, indices, body } => Node::Reduce { kind: *kind, indices: indices.clone(), body: one(body)? },
            Node::ArgReduce { kind, indices, position, body } => {
                Node::ArgReduce { kind: *kind, indices: indices.clone(), position: *position, body: one(body)? }
            }
            Node::Partial { of, by } => Node::Partial { of: one(of)?, by: one(by)? },
        })
    }

    /// Parts whose order follows from their ids: only where it stays the same.
    fn in_order(&self, parts: &[ExprId]) -> Option<Vec<ExprId>> {
        let mut renamed: Vec<ExprId> = Vec::with_capacity(parts.len());
        for (at, &part) in parts.iter().enumerate() {
            let here = self.renamed(part)?;
            if at > 0 && (parts[at - 1].0 < part.0) != (renamed[at - 1].0 < here.0) {
                return None;
            }
            renamed.push(here);
        }
        Some(renamed)
    }

    fn renamed_affine(&self, context: &Context, affine: &Affine) -> Option<Affine> {
        let mut terms = Vec::with_capacity(affine.terms.len());
        for &(index, factor) in &affine.terms {
            let renamed = match named(&self.indices, index) {
                Some(to) => to,
                None if context.index_of(index).canonical => index,
                None => return None,
            };
            terms.push((renamed, factor));
        }
        terms.is_sorted_by_key(|(index, _)| *index).then_some(Affine { terms, constant: affine.constant })
    }
}
