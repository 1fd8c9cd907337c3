//! The greatest absolute value of a function of one number, enclosed by intervals.

use super::interval::Interval;
use super::range::Ranges;
use crate::equation::{Context, ExprId};

/// How close the bound comes to a value that is attained.
const TOLERANCE: f64 = 1e-5;
const MOST_PIECES: usize = 20_000;

/// The least upper bound of the absolute value of an expression in one part that moves in a range; `None` where intervals do not
/// enclose it.
pub(super) fn supremum(context: &mut Context, expr: ExprId, moving: ExprId, range: Interval) -> Option<f64> {
    let base = Ranges::default();
    let at = |context: &mut Context, piece: Interval| base.knowing(moving, piece).of(context, expr).magnitude();
    let mut pieces: Vec<(f64, Interval)> = Vec::new();
    for piece in first_pieces(range) {
        pieces.push((at(context, piece), piece));
    }
    let mut attained = 0.0_f64;
    for _ in 0..MOST_PIECES {
        let (widest, &(bound, piece)) = pieces.iter().enumerate().max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
        if bound.is_finite() && bound - attained <= TOLERANCE {
            return Some(if attained > 0.0 { rounded(attained) } else { bound });
        }
        let (low, high) = (piece.low.value, piece.high.value);
        let middle = match (low.is_finite(), high.is_finite()) {
            (true, true) => (low + high) / 2.0,
            (true, false) => low * 2.0,
            (false, true) => high * 2.0,
            (false, false) => 0.0,
        };
        // Halves that do not get narrower, or a tail that does not get smaller.
        if !(low < middle && middle < high) || middle.abs() > 1e6 {
            return None;
        }
        attained = attained.max(at(context, Interval::number(middle)));
        pieces.swap_remove(widest);
        for half in
            [Interval { high: Interval::number(middle).high, ..piece }, Interval { low: Interval::number(middle).low, ..piece }]
        {
            pieces.push((at(context, half), half));
        }
    }
    None
}

/// The short fraction that is as close to an attained value as the bound is, or else the bound.
fn rounded(attained: f64) -> f64 {
    let fractions = (1..=16).map(|below| (attained * f64::from(below)).round() / f64::from(below));
    let mut close = fractions.filter(|fraction| *fraction >= attained - 1e-12 && fraction - attained <= TOLERANCE);
    close.next().unwrap_or(attained + TOLERANCE)
}

fn first_pieces(range: Interval) -> Vec<Interval> {
    let ends = [range.low.value, -16.0, 0.0, 16.0, range.high.value];
    let mut inner: Vec<f64> = ends[1..4].iter().copied().filter(|&end| end > range.low.value && end < range.high.value).collect();
    inner.insert(0, range.low.value);
    inner.push(range.high.value);
    inner.windows(2).map(|pair| Interval::closed(pair[0], pair[1])).collect()
}
