//! Plain text: the sheet in Unicode, one formula on a line, for terminals.

use super::document::{Block, Document, Inline, Line, Table};
use super::text::math_text;

/// How wide a line of text is.
const WIDTH: usize = 100;

/// A sheet as plain text.
pub(super) fn document_text(document: &Document) -> String {
    let mut out = format!("{}\n{}\n", document.title, "=".repeat(document.title.chars().count()));
    let summary: Vec<String> = document.summary.iter().map(|part| inlines(part)).collect();
    out.push_str(&format!("{}\n", summary.join(" · ")));
    for (at, section) in document.sections.iter().enumerate() {
        let title = format!("{}  {}", at + 1, section.title);
        out.push_str(&format!("\n{title}\n{}\n", "-".repeat(title.chars().count())));
        for block in &section.blocks {
            match block {
                Block::Heading(text) => out.push_str(&format!("\n{}\n", inlines(text))),
                Block::Paragraph(text) => out.push_str(&format!("{}\n", inlines(text))),
                Block::Display(lines) => write_display(lines, &mut out),
                Block::Diagram(_) => {}
                Block::Table(table) => write_table(table, &mut out),
                Block::Steps(steps) => {
                    for (at, step) in steps.iter().enumerate() {
                        out.push_str(&format!("{:>3}  {}{}\n", at + 1, "    ".repeat(step.depth), inlines(&step.text)));
                    }
                }
            }
        }
    }
    out
}

fn write_display(lines: &[Line], out: &mut String) {
    let lefts: Vec<String> = lines.iter().map(|line| line.left.as_ref().map(math_text).unwrap_or_default()).collect();
    let left_width = lefts.iter().map(|left| left.chars().count()).max().unwrap_or(0);
    let rights: Vec<String> = lines
        .iter()
        .map(|line| match line.relation {
            Some(relation) => format!("{} {}", relation.unicode(), math_text(&line.right).trim()),
            None => format!("    {}", math_text(&line.right).trim()),
        })
        .collect();
    let right_width = rights.iter().map(|right| right.chars().count()).max().unwrap_or(0);
    for ((line, left), right) in lines.iter().zip(lefts).zip(rights) {
        let number = line.number.map(|number| format!("({number})")).unwrap_or_default();
        let reason = inlines(&line.reason);
        let reason = if reason.is_empty() { reason } else { format!("   {reason}") };
        let text = format!("{number:>5}  {left:>left_width$} {right}");
        let pad = (8 + left_width + right_width).min(WIDTH / 2).saturating_sub(text.chars().count());
        let text = if reason.is_empty() { text } else { format!("{text}{}{reason}", " ".repeat(pad)) };
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out.push('\n');
}

fn write_table(table: &Table, out: &mut String) {
    let header: Vec<String> = table.header.iter().map(|title| (*title).to_owned()).collect();
    let mut rows = vec![header];
    rows.extend(table.rows.iter().map(|row| row.iter().map(|entry| inlines(entry)).collect()));
    let widths: Vec<usize> = (0..table.header.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|entry| entry.chars().count()).max().unwrap_or(0))
        .collect();
    for (at, row) in rows.iter().enumerate() {
        let mut text = String::new();
        for (entry, width) in row.iter().zip(&widths) {
            text.push_str(entry);
            text.push_str(&" ".repeat(width + 2 - entry.chars().count()));
        }
        out.push_str(text.trim_end());
        out.push('\n');
        if at == 0 {
            out.push_str(&"-".repeat(widths.iter().map(|width| width + 2).sum::<usize>().saturating_sub(2)));
            out.push('\n');
        }
    }
}

/// Running text.
pub(super) fn inlines(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text(text) | Inline::Code(text) => text.clone(),
            Inline::Math(math) => math_text(math),
            Inline::Reference(number) => format!("({number})"),
        })
        .collect()
}
