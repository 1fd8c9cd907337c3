//! Breaking long formulas over lines.

use super::document::{Content, Line, Numbers};
use super::math::{Math, Operator, Side, Spacing, width};

/// The width of a line in ems when no reason stands beside its formula.
pub(super) const WIDE: f64 = 42.0;
/// The width when a reason stands beside it.
pub(super) const NARROW: f64 = 27.5;
/// The least room that is left to a right-hand side, however wide the left one is.
const LEAST: f64 = 12.0;
/// How much further to the right a broken formula goes on.
const INDENT: f64 = 2.0;

/// Breaks the lines of one display that are too wide for it, given the width of the column of left-hand sides.
pub(super) fn break_lines(lines: Vec<Line>, left: f64) -> Vec<Line> {
    let room = |beside_reason: bool| (if beside_reason { NARROW } else { WIDE } - left).max(LEAST);
    lines.into_iter().flat_map(|line| break_line(room(!line.reason.is_empty()), room(false), line)).collect()
}

/// The width of the left-hand sides of a display, relation included.
pub(super) fn left_width(lines: &[Line]) -> f64 {
    const RELATION: f64 = 1.4;
    lines.iter().filter_map(|line| line.left.as_ref()).map(width).fold(0.0, f64::max) + RELATION
}

/// The first line has room for what stands before its reason, those that go on with it more.
fn break_line(first_room: f64, room: f64, line: Line) -> Vec<Line> {
    if width(&line.right) <= first_room {
        return vec![line];
    }
    let mut parts = fill(pieces(&line.right, room), first_room, room).into_iter();
    let Line { left, relation, reason, number, content, .. } = line;
    let continued = if matches!(content, Content::Numbers(_)) { Content::Numbers(Numbers::default()) } else { Content::Other };
    let first = parts.next().unwrap_or_else(|| Math::Row(Vec::new()));
    let mut broken = vec![Line { left, relation, right: first, reason, number: None, content }];
    broken.extend(parts.map(|right| {
        let content = continued.clone();
        Line { left: None, relation: None, right, reason: Vec::new(), number: None, content }
    }));
    if let Some(last) = broken.last_mut() {
        last.number = number;
    }
    broken
}

/// A part of a formula that stays together, and whether a line may begin with it.
struct Unit {
    parts: Vec<Math>,
    may_begin: bool,
}

/// Takes a formula apart where a line may end: before `+` and `−`, also inside of fences where these are too wide.
fn pieces(math: &Math, room: f64) -> Vec<Unit> {
    let mut units = Vec::new();
    take_apart(math, room, &mut units);
    units
}

fn push(units: &mut Vec<Unit>, math: Math) {
    match units.last_mut() {
        Some(unit) => unit.parts.push(math),
        None => units.push(Unit { parts: vec![math], may_begin: false }),
    }
}

fn take_apart(math: &Math, room: f64, units: &mut Vec<Unit>) {
    let row = match math {
        Math::Row(parts) => parts,
        _ if width(math) <= room => return push(units, math.clone()),
        other => return open(other, room, units),
    };
    for part in row {
        match part {
            Math::Operator(operator) if ends_line(*operator) || (operator.spacing() == Spacing::Binary && width(math) > room) => {
                units.push(Unit { parts: vec![part.clone()], may_begin: true });
            }
            Math::Operator(_) => push(units, part.clone()),
            // The first term begins a line, others come after the indent and their operator.
            part if width(part) <= if units.is_empty() { room } else { room - INDENT - 1.3 } => push(units, part.clone()),
            part => open(part, room, units),
        }
    }
}

/// Whether a line may end before the operator in any case; before `∧` only where nothing else helps.
fn ends_line(operator: Operator) -> bool {
    matches!(operator, Operator::Plus | Operator::Minus)
}

/// A part that is too wide by itself: its fences become halves on different lines.
fn open(math: &Math, room: f64, units: &mut Vec<Unit>) {
    match math {
        Math::Fenced(fence, body) => {
            push(units, Math::HalfFence(*fence, Side::Left));
            take_apart(body, room, units);
            push(units, Math::HalfFence(*fence, Side::Right));
        }
        Math::Product(parts) => {
            let Some((last, front)) = parts.split_last() else { return };
            if !matches!(last, Math::Fenced(..) | Math::Big { .. } | Math::Call { .. }) {
                return push(units, math.clone());
            }
            let mut opened = Vec::new();
            open(last, room, &mut opened);
            // The factors before stay with the first part, so that the space between them is that of a product.
            let mut opened = opened.into_iter();
            if let Some(first) = opened.next() {
                let mut parts = first.parts.into_iter();
                let factors = front.iter().cloned().chain(parts.next()).collect();
                push(units, Math::Product(factors));
                parts.for_each(|part| push(units, part));
            }
            units.extend(opened);
        }
        Math::Big { operator, under, over, body } => match &**body {
            Math::Fenced(fence, inner) => {
                let body = Box::new(Math::HalfFence(*fence, Side::Left));
                push(units, Math::Big { operator: *operator, under: under.clone(), over: over.clone(), body });
                take_apart(inner, room, units);
                push(units, Math::HalfFence(*fence, Side::Right));
            }
            Math::Big { .. } | Math::Product(_) => {
                let empty = Box::new(Math::Row(Vec::new()));
                push(units, Math::Big { operator: *operator, under: under.clone(), over: over.clone(), body: empty });
                open(body, room, units);
            }
            _ => push(units, math.clone()),
        },
        Math::Call { function, arguments } => {
            push(units, (**function).clone());
            push(units, Math::HalfFence(super::math::Fence::Round, Side::Left));
            for (at, argument) in arguments.iter().enumerate() {
                if at > 0 {
                    push(units, Math::Operator(Operator::Comma));
                }
                take_apart(argument, room, units);
            }
            push(units, Math::HalfFence(super::math::Fence::Round, Side::Right));
        }
        _ => push(units, math.clone()),
    }
}

/// Fills lines with units, as many in each as there is room for.
fn fill(units: Vec<Unit>, first_room: f64, room: f64) -> Vec<Math> {
    let mut lines: Vec<Vec<Math>> = vec![Vec::new()];
    let mut used = 0.0;
    for unit in units {
        let needed: f64 = unit.parts.iter().map(width).sum();
        let available = if lines.len() == 1 { first_room } else { room };
        if unit.may_begin && used > 0.0 && used + needed > available {
            lines.push(Vec::new());
            used = INDENT;
        }
        used += needed;
        if let Some(line) = lines.last_mut() {
            line.extend(unit.parts);
        }
    }
    lines.into_iter().map(Math::Row).collect()
}
