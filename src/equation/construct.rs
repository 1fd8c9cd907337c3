//! The constructors, which keep expressions in normal form (the invariants of [`crate::equation`]).

use super::{Affine, Context, Elementary, ExprId, IndexId, Node, Number, ReduceKind, Relation, Role, TensorId};

impl Context {
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
            // 3^-2 is 1/9.
            if let (Some(base_number), Some(times @ ..-1)) = (self.as_number(base), exponent_number.as_integer())
                && let Some(folded) = times.checked_neg().and_then(|times| exact_power(base_number, times))
            {
                let (base, exponent) = (self.number(folded), self.integer(-1));
                return self.intern(Node::Power(base, exponent));
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
