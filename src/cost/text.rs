//! A cost as text.

use std::fmt::Write;

use super::{Cost, Count, Operation, Polynomial};

impl Polynomial {
    /// The formula: `n_0 n_1 + 2 n_1`.
    pub fn formula(&self) -> String {
        let mut text = String::new();
        for (coefficient, symbols) in self.terms() {
            text += match (text.is_empty(), coefficient < 0) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            let mut factors = Vec::new();
            if coefficient.abs() != 1 || symbols.is_empty() {
                factors.push(coefficient.abs().to_string());
            }
            let mut at = 0;
            while at < symbols.len() {
                let times = symbols[at..].iter().take_while(|&&symbol| symbol == symbols[at]).count();
                let power = if times > 1 { format!("^{times}") } else { String::new() };
                factors.push(format!("n_{}{power}", symbols[at].number()));
                at += times;
            }
            text += &factors.join(" ");
        }
        if text.is_empty() { "0".to_owned() } else { text }
    }
}

impl Count {
    /// The formula of each kind of operation: `multiplications n_0 n_1, exp n_1`.
    pub fn formulas(&self) -> String {
        let formulas = self.operations().map(|(operation, number)| format!("{} {}", operation.name(), number.formula()));
        formulas.collect::<Vec<_>>().join(", ")
    }

    /// The columns that every table has, then the functions that are called.
    fn columns(&self) -> [String; 5] {
        let number = |operation| self.of(operation).value().to_string();
        let is_column = |operation: &Operation| {
            matches!(operation, Operation::Multiply | Operation::Add | Operation::Divide | Operation::Compare)
        };
        let calls = self.operations().filter(|(operation, _)| !is_column(operation));
        let calls: Vec<String> = calls.map(|(operation, number)| format!("{} {}", number.value(), operation.name())).collect();
        let calls = if calls.is_empty() { "-".to_owned() } else { calls.join(", ") };
        [
            number(Operation::Multiply),
            number(Operation::Add),
            number(Operation::Divide),
            number(Operation::Compare),
            if self.is_exact { calls } else { calls + "  (at most)" },
        ]
    }
}

const HEADER: [&str; 7] = ["", "multiply", "add", "divide", "compare", "bytes", "functions"];

impl Cost {
    /// As the command prints it: tables of numbers, then formulas.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}: operations, counted in the code that is generated\n", self.network);
        for size in self.used_sizes() {
            let others = if size.is_for_all { " and all others of that extent" } else { "" };
            let (number, (tensor, axis)) = (size.symbol.number(), &size.of);
            let _ = writeln!(text, "  n_{number} = {}, axis {axis} of {tensor}{others}", size.extent);
        }
        for pass in &self.passes {
            let _ = writeln!(text, "\n{}, {}", pass.kind.name(), pass.kind.how_often());
            let mut rows: Vec<[String; 7]> = vec![HEADER.map(str::to_owned)];
            let mut push = |name: &str, count: &Count, numbers: &Polynomial| {
                let [multiply, add, divide, compare, calls] = count.columns();
                rows.push([name.to_owned(), multiply, add, divide, compare, self.bytes(numbers).to_string(), calls]);
            };
            pass.distinct_rows().iter().for_each(|(name, row)| push(name, &row.count, &row.numbers));
            push("in all", &pass.total(), &pass.numbers());
            text += &aligned(&rows);
        }
        text += "\nformulas\n";
        for pass in &self.passes {
            let _ = writeln!(text, "  {}", pass.kind.name());
            for (name, row) in pass.distinct_rows() {
                let numbers = row.equations.iter().map(|number| format!("({number})")).collect::<Vec<_>>().join(" ");
                let formulas = row.count.formulas();
                if !formulas.is_empty() {
                    let _ = writeln!(text, "    {name} {numbers}: {formulas}");
                }
            }
            let _ = writeln!(text, "    in all: {}", pass.total().formulas());
        }
        text += "\nmemory\n";
        let rows = self.memory.iter().map(|(what, numbers)| {
            [
                (*what).to_owned(),
                format!("{} bytes", self.bytes(numbers)),
                format!("{} ({})", self.scalar_bytes, numbers.formula()),
            ]
        });
        text += &aligned(&rows.collect::<Vec<_>>());
        if !self.tradeoffs.is_empty() {
            text += "\noperations against memory, forward and backward pass of one example\n";
            let mut rows = vec![["".to_owned(), "operations".to_owned(), "bytes".to_owned()]];
            rows.extend(self.tradeoffs.iter().map(|option| {
                let what = match option.parts {
                    1 => "keep all that the backward pass reads".to_owned(),
                    parts => format!("keep what passes between {parts} parts, compute the rest again"),
                };
                [what, option.operations.to_string(), option.bytes.to_string()]
            }));
            text += &aligned(&rows);
        }
        text
    }

    /// Bytes of so many numbers.
    pub fn bytes(&self, numbers: &Polynomial) -> i128 {
        numbers.value() * self.scalar_bytes as i128
    }

    /// The symbols that occur in a formula.
    pub fn used_sizes(&self) -> Vec<super::Size> {
        let mut used = Vec::new();
        for pass in &self.passes {
            for row in &pass.rows {
                row.count.operations().for_each(|(_, number)| used.extend(number.symbols()));
                used.extend(row.numbers.symbols());
            }
        }
        self.memory.iter().for_each(|(_, numbers)| used.extend(numbers.symbols()));
        self.sizes.iter().filter(|size| used.contains(&size.symbol)).cloned().collect()
    }
}

/// Columns: the first to the left, numbers to the right, the last as it is.
fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from("  ");
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            line += &match column {
                0 => format!("{cell}{pad}"),
                _ if column + 1 == COLUMNS && COLUMNS > 3 => format!("  {cell}"),
                _ => format!("  {pad}{cell}"),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}
