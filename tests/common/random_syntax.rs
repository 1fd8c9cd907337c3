//! Syntax trees that nobody wrote, of every kind that a text can give.

use deltarule_compiler::span::{SourceId, Span};
use deltarule_compiler::syntax::Spec;
use deltarule_compiler::syntax::tree::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const NOWHERE: Span = Span { source: SourceId(0), start: 0, end: 0 };

pub(crate) fn name() -> impl Strategy<Value = Name> {
    let known = ["x", "w'", "λ", "slope_at_kink", "_", "input", "loss", "on", "as", "iffy", "nonesuch", "sum", "max", "e1"];
    prop::sample::select(known.to_vec()).prop_map(|text| Name { text: text.to_owned(), span: NOWHERE })
}

fn path() -> impl Strategy<Value = Name> {
    (name(), option::of(name())).prop_map(|(mut first, second)| {
        first.text.extend(second.map(|second| format!(".{}", second.text)));
        first
    })
}

fn at(kind: ExprKind) -> Expr {
    Expr { kind, span: NOWHERE }
}

fn number() -> impl Strategy<Value = ExprKind> {
    prop_oneof![(0u32..1000).prop_map(f64::from), prop::num::f64::POSITIVE | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL,]
        .prop_map(|value| ExprKind::Number(value.abs()))
}

fn bound_index(value: BoxedStrategy<Expr>) -> impl Strategy<Value = BoundIndex> {
    (name(), option::of((value.clone(), value))).prop_map(|(name, range)| BoundIndex { name, range })
}

fn reduce_operator() -> impl Strategy<Value = ReduceOperator> {
    use ReduceOperator::*;
    prop::sample::select(vec![Sum, Mean, Product, Max, Min])
}

fn condition(value: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    use Relation::*;
    let relation = prop::sample::select(vec![Less, LessEqual, Equal, NotEqual, GreaterEqual, Greater]);
    let compare = (relation, value.clone(), value.clone())
        .prop_map(|(relation, left, right)| at(ExprKind::Compare { relation, left: Box::new(left), right: Box::new(right) }));
    prop_oneof![3 => compare, 1 => value]
        .prop_recursive(2, 6, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(left, right)| at(ExprKind::And(Box::new(left), Box::new(right)))),
                (inner.clone(), inner.clone()).prop_map(|(left, right)| at(ExprKind::Or(Box::new(left), Box::new(right)))),
                inner.prop_map(|operand| at(ExprKind::Not(Box::new(operand)))),
            ]
        })
        .boxed()
}

fn arguments(value: BoxedStrategy<Expr>) -> impl Strategy<Value = Vec<Argument>> {
    let text = Just(at(ExprKind::Text("some text, (not closed".to_owned())));
    let argument = prop_oneof![4 => value, 1 => text].boxed();
    (vec(argument.clone(), 0..3), vec((name(), argument), 0..2)).prop_map(|(plain, named)| {
        let plain = plain.into_iter().map(|value| Argument { name: None, value });
        plain.chain(named.into_iter().map(|(name, value)| Argument { name: Some(name), value })).collect()
    })
}

fn value() -> BoxedStrategy<Expr> {
    use BinaryOperator::*;
    let leaf = prop_oneof![number().prop_map(at), path().prop_map(|name| at(ExprKind::Name(name.text)))];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let inner = inner.boxed();
        let boxed = inner.clone().prop_map(Box::new).boxed();
        let call =
            (path(), arguments(inner.clone())).prop_map(|(name, arguments)| at(ExprKind::Call { name, arguments })).boxed();
        let callee = prop_oneof![call.clone(), path().prop_map(|name| at(ExprKind::Name(name.text)))];
        let operator = prop::sample::select(vec![Add, Subtract, Multiply, Divide, Power]);
        let leading_or_some = prop_oneof![
            vec(bound_index(inner.clone()), 0..2).prop_map(|indices| (true, indices)),
            vec(bound_index(inner.clone()), 1..3).prop_map(|indices| (false, indices)),
        ];
        prop_oneof![
            (path(), vec(inner.clone(), 1..3)).prop_map(|(name, indices)| at(ExprKind::Access { name, indices })),
            call,
            (boxed.clone(), callee.prop_map(Box::new), option::of(name())).prop_map(|(value, call, label)| at(ExprKind::Pipe {
                value,
                call,
                label
            })),
            boxed.clone().prop_map(|operand| at(ExprKind::Negate(operand))),
            (operator, boxed.clone(), boxed.clone()).prop_map(|(operator, left, right)| at(ExprKind::Binary {
                operator,
                left,
                right
            })),
            condition(inner.clone()).prop_map(|condition| at(ExprKind::Iverson(Box::new(condition)))),
            (condition(inner.clone()).prop_map(Box::new), boxed.clone(), boxed.clone())
                .prop_map(|(condition, then, otherwise)| at(ExprKind::If { condition, then, otherwise })),
            (reduce_operator(), leading_or_some, boxed).prop_map(|(operator, (leading, indices), body)| at(ExprKind::Reduce {
                operator,
                leading,
                indices,
                body
            })),
        ]
    })
    .boxed()
}

fn declared_index() -> impl Strategy<Value = DeclaredIndex> {
    (name(), option::of(value())).prop_map(|(name, extent)| DeclaredIndex { name, extent })
}

fn formal() -> impl Strategy<Value = Formal> {
    let indices = prop_oneof![
        Just((false, None)),
        vec(declared_index(), 0..2).prop_map(|indices| (true, Some(indices))),
        vec(declared_index(), 1..3).prop_map(|indices| (false, Some(indices))),
    ];
    let reason = prop::sample::select(vec![None, Some("why, and “how”".to_owned())]);
    let within = (value(), value(), reason).prop_map(|(low, high, reason)| Within { low, high, reason });
    (name(), indices, option::of(value()), option::of(within)).prop_map(|(name, (leading, indices), default, within)| Formal {
        name,
        leading,
        indices,
        default,
        within,
    })
}

fn result() -> impl Strategy<Value = Formal> {
    formal().prop_map(|formal| Formal { default: None, within: None, ..formal })
}

fn drawn() -> impl Strategy<Value = Drawn> {
    // An extent alone has no name of its own, unless it is a name itself.
    let index = declared_index().prop_map(|index| match index.extent {
        Some(Expr { kind: ExprKind::Name(text), .. }) if index.name.text == "_" => {
            DeclaredIndex { name: Name { text, span: NOWHERE }, extent: None }
        }
        _ => index,
    });
    (name(), any::<bool>(), vec(index, 0..3), value(), option::of(condition(value())))
        .prop_map(|(name, leading, indices, from, condition)| Drawn { name, leading, indices, from, condition })
}

fn equation() -> impl Strategy<Value = StatementKind> {
    let free = ["y", "s'", "σ", "_", "lossy"];
    let name = prop::sample::select(free.to_vec()).prop_map(|text| Name { text: text.to_owned(), span: NOWHERE });
    (name, option::of(vec(declared_index(), 1..3)), value())
        .prop_map(|(name, indices, value)| StatementKind::Equation(EquationStatement { name, indices, value }))
}

fn body(statement: impl Strategy<Value = StatementKind> + 'static) -> impl Strategy<Value = Vec<Statement>> {
    vec(prop_oneof![statement, equation()].prop_map(|kind| Statement { kind, span: NOWHERE }), 0..3)
}

pub(crate) fn statement() -> impl Strategy<Value = Statement> {
    let declaration = (name(), vec(value(), 0..3), option::of(value()))
        .prop_map(|(name, shape, class)| Declaration { name, shape, class })
        .boxed();
    let let_statement = || (name(), value()).prop_map(|(name, value)| StatementKind::Let { name, value });
    let in_layer = prop_oneof![drawn().prop_map(StatementKind::Param), drawn().prop_map(StatementKind::Noise), let_statement()];
    let in_optimizer =
        prop_oneof![(name(), value()).prop_map(|(name, initial)| StatementKind::State { name, initial }), let_statement()];
    let layer = (name(), vec(formal(), 0..3), result(), body(in_layer))
        .prop_map(|(name, formals, result, body)| StatementKind::Layer(LayerDefinition { name, formals, result, body }));
    let optimizer = (name(), vec(formal(), 0..3), body(in_optimizer))
        .prop_map(|(name, formals, body)| StatementKind::OptimizerDefinition(OptimizerDefinition { name, formals, body }));
    let kind =
        prop_oneof![
            let_statement(),
            vec(declaration.clone(), 1..3).prop_map(StatementKind::Input),
            vec(declaration, 1..3).prop_map(StatementKind::Target),
            drawn().prop_map(StatementKind::Param),
            drawn().prop_map(StatementKind::Noise),
            equation(),
            value().prop_map(StatementKind::Loss),
            (value(), vec(path(), 0..3)).prop_map(|(value, on)| StatementKind::Regularizer { value, on }),
            (value(), vec(path(), 1..3)).prop_map(|(value, by)| StatementKind::Objective { value, by }),
            (option::of(value()), vec(path(), 0..3)).prop_map(|(rule, on)| StatementKind::Optimizer { rule, on }),
            (name(), vec(formal(), 0..3), value())
                .prop_map(|(name, formals, body)| StatementKind::Function(FunctionDefinition { name, formals, body })),
            layer,
            optimizer,
            Just(StatementKind::Include { path: "parts/a b.spec".to_owned(), span: NOWHERE }),
        ];
    kind.prop_map(|kind| Statement { kind, span: NOWHERE })
}

/// The tree with all places set to nowhere.
pub(crate) fn without_places(spec: &Spec) -> String {
    let mut text = String::new();
    let debug = format!("{spec:?}");
    let mut rest = debug.as_str();
    while let Some(start) = rest.find("span: Span {") {
        text.push_str(&rest[..start]);
        rest = &rest[start..][rest[start..].find('}').map_or(0, |end| end + 1)..];
    }
    text + rest
}
