//! `verify`: which rules hold, and what is said about those that do not.

use deltarule_compiler::pipeline::{Compiled, compile};
use deltarule_compiler::sheet::NotationTable;
use deltarule_compiler::verify::{Verdict, verify};

/// A net with a hidden layer of another size than all others, so that no index fits by chance.
const NET: &str = "network Net
input x[4]
target t[3]
h = x |> dense(5) |> sigmoid
y = h |> dense(3) |> sigmoid
loss binary_cross_entropy(y, t)
regularizer l2(0.01) / m
optimizer momentum(rate = 0.1)
";

fn compiled(spec: &str) -> Compiled {
    compile("net.spec", spec).unwrap_or_else(|messages| panic!("{}", messages.render()))
}

fn differences(spec: &str, rules: &str) -> Vec<Option<String>> {
    differences_in(&NotationTable::lecture(), spec, rules)
}

fn differences_in(notation: &NotationTable, spec: &str, rules: &str) -> Vec<Option<String>> {
    let checked = verify(&compiled(spec), "rules", rules, notation).unwrap_or_else(|messages| panic!("{}", messages.render()));
    let what = checked.into_iter().map(|checked| match checked.verdict {
        Verdict::Holds(_) => None,
        Verdict::Differs(difference) => Some(difference.what),
    });
    what.collect()
}

#[track_caller]
fn holds(spec: &str, rules: &str) {
    for (rule, difference) in rules.lines().filter(|line| !line.trim().is_empty()).zip(differences(spec, rules)) {
        assert_eq!(difference, None, "{rule}");
    }
}

#[track_caller]
fn differs(spec: &str, rule: &str, what: &str) {
    assert_eq!(differences(spec, rule), [Some(what.to_owned())], "{rule}");
}

#[test]
fn right_rules_hold_however_they_are_written() {
    holds(
        NET,
        "dense1.s[j] = sum(i: dense1.w[i, j] * x[i]) + dense1.b[j]
dense1.s[j] = dense1.b[j] + sum(k in 0..4: x[k] * dense1.w[k, j])
h[j] = 1 / (1 + exp(-dense1.s[j]))
h[a] = (1 + tanh(dense1.s[a] / 2)) / 2
h = sigmoid(dense1.s)
dE/dy[j] = -t[j] / y[j] + (1 - t[j]) / (1 - y[j])
dE/dy[j] = (y[j] - t[j]) / (y[j] - y[j]^2)
dE/ddense2.s[j] = y[j] - t[j]
dE/dh[j] = sum(p: dE/ddense2.s[p] * dense2.w[j, p])
dE/dh[j] = sum(p: dE/dy[p] * dy[p]/ddense2.s[p] * ddense2.s[p]/dh[j])
dE/ddense1.s = dE/dh * h * (1 - h)
dloss/ddense1.w[i, j] = dE/ddense1.s[j] * x[i]
dE/ddense1.w[i, j] = dE/ddense1.s[j] * x[i] + 0.01 / m * dense1.w[i, j]
dE/ddense1.w[2, j] = dE/ddense1.s[j] * x[2] + l2.a / m * dense1.w[2, j]
dE/ddense2.b[j] = y[j] - t[j]
dE/dx[i] = sum(j: dE/ddense1.s[j] * dense1.w[i, j])
dense1.w.v' = momentum.alpha * dense1.w.v - momentum.rate * dE/ddense1.w
dense1.w[i, j]' = dense1.w[i, j] + dense1.w.v[i, j]'
dense2.b' = dense2.b + 0.9 * dense2.b.v - 0.1 * dE/ddense2.b
E = loss + 0.01 / (2*m) * (sum(i, j: dense1.w[i, j]^2) + sum(i, j: dense2.w[i, j]^2))
",
    );
}

#[test]
fn derivatives_of_one_tensor_by_another_go_along_all_paths() {
    let net = "network Paths
input x[3]
a[i] = x[i]^2
b[i] = a[i] * x[i]
c = sum(i: a[i] * b[i])
objective c by x
";
    holds(
        net,
        "da[i]/dx[j] = 2 * x[i] * [i = j]
db[i]/dx[i] = 3 * x[i]^2
db[i]/da[i] = x[i]
dc/da[i] = b[i] + a[i] * x[i]
dE/dx[i] = 5 * x[i]^4
dc/dx = 5 * x^4
",
    );
}

#[test]
fn derivatives_of_a_recurrence_go_through_all_its_steps() {
    let net = "network Steps
input x[4]
param w ~ uniform(-1, 1)
h[t: 4] = tanh(w * h[t - 1] + x[t])
objective sum(t: h[t]^2) by w, x
";
    holds(
        net,
        "dE/dh[t] = 2 * h[t] + (1 - h[t + 1]^2) * w * dE/dh[t + 1] * [t < 3]
dh[t]/dw = (1 - h[t]^2) * (h[t - 1] + w * dh[t - 1]/dw)
dh[t]/dx[s] = if s > t { 0 } else { (1 - h[t]^2) * ([s = t] + w * dh[t - 1]/dx[s]) }
",
    );
}

#[test]
fn a_wrong_sign_is_named() {
    differs(NET, "dE/ddense2.s[j] = t[j] - y[j]", "the sign of the right side");
    differs(NET, "dE/dy[j] = -t[j]/y[j] - (1 - t[j])/(1 - y[j])", "the sign of `(1 - t[j]) / (1 - y[j])`");
    differs(NET, "dE/ddense1.s[j] = dE/dh[j] * h[j] * (1 + h[j])", "the sign of `h[j]`");
}

#[test]
fn a_missing_factor_is_named() {
    differs(NET, "dE/ddense1.s[j] = dE/dh[j] * h[j]", "the factor `1 - h[j]` is missing in `dE/dh[j] * h[j]`");
    differs(
        NET,
        "dE/ddense1.w[i, j] = dE/ddense1.s[j] * x[i] + l2.a / (2*m) * dense1.w[i, j]",
        "the factor `2` should not be there",
    );
    differs(
        NET,
        "dE/ddense1.w[i, j] = dE/ddense1.s[j] * x[i] + l2.a * dense1.w[i, j]",
        "the factor `1 / m` is missing in `l2.a * dense1.w[i, j]`",
    );
    differs(
        NET,
        "E = loss + 0.01 / m * (sum(i, j: dense1.w[i, j]^2) + sum(i, j: dense2.w[i, j]^2))",
        "the factor `1 / 2` is missing in `0.01 / m * (sum(i, j: dense1.w[i, j]^2) + sum(i, j: dense2.w[i, j]^2))`",
    );
}

#[test]
fn a_wrong_index_is_named_also_where_it_leaves_its_axis() {
    differs(
        NET,
        "dE/dh[j] = sum(p: dE/ddense2.s[p] * dense2.w[p, j])",
        "wrong indices: `dense2.w[p, j]` should be `dense2.w[j, p]`",
    );
    differs(
        NET,
        "dE/dh[j] = sum(p: dE/dy[j] * y[j] * (1 - y[j]) * dense2.w[j, p])",
        "a wrong index: `j` should be `p` in `dE/dy[j]`, `y[j]`",
    );
}

#[test]
fn a_wrong_range_is_named() {
    differs(
        NET,
        "dense1.s[j] = sum(i in 1..4: dense1.w[i, j] * x[i]) + dense1.b[j]",
        "the range of `i` should be all of its axis, not 1..4",
    );
}

#[test]
fn a_term_too_many_or_too_few_is_named() {
    differs(
        NET,
        "dE/ddense2.b[j] = y[j] - t[j] + l2.a / m * dense2.b[j]",
        "the term `l2.a / m * dense2.b[j]` should not be there",
    );
    differs(NET, "dE/ddense1.w[i, j] = dE/ddense1.s[j] * x[i]", "the term `l2.a * dense1.w[i, j] / m` is missing");
    differs(NET, "dense1.s[j] = sum(i: dense1.w[i, j] * x[i])", "the term `dense1.b[j]` is missing");
}

#[test]
fn a_wrong_name_is_named() {
    differs(NET, "dense2.s[j] = sum(i: dense2.w[i, j] * dense1.s[i]) + dense2.b[j]", "`dense1.s[i]` should be `h[i]`");
}

#[test]
fn two_mistakes_are_both_named() {
    differs(
        NET,
        "dE/dy[j] = t[j]/y[j] - (1 - t[j])/(1 - y[j]) + t[j]",
        "the sign of the right side; the term `t[j]` should not be there",
    );
}

#[test]
fn the_slope_at_a_kink_counts() {
    let net = "network Kink
input x[3]
y = relu(x - 0.25)
objective sum(i: y[i]) by x
";
    holds(net, "dE/dx[i] = [x[i] > 0.25]\n");
    differs(
        net,
        "dE/dx[i] = [x[i] >= 0.25]",
        "only where values meet, as at a kink: the condition `x[i] >= 0.25` should be `x[i] > 0.25`",
    );
}

#[test]
fn a_small_number_that_is_left_out_is_missed() {
    let net = NET.replace("momentum(rate = 0.1)", "adagrad(rate = 0.1)");
    let rule = "dense1.w' = dense1.w - 0.1 * dE/ddense1.w / (sqrt(dense1.w.s') + 1e-8)\n";
    holds(&net, rule);
    assert_ne!(differences(&net, &rule.replace(" + 1e-8", "")), [None]);
}

#[test]
fn a_difference_comes_with_numbers_that_show_it() {
    let checked = verify(&compiled(NET), "rules", "dE/ddense2.s[j] = t[j] - y[j]", &NotationTable::lecture())
        .expect("a rule that can be read");
    let Verdict::Differs(difference) = &checked[0].verdict else { panic!("it holds") };
    let example = difference.counterexample.as_ref().expect("numbers");
    let value = |name: &str| example.values.iter().find(|(known, _)| known.starts_with(name)).expect(name).1;
    assert!((value("t[") - value("y[") - example.right).abs() < 1e-12, "{example}");
    assert!((example.left + example.right).abs() < 1e-12, "{example}");
    assert_eq!(difference.corrected.as_deref(), Some("dE/ddense2.s[j] = -(t[j] - y[j])"));
    assert_eq!(difference.derived.as_ref().map(|derived| derived.1.as_str()), Some("dE/ddense2.s[j] = y[j] - t[j]"));
}

#[test]
fn rules_that_cannot_be_read_are_drawn_at_their_places() {
    let messages =
        |rules: &str| verify(&compiled(NET), "rules", rules, &NotationTable::lecture()).expect_err("something is wrong").render();
    for (rule, line, what) in [
        ("dE/dz[j] = y[j]", 1, "`z` is not known"),
        ("// nothing\nh[j] = 1 +", 2, "expected"),
        ("h[j]", 1, "a rule is an equation"),
        ("h[j] = ", 1, "a rule has two sides"),
        ("h[j] = q[j]", 1, "`q` is not known"),
        ("h[i, j] = 1", 1, "`h` has 1 axis, and is read with 2 indices"),
        ("h = x", 1, "the sides of this rule have different shapes"),
        ("dE/dt[i] = dm/dk", 1, "there is no derivative of `m` by `k`"),
        ("h[j] = ((1)", 1, "never closed"),
    ] {
        let text = messages(rule);
        assert!(text.contains(what) && text.contains(&format!("rules:{line}:")), "{rule}\n{text}");
    }
}

#[test]
fn rules_in_latex_are_read_in_the_symbols_of_the_sheet() {
    holds(
        NET,
        r"\sigma_j^1 = \frac{1}{1+e^{-\mathrm{sum}_j^1}}
\mathrm{sum}_j^1 = \sum_{i=1}^{4} w_{ij}^1 x_i + b_j^1
\frac{\partial E}{\partial \sigma_j^2} = -\frac{t_j}{\sigma_j^2} + \frac{1 - t_j}{1 - \sigma_j^2}
\frac{\partial E}{\partial \sigma_j^1} = \sum_{p=1}^{3} \frac{\partial E}{\partial \sigma_p^2} \frac{\partial \sigma_p^2}{\partial \mathrm{sum}_p^2} w_{jp}^2
\partial E/\partial w_{1,1}^1 = \frac{\partial E}{\partial \mathrm{sum}_1^1} x_1 + \frac{\lambda}{m} w_{1,1}^1
\dfrac{\partial E}{\partial w_{ij}^{2}} = \frac{1}{m}\sum_{n=1}^{m} \dfrac{\partial \ell^{(n)}}{\partial w_{ij}^{2}} + \frac{\lambda}{m}\,w_{ij}^{2}
v_{w,ij}^{1} \leftarrow \alpha v_{w,ij}^{1} - \eta \frac{\partial E}{\partial w_{ij}^{1}}
w_{ij}^{1} \leftarrow w_{ij}^{1} + v_{w,ij}^{1}
\frac{\partial \sigma_j^1}{\partial \mathrm{sum}_k^1} = \begin{cases} \sigma_j^1 (1 - \sigma_j^1) & \text{if } j = k \\ 0 & \text{otherwise} \end{cases}
",
    );
}

#[test]
fn what_is_wrong_with_a_rule_in_latex_is_said_in_the_language() {
    differs(
        NET,
        r"\frac{\partial E}{\partial \sigma_j^1} = \sum_{p=1}^{3} \frac{\partial E}{\partial \sigma_j^2} \sigma_j^2 (1 - \sigma_j^2) w_{jp}^2",
        "a wrong index: `j` should be `p` in `dE/dy[j]`, `y[j]`",
    );
    differs(
        NET,
        r"\frac{\partial E}{\partial w_{ij}^1} = \frac{\partial E}{\partial \mathrm{sum}_j^1} x_i + \frac{\lambda}{2m} w_{ij}^1",
        "the factor `2` should not be there",
    );
}

#[test]
fn latex_that_cannot_be_read_is_drawn_at_its_place() {
    let messages = |rule: &str| {
        let read = verify(&compiled(NET), "rules", rule, &NotationTable::lecture());
        read.expect_err("something is wrong").render()
    };
    for (rule, column, what) in [
        (r"\sigma_j^1 = \frac{1}{1+e^{-x_1}", 22, "this is never closed"),
        (r"\sigma_j^1 = q_j", 14, "`q` is no symbol of this network"),
        (r"\sigma_j^1 = x_{j,k}", 14, "`x` is no symbol of this network, with these scripts"),
        (r"\sigma_j^1 + 1", 1, "has neither `=` nor"),
        (r"\sigma_j^1 = \int x_1", 14, "`int` is no symbol"),
        (r"\sigma_j^1 = \sum x_1", 14, "a sum needs its index below"),
        (r"\sigma_j^1 = 1 +", 17, "a factor is expected"),
    ] {
        let text = messages(rule);
        assert!(text.contains(what) && text.contains(&format!("rules:1:{column}")), "{rule}\n{text}");
    }
}

/// What is said of a rule that holds.
fn said(notation: &NotationTable, rule: &str) -> String {
    let checked = verify(&compiled(NET), "rules", rule, notation).unwrap_or_else(|messages| panic!("{}", messages.render()));
    checked[0].to_string().lines().nth(1).unwrap_or_default().trim().to_owned()
}

#[test]
fn rules_in_the_text_of_the_sheet_are_read_as_they_stand_there() {
    holds(
        NET,
        "sum¹ⱼ = Σᵢ₌₁⁴ w¹ᵢⱼ xᵢ + b¹ⱼ
∂ℓ/∂σ²ⱼ = (1 − tⱼ)/(1 − σ²ⱼ) − tⱼ/σ²ⱼ
(7)  ∂ℓ/∂sum²ⱼ = σ²ⱼ − tⱼ; j = 1, 2, 3
∂E/∂w²ᵢⱼ = (1/m) Σₙ₌₁ᵐ ∂ℓ⁽ⁿ⁾/∂w²ᵢⱼ + (λ/m) w²ᵢⱼ
v²_(w,ij) ← α v²_(w,ij) − η · ∂E/∂w²ᵢⱼ
∂σ¹ⱼ/∂sum¹ₖ = { σ¹ⱼ(1 − σ¹ⱼ) if j = k; 0 otherwise }
",
    );
    differs(NET, "∂ℓ/∂sum²ⱼ = tⱼ − σ²ⱼ", "the sign of the right side");
    differs(NET, "sum¹ⱼ = Σ[i=2..4] w¹ᵢⱼ xᵢ + b¹ⱼ", "the range of `i` should be all of its axis, not 1..4");
}

#[test]
fn rules_for_layers_in_general_hold_for_each_of_them() {
    let every = r"\mathrm{sum}_j^l = \sum_{i=1}^{s_{l-1}} w_{ij}^l \sigma_i^{l-1} + b_j^l";
    let inner = "∂ℓ/∂sumˡⱼ = σˡⱼ(1 − σˡⱼ) Σ[k=1..sₗ₊₁] ∂ℓ/∂sumˡ⁺¹ₖ · wˡ⁺¹ⱼₖ";
    let notation = NotationTable::lecture();
    assert_eq!(said(&notation, every), "holds for l = 1, 2, exactly: also modulo large primes");
    assert_eq!(said(&notation, &format!(r"{every} \quad \text{{for }} l = 1, \dots, L")), said(&notation, every));
    assert_eq!(said(&notation, inner), "holds for l = 1, exactly: also modulo large primes");
    assert_eq!(said(&notation, &format!("{inner} for l = L−1 down to 1")), said(&notation, inner));
    holds(NET, "E = (1/m) Σₙ₌₁ᵐ ℓ⁽ⁿ⁾ + (λ/(2m)) Σₗ₌₁² Σ[i=1..sₗ₋₁] Σ[j=1..sₗ] (wˡᵢⱼ)²\n");
    differs(
        NET,
        "∂ℓ/∂wˡᵢⱼ = ∂ℓ/∂sumˡᵢ · σˡ⁻¹ⱼ",
        "for l = 1: a wrong index: `i` should be `j` in `dloss/ddense1.s[i]`; a wrong index: `j` should be `i` in `x[j]`",
    );
}

#[test]
fn a_layer_that_a_rule_names_and_that_is_not_there_is_a_wrong_range() {
    let rule = "∂ℓ/∂sumˡⱼ = σˡⱼ(1 − σˡⱼ) Σ[k=1..sₗ₊₁] ∂ℓ/∂sumˡ⁺¹ₖ · wˡ⁺¹ⱼₖ, l = 1, 2";
    let found = differences(NET, rule);
    let what = found[0].as_deref().expect("a difference");
    assert!(what.starts_with("the range: there is no such rule for l = 2: "), "{what}");
}

#[test]
fn rules_with_whole_matrices_are_read_with_their_products_and_transposes() {
    let notation = NotationTable::matrix();
    let rules = r"f^{[1]} = W^{[1]\top} x + b^{[1]}
f^{[l]} = W^{[l]T} a^{[l-1]} + b^{[l]}
f^[l] = W^[l]ᵀ⟨dₗ×dₗ₋₁⟩ a^[l−1]⟨dₗ₋₁×1⟩ + b^[l]; l = 1, 2
\frac{\partial \ell}{\partial f^{[1]}} = \left(W^{[2]} \frac{\partial \ell}{\partial f^{[2]}}\right) \odot a^{[1]} \odot (1 - a^{[1]})
∂ℓ/∂W^[2] = a^[1] (∂ℓ/∂f^[2])ᵀ
∂ℓ/∂f^[2] = a^[2] − t
\frac{\partial E}{\partial W^{[l]}} = a^{[l-1]} \left(\frac{\partial E}{\partial f^{[l]}}\right)^\top + \frac{\lambda}{m} W^{[l]}
W^{[1]} \leftarrow W^{[1]} + v_W^{[1]}
E = \frac{1}{m} \sum_{n=1}^m \ell^{(n)} + \frac{\lambda}{2m} \sum_{l=1}^{2} \lVert W^{[l]} \rVert_F^2
\ell = -\left[t^\top \ln a^{[2]} + (1 - t)^\top \ln(1 - a^{[2]})\right]
";
    for (rule, difference) in rules.lines().zip(differences_in(&notation, NET, rules)) {
        assert_eq!(difference, None, "{rule}");
    }
    assert_eq!(
        differences_in(&notation, NET, "∂E/∂f^[1] = W^[2] ∂E/∂f^[2] ⊙ a^[1]"),
        [Some("the factor `1 - h[i]` is missing in `sum(j: dense2.w[i, j] * dE/ddense2.s[j]) * h[i]`".to_owned())]
    );
}

#[test]
fn matrices_that_do_not_fit_together_are_drawn_at_their_place() {
    let messages = |rule: &str| {
        let read = verify(&compiled(NET), "rules", rule, &NotationTable::matrix());
        read.expect_err("something is wrong").render()
    };
    for (rule, what, hint) in [
        (r"f^{[1]} = W^{[1]} x + b^{[1]}", "there is no matrix product of sizes 4 × 5 and 4 × 1", "transposes"),
        ("f^[1] = W^[1]ᵀ x + t", "sizes 5 × 1 and 3 × 1 do not go together element by element", "this is 3 × 1"),
        ("ℓ = a^[2]", "the sides of this rule have different shapes", "this is 3 × 1"),
        ("f^[1] = W^[1]ᵀ⟨4×5⟩ x + b^[1]", "a wrong size", "this is 5 × 4, not 4 × 5"),
        (
            r"f^{[3]} = W^{[3]T} a^{[2]}",
            "`f` is no symbol of this network, with these scripts",
            "above `f` stands its layer: `1`, `2`",
        ),
    ] {
        let text = messages(rule);
        assert!(text.contains(what) && text.contains(hint), "{rule}\n{text}");
    }
}

#[test]
fn what_has_no_value_modulo_a_prime_holds_within_rounding() {
    let notation = NotationTable::lecture();
    assert_eq!(said(&notation, "dE/ddense2.s = y - t"), "holds, exactly: also modulo large primes");
    // 1 / 3 is no fraction of a power of 2.
    assert_eq!(
        said(&notation, "y[j] - t[j] = 3 * 0.3333333333333333 * dE/ddense2.s[j]"),
        "holds, within rounding: at points in f64"
    );
}
