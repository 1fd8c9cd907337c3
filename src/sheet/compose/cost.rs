//! The section on cost: operations in numbers and as formulas in the extents, memory, and what one buys of the other.

use super::{grouped, references};
use crate::cost::{Cost, Count, Polynomial, Symbol};
use crate::sheet::document::{Block, Inline, Section, Table};
use crate::sheet::math::{Math, Operator};

/// What a network costs.
pub(in crate::sheet) fn cost_section(cost: &Cost) -> Section {
    let mut blocks = vec![Block::Paragraph(vec![Inline::text(
        "Operations of the generated code: a sum of n terms takes n − 1 additions; changes of sign and arithmetic of indices do not count.",
    )])];
    let sizes = cost.used_sizes();
    if !sizes.is_empty() {
        let row = |size: crate::cost::Size| {
            let mut of = vec![Inline::text(format!("axis {} of ", size.of.1 + 1)), Inline::Code(size.of.0)];
            if size.is_for_all {
                of.push(Inline::text(" and all others of that extent"));
            }
            vec![vec![Inline::Math(symbol(size.symbol))], vec![Inline::text(size.extent.to_string())], of]
        };
        blocks.push(Block::Table(Table { header: vec!["size", "value", "of"], rows: sizes.into_iter().map(row).collect() }));
    }
    for pass in &cost.passes {
        blocks.push(Block::Heading(vec![Inline::text(format!("{}, {}", capitalized(pass.kind.name()), pass.kind.how_often()))]));
        let mut rows = Vec::new();
        for (name, row) in pass.distinct_rows() {
            let mut name = vec![Inline::Code(name)];
            if !row.equations.is_empty() {
                name.push(Inline::text(" by "));
                name.extend(references(row.equations.iter().copied()));
            }
            push_rows(&mut rows, &name, &row.count);
        }
        push_rows(&mut rows, &[Inline::text("in all")], &pass.total());
        let numbers = pass.numbers();
        if numbers.value() > 0 {
            let what = vec![Inline::text("bytes written")];
            rows.push(vec![Vec::new(), what, vec![number(cost.bytes(&numbers))], bytes_formula(cost, &numbers)]);
        }
        blocks.push(Block::Table(Table { header: vec!["part", "operations", "number", "formula"], rows }));
    }
    blocks.push(Block::Heading(vec![Inline::text("Memory")]));
    let row = |(what, numbers): &(&'static str, Polynomial)| {
        vec![vec![Inline::text(*what)], vec![number(cost.bytes(numbers))], bytes_formula(cost, numbers)]
    };
    let rows = cost.memory.iter().map(row).collect();
    blocks.push(Block::Table(Table { header: vec!["what", "bytes", "formula"], rows }));
    if !cost.tradeoffs.is_empty() {
        blocks.push(Block::Paragraph(vec![Inline::text(
            "The fewest operations of one forward and backward pass keep every value that the backward pass reads. Fewer bytes take more \
             operations: only what passes between parts of the forward pass is kept, and the values inside of a part are computed again \
             when the backward pass comes to it.",
        )]));
        let row = |option: &crate::cost::Tradeoff| {
            let parts = match option.parts {
                1 => "1, nothing is computed again".to_owned(),
                parts => parts.to_string(),
            };
            vec![vec![Inline::text(parts)], vec![number(option.operations)], vec![number(option.bytes)]]
        };
        let rows = cost.tradeoffs.iter().map(row).collect();
        blocks.push(Block::Table(Table { header: vec!["parts", "operations", "bytes of values"], rows }));
    }
    Section { title: "Cost", anchor: "cost", blocks }
}

/// A row for each kind of operation.
fn push_rows(rows: &mut Vec<Vec<Vec<Inline>>>, name: &[Inline], count: &Count) {
    let at_most = if count.is_exact { "" } else { " (at most)" };
    for (at, (operation, times)) in count.operations().enumerate() {
        let name = if at == 0 { name.to_vec() } else { Vec::new() };
        let what = vec![Inline::text(format!("{}{at_most}", operation.name()))];
        rows.push(vec![name, what, vec![number(times.value())], vec![Inline::Math(formula(times))]]);
    }
}

fn number(value: i128) -> Inline {
    Inline::text(usize::try_from(value).map_or_else(|_| value.to_string(), grouped))
}

fn bytes_formula(cost: &Cost, numbers: &Polynomial) -> Vec<Inline> {
    vec![Inline::Math(formula(&numbers.times(&Polynomial::number(cost.scalar_bytes))))]
}

fn symbol(symbol: Symbol) -> Math {
    let sub = Some(Box::new(Math::Number(symbol.number().to_string())));
    Math::Scripts { base: Box::new(Math::Identifier("n".to_owned())), sub, sup: None }
}

/// A polynomial as a formula.
fn formula(polynomial: &Polynomial) -> Math {
    let mut row = Vec::new();
    for (coefficient, symbols) in polynomial.terms() {
        match (row.is_empty(), coefficient < 0) {
            (true, false) => {}
            (true, true) => row.push(Math::Operator(Operator::Negative)),
            (false, true) => row.push(Math::Operator(Operator::Minus)),
            (false, false) => row.push(Math::Operator(Operator::Plus)),
        }
        let mut factors = Vec::new();
        if coefficient.abs() != 1 || symbols.is_empty() {
            factors.push(Math::Number(coefficient.abs().to_string()));
        }
        let mut at = 0;
        while at < symbols.len() {
            let times = symbols[at..].iter().take_while(|&&other| other == symbols[at]).count();
            factors.push(match (symbol(symbols[at]), times) {
                (Math::Scripts { base, sub, .. }, 2..) => {
                    Math::Scripts { base, sub, sup: Some(Box::new(Math::Number(times.to_string()))) }
                }
                (symbol, _) => symbol,
            });
            at += times;
        }
        row.push(if factors.len() == 1 { factors.remove(0) } else { Math::Product(factors) });
    }
    match row.len() {
        0 => Math::Number("0".to_owned()),
        1 => row.remove(0),
        _ => Math::Row(row),
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
