//! No cheaper form of an adjoint is found: equality saturation (Willsey et al. 2021) goes through all forms that some rules give, as far as its
//! bounds allow, and none of them costs less than what the simplifier made.
//!
//! The bounds: [`NODES`] nodes and [`ITERATIONS`] rounds. The cost is that of `src/calculus/weight.rs`: additions and multiplications 1,
//! divisions 8, functions 24, a case that of the greater branch, a sum as often its body as it has terms. Some rules are left out
//! of the search on purpose, see `left_out`.
#![allow(missing_docs)]

mod common;

use std::fmt;
use std::str::FromStr;

use common::derivation;
use common::random::runner;
use common::specs::{ACTIVATIONS, LOSSES};
use deltarule_compiler::calculus::{differentiate, simplified};
use deltarule_compiler::equation::{
    Affine, Context, Elementary, Equation, ExprId, IndexId, Node, Number, Relation, Role, Tensor, TensorId,
};
use egg::{
    Analysis, CostFunction, DidMerge, EGraph, Extractor, Id, RecExpr, Rewrite, Runner, Subst, Symbol, Var, define_language,
    rewrite,
};
use proptest::prelude::*;

/// Nodes of an e-graph.
const NODES: usize = 3_000;

/// Rounds in which all rules are applied.
const ITERATIONS: usize = 10;

/// By how much a form must be cheaper to count: not by one or two operations. `(w x)^2` takes one less than `w^2 x^2`, and multiplying
/// out some terms of a long sum and not others may save two, but nobody would write that.
const SAVING: f64 = 2.5;

/// A number by its bits, so that it can be compared and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Bits(u64);

impl Bits {
    fn of(number: f64) -> Bits {
        Bits((number + 0.0).to_bits())
    }

    fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

impl FromStr for Bits {
    type Err = std::num::ParseFloatError;

    fn from_str(text: &str) -> Result<Bits, Self::Err> {
        text.parse().map(Bits::of)
    }
}

define_language! {
    enum Form {
        Number(Bits),
        "+" = Add([Id; 2]),
        "-" = Subtract([Id; 2]),
        "neg" = Negate(Id),
        "*" = Multiply([Id; 2]),
        "/" = Divide([Id; 2]),
        "^" = Power([Id; 2]),
        "exp" = Exp(Id),
        "ln" = Ln(Id),
        "sqrt" = Sqrt(Id),
        "if" = If([Id; 3]),
        // Everything else: elements, comparisons, other functions and reductions, whose names say how often their bodies count.
        Other(Symbol, Vec<Id>),
    }
}

/// Numbers are folded where that is exact.
#[derive(Clone, Default)]
struct Folding;

impl Analysis<Form> for Folding {
    type Data = Option<Bits>;

    fn make(graph: &mut EGraph<Form, Self>, form: &Form, _: Id) -> Option<Bits> {
        let number = |id: &Id| Number::new(graph[*id].data?.value());
        let folded = match form {
            Form::Number(bits) => Number::new(bits.value()),
            Form::Add([a, b]) => number(a)?.exact_sum(number(b)?),
            Form::Subtract([a, b]) => number(a)?.exact_sum(number(b)?.exact_product(Number::MINUS_ONE)?),
            Form::Negate(a) => number(a)?.exact_product(Number::MINUS_ONE),
            Form::Multiply([a, b]) => number(a)?.exact_product(number(b)?),
            Form::Divide([a, b]) => number(a)?.exact_product(number(b)?.exact_reciprocal()?),
            _ => None,
        };
        folded.map(|number| Bits::of(number.value()))
    }

    fn merge(&mut self, to: &mut Option<Bits>, from: Option<Bits>) -> DidMerge {
        egg::merge_option(to, from, |_, _| DidMerge(false, false))
    }

    fn modify(graph: &mut EGraph<Form, Self>, id: Id) {
        if let Some(bits) = graph[id].data {
            let number = graph.add(Form::Number(bits));
            graph.union(id, number);
        }
    }
}

/// The cost of a form, as in `src/calculus/weight.rs`.
struct Weight<'a>(&'a EGraph<Form, Folding>);

impl CostFunction<Form> for Weight<'_> {
    type Cost = f64;

    fn cost<C: FnMut(Id) -> f64>(&mut self, form: &Form, mut costs: C) -> f64 {
        match form {
            Form::Number(_) => 0.0,
            Form::Add(parts) | Form::Subtract(parts) | Form::Multiply(parts) => 1.0 + costs(parts[0]) + costs(parts[1]),
            Form::Negate(part) => 1.0 + costs(*part),
            Form::Divide([a, b]) if self.0[*b].data.is_some() && self.0[*a].data.is_some() => 0.0,
            Form::Divide(parts) => 8.0 + costs(parts[0]) + costs(parts[1]),
            Form::Power([base, exponent]) => {
                let times = self.0[*exponent].data.map(Bits::value).filter(|times| times.fract() == 0.0 && times.abs() <= 64.0);
                costs(*base)
                    + match times {
                        _ if self.0[*base].data.is_some() && self.0[*exponent].data.is_some() => 0.0,
                        Some(times) => {
                            let magnitude = times.abs() as u32;
                            let products = magnitude.max(1).ilog2() + magnitude.count_ones() - 1;
                            f64::from(products) + if times < 0.0 { 8.0 } else { 0.0 }
                        }
                        None => 48.0 + costs(*exponent),
                    }
            }
            Form::Exp(part) | Form::Ln(part) | Form::Sqrt(part) => 24.0 + costs(*part),
            Form::If([condition, then, otherwise]) => 1.0 + costs(*condition) + costs(*then).max(costs(*otherwise)),
            Form::Other(name, parts) => {
                let (_, weight) = name.as_str().split_once('#').unwrap_or(("", "0.01"));
                let total: f64 = parts.iter().map(|part| costs(*part)).sum();
                match weight.split_once('x') {
                    Some((_, times)) => (total + 1.0) * times.parse::<f64>().unwrap_or(1.0),
                    None => total + weight.parse::<f64>().unwrap_or(0.0),
                }
            }
        }
    }
}

/// A condition of a rule: what it divides by is not the number 0, of which everything would follow.
fn is_not_zero(variable: &str) -> impl Fn(&mut EGraph<Form, Folding>, Id, &Subst) -> bool + use<> {
    let variable: Var = variable.parse().expect("a variable");
    move |graph, _, substitution| graph[substitution[variable]].data != Some(Bits::of(0.0))
}

/// The rules that the search goes by, besides those that are left out.
#[rustfmt::skip]
fn rules() -> Vec<Rewrite<Form, Folding>> {
    vec![
        rewrite!("commute-sum";        "(+ ?a ?b)" => "(+ ?b ?a)"),
        rewrite!("commute-product";    "(* ?a ?b)" => "(* ?b ?a)"),
        rewrite!("associate-sum";      "(+ ?a (+ ?b ?c))" => "(+ (+ ?a ?b) ?c)"),
        rewrite!("associate-product";  "(* ?a (* ?b ?c))" => "(* (* ?a ?b) ?c)"),
        rewrite!("subtract";           "(- ?a ?b)" => "(+ ?a (neg ?b))"),
        rewrite!("to-subtract";        "(+ ?a (neg ?b))" => "(- ?a ?b)"),
        rewrite!("negate-twice";       "(neg (neg ?a))" => "?a"),
        rewrite!("negate-sum";         "(neg (+ ?a ?b))" => "(+ (neg ?a) (neg ?b))"),
        rewrite!("negate-product";     "(neg (* ?a ?b))" => "(* (neg ?a) ?b)"),
        rewrite!("from-product";       "(* (neg ?a) ?b)" => "(neg (* ?a ?b))"),
        rewrite!("negate-quotient";    "(/ (neg ?a) ?b)" => "(neg (/ ?a ?b))"),
        rewrite!("minus-one";          "(* -1 ?a)" => "(neg ?a)"),
        rewrite!("add-nothing";        "(+ ?a 0)" => "?a"),
        rewrite!("add-and-take";       "(+ (+ ?a (neg ?b)) ?b)" => "?a"),
        rewrite!("add-negative";       "(+ ?a (neg ?a))" => "0"),
        rewrite!("distribute-difference"; "(* ?a (- ?b ?c))" => "(- (* ?a ?b) (* ?a ?c))"),
        rewrite!("take-itself";        "(- ?a ?a)" => "0"),
        rewrite!("times-one";          "(* ?a 1)" => "?a"),
        rewrite!("times-nothing";      "(* ?a 0)" => "0"),
        rewrite!("double";             "(+ ?a ?a)" => "(* 2 ?a)"),
        rewrite!("distribute";         "(* ?a (+ ?b ?c))" => "(+ (* ?a ?b) (* ?a ?c))"),
        rewrite!("divide-one";         "(/ ?a 1)" => "?a"),
        rewrite!("divide-itself";      "(/ ?a ?a)" => "1" if is_not_zero("?a")),
        rewrite!("divide-product";     "(* ?a (/ ?b ?c))" => "(/ (* ?a ?b) ?c)"),
        rewrite!("from-quotient";      "(/ (* ?a ?b) ?c)" => "(* ?a (/ ?b ?c))"),
        rewrite!("divide-quotient";    "(/ (/ ?a ?b) ?c)" => "(/ ?a (* ?b ?c))"),
        rewrite!("divide-by-quotient"; "(/ ?a (/ ?b ?c))" => "(/ (* ?a ?c) ?b)"),
        rewrite!("divide-sum";         "(/ (+ ?a ?b) ?c)" => "(+ (/ ?a ?c) (/ ?b ?c))"),
        rewrite!("one-denominator";    "(+ (/ ?a ?c) (/ ?b ?c))" => "(/ (+ ?a ?b) ?c)"),
        rewrite!("cancel";             "(/ (* ?a ?b) ?a)" => "?b" if is_not_zero("?a")),
        rewrite!("square";             "(* ?a ?a)" => "(^ ?a 2)"),
        rewrite!("cube";               "(* ?a (^ ?a 2))" => "(^ ?a 3)"),
        rewrite!("cancel-square";      "(/ (^ ?a 2) ?a)" => "?a" if is_not_zero("?a")),
        rewrite!("divide-square";      "(/ ?a (^ ?a 2))" => "(/ 1 ?a)" if is_not_zero("?a")),
        rewrite!("first-power";        "(^ ?a 1)" => "?a"),
        rewrite!("square-is-product";  "(^ ?a 2)" => "(* ?a ?a)"),
        rewrite!("exp-of-negative";    "(/ ?a (exp ?b))" => "(* ?a (exp (neg ?b)))"),
        rewrite!("cancel-exp";         "(* (exp ?a) (exp (neg ?a)))" => "1"),
        // exp(a) exp(b) = exp(a + b) is left out: the simplifier adds exponents where the sum is shorter than both; else it would hide
        // what each exponential has in common with other terms.
        rewrite!("exp-of-nothing";     "(exp 0)" => "1"),
        rewrite!("ln-of-exp";          "(ln (exp ?a))" => "?a"),
        rewrite!("square-of-root";     "(^ (sqrt ?a) 2)" => "?a"),
        rewrite!("same-cases";         "(if ?c ?a ?a)" => "?a"),
        rewrite!("factor-of-cases";    "(if ?c (* ?f ?a) (* ?f ?b))" => "(* ?f (if ?c ?a ?b))"),
        rewrite!("bracket";            "(if ?c 1 0)" => "?c"),
    ]
}

/// Rules that give cheaper forms of some adjoints, and why the simplifier does not use them. A test finds for each an adjoint that it
/// would make cheaper.
#[rustfmt::skip]
fn left_out() -> Vec<(Rewrite<Form, Folding>, &'static str)> {
    vec![
        (rewrite!("factor-some-terms"; "(+ (* ?a ?b) (* ?a ?c))" => "(* ?a (+ ?b ?c))"),
         "factors are taken out of all terms of a sum or of none: which of some to take out is a choice that hides the terms a reader looks for"),
        (rewrite!("factor-a-term-of-itself"; "(+ ?a (* ?a ?b))" => "(* ?a (+ 1 ?b))"),
         "as above: the sum of 1 and something is one more thing to read"),
    ]
}

/// An expression as a form, its number in a growing list.
fn form(context: &Context, expr: ExprId, forms: &mut RecExpr<Form>) -> Id {
    let other = |forms: &mut RecExpr<Form>, name: String, parts: Vec<Id>| forms.add(Form::Other(Symbol::from(name), parts));
    match context.node(expr).clone() {
        Node::Number(number) => forms.add(Form::Number(Bits::of(number.value()))),
        Node::Index(affine) => other(forms, format!("{affine:?}#0"), Vec::new()),
        Node::Access { tensor, indices } => other(forms, format!("{tensor:?}{indices:?}#0.01"), Vec::new()),
        Node::Add(terms) => {
            let (negative, positive): (Vec<_>, Vec<_>) = terms.into_iter().partition(|&term| is_negated(context, term));
            let mut sum = None;
            for term in positive {
                let term = form(context, term, forms);
                sum = Some(sum.map_or(term, |sum| forms.add(Form::Add([sum, term]))));
            }
            for term in negative {
                let Node::Multiply(factors) = context.node(term).clone() else { continue };
                let term = product(context, &factors[1..], forms);
                sum = Some(match sum {
                    Some(sum) => forms.add(Form::Subtract([sum, term])),
                    None => forms.add(Form::Negate(term)),
                });
            }
            sum.unwrap_or_else(|| forms.add(Form::Number(Bits::of(0.0))))
        }
        Node::Multiply(factors) if is_negated(context, expr) => {
            let positive = product(context, &factors[1..], forms);
            forms.add(Form::Negate(positive))
        }
        Node::Multiply(factors) => product(context, &factors, forms),
        Node::Power(..) => product(context, &[expr], forms),
        Node::Call(function, argument) => {
            let argument = form(context, argument, forms);
            match function {
                Elementary::Exp => forms.add(Form::Exp(argument)),
                Elementary::Ln => forms.add(Form::Ln(argument)),
                Elementary::Sqrt => forms.add(Form::Sqrt(argument)),
                _ => other(forms, format!("{}#24", function.name()), vec![argument]),
            }
        }
        Node::Compare(relation, left, right) => {
            let parts = vec![form(context, left, forms), form(context, right, forms)];
            other(forms, format!("{relation:?}#1"), parts)
        }
        Node::And(parts) | Node::Or(parts) => {
            let count = parts.len() - 1;
            let name = if matches!(context.node(expr), Node::And(_)) { "and" } else { "or" };
            let parts = parts.into_iter().map(|part| form(context, part, forms)).collect();
            other(forms, format!("{name}#{count}"), parts)
        }
        Node::Not(part) => {
            let part = form(context, part, forms);
            other(forms, "not#0".to_owned(), vec![part])
        }
        Node::If { condition, then, otherwise } => {
            let parts = [condition, then, otherwise].map(|part| form(context, part, forms));
            forms.add(Form::If(parts))
        }
        Node::Reduce { kind, indices, body } => {
            let body = form(context, body, forms);
            other(forms, format!("{kind:?}{indices:?}#x{}", places(context, &indices)), vec![body])
        }
        Node::ArgReduce { kind, indices, position, body } => {
            let body = form(context, body, forms);
            other(forms, format!("place{kind:?}{indices:?}{position}#x{}", places(context, &indices)), vec![body])
        }
        Node::Partial { .. } => panic!("a partial derivative is never computed"),
    }
}

fn places(context: &Context, indices: &[IndexId]) -> usize {
    indices.iter().map(|&index| context.index_of(index).extent()).product()
}

fn is_negated(context: &Context, expr: ExprId) -> bool {
    matches!(context.node(expr), Node::Multiply(factors) if context.is_integer(factors[0], -1))
}

/// A product as one quotient, times one of its numbers.
fn product(context: &Context, factors: &[ExprId], forms: &mut RecExpr<Form>) -> Id {
    let is_number = |factor: &ExprId| match context.node(*factor) {
        Node::Power(base, exponent) => [base, exponent].into_iter().all(|part| context.as_number(*part).is_some()),
        _ => context.as_number(*factor).is_some(),
    };
    let (numbers, others): (Vec<_>, Vec<_>) = factors.iter().copied().partition(is_number);
    match (&numbers[..], &others[..]) {
        ([], factors) | (factors, []) => quotient(context, factors, forms),
        (numbers, others) => {
            let parts = [quotient(context, numbers, forms), quotient(context, others, forms)];
            forms.add(Form::Multiply(parts))
        }
    }
}

fn quotient(context: &Context, factors: &[ExprId], forms: &mut RecExpr<Form>) -> Id {
    let (mut above, mut below): (Option<Id>, Option<Id>) = (None, None);
    for &factor in factors {
        let (base, exponent) = match *context.node(factor) {
            Node::Power(base, exponent) => (base, Some(exponent)),
            _ => (factor, None),
        };
        let number = exponent.and_then(|exponent| context.as_number(exponent)).map(Number::value);
        let mut part = form(context, base, forms);
        match number {
            Some(number) if number.abs() != 1.0 => {
                let exponent = forms.add(Form::Number(Bits::of(number.abs())));
                part = forms.add(Form::Power([part, exponent]));
            }
            None if exponent.is_some() => {
                let exponent = form(context, exponent.expect("just asked"), forms);
                part = forms.add(Form::Power([part, exponent]));
            }
            _ => {}
        }
        let side = if number.is_some_and(|number| number < 0.0) { &mut below } else { &mut above };
        *side = Some(side.map_or(part, |product| forms.add(Form::Multiply([product, part]))));
    }
    let above = above.unwrap_or_else(|| forms.add(Form::Number(Bits::of(1.0))));
    below.map_or(above, |below| forms.add(Form::Divide([above, below])))
}

/// The cost of an expression and that of the cheapest form that is found, with it as text.
fn search(context: &mut Context, expr: ExprId, definitions: &[Equation], rules: &[Rewrite<Form, Folding>]) -> (f64, f64, String) {
    let mut forms = RecExpr::default();
    form(context, expr, &mut forms);
    let mut graph = EGraph::<Form, Folding>::default();
    let root = graph.add_expr(&forms);
    // What a name stands for is another form of it.
    let mut elements = Vec::new();
    context.visit(expr, &mut |_, part| elements.push(part));
    for element in elements {
        let Node::Access { tensor, indices } = context.node(element).clone() else { continue };
        let Some(equation) = definitions.iter().find(|equation| equation.target == tensor) else { continue };
        let renaming: Vec<(IndexId, Affine)> = equation.indices.iter().copied().zip(indices).collect();
        let value = context.substitute_indices(equation.value, &renaming);
        let [left, right] = [element, value].map(|side| {
            let mut forms = RecExpr::default();
            form(context, side, &mut forms);
            graph.add_expr(&forms)
        });
        graph.union(left, right);
    }
    graph.rebuild();
    let (before, _) = {
        let mut alone = EGraph::<Form, Folding>::default();
        let id = alone.add_expr(&forms);
        alone.rebuild();
        Extractor::new(&alone, Weight(&alone)).find_best(id)
    };
    let runner = Runner::default()
        .with_egraph(graph)
        .with_node_limit(NODES)
        .with_iter_limit(ITERATIONS)
        .with_time_limit(std::time::Duration::from_secs(600))
        .run(rules);
    let (after, best) = Extractor::new(&runner.egraph, Weight(&runner.egraph)).find_best(root);
    (before, after, best.pretty(200))
}

/// The adjoints of a net for which a cheaper form is found.
fn cheaper_adjoints(name: &str, spec: &str, rules: &[Rewrite<Form, Folding>]) -> Vec<String> {
    let derivation = derivation(name, spec);
    let mut context = derivation.model.context.clone();
    let mut found = Vec::new();
    for adjoint in derivation.backward.iter().filter(|adjoint| adjoint.is_computed) {
        let (before, after, best) = search(&mut context, adjoint.equation.value, &derivation.forward, rules);
        if after + SAVING < before {
            let text = context.equation_text(&adjoint.equation);
            found.push(format!("{name}: {text} costs {before}, and {after} as {best}"));
        }
    }
    found
}

/// A net for each activation, whose adjoint stands by itself.
fn activation_net(activation: &str) -> String {
    format!("param s[i: 4] ~ 1\ninput v[4]\ny = s |> {activation}\nloss sum(i: v[i] * y[i])\noptimizer sgd(0.1)\n")
}

/// A net for each loss.
fn loss_net(loss: &str) -> String {
    format!("param y[i: 4] ~ 1\ntarget t[4]\nloss {loss}\noptimizer sgd(0.1)\n")
}

#[test]
fn no_cheaper_form_is_found_of_the_adjoint_of_any_function_or_loss_of_the_prelude() {
    let nets = (ACTIVATIONS.iter().map(|(name, _)| (*name, activation_net(name))))
        .chain(LOSSES.iter().map(|(name, _)| (*name, loss_net(name))));
    let found: Vec<String> = nets.flat_map(|(name, net)| cheaper_adjoints(name, &net, &rules())).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A random expression of a few operations.
#[derive(Clone, Debug)]
enum Tree {
    Number(i8),
    Element(u8),
    Sum(Vec<Tree>),
    Product(Vec<Tree>),
    Power(Box<Tree>, i8),
    Call(u8, Box<Tree>),
    If(u8, Box<Tree>, Box<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf =
        prop_oneof![1 => (-3..4i8).prop_map(Tree::Number), 2 => Just(Tree::Element(0)), 2 => (1..3u8).prop_map(Tree::Element)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::Sum),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::Product),
            (inner.clone(), -2..4i8).prop_map(|(base, times)| Tree::Power(Box::new(base), times)),
            (0..5u8, inner.clone()).prop_map(|(function, argument)| Tree::Call(function, Box::new(argument))),
            (0..3u8, inner.clone(), inner).prop_map(|(by, then, otherwise)| Tree::If(by, Box::new(then), Box::new(otherwise))),
        ]
    })
}

/// A context with three scalars, the first of them a parameter.
fn scalars() -> (Context, Vec<TensorId>) {
    let mut context = Context::new();
    let tensors = [("w", Role::Parameter), ("x", Role::Input), ("z", Role::Input)]
        .map(|(name, role)| {
            let name = name.to_owned();
            context.add_tensor(Tensor { name, shape: Vec::new(), axes: Vec::new(), role, label: false, origin: None })
        })
        .to_vec();
    (context, tensors)
}

fn build(context: &mut Context, tensors: &[TensorId], tree: &Tree) -> ExprId {
    let all = |context: &mut Context, parts: &[Tree]| -> Vec<ExprId> {
        parts.iter().map(|part| build(context, tensors, part)).collect()
    };
    match tree {
        Tree::Number(number) => context.integer(i64::from(*number)),
        Tree::Element(which) => context.access(tensors[*which as usize], Vec::new()),
        Tree::Sum(terms) => {
            let terms = all(context, terms);
            context.add(terms)
        }
        Tree::Product(factors) => {
            let factors = all(context, factors);
            context.multiply(factors)
        }
        Tree::Power(base, times) => {
            let base = build(context, tensors, base);
            let times = context.integer(i64::from(*times));
            context.power(base, times)
        }
        Tree::Call(function, argument) => {
            use Elementary::{Exp, Ln, Sin, Sqrt, Tanh};
            let argument = build(context, tensors, argument);
            context.call([Exp, Ln, Sin, Sqrt, Tanh][*function as usize], argument)
        }
        Tree::If(by, then, otherwise) => {
            let (zero, element) = (context.integer(0), context.access(tensors[*by as usize], Vec::new()));
            let condition = context.compare(Relation::Greater, element, zero);
            let (then, otherwise) = (build(context, tensors, then), build(context, tensors, otherwise));
            context.if_else(condition, then, otherwise)
        }
    }
}

#[test]
fn no_cheaper_form_is_found_of_the_derivatives_of_two_thousand_random_expressions() {
    let rules = rules();
    let found = std::cell::RefCell::new(Vec::new());
    let searched = std::cell::Cell::new(0);
    let outcome = runner(8_000).run(&tree(), |tree| {
        let (mut context, tensors) = scalars();
        let expr = build(&mut context, &tensors, &tree);
        let slope = differentiate(&mut context, expr, tensors[0], &[]);
        let simple = simplified(&mut context, slope);
        if context.as_number(simple).is_none() && searched.get() < 2_000 {
            searched.set(searched.get() + 1);
            let (before, after, best) = search(&mut context, simple, &[], &rules);
            if after + SAVING < before {
                found.borrow_mut().push(format!("{} costs {before}, and {after} as {best}", context.expression_text(simple)));
            }
        }
        Ok(())
    });
    outcome.expect("nothing in the search fails");
    let found = found.into_inner();
    assert_eq!(searched.get(), 2_000, "too few derivatives are no numbers");
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), searched.get(), found.join("\n"));
}

#[test]
fn what_the_simplifier_finds_is_found_by_the_search_too() {
    let (mut context, tensors) = scalars();
    let [y, t] = [tensors[0], tensors[1]].map(|tensor| context.access(tensor, Vec::new()));
    let one = context.integer(1);
    let (not_y, not_t) = (context.subtract(one, y), context.subtract(one, t));
    let (first, second) = (context.multiply([not_t, y]), context.multiply([t, not_y]));
    let expr = context.subtract(first, second);
    let (before, after, best) = search(&mut context, expr, &[], &rules());
    assert!(before > 4.0 && after < 1.5, "cheapest: {best} costs {after}, and {} costs {before}", context.expression_text(expr));
}

#[test]
fn each_rule_that_is_left_out_would_make_some_adjoint_cheaper() {
    let function = |body: &str| format!("function f(s) = {body}\n{}", activation_net("f"));
    let specs = ["s * exp(s) + sin(s)", "s^2 * exp(s) + sin(s)", "exp(exp(s))"].map(|body| (body, function(body)));
    for (rule, reason) in left_out() {
        let mut with_it = rules();
        with_it.push(rule.clone());
        let is_needed = specs.iter().any(|(name, spec)| !cheaper_adjoints(name, spec, &with_it).is_empty());
        assert!(is_needed, "{} is left out for nothing: {reason}", rule.name);
    }
}
