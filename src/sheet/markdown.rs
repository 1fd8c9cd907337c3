//! Markdown with formulas that KaTeX sets, as on most forges.

use super::document::{Block, Document, Inline, Line, Table};
use super::latex::{inline_latex, math_latex, relation_latex};

/// A sheet as Markdown.
pub(super) fn document_markdown(document: &Document) -> String {
    let mut out = format!("# {}\n\n", escape(&document.title));
    let summary: Vec<String> = document.summary.iter().map(|part| inlines(part)).collect();
    out.push_str(&format!("{}\n", summary.join(" · ")));
    for (at, section) in document.sections.iter().enumerate() {
        out.push_str(&format!("\n## {} {}\n", at + 1, escape(section.title)));
        for block in &section.blocks {
            match block {
                Block::Heading(text) => out.push_str(&format!("\n### {}\n", inlines(text))),
                Block::Paragraph(text) => out.push_str(&format!("\n{}\n", inlines(text))),
                Block::Display(lines) => write_display(lines, &mut out),
                Block::Diagram(_) => {}
                Block::Table(table) => write_table(table, &mut out),
                Block::Steps(steps) => {
                    out.push('\n');
                    for (at, step) in steps.iter().enumerate() {
                        let indent = "&emsp;&emsp;".repeat(step.depth);
                        out.push_str(&format!("{}. {indent}{}\n", at + 1, inlines(&step.text)));
                    }
                }
            }
        }
    }
    out
}

/// Each numbered equation is a display of its own, since KaTeX allows one number for each.
fn write_display(lines: &[Line], out: &mut String) {
    let mut rest = lines;
    while !rest.is_empty() {
        let end = rest.iter().position(|line| line.number.is_some()).map_or(rest.len(), |at| at + 1);
        // The numbers of an example belong to the equation above them.
        let numbers = rest[end..].iter().take_while(|line| line.is_numbers()).count();
        let (group, after) = rest.split_at(end + numbers);
        out.push_str("\n$$\n\\begin{aligned}\n");
        for (at, line) in group.iter().enumerate() {
            let left = line.left.as_ref().map(math_latex).unwrap_or_default();
            let relation = line.relation.map_or_else(|| "\\qquad ".to_owned(), relation_latex);
            let reason = if line.reason.is_empty() { String::new() } else { format!(" &&{}", why(&line.reason)) };
            let end = if at + 1 < group.len() { " \\\\" } else { "" };
            out.push_str(&format!("{left} &{relation}{}{reason}{end}\n", math_latex(&line.right)));
        }
        out.push_str("\\end{aligned}\n");
        if let Some(number) = group.iter().find_map(|line| line.number) {
            out.push_str(&format!("\\tag{{{number}}}\n"));
        }
        out.push_str("$$\n");
        rest = after;
    }
}

/// A reason within a formula.
fn why(reason: &[Inline]) -> String {
    reason
        .iter()
        .map(|inline| match inline {
            Inline::Text(text) | Inline::Code(text) => format!("\\text{{{}}}", in_formula(text)),
            Inline::Math(math) => inline_latex(math),
            Inline::Reference(number) => format!("\\text{{({number})}}"),
        })
        .collect()
}

/// Words within a formula.
fn in_formula(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '_' | '&' | '%' | '$' | '#' | '{' | '}' => out.extend(['\\', character]),
            '\\' | '^' | '~' => out.push(' '),
            character => out.push(character),
        }
    }
    out
}

fn write_table(table: &Table, out: &mut String) {
    out.push_str(&format!("\n| {} |\n|{}\n", table.header.join(" | "), " --- |".repeat(table.header.len())));
    for row in &table.rows {
        let entries: Vec<String> = row.iter().map(|entry| inlines(entry).replace('|', "\\vert ")).collect();
        out.push_str(&format!("| {} |\n", entries.join(" | ")));
    }
}

fn inlines(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text(text) => escape(text),
            Inline::Code(text) => format!("`{text}`"),
            Inline::Math(math) => format!("${}$", inline_latex(math).trim()),
            Inline::Reference(number) => format!("({number})"),
        })
        .collect()
}

/// Text with the characters that Markdown reads as markup written so that it shows them.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if matches!(character, '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '$' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
