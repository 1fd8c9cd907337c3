//! The words of the language, and what they are called in messages: tables that one reads top to bottom.

use super::grammar::Rule;

/// The words that begin a statement, with what the statement looks like.
pub(super) const KEYWORDS: [(&str, &str); 14] = [
    ("network", "network Name"),
    ("let", "let n = 32"),
    ("input", "input x[64]"),
    ("target", "target t: class[10]"),
    ("param", "param w[i: 64, j: 32] ~ glorot"),
    ("noise", "noise m[i: 64] ~ bernoulli(0.5)"),
    ("loss", "loss cross_entropy(y, t)"),
    ("regularizer", "regularizer l2(0.001)"),
    ("objective", "objective f by x, y"),
    ("optimizer", "optimizer adam(rate = 0.001)"),
    ("function", "function f(a, b = 1) = a + b"),
    ("layer", "layer f(x[i], n) -> s[j: n] { … }"),
    ("state", "state v ~ 0"),
    ("include", "include \"other.spec\""),
];

/// The keywords of statements that stand in no body.
pub(super) const OUTSIDE_BODIES: [&str; 10] =
    ["network", "input", "target", "loss", "regularizer", "objective", "optimizer", "function", "layer", "include"];

/// What other notations write, and what this language has for it. Longer signs stand before their beginnings.
pub(super) const FOREIGN_SIGNS: [(&str, &str); 40] = [
    ("==", "two values are compared with `=`"),
    (":=", "an equation is written with `=`"),
    ("=>", "at least is written `>=`"),
    ("=<", "at most is written `<=`"),
    ("<>", "unequal is written `!=`"),
    ("**", "a power is written `a^b`"),
    ("+=", "an equation says what the left side is: `w' = w + …`"),
    ("-=", "an equation says what the left side is: `w' = w - …`"),
    ("++", "there is no increment; an equation says what the left side is"),
    ("&&", "both conditions: `a and b`"),
    ("||", "either condition: `a or b`"),
    ("!", "a condition is turned round with `not`"),
    ("&", "both conditions: `a and b`"),
    ("|", "a value is passed on with `|>`"),
    ("%", "there is no remainder; `a - b * floor(a / b)` is it"),
    ("?", "a choice is written `if c { a } else { b }`"),
    ("@", "a matrix product is `sum(k: a[i, k] * b[k, j])`"),
    ("#", "a comment begins with `//`"),
    ("\\", "a statement goes on over the line's end while a bracket is open, and before `|>`"),
    ("'", "text stands in double quotes"),
    ("`", "text stands in double quotes"),
    ("“", "text stands in straight double quotes"),
    ("”", "text stands in straight double quotes"),
    ("→", "an arrow is written `->`"),
    ("×", "a product is written `a * b`"),
    ("·", "a product is written `a * b`"),
    ("⋅", "a product is written `a * b`"),
    ("÷", "a quotient is written `a / b`"),
    ("−", "this is a typographic minus; write `-`"),
    ("–", "this is a dash; write `-`"),
    ("≤", "at most is written `<=`"),
    ("≥", "at least is written `>=`"),
    ("≠", "unequal is written `!=`"),
    ("²", "a square is written `a^2`"),
    ("³", "a cube is written `a^3`"),
    ("√", "a root is written `sqrt(a)`"),
    ("∞", "infinity is written `inf`"),
    ("∑", "a sum is written `sum(i: x[i])`"),
    ("∏", "a product over an index is written `product(i: x[i])`"),
    ("{", "braces stand only after `if`, `else` and the head of a layer or an optimizer"),
];

/// The same for words.
pub(super) const FOREIGN_WORDS: [(&str, &str); 7] = [
    ("then", "a choice is written `if c { a } else { b }`"),
    ("elif", "another condition is written `else if c { b }`"),
    ("elseif", "another condition is written `else if c { b }`"),
    ("elsif", "another condition is written `else if c { b }`"),
    ("xor", "conditions are joined with `and` and `or`; that two differ is `[a] != [b]`"),
    ("mod", "there is no remainder; `a - b * floor(a / b)` is it"),
    ("where", "a condition on a value is written `if c { a } else { b }`"),
];

/// What an operand, and all that is made of operands, is called.
pub(super) const AN_EXPRESSION: &str = "an expression";

/// What ends all that the grammar is given.
pub(super) const THE_END: &str = "the end of the statement";

/// What a rule is called in a message; nothing for what goes without saying.
pub(super) fn words(rule: Rule) -> Option<&'static str> {
    use Rule::*;
    Some(match rule {
        EOI => THE_END,
        name | path => "a name",
        number => "a number",
        text => "text in quotes",
        expression | operation | reference | group | conditional | iverson | negate | not => AN_EXPRESSION,
        or | and | less_equal | less | equal | not_equal | greater_equal | greater | add | subtract | multiply | divide
        | power => "an operator",
        argument => "an argument",
        declaration => "a name",
        declared_index | bound_index => "an index",
        drawn_index => "an index or a size",
        formal => "a parameter",
        extents | index_list | left_indices | drawn_indices | indices | open_bracket => "`[`",
        formals | arguments | reduction | open_paren => "`(`",
        close_paren => "`)`",
        close_bracket => "`]`",
        open_brace => "`{`",
        close_brace => "`}`",
        comma => "`,`",
        colon => "`:`",
        class => "`: class[…]`",
        class_word => "`class`",
        dots => "`..`",
        arrow => "`->`",
        result => "the name of the result",
        drawn_from => "`~`",
        defined_as => "`=`",
        default => "`= …`",
        within | in_word => "`in`",
        only_if | if_word => "`if`",
        else_word => "`else`",
        on_list | on_word => "`on`",
        by_list | by_word => "`by`",
        label | as_word => "`as`",
        none_word => "`none`",
        pipe | pipe_sign => "`|>`",
        _ => return None,
    })
}
