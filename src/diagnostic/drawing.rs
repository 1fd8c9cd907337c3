//! A message as text: the line, carets under the place, labels beside them.

use super::Diagnostic;
use crate::limits;
use crate::span::{Sources, Span, line_start};

/// Columns between tab stops.
const TAB: usize = 4;

/// Stands for what a terminal would not show.
const REPLACEMENT: char = '\u{fffd}';

/// A place to underline.
struct Mark<'d> {
    span: Span,
    text: &'d str,
    sign: char,
}

/// See [`Diagnostic::draw`].
pub(super) fn draw(message: &Diagnostic, sources: &Sources) -> String {
    let mut marks = vec![Mark { span: message.span, text: &message.label, sign: '^' }];
    marks.extend(message.also.iter().map(|label| Mark { span: label.span, text: &label.text, sign: '-' }));
    let line_of = |mark: &Mark<'_>| sources.line_column(mark.span).0;
    let gutter = marks.iter().map(|mark| line_of(mark).to_string().len()).max().unwrap_or(1);
    let blank = " ".repeat(gutter);

    let mut lines = vec![message.message.clone()];
    let (line, column) = sources.line_column(message.span);
    lines.push(format!("{blank}--> {}:{line}:{column}", sources.get(message.span.source).name));
    let mut drawn: Option<(Span, usize)> = None;
    for mark in &marks {
        let line = line_of(mark);
        let same_file = drawn.is_none_or(|(span, _)| span.source == mark.span.source);
        if !same_file {
            let (line, column) = sources.line_column(mark.span);
            lines.push(format!("{blank}::: {}:{line}:{column}", sources.get(mark.span.source).name));
        }
        let shown = Shown::around(mark.span, sources);
        if !same_file || drawn.is_none_or(|(_, last)| last != line) {
            lines.push(format!("{blank} |"));
            lines.push(trimmed(format!("{line:>gutter$} | {}", shown.text)));
        }
        let underline = mark.sign.to_string().repeat(shown.width);
        lines.push(trimmed(format!("{blank} | {}{underline} {}", " ".repeat(shown.start), mark.text)));
        // A line is shown once for the marks on it that follow each other, unless its middle was cut out for the first.
        drawn = Some((mark.span, if shown.cut { usize::MAX } else { line }));
    }
    lines.extend(message.hints.iter().map(|hint| format!("{blank} = hint: {hint}")));
    // Names and texts of a spec may be part of a message.
    lines.join("\n").chars().map(|letter| if letter != '\n' && is_unprintable(letter) { REPLACEMENT } else { letter }).collect()
}

fn trimmed(line: String) -> String {
    line.trim_end().to_owned()
}

/// A source line as a terminal shows it, and where on it the marked place is, in columns.
struct Shown {
    text: String,
    start: usize,
    width: usize,
    cut: bool,
}

impl Shown {
    fn around(span: Span, sources: &Sources) -> Self {
        let text = &sources.get(span.source).text;
        let mut start = (span.start as usize).min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = line_start(&text[..start]);
        let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let mut end = (span.end as usize).clamp(start, line_end);
        while !text.is_char_boundary(end) {
            end += 1;
        }

        // What is before the place may be long; then only its end is shown.
        let room = limits::DRAWN_COLUMNS / 2;
        let before = &text[line_start..start];
        let from = before.char_indices().rev().nth(room).map_or(0, |(position, _)| position);
        let mut shown = String::from(if from > 0 { "…" } else { "" });
        let column = shown.chars().count();
        let (marked_from, _) = append(&before[from..], column, usize::MAX, &mut shown);
        let limit = marked_from + limits::DRAWN_COLUMNS - room;
        let (marked_to, mut is_cut) = append(&text[start..end], marked_from, limit, &mut shown);
        if !is_cut {
            (_, is_cut) = append(&text[end..line_end], marked_to, limit, &mut shown);
        }
        Self { text: shown, start: marked_from, width: (marked_to - marked_from).max(1), cut: from > 0 || is_cut }
    }
}

/// Appends what a terminal shows for `text`, which begins in `column`, up to the column `limit`; returns the column behind it, and
/// whether something was left out.
fn append(text: &str, mut column: usize, limit: usize, shown: &mut String) -> (usize, bool) {
    for letter in text.chars() {
        if column >= limit {
            shown.push('…');
            return (column, true);
        }
        match letter {
            '\t' => {
                let width = TAB - column % TAB;
                shown.push_str(&" ".repeat(width));
                column += width;
            }
            '\r' => {}
            _ if is_unprintable(letter) => {
                shown.push(REPLACEMENT);
                column += 1;
            }
            _ => {
                shown.push(letter);
                column += width(letter);
            }
        }
    }
    (column, false)
}

/// Control characters, and those that change the direction of what follows them: a message shows the text as it is.
pub(crate) fn is_unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Columns of a character on a terminal: the ranges of Unicode's East Asian Width (W and F) and of combining marks that a spec may hold.
fn width(letter: char) -> usize {
    match letter as u32 {
        0x0300..=0x036f
        | 0x0483..=0x0489
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x200b..=0x200d
        | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xa960..=0xa97c
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}
