//! Mistakes planted into a derivation: the comparison with central differences finds each.
#![cfg(feature = "generic")]

mod common;

use common::derivation;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::equation::{Affine, Context, Equation, ExprId, Node, Number, ReduceKind, Relation, Role, TensorId};
use deltarule_compiler::generic::check_gradients;

/// A residual net, with square matrices so that a transposed index stays inside of them.
const NET: &str = "
input  x[4]
target t[4]
h = x |> dense(4) |> tanh
r = h + (h |> dense(4) |> relu)
y = r |> dense(4) |> sigmoid
loss squared_error(y, t)
regularizer l2(0.3)
optimizer sgd(0.1)
";

/// The tensor with this name and one of the roles that stand for data or values.
fn tensor(derivation: &Derivation, name: &str) -> TensorId {
    let mut tensors = derivation.model.context.tensors();
    let found = tensors.find(|(_, tensor)| {
        tensor.name == name && matches!(tensor.role, Role::Input | Role::Target | Role::Parameter | Role::Value)
    });
    found.unwrap_or_else(|| panic!("there is no {name}")).0
}

/// The tensor of the derivative of one example's loss by `name`.
fn adjoint_of(derivation: &Derivation, name: &str) -> TensorId {
    let of = tensor(derivation, name);
    let mut tensors = derivation.model.context.tensors();
    tensors.find(|(_, tensor)| tensor.role == Role::Adjoint { of }).unwrap_or_else(|| panic!("{name} has no adjoint")).0
}

/// Changes what is computed for the adjoint of `name`.
fn change_adjoint(derivation: &mut Derivation, name: &str, change: impl FnOnce(&mut Context, &Equation) -> ExprId) {
    let target = adjoint_of(derivation, name);
    let context = &mut derivation.model.context;
    let mut adjoints = derivation.backward.iter_mut();
    let adjoint = adjoints.find(|adjoint| adjoint.equation.target == target && adjoint.is_computed);
    let equation = &mut adjoint.unwrap_or_else(|| panic!("the adjoint of {name} is not computed")).equation;
    let before = context.equation_text(equation);
    let changed = change(context, equation);
    assert_ne!(changed, equation.computed, "the mistake changes nothing in {before}");
    equation.computed = changed;
}

/// Changes what is computed for the gradient of `name`.
fn change_gradient(derivation: &mut Derivation, name: &str, change: impl FnOnce(&mut Context, &Equation) -> ExprId) {
    let parameter = tensor(derivation, name);
    let context = &mut derivation.model.context;
    let gradient = derivation.gradient.iter_mut().find(|gradient| gradient.parameter == parameter);
    let equation = &mut gradient.unwrap_or_else(|| panic!("{name} is not trained")).equation;
    let changed = change(context, equation);
    assert_ne!(changed, equation.computed, "the mistake changes nothing in the gradient of {name}");
    equation.computed = changed;
}

/// Rebuilds an expression, each part that `change` has something for replaced by it.
fn replace_parts(context: &mut Context, expr: ExprId, change: &mut dyn FnMut(&mut Context, ExprId) -> Option<ExprId>) -> ExprId {
    if let Some(changed) = change(context, expr) {
        return changed;
    }
    context.rebuild(expr, |context, part, _| replace_parts(context, part, change))
}

/// Every product without the factors for which `drop` holds.
fn drop_factors(context: &mut Context, expr: ExprId, drop: &dyn Fn(&Context, ExprId) -> bool) -> ExprId {
    replace_parts(context, expr, &mut |context, part| match context.node(part).clone() {
        Node::Multiply(factors) if factors.iter().any(|&factor| drop(context, factor)) => {
            let kept: Vec<ExprId> = factors.into_iter().filter(|&factor| !drop(context, factor)).collect();
            Some(context.multiply(kept))
        }
        _ => None,
    })
}

/// Every access of `from` at the same places of `to`.
fn exchange(context: &mut Context, expr: ExprId, from: TensorId, to: TensorId) -> ExprId {
    context.substitute_tensor(expr, from, &mut |context, at| context.access(to, at.to_vec()))
}

type Mistake = fn(&mut Derivation);

const MISTAKES: [(&str, Mistake); 16] = [
    ("a dropped factor", |d| {
        let input = tensor(d, "x");
        change_adjoint(d, "dense1.w", |context, equation| {
            drop_factors(context, equation.computed, &|context, factor| context.contains_tensor(factor, input))
        });
    }),
    ("a dropped slope of the activation", |d| {
        change_adjoint(d, "dense1.s", |context, equation| {
            drop_factors(context, equation.computed, &|context, factor| matches!(context.node(factor), Node::Add(_)))
        });
    }),
    ("a transposed index", |d| {
        let w = tensor(d, "dense3.w");
        change_adjoint(d, "r", |context, equation| {
            context
                .substitute_tensor(equation.computed, w, &mut |context, at| context.access(w, at.iter().rev().cloned().collect()))
        });
    }),
    ("a transposed outer product", |d| {
        change_adjoint(d, "dense2.w", |context, equation| {
            let [i, j] = equation.indices[..] else { panic!("a matrix has two indices") };
            context.substitute_indices(equation.computed, &[(i, Affine::index(j)), (j, Affine::index(i))])
        });
    }),
    ("a wrong sign", |d| {
        change_adjoint(d, "dense3.s", |context, equation| context.negate(equation.computed));
    }),
    ("a forgotten regularizer", |d| {
        let w = tensor(d, "dense2.w");
        change_gradient(d, "dense2.w", |context, equation| {
            context.substitute_tensor(equation.computed, w, &mut |context, _| context.integer(0))
        });
    }),
    ("a regularizer counted twice", |d| {
        let w = tensor(d, "dense2.w");
        change_gradient(d, "dense2.w", |context, equation| {
            context.substitute_tensor(equation.computed, w, &mut |context, at| {
                let (two, w) = (context.integer(2), context.access(w, at.to_vec()));
                context.multiply([two, w])
            })
        });
    }),
    ("a sum in place of the mean", |d| {
        let m = d.model.batch_size;
        change_gradient(d, "dense1.b", |context, equation| {
            let m = context.access(m, Vec::new());
            context.multiply([m, equation.computed])
        });
    }),
    ("a forgotten bias", |d| {
        change_adjoint(d, "dense2.b", |context, _| context.integer(0));
    }),
    ("a condition turned round", |d| {
        change_adjoint(d, "dense2.s", |context, equation| {
            replace_parts(context, equation.computed, &mut |context, part| match *context.node(part) {
                Node::Compare(Relation::Greater, left, right) => Some(context.compare(Relation::Less, left, right)),
                _ => None,
            })
        });
    }),
    ("a path that is left out", |d| {
        let residual = adjoint_of(d, "r");
        change_adjoint(d, "h", |context, equation| {
            context.substitute_tensor(equation.computed, residual, &mut |context, _| context.integer(0))
        });
    }),
    ("a layer's input mistaken for the net's", |d| {
        let (h, x) = (tensor(d, "h"), tensor(d, "x"));
        change_adjoint(d, "dense2.w", |context, equation| exchange(context, equation.computed, h, x));
    }),
    ("a value mistaken for its adjoint", |d| {
        let (adjoint, value) = (adjoint_of(d, "dense3.s"), tensor(d, "dense3.s"));
        change_adjoint(d, "dense3.b", |context, equation| exchange(context, equation.computed, adjoint, value));
    }),
    ("a sum that ends early", |d| {
        change_adjoint(d, "r", |context, equation| {
            replace_parts(context, equation.computed, &mut |context, part| match context.node(part).clone() {
                Node::Reduce { kind: ReduceKind::Sum, indices, body } => {
                    let (opened, body) = context.open(&indices, body);
                    let end = context.index_of(opened[0]).end;
                    let shorter = context.add_index("j", 0, end - 1);
                    let body = context.substitute_indices(body, &[(opened[0], Affine::index(shorter))]);
                    Some(context.sum(&[shorter], body))
                }
                _ => None,
            })
        });
    }),
    ("an index that is off by one", |d| {
        let adjoint = adjoint_of(d, "dense1.s");
        change_adjoint(d, "dense1.w", |context, equation| {
            context.substitute_tensor(equation.computed, adjoint, &mut |context, at| {
                let next = at[0].plus(1, &Affine::constant(1)).expect("a small number");
                context.access(adjoint, vec![next])
            })
        });
    }),
    ("a factor a thousandth too large", |d| {
        let factor = Number::new(1.001).expect("a number");
        change_adjoint(d, "dense1.b", |context, equation| {
            let factor = context.number(factor);
            context.multiply([factor, equation.computed])
        });
    }),
];

#[test]
fn every_mistake_in_a_derivation_is_found() {
    let right = derivation("net", NET);
    let report = check_gradients(&right, 11).expect("the check runs");
    assert!(report.passes(), "without a mistake:\n{report}");
    for (name, plant) in MISTAKES {
        let mut wrong = right.clone();
        plant(&mut wrong);
        let report = check_gradients(&wrong, 11).expect("the check runs");
        assert!(!report.passes(), "{name} is not found:\n{report}");
        assert!(report.to_string().contains("the derivation gives"), "{name} is not told:\n{report}");
    }
}
