//! Columns over consecutive lines: what an author has put below each other stays so.

use super::lines::{Column, INDENT, Line, Mark};

/// Widens lines so that marks of one column as written are in one column again.
///
/// Keywords, `~`, `=` and `|>` move together as far to the left as they go; comments stay where they were written, where there is room.
pub(super) fn align(lines: &mut [Line]) {
    for mark in [Mark::AfterKeyword, Mark::DrawnFrom, Mark::DefinedAs, Mark::Pipe, Mark::Comment] {
        let mut start = 0;
        while start < lines.len() {
            let end = run(lines, start, mark);
            pad(&mut lines[start..end], mark);
            start = end;
        }
    }
}

fn column(line: &Line, mark: Mark) -> Option<Column> {
    line.columns.iter().copied().find(|column| column.mark == mark)
}

/// One past the last of the lines from `start` whose marks were written in one column.
fn run(lines: &[Line], start: usize, mark: Mark) -> usize {
    let Some(first) = column(&lines[start], mark) else { return start + 1 };
    let belongs = |line: &&Line| {
        let same_column = column(line, mark).is_some_and(|column| column.written == first.written);
        same_column && !line.empty_before && line.indent == lines[start].indent
    };
    // A comment with a line of its own continues one behind a line; before it, it has the place of a line.
    let is_alone = first.at == 0;
    if is_alone { start + 1 } else { start + 1 + lines[start + 1..].iter().take_while(belongs).count() }
}

/// Blanks and letters before a mark.
fn width(line: &Line, at: usize) -> usize {
    line.indent * INDENT + line.text[..at].chars().count()
}

fn pad(lines: &mut [Line], mark: Mark) {
    let columns: Vec<Column> = lines.iter().filter_map(|line| column(line, mark)).collect();
    let Some(first) = columns.first() else { return };
    let needed = lines.iter().zip(&columns).map(|(line, column)| width(line, column.at)).max().unwrap_or(0);
    let wanted = if mark == Mark::Comment && first.at > 0 { needed.max(first.written) } else { needed };
    for (line, column) in lines.iter_mut().zip(columns) {
        let blanks = wanted - width(line, column.at);
        line.text.insert_str(column.at, &" ".repeat(blanks));
        for later in line.columns.iter_mut().filter(|later| later.at >= column.at) {
            later.at += blanks;
        }
    }
}
