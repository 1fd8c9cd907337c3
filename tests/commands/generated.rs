//! Commands that build generated code.

use crate::eval::{EVAL, Expected, check_circuit, circuit, tiny};
use crate::workspace::SPEC;
use deltarule_compiler::equation::Role;
use deltarule_compiler::files::tensors::{TensorFile, Values};
use deltarule_compiler::pipeline::compile;
use deltarule_compiler::sheet::document::{Block, Content};
use deltarule_compiler::sheet::{Sheet, SheetOptions};
use deltarule_compiler::trace::Given;
use deltarule_compiler::worked::work;
use std::collections::BTreeSet;

#[test]
fn generated_code_evaluates_to_the_same_values() {
    let (workspace, weights, biases) = tiny();
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64", "--steps", "3"]].concat());
    let updated = workspace.tensor("out.safetensors", "updated.dense1.w");
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64", "--steps", "3", "--engine", "generated"]].concat());
    Expected::of(&weights, &biases).check(&workspace, "out.safetensors", 1e-14);
    let generated = workspace.tensor("out.safetensors", "updated.dense1.w");
    assert!(generated.iter().zip(&updated).all(|(a, b)| (a - b).abs() < 1e-14), "{generated:?}, not {updated:?}");
}

#[test]
fn generated_code_evaluates_an_objective_with_several_inputs() {
    let workspace = circuit();
    workspace.succeed(&["eval", "net.spec", "--data", "d.safetensors", "-o", "out.safetensors", "--engine", "generated"]);
    check_circuit(&workspace);
}

#[test]
fn compare_finds_both_engines_alike_and_generated_code_without_allocations() {
    let (workspace, ..) = tiny();
    let result =
        workspace.succeed(&["compare", "net.spec", "--minibatch", "4,33", "--repeats", "1", "--scalar", "f64", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&result).unwrap();
    for what in ["outputs", "loss", "gradients", "updated_parameters"] {
        assert!(json["largest_relative_difference"][what]["relative"].as_f64().unwrap() < 1e-12, "{what}: {json}");
    }
    for (at, examples) in [4, 33].into_iter().enumerate() {
        let timing = &json["minibatches"][at];
        assert_eq!(timing["examples"], examples, "{json}");
        assert_eq!(timing["generated"]["allocations"], 0.0, "{json}");
        assert!(timing["generic"]["allocations"].as_f64().unwrap() > 0.0, "{json}");
        assert!(timing["generated"]["least_nanoseconds"].as_f64() <= timing["generated"]["nanoseconds"].as_f64(), "{json}");
    }
    assert!(json["minibatches"][2].is_null(), "{json}");
    assert_eq!(json["bytes"]["parameters"], 9 * 8, "{json}");
}

#[test]
fn the_numbers_on_a_sheet_are_those_of_generated_code() {
    let (workspace, ..) = tiny();
    let data = TensorFile::read(&workspace.path("d.safetensors")).unwrap();
    let values = |name: &str, file: &TensorFile| file.get(name).unwrap().values.to_f64();
    let (x, label) = (values("x", &data)[..2].to_vec(), values("t", &data)[..1].to_vec());
    workspace.write_tensors(
        "d.safetensors",
        &[("x", &[1, 2], Values::F64(x.clone())), ("t", &[1], Values::Integers(vec![label[0] as i64]))],
    );
    workspace.succeed(&[&EVAL[..], &["--scalar", "f64", "--steps", "1", "--engine", "generated"]].concat());
    let computed = TensorFile::read(&workspace.path("out.safetensors")).unwrap();
    let derivation = compile("net.spec", SPEC).unwrap().derivation;
    let model = &derivation.model;
    let mut given = Given::new(model);
    let parameters = TensorFile::read(&workspace.path("p.safetensors")).unwrap();
    for (name, values) in
        [("x", x), ("t", label), ("dense1.w", values("dense1.w", &parameters)), ("dense1.b", values("dense1.b", &parameters))]
    {
        given.set(model, name, &values).unwrap();
    }
    let sheet = Sheet::with_numbers(&derivation, &SheetOptions::default(), &work(&derivation, &given).unwrap());
    let blocks = sheet.document.sections.iter().flat_map(|section| &section.blocks);
    let lines = blocks.filter_map(|block| if let Block::Display(lines) = block { Some(lines) } else { None }).flatten();
    let mut compared = BTreeSet::new();
    for line in lines {
        let Content::Numbers(numbers) = &line.content else { continue };
        for element in &numbers.elements {
            let tensor = model.context.tensor(element.tensor);
            let name = match tensor.role {
                Role::Gradient { of } => format!("gradient.{}", model.context.tensor(of).name),
                Role::Next { of } => format!("updated.{}", model.context.tensor(of).name),
                _ if tensor.name == "loss" => "loss".to_owned(),
                _ => format!("output.{}", tensor.name),
            };
            let Some(values) = computed.get(&name).map(|tensor| tensor.values.to_f64()) else { continue };
            let flat = element.place.iter().zip(&tensor.shape).fold(0, |flat, (&at, &extent)| flat * extent + at as usize);
            let printed: f64 = element.text.replace('−', "-").parse().unwrap();
            assert!((printed - values[flat]).abs() <= 5e-4 * values[flat].abs(), "{name}: {printed}, not {}", values[flat]);
            compared.insert(name);
        }
    }
    let expected = ["gradient.dense1.b", "gradient.dense1.w", "loss", "updated.dense1.b", "updated.dense1.w"];
    assert!(expected.iter().all(|name| compared.contains(*name)), "only {compared:?}");
}

#[test]
fn a_runtime_folder_without_a_crate_is_refused() {
    let (workspace, ..) = tiny();
    let message = workspace.fail(&["compare", "net.spec", "--runtime", "nowhere"]);
    assert!(message.contains("--> nowhere"), "{message}");
}
