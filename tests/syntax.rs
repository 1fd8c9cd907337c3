//! What the syntax stage promises: the tree of a good text, the message for a bad one.

use deltarule_compiler::diagnostic::Diagnostics;
use deltarule_compiler::span::Sources;
use deltarule_compiler::syntax::tree::{BinaryOperator, Expr, ExprKind, Relation, StatementKind};
use deltarule_compiler::syntax::{self, Spec};

fn parse(text: &str) -> (Spec, Diagnostics) {
    let mut sources = Sources::default();
    let id = sources.add("net.spec", text);
    let (spec, messages) = syntax::parse(&sources, id);
    (spec, Diagnostics { sources, messages })
}

/// The tree of a text that must be sound.
fn sound(text: &str) -> Spec {
    let (spec, diagnostics) = parse(text);
    assert!(diagnostics.messages.is_empty(), "{}", diagnostics.render());
    spec
}

#[test]
fn the_prelude_is_a_sound_spec() {
    let spec = sound(syntax::PRELUDE);
    insta::assert_snapshot!("prelude", syntax::print(&spec));
}

/// A tree without its places.
fn shape(spec: &Spec) -> String {
    let text = format!("{spec:#?}");
    let mut lines = text.lines();
    let mut kept = String::new();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("span: Span {") {
            lines.by_ref().take_while(|inside| inside.trim() != "},").for_each(drop);
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The right-hand side of the text's only equation, with brackets around every operation.
fn grouped(text: &str) -> String {
    let spec = sound(&format!("y = if {text} {{ 1 }} else {{ 0 }}"));
    let StatementKind::Equation(equation) = &spec.statements[0].kind else { panic!("{text} is no equation") };
    let ExprKind::If { condition, .. } = &equation.value.kind else { panic!("{text} is no condition") };
    brackets(condition)
}

fn brackets(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Negate(operand) => format!("(-{})", brackets(operand)),
        ExprKind::Not(operand) => format!("(not {})", brackets(operand)),
        ExprKind::And(left, right) => format!("({} and {})", brackets(left), brackets(right)),
        ExprKind::Or(left, right) => format!("({} or {})", brackets(left), brackets(right)),
        ExprKind::Compare { relation, left, right } => {
            format!("({} {} {})", brackets(left), comparison(*relation), brackets(right))
        }
        ExprKind::Binary { operator, left, right } => {
            format!("({} {} {})", brackets(left), arithmetic(*operator), brackets(right))
        }
        other => panic!("{other:?} is not in this test"),
    }
}

fn comparison(relation: Relation) -> &'static str {
    match relation {
        Relation::Less => "<",
        Relation::LessEqual => "<=",
        Relation::Equal => "=",
        Relation::NotEqual => "!=",
        Relation::GreaterEqual => ">=",
        Relation::Greater => ">",
    }
}

fn arithmetic(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Power => "^",
    }
}

#[test]
fn every_pair_of_operators_groups_as_the_language_says() {
    // Loosest first; the operators of one line bind alike.
    let levels: [&[&str]; 6] = [&["or"], &["and"], &["<", "<=", "=", "!=", ">=", ">"], &["+", "-"], &["*", "/"], &["^"]];
    let operators = || levels.iter().enumerate().flat_map(|(level, signs)| signs.iter().map(move |sign| (level, *sign)));
    for (left_level, left) in operators() {
        for (right_level, right) in operators() {
            let text = format!("a {left} b {right} c");
            let left_first = left_level > right_level || left_level == right_level && left != "^";
            let expected = if left_first { format!("((a {left} b) {right} c)") } else { format!("(a {left} (b {right} c))") };
            if left_level == 2 && right_level == 2 {
                let (_, diagnostics) = parse(&format!("y = [{text}]"));
                assert!(diagnostics.render().contains("comparisons do not chain"), "{text}");
            } else {
                assert_eq!(grouped(&text), expected);
            }
        }
        // Prefix signs: `-` binds tighter than `*` and looser than `^`, `not` tighter than `and` and looser than comparisons.
        let negated_first = if left == "^" { "(-(a ^ b))".to_owned() } else { format!("((-a) {left} b)") };
        assert_eq!(grouped(&format!("-a {left} b")), negated_first);
        assert_eq!(grouped(&format!("a {left} -b")), format!("(a {left} (-b))"));
        let not_first = if left_level < 2 { format!("((not a) {left} b)") } else { format!("(not (a {left} b))") };
        assert_eq!(grouped(&format!("not a {left} b")), not_first);
    }
    assert_eq!(grouped("a^-b^c * d"), "((a ^ (-(b ^ c))) * d)");
    assert_eq!(grouped("--a"), "(-(-a))");
    assert_eq!(grouped("not not a or b"), "((not (not a)) or b)");
}

#[test]
fn good_texts_keep_their_meaning() {
    let text = include_str!("specs/all_syntax.spec");
    let spec = sound(text);
    insta::assert_snapshot!("all_syntax", syntax::print(&spec));
    assert_eq!(shape(&sound(&syntax::print(&spec))), shape(&spec));
}

#[test]
fn a_line_goes_on_in_brackets_and_before_a_pipe() {
    let one_line = "y = f(a, b) |> g(1) |> h as last\nz = [a < b]";
    let many_lines = "y = f(\n  a, // first\n\n  b\n)\n  // then\n\n  |> g(1)\n/* and */ |> h as last\nz = [a <\n b]";
    assert_eq!(shape(&sound(many_lines)), shape(&sound(one_line)));
    assert_eq!(shape(&sound("a = 1; b = 2;; c = 3 // end")), shape(&sound("a = 1\nb = 2\n\nc = 3")));
    assert_eq!(shape(&sound("\u{feff}a = 1\r\nb = 2\r\n")), shape(&sound("a = 1\nb = 2")));
}

#[test]
fn keywords_are_names_where_no_statement_begins() {
    let spec = sound("y = loss + input[state] * on(by, as = in) |> layer as network\nregularizer class(m) on on, let.param");
    assert_eq!(
        syntax::print(&spec),
        "y = loss + input[state] * on(by, as = in) |> layer as network\nregularizer class(m) on on, let.param\n"
    );
    let spec = sound("output = lossless\ninputs = param_count\noptimizer none on none\noptimizer nonesuch\noptimizer (none)");
    assert_eq!(
        syntax::print(&spec),
        "output = lossless\ninputs = param_count\noptimizer none on none\noptimizer nonesuch\noptimizer (none)\n"
    );
}

#[test]
fn places_point_at_what_was_written() {
    let text = "network Λ\ny[j: 3] = -(a + b[j]) |> f(λ = 2) as g";
    let mut sources = Sources::default();
    sources.add("prelude.spec", "");
    let id = sources.add("net.spec", text);
    let (spec, _) = syntax::parse(&sources, id);
    assert_eq!(sources.text(spec.network.expect("named").span), "Λ");
    let statement = &spec.statements[0];
    assert_eq!(sources.text(statement.span), "y[j: 3] = -(a + b[j]) |> f(λ = 2) as g");
    let StatementKind::Equation(equation) = &statement.kind else { panic!("no equation") };
    assert_eq!(sources.text(equation.value.span), "-(a + b[j]) |> f(λ = 2) as g");
    let ExprKind::Pipe { value, call, label } = &equation.value.kind else { panic!("no pipe") };
    assert_eq!(sources.text(value.span), "-(a + b[j])");
    assert_eq!(sources.text(call.span), "f(λ = 2)");
    assert_eq!(sources.text(label.as_ref().expect("labelled").span), "g");
    let ExprKind::Negate(sum) = &value.kind else { panic!("no minus") };
    assert_eq!(sources.text(sum.span), "(a + b[j])");
}

#[test]
fn bytes_that_are_no_text_are_placed() {
    assert_eq!(syntax::decode(b"x = 1\n".to_vec()), Ok("x = 1\n".to_owned()));
    let message = syntax::decode(b"input x\ny = \xff\n".to_vec()).expect_err("0xFF begins no character");
    assert_eq!(message, "not UTF-8: the byte 0xFF on line 2, at offset 12 of the file, begins no character");
    assert!(syntax::decode(b"\xe2\x82".to_vec()).is_err());
}
