//! `deltarule cost`: tables, JSON, and the section of the sheet.

use super::workspace::Workspace;

const SPEC: &str = "network Two\ninput x[3]\ntarget t[1]\ny = x |> dense(2) |> sigmoid |> dense(1)\nloss squared_error(y, t)\noptimizer sgd(0.1)\n";

#[test]
fn json_holds_each_pass_with_numbers_and_formulas() {
    let workspace = Workspace::new(SPEC);
    let json: serde_json::Value = serde_json::from_str(&workspace.succeed(&["cost", "net.spec", "--json"])).unwrap();
    assert_eq!(json["passes"][0]["pass"], "forward");
    let dense = &json["passes"][0]["layers"][0];
    assert_eq!(dense["layer"], "dense1");
    assert_eq!(dense["operations"]["multiplications"], serde_json::json!({"number": 6, "formula": "n_0 n_1"}));
    assert_eq!(dense["bytes"]["number"], 8);
    let double: serde_json::Value =
        serde_json::from_str(&workspace.succeed(&["cost", "net.spec", "--json", "--scalar", "f64"])).unwrap();
    assert_eq!(double["passes"][0]["layers"][0]["bytes"]["number"], 16);
    assert_eq!(json["memory"]["parameters"]["numbers"]["formula"], "n_0 n_1 + n_1 n_2 + n_1 + n_2");
}

#[test]
fn text_names_each_layer_with_its_equations() {
    let workspace = Workspace::new(SPEC);
    let text = workspace.succeed(&["cost", "net.spec"]);
    assert!(text.contains("dense1 (2): multiplications n_0 n_1, additions n_0 n_1\n"), "{text}");
    assert!(text.contains("keep all that the backward pass reads"), "{text}");
}

#[test]
fn a_sheet_has_a_section_on_cost_where_it_is_asked_for() {
    let workspace = Workspace::new(SPEC);
    assert!(!workspace.succeed(&["sheet", "net.spec"]).contains("Cost"));
    for (format, formula) in [("txt", "n₀ n₁"), ("tex", "n_{0}"), ("md", "n_{0}"), ("html", "<msub>")] {
        let sheet = workspace.succeed(&["sheet", "net.spec", "--cost", "--format", format]);
        assert!(sheet.contains("Cost") && sheet.contains(formula), "{sheet}");
    }
}
