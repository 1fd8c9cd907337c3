//! The tables of elementary functions are what is computed here; `UPDATE_TABLES=1 cargo test -p deltarule --test tables` writes them.

use std::fmt::Write;

const FILE: &str = "src/tile/table/numbers.rs";
/// How many coefficients a polynomial has, the lowest in two parts.
const COEFFICIENTS: usize = 9;
/// At so many distances from a centre, errors are looked at.
const NODES: usize = 64;

/// One and a half times 2^23: where it is added to a number, the sum is whole.
const ROUNDER: f64 = 12_582_912.0;

struct Function {
    name: &'static str,
    value: fn(f64) -> f64,
    step: f64,
    /// The numbers of the centres.
    centres: std::ops::RangeInclusive<i32>,
    /// From where to where the polynomials are near enough; of greater numbers, 1 is.
    range: [f32; 2],
    /// Whether `f(-x) = -f(x)`.
    is_odd: bool,
}

const FUNCTIONS: [Function; 2] = [
    Function { name: "TANH", value: libm::tanh, step: 0.5, centres: 0..=18, range: [0.0, 9.1], is_odd: true },
    Function {
        name: "SIGMOID",
        value: |x| 1.0 / (1.0 + libm::exp(-x)),
        step: 1.0,
        centres: -15..=16,
        range: [-15.25, 16.5],
        is_odd: false,
    },
];

impl Function {
    /// The coefficients of the polynomial in the distance from a centre, the lowest first, whose parts stand one after the other.
    fn coefficients(&self, centre: i32) -> [f64; COEFFICIENTS] {
        let (centre, half) = (f64::from(centre) * self.step, self.step / 2.0);
        let first = (self.value)(centre);
        let powers: &[i32] = if self.is_odd && centre == 0.0 { &[1, 3, 5, 7] } else { &[1, 2, 3, 4, 5, 6, 7] };
        // Relative errors are least: each distance, a part of the half step, weighs as much as its value is small.
        let (distances, values): (Vec<f64>, Vec<f64>) = (0..NODES)
            .map(|at| libm::cos(std::f64::consts::PI * (2 * at + 1) as f64 / (2 * NODES) as f64))
            .map(|distance| (distance, (self.value)(centre + distance * half)))
            .unzip();
        let columns = powers.iter().map(|power| distances.iter().zip(&values).map(|(x, value)| x.powi(*power) / value).collect());
        let solution = least_squares(columns.collect(), values.iter().map(|value| (value - first) / value).collect());
        let mut coefficients = [0.0; COEFFICIENTS];
        coefficients[0] = f64::from(first as f32);
        coefficients[1] = first - coefficients[0];
        for (power, coefficient) in powers.iter().zip(solution) {
            coefficients[*power as usize + 1] = coefficient / half.powi(*power);
        }
        coefficients
    }

    /// By coefficient, each number at the place that the lowest five bits of its centre's number say.
    fn table(&self) -> [[f32; 32]; COEFFICIENTS] {
        let mut table = [[0.0; 32]; COEFFICIENTS];
        for centre in self.centres.clone() {
            for (row, coefficient) in table.iter_mut().zip(self.coefficients(centre)) {
                row[(centre & 31) as usize] = coefficient as f32;
            }
        }
        table
    }
}

/// How often each column is taken for the least sum of squares of what remains of the target: by an orthogonal basis of the columns (Gram and
/// Schmidt, modified).
fn least_squares(mut columns: Vec<Vec<f64>>, mut target: Vec<f64>) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let take = |from: &mut [f64], times: f64, column: &[f64]| from.iter_mut().zip(column).for_each(|(a, b)| *a -= times * b);
    // In each row, how much of a basis vector is in the columns from its own on, and in the target.
    let mut parts = Vec::new();
    for at in 0..columns.len() {
        let (before, others) = columns.split_at_mut(at + 1);
        let column = &before[at];
        let square = dot(column, column);
        let mut row = Vec::new();
        for other in others.iter_mut().chain([&mut target]) {
            let part = dot(other, column) / square;
            take(other, part, column);
            row.push(part);
        }
        parts.push(row);
    }
    let mut solution: Vec<f64> = Vec::new();
    for row in parts.iter().rev() {
        let of_others: f64 = row.iter().zip(solution.iter().rev()).map(|(part, times)| part * times).sum();
        solution.push(row.last().copied().unwrap_or_default() - of_others);
    }
    solution.reverse();
    solution
}

/// `2^(n / 32)` at the place that the lowest five bits of `n` say.
fn roots() -> [f32; 32] {
    std::array::from_fn(|n| libm::exp2(n as f64 / 32.0) as f32)
}

/// The lines between the brackets of an array.
fn lines(numbers: [f32; 32], indentation: &str) -> String {
    let line = |numbers: &[f32]| {
        let numbers: Vec<_> = numbers.iter().map(|number| format!("{number:?},")).collect();
        format!("{indentation}{}\n", numbers.join(" "))
    };
    numbers.chunks(8).map(line).collect()
}

fn written() -> Result<String, std::fmt::Error> {
    let mut text = String::from("//! The numbers, as `tests/tables.rs` computes them.\n\nuse super::Table;\n");
    for function in FUNCTIONS {
        let (name, rounder, [least, greatest]) = (function.name, function.step * ROUNDER, function.range);
        write!(text, "\n#[rustfmt::skip]\npub(super) static {name}: Table = Table {{\n    rounder: {rounder:?},\n")?;
        write!(text, "    least: {least:?},\n    greatest: {greatest:?},\n")?;
        text.push_str("    coefficients: [\n");
        for row in function.table() {
            write!(text, "        [\n{}        ],\n", lines(row, "            "))?;
        }
        text.push_str("    ],\n};\n");
    }
    write!(
        text,
        "\n// One of them is the square root.\n#[allow(clippy::approx_constant)]\n#[rustfmt::skip]\npub(super) static ROOTS: [f32; 32] = [\n{}];\n",
        lines(roots(), "    ")
    )?;
    Ok(text)
}

#[test]
fn tables_are_what_is_computed() {
    let text = written().expect("text is written to memory");
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(FILE, &text).expect("the file of the tables is written");
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap_or_default(), text, "UPDATE_TABLES=1 writes {FILE} again");
}
