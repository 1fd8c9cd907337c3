//! HTML: one page that needs nothing else, with formulas in MathML.

#[cfg(feature = "cli")]
mod diagram;
mod mathml;

use super::document::{Block, Diagram, Document, Inline, Line, Section, Table};
use super::math::Math;
use mathml::mathml;

/// The page's own style: readable on a phone, in the dark and on paper.
const STYLE: &str = include_str!("html/style.css");

/// A sheet as a page.
pub(super) fn document_html(document: &Document) -> String {
    let title = escape(&document.title);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
    );
    let summary: Vec<String> = document.summary.iter().map(|part| format!("<span>{}</span>", inlines(part))).collect();
    out.push_str(&format!("<p class=\"summary\">{}</p>\n</header>\n<nav aria-label=\"Contents\">\n<ol>\n", summary.join(" ")));
    for section in &document.sections {
        out.push_str(&format!("<li><a href=\"#{}\">{}</a></li>\n", section.anchor, escape(section.title)));
    }
    out.push_str("</ol>\n</nav>\n<main>\n");
    for (at, section) in document.sections.iter().enumerate() {
        write_section(at + 1, section, &mut out);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn write_section(number: usize, section: &Section, out: &mut String) {
    let (anchor, title) = (section.anchor, escape(section.title));
    out.push_str(&format!("<section id=\"{anchor}\">\n<h2><span class=\"count\">{number}</span> {title}</h2>\n"));
    for block in &section.blocks {
        match block {
            Block::Heading(text) => out.push_str(&format!("<h3>{}</h3>\n", inlines(text))),
            Block::Paragraph(text) => out.push_str(&format!("<p>{}</p>\n", inlines(text))),
            Block::Display(lines) => write_display(lines, out),
            Block::Table(table) => write_table(table, out),
            Block::Diagram(diagram) => write_diagram(diagram, out),
            Block::Steps(steps) => {
                out.push_str("<ol class=\"steps\">\n");
                for step in steps {
                    out.push_str(&format!("<li class=\"depth{}\">{}</li>\n", step.depth, inlines(&step.text)));
                }
                out.push_str("</ol>\n");
            }
        }
    }
    out.push_str("</section>\n");
}

/// The network as a drawing, where one is laid out.
#[cfg(feature = "cli")]
fn write_diagram(diagram: &Diagram, out: &mut String) {
    if let Some(drawing) = diagram::svg(diagram) {
        let caption = "What is computed from what; each box leads to its equation.";
        out.push_str(&format!("<figure class=\"scroll\">\n{drawing}<figcaption>{caption}</figcaption>\n</figure>\n"));
    }
}

/// Without dagre nothing lays a drawing out.
#[cfg(not(feature = "cli"))]
fn write_diagram(_: &Diagram, _: &mut String) {}

fn write_display(lines: &[Line], out: &mut String) {
    out.push_str("<div class=\"scroll\"><table class=\"display\" role=\"presentation\">\n");
    for line in lines {
        let class = match (line.left.is_some(), line.is_numbers()) {
            (true, true) => " class=\"first numbers\"",
            (true, false) => " class=\"first\"",
            (false, true) => " class=\"numbers\"",
            (false, false) => "",
        };
        let id = line.number.map(|number| format!(" id=\"eq{number}\"")).unwrap_or_default();
        let left =
            line.left.as_ref().filter(|left| **left != Math::Row(Vec::new())).map(|left| mathml(left, true)).unwrap_or_default();
        let right = match line.relation {
            Some(relation) => Math::Row(vec![Math::Operator(relation), line.right.clone()]),
            None => line.right.clone(),
        };
        let continued = if line.relation.is_none() { " class=\"broken\"" } else { "" };
        let number = line.number.map(|number| format!("<a href=\"#eq{number}\">({number})</a>")).unwrap_or_default();
        let right = mathml(&right, true);
        // Without a reason the formula may use its column.
        let cells = match inlines(&line.reason) {
            reason if reason.is_empty() => format!("<td{continued} colspan=\"2\">{right}</td>"),
            reason => format!("<td{continued}>{right}</td><td class=\"reason\">{reason}</td>"),
        };
        out.push_str(&format!("<tr{class}{id}><td class=\"left\">{left}</td>{cells}<td class=\"number\">{number}</td></tr>\n"));
    }
    out.push_str("</table></div>\n");
}

fn write_table(table: &Table, out: &mut String) {
    let header: String = table.header.iter().map(|title| format!("<th scope=\"col\">{}</th>", escape(title))).collect();
    out.push_str(&format!("<div class=\"scroll\"><table class=\"data\">\n<thead><tr>{header}</tr></thead>\n<tbody>\n"));
    for row in &table.rows {
        let cells: String = row.iter().map(|entry| format!("<td>{}</td>", inlines(entry))).collect();
        out.push_str(&format!("<tr>{cells}</tr>\n"));
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn inlines(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in inlines {
        match inline {
            Inline::Text(text) => out.push_str(&escape(text)),
            Inline::Code(text) => out.push_str(&format!("<code>{}</code>", escape(text))),
            Inline::Math(math) => out.push_str(&mathml(math, false)),
            Inline::Reference(number) => out.push_str(&format!("<a href=\"#eq{number}\">({number})</a>")),
        }
    }
    out
}

/// Text with the characters that HTML reads as markup written so that it shows them.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
