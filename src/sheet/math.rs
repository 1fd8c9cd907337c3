//! Formulas as a tree: what all back ends print, and nothing that only one of them knows.

/// A formula or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Math {
    /// Parts beside each other: terms with their operators, comparisons, lists.
    Row(Vec<Math>),
    /// A letter, set in italics, or a word, set upright.
    Identifier(String),
    /// A number as it is printed, without a sign.
    Number(String),
    /// An operator, a relation or a mark.
    Operator(Operator),
    /// Factors, the multiplication not written.
    Product(Vec<Math>),
    /// Numerator over denominator.
    Fraction(Box<Math>, Box<Math>),
    /// `∂a/∂b`.
    Derivative(Box<Math>, Box<Math>),
    /// A base with a subscript, a superscript or both.
    Scripts {
        /// What carries them.
        base: Box<Math>,
        /// Below.
        sub: Option<Box<Math>>,
        /// Above.
        sup: Option<Box<Math>>,
    },
    /// Lines one below the other, as under a big operator.
    Stack(Vec<Math>),
    /// A factor with its size below.
    Under(Box<Math>, Box<Math>),
    /// A square root.
    Sqrt(Box<Math>),
    /// Between a pair of fences.
    Fenced(Fence, Box<Math>),
    /// One half of a pair of fences whose other half stands on another line.
    HalfFence(Fence, Side),
    /// Values by condition, one line each; the last holds otherwise where its condition is `None`.
    Cases(Vec<(Math, Option<Math>)>),
    /// Entries in rows and columns, between brackets.
    Matrix(Vec<Vec<Math>>),
    /// A big operator with what it applies to.
    Big {
        /// Which.
        operator: BigOperator,
        /// Below it.
        under: Option<Box<Math>>,
        /// Above it.
        over: Option<Box<Math>>,
        /// To the right of it.
        body: Box<Math>,
    },
    /// A function with its argument, which has parentheses of its own where it needs them.
    Apply {
        /// The function.
        function: Box<Math>,
        /// The argument.
        argument: Box<Math>,
    },
    /// A function with several arguments in parentheses.
    Call {
        /// The function.
        function: Box<Math>,
        /// The arguments.
        arguments: Vec<Math>,
    },
}

/// Where a half of a pair of fences stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before.
    Left,
    /// After.
    Right,
}

/// A pair of fences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// `( )`
    Round,
    /// `[ ]`
    Square,
    /// `| |`
    Bars,
    /// `⌊ ⌋`
    Floor,
    /// `‖ ‖`
    Norm,
    /// Nothing: around the number of a layer, which is no exponent.
    Bare,
}

/// Operators that are larger than what they apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BigOperator {
    /// `Σ`
    Sum,
    /// `Π`
    Product,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `arg max`
    ArgMax,
    /// `arg min`
    ArgMin,
}

/// How an operator is spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// As between two terms.
    Binary,
    /// As between two sides.
    Relation,
    /// As before a term that nothing precedes.
    Prefix,
    /// As after an entry of a list.
    Punctuation,
    /// As a letter.
    Ordinary,
}

macro_rules! operators {
    ($($name:ident $unicode:literal $latex:literal $spacing:ident;)*) => {
        /// Operators, relations and marks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operator {
            $(#[doc = concat!("`", $unicode, "`")] $name,)*
        }

        impl Operator {
            /// The character.
            pub fn unicode(self) -> &'static str {
                match self { $(Operator::$name => $unicode,)* }
            }

            /// The command in LaTeX.
            pub fn latex(self) -> &'static str {
                match self { $(Operator::$name => $latex,)* }
            }

            /// How it is spaced.
            pub fn spacing(self) -> Spacing {
                match self { $(Operator::$name => Spacing::$spacing,)* }
            }
        }
    };
}

operators! {
    Plus         "+" "+"           Binary;
    Minus        "−" "-"           Binary;
    Negative     "−" "-"           Prefix;
    Dot          "·" r"\cdot "     Binary;
    Hadamard     "⊙" r"\odot "     Binary;
    Times        "×" r"\times "    Binary;
    Equal        "=" "="           Relation;
    Becomes      "←" r"\leftarrow " Relation;
    Drawn        "∼" r"\sim "      Relation;
    Less         "<" "<"           Relation;
    LessEqual    "≤" r"\le "       Relation;
    NotEqual     "≠" r"\ne "       Relation;
    GreaterEqual "≥" r"\ge "       Relation;
    Greater      ">" ">"           Relation;
    And          "∧" r"\land "     Binary;
    Or           "∨" r"\lor "      Binary;
    Not          "¬" r"\lnot "     Prefix;
    Comma        "," ","           Punctuation;
    Ellipsis     "…" r"\dots "     Ordinary;
    Slash        "/" "/"           Ordinary;
}

/// What stands between two factors whose multiplication is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nothing.
    None,
    /// A thin space.
    Thin,
    /// A wider space, between two derivatives.
    Medium,
    /// A dot, since two numbers would run together.
    Dot,
}

impl Math {
    /// A letter or word.
    pub fn identifier(name: impl Into<String>) -> Math {
        Math::Identifier(name.into())
    }

    /// A number.
    pub fn number(text: impl ToString) -> Math {
        Math::Number(text.to_string())
    }

    /// `( … )`.
    pub fn parenthesized(self) -> Math {
        Math::Fenced(Fence::Round, Box::new(self))
    }

    /// A fraction.
    pub fn fraction(numerator: Math, denominator: Math) -> Math {
        Math::Fraction(Box::new(numerator), Box::new(denominator))
    }

    /// `∂of/∂by`.
    pub fn derivative(of: Math, by: Math) -> Math {
        Math::Derivative(Box::new(of), Box::new(by))
    }

    /// With a subscript.
    pub fn with_subscript(self, sub: Math) -> Math {
        Math::Scripts { base: Box::new(self), sub: Some(Box::new(sub)), sup: None }
    }

    /// With a superscript.
    pub fn with_superscript(self, sup: Math) -> Math {
        Math::Scripts { base: Box::new(self), sub: None, sup: Some(Box::new(sup)) }
    }

    /// Two sides and what is between them.
    pub fn relation(left: Math, operator: Operator, right: Math) -> Math {
        Math::Row(vec![left, Math::Operator(operator), right])
    }

    /// Factors beside each other: nothing is 1, one is itself, and products in products are flat.
    pub fn product(factors: Vec<Math>) -> Math {
        let mut flat = Vec::with_capacity(factors.len());
        for factor in factors {
            match factor {
                Math::Product(inner) => flat.extend(inner),
                factor => flat.push(factor),
            }
        }
        if flat.len() > 1 {
            return Math::Product(flat);
        }
        flat.pop().unwrap_or_else(|| Math::number(1))
    }

    /// Entries with commas between them.
    pub fn list(entries: Vec<Math>) -> Math {
        let mut row = Vec::with_capacity(2 * entries.len());
        for entry in entries {
            if !row.is_empty() {
                row.push(Math::Operator(Operator::Comma));
            }
            row.push(entry);
        }
        if row.len() == 1 { row.swap_remove(0) } else { Math::Row(row) }
    }

    /// With derivatives on one line, `∂a/∂b`, as they are set within text.
    pub fn with_flat_derivatives(&self) -> Math {
        let flat = |math: &Math| math.with_flat_derivatives();
        match self {
            Math::Derivative(of, by) => {
                let d = || Math::identifier("∂");
                Math::Row(vec![d(), flat(of), Math::Operator(Operator::Slash), d(), flat(by)])
            }
            Math::Row(parts) => Math::Row(parts.iter().map(flat).collect()),
            Math::Product(parts) => Math::Product(parts.iter().map(flat).collect()),
            Math::Fenced(fence, body) => Math::Fenced(*fence, Box::new(flat(body))),
            other => other.clone(),
        }
    }

    /// Whether it is higher than a line of text, so that fences around it grow.
    pub fn is_tall(&self) -> bool {
        match self {
            Math::Fraction(..) | Math::Derivative(..) | Math::Cases(_) | Math::Matrix(_) => true,
            Math::Big { over, body, .. } => over.is_some() || body.is_tall(),
            Math::Identifier(_) | Math::Number(_) | Math::Operator(_) | Math::HalfFence(..) => false,
            Math::Row(parts) | Math::Product(parts) | Math::Stack(parts) => parts.iter().any(Math::is_tall),
            Math::Scripts { base, .. } => base.is_tall(),
            Math::Under(..) => true,
            Math::Sqrt(body) | Math::Fenced(_, body) => body.is_tall(),
            Math::Apply { argument, .. } => argument.is_tall(),
            Math::Call { arguments, .. } => arguments.iter().any(Math::is_tall),
        }
    }

    /// Whether it is a little higher than a letter: a superscript above a subscript, or a superscript in fences.
    pub fn has_superscript(&self) -> bool {
        match self {
            Math::Scripts { sup, .. } => sup.is_some(),
            Math::Row(parts) | Math::Product(parts) => parts.iter().any(Math::has_superscript),
            Math::Sqrt(_) => true,
            Math::Fenced(_, body) => body.has_superscript(),
            Math::Apply { argument, .. } => argument.has_superscript(),
            Math::Call { arguments, .. } => arguments.iter().any(Math::has_superscript),
            _ => false,
        }
    }
}

/// What stands between two neighbouring factors.
pub fn gap(left: &Math, right: &Math) -> Gap {
    match (left, right) {
        (Math::Number(_), Math::Number(_)) => Gap::Dot,
        (Math::Number(_), right) if starts_with_digit(right) => Gap::Dot,
        (Math::Derivative(..), Math::Derivative(..)) => Gap::Medium,
        (Math::Number(_) | Math::Fraction(..), Math::Big { .. }) => Gap::Thin,
        (Math::Number(_), right) if is_letter(right) => Gap::None,
        (Math::Number(_), Math::Scripts { base, .. }) if is_letter(base) => Gap::None,
        (Math::Number(_), Math::Fenced(..) | Math::Sqrt(_)) => Gap::None,
        (Math::Identifier(_) | Math::Scripts { .. } | Math::Fenced(..), Math::Fenced(..) | Math::HalfFence(..)) => Gap::None,
        (Math::Big { .. } | Math::Cases(_), _) => Gap::Medium,
        (_, right) if starts_with_digit(right) => Gap::Dot,
        _ => Gap::Thin,
    }
}

fn is_letter(math: &Math) -> bool {
    matches!(math, Math::Identifier(name) if name.chars().count() == 1)
}

fn starts_with_digit(math: &Math) -> bool {
    match math {
        Math::Number(_) => true,
        Math::Scripts { base, .. } => starts_with_digit(base),
        Math::Product(parts) | Math::Row(parts) => parts.first().is_some_and(starts_with_digit),
        _ => false,
    }
}

/// An estimate of the width in ems of the surrounding text, good to about a tenth: enough to decide where a line ends.
pub fn width(math: &Math) -> f64 {
    /// Scripts are set at seven tenths of the size.
    const SCRIPT: f64 = 0.7;
    match math {
        Math::Row(parts) => parts.iter().map(width).sum(),
        Math::Identifier(name) => match name.chars().count() {
            1 => 0.58,
            count => 0.5 * count as f64,
        },
        Math::Number(digits) => digits.chars().map(|digit| if digit == '.' { 0.28 } else { 0.5 }).sum(),
        Math::Operator(operator) => match operator.spacing() {
            Spacing::Binary => 1.22,
            Spacing::Relation => 1.34,
            Spacing::Prefix => 0.78,
            Spacing::Punctuation => 0.45,
            Spacing::Ordinary => 0.7,
        },
        Math::Product(parts) => {
            let gaps = parts.windows(2).map(|pair| match gap(&pair[0], &pair[1]) {
                Gap::None => 0.0,
                Gap::Thin => 0.17,
                Gap::Medium => 0.28,
                Gap::Dot => 0.72,
            });
            parts.iter().map(width).sum::<f64>() + gaps.sum::<f64>()
        }
        Math::Fraction(above, below) => width(above).max(width(below)) + 0.24,
        Math::Derivative(of, by) => width(of).max(width(by)) + 0.57 + 0.24,
        Math::Scripts { base, sub, sup } => {
            let script = |script: &Option<Box<Math>>| script.as_deref().map_or(0.0, width);
            width(base) + SCRIPT * script(sub).max(script(sup)) + 0.05
        }
        Math::Stack(lines) => lines.iter().map(width).fold(0.0, f64::max),
        Math::Under(body, under) => width(body).max(0.5 * width(under)),
        Math::Sqrt(body) => width(body) + 0.9,
        Math::Fenced(Fence::Bare, body) => width(body),
        Math::Fenced(_, body) => width(body) + if body.is_tall() { 1.3 } else { 0.85 },
        Math::HalfFence(..) => 0.6,
        Math::Cases(rows) => {
            let value = rows.iter().map(|(value, _)| width(value)).fold(0.0, f64::max);
            let condition = rows.iter().map(|(_, condition)| condition.as_ref().map_or(4.0, |c| width(c) + 0.6));
            value + condition.fold(0.0, f64::max) + 1.8
        }
        Math::Matrix(rows) => {
            let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
            let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(width).fold(0.0, f64::max);
            (0..columns).map(|column| widest(column) + 1.0).sum::<f64>() + 0.6
        }
        Math::Big { operator, under, over, body } => {
            let own = match operator {
                BigOperator::Sum | BigOperator::Product => 1.44,
                BigOperator::Max | BigOperator::Min => 1.7,
                BigOperator::ArgMax | BigOperator::ArgMin => 3.4,
            };
            let limit = |limit: &Option<Box<Math>>| SCRIPT * limit.as_deref().map_or(0.0, width);
            f64::max(own, limit(under)).max(limit(over)) + 0.17 + width(body)
        }
        Math::Apply { function, argument } => width(function) + width(argument) + 0.17,
        Math::Call { function, arguments } => width(function) + 0.85 + arguments.iter().map(|a| width(a) + 0.45).sum::<f64>(),
    }
}
