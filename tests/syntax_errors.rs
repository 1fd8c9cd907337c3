//! Bad texts, each with the message a user sees: the table here, the messages in `snapshots/`.

use deltarule_compiler::diagnostic::Diagnostics;
use deltarule_compiler::span::Sources;
use deltarule_compiler::syntax;

/// What a user sees for each text of a table.
fn seen(table: &[(&str, &str)]) -> String {
    let mut all = String::new();
    for (promise, text) in table {
        let mut sources = Sources::default();
        let id = sources.add("net.spec", *text);
        let (_, messages) = syntax::parse(&sources, id);
        assert!(!messages.is_empty(), "{promise}: no message for {text:?}");
        let rendered = Diagnostics { sources, messages }.render();
        all.push_str(&format!("======== {promise}\n{text}\n--------\n{rendered}\n"));
    }
    all
}

#[test]
fn mistakes_in_statements_are_named() {
    let table = [
        ("a misspelt keyword is offered", "inptu x[64]"),
        ("a misspelt keyword is offered before text too", "inclued \"other.spec\""),
        ("a word that is near to none", "banana x"),
        ("no statement at all", "64"),
        ("a sign of another language", "# a comment"),
        ("a keyword is no left-hand side", "loss = cross_entropy(y, t)"),
        ("a keyword is no left-hand side, with an index", "input[i] = x[i]"),
        ("a loss is defined as a function", "loss charbonnier(y[j], t[j], eps = 0.1) = mean(j: sqrt((y[j] - t[j])^2 + eps^2))"),
        ("a parameter is drawn from something", "param w[i: 3, j: 2]"),
        ("a parameter is not assigned", "param w[i: 3] = 0"),
        ("an input's brackets hold sizes", "input x[i: 3]"),
        ("brackets that hold nothing", "input x[]"),
        ("a class has a number", "target t: class"),
        ("a class has square brackets", "target t: class(10)"),
        ("only a class follows the colon", "target t: label[10]"),
        (
            "a misspelt word inside a statement is offered",
            "target t: clas[10]\nobjective f bye x\ny = x |> dense(3) az hidden\nz = [a annd b]",
        ),
        ("a declaration ends", "input x[3] y[4]"),
        ("a comma is followed by something", "input x[3],"),
        ("an objective says by what", "objective f"),
        ("an optimizer is frozen by its name", "optimizer none w"),
        ("a list of names holds no expressions", "regularizer l2(1) on w, 2 * b"),
        ("a function has parameters", "function f = 3"),
        ("a function has a value", "function f(a)"),
        ("a function needs no braces", "function f(a) { a + 1 }"),
        ("a layer has a body", "layer f(x[i]) -> s[i]"),
        ("a layer has a result", "layer f(x[i]) { s[i] = x[i] }"),
        ("an optimizer's definition has a body on its line", "optimizer f(rate, alpha = 0.9)\n{\n    w' = w\n}"),
        ("leading axes stand first", "function f(x[i, ..]) = x[i]"),
        ("leading axes are no left-hand side", "s[.., j] = x[j]"),
        ("a left-hand index is a name", "h[0, j] = x[j]"),
        ("an interval has two ends", "function f(a = 0 in [0]) = a"),
        ("a second equation on a line", "y = x z = x"),
        ("an equation has a right-hand side", "y ="),
        ("an equation has one equals sign", "y == x"),
        ("assignment of another language", "y := x"),
        ("an update of another language", "y += x"),
        ("a network has one name", "network A\nnetwork B"),
        ("what an include needs", "include other.spec"),
    ];
    insta::assert_snapshot!(seen(&table));
}

#[test]
fn mistakes_in_expressions_are_named() {
    let table = [
        ("an operator is missing between names", "y = a b"),
        ("an operator is missing after a number", "y = 2 x"),
        ("a number grows into a name", "y = 2x"),
        ("an operator is missing between brackets", "y = (a + b)(c)"),
        ("an operand is missing", "y = a +"),
        ("an operand is missing between operators", "y = a * / b"),
        ("a number has digits before its point", "y = .5"),
        ("a number has digits after its point", "y = 1. + x"),
        ("a number has one point", "y = 1.2.3"),
        ("an exponent has digits", "y = 1e"),
        ("a number that is too large", "y = 1e999"),
        ("a name holds no blank or dash sign", "y = my–name"),
        ("an if has an else", "y = if a > b { a }"),
        ("an if has braces", "y = if a > b then a else b"),
        ("another condition is `else if`", "y = if a > b { a } elif c { b } else { c }"),
        ("a reduction has a colon", "y = sum(i, x[i])\nz = sum(i x[i])"),
        ("a reduction has a body", "y = sum(i: )"),
        ("no reduction", "y = summ(i: x[i])"),
        ("a named argument has an equals sign", "y = x |> dense(n: 10)"),
        ("named arguments stand last", "y = f(a = 1, 2)"),
        ("an argument is missing", "y = f(a, , b)"),
        ("a range has two ends", "y = sum(i in 4: x[i])"),
        ("a range has two dots", "y = sum(i in 0...4: x[i])"),
        ("comparisons do not chain", "y = if a < b < c { a } else { b }"),
        ("a condition is no value", "y = a < b"),
        ("a condition is no operand", "y = 1 + (a and b)"),
        ("two equals signs compare nowhere", "y = [a == b]"),
        ("signs of another language", "y = if a > 0 && b > 0 { 1 } else { 0 }\nz = a ** 2\nu = a % 2\nv = W @ x\nw = a ? b : c"),
        ("signs of mathematics", "y = a × b\nz = x²\nu = ∑ x\nv = a − b\nw = [a ≤ b]"),
        ("a pipe binds loosest", "y = x |> f(1) + 1"),
        ("a pipe leads to a name", "y = x |> 5\nz = x |> (f)"),
        ("a label is a name", "y = x |> dense(3) as 7"),
        ("only a name can be indexed", "y = softmax(x)[1]"),
        ("an index list holds something", "y = x[]"),
        ("text is no value", "y = \"text\""),
        ("text is in double quotes", "y = f('same')"),
        ("operators that are words are no names", "y = and + 1"),
    ];
    insta::assert_snapshot!(seen(&table));
}

#[test]
fn mistakes_in_layout_are_named() {
    let table = [
        ("a bracket that is never closed hides no other mistake", "s = sum(i: w[i]\ny = a b\nloss y"),
        ("the innermost bracket is to blame", "s = f(g(x, 1)\nloss s"),
        ("a bracket that closes nothing", "s = a + b)"),
        ("a byte order mark is in no column", "\u{feff}s = a b"),
        ("brackets of two kinds", "s = f(x[1)]"),
        ("a brace that closes nothing", "y = x\n}"),
        ("text that is not closed", "include \"other.spec\nloss y"),
        ("a comment that is not closed", "y = x\n/* here /* nested */\nloss y"),
        ("a body that is not closed", "layer f(x[i]) -> s[i] {\n    s[i] = x[i]\n\ninput x[3]\nloss x\ny = a b"),
        ("a bracket that is open where the body ends", "layer f(x[i]) -> s[i] {\n    s[i] = (x[i]\n}\nloss a b"),
        ("a loss stands in no layer", "layer f(x[i]) -> s[i] {\n    s[i] = x[i]\n    loss s\n    state v ~ 0\n}"),
        ("a parameter stands in no optimizer", "optimizer f(rate) {\n    param v ~ 0\n    w' = w - rate * g\n}"),
        ("a state stands in an optimizer", "state v ~ 0"),
        ("a definition stands in no body", "layer f(x[i]) -> s[i] {\n    layer g(x[i]) -> s[i] {\n        s[i] = x[i]\n    }\n}"),
        ("a statement has its own line", "layer f(x[i]) -> s[i] { s[i] = x[i] } loss y"),
        ("a statement ends with its line", "y = a +\n    b"),
        ("each mistake is reported", "input x[\ny = a b; z = c d\nloss y +\noptimizer sgd(0.1\n"),
        ("tabs and wide letters keep carets in place", "\ty\t= a b\nz = \"漢字\" + 1 2\nλ = σ σ"),
        ("control characters are not sent to a terminal", "y = \u{1b}[31m x\nz = \u{202e} x"),
    ];
    insta::assert_snapshot!(seen(&table));
}
