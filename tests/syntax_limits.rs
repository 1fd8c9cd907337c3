//! Each bound of the syntax stage: what lies at it is read, what lies past it is refused, on a small stack.

use deltarule_compiler::diagnostic::{Diagnostic, Diagnostics, nearest};
use deltarule_compiler::limits;
use deltarule_compiler::span::{Sources, Span};
use deltarule_compiler::syntax;

/// What is said about a text, read, written and dropped on the stack that the smallest platforms give a thread.
fn said_about(text: String) -> String {
    let on_small_stack = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        let mut sources = Sources::default();
        let id = sources.add("net.spec", text);
        let (spec, messages) = syntax::parse(&sources, id);
        let copy = spec.clone();
        assert_eq!(spec, copy);
        drop(syntax::print(&copy));
        Diagnostics { sources, messages }.render()
    });
    on_small_stack.expect("a thread").join().expect("no panic")
}

/// A text that nests `opening` and `closing` around `core` some times.
fn nested(times: usize, opening: &str, core: &str, closing: &str) -> String {
    format!("y = {}{core}{}", opening.repeat(times), closing.repeat(times))
}

#[test]
fn brackets_nest_up_to_the_bound() {
    let forms = [
        ("(", ")"),
        ("[1 < ", "]"),
        ("f(", ")"),
        ("f(a = ", ")"),
        ("x[", "]"),
        ("max(i: ", ")"),
        ("max(i in 0..", ": 1)"),
        ("max(..: ", ")"),
        ("if a { ", " } else { 1 }"),
        ("if ", " { 1 } else { 2 }"),
    ];
    for (opening, closing) in forms {
        // A condition's words stand outside its braces, so those forms reach the other bound first, or never nest brackets.
        let within = if opening == "if " { limits::NESTING } else { limits::NESTING.min(limits::EXPRESSION_DEPTH / 2 - 1) };
        assert_eq!(said_about(nested(within, opening, "b", closing)), "", "{opening}");
        let said = said_about(nested(limits::EXPRESSION_DEPTH + 1, opening, "b", closing));
        assert!(said.contains("nested"), "{opening}: {said}");
    }
    assert_eq!(said_about(nested(limits::NESTING, "(", "b", ")")), "");
    let said = said_about(nested(limits::NESTING + 1, "(", "b", ")"));
    assert!(said.starts_with("error: brackets are nested more than 64 deep\n --> net.spec:1:69\n"), "{said}");
    assert!(said.ends_with("\n1 error\n"), "{said}");
}

#[test]
fn rows_of_operators_go_up_to_the_bound() {
    for sign in ["+", "-", "*", "/", "^", "^-", " and ", " or ", " = b and ", " |> "] {
        let each = sign.matches(['+', '-', '*', '/', '^', '<', '=', '|']).count()
            + sign.matches("and").count()
            + sign.matches("or").count();
        let times = limits::EXPRESSION_DEPTH / each;
        let text = |times: usize| match sign {
            " |> " => format!("y = a{}", " |> f".repeat(times - 1)),
            _ if sign.contains("and") || sign.contains("or") => format!("y = [a{}]", format!("{sign}a").repeat(times - 2)),
            _ => format!("y = a{}", format!("{sign}a").repeat(times - 1)),
        };
        assert_eq!(said_about(text(times)), "", "{sign}");
        let said = said_about(text(times + 3));
        assert!(said.starts_with("error: this statement is nested too deep\n --> net.spec:1:1\n"), "{sign}: {said}");
        assert!(said.contains("the limit is 128"), "{said}");
    }
    for prefix in ["-", "not "] {
        let core = |times: usize| format!("y = [{}a]", prefix.repeat(times));
        assert_eq!(said_about(core(limits::EXPRESSION_DEPTH - 2)), "", "{prefix}");
        assert!(said_about(core(limits::EXPRESSION_DEPTH + 1)).contains("nested too deep"), "{prefix}");
    }
    let choices = |times: usize| format!("y = {} {{ 0 }}", "if a { 1 } else".to_owned() + &" if a { 1 } else".repeat(times - 1));
    assert_eq!(said_about(choices(limits::EXPRESSION_DEPTH - 2)), "");
    assert!(said_about(choices(limits::EXPRESSION_DEPTH + 1)).contains("nested too deep"));
}

#[test]
fn what_stands_side_by_side_is_not_deep() {
    let list = vec!["a + b"; 5000].join(", ");
    assert_eq!(said_about(format!("y = f({list})\ninput {}\n{}", vec!["x[3]"; 5000].join(", "), "y = a + b\n".repeat(5000))), "");
}

#[test]
fn comments_nest_up_to_the_bound() {
    let comment = |depth: usize| format!("y = a {}{} + b", "/*".repeat(depth), "*/".repeat(depth));
    assert_eq!(said_about(comment(limits::NESTING)), "");
    assert!(said_about(comment(limits::NESTING + 1)).contains("comments are nested more than 64 deep"));
}

#[test]
fn a_file_is_read_up_to_its_bound() {
    let statement = "y = a\n";
    let filled = statement.to_owned() + &" ".repeat(limits::SOURCE_BYTES - statement.len());
    assert_eq!(said_about(filled.clone()), "");
    let said = said_about(filled + " ");
    assert!(said.starts_with("error: this file has 1048577 bytes, and a spec may have 1048576\n --> net.spec:1:1\n"), "{said}");
}

#[test]
fn messages_are_found_and_drawn_up_to_their_bounds() {
    let mistakes = |count: usize| "y = a b\n".repeat(count);
    assert!(said_about(mistakes(limits::DRAWN_MESSAGES)).ends_with("\n30 errors\n"));
    assert!(said_about(mistakes(limits::DRAWN_MESSAGES + 1)).ends_with("\n… and 1 more\n\n31 errors\n"));
    assert!(said_about(mistakes(limits::SYNTAX_MESSAGES + 50)).ends_with("\n… and 70 more\n\n100 errors\n"));
    for unclosed in
        ["y = f(\n", "layer f(x) -> s {\n", "y = \"\n", "y = a)\n", "}\n", "y = a ¿\n", "/*\n", "layer f(x) -> s { s = x b\n"]
    {
        let said = said_about(unclosed.repeat(limits::SOURCE_BYTES / unclosed.len()));
        assert!(said.ends_with(" errors\n") || said.ends_with("1 error\n"), "{unclosed}: {said}");
    }
}

#[test]
fn bad_texts_take_no_exponential_time() {
    for (opening, count) in [
        ("f(", 60),
        ("max(i in ", 60),
        ("[", 60),
        ("(-", 60),
        ("if a { ", 60),
        ("f(a = ", 60),
        ("x[i, ", 60),
        ("max(a, ", 60),
        ("if if ", 60),
    ] {
        let close = |sign: char| match sign {
            '(' => ")",
            '[' => "]",
            '{' => "}",
            _ => "",
        };
        let one: String = opening.chars().rev().map(close).collect();
        let said = said_about(format!("y = {}?{}", opening.repeat(count), one.repeat(count)));
        assert!(said.starts_with("error: "), "{opening}: {said}");
    }
}

#[test]
fn a_long_line_is_shown_around_the_mistake() {
    let said = said_about(format!("y = {} a b {}", "f(x, 漢), ".repeat(40), " + c".repeat(40)));
    assert!(said.lines().all(|line| line.chars().count() < limits::DRAWN_COLUMNS + 20), "{said}");
    let said = said_about(format!("y = f({}a b{})", "α, ".repeat(300), ", β".repeat(300)));
    insta::assert_snapshot!("a_long_line", said);
}

#[test]
fn places_on_several_lines_and_files_are_drawn() {
    let mut sources = Sources::default();
    let prelude = sources.add("prelude.spec", "function f(s) =\n  s\n");
    let net = sources.add("net.spec", "a = 1\nb = f(\n  a,\n  2)\n");
    let place = |source, start, end| Span { source, start, end };
    let one = Diagnostic::error(place(net, 10, 21), "`f` takes 1 argument, not 2")
        .label("two are given")
        .also(place(net, 19, 20), "this is the second")
        .also(place(net, 15, 16), "this is the first")
        .also(place(prelude, 9, 10), "defined here")
        .hint("leave it out");
    let two = Diagnostic::warning(place(net, 25, 25), "at the end");
    let three = Diagnostic::warning(place(net, 0, 1), "a name that holds \u{202e} is shown");
    insta::assert_snapshot!("several_places", Diagnostics { sources, messages: vec![one, two, three] }.render());
    assert_eq!(Diagnostics::default().render(), "");
}

#[test]
fn the_nearest_name_is_offered() {
    let names = ["relu", "leaky_relu", "softmax", "softplus", "sgd", "h", "l2"];
    let near = |name: &str| nearest(name, names);
    assert_eq!(near("rleu"), Some("relu"));
    assert_eq!(near("Softmax"), Some("softmax"));
    assert_eq!(near("sofmax"), Some("softmax"));
    assert_eq!(near("leakyrelu"), Some("leaky_relu"));
    assert_eq!(near("l1"), Some("l2"));
    assert_eq!(near("sdg"), Some("sgd"));
    assert_eq!(near("x"), None, "one letter is like no other");
    assert_eq!(near("banana"), None);
    assert_eq!(near(""), None);
    assert_eq!(near(&"s".repeat(100_000)), None);
}
