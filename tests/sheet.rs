//! The sheet, in all its forms, for a table of specs.

use std::collections::BTreeSet;

use deltarule_compiler::cost::Cost;
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::emit::ScalarType;
use deltarule_compiler::facts::facts;
use deltarule_compiler::pipeline;
use deltarule_compiler::sheet::document::{Block, Inline};
use deltarule_compiler::sheet::{NotationTable, Sheet, SheetOptions, Steps, equation_text};

const SPECS: [&str; 10] =
    ["branches", "circuit", "clipped", "convolution", "digits", "kinks", "lecture22", "letters", "neuron", "recurrent"];

fn derivation(name: &str) -> Derivation {
    let path = format!("tests/specs/{name}.spec");
    let source = std::fs::read_to_string(&path).expect("the fixture is in the repository");
    match pipeline::compile(&format!("{name}.spec"), &source) {
        Ok(compiled) => compiled.derivation,
        Err(diagnostics) => panic!("{}", diagnostics.render()),
    }
}

fn sheet(name: &str) -> Sheet {
    Sheet::new(&derivation(name), &SheetOptions::default())
}

/// Every combination of options.
fn all_options() -> Vec<SheetOptions> {
    let mut all = Vec::new();
    for steps in [Steps::None, Steps::Key, Steps::All] {
        for notation in [NotationTable::lecture(), NotationTable::matrix(), NotationTable::plain()] {
            let counted = [0, 1].map(|first_index| NotationTable { first_index, ..notation.clone() });
            all.extend(counted.map(|notation| SheetOptions { steps, notation }));
        }
    }
    all
}

/// Calls `check` with every sheet there is.
fn for_each_sheet(check: impl Fn(&str, &Derivation, &Sheet)) {
    for name in SPECS {
        let derivation = derivation(name);
        for options in all_options() {
            check(&format!("{name} with {options:?}"), &derivation, &Sheet::new(&derivation, &options));
        }
    }
}

#[test]
fn sheets_read_as_they_did() {
    for name in SPECS {
        insta::assert_snapshot!(format!("{name}_text"), sheet(name).to_text());
    }
    insta::assert_snapshot!("lecture22_latex", sheet("lecture22").to_latex());
    insta::assert_snapshot!("letters_latex", sheet("letters").to_latex());
    insta::assert_snapshot!("circuit_html", sheet("circuit").to_html());
    insta::assert_snapshot!("neuron_markdown", sheet("neuron").to_markdown());
}

#[test]
fn all_steps_in_plain_notation_count_from_zero() {
    let options = SheetOptions { steps: Steps::All, notation: NotationTable { first_index: 0, ..NotationTable::plain() } };
    insta::assert_snapshot!("neuron_all_plain_text", Sheet::new(&derivation("neuron"), &options).to_text());
}

#[test]
fn the_lecture_s_rules_come_out_as_the_lecture_writes_them() {
    let derivation = derivation("lecture22");
    let lines: Vec<String> = (derivation.objective.iter())
        .chain(&derivation.forward)
        .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
        .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
        .map(|equation| equation_text(&derivation, equation))
        .collect();
    for expected in [
        "E = (1/m) Σₙ₌₁ᵐ ℓ⁽ⁿ⁾ + (λ/(2m)) Σᵢ₌₁⁴ Σⱼ₌₁⁵ (w¹ᵢⱼ)² + (λ/(2m)) Σᵢ₌₁⁵ Σⱼ₌₁³ (w²ᵢⱼ)²",
        "sum¹ⱼ = Σᵢ₌₁⁴ w¹ᵢⱼ xᵢ + b¹ⱼ",
        "σ¹ⱼ = 1/(1 + e^(−sum¹ⱼ))",
        "∂ℓ/∂sum²ⱼ = σ²ⱼ − tⱼ",
        "∂ℓ/∂sum¹ⱼ = ∂ℓ/∂σ¹ⱼ · σ¹ⱼ(1 − σ¹ⱼ)",
        "∂ℓ/∂w¹ᵢⱼ = ∂ℓ/∂sum¹ⱼ · xᵢ",
        "∂E/∂w¹ᵢⱼ = (1/m) Σₙ₌₁ᵐ ∂ℓ⁽ⁿ⁾/∂w¹ᵢⱼ + (λ/m) w¹ᵢⱼ",
    ] {
        assert!(lines.iter().any(|line| line == expected), "no equation reads {expected}; there are\n{}", lines.join("\n"));
    }
}

#[test]
fn equations_stand_on_the_sheet_once_in_the_order_of_their_numbers_and_every_link_leads_to_one() {
    for_each_sheet(|what, derivation, sheet| {
        // Equations that differ only in their layer share a number, and one line stands for them.
        let model = &derivation.model;
        let all = (derivation.objective.iter())
            .chain(&derivation.forward)
            .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
            .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
            .chain(&model.constants)
            .chain(model.optimizers.iter().flat_map(|optimizer| &optimizer.equations));
        let count = all.map(|equation| equation.number).max().unwrap_or(0);
        let (mut numbers, mut links) = (Vec::new(), BTreeSet::new());
        let mut see = |inlines: &[Inline]| {
            links.extend(inlines.iter().filter_map(|inline| match inline {
                Inline::Reference(number) => Some(*number),
                _ => None,
            }));
        };
        for block in sheet.document.sections.iter().flat_map(|section| &section.blocks) {
            match block {
                Block::Heading(text) | Block::Paragraph(text) => see(text),
                Block::Display(lines) => {
                    for line in lines {
                        numbers.extend(line.number);
                        see(&line.reason);
                    }
                }
                Block::Table(table) => table.rows.iter().flatten().for_each(|entry| see(entry)),
                Block::Steps(steps) => steps.iter().for_each(|step| see(&step.text)),
                Block::Diagram(diagram) => {
                    let numbers_of_nodes = diagram.nodes.iter().filter_map(|node| node.number);
                    see(&numbers_of_nodes.map(Inline::Reference).collect::<Vec<Inline>>());
                }
            }
        }
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "the numbers of {what}, from the top of the page to its end");
        assert!(links.iter().all(|link| numbers.contains(link)), "{what} links to an equation that it does not print");
    });
}

#[test]
fn no_two_tensors_share_a_symbol() {
    for_each_sheet(|what, _, sheet| {
        let Some(Block::Table(table)) = sheet.document.sections[0].blocks.first() else {
            panic!("{what} has no table of symbols")
        };
        let mut seen = BTreeSet::new();
        for row in &table.rows {
            let symbol = format!("{:?}", row[0]);
            assert!(seen.insert(symbol), "{what} prints {:?} for two tensors", row[0]);
        }
    });
}

#[test]
fn pages_are_well_formed() {
    for_each_sheet(|what, _, sheet| {
        let html = sheet.to_html();
        let mut open: Vec<&str> = Vec::new();
        for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or("")) {
            let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or("");
            match name {
                "!DOCTYPE" | "meta" => {}
                _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "{what} closes {name} out of order"),
                _ => open.push(name),
            }
        }
        assert!(open.is_empty(), "{what} leaves {open:?} open");
        assert!(!html.contains("http"), "{what} needs the network");
        for formula in html.split("<math").skip(1) {
            let alternative = formula.split("alttext=\"").nth(1).and_then(|rest| rest.split('"').next());
            assert!(alternative.is_some_and(|text| !text.is_empty()), "{what} has a formula without a text alternative");
        }
    });
}

/// The text between each pair of `open` and the next `close`.
fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn latex_is_balanced_and_plain_ascii() {
    for_each_sheet(|what, _, sheet| {
        let latex = sheet.to_latex();
        let mut depth = 0_i32;
        let mut escaped = false;
        for character in latex.chars() {
            match character {
                '{' if !escaped => depth += 1,
                '}' if !escaped => depth -= 1,
                _ => {}
            }
            assert!(depth >= 0, "{what} closes a brace too many");
            escaped = character == '\\' && !escaped;
        }
        assert_eq!(depth, 0, "{what} leaves a brace open");
        assert_eq!(count(&latex, "\\begin{"), count(&latex, "\\end{"), "the environments of {what}");
        for (left, right) in [("\\left(", "\\right)"), ("\\left[", "\\right]"), ("\\bigl", "\\bigr"), ("\\Biggl", "\\Biggr")] {
            assert_eq!(count(&latex, left), count(&latex, right), "{left} in {what}");
        }
        let foreign: BTreeSet<char> = latex.chars().filter(|character| !character.is_ascii()).collect();
        assert!(foreign.is_empty(), "{what} has characters that pdflatex may lack: {foreign:?}");
    });
}

#[test]
fn no_word_of_a_latex_sheet_is_a_code_point() {
    for name in SPECS {
        let derivation = derivation(name);
        let sheet = sheet(name).with_facts(&facts(&derivation)).with_cost(&Cost::new(&derivation, ScalarType::F32));
        let latex = sheet.to_latex();
        assert!(!latex.contains("\\mathrm{u2"), "{name} has a sign that no command writes:\n{latex}");
        assert!(latex.contains("takes n $-$ 1 additions"), "{latex}");
    }
}

#[test]
fn a_number_below_the_line_of_a_fraction_is_no_fraction() {
    let spec = "input x[8]\ntarget t[2]\nh = x |> dense(6) |> dropout(0.25)\ny = h |> dense(2)\nloss squared_error(y, t)\n";
    let compiled = pipeline::compile("dropout.spec", spec).unwrap_or_else(|messages| panic!("{}", messages.render()));
    let latex = Sheet::new(&compiled.derivation, &SheetOptions::default()).to_latex();
    assert!(latex.contains("{0.75}") && !latex.contains("\\frac{3}{4}"), "{latex}");
}

#[test]
fn what_a_layer_computes_side_by_side_is_one_size_below_the_title() {
    let spec = "input x[5, 3]\ntarget t[2]\nh = x |> lstm(6)\nlast[j: 6] = h[4, j]\ny = last |> dense(2) |> dense(2)\n\
                loss squared_error(y, t)\n";
    let compiled = pipeline::compile("gates.spec", spec).unwrap_or_else(|messages| panic!("{}", messages.render()));
    let text = Sheet::new(&compiled.derivation, &SheetOptions::default()).to_text();
    assert!(text.contains("\n5×3–5×6–2–2 ·"), "{text}");
}

#[test]
fn sheets_are_the_same_on_every_run() {
    for name in SPECS {
        let (first, second) = (sheet(name), sheet(name));
        assert_eq!(first.to_latex(), second.to_latex(), "{name}");
        assert_eq!(first.to_html(), second.to_html(), "{name}");
        assert_eq!(first.to_markdown(), second.to_markdown(), "{name}");
        assert_eq!(first.to_text(), second.to_text(), "{name}");
    }
}

/// A network of so many equal layers.
fn deep(layers: usize) -> Derivation {
    let mut spec = "network Deep\ninput x[3]\ntarget t[3]\n".to_owned();
    let mut last = "x".to_owned();
    for layer in 1..=layers {
        let name = if layer == layers { "y".to_owned() } else { format!("h{layer}") };
        spec.push_str(&format!("{name} = {last} |> dense(3) |> sigmoid\n"));
        last = name;
    }
    spec.push_str("loss binary_cross_entropy(y, t)\nregularizer l2(0.1) / m\noptimizer momentum(rate = 0.1)\n");
    pipeline::compile("deep.spec", &spec).unwrap_or_else(|messages| panic!("{}", messages.render())).derivation
}

#[test]
fn a_deep_network_has_a_sheet_as_short_as_a_shallow_one() {
    let lines = |layers: usize, options: &SheetOptions| Sheet::new(&deep(layers), options).to_text().lines().count();
    for options in all_options() {
        assert_eq!(lines(4, &options), lines(60, &options), "{options:?}");
    }
}

#[test]
fn rules_of_many_layers_state_which() {
    let text = Sheet::new(&deep(5), &SheetOptions::default()).to_text();
    for expected in
        ["sumˡⱼ = Σᵢ₌₁³ wˡᵢⱼ σˡ⁻¹ᵢ + bˡⱼ", "l = 1, …, 5", "For l = 4 down to 1:", "for l = 4 down to 1: (7), (8)", "Σₗ₌₁⁵"]
    {
        assert!(text.contains(expected), "no line says {expected}:\n{text}");
    }
}

#[test]
fn whole_matrices_stand_in_place_of_sums_where_they_can() {
    let options = SheetOptions { steps: Steps::Key, notation: NotationTable::matrix() };
    insta::assert_snapshot!("lecture22_matrix_text", Sheet::new(&derivation("lecture22"), &options).to_text());
    insta::assert_snapshot!("lecture22_matrix_latex", Sheet::new(&derivation("lecture22"), &options).to_latex());
    let text = Sheet::new(&derivation("convolution"), &options).to_text();
    assert!(text.contains("What has no such form stands with its indices."), "{text}");
    assert!(text.contains("Σ"), "a convolution is no matrix product:\n{text}");
}
