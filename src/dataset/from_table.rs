//! Examples out of a table of numbers.

use super::{Column, Dataset, classes, data_shape, data_tensors};
use crate::equation::TensorId;
use crate::files::FileError;
use crate::files::table::Table;
use crate::model::Model;

/// Which columns of a table are what, by name, number from 1, or `last`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// The inputs' values in the order of the spec; empty for all columns that are no targets.
    pub features: Vec<String>,
    /// The targets' values in the order of the spec.
    pub targets: Vec<String>,
}

/// Takes one row for each example: as many columns as the inputs of the spec have values, and as many as the targets.
///
/// A single column for a target `t[n]` holds labels, which are read one-hot.
///
/// # Errors
/// Where a column does not exist, their number is not that of the spec, or a label is not in its range; the message has line and column.
pub fn from_table(model: &Model, table: &Table, columns: &Columns) -> Result<Dataset, FileError> {
    let find = |names: &[String]| names.iter().map(|name| table.column(name)).collect::<Result<Vec<usize>, _>>();
    let targets = find(&columns.targets)?;
    let features = match columns.features.is_empty() {
        true => (0..table.columns).filter(|column| !targets.contains(column)).collect(),
        false => find(&columns.features)?,
    };
    let size = |tensors: &[TensorId]| -> usize {
        tensors.iter().map(|&tensor| data_shape(model.context.tensor(tensor)).iter().product::<usize>()).sum()
    };
    let one_hot = targets.len() == 1 && model.targets.len() == 1 && size(&model.targets) > 1;
    expect_count(table, "input", features.len(), size(&model.inputs))?;
    if !one_hot {
        expect_count(table, "target", targets.len(), size(&model.targets))?;
    }
    let mut sources = features.into_iter().chain(targets);
    let mut dataset = Dataset { count: table.len(), columns: Vec::new() };
    for tensor in data_tensors(model) {
        let declared = model.context.tensor(tensor);
        let shape = data_shape(declared);
        let spread = one_hot && model.targets.contains(&tensor);
        let width = if spread { 1 } else { shape.iter().product() };
        let taken: Vec<usize> = sources.by_ref().take(width).collect();
        let values = match () {
            () if spread => one_hot_values(table, taken[0], shape.iter().product())?,
            () if declared.label => labels(table, &taken, classes(declared))?,
            () => (0..table.len()).flat_map(|row| taken.iter().map(move |&column| table.row(row)[column])).collect(),
        };
        dataset.columns.push(Column { tensor, shape, label: declared.label, values });
    }
    Ok(dataset)
}

fn expect_count(table: &Table, what: &str, found: usize, expected: usize) -> Result<(), FileError> {
    if found == expected {
        return Ok(());
    }
    let (has, columns) = (if expected == 1 { "value" } else { "values" }, if found == 1 { "column" } else { "columns" });
    let message = format!("{found} {columns} for the spec's {what}s, which have {expected} {has}");
    let hint = match what {
        "input" => format!("the table has {} columns; choose with --features and --target", table.columns),
        _ => "name as many columns with --target".to_owned(),
    };
    Err(FileError::new(&table.place, message).hint(hint))
}

fn labels(table: &Table, columns: &[usize], classes: usize) -> Result<Vec<f64>, FileError> {
    let cells = (0..table.len()).flat_map(|row| columns.iter().map(move |&column| (row, column)));
    cells
        .map(|(row, column)| {
            let value = table.row(row)[column];
            if value.fract() == 0.0 && value >= 0.0 && value < classes as f64 {
                return Ok(value);
            }
            let name = table.column_name(column);
            let message = format!("label {value} where an integer in 0..{classes} is expected, in {name}");
            Err(FileError::new(table.cell_place(row, column), message))
        })
        .collect()
}

fn one_hot_values(table: &Table, column: usize, classes: usize) -> Result<Vec<f64>, FileError> {
    let labels = labels(table, &[column], classes)?;
    Ok(labels.into_iter().flat_map(|label| (0..classes).map(move |class| f64::from(u8::from(class as f64 == label)))).collect())
}
