//! What the layout is, example by example.

use super::format;

fn formatted(text: &str) -> String {
    let once = format("net.spec", text).unwrap_or_else(|diagnostics| panic!("{text}\n{}", diagnostics.render()));
    let twice = format("net.spec", &once).unwrap_or_else(|diagnostics| panic!("{once}\n{}", diagnostics.render()));
    assert_eq!(twice, once, "formatting again changes it");
    once
}

#[test]
fn signs_have_the_blanks_that_the_prelude_gives_them() {
    for (written, expected) in [
        ("y=a+b*c-d/e^ - f", "y = a + b * c - d / e^-f"),
        ("y = - - a*( - b + 1 )", "y = --a * (-b + 1)"),
        ("y=a- -b", "y = a - -b"),
        ("y [i,j :4]=w[ 2*p+u-1 , 0 ]", "y[i, j: 4] = w[2 * p + u - 1, 0]"),
        ("s=sum (i,k   in 0 .. n-1:x[i])", "s = sum(i, k in 0..n - 1: x[i])"),
        ("s=sum( .. , i in 0..-1 :x)", "s = sum(.., i in 0..-1: x)"),
        ("y=[not a>2]*[a<=1 and  b!=c]", "y = [not a > 2] * [a <= 1 and b != c]"),
        ("y=if a<0{-a}else if a=0{0}else{a}", "y = if a < 0 { -a } else if a = 0 { 0 } else { a }"),
        ("z=x|>dense(n,bias=false)as hidden|>relu", "z = x |> dense(n, bias = false) as hidden |> relu"),
        ("param w[i:64,j]~normal( 0,1 )if n>2", "param w[i: 64, j] ~ normal(0, 1) if n > 2"),
        ("noise m [ .. ]~bernoulli(p)", "noise m[..] ~ bernoulli(p)"),
        ("target t:class [10],u", "target t: class[10], u"),
        ("function f(x[..],a=0 in[-1,2]\"why\")=x", "function f(x[..], a = 0 in [-1, 2] \"why\") = x"),
        ("layer f(x[..,i],n)->s[j:n]{s[j]=position(..)}", "layer f(x[.., i], n) -> s[j: n] { s[j] = position(..) }"),
        ("optimizer idle( ){ }", "optimizer idle() {}"),
        ("optimizer none on d,dense1.w", "optimizer none on d, dense1.w"),
        ("objective -f by x,w", "objective -f by x, w"),
        ("loss[a<b]", "loss [a < b]"),
        ("on=by[as]+in[0]", "on = by[as] + in[0]"),
        ("include  \"a  b.spec\"", "include \"a  b.spec\""),
        ("y=1_000*2.5e-3+x", "y = 1_000 * 2.5e-3 + x"),
    ] {
        assert_eq!(formatted(written), format!("{expected}\n"), "{written}");
    }
}

#[test]
fn bodies_and_brackets_indent_by_four_and_chains_stay_broken() {
    let written = "layer f(x[i]) -> y[i] {\n  // why\n y = g(\nx,\n  sum(i:\nx[i]))\n\n}\nz = x\n|> a\n// then\n |> b(\n1)\nq = (\nx\n|> c\n)\nw = 2 * (x\n|> c)\n";
    let expected = "layer f(x[i]) -> y[i] {
    // why
    y = g(
        x,
        sum(i:
            x[i]))
}
z = x
    |> a
    // then
    |> b(
        1)
q = (
    x
        |> c
)
w = 2 * (x
    |> c)
";
    assert_eq!(formatted(written), expected);
}

#[test]
fn of_empty_lines_one_is_kept_and_none_at_an_end() {
    let written = "\n\n// a\n\n\n\nx = 1\n\nlayer f() -> s {\n\n    s = 2\n\n\n    // b\n\n}\n\n\n";
    assert_eq!(formatted(written), "// a\n\nx = 1\n\nlayer f() -> s {\n    s = 2\n\n    // b\n}\n");
    assert_eq!(formatted(" \n\t\n"), "");
}

#[test]
fn a_semicolon_stays_only_between_two_statements_of_a_line() {
    assert_eq!(formatted("a = 1 ;b = 2;\n;c = 3;; /* d */ e = 4 ; // f\n;"), "a = 1; b = 2\nc = 3; /* d */ e = 4     // f\n");
    assert_eq!(formatted("layer f() -> s {s=1;;}"), "layer f() -> s { s = 1 }\n");
    assert_eq!(formatted("a = 1; /* over\ntwo lines */ b = 2"), "a = 1; /* over\ntwo lines */ b = 2\n");
}

#[test]
fn what_was_in_one_column_is_again() {
    for (written, expected) in [
        (
            "input    x[3]   // data\ntarget   tt:class[2] // labels\n",
            "input  x[3]     // data\ntarget tt: class[2]  // labels\n",
        ),
        ("param a~0\nparam  bb    ~ 0\nparam  c     ~ 0\n", "param a ~ 0\nparam bb ~ 0\nparam c  ~ 0\n"),
        ("ab    = 1\nc     = 22\nd = 3\n", "ab = 1\nc  = 22\nd = 3\n"),
    ] {
        assert_eq!(formatted(written), expected);
    }
    let kept = "h1 = x  |> f\nh2 = h1 |> g\nx = 4             // far\n                  // and further\n// own line\ny = 5    //   near\n";
    assert_eq!(formatted(kept), kept);
    let together = "a=1 // one\nbb=22// two\n";
    assert_eq!(formatted(together), "a = 1 // one\nbb = 22 // two\n");
    let pushed = "a=1   // one\nbb=22 // two\n";
    assert_eq!(formatted(pushed), "a = 1   // one\nbb = 22 // two\n");
}

#[test]
fn comments_stand_apart_from_what_they_stand_beside() {
    let written = "y=f(/*a*/x/* b */,z)//c  \n/* d\n   e */\nw=2^/*f*/3\nv=-/*g*/ /*h*/x(//i\n1)";
    let expected = "y = f(/*a*/ x /* b */, z) //c\n/* d\n   e */\nw = 2^ /*f*/ 3\nv = - /*g*/ /*h*/ x( //i\n    1)\n";
    assert_eq!(formatted(written), expected);
}

#[test]
fn the_ends_of_lines_are_those_of_the_first() {
    assert_eq!(formatted("\u{feff}a=1\r\nb=2\n/* c\r\r\nd */"), "\u{feff}a = 1\r\nb = 2\r\n/* c\r\nd */\r\n");
    assert_eq!(formatted("a=1\nb=2\r\n/* c\r\nd */"), "a = 1\nb = 2\n/* c\nd */\n");
}

#[test]
fn the_braces_of_a_choice_in_an_optimizer_line_are_no_body() {
    let written = "optimizer if k < 9 {\nsgd(1)\n|> clip_norm(1)\n} else {\nsgd(0.1)\n}\n";
    assert_eq!(formatted(written), "optimizer if k < 9 {\n    sgd(1)\n        |> clip_norm(1)\n} else {\n    sgd(0.1)\n}\n");
}

#[test]
fn a_text_with_a_mistake_has_no_layout_but_a_message() {
    let diagnostics = format("net.spec", "y = = 2\n").unwrap_err();
    assert!(diagnostics.render().contains("net.spec:1:3"), "{}", diagnostics.render());
}
