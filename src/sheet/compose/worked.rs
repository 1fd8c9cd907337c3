//! The section with numbers: one example through all equations.

use crate::sheet::document::{Block, Inline, Section, Table};
use crate::worked::{Worked, digits};

/// Each element with its computation, by equations.
pub(in crate::sheet) fn worked_section(worked: &Worked) -> Section {
    let mut blocks = vec![Block::Paragraph(vec![Inline::text(
        "One example by itself, m = 1, and the first update, k = 1. Indices count from 0, as in the spec; of large tensors the first elements are shown.",
    )])];
    let given = worked.given.iter().map(|(name, values)| {
        let values: Vec<String> = values.iter().map(|&value| digits(value)).collect();
        vec![vec![Inline::Code(name.clone())], vec![Inline::text(values.join(", "))]]
    });
    blocks.push(Block::Table(Table { header: vec!["given", "values, row by row"], rows: given.collect() }));
    for part in &worked.parts {
        blocks.push(Block::Heading(vec![Inline::text(part.title)]));
        let rows = part.steps.iter().map(|step| {
            vec![
                vec![Inline::Reference(step.equation)],
                vec![Inline::Code(step.element.clone())],
                vec![Inline::Code(digits(step.value))],
                vec![Inline::Code(step.computation.clone())],
            ]
        });
        blocks.push(Block::Table(Table { header: vec!["by", "element", "value", "computation"], rows: rows.collect() }));
    }
    Section { title: "Worked example", anchor: "worked", blocks }
}
