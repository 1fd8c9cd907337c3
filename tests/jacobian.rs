//! Jacobians in numbers and in symbols, against central differences and against those that one knows by hand.

mod common;

use common::derivation;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::equation::{Bindings, Context, Equation, ExprId, IndexId, Role, TensorId, evaluate};
use deltarule_compiler::jacobian::{ChainRule, Jacobian, JacobianError, find, jacobian, numbers};
use deltarule_compiler::limits;
use deltarule_compiler::sheet::{NotationTable, SheetOptions, jacobian_latex, jacobian_text};
use deltarule_compiler::trace::Given;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

/// Values of a net at one example, each computed from its equation when it is asked for.
struct Values<'a> {
    context: &'a Context,
    equations: &'a [Equation],
    fixed: BTreeMap<TensorId, Vec<f64>>,
    known: RefCell<HashMap<(TensorId, Vec<i64>), f64>>,
}

impl<'a> Values<'a> {
    fn new(context: &'a Context, equations: &'a [Equation], fixed: BTreeMap<TensorId, Vec<f64>>) -> Self {
        Self { context, equations, fixed, known: RefCell::default() }
    }

    /// All elements of a tensor, in row-major order.
    fn all(&self, tensor: TensorId) -> Vec<f64> {
        places(&self.context.tensor(tensor).shape).iter().map(|place| self.element(tensor, place).unwrap()).collect()
    }

    /// An expression at all rows and columns.
    fn matrix(&self, value: ExprId, rows: &[IndexId], columns: &[IndexId]) -> Vec<Vec<f64>> {
        let shape = |indices: &[IndexId]| indices.iter().map(|&index| self.context.index_of(index).extent()).collect::<Vec<_>>();
        let bound = |indices: &[IndexId], place: &[i64]| indices.iter().copied().zip(place.iter().copied()).collect::<Vec<_>>();
        let row = |row: &Vec<i64>| {
            let columns = places(&shape(columns)).into_iter().map(|column| bound(columns, &column));
            let at = columns.map(|column| evaluate(self.context, self, &[bound(rows, row), column].concat(), value).unwrap());
            at.collect()
        };
        places(&shape(rows)).iter().map(row).collect()
    }
}

impl Bindings for Values<'_> {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        if let Some(values) = self.fixed.get(&tensor) {
            let shape = &self.context.tensor(tensor).shape;
            return values.get(indices.iter().zip(shape).fold(0, |flat, (&at, &extent)| flat * extent + at as usize)).copied();
        }
        let key = (tensor, indices.to_vec());
        if let Some(&value) = self.known.borrow().get(&key) {
            return Some(value);
        }
        let equation = self.equations.iter().find(|equation| equation.target == tensor)?;
        let bound: Vec<_> = equation.indices.iter().copied().zip(indices.iter().copied()).collect();
        let value = evaluate(self.context, self, &bound, equation.value).ok()?;
        self.known.borrow_mut().insert(key, value);
        Some(value)
    }
}

/// All places of a tensor of this shape, in row-major order.
fn places(shape: &[usize]) -> Vec<Vec<i64>> {
    shape.iter().fold(vec![Vec::new()], |places, &extent| {
        places.iter().flat_map(|place| (0..extent as i64).map(move |at| [&place[..], &[at]].concat())).collect()
    })
}

/// Values without a pattern for all that is given, and the same as a command takes them.
fn values_for(derivation: &Derivation) -> (BTreeMap<TensorId, Vec<f64>>, Given) {
    let model = &derivation.model;
    let mut fixed = BTreeMap::new();
    let mut given = Given::new(model);
    for (at, (id, tensor)) in model.context.tensors().enumerate() {
        if !matches!(tensor.role, Role::Input | Role::Target | Role::Parameter | Role::Noise) {
            continue;
        }
        if tensor.label {
            let classes = *tensor.shape.last().unwrap();
            let labels: Vec<usize> = (0..tensor.size() / classes).map(|row| (row + 1) % classes).collect();
            given.set(model, &tensor.name, &labels.iter().map(|&label| label as f64).collect::<Vec<_>>()).unwrap();
        } else {
            let values: Vec<f64> = common::numbers(&tensor.shape, 17.0 * at as f64).into_iter().collect();
            given.set(model, &tensor.name, &values).unwrap();
        }
        fixed.insert(id, given.of(id).to_vec());
    }
    (fixed, given)
}

fn in_rows(numbers: &[f64], columns: usize) -> Vec<Vec<f64>> {
    numbers.chunks(columns).map(<[f64]>::to_vec).collect()
}

#[track_caller]
fn assert_close(what: &str, found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: rows");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}: columns");
        for (column, (&found, &expected)) in found.iter().zip(expected).enumerate() {
            let error = (found - expected).abs() / expected.abs().max(1.0);
            assert!(error < tolerance, "{what}: at row {row}, column {column} it is {found}, expected {expected}");
        }
    }
}

/// Differences by each element of `by`, which is held at its value even where an equation defines it. Central ones of a step and of its
/// half are extrapolated, which leaves an error of the fourth order.
fn differences(derivation: &Derivation, fixed: &BTreeMap<TensorId, Vec<f64>>, of: TensorId, by: TensorId) -> Vec<Vec<f64>> {
    const STEP: f64 = 2e-5;
    let context = &derivation.model.context;
    let center = Values::new(context, &derivation.forward, fixed.clone()).all(by);
    let moved = |column: usize, step: f64| {
        let mut fixed = fixed.clone();
        let mut values = center.clone();
        values[column] += step;
        fixed.insert(by, values);
        Values::new(context, &derivation.forward, fixed).all(of)
    };
    let quotients = |column: usize, step: f64| -> Vec<f64> {
        let (high, low) = (moved(column, step), moved(column, -step));
        high.iter().zip(low).map(|(high, low)| (high - low) / (2.0 * step)).collect()
    };
    let mut matrix = vec![Vec::new(); context.tensor(of).size()];
    for column in 0..center.len() {
        let (whole, half) = (quotients(column, STEP), quotients(column, STEP / 2.0));
        for (row, (whole, half)) in whole.iter().zip(half).enumerate() {
            matrix[row].push((4.0 * half - whole) / 3.0);
        }
    }
    matrix
}

/// What the chain rule as it is printed says: products of the single Jacobians, added over paths.
fn by_chain_rule(jacobian: &Jacobian, values: &Values<'_>, rule: &ChainRule) -> Vec<Vec<f64>> {
    let mut total: Option<Vec<Vec<f64>>> = None;
    for path in &rule.paths {
        let mut factors: Vec<Vec<Vec<f64>>> = Vec::new();
        for &at in &path.factors {
            let local = &jacobian.locals[at];
            factors.push(values.matrix(local.value, &local.rows, &local.columns));
        }
        if let Some(rest) = path.rest {
            let rule = jacobian.chain.iter().find(|rule| rule.of == rest).unwrap();
            factors.push(by_chain_rule(jacobian, values, rule));
        }
        let product = factors.into_iter().reduce(|left, right| multiplied(&left, &right)).unwrap();
        total = Some(match total {
            None => product,
            Some(total) => total.iter().zip(product).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect(),
        });
    }
    total.unwrap()
}

fn multiplied(left: &[Vec<f64>], right: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let columns = right[0].len();
    let entry = |row: &Vec<f64>, column: usize| row.iter().zip(right).map(|(a, b)| a * b[column]).sum();
    left.iter().map(|row| (0..columns).map(|column| entry(row, column)).collect()).collect()
}

/// Nets with an output `y`, and whether one of them runs step by step.
const NETS: [(&str, bool); 16] = [
    ("input x[3]\ny = x |> dense(4) |> tanh |> dense(2) |> softmax\nobjective y[0] by x", false),
    ("input x[3]\ny = x |> dense(4) |> relu(theta = 0.1, slope_at_kink = 0.5) |> log_softmax\nobjective y[0] by x", false),
    ("input x[4]\nh = x |> dense(4) |> gelu\ny = add(h, x |> sigmoid) |> layer_norm\nobjective y[0] by x", false),
    ("input x[4]\ny = x |> residual(3) |> residual(2)\nobjective y[0] by x", false),
    ("input a[3], b[3]\ny = concat(max(a, b), a * b) |> maxout(2)\nobjective y[0] by a", false),
    (
        "input x[5, 4, 1]\ny = x |> conv2d(2, 3, padding = same, stride = 2) |> elu |> avg_pool(2, 1)\nobjective y[0, 0, 0] by x",
        false,
    ),
    ("input x[4, 4, 2]\ny = x |> max_pool(2) |> flatten |> dense(2)\nobjective y[0] by x", false),
    ("input x[3, 4]\ny = x |> attention(2, causal = true)\nobjective y[0, 0] by x", false),
    ("input x: class[4]\ny = x |> embedding(3) |> dropout(0.25) |> swish\nobjective y[0] by embedding1.w", false),
    ("input x[3]\ny[i: 2] = product(j in 0..3: x[j] + i) * min(j: x[j])\nobjective y[0] by x", false),
    ("input x[3], z\ny = exp(z) * sum(i: x[i]^2) / (1 + z^2)\nobjective y by x", false),
    ("input x[4, 3]\ny = x |> rnn(2)\nobjective y[3, 0] by x", true),
    ("input x[3, 2]\nh = x |> lstm(2)\ny[j] = sum(t: h[t, j]) * x[0, 0]\nobjective y[0] by x", true),
    ("input x[3, 2]\ny = x |> gru(2) |> dense(1)\nobjective y[0, 0] by x", true),
    ("input x[6]\ny[t] = x[t] + y[t - 1] / 2 - y[t - 2] * x[t]\nobjective y[5] by x", true),
    (
        "input x[3], t[3]\nh = x |> dense(3) |> hard_sigmoid\ny = huber(h, t, 0.3) + binary_cross_entropy(sigmoid(h), t^2)\nobjective y by x",
        false,
    ),
];

#[test]
fn by_every_earlier_tensor_the_numbers_are_the_central_differences_and_what_the_symbols_say() {
    for (text, has_steps) in NETS {
        let derivation = derivation("net.spec", text);
        let model = &derivation.model;
        let (fixed, given) = values_for(&derivation);
        let mut compared = 0;
        for (_, tensor) in model.context.tensors() {
            let Ok((of, by)) = find(model, "y", &tensor.name) else { continue };
            let what = format!("y by {} in\n{text}\n", tensor.name);
            let expected = differences(&derivation, &fixed, of, by);
            let found = numbers(&derivation, of, by, &given).unwrap_or_else(|error| panic!("{what}{error}"));
            let found = in_rows(&found, tensor.size());
            assert_close(&format!("numbers of {what}"), &found, &expected, 1e-6);
            let symbols = jacobian(&derivation, of, by);
            if !has_steps {
                let values = Values::new(&symbols.context, &derivation.forward, fixed.clone());
                let chain = by_chain_rule(&symbols, &values, &symbols.chain[0]);
                assert_close(&format!("chain rule of {what}"), &chain, &found, 1e-9);
                if let Some(composed) = &symbols.composed {
                    let composed = values.matrix(composed.value, &composed.rows, &composed.columns);
                    assert_close(&format!("one expression of {what}"), &composed, &found, 1e-9);
                }
            }
            compared += 1;
        }
        assert!(compared > 0, "{text}");
    }
}

/// Lecture 003, by name and with values.
struct Module(Derivation);

impl Module {
    fn open(name: &str) -> Module {
        let path = format!("{}/examples/lectures/003/{name}.spec", env!("CARGO_MANIFEST_DIR"));
        Module(derivation(name, &std::fs::read_to_string(path).unwrap()))
    }

    #[track_caller]
    fn numbers(&self, of: &str, by: &str, values: &[(&str, &[f64])]) -> Vec<Vec<f64>> {
        let model = &self.0.model;
        let mut given = Given::new(model);
        for (name, values) in values {
            given.set(model, name, values).unwrap();
        }
        let (of, by) = find(model, of, by).unwrap();
        in_rows(&numbers(&self.0, of, by, &given).unwrap(), model.context.tensor(by).size())
    }

    #[track_caller]
    fn text(&self, of: &str, by: &str) -> String {
        text(&self.0, of, by)
    }
}

/// With the names of the spec, so that what is asked for here depends on no table of letters.
fn plain() -> SheetOptions {
    SheetOptions { notation: NotationTable::plain(), ..SheetOptions::default() }
}

#[track_caller]
fn text(derivation: &Derivation, of: &str, by: &str) -> String {
    let (of, by) = find(&derivation.model, of, by).unwrap_or_else(|error| panic!("{error}"));
    jacobian_text(derivation, &jacobian(derivation, of, by), &plain())
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn the_jacobian_of_a_linear_module_is_its_weights() {
    let module = Module::open("linear");
    let (w, x) = ([1.0, 2.0, 3.0, -1.0, 0.5, 4.0], [2.0, -1.0, 0.5]);
    let values = [("w", &w[..]), ("x", &x[..])];
    assert_eq!(module.numbers("y", "x", &values), [[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]]);
    assert_eq!(module.numbers("y", "w", &values), [[2.0, -1.0, 0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0, -1.0, 0.5]]);
    assert_says(&module.text("y", "x"), &["∂yⱼ/∂xᵢ = wⱼᵢ   2 × 3   from (1)"]);
    assert!(!module.text("y", "x").contains("chain rule"));
}

#[test]
fn the_jacobian_of_a_rectifier_is_diagonal_with_the_chosen_slope_at_the_kink() {
    let module = Module::open("relu");
    let found = module.numbers("y", "x", &[("x", &[-1.0, 0.0, 2.0])]);
    assert_eq!(found, [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    let kink = "∂yᵢ/∂xᵢ = 1   at xᵢ = 0, from (1); the subdifferential is [0, 1]";
    assert_says(&module.text("y", "x"), &["∂yᵢ/∂xₖ = [i = k][xᵢ ≥ 0]   3 × 3", kink]);
}

#[test]
fn copies_and_sums_have_identities_and_two_paths_add() {
    let identity = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let duplicate = Module::open("duplicate");
    let (x, r, q) = ([1.0, 2.0, 3.0], [0.5, -2.0, 3.0], [10.0, 20.0, 30.0]);
    for copy in ["y1", "y2"] {
        assert_eq!(duplicate.numbers(copy, "x", &[("x", &x)]), identity);
    }
    assert_eq!(duplicate.numbers("c", "x", &[("x", &x), ("r", &r), ("q", &q)]), [[10.5, 18.0, 33.0]]);
    let sum = "dc/dx = ∂c/∂y1 · ∂y1/∂x + ∂c/∂y2 · ∂y2/∂x\n                1 × 3    3 × 3    1 × 3    3 × 3\n";
    assert_says(&duplicate.text("c", "x"), &[sum, "dc/dxᵢ = rᵢ + qᵢ"]);
    let add = Module::open("add");
    for side in ["x1", "x2"] {
        assert_eq!(add.numbers("y", side, &[("x1", &x), ("x2", &q)]), identity);
    }
}

#[test]
fn a_maximum_passes_to_the_greater_side_and_a_tie_to_the_first() {
    let module = Module::open("max");
    let values = [("x1", &[1.0, 2.0, 3.0][..]), ("x2", &[4.0, 2.0, 1.0][..])];
    assert_eq!(module.numbers("y", "x1", &values), [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    assert_eq!(module.numbers("y", "x2", &values), [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]);
}

#[test]
fn a_graph_of_stages_multiplies_along_paths_and_adds_over_them() {
    let module = Module::open("multistage");
    let weights = |count: usize, seed: f64| -> Vec<f64> { (0..count).map(|at| ((at as f64 + seed) * 12.9898).sin()).collect() };
    let (w2, z1) = (weights(16, 30.0), [0.5, -0.25, 0.75, -0.5]);
    let (x, w1) = ([1.0, 0.0, 0.0], z1.map(f64::atanh));
    let w1: Vec<f64> = w1.into_iter().chain([0.0; 8]).collect();
    let found = module.numbers("z4", "z1", &[("x", &x), ("dense1.w", &w1), ("dense2.w", &w2)]);
    // z4 = max(z1, z1 + relu(z1 W)): where the rectifier lets something through, it is added to the identity.
    let s: Vec<f64> = (0..4).map(|j| (0..4).map(|i| w2[4 * i + j] * z1[i]).sum()).collect();
    let entry = |j: usize, k: usize| f64::from(j == k) + if s[j] > 0.0 { w2[4 * k + j] } else { 0.0 };
    let expected: Vec<Vec<f64>> = (0..4).map(|j| (0..4).map(|k| entry(j, k)).collect()).collect();
    assert_close("z4 by z1", &found, &expected, 1e-12);
    assert_says(
        &module.text("z5", "x"),
        &[
            "dz5/dx = ∂z5/∂dense3.s · ∂dense3.s/∂z4 · dz4/dx\n                 2 × 2           2 × 4           4 × 3\n",
            "dz4/dx = ∂z4/∂z1 · ∂z1/∂dense1.s · ∂dense1.s/∂x + ∂z4/∂z3 · dz3/dx\n",
        ],
    );
}

#[test]
fn a_softmax_is_written_in_terms_of_its_output_and_a_chain_as_one_expression() {
    let derivation = derivation("net.spec", "input x[3]\ny = x |> dense(4) |> softmax\nobjective y[0] by x");
    let text = text(&derivation, "y", "x");
    assert_says(&text, &["yⱼ([j = k] − yₖ)   4 × 4", "dyⱼ/dxᵢ = yⱼ(dense1.wᵢⱼ − Σₖ₌₁⁴ dense1.wᵢₖ yₖ)"]);
    let (of, by) = find(&derivation.model, "y", "x").unwrap();
    let latex = jacobian_latex(&derivation, &jacobian(&derivation, of, by), &plain());
    assert_says(
        &latex,
        &[
            r"\dfrac{\partial y_{j}}{\partial \mathrm{dense1.s}_{k}} &= y_{j}([j=k]-y_{k}) && 4 \times 4",
            r"\underset{4 \times 4}{\dfrac{\partial y}{\partial \mathrm{dense1.s}}}\,\underset{4 \times 3}{\dfrac{\partial \mathrm{dense1.s}}{\partial x}}",
        ],
    );
}

#[test]
fn through_time_the_chain_rule_comes_back_to_itself() {
    let derivation = derivation("net.spec", "input x[4, 3]\ny = x |> rnn(2)\nobjective y[3, 0] by x");
    let text = text(&derivation, "y", "x");
    assert_says(&text, &["A value with an index outside of its range is 0."]);
    let lines = text.lines().filter(|line| line.trim_start().starts_with('d')).count();
    assert_eq!(lines, 1, "{text}");
    assert!(!text.contains("in one"), "{text}");
}

#[test]
fn where_no_equation_has_a_slope_the_jacobian_is_zero() {
    let derivation = derivation("net.spec", "input x[3]\ny = x |> step\nobjective sum(i: y[i] + x[i]) by x");
    assert_says(&text(&derivation, "y", "x"), &["dy/dx = 0\n"]);
    let (of, by) = find(&derivation.model, "y", "x").unwrap();
    assert_eq!(numbers(&derivation, of, by, &values_for(&derivation).1).unwrap(), [0.0; 9]);
}

#[test]
fn names_that_make_no_jacobian_are_refused_with_what_to_write_instead() {
    let text = "input x[3], c: class[2]\nhidden = x |> dense(2) |> tanh\ny = hidden |> rnn_of\nz[t] = x[t] + z[t - 1]\nu[t] = 2 * z[t]\n\
                v = c[0] * x[0]\nfunction rnn_of(a) = a^2\nobjective y[0] + v + u[0] by x";
    let derivation = derivation("net.spec", text);
    let refused = |of: &str, by: &str| find(&derivation.model, of, by).unwrap_err().to_string();
    assert_says(&refused("y", "hiden"), &["no tensor of this spec is called `hiden`", "did you mean `hidden`?"]);
    assert_says(&refused("quite_different", "x"), &["there are: x, c,"]);
    assert_says(&refused("x", "y"), &["`x` is given, not computed"]);
    assert_says(&refused("y", "y"), &["identity"]);
    assert_says(&refused("hidden", "y"), &["`hidden` does not depend on `y`", "write y by hidden"]);
    assert_says(&refused("y", "z"), &["by step from itself"]);
    assert_says(&refused("u", "z"), &["by step from itself"]);
    assert_says(&refused("v", "c"), &["classes"]);
    let (of, by) = find(&derivation.model, "y", "x").unwrap();
    let missing = numbers(&derivation, of, by, &Given::new(&derivation.model)).unwrap_err();
    assert_says(&missing.to_string(), &["no value for x, dense1.w, dense1.b"]);
}

#[test]
fn numbers_are_computed_up_to_the_bound_and_not_past_it() {
    let size = limits::JACOBIAN_NUMBERS.isqrt();
    assert_eq!(size * size, limits::JACOBIAN_NUMBERS);
    for (rows, fits) in [(size, true), (size + 1, false)] {
        let text = format!("input x[{size}], r[{rows}]\ny[i] = r[i] * sum(j: x[j])\nobjective y[0] by x");
        let derivation = derivation("net.spec", &text);
        let (of, by) = find(&derivation.model, "y", "x").unwrap();
        let found = numbers(&derivation, of, by, &values_for(&derivation).1);
        match found {
            Ok(numbers) => assert!(fits && numbers.len() == rows * size),
            Err(error) => assert_eq!((fits, error), (false, JacobianError::TooLarge { rows, columns: size })),
        }
    }
}
