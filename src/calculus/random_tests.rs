//! Rules and derivatives against evaluation, for random expressions.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::equation::*;

/// The shape of a random expression; leaves choose among a few tensors and indices by number.
#[derive(Clone, Debug)]
enum Tree {
    Number(i32),
    Element(u8, u8),
    Index(u8),
    Sum(Vec<Tree>),
    Product(Vec<Tree>),
    Power(Box<Tree>, i8),
    Call(u8, Box<Tree>),
    /// Conditions compare leaves only: near a jump, rounding alone may change a value.
    If(u8, Box<Tree>, Box<Tree>, Box<Tree>),
    Bracket(u8, Box<Tree>, Box<Tree>),
    Reduce(u8, Box<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        (-6..7i32).prop_map(Tree::Number),
        (0..3u8, 0..4u8).prop_map(|(tensor, index)| Tree::Element(tensor, index)),
        (0..4u8).prop_map(Tree::Index),
    ];
    leaf.clone().prop_recursive(5, 40, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::Sum),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::Product),
            (inner.clone(), -2..4i8).prop_map(|(base, exponent)| Tree::Power(Box::new(base), exponent)),
            (0..13u8, inner.clone()).prop_map(|(function, argument)| Tree::Call(function, Box::new(argument))),
            (0..6u8, leaf.clone(), inner.clone(), inner.clone()).prop_map(|(relation, a, b, c)| Tree::If(
                relation,
                Box::new(a),
                Box::new(b),
                Box::new(c)
            )),
            (0..6u8, leaf.clone(), leaf.clone()).prop_map(|(relation, a, b)| Tree::Bracket(relation, Box::new(a), Box::new(b))),
            (0..4u8, inner).prop_map(|(kind, body)| Tree::Reduce(kind, Box::new(body))),
        ]
    })
}

struct World {
    context: Context,
    /// A parameter, an input and a label, each with 3 elements.
    tensors: Vec<TensorId>,
    /// The free indices, then those of the reductions around the place that is being built.
    scope: Vec<IndexId>,
}

impl World {
    fn new() -> World {
        let mut context = Context::new();
        let mut tensors = Vec::new();
        for (name, role, label) in [("w", Role::Parameter, false), ("x", Role::Input, false), ("t", Role::Target, true)] {
            let axes = vec!["i".to_owned()];
            tensors.push(context.add_tensor(Tensor { name: name.to_owned(), shape: vec![3], axes, role, label, origin: None }));
        }
        let scope = vec![context.add_index("i", 0, 3), context.add_index("j", 0, 3)];
        World { context, tensors, scope }
    }

    fn build(&mut self, tree: &Tree) -> ExprId {
        let relation = |number: u8| {
            use Relation::*;
            [Less, LessEqual, Equal, NotEqual, GreaterEqual, Greater][number as usize]
        };
        match tree {
            Tree::Number(number) => {
                let number = Number::new(f64::from(*number) / 2.0).expect("a number");
                self.context.number(number)
            }
            Tree::Element(tensor, index) => {
                let index = self.scope[*index as usize % self.scope.len()];
                self.context.access_at(self.tensors[*tensor as usize], &[index])
            }
            Tree::Index(index) => {
                let index = self.scope[*index as usize % self.scope.len()];
                // Never 0: the condition of a cancelled division is for the reader to check.
                let from_one = Affine { constant: 1, ..Affine::index(index) };
                self.context.index_value(from_one)
            }
            Tree::Sum(terms) => {
                let terms: Vec<_> = terms.iter().map(|term| self.build(term)).collect();
                self.context.add(terms)
            }
            Tree::Product(factors) => {
                let factors: Vec<_> = factors.iter().map(|factor| self.build(factor)).collect();
                self.context.multiply(factors)
            }
            Tree::Power(base, exponent) => {
                let base = self.build(base);
                let exponent = self.context.integer(i64::from(*exponent));
                self.context.power(base, exponent)
            }
            Tree::Call(function, argument) => {
                let argument = self.build(argument);
                self.context.call(Elementary::ALL[*function as usize], argument)
            }
            Tree::If(number, a, then, otherwise) => {
                let (a, then, otherwise) = (self.build(a), self.build(then), self.build(otherwise));
                let half = self.context.number(Number::new(0.25).expect("a number"));
                let condition = self.context.compare(relation(*number), a, half);
                self.context.if_else(condition, then, otherwise)
            }
            Tree::Bracket(number, a, b) => {
                let (a, b) = (self.build(a), self.build(b));
                self.context.compare(relation(*number), a, b)
            }
            Tree::Reduce(kind, body) => {
                use ReduceKind::*;
                let index = self.context.add_index("k", 0, 3);
                self.scope.push(index);
                let body = self.build(body);
                self.scope.pop();
                self.context.reduce([Sum, Product, Max, Min][*kind as usize], &[index], body)
            }
        }
    }

    fn value(&self, expr: ExprId, parameter: &[f64], at: &[(IndexId, i64)]) -> f64 {
        let values = HashMap::from([
            (self.tensors[0], parameter.to_vec()),
            (self.tensors[1], vec![0.71, -0.33, 1.17]),
            (self.tensors[2], vec![0.0, 1.0, 0.0]),
        ]);
        evaluate(&self.context, &(&self.context, &values), at, expr).expect("every tensor and index has a value")
    }
}

const PARAMETER: [f64; 3] = [0.43, -0.87, 0.59];

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_rewrite_keeps_the_value(tree in tree()) {
        let mut world = World::new();
        let expr = world.build(&tree);
        let mut steps = Vec::new();
        simplify(&mut world.context, expr, &mut steps);
        for (i, j) in [(0, 0), (0, 1), (2, 1), (1, 2)] {
            let at = [(world.scope[0], i), (world.scope[1], j)];
            let mut before = (expr, world.value(expr, &PARAMETER, &at));
            for step in &steps {
                let after = world.value(step.value, &PARAMETER, &at);
                let huge = !before.1.is_finite() || before.1.abs() > 1e9;
                prop_assert!(
                    huge || close(before.1, after, 1e-7),
                    "{} changes {} to {after} at i = {i}, j = {j}:\n{}\n{}",
                    step.rule, before.1, world.context.expression_text(before.0), world.context.expression_text(step.value)
                );
                before = (step.value, after);
            }
        }
    }

    #[test]
    fn derivatives_are_the_limits_of_differences(tree in tree()) {
        let mut world = World::new();
        let expr = world.build(&tree);
        let at_index = world.context.add_index("a", 0, 3);
        let slope = differentiate(&mut world.context, expr, world.tensors[0], &[at_index]);
        let simple = simplified(&mut world.context, slope);
        for (i, j) in [(0, 1), (1, 1)] {
            for element in 0..3 {
                let at = [(world.scope[0], i), (world.scope[1], j), (at_index, element as i64)];
                let analytic = world.value(slope, &PARAMETER, &at);
                // The same quotient with two steps: where they differ, a kink or a pole is near and nothing is learned.
                let quotient = |step: f64| {
                    let shifted = |by: f64| {
                        let mut parameter = PARAMETER;
                        parameter[element] += by;
                        world.value(expr, &parameter, &at)
                    };
                    (shifted(step) - shifted(-step)) / (2.0 * step)
                };
                let (coarse, fine) = (quotient(2e-5), quotient(1e-5));
                let magnitude = world.value(expr, &PARAMETER, &at).abs().max(analytic.abs());
                if analytic.is_nan() || magnitude.is_nan() || magnitude > 1e3 || !close(coarse, fine, 1e-6) {
                    continue;
                }
                prop_assert!(close(analytic, fine, 1e-4), "{analytic} is not {fine}: {}\n{}",
                    world.context.expression_text(expr), world.context.expression_text(slope));
                let simple_value = world.value(simple, &PARAMETER, &at);
                prop_assert!(close(analytic, simple_value, 1e-7), "{simple_value} is not {analytic}: {}\n{}",
                    world.context.expression_text(slope), world.context.expression_text(simple));
            }
        }
    }
}
