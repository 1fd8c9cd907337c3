//! A Jacobian in print: the equations between, the Jacobian of each, the chain rule with sizes below the factors, kinks.

use super::compose::kink_lines;
use super::document::{Inline, Line};
use super::formula::{Writer, may_leave_its_tensor};
use super::latex::{self, inline_latex, math_latex};
use super::math::{Math, width};
use super::notation::Notation;
use super::plain;
use super::text::math_text;
use super::{SheetOptions, lines};
use crate::calculus::{Condition, LocalJacobian};
use crate::derivation::Derivation;
use crate::equation::{Equation, ExprId, IndexId, TensorId};
use crate::jacobian::{ChainRule, Jacobian};

/// What formulas with indices outside of tensors take for granted.
const OUTSIDE: &str = "A value with an index outside of its range is 0.";

/// The columns that a line of text has.
const TEXT_WIDTH: usize = 96;

/// As Unicode text for a terminal.
pub fn jacobian_text(derivation: &Derivation, jacobian: &Jacobian, options: &SheetOptions) -> String {
    let page = Page::new(derivation, jacobian, options);
    let mut out = format!("{}: {}\n", page.title, page.size.text());
    out += "\nequations\n";
    let lefts: Vec<String> = page.equations.iter().map(|(left, ..)| math_text(left)).collect();
    for ((_, right, number), left) in page.equations.iter().zip(padded_left(&lefts)) {
        out += &format!("{:>6}  {left} = {}\n", format!("({number})"), math_text(right));
    }
    if !page.factors.is_empty() {
        out += "\nJacobians, each of one equation by what it reads, all else held fixed\n";
    }
    let lefts: Vec<String> = page.factors.iter().map(|factor| math_text(&factor.left)).collect();
    let rights: Vec<String> = page.factors.iter().map(|factor| math_text(&factor.right)).collect();
    let sizes: Vec<String> = page.factors.iter().map(|factor| factor.size.text()).collect();
    let columns = padded_left(&lefts).zip(padded(&rights)).zip(padded(&sizes));
    for (factor, ((left, right), size)) in page.factors.iter().zip(columns) {
        out += format!("        {left} = {right}   {size}   {}", plain::inlines(&factor.reason)).trim_end();
        out.push('\n');
    }
    if !page.chain.is_empty() {
        out += "\nchain rule, over all paths\n";
    }
    for rule in &page.chain {
        out += &chain_text(rule);
    }
    if let Some((of, by, value)) = &page.composed {
        out += &format!("\nin one\n        d{}/d{} = {}\n", math_text(of), math_text(by), math_text(value));
    }
    if page.leaves_tensors {
        out += &format!("\n{OUTSIDE}\n");
    }
    if !page.kinks.is_empty() {
        out += "\nwhere two branches meet\n";
    }
    for kink in &page.kinks {
        let left = kink.left.as_ref().map(math_text).unwrap_or_default();
        out += &format!("        {left} = {}   {}\n", math_text(&kink.right), plain::inlines(&kink.reason));
    }
    out
}

/// As LaTeX to be put into a text; amsmath is used.
pub fn jacobian_latex(derivation: &Derivation, jacobian: &Jacobian, options: &SheetOptions) -> String {
    let page = Page::new(derivation, jacobian, options);
    let mut rows = Vec::new();
    for (left, right, number) in &page.equations {
        rows.push(format!("{} &= {} && \\text{{({number})}}", math_latex(left), math_latex(right)));
    }
    for factor in &page.factors {
        let reason = latex::inlines(&plain_references(&factor.reason));
        let why = if reason.is_empty() { reason } else { format!(", \\quad\\text{{{reason}}}") };
        rows.push(format!("{} &= {} && {}{why}", math_latex(&factor.left), math_latex(&factor.right), factor.size.latex()));
    }
    for rule in &page.chain {
        rows.extend(chain_latex(rule));
    }
    if let Some((of, by, value)) = &page.composed {
        rows.push(format!("{} &= {}", total_latex(of, by), math_latex(value)));
    }
    for kink in &page.kinks {
        let left = kink.left.as_ref().map(math_latex).unwrap_or_default();
        let reason = latex::inlines(&plain_references(&kink.reason));
        rows.push(format!("{left} &= {} && \\text{{{reason}}}", math_latex(&kink.right)));
    }
    let outside = if page.leaves_tensors { format!("{OUTSIDE}\n") } else { String::new() };
    let rows = rows.join(" \\\\\n");
    format!("% {}: {}\n\\begin{{align*}}\n{rows}\n\\end{{align*}}\n{outside}", page.title, page.size.text())
}

/// Rows and columns.
#[derive(Clone, Copy)]
struct Size(usize, usize);

impl Size {
    fn text(self) -> String {
        format!("{} × {}", self.0, self.1)
    }

    fn latex(self) -> String {
        format!("{} \\times {}", self.0, self.1)
    }
}

/// A Jacobian, its formulas set.
struct Page {
    title: String,
    size: Size,
    /// Left side, right side, number.
    equations: Vec<(Math, Math, u32)>,
    factors: Vec<FactorLine>,
    chain: Vec<ChainLine>,
    /// Of what, by what, the expression.
    composed: Option<(Math, Math, Math)>,
    kinks: Vec<Line>,
    /// Whether a formula reads tensors at places outside of them.
    leaves_tensors: bool,
}

struct FactorLine {
    left: Math,
    right: Math,
    size: Size,
    reason: Vec<Inline>,
}

/// A total derivative and the products whose sum it is.
struct ChainLine {
    of: Math,
    by: Math,
    paths: Vec<Vec<ChainFactor>>,
}

struct ChainFactor {
    of: Math,
    by: Math,
    /// Whether it is a total derivative, with a line of its own.
    is_total: bool,
    size: Size,
}

impl Page {
    fn new(derivation: &Derivation, jacobian: &Jacobian, options: &SheetOptions) -> Page {
        let notation = Notation::new(derivation, &options.notation);
        let context = &jacobian.context;
        let name = |tensor: TensorId| {
            let tensor = context.tensor(tensor);
            let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
            if shape.is_empty() { tensor.name.clone() } else { format!("{}[{}]", tensor.name, shape.join(", ")) }
        };
        let on_a_path = |tensor: TensorId| tensor == jacobian.of || jacobian.locals.iter().any(|local| local.of == tensor);
        // On the sheet, equations of several layers may have one number.
        let on_path = derivation.forward.iter().filter(|equation| on_a_path(equation.target));
        let equations: Vec<Equation> =
            on_path.zip(1..).map(|(equation, number)| Equation { number, ..equation.clone() }).collect();
        let setter = Setter { equations: &equations, jacobian, notation: &notation };
        let is_read = |tensor: TensorId| jacobian.locals.iter().any(|local| local.by == tensor);
        // Of one equation by one tensor there is no chain.
        let leaves = |expr| may_leave_its_tensor(context, expr);
        let is_chain = jacobian.locals.len() != 1;
        Page {
            title: format!("Jacobian of {} by {} in {}", name(jacobian.of), name(jacobian.by), derivation.model.name),
            size: setter.size(jacobian.of, jacobian.by),
            equations: equations.iter().map(|equation| setter.equation(equation)).collect(),
            factors: jacobian.locals.iter().map(|local| setter.factor(local)).collect(),
            chain: jacobian.chain.iter().filter(|_| is_chain).map(|rule| setter.chain(rule)).collect(),
            composed: setter.composed(),
            kinks: kink_lines(&notation, options, &equations.iter().collect::<Vec<_>>(), &is_read),
            leaves_tensors: equations
                .iter()
                .map(|equation| equation.value)
                .chain(jacobian.locals.iter().map(|local| local.value))
                .any(leaves),
        }
    }
}

struct Setter<'a> {
    equations: &'a [Equation],
    jacobian: &'a Jacobian,
    notation: &'a Notation<'a>,
}

impl Setter<'_> {
    fn size(&self, of: TensorId, by: TensorId) -> Size {
        let context = &self.jacobian.context;
        Size(context.tensor(of).size(), context.tensor(by).size())
    }

    /// A tensor as a whole.
    fn symbol(&self, tensor: TensorId) -> Math {
        self.notation.element(tensor, false, None, Vec::new(), None)
    }

    fn equation(&self, equation: &Equation) -> (Math, Math, u32) {
        let mut writer = Writer::for_equation(self.notation, equation);
        (writer.left(equation), writer.expression(equation.value), equation.number)
    }

    /// A writer for a derivative with the indices of a row and of a column in scope.
    fn writer(&self, value: ExprId, (of, rows): (TensorId, &[IndexId]), (by, columns): (TensorId, &[IndexId])) -> Writer<'_> {
        let mut writer = Writer::new(self.notation, &self.jacobian.context, &[], &[value]);
        writer.avoid_tensor(of);
        writer.avoid_tensor(by);
        writer.bind_all(rows);
        writer.bind_all(columns);
        writer
    }

    fn factor(&self, local: &LocalJacobian) -> FactorLine {
        let mut writer = self.writer(local.value, (local.of, &local.rows), (local.by, &local.columns));
        let (of, by) = (writer.element(local.of, &local.rows), writer.element(local.by, &local.columns));
        let number = self.equations.iter().find(|equation| equation.target == local.of).map(|equation| equation.number);
        let mut reason: Vec<Inline> = Vec::new();
        if let Some(number) = number {
            reason.extend([Inline::text("from "), Inline::Reference(number)]);
        }
        for step in &local.steps {
            if let Some(Condition::NotZero(expr)) = step.condition {
                reason.extend([Inline::text(", for "), Inline::Math(writer.not_zero(expr))]);
            }
        }
        FactorLine {
            left: Math::derivative(of, by),
            right: writer.expression(local.value),
            size: self.size(local.of, local.by),
            reason,
        }
    }

    fn chain(&self, rule: &ChainRule) -> ChainLine {
        let target = self.jacobian.by;
        let factor = |of: TensorId, by: TensorId, is_total: bool| ChainFactor {
            of: self.symbol(of),
            by: self.symbol(by),
            is_total,
            size: self.size(of, by),
        };
        let paths = rule.paths.iter().map(|path| {
            let locals = path.factors.iter().map(|&at| &self.jacobian.locals[at]);
            let factors = locals.map(|local| factor(local.of, local.by, false));
            factors.chain(path.rest.map(|rest| factor(rest, target, true))).collect()
        });
        ChainLine { of: self.symbol(rule.of), by: self.symbol(target), paths: paths.collect() }
    }

    fn composed(&self) -> Option<(Math, Math, Math)> {
        let Jacobian { of, by, composed, .. } = self.jacobian;
        let composed = composed.as_ref()?;
        let mut writer = self.writer(composed.value, (*of, &composed.rows), (*by, &composed.columns));
        let (of, by) = (writer.element(*of, &composed.rows), writer.element(*by, &composed.columns));
        let value = writer.expression(composed.value);
        (width(&value) <= lines::WIDE).then_some((of, by, value))
    }
}

/// A product of Jacobians in one line, the sizes below.
fn chain_text(rule: &ChainLine) -> String {
    let mut upper = format!("        d{}/d{} = ", math_text(&rule.of), math_text(&rule.by));
    let indent = " ".repeat(upper.chars().count());
    let mut lower = indent.clone();
    let mut out = String::new();
    if rule.paths.is_empty() {
        upper.push('0');
    }
    for (path, factors) in rule.paths.iter().enumerate() {
        for (at, factor) in factors.iter().enumerate() {
            let sign = match (path, at) {
                (0, 0) => "",
                (_, 0) => " + ",
                _ => " · ",
            };
            let d = if factor.is_total { "d" } else { "∂" };
            let symbol = format!("{d}{}/{d}{}", math_text(&factor.of), math_text(&factor.by));
            let size = factor.size.text();
            let wide = symbol.chars().count().max(size.chars().count());
            if upper.chars().count() + sign.chars().count() + wide > TEXT_WIDTH && upper.trim() != "" {
                out += &format!("{}\n{}\n", upper.trim_end(), lower.trim_end());
                (upper, lower) = (indent.clone(), indent.clone());
            }
            upper += &format!("{sign}{symbol}{}", " ".repeat(wide - symbol.chars().count()));
            lower += &format!("{}{size}{}", " ".repeat(sign.chars().count()), " ".repeat(wide - size.chars().count()));
        }
    }
    for line in [upper, lower].iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()) {
        out += line;
        out.push('\n');
    }
    out
}

/// The same in LaTeX, a few factors on each line.
fn chain_latex(rule: &ChainLine) -> Vec<String> {
    const FACTORS: usize = 6;
    let mut lines = vec![format!("{} &= ", total_latex(&rule.of, &rule.by))];
    let mut on_line = 0;
    for (path, factors) in rule.paths.iter().enumerate() {
        for (at, factor) in factors.iter().enumerate() {
            if on_line == FACTORS {
                lines.push("&\\quad ".to_owned());
                on_line = 0;
            }
            let sign = match (path, at) {
                (0, 0) => "",
                (_, 0) => " + ",
                _ => "\\,",
            };
            let symbol = if factor.is_total {
                total_latex(&factor.of, &factor.by)
            } else {
                math_latex(&Math::derivative(factor.of.clone(), factor.by.clone()))
            };
            if let Some(line) = lines.last_mut() {
                *line += &format!("{sign}\\underset{{{}}}{{{symbol}}}", factor.size.latex());
            }
            on_line += 1;
        }
    }
    if rule.paths.is_empty()
        && let Some(line) = lines.last_mut()
    {
        line.push('0');
    }
    lines
}

fn total_latex(of: &Math, by: &Math) -> String {
    format!("\\dfrac{{\\mathrm{{d}} {}}}{{\\mathrm{{d}} {}}}", inline_latex(of), inline_latex(by))
}

/// References without links, for a text that has no numbers to link to.
fn plain_references(reason: &[Inline]) -> Vec<Inline> {
    let plain = |inline: &Inline| match inline {
        Inline::Reference(number) => Inline::text(format!("({number})")),
        other => other.clone(),
    };
    reason.iter().map(plain).collect()
}

/// Texts of one width, blanks before.
fn padded_left(texts: &[String]) -> impl Iterator<Item = String> + '_ {
    let wide = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    texts.iter().map(move |text| format!("{text:>wide$}"))
}

/// Texts of one width, blanks behind; those that are very long count for nothing.
fn padded(texts: &[String]) -> impl Iterator<Item = String> + '_ {
    let widths = texts.iter().map(|text| text.chars().count());
    let wide = widths.filter(|&width| width <= TEXT_WIDTH / 2).max().unwrap_or(0);
    texts.iter().map(move |text| format!("{text:<wide$}"))
}
