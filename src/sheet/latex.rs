//! LaTeX: a whole document that pdflatex compiles as it is.

mod formula;

use super::document::{Block, Document, Inline, Line, Section, Table};
use super::lines::{NARROW, WIDE, left_width};
use super::math::width;
pub(super) use formula::{inline_latex, math_latex, relation_latex};

/// What stands before the text. Nothing beyond Debian's texlive-latex-recommended is used.
const PREAMBLE: &str = r"\documentclass[10pt,a4paper]{article}
\usepackage[margin=22mm]{geometry}
\usepackage[utf8]{inputenc}
% Latin Modern where it is installed, else the fonts that every LaTeX has.
\IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}
\usepackage{microtype,amsmath,amssymb,booktabs,array,graphicx}
\usepackage[hidelinks,bookmarks=false]{hyperref}
\setlength{\parindent}{0pt}
\setlength{\parskip}{5pt plus 1pt}
\renewcommand{\arraystretch}{1.25}
\allowdisplaybreaks
\AtBeginDocument{%
  \setlength{\abovedisplayskip}{3pt plus 1pt}\setlength{\abovedisplayshortskip}{3pt plus 1pt}%
  \setlength{\belowdisplayskip}{6pt plus 2pt}\setlength{\belowdisplayshortskip}{6pt plus 2pt}}
\setcounter{secnumdepth}{1}
\newcommand{\why}[1]{&&\parbox{56mm}{\raggedright\footnotesize #1}}
\newcommand{\eqn}[1]{\tag{\hypertarget{eq#1}{#1}}}
\newcommand{\eq}[1]{\hyperlink{eq#1}{(#1)}}
\newcommand{\step}[3]{\par\hangindent=\dimexpr 2em+#2em\relax\makebox[1.2em][r]{#1}\hspace{0.8em}\hspace*{#2em}#3}
";

/// What also stands there where an example's numbers are set in a colour of their own.
const NUMBERS: &str = r"\usepackage{xcolor}
\definecolor{example}{HTML}{8A3B12}
";

/// A sheet as LaTeX.
pub(super) fn document_latex(document: &Document) -> String {
    let mut out = String::from(PREAMBLE);
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    if blocks.into_iter().any(|block| matches!(block, Block::Display(lines) if lines.iter().any(Line::is_numbers))) {
        out.push_str(NUMBERS);
    }
    let title = escape(&document.title);
    out.push_str(&format!("\\hypersetup{{pdftitle={{{title}}}}}\n\\begin{{document}}\n{{\\LARGE\\bfseries {title}}}\\par\n"));
    let summary: Vec<String> = document.summary.iter().map(|part| inlines(part)).collect();
    out.push_str(&format!("{{\\small {}}}\n", summary.join(" \\quad ")));
    for section in &document.sections {
        write_section(section, &mut out);
    }
    out.push_str("\\end{document}\n");
    out
}

fn write_section(section: &Section, out: &mut String) {
    out.push_str(&format!("\n\\section{{{}}}\n", escape(section.title)));
    let mut blocks = section.blocks.iter().peekable();
    let mut is_first = true;
    while let Some(block) = blocks.next() {
        match block {
            Block::Heading(text) => {
                let before = if is_first { "" } else { "\\pagebreak[2]\\par\\medskip" };
                // A display belongs to the heading's paragraph; a table stands below it.
                let end = if matches!(blocks.peek(), Some(Block::Table(_))) { "\\par\\nopagebreak" } else { "\\nopagebreak" };
                out.push_str(&format!("{before}\\textbf{{\\boldmath {}}}{end}\n", inlines(text)));
            }
            Block::Paragraph(text) => {
                // What announces a display is one paragraph with it, and so on one page with it.
                let end = if matches!(blocks.peek(), Some(Block::Display(_))) { "" } else { "\\par" };
                out.push_str(&format!("{}{end}\n", inlines(text)));
            }
            Block::Display(lines) => {
                // Displays that follow each other are one, so that their columns are one below the other.
                let mut groups = vec![&lines[..]];
                while let Some(Block::Display(lines)) = blocks.peek() {
                    groups.push(lines);
                    blocks.next();
                }
                write_displays(&groups, out);
            }
            Block::Diagram(_) => {}
            Block::Table(table) => write_table(table, out),
            Block::Steps(steps) => {
                out.push_str("{\\setlength{\\parskip}{2pt}\\raggedright\n");
                for (at, step) in steps.iter().enumerate() {
                    out.push_str(&format!("\\step{{{}}}{{{}}}{{{}}}\n", at + 1, 2 * step.depth, inlines(&step.text)));
                }
                out.push_str("\\par}\n\n");
            }
        }
        is_first = false;
    }
}

fn write_displays(groups: &[&[Line]], out: &mut String) {
    /// From how many lines on a derivation may go on on the next page.
    const LONG: usize = 9;
    out.push_str("\\begin{flalign*}\n");
    let left = groups.iter().map(|lines| left_width(lines)).fold(0.0, f64::max);
    for (position, lines) in groups.iter().enumerate() {
        for (at, line) in lines.iter().enumerate() {
            write_line(line, left, out);
            match lines.get(at + 1) {
                // A little more space before a new equation than between the lines of one, which stay on one page.
                Some(next) if next.left.is_some() => out.push_str("\\\\[3pt]\n"),
                Some(_) if lines.len() > LONG => out.push_str("\\\\\n"),
                Some(_) => out.push_str("\\\\*\n"),
                None if position + 1 < groups.len() => out.push_str("\\\\[9pt]\n"),
                None => out.push('\n'),
            }
        }
    }
    out.push_str("\\end{flalign*}\n");
}

/// One line; a formula that reaches into the column of reasons takes no room in its own, and its reason stands below it.
fn write_line(line: &Line, left_width: f64, out: &mut String) {
    let coloured = |formula: String| match line.is_numbers() && !formula.is_empty() {
        true => format!("{{\\color{{example}}{formula}}}"),
        false => formula,
    };
    let left = coloured(line.left.as_ref().map(math_latex).unwrap_or_default());
    let relation = match line.relation {
        Some(relation) => relation_latex(relation),
        None => "\\qquad ".to_owned(),
    };
    let right = coloured(math_latex(&line.right));
    let needed = left_width + width(&line.right);
    let number = line.number.map(|number| format!(" \\eqn{{{number}}}")).unwrap_or_default();
    let why = if line.reason.is_empty() { "&&".to_owned() } else { format!(" \\why{{{}}}", inlines(&line.reason)) };
    if needed <= NARROW {
        out.push_str(&format!("{left} &{relation}{right}{why}{number}"));
        return;
    }
    if needed > WIDE {
        let room = (WIDE - left_width).max(10.0);
        out.push_str(&format!("{left} &{relation}\\rlap{{\\resizebox{{{room:.1}em}}{{!}}{{$\\displaystyle {{}}{right}$}}}}"));
    } else {
        out.push_str(&format!("{left} &{relation}\\rlap{{$\\displaystyle {{}}{right}$}}"));
    }
    match line.reason.is_empty() {
        true => out.push_str(&format!("&&{number}")),
        false => out.push_str(&format!("&&\\\\*\n&{why}{number}")),
    }
}

fn write_table(table: &Table, out: &mut String) {
    /// The width of the text in ems, and the space between two columns.
    const TEXT_WIDTH: f64 = 46.0;
    const COLUMN_GAP: f64 = 1.3;
    const ROWS_TOGETHER: usize = 40;
    let columns = table.header.len();
    let natural = |column: usize| {
        let entries = table.rows.iter().filter_map(|row| row.get(column)).map(|entry| inline_width(entry));
        entries.fold(0.5 * table.header.get(column).map_or(0, |title| title.len()) as f64, f64::max)
    };
    let taken: f64 = (0..columns.saturating_sub(1)).map(|column| natural(column) + COLUMN_GAP).sum();
    let last = (TEXT_WIDTH - taken).clamp(10.0, natural(columns.saturating_sub(1)).max(10.0) + 1.0);
    let alignment = "l".repeat(columns.saturating_sub(1));
    // Pieces that fit on a page: a longtable would need a second run to know its columns.
    for rows in table.rows.chunks(ROWS_TOGETHER) {
        out.push_str(&format!(
            "{{\\small\\begin{{tabular}}{{@{{}}{alignment}>{{\\raggedright\\arraybackslash}}p{{{last:.1}em}}@{{}}}}\n\\toprule {}\\\\\\midrule\n",
            table.header.join(" & ")
        ));
        for row in rows {
            let entries: Vec<String> = row.iter().map(|entry| inlines(entry)).collect();
            out.push_str(&format!("{}\\\\\n", entries.join(" & ")));
        }
        out.push_str("\\bottomrule\\end{tabular}}\\par\n\n");
    }
}

fn inline_width(inlines: &[Inline]) -> f64 {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text(text) => 0.46 * text.chars().count() as f64,
            Inline::Code(text) => 0.53 * text.chars().count() as f64,
            Inline::Math(math) => width(math),
            Inline::Reference(_) => 1.8,
        })
        .sum()
}

/// Running text.
pub(super) fn inlines(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in inlines {
        match inline {
            Inline::Text(text) => out.push_str(&escape(text)),
            Inline::Code(text) => out.push_str(&format!("\\texttt{{{}}}", escape(text))),
            Inline::Math(math) => out.push_str(&format!("${}$", formula::inline_latex(math))),
            Inline::Reference(number) => out.push_str(&format!("\\eq{{{number}}}")),
        }
    }
    out
}

/// Words, with the characters that LaTeX reads as commands written so that it prints them.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str(r"\textbackslash{}"),
            '~' => out.push_str(r"\textasciitilde{}"),
            '^' => out.push_str(r"\textasciicircum{}"),
            '_' | '&' | '%' | '$' | '#' | '{' | '}' => {
                out.push('\\');
                out.push(character);
            }
            '–' => out.push_str("--"),
            '×' => out.push_str(r"$\times$"),
            '−' => out.push_str("$-$"),
            '’' => out.push('\''),
            '\'' => out.push_str(r"\textquotesingle{}"),
            character if character.is_ascii() => out.push(character),
            // Letters in names: as the formulas have them.
            character => out.push_str(&format!("${}$", formula::identifier(&character.to_string()))),
        }
    }
    out
}
