//! In whose notation formulas are written, as several commands take it.

use crate::failure::Failure;
use clap::Args;
use deltarule_compiler::files::read_spec;
use deltarule_compiler::sheet::NotationTable;
use std::path::Path;

/// A notation and the number that indices start from.
#[derive(Args)]
pub(crate) struct NotationOptions {
    /// How formulas are written: `lecture` (Greek letters, layers as superscripts), `matrix` (whole matrices), `plain` (the names of
    /// the spec), or a file with a notation of your own
    #[arg(long, value_name = "NAME|FILE", default_value = "lecture")]
    notation: String,
    /// The number of the first element of a tensor, 0 or 1; if left out, as the notation has it
    #[arg(long, value_name = "0|1", value_parser = clap::value_parser!(i64).range(0..=1))]
    first_index: Option<i64>,
}

impl NotationOptions {
    /// The notation that was asked for: one of those built in, or that of a file.
    pub(crate) fn table(&self) -> Result<NotationTable, Failure> {
        let table = match self.notation.as_str() {
            "lecture" => NotationTable::lecture(),
            "matrix" => NotationTable::matrix(),
            "plain" => NotationTable::plain(),
            file => {
                let path = Path::new(file);
                if !path.exists() {
                    return Err(Failure::Refused(format!(
                        "there is no notation called {file}, and no file either; try lecture, matrix or plain, or the path of a file with a notation"
                    )));
                }
                NotationTable::parse(file, &read_spec(path)?)?
            }
        };
        Ok(NotationTable { first_index: self.first_index.unwrap_or(table.first_index), ..table })
    }
}
