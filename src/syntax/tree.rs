//! The tree of a spec: what was written, where, and nothing more.
//!
//! Close to the text on purpose. Names are not resolved, shapes not known, definitions not expanded; that is the
//! work of [`crate::model`]. The prelude is a spec like any other and has the same tree.

#![expect(missing_docs, reason = "each variant's own comment shows the text it stands for, with its parts by name")]

use crate::span::Span;

/// A name with its place, such as `w` or `dense1.w`. Dots are part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The name as written.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    /// `network Name`.
    pub network: Option<Name>,
    /// The statements in order.
    pub statements: Vec<Statement>,
}

/// One statement with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// The whole of it.
    pub span: Span,
}

/// The statements of section 3 of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let n = 32`.
    Let { name: Name, value: Expr },
    /// `input x[28, 28], y`, one declaration for each name.
    Input(Vec<Declaration>),
    /// `target t: class[10]`.
    Target(Vec<Declaration>),
    /// `param w[i: 64, j: 32] ~ he`.
    Param(Drawn),
    /// `noise m[i: 64] ~ bernoulli(0.5)`.
    Noise(Drawn),
    /// `y[j] = …`, `y = …`; in an optimizer's body also `v' = …` (the name's text ends in `'`).
    Equation(EquationStatement),
    /// `loss EXPR`.
    Loss(Expr),
    /// `regularizer EXPR on a, b`; an empty `on` means by default.
    Regularizer { value: Expr, on: Vec<Name> },
    /// `objective EXPR by a, b`.
    Objective { value: Expr, by: Vec<Name> },
    /// `optimizer EXPR on a, b`; `None` is `optimizer none on a`.
    Optimizer { rule: Option<Expr>, on: Vec<Name> },
    /// `function f(a, b = 1) = EXPR`.
    Function(FunctionDefinition),
    /// `layer f(x[i], n) -> s[j: n] { … }`.
    Layer(LayerDefinition),
    /// `optimizer f(rate) { … }`.
    OptimizerDefinition(OptimizerDefinition),
    /// `state v ~ 0`, only inside an optimizer's body.
    State { name: Name, initial: Expr },
    /// `include "other.spec"`.
    Include { path: String, span: Span },
}

/// A declared tensor: `x[28, 28]`, `t: class[10]`, `a`.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Its name.
    pub name: Name,
    /// The extents; empty for a scalar.
    pub shape: Vec<Expr>,
    /// The number of classes of an integer label.
    pub class: Option<Expr>,
}

/// An index on the left-hand side or in a header, with its range where it states one: `i: 64`.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredIndex {
    /// The index.
    pub name: Name,
    /// Its extent; in `param w[64]` the name is `_` and only the extent is written.
    pub extent: Option<Expr>,
}

/// A tensor that is drawn from a distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// Its name.
    pub name: Name,
    /// Whether the brackets begin with `..`: the leading axes of the layer's header.
    pub leading: bool,
    /// Its indices.
    pub indices: Vec<DeclaredIndex>,
    /// The distribution: a call such as `normal(0, 1)`, a name such as `he`, or a constant.
    pub from: Expr,
    /// `if COND` at the end, known when the model is built: where it does not hold the declaration is absent and reads of it are 0.
    pub condition: Option<Expr>,
}

/// `y[i, j: 4] = EXPR` or `y = EXPR`.
#[derive(Clone, Debug, PartialEq)]
pub struct EquationStatement {
    /// The left-hand name.
    pub name: Name,
    /// `None` for a tensor equation, which has no brackets.
    pub indices: Option<Vec<DeclaredIndex>>,
    /// The right-hand side.
    pub value: Expr,
}

/// A parameter of a definition: `s`, `a = 1`, `x[i]`, `y[..]`, `s[.., j]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Formal {
    /// Its name.
    pub name: Name,
    /// Whether the brackets begin with `..`: any number of leading axes, over which the definition is mapped.
    pub leading: bool,
    /// The indices; `None` without brackets: a scalar or a number.
    pub indices: Option<Vec<DeclaredIndex>>,
    /// The default value.
    pub default: Option<Expr>,
    /// The closed interval a number must lie in, and what the interval is: `slope = 0 in [0, 1] "the subdifferential of relu"`.
    pub within: Option<Within>,
}

/// A condition on a parameter that is a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Within {
    /// The least value.
    pub low: Expr,
    /// The greatest value.
    pub high: Expr,
    /// What the interval is, for the message.
    pub reason: Option<String>,
}

/// `function f(…) = EXPR`.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionDefinition {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub formals: Vec<Formal>,
    /// Its value.
    pub body: Expr,
}

/// `layer f(…) -> s[j: n] { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerDefinition {
    /// Its name, which numbers its instances: `dense1`.
    pub name: Name,
    /// Its parameters; those with indices are tensors.
    pub formals: Vec<Formal>,
    /// The name of its result, which an equation of the body defines.
    pub result: Formal,
    /// Parameters, noise and equations.
    pub body: Vec<Statement>,
}

/// `optimizer f(…) { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerDefinition {
    /// Its name.
    pub name: Name,
    /// Its parameters, all numbers.
    pub formals: Vec<Formal>,
    /// States and equations.
    pub body: Vec<Statement>,
}

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The whole of it.
    pub span: Span,
}

/// Section 4 of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `0.5`.
    Number(f64),
    /// `"text"`, only as an argument.
    Text(String),
    /// `x`, `dense1.w`, `pi`.
    Name(String),
    /// `x[2*p + u, c]`.
    Access { name: Name, indices: Vec<Expr> },
    /// `f(a, b = 1)`.
    Call { name: Name, arguments: Vec<Argument> },
    /// `x |> f(a) as hidden`; `call` is a [`ExprKind::Call`] or a bare [`ExprKind::Name`].
    Pipe { value: Box<Expr>, call: Box<Expr>, label: Option<Name> },
    /// `-a`.
    Negate(Box<Expr>),
    /// `a + b`.
    Binary { operator: BinaryOperator, left: Box<Expr>, right: Box<Expr> },
    /// `a <= b`, only where a condition stands.
    Compare { relation: Relation, left: Box<Expr>, right: Box<Expr> },
    /// `a and b`.
    And(Box<Expr>, Box<Expr>),
    /// `a or b`.
    Or(Box<Expr>, Box<Expr>),
    /// `not a`.
    Not(Box<Expr>),
    /// `[a < b]`: 1 where it holds, else 0.
    Iverson(Box<Expr>),
    /// `if c { a } else { b }`.
    If { condition: Box<Expr>, then: Box<Expr>, otherwise: Box<Expr> },
    /// `sum(i, k: body)`; with `leading`, the axes that `..` stands for as well: `sum(..: body)`.
    Reduce { operator: ReduceOperator, leading: bool, indices: Vec<BoundIndex>, body: Box<Expr> },
    /// `position(..)`: the place of the axes that `..` stands for when they are laid out in a row, the last axis fastest.
    Position,
}

/// An argument of a call, with its name where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `rate` in `rate = 0.1`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// An index that a reduction binds: `i`, or `i in 0..4`.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundIndex {
    /// The index.
    pub name: Name,
    /// First value and one past the last.
    pub range: Option<(Expr, Expr)>,
}

/// The arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
}

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>=`
    GreaterEqual,
    /// `>`
    Greater,
}

impl Relation {
    /// As the language writes it.
    pub fn sign(self) -> &'static str {
        match self {
            Relation::Less => "<",
            Relation::LessEqual => "<=",
            Relation::Equal => "=",
            Relation::NotEqual => "!=",
            Relation::GreaterEqual => ">=",
            Relation::Greater => ">",
        }
    }

    /// What `b` is to `a` where `a` is this to `b`.
    pub(crate) fn mirrored(self) -> Relation {
        match self {
            Relation::Less => Relation::Greater,
            Relation::LessEqual => Relation::GreaterEqual,
            Relation::Greater => Relation::Less,
            Relation::GreaterEqual => Relation::LessEqual,
            Relation::Equal | Relation::NotEqual => self,
        }
    }

    /// What holds of two numbers, none of them NaN, of which this does not hold.
    pub(crate) fn opposite(self) -> Relation {
        match self {
            Relation::Less => Relation::GreaterEqual,
            Relation::LessEqual => Relation::Greater,
            Relation::Equal => Relation::NotEqual,
            Relation::NotEqual => Relation::Equal,
            Relation::GreaterEqual => Relation::Less,
            Relation::Greater => Relation::LessEqual,
        }
    }
}

/// The reductions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReduceOperator {
    /// `sum`
    Sum,
    /// `mean`
    Mean,
    /// `product`
    Product,
    /// `max`
    Max,
    /// `min`
    Min,
}
