//! From an expression to gates, one for each operation.

use super::build::Builder;
use super::{Operation, TraceError};
use crate::equation::{ExprId, IndexId, Node, Number, ReduceKind, Relation};

/// A part of an expression at given values of its indices.
#[derive(Clone, Copy)]
enum Part {
    /// What no tensor changes needs no gate.
    Number(Number),
    Gate(usize),
}

impl Builder<'_> {
    /// The gate of a right-hand side, which no other equation shares: its adjoint is that of the tensor alone.
    pub(super) fn root(&mut self, expr: ExprId) -> Result<usize, TraceError> {
        let before = self.gates.len();
        let gate = match self.part(expr)? {
            Part::Gate(gate) if gate >= before => gate,
            Part::Gate(gate) => return self.push(Operation::Copy, vec![gate], self.gates[gate].value),
            Part::Number(number) => return self.push(Operation::Number(number), Vec::new(), number.value()),
        };
        let key = (self.gates[gate].operation.clone(), self.gates[gate].operands.clone());
        self.shared.remove(&key);
        Ok(gate)
    }

    fn part(&mut self, expr: ExprId) -> Result<Part, TraceError> {
        self.count_step()?;
        let context = self.context;
        match context.node(expr) {
            Node::Number(number) => Ok(Part::Number(*number)),
            Node::Index(affine) => Ok(Part::Number(Number::integer(self.affine(affine)))),
            Node::Access { tensor, indices } => match self.place(*tensor, indices) {
                None => Ok(Part::Number(Number::ZERO)),
                Some(place) => self
                    .element(*tensor, &place)
                    .map(Part::Gate)
                    .ok_or_else(|| TraceError::Missing { names: vec![context.tensor(*tensor).name.clone()] }),
            },
            Node::Add(terms) => self.terms(terms),
            Node::Multiply(factors) => {
                let factors = self.parts(factors)?;
                self.product(factors)
            }
            Node::Power(base, exponent) => {
                let (base, exponent) = (self.part(*base)?, self.part(*exponent)?);
                match exponent {
                    Part::Number(exponent) => self.gate(Operation::Power(exponent), vec![base]),
                    Part::Gate(_) => self.gate(Operation::Raise, vec![base, exponent]),
                }
            }
            Node::Call(function, argument) => {
                let argument = self.part(*argument)?;
                self.gate(Operation::Call(*function), vec![argument])
            }
            Node::Compare(relation, left, right) => {
                let operands = vec![self.part(*left)?, self.part(*right)?];
                self.gate(Operation::Compare(*relation), operands)
            }
            Node::And(conditions) => {
                let conditions = self.parts(conditions)?;
                self.connective(Operation::And, conditions, Number::ZERO)
            }
            Node::Or(conditions) => {
                let conditions = self.parts(conditions)?;
                self.connective(Operation::Or, conditions, Number::ONE)
            }
            Node::Not(condition) => {
                let condition = self.part(*condition)?;
                self.gate(Operation::Not, vec![condition])
            }
            Node::If { condition, then, otherwise } => self.choice(*condition, *then, *otherwise),
            Node::Reduce { kind, indices, body } => {
                let (parts, _) = self.places(indices, *body, 0)?;
                self.reduction(*kind, parts)
            }
            Node::ArgReduce { kind, indices, position, body } => {
                let (parts, places) = self.places(indices, *body, *position)?;
                self.gate(Operation::Place(*kind, places), parts)
            }
            // Stands only in the record of a derivation.
            Node::Partial { .. } => Ok(Part::Number(Number::ZERO)),
        }
    }

    fn parts(&mut self, exprs: &[ExprId]) -> Result<Vec<Part>, TraceError> {
        exprs.iter().map(|&expr| self.part(expr)).collect()
    }

    /// The body at each place of its indices, and the value of one of these there.
    fn places(&mut self, indices: &[IndexId], body: ExprId, position: usize) -> Result<(Vec<Part>, Vec<i64>), TraceError> {
        let (mut parts, mut values) = (Vec::new(), Vec::new());
        self.bind_each(indices, &mut |builder, place| {
            parts.push(builder.part(body)?);
            values.push(place[position]);
            Ok(())
        })?;
        Ok((parts, values))
    }

    /// One operation on some parts: a number where all parts are, else a gate, the same for the same operands.
    fn gate(&mut self, operation: Operation, parts: Vec<Part>) -> Result<Part, TraceError> {
        let value = |part: &Part, builder: &Self| match part {
            Part::Number(number) => number.value(),
            Part::Gate(gate) => builder.gates[*gate].value,
        };
        let values: Vec<f64> = parts.iter().map(|part| value(part, self)).collect();
        let value = self.rules.value(&operation, &values);
        if parts.iter().all(|part| matches!(part, Part::Number(_)))
            && let Some(number) = Number::new(value)
        {
            return Ok(Part::Number(number));
        }
        let operands = parts.into_iter().map(|part| self.operand(part)).collect::<Result<Vec<_>, _>>()?;
        self.shared_gate(operation, operands, value).map(Part::Gate)
    }

    fn operand(&mut self, part: Part) -> Result<usize, TraceError> {
        match part {
            Part::Gate(gate) => Ok(gate),
            // Not shared, so that a drawing has a number beside each gate that takes one.
            Part::Number(number) => self.push(Operation::Number(number), Vec::new(), number.value()),
        }
    }

    fn shared_gate(&mut self, operation: Operation, operands: Vec<usize>, value: f64) -> Result<usize, TraceError> {
        let key = (operation, operands);
        if let Some(&gate) = self.shared.get(&key) {
            return Ok(gate);
        }
        let gate = self.push(key.0.clone(), key.1.clone(), value)?;
        self.shared.insert(key, gate);
        Ok(gate)
    }

    /// A sum as it is written: what is multiplied with -1 is taken away from the rest.
    fn terms(&mut self, terms: &[ExprId]) -> Result<Part, TraceError> {
        let (mut added, mut taken) = (Vec::new(), Vec::new());
        for &term in terms {
            match self.context.node(term) {
                Node::Multiply(factors) if self.context.is_integer(factors[0], -1) => {
                    let factors = self.parts(&factors[1..])?;
                    taken.push(self.product(factors)?);
                }
                _ => added.push(self.part(term)?),
            }
        }
        if !added.iter().any(|part| matches!(part, Part::Gate(_))) {
            // There is only a number to take it from.
            for part in taken.drain(..) {
                added.push(self.product(vec![Part::Number(Number::MINUS_ONE), part])?);
            }
        }
        self.sum(added, taken)
    }

    /// A sum of a few terms less some others, two at a time, results of operations first, as one writes `a b + c`, and a number last.
    fn sum(&mut self, added: Vec<Part>, taken: Vec<Part>) -> Result<Part, TraceError> {
        let (number, mut gates) = self.split(added, Number::ZERO, |a, b| a + b);
        let (number, taken) = self.split(taken, number, |a, b| a - b);
        gates.sort_by_key(|&gate| self.gates[gate].is_leaf());
        let Some(mut sum) = self.chain(Operation::Add, gates)? else { return Ok(Part::Number(number)) };
        for gate in taken {
            let value = self.rules.value(&Operation::Subtract, &[self.gates[sum].value, self.gates[gate].value]);
            sum = self.shared_gate(Operation::Subtract, vec![sum, gate], value)?;
        }
        if number == Number::ZERO {
            return Ok(Part::Gate(sum));
        }
        self.gate(Operation::AddNumber(number), vec![Part::Gate(sum)])
    }

    /// A product of a few factors, two at a time, a number last.
    fn product(&mut self, factors: Vec<Part>) -> Result<Part, TraceError> {
        let (number, gates) = self.split(factors, Number::ONE, |a, b| a * b);
        if number == Number::ZERO {
            return Ok(Part::Number(Number::ZERO));
        }
        let product = self.chain(Operation::Multiply, gates)?;
        match (product, number) {
            (None, number) => Ok(Part::Number(number)),
            (Some(product), number) if number == Number::ONE => Ok(Part::Gate(product)),
            (Some(product), number) => self.gate(Operation::MultiplyByNumber(number), vec![Part::Gate(product)]),
        }
    }

    /// The numbers among some parts as one, and the others.
    fn split(&self, parts: Vec<Part>, neutral: Number, fold: impl Fn(f64, f64) -> f64) -> (Number, Vec<usize>) {
        let (mut number, mut gates) = (neutral, Vec::new());
        for part in parts {
            match part {
                Part::Gate(gate) => gates.push(gate),
                Part::Number(other) => number = Number::new(fold(number.value(), other.value())).unwrap_or(number),
            }
        }
        (number, gates)
    }

    fn chain(&mut self, operation: Operation, gates: Vec<usize>) -> Result<Option<usize>, TraceError> {
        let mut gates = gates.into_iter();
        let Some(mut result) = gates.next() else { return Ok(None) };
        for gate in gates {
            let value = self.rules.value(&operation, &[self.gates[result].value, self.gates[gate].value]);
            result = self.shared_gate(operation.clone(), vec![result, gate], value)?;
        }
        Ok(Some(result))
    }

    /// A reduction: two at a time where there are two, else one gate for all.
    fn reduction(&mut self, kind: ReduceKind, parts: Vec<Part>) -> Result<Part, TraceError> {
        let gates = parts.iter().filter(|part| matches!(part, Part::Gate(_))).count();
        match kind {
            ReduceKind::Sum if gates <= 2 => self.sum(parts, Vec::new()),
            ReduceKind::Product if gates <= 2 => self.product(parts),
            ReduceKind::Sum => {
                let (number, gates) = self.split(parts, Number::ZERO, |a, b| a + b);
                let sum = self.gate(Operation::Reduce(kind), gates.into_iter().map(Part::Gate).collect())?;
                self.sum(vec![Part::Number(number), sum], Vec::new())
            }
            ReduceKind::Product => {
                let (number, gates) = self.split(parts, Number::ONE, |a, b| a * b);
                let product = self.gate(Operation::Reduce(kind), gates.into_iter().map(Part::Gate).collect())?;
                self.product(vec![Part::Number(number), product])
            }
            ReduceKind::Max | ReduceKind::Min => match parts[..] {
                [single] => Ok(single),
                _ => self.gate(Operation::Reduce(kind), parts),
            },
        }
    }

    /// `and` and `or`, decided where one condition is.
    fn connective(&mut self, operation: Operation, conditions: Vec<Part>, absorbing: Number) -> Result<Part, TraceError> {
        let is = |part: &Part| matches!(part, Part::Number(number) if (*number != Number::ZERO) == (absorbing != Number::ZERO));
        if conditions.iter().any(is) {
            return Ok(Part::Number(absorbing));
        }
        let open: Vec<Part> = conditions.into_iter().filter(|part| matches!(part, Part::Gate(_))).collect();
        match open[..] {
            [] => Ok(Part::Number(if absorbing == Number::ZERO { Number::ONE } else { Number::ZERO })),
            [single] => Ok(single),
            _ => self.gate(operation, open),
        }
    }

    /// `if`: the greater or lesser of two as one gate; only one branch where the condition is known.
    fn choice(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId) -> Result<Part, TraceError> {
        if let Node::Compare(relation, left, right) = *self.context.node(condition)
            && !matches!(relation, Relation::Equal | Relation::NotEqual)
        {
            if (then, otherwise) == (left, right) {
                let operands = vec![self.part(left)?, self.part(right)?];
                return self.gate(Operation::Choose(relation), operands);
            }
            if (then, otherwise) == (right, left) {
                let operands = vec![self.part(right)?, self.part(left)?];
                return self.gate(Operation::Choose(relation.mirrored()), operands);
            }
        }
        match self.part(condition)? {
            Part::Number(number) => self.part(if number == Number::ZERO { otherwise } else { then }),
            condition => {
                let operands = vec![condition, self.part(then)?, self.part(otherwise)?];
                self.gate(Operation::If, operands)
            }
        }
    }
}
