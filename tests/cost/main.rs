//! What `cost` says is what is done: the generated code is run on a number type that counts its operations.

mod counted;

use deltarule_compiler::cost::{Cost, Count, PassKind};
use deltarule_compiler::emit::ScalarType;
use deltarule_compiler::pipeline::compile;
use std::collections::BTreeMap;

/// Nets whose operations do not depend on the data.
const EXACT: [(&str, &str); 9] = [
    ("digits", include_str!("../specs/digits.spec")),
    ("convolution", include_str!("../specs/convolution.spec")),
    ("recurrent", include_str!("../specs/recurrent.spec")),
    ("lecture22", include_str!("../specs/lecture22.spec")),
    ("sequence", include_str!("../specs/sequence.spec")),
    ("neuron", include_str!("../specs/neuron.spec")),
    ("autoencoder", include_str!("../specs/autoencoder.spec")),
    (
        "padded",
        "input x[6, 5, 2]\ntarget t: class[3]\ny = x |> conv2d(3, 3, stride = 2, padding = same) |> relu |> flatten |> dense(3) |> softmax\nloss cross_entropy(y, t)\noptimizer momentum(0.1)",
    ),
    (
        "wide",
        "input x[70]\ntarget t[1]\ny = x |> layer_norm |> dense(1, bias = false)\nloss squared_error(y, t)\nregularizer l2(0.1)\noptimizer sgd(0.5)",
    ),
];

/// Nets where they do: what is counted is a bound.
const BOUNDED: [(&str, &str); 2] = [
    ("branches", include_str!("../specs/branches.spec")),
    (
        "pooled",
        "input x[6, 6, 2]\ntarget t[2]\ny = x |> max_pool(2) |> flatten |> dense(2)\nloss huber(y, t)\noptimizer adagrad(0.1)",
    ),
];

fn cost(name: &str, text: &str) -> Cost {
    let compiled = compile(name, text).unwrap_or_else(|messages| panic!("{}", messages.render()));
    Cost::new(&compiled.derivation, ScalarType::F32)
}

fn as_numbers(count: &Count) -> BTreeMap<String, i128> {
    count.operations().map(|(operation, number)| (operation.name().to_owned(), number.value())).collect()
}

#[test]
fn counts_are_those_of_a_counting_scalar_in_the_generated_code() {
    let counted = counted::run(&EXACT);
    for (name, text) in EXACT {
        let cost = cost(name, text);
        for pass in &cost.passes {
            let total = pass.total();
            assert!(total.is_exact, "{name}, {}: not said to be exact", pass.kind.name());
            let seen = &counted[&(name.to_owned(), pass.kind.name().to_owned())];
            assert_eq!(&as_numbers(&total), seen, "{name}, {}: what cost says, and what the code does", pass.kind.name());
        }
    }
}

#[test]
fn a_count_that_depends_on_data_is_a_bound() {
    let counted = counted::run(&BOUNDED);
    for (name, text) in BOUNDED {
        let cost = cost(name, text);
        assert!(cost.passes.iter().any(|pass| !pass.total().is_exact), "{name}: said to be exact");
        for pass in &cost.passes {
            let most = as_numbers(&pass.total());
            for (operation, seen) in &counted[&(name.to_owned(), pass.kind.name().to_owned())] {
                let most = most.get(operation).copied().unwrap_or(0);
                assert!(*seen <= most, "{name}, {}: {seen} {operation}, said to be at most {most}", pass.kind.name());
            }
        }
    }
}

#[test]
fn formulas_hold_for_every_size() {
    let spec = |inputs: usize, hidden: usize| {
        format!(
            "input x[{inputs}]\ntarget t[2]\ny = x |> dense({hidden}) |> sigmoid |> dense(2)\nloss squared_error(y, t)\noptimizer sgd(0.1)"
        )
    };
    let [small, large] = [cost("small", &spec(3, 4)), cost("large", &spec(50, 40))];
    for (small, large) in small.passes.iter().zip(&large.passes) {
        assert_eq!(small.total().formulas(), large.total().formulas(), "{}", small.kind.name());
    }
    let forward = large.pass(PassKind::Forward).expect("there is a forward pass").total().formulas();
    assert_eq!(
        forward,
        "multiplications n_0 n_1 + n_1 n_2 + n_2 + 1, additions n_0 n_1 + n_1 n_2 + n_1 + 2 n_2 - 1, divisions n_1, exp n_1"
    );
}

#[test]
fn a_net_of_many_layers_has_a_short_formula() {
    let layers: String = (1..100).map(|at| format!("h{at} = h{} |> dense(8) |> sigmoid\n", at - 1)).collect();
    let text =
        format!("input x[8]\ntarget t[8]\nh0 = x |> dense(8) |> sigmoid\n{layers}loss squared_error(h99, t)\noptimizer sgd(0.1)");
    let cost = cost("deep", &text);
    let forward = cost.pass(PassKind::Forward).expect("there is a forward pass").total();
    assert_eq!(
        forward.formulas(),
        "multiplications 100 n_0^2 + n_0 + 1, additions 100 n_0^2 + 102 n_0 - 1, divisions 100 n_0, exp 100 n_0"
    );
    assert_eq!(cost.used_sizes().len(), 1);
    let text = cost.to_text();
    assert!(text.contains("dense1, …, dense100: 100 alike, each"), "{text}");
    assert!(text.lines().count() < 100, "a hundred layers that are alike are one row:\n{text}");
}

#[test]
fn more_operations_buy_less_memory() {
    let layers = "|> dense(8) |> sigmoid ".repeat(12);
    let text = format!("input x[8]\ntarget t[8]\ny = x {layers}\nloss squared_error(y, t)\noptimizer sgd(0.1)");
    let cost = cost("deep", &text);
    assert!(cost.tradeoffs.len() > 2, "{:?}", cost.tradeoffs);
    assert_eq!(cost.tradeoffs[0].parts, 1, "the fewest operations are those that compute nothing twice");
    let passes = [PassKind::Forward, PassKind::Backward].map(|kind| cost.pass(kind).expect("a trained net has both"));
    assert_eq!(cost.tradeoffs[0].operations, passes.iter().map(|pass| pass.total().all().value()).sum::<i128>());
    for pair in cost.tradeoffs.windows(2) {
        assert!(pair[0].operations < pair[1].operations && pair[0].bytes > pair[1].bytes, "{pair:?}");
    }
}
