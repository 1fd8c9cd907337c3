//! Facts about a network in `check` and on the sheet.

use super::workspace::Workspace;

const SPEC: &str = "network Alike
input x[3]
target t: class[2]
param w[i: 3, j: 4] ~ 0
param v[j: 4, k: 2] ~ 1
h[j] = sigmoid(sum(i: w[i, j] * x[i]))
s[k] = sum(j: v[j, k] * h[j])
y = s |> relu
loss cross_entropy(y, t)
optimizer sgd(0.1 / k)
";

#[test]
fn check_states_facts_and_warns_of_mistakes_at_their_place() {
    let workspace = Workspace::new(SPEC);
    let done = workspace.run(&["check", "net.spec"]);
    assert_eq!(done.code, 0, "a warning is no error: {}", done.stderr);
    for warning in ["the 4 units of `s1`, `h` stay identical", "infinite where `y[k]` is 0", "--> net.spec:4:"] {
        assert!(done.stderr.contains(warning), "{warning} is not in\n{}", done.stderr);
    }
    assert!(done.stdout.contains("satisfies sum eta = inf and sum eta^2 < inf"), "{}", done.stdout);
    let json: serde_json::Value = serde_json::from_str(&workspace.succeed(&["check", "net.spec", "--json"])).unwrap();
    let facts = json["facts"].as_array().unwrap();
    let kinds: Vec<(&str, bool)> =
        facts.iter().map(|fact| (fact["kind"].as_str().unwrap(), fact["warning"].as_bool().unwrap())).collect();
    let mistakes: Vec<&str> = kinds.iter().filter(|(_, is_mistake)| *is_mistake).map(|(kind, _)| *kind).collect();
    assert_eq!(mistakes, ["symmetry", "logarithm"]);
    assert!(kinds.contains(&("schedule", false)), "{kinds:?}");
}

#[test]
fn a_sheet_has_a_section_on_facts_where_it_is_asked_for() {
    let workspace = Workspace::new(SPEC);
    assert!(!workspace.succeed(&["sheet", "net.spec"]).contains("stay identical"));
    for format in ["txt", "tex", "md", "html"] {
        let sheet = workspace.succeed(&["sheet", "net.spec", "--facts", "--format", format]);
        assert!(sheet.contains("Facts") && sheet.contains("stay identical"), "{sheet}");
    }
}
