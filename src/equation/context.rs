//! The tables behind a list of equations, and the constructors that keep expressions in normal form.

use std::collections::HashMap;

use super::{Affine, Elementary, ExprId, Index, IndexId, Node, Number, ReduceKind, Relation, Tensor, TensorId};

/// Expressions, indices and tensors, each in a table of its own.
#[derive(Clone, Debug, Default)]
pub struct Context {
    nodes: Vec<Node>,
    /// How deeply reductions are nested in each node.
    depths: Vec<u32>,
    lookup: HashMap<Node, ExprId>,
    indices: Vec<Index>,
    canonical: HashMap<(u32, i64, i64), IndexId>,
    tensors: Vec<Tensor>,
}

impl Context {
    /// Empty tables.
    pub fn new() -> Self {
        Self::default()
    }

    // Tables.

    /// The node of an expression.
    pub fn node(&self, expr: ExprId) -> &Node {
        &self.nodes[expr.index()]
    }

    /// How many different expressions there are.
    pub fn expression_count(&self) -> usize {
        self.nodes.len()
    }

    /// Adds a tensor.
    pub fn add_tensor(&mut self, tensor: Tensor) -> TensorId {
        let id = TensorId(self.tensors.len() as u32);
        self.tensors.push(tensor);
        id
    }

    /// The tensor with this id.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.index()]
    }

    /// The tensor with this id, to be changed before anything is derived from it.
    pub fn tensor_mut(&mut self, id: TensorId) -> &mut Tensor {
        &mut self.tensors[id.index()]
    }

    /// All tensors with their ids, in the order of their making.
    pub fn tensors(&self) -> impl Iterator<Item = (TensorId, &Tensor)> {
        self.tensors.iter().enumerate().map(|(at, tensor)| (TensorId(at as u32), tensor))
    }

    /// A new index over `start..end`, different from all others.
    pub fn add_index(&mut self, name: impl Into<String>, start: i64, end: i64) -> IndexId {
        let id = IndexId(self.indices.len() as u32);
        self.indices.push(Index { name: name.into(), start, end, canonical: false });
        id
    }

    /// The index with this id.
    pub fn index_of(&self, id: IndexId) -> &Index {
        &self.indices[id.index()]
    }

    /// A new index with the name and range of another.
    pub fn fresh(&mut self, like: IndexId) -> IndexId {
        let Index { name, start, end, .. } = self.index_of(like).clone();
        self.add_index(name, start, end)
    }

    /// New indices, one for each axis of a tensor, named as its declaration names them.
    pub fn fresh_axes(&mut self, tensor: TensorId) -> Vec<IndexId> {
        let Tensor { shape, axes, .. } = self.tensor(tensor).clone();
        shape
            .iter()
            .enumerate()
            .map(|(at, &extent)| self.add_index(axes.get(at).map_or("i", String::as_str), 0, extent as i64))
            .collect()
    }

    fn intern(&mut self, node: Node) -> ExprId {
        if let Some(&id) = self.lookup.get(&node) {
            return id;
        }
        let mut depth = 0;
        for_each_child(&node, |child| depth = depth.max(self.depths[child.index()]));
        if let Node::Reduce { indices, .. } | Node::ArgReduce { indices, .. } = &node {
            depth += indices.len() as u32;
        }
        let id = ExprId(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.depths.push(depth);
        self.lookup.insert(node, id);
        id
    }

    // Constructors.

    /// A number.
    pub fn number(&mut self, number: Number) -> ExprId {
        self.intern(Node::Number(number))
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) -> ExprId {
        self.number(Number::integer(value))
    }

    /// The value of a number, where the expression is one.
    pub fn as_number(&self, expr: ExprId) -> Option<Number> {
        match self.node(expr) {
            Node::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the expression is this integer.
    pub fn is_integer(&self, expr: ExprId, value: i64) -> bool {
        self.as_number(expr) == Some(Number::integer(value))
    }

    /// The value of an affine expression in indices.
    pub fn index_value(&mut self, affine: Affine) -> ExprId {
        if affine.terms.is_empty() { self.integer(affine.constant) } else { self.intern(Node::Index(affine)) }
    }

    /// An element of a tensor. `indices` has an entry for each axis.
    pub fn access(&mut self, tensor: TensorId, indices: Vec<Affine>) -> ExprId {
        debug_assert_eq!(indices.len(), self.tensor(tensor).shape.len(), "an access of {}", self.tensor(tensor).name);
        self.intern(Node::Access { tensor, indices })
    }

    /// An element of a tensor at plain indices.
    pub fn access_at(&mut self, tensor: TensorId, indices: &[IndexId]) -> ExprId {
        self.access(tensor, indices.iter().map(|&index| Affine::index(index)).collect())
    }

    /// The sum of any number of terms: flat, sorted, with numbers folded where that is exact.
    pub fn add(&mut self, terms: impl IntoIterator<Item = ExprId>) -> ExprId {
        let mut operands = Vec::new();
        let mut constants = vec![Number::ZERO];
        for term in terms {
            match self.node(term) {
                Node::Add(inner) => {
                    for inner in inner.clone() {
                        self.push_operand(inner, &mut operands, &mut constants, Number::exact_sum);
                    }
                }
                _ => self.push_operand(term, &mut operands, &mut constants, Number::exact_sum),
            }
        }
        for constant in constants {
            if constant != Number::ZERO {
                operands.push(self.number(constant));
            }
        }
        self.sorted_operands(operands, 0, Self::add_rank, Node::Add)
    }

    /// The product of any number of factors: flat, sorted, with numbers folded where that is exact. A factor 0 makes it 0.
    pub fn multiply(&mut self, factors: impl IntoIterator<Item = ExprId>) -> ExprId {
        let mut operands = Vec::new();
        let mut constants = vec![Number::ONE];
        for factor in factors {
            match self.node(factor) {
                Node::Multiply(inner) => {
                    for inner in inner.clone() {
                        self.push_operand(inner, &mut operands, &mut constants, Number::exact_product);
                    }
                }
                _ => self.push_operand(factor, &mut operands, &mut constants, Number::exact_product),
            }
        }
        if constants.contains(&Number::ZERO) {
            return self.integer(0);
        }
        for constant in constants {
            if constant != Number::ONE {
                operands.push(self.number(constant));
            }
        }
        self.sorted_operands(operands, 1, Self::multiply_rank, Node::Multiply)
    }

    fn push_operand(
        &self,
        operand: ExprId,
        operands: &mut Vec<ExprId>,
        constants: &mut Vec<Number>,
        fold: impl Fn(Number, Number) -> Option<Number>,
    ) {
        let Some(number) = self.as_number(operand) else {
            operands.push(operand);
            return;
        };
        for constant in constants.iter_mut() {
            if let Some(folded) = fold(*constant, number) {
                *constant = folded;
                return;
            }
        }
        constants.push(number);
    }

    fn sorted_operands(
        &mut self,
        mut operands: Vec<ExprId>,
        empty: i64,
        rank: impl Fn(&Self, ExprId) -> u32,
        node: impl Fn(Vec<ExprId>) -> Node,
    ) -> ExprId {
        operands.sort_by_key(|&operand| (rank(self, operand), operand));
        match operands[..] {
            [] => self.integer(empty),
            [single] => single,
            _ => self.intern(node(operands)),
        }
    }

    /// Summands in the order in which a reader expects them: a number, sums, the rest as it was written.
    fn add_rank(&self, expr: ExprId) -> u32 {
        match self.node(expr) {
            Node::Number(_) => 0,
            Node::Reduce { .. } => 1,
            _ => 2,
        }
    }

    /// Factors in the order in which a reader expects them: `2 η dy w x (1 - y) [s > 0] Σ`.
    fn multiply_rank(&self, expr: ExprId) -> u32 {
        use super::Role;
        match self.node(expr) {
            Node::Number(_) => 0,
            Node::Access { tensor, .. } => match self.tensor(*tensor).role {
                Role::Constant | Role::BatchSize | Role::UpdateNumber => 2,
                Role::Adjoint { .. } | Role::BatchMean { .. } | Role::Gradient { .. } => 3,
                Role::Parameter | Role::State { .. } | Role::Next { .. } => 4,
                _ => 5,
            },
            Node::Power(base, _) => match self.multiply_rank(*base) {
                0 => 1,
                rank => rank,
            },
            Node::Partial { .. } => 3,
            Node::Index(_) | Node::Call(..) => 6,
            Node::Add(_) | Node::Multiply(_) => 7,
            Node::If { .. } => 8,
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => 9,
            Node::Reduce { .. } | Node::ArgReduce { .. } => 10,
        }
    }

    /// `-a`.
    pub fn negate(&mut self, a: ExprId) -> ExprId {
        let minus_one = self.number(Number::MINUS_ONE);
        self.multiply([minus_one, a])
    }

    /// `a - b`.
    pub fn subtract(&mut self, a: ExprId, b: ExprId) -> ExprId {
        let minus_b = self.negate(b);
        self.add([a, minus_b])
    }

    /// `a / b`.
    pub fn divide(&mut self, a: ExprId, b: ExprId) -> ExprId {
        let reciprocal = self.reciprocal(b);
        self.multiply([a, reciprocal])
    }

    /// `1 / a`.
    pub fn reciprocal(&mut self, a: ExprId) -> ExprId {
        let minus_one = self.number(Number::MINUS_ONE);
        self.power(a, minus_one)
    }

    /// `base ^ exponent`, with exponents 0 and 1 and exact numbers folded.
    pub fn power(&mut self, base: ExprId, exponent: ExprId) -> ExprId {
        if let Some(exponent_number) = self.as_number(exponent) {
            if exponent_number == Number::ZERO {
                return self.integer(1);
            }
            if exponent_number == Number::ONE {
                return base;
            }
            if let (Some(base_number), Some(times)) = (self.as_number(base), exponent_number.as_integer())
                && let Some(folded) = exact_power(base_number, times)
            {
                return self.number(folded);
            }
        }
        self.intern(Node::Power(base, exponent))
    }

    /// An elementary function, folded at the few places where its value is an exact number.
    pub fn call(&mut self, function: Elementary, argument: ExprId) -> ExprId {
        if let Some(number) = self.as_number(argument) {
            use Elementary::*;
            let folded = match function {
                Exp | Cos if number == Number::ZERO => Some(Number::ONE),
                Ln if number == Number::ONE => Some(Number::ZERO),
                Log1p | Expm1 | Sin | Tan | Tanh | Atan | Erf if number == Number::ZERO => Some(Number::ZERO),
                Sqrt if number == Number::ZERO || number == Number::ONE => Some(number),
                Floor => Number::new(number.value().floor()),
                Abs => Number::new(number.value().abs()),
                _ => None,
            };
            if let Some(folded) = folded {
                return self.number(folded);
            }
        }
        self.intern(Node::Call(function, argument))
    }

    /// `[left relation right]`, folded between numbers and between equal expressions.
    pub fn compare(&mut self, relation: Relation, left: ExprId, right: ExprId) -> ExprId {
        use Relation::*;
        let ordering = match (self.as_number(left), self.as_number(right)) {
            (Some(left), Some(right)) => left.value().partial_cmp(&right.value()),
            _ if left == right => Some(std::cmp::Ordering::Equal),
            _ => None,
        };
        if let Some(ordering) = ordering {
            let holds = match relation {
                Less => ordering.is_lt(),
                LessEqual => ordering.is_le(),
                Equal => ordering.is_eq(),
                NotEqual => ordering.is_ne(),
                GreaterEqual => ordering.is_ge(),
                Greater => ordering.is_gt(),
            };
            return self.integer(i64::from(holds));
        }
        // Equality is symmetric: one order for both ways of writing it, with a number on the right.
        let key = |expr| (self.as_number(expr).is_some(), expr);
        let swap = matches!(relation, Equal | NotEqual) && key(right) < key(left);
        let (left, right) = if swap { (right, left) } else { (left, right) };
        self.intern(Node::Compare(relation, left, right))
    }

    /// `[a and b and …]`; 1 if there is none.
    pub fn and(&mut self, conditions: impl IntoIterator<Item = ExprId>) -> ExprId {
        self.connective(conditions, true)
    }

    /// `[a or b or …]`; 0 if there is none.
    pub fn or(&mut self, conditions: impl IntoIterator<Item = ExprId>) -> ExprId {
        self.connective(conditions, false)
    }

    fn connective(&mut self, conditions: impl IntoIterator<Item = ExprId>, conjunction: bool) -> ExprId {
        let (neutral, absorbing) = if conjunction { (1, 0) } else { (0, 1) };
        let mut operands = Vec::new();
        for condition in conditions {
            match self.node(condition) {
                Node::And(inner) if conjunction => operands.extend(inner.iter().copied()),
                Node::Or(inner) if !conjunction => operands.extend(inner.iter().copied()),
                _ => operands.push(condition),
            }
        }
        if operands.iter().any(|&operand| self.is_integer(operand, absorbing)) {
            return self.integer(absorbing);
        }
        operands.retain(|&operand| !self.is_integer(operand, neutral));
        operands.sort_unstable();
        operands.dedup();
        match operands[..] {
            [] => self.integer(neutral),
            [single] => single,
            _ => self.intern(if conjunction { Node::And(operands) } else { Node::Or(operands) }),
        }
    }

    /// `[not a]`; a comparison is turned round.
    pub fn not(&mut self, condition: ExprId) -> ExprId {
        use Relation::*;
        match *self.node(condition) {
            Node::Number(number) => self.integer(i64::from(number == Number::ZERO)),
            Node::Not(inner) => inner,
            // Not for the four orders: a NaN makes both `<` and `>=` false.
            Node::Compare(Equal, left, right) => self.compare(NotEqual, left, right),
            Node::Compare(NotEqual, left, right) => self.compare(Equal, left, right),
            _ => self.intern(Node::Not(condition)),
        }
    }

    /// `if condition { then } else { otherwise }`, folded where the condition is known or the branches are equal.
    pub fn if_else(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId) -> ExprId {
        match self.as_number(condition) {
            _ if then == otherwise => then,
            Some(number) if number == Number::ZERO => otherwise,
            Some(_) => then,
            None => self.intern(Node::If { condition, then, otherwise }),
        }
    }

    /// `max(a, b)`, which is `if a >= b { a } else { b }`.
    pub fn maximum(&mut self, a: ExprId, b: ExprId) -> ExprId {
        let condition = self.compare(Relation::GreaterEqual, a, b);
        self.if_else(condition, a, b)
    }

    /// `min(a, b)`, which is `if a <= b { a } else { b }`.
    pub fn minimum(&mut self, a: ExprId, b: ExprId) -> ExprId {
        let condition = self.compare(Relation::LessEqual, a, b);
        self.if_else(condition, a, b)
    }

    /// A reduction of `body` over `indices`, which it binds; they may be any indices that occur free in `body`.
    /// Without indices it is the body.
    pub fn reduce(&mut self, kind: ReduceKind, indices: &[IndexId], body: ExprId) -> ExprId {
        if indices.is_empty() {
            return body;
        }
        if self.is_integer(body, 0) && kind == ReduceKind::Sum {
            return body;
        }
        let (canonical, body) = self.close(indices, body);
        self.intern(Node::Reduce { kind, indices: canonical, body })
    }

    /// The sum of `body` over `indices`.
    pub fn sum(&mut self, indices: &[IndexId], body: ExprId) -> ExprId {
        self.reduce(ReduceKind::Sum, indices, body)
    }

    /// The value of `indices[position]` at the first place where `body` is greatest (or least).
    pub fn arg_reduce(&mut self, kind: ReduceKind, indices: &[IndexId], position: usize, body: ExprId) -> ExprId {
        let (canonical, body) = self.close(indices, body);
        self.intern(Node::ArgReduce { kind, indices: canonical, position, body })
    }

    /// The partial derivative of one access by another, by name.
    pub fn partial(&mut self, of: ExprId, by: ExprId) -> ExprId {
        self.intern(Node::Partial { of, by })
    }

    /// Renames `indices` in `body` to the canonical ones of its depth.
    fn close(&mut self, indices: &[IndexId], body: ExprId) -> (Vec<IndexId>, ExprId) {
        let depth = self.depths[body.index()];
        let mut canonical = Vec::with_capacity(indices.len());
        for (position, &index) in indices.iter().enumerate() {
            let Index { name, start, end, .. } = self.index_of(index).clone();
            let level = depth + (indices.len() - position) as u32;
            let id = match self.canonical.get(&(level, start, end)) {
                Some(&id) => id,
                None => {
                    let id = self.add_index(name, start, end);
                    self.indices[id.index()].canonical = true;
                    self.canonical.insert((level, start, end), id);
                    id
                }
            };
            canonical.push(id);
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

    /// Builds a node of the same kind from other children, through the constructors.
    /// `child` is called for each child in order. For a reduction it is called with the opened body, and the
    /// second argument holds the indices that were opened; other children see an empty slice.
    pub fn rebuild(&mut self, expr: ExprId, mut child: impl FnMut(&mut Self, ExprId, &[IndexId]) -> ExprId) -> ExprId {
        match self.node(expr).clone() {
            Node::Number(_) | Node::Index(_) | Node::Access { .. } | Node::Partial { .. } => expr,
            Node::Add(terms) => {
                let terms: Vec<_> = terms.into_iter().map(|term| child(self, term, &[])).collect();
                self.add(terms)
            }
            Node::Multiply(factors) => {
                let factors: Vec<_> = factors.into_iter().map(|factor| child(self, factor, &[])).collect();
                self.multiply(factors)
            }
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
            Node::And(conditions) => {
                let conditions: Vec<_> = conditions.into_iter().map(|condition| child(self, condition, &[])).collect();
                self.and(conditions)
            }
            Node::Or(conditions) => {
                let conditions: Vec<_> = conditions.into_iter().map(|condition| child(self, condition, &[])).collect();
                self.or(conditions)
            }
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

/// `base ^ times` for small integers, where no step rounds.
fn exact_power(base: Number, times: i64) -> Option<Number> {
    if times.unsigned_abs() > 64 {
        return None;
    }
    let mut power = Number::ONE;
    for _ in 0..times.unsigned_abs() {
        power = power.exact_product(base)?;
    }
    if times < 0 { power.exact_reciprocal() } else { Some(power) }
}
