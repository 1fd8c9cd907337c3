//! Worked examples: the numbers beneath every equation are those that the engine computes, and each line comes to its value.

use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::equation::{Role, TensorId};
use deltarule_compiler::generic::{Engine, Values};
use deltarule_compiler::pipeline::compile;
use deltarule_compiler::sheet::document::{Block, Content, Line, Numbers};
use deltarule_compiler::sheet::math::Math;
use deltarule_compiler::sheet::{NotationTable, Sheet, SheetOptions, Steps};
use deltarule_compiler::trace::Given;
use deltarule_compiler::worked::{Worked, work};
use ndarray::{ArrayD, IxDyn};

const NETS: [&str; 4] = [
    "input x[3]\ntarget t[2]\ny = x |> dense(4) |> sigmoid |> dense(2) |> softmax\nloss cross_entropy(y, t)\nregularizer l2(0.1)\noptimizer adam(0.01)",
    "input x[3]\ntarget t[2]\ny = x |> dense(2) |> relu |> dense(2) |> tanh\nloss squared_error(y, t)\noptimizer momentum(0.1 / k)",
    "input x[4, 2]\ntarget t[3]\nh = x |> rnn(3)\ny[j] = h[3, j]\nloss squared_error(y, t)\nregularizer l1(0.01)\noptimizer adagrad(0.1)",
    "input x[4, 4, 1]\ntarget t[2]\ny = x |> conv2d(2, 3, padding = same) |> relu |> flatten |> dense(2)\nloss huber(y, t)\noptimizer sgd(0.5)",
];

fn derived(spec: &str) -> Derivation {
    compile("net.spec", spec).unwrap_or_else(|messages| panic!("{}", messages.render())).derivation
}

/// Numbers that look random, between -1 and 1.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|at| ((at * 7919 + seed * 104_729 + 13) % 2001) as f64 / 1000.0 - 1.0).collect()
}

struct Case {
    derivation: Derivation,
    worked: Worked,
    data: Vec<(String, ArrayD<f64>)>,
    parameters: Vec<(String, ArrayD<f64>)>,
}

fn case(spec: &str) -> Case {
    let derivation = derived(spec);
    let model = &derivation.model;
    let mut given = Given::new(model);
    let mut array = |tensor: TensorId, seed: usize, is_data: bool| {
        let described = model.context.tensor(tensor);
        let values = numbers(described.size(), seed);
        given.set(model, &described.name, &values).unwrap();
        let shape: Vec<usize> = is_data.then_some(1).into_iter().chain(described.shape.iter().copied()).collect();
        (described.name.clone(), ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap())
    };
    let data: Vec<_> =
        model.inputs.iter().chain(&model.targets).enumerate().map(|(at, &tensor)| array(tensor, at, true)).collect();
    let parameters: Vec<_> =
        model.parameters.iter().enumerate().map(|(at, parameter)| array(parameter.tensor, at + 9, false)).collect();
    let worked = work(&derivation, &given).unwrap();
    Case { derivation, worked, data, parameters }
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{what}: {found} where the engine has {expected}");
    }
}

#[test]
fn numbers_are_those_that_the_engine_computes() {
    for spec in NETS {
        let Case { derivation, worked, data, parameters } = case(spec);
        let model = &derivation.model;
        let engine = Engine::<f64>::new(&derivation).unwrap();
        let batch = engine.batch(data.iter().map(|(name, array)| (name.as_str(), Values::Numbers(array.clone())))).unwrap();
        let mut parameters = engine.parameters(parameters).unwrap();
        let of = |tensor: TensorId| worked.values(tensor).unwrap_or_else(|| panic!("no {}", model.context.tensor(tensor).name));
        for (output, &tensor) in engine.predict(&parameters, &batch).unwrap().iter().zip(&model.outputs) {
            assert_close(of(tensor), output.values.as_slice().unwrap(), &output.name);
        }
        let gradient = engine.gradient(&parameters, &batch).unwrap();
        assert_close(of(model.loss.unwrap()), &[gradient.loss], "the loss");
        assert_close(of(derivation.objective.as_ref().unwrap().target), &[gradient.objective], "the objective");
        for (named, equation) in gradient.gradient.iter().zip(&derivation.gradient) {
            assert_close(of(equation.equation.target), named.values.as_slice().unwrap(), &named.name);
        }
        engine.train(&mut parameters, &mut engine.state(), &batch).unwrap();
        for optimizer in &model.optimizers {
            let next = optimizer.equations.last().unwrap().target;
            assert_eq!(model.context.tensor(next).role, Role::Next { of: optimizer.parameter });
            let name = &model.context.tensor(optimizer.parameter).name;
            let trained = parameters.iter().find(|named| named.name == *name).unwrap();
            assert_close(of(next), trained.values.as_slice().unwrap(), name);
        }
    }
}

/// All lines of a sheet's displays.
fn lines(sheet: &Sheet) -> Vec<&Line> {
    let blocks = sheet.document.sections.iter().flat_map(|section| &section.blocks);
    let displays = blocks.filter_map(|block| match block {
        Block::Display(lines) => Some(lines),
        _ => None,
    });
    displays.flatten().collect()
}

fn numbers_of(line: &Line) -> Option<&Numbers> {
    match &line.content {
        Content::Numbers(numbers) => Some(numbers),
        _ => None,
    }
}

fn all_options() -> Vec<SheetOptions> {
    let notations = [NotationTable::lecture(), NotationTable::matrix(), NotationTable::plain()];
    let steps = [Steps::None, Steps::Key, Steps::All];
    let options = notations.iter().flat_map(|notation| steps.map(|steps| SheetOptions { steps, notation: notation.clone() }));
    options.collect()
}

/// A number as the sheet prints it.
fn read(text: &str) -> f64 {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let plain: String = text
        .replace("·10", "e")
        .chars()
        .map(|character| match RAISED.iter().position(|&raised| raised == character) {
            Some(digit) => (b'0' + digit as u8) as char,
            None if character == '−' || character == '⁻' => '-',
            None => character,
        })
        .collect();
    let plain = if plain.starts_with("10") && text.contains('⁻') { plain.replacen("10", "1e", 1) } else { plain };
    plain.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// The numbers that stand in a formula.
fn printed(math: &Math, found: &mut Vec<String>) {
    match math {
        Math::Number(number) => found.push(number.clone()),
        Math::Row(parts) | Math::Product(parts) | Math::Stack(parts) => parts.iter().for_each(|part| printed(part, found)),
        Math::Fraction(a, b) | Math::Derivative(a, b) | Math::Under(a, b) => {
            printed(a, found);
            printed(b, found);
        }
        Math::Scripts { base, sub, sup } => {
            printed(base, found);
            sub.iter().chain(sup).for_each(|script| printed(script, found));
        }
        Math::Sqrt(body) | Math::Fenced(_, body) | Math::Big { body, .. } => printed(body, found),
        Math::Apply { argument, .. } => printed(argument, found),
        Math::Call { arguments, .. } => arguments.iter().for_each(|argument| printed(argument, found)),
        Math::Matrix(rows) => rows.iter().flatten().for_each(|entry| printed(entry, found)),
        Math::Cases(rows) => {
            for (value, condition) in rows {
                printed(value, found);
                condition.iter().for_each(|condition| printed(condition, found));
            }
        }
        Math::Identifier(_) | Math::Operator(_) | Math::HalfFence(..) => {}
    }
}

fn at(derivation: &Derivation, worked: &Worked, tensor: TensorId, place: &[i64]) -> f64 {
    let shape = &derivation.model.context.tensor(tensor).shape;
    let flat = place.iter().zip(shape).fold(0, |flat, (&at, &extent)| flat * extent + at as usize);
    worked.values(tensor).unwrap_or_else(|| panic!("no {}", derivation.model.context.tensor(tensor).name))[flat]
}

#[test]
fn each_printed_number_is_that_of_its_element_rounded() {
    for spec in NETS {
        let Case { derivation, worked, .. } = case(spec);
        for options in all_options() {
            let sheet = Sheet::with_numbers(&derivation, &options, &worked);
            let mut compared = 0;
            let all = lines(&sheet);
            for (at_line, line) in all.iter().enumerate() {
                let Some(numbers) = numbers_of(line) else { continue };
                // A long line is broken, and its parts stand together.
                let mut found = Vec::new();
                let parts = all[at_line + 1..].iter().take_while(|part| part.relation.is_none() && part.is_numbers());
                std::iter::once(line).chain(parts).for_each(|part| printed(&part.right, &mut found));
                for element in &numbers.elements {
                    let value = at(&derivation, &worked, element.tensor, &element.place);
                    let rounded = read(&element.text);
                    assert!((rounded - value).abs() <= 5e-4 * value.abs(), "{} is printed for {value}", element.text);
                    let digits = element.text.trim_start_matches('−').split('·').next().unwrap();
                    let digits = if digits.contains('⁻') { "10" } else { digits };
                    assert!(found.iter().any(|number| number == digits), "{} does not stand in {:?}", element.text, line.right);
                    compared += 1;
                }
            }
            assert!(compared > 60, "only {compared} numbers");
        }
    }
}

#[test]
fn each_line_comes_to_the_value_of_its_element() {
    for spec in NETS {
        let Case { derivation, worked, .. } = case(spec);
        for options in all_options() {
            let sheet = Sheet::with_numbers(&derivation, &options, &worked);
            let (mut compared, mut partial) = (0, None);
            for line in lines(&sheet) {
                let Some(numbers) = numbers_of(line) else { continue };
                let Some(value) = numbers.value else { continue };
                let expected = match &numbers.of {
                    Some((tensor, place)) => at(&derivation, &worked, *tensor, place),
                    // All forms of a partial derivative are equal.
                    None if line.left.is_some() => value,
                    None => partial.expect("a line before"),
                };
                partial = Some(value);
                assert_close(&[value], &[expected], &format!("{:?}", line.right));
                compared += 1;
            }
            assert!(compared > 12, "only {compared} lines");
        }
    }
}

#[test]
fn every_numbered_equation_has_its_numbers_beneath_it() {
    let mut checked = 0;
    for entry in std::fs::read_dir("tests/specs").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.extension().is_none_or(|ending| ending != "spec") || text.contains("include ") {
            continue;
        }
        let Ok(compiled) = compile(&name, &text) else { continue };
        let derivation = compiled.derivation;
        let Ok(worked) = work(&derivation, &arbitrary(&derivation)) else { continue };
        for options in all_options() {
            let sheet = Sheet::with_numbers(&derivation, &options, &worked);
            let all = lines(&sheet);
            for (at, line) in all.iter().enumerate() {
                let Some(number) = line.number else { continue };
                let mut below = all[at + 1..].iter().skip_while(|line| line.left.is_none() && !line.is_numbers());
                assert!(below.next().is_some_and(|line| line.is_numbers()), "{name}: nothing beneath ({number})");
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "only {checked} equations");
}

/// Values for all that a net reads.
fn arbitrary(derivation: &Derivation) -> Given {
    let model = &derivation.model;
    let mut given = Given::new(model);
    let parameters = model.parameters.iter().map(|parameter| parameter.tensor);
    for (seed, tensor) in model.inputs.iter().chain(&model.targets).copied().chain(parameters).enumerate() {
        let described = model.context.tensor(tensor);
        let classes = described.shape.last().copied().unwrap_or(1);
        let values = match described.label {
            true => (0..described.size() / classes).map(|row| (row % classes) as f64).collect(),
            false => numbers(described.size(), seed),
        };
        given.set(model, &described.name, &values).unwrap();
    }
    given
}

#[test]
fn a_net_for_xor_is_worked_as_on_a_board() {
    let derivation = derived(include_str!("../examples/xor/xor.spec"));
    let model = &derivation.model;
    let mut given = Given::new(model);
    for text in ["x=1,0", "t=1", "dense1.w=0.5,-0.4,0.3,0.2", "dense1.b=0.1,0", "dense2.w=0.7,-0.6", "dense2.b=0.2"] {
        given.assign(model, text).unwrap();
    }
    let worked = work(&derivation, &given).unwrap().from(vec!["The second example.".to_owned()]);
    insta::assert_snapshot!(Sheet::with_numbers(&derivation, &SheetOptions::default(), &worked).to_text());
}
