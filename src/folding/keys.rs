//! Hashes of expressions in which tensors go by their place relative to a layer, and indices by where they are bound.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};

use super::{Folding, Statement, base};
use crate::calculus::{Condition, Factor, Record, Step};
use crate::equation::{Affine, Context, ExprId, IndexId, Known, Node, Relation, Role, Seen, TensorId, for_each_child};

/// Computes hashes over one context.
pub(super) struct Keys<'a> {
    context: &'a Context,
    folding: &'a Folding,
}

/// The hashes of parts of one statement, which share a layer and free indices.
pub(super) struct Scope<'a> {
    keys: &'a Keys<'a>,
    layer: i64,
    /// Whether what a layer could own is told by its role alone, as while stacks are looked for.
    by_role: bool,
    free: Vec<IndexId>,
    known: RefCell<Known<u64>>,
}

/// A hash of few words, each mixed into all bits: quicker than that of the standard library, above all where nothing is optimized.
struct Mixer(u64);

impl Mixer {
    /// An odd number without a pattern: the fraction of the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
}

impl Hasher for Mixer {
    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(Self::FACTOR);
        self.0 = (mixed ^ (mixed >> 32)).wrapping_mul(Self::FACTOR) ^ (mixed >> 29);
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = Mixer(Mixer::FACTOR);
    value.hash(&mut hasher);
    hasher.finish()
}

impl<'a> Keys<'a> {
    pub(super) fn new(context: &'a Context, folding: &'a Folding) -> Self {
        Self { context, folding }
    }

    pub(super) fn context(&self) -> &'a Context {
        self.context
    }

    /// The hash of a statement, and those of its parts; `None` for what is about no layer.
    pub(super) fn statement(&self, statement: &Statement<'_>) -> Option<(u64, Scope<'_>)> {
        let equation = statement.equation;
        let place = self.folding.place_of(self.context, equation.target)?;
        let scope = self.scope(statement, place.layer);
        let target = scope.tensor(equation.target);
        let record = statement.record.map(|record| scope.record(record));
        let key = hash((target, equation.indices.len(), statement.is_computed, scope.expression(equation.value), record));
        Some((key, scope))
    }

    /// One expression, seen from a layer.
    pub(super) fn expression(&self, expr: ExprId, layer: i64) -> u64 {
        Scope { keys: self, layer, by_role: false, free: Vec::new(), known: RefCell::default() }.expression(expr)
    }

    /// A factor of a chain rule with its derivation, seen from a layer.
    pub(super) fn factor(&self, factor: &Factor, layer: i64) -> u64 {
        let mut free = Vec::new();
        self.indices_in_order(factor.partial, &mut free);
        Scope { keys: self, layer, by_role: false, free, known: RefCell::default() }.factor(factor)
    }

    fn scope(&self, statement: &Statement<'_>, layer: i64) -> Scope<'_> {
        let mut free = statement.equation.indices.clone();
        for factor in statement.record.iter().flat_map(|record| &record.factors) {
            self.indices_in_order(factor.partial, &mut free);
        }
        Scope { keys: self, layer, by_role: false, free, known: RefCell::default() }
    }

    /// The indices of a partial derivative, in the order of its places.
    fn indices_in_order(&self, expr: ExprId, found: &mut Vec<IndexId>) {
        match self.context.node(expr) {
            Node::Access { indices, .. } => {
                for (index, _) in indices.iter().flat_map(|affine| &affine.terms) {
                    if !found.contains(index) {
                        found.push(*index);
                    }
                }
            }
            Node::Partial { of, by } => {
                self.indices_in_order(*of, found);
                self.indices_in_order(*by, found);
            }
            _ => {}
        }
    }

    /// The indices that an expression binds, in an order that is the same for expressions with the same key.
    pub(super) fn bound_indices(&self, expr: ExprId, layer: i64) -> Vec<IndexId> {
        let scope = Scope { keys: self, layer, by_role: false, free: Vec::new(), known: RefCell::default() };
        let mut found = Vec::new();
        scope.bound(expr, &mut found, &mut Seen::default());
        found
    }

    /// All tensors of an expression, each as often as it is read, in an order that is the same for expressions with the same key.
    pub(super) fn tensors(&self, expr: ExprId, free: &[IndexId]) -> Vec<TensorId> {
        let scope = Scope { keys: self, layer: 0, by_role: true, free: free.to_vec(), known: RefCell::default() };
        let mut found = Vec::new();
        scope.accessed(expr, &mut found);
        found
    }

    /// The hash of an expression in which a tensor is told by its role alone.
    pub(super) fn skeleton(&self, expr: ExprId, free: &[IndexId]) -> u64 {
        Scope { keys: self, layer: 0, by_role: true, free: free.to_vec(), known: RefCell::default() }.expression(expr)
    }
}

impl Scope<'_> {
    /// All indices of the statement in an order that is the same for statements with the same key, each as often as it is bound.
    pub(super) fn indices(&self, statement: &Statement<'_>) -> Vec<IndexId> {
        let (mut found, mut seen) = (self.free.clone(), Seen::default());
        self.bound(statement.equation.value, &mut found, &mut seen);
        for step in statement.record.iter().flat_map(|record| record.all_steps()) {
            self.bound(step.value, &mut found, &mut seen);
        }
        found
    }

    fn record(&self, record: &Record) -> u64 {
        let factors: Vec<u64> = record.factors.iter().map(|factor| self.factor(factor)).collect();
        hash((factors, self.steps(&record.steps), record.special_case.as_ref().map(|step| self.step(step))))
    }

    fn factor(&self, factor: &Factor) -> u64 {
        hash((self.expression(factor.partial), self.steps(&factor.steps)))
    }

    fn steps(&self, steps: &[Step]) -> Vec<u64> {
        steps.iter().map(|step| self.step(step)).collect()
    }

    fn step(&self, step: &Step) -> u64 {
        let condition = step.condition.as_ref().map(|condition| match condition {
            Condition::NotZero(expr) => self.expression(*expr),
            Condition::SumsToOne(tensor) => hash(("sums to one", self.tensor(*tensor))),
        });
        let uses: Vec<u64> = step.uses.iter().map(|&tensor| self.tensor(tensor)).collect();
        hash((step.rule, self.expression(step.value), condition, uses))
    }

    fn tensor(&self, tensor: TensorId) -> u64 {
        let (context, folding) = (self.keys.context, self.keys.folding);
        let role = context.tensor(tensor).role;
        let outer = match role {
            Role::Adjoint { of } => Some(("adjoint", of)),
            Role::BatchMean { of } => Some(("mean", of)),
            Role::Gradient { of } => Some(("gradient", of)),
            Role::Next { of } => Some(("next", of)),
            _ => None,
        };
        if let Some((kind, of)) = outer {
            return hash((kind, self.tensor(of)));
        }
        if let Some((parameter, position)) = folding.states.get(tensor) {
            return hash(("state", position, self.tensor(*parameter)));
        }
        if let Some(place) = folding.place(base(context, tensor)).filter(|_| !self.by_role) {
            return hash(("family", place.family, place.layer - self.layer));
        }
        let rank = context.tensor(tensor).shape.len();
        match role {
            Role::Parameter if self.by_role => hash(("parameter", rank)),
            Role::Noise if self.by_role => hash(("noise", rank)),
            Role::Value | Role::Input if self.by_role => hash(("value", rank)),
            _ => hash(("tensor", tensor)),
        }
    }

    /// An index: free ones by their position, bound ones by the level of their binding.
    fn index(&self, index: IndexId) -> u64 {
        let start = self.keys.context.index_of(index).start;
        match self.free.iter().position(|free| *free == index) {
            Some(position) => hash(("free", position, start)),
            None => hash(("bound", self.keys.context.binding_level(index), start)),
        }
    }

    fn affine(&self, affine: &Affine) -> u64 {
        let mut terms: Vec<(u64, i64)> = affine.terms.iter().map(|&(index, factor)| (self.index(index), factor)).collect();
        terms.sort_unstable();
        hash((terms, affine.constant))
    }

    fn expression(&self, expr: ExprId) -> u64 {
        if let Some(&known) = self.known.borrow().get(expr) {
            return known;
        }
        let node = self.keys.context.node(expr);
        let parts = self.parts(expr).into_iter().map(|(key, _)| key).collect::<Vec<u64>>();
        let key = match node {
            Node::Number(number) => hash(("number", number.value().to_bits())),
            Node::Index(affine) => hash(("index", self.affine(affine))),
            Node::Access { tensor, indices } => {
                let places: Vec<u64> = indices.iter().map(|affine| self.affine(affine)).collect();
                hash((self.tensor(*tensor), places))
            }
            Node::Call(function, _) => hash((function, parts)),
            Node::Compare(relation, ..) => hash((relation, parts)),
            Node::Reduce { kind, indices, .. } => {
                let indices: Vec<u64> = indices.iter().map(|&index| self.index(index)).collect();
                hash((kind, indices, parts))
            }
            Node::ArgReduce { kind, indices, position, .. } => {
                let indices: Vec<u64> = indices.iter().map(|&index| self.index(index)).collect();
                hash((kind, indices, position, parts))
            }
            other => hash((std::mem::discriminant(other), parts)),
        };
        self.known.borrow_mut().insert(expr, key);
        key
    }

    /// The parts of a node with their hashes, those whose order means nothing in the order of these.
    fn parts(&self, expr: ExprId) -> Vec<(u64, ExprId)> {
        let node = self.keys.context.node(expr);
        let mut parts = Vec::new();
        for_each_child(node, |part| parts.push((self.expression(part), part)));
        let is_symmetric = matches!(
            node,
            Node::Add(_)
                | Node::Multiply(_)
                | Node::And(_)
                | Node::Or(_)
                | Node::Compare(Relation::Equal | Relation::NotEqual, ..)
        );
        if is_symmetric {
            parts.sort_by_key(|(key, _)| *key);
        }
        parts
    }

    fn bound(&self, expr: ExprId, found: &mut Vec<IndexId>, seen: &mut Seen) {
        // What has no parts binds nothing.
        if matches!(self.keys.context.node(expr), Node::Number(_) | Node::Index(_) | Node::Access { .. }) || !seen.insert(expr) {
            return;
        }
        if let Node::Reduce { indices, .. } | Node::ArgReduce { indices, .. } = self.keys.context.node(expr) {
            found.extend(indices);
        }
        for (_, part) in self.parts(expr) {
            self.bound(part, found, seen);
        }
    }

    fn accessed(&self, expr: ExprId, found: &mut Vec<TensorId>) {
        if let Node::Access { tensor, .. } = self.keys.context.node(expr) {
            found.push(*tensor);
        }
        for (_, part) in self.parts(expr) {
            self.accessed(part, found);
        }
    }
}
