//! Tables of numbers: CSV with or without a header, plain or compressed with gzip.

use super::{FileError, read_bytes};
use crate::diagnostic::nearest;
use crate::limits;
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::Path;

/// What may stand between two fields, the likeliest first; the first one that the first line has is taken.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b' '];

/// How many bytes begin a file that is compressed with gzip.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A table of numbers. Every row has the same number of columns, and every cell is a finite number.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What messages call the file.
    pub place: String,
    /// The names of the columns, where the file has a line of them.
    pub names: Option<Vec<String>>,
    /// The number of columns.
    pub columns: usize,
    /// All cells, row by row.
    pub cells: Vec<f64>,
    /// Where each row begins in the text, and its line, to say where a cell is.
    rows: Vec<RowPlace>,
    text: Vec<u8>,
    delimiter: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct RowPlace {
    byte: usize,
    line: u64,
}

/// What the first line of a file is.
enum FirstLine {
    /// Names of columns.
    Names(Vec<String>),
    /// `rows,features,names of classes…`, as scikit-learn's files begin.
    Counts,
    /// Numbers like all others.
    Row,
}

impl Table {
    /// Reads a table from a file.
    ///
    /// # Errors
    /// Where the file cannot be read, has no row, has rows of different lengths, or has a cell that is no finite number; the message
    /// has the line and the column.
    pub fn read(path: &Path) -> Result<Table, FileError> {
        Table::from_bytes(&path.display().to_string(), read_bytes(path, limits::DATA_BYTES)?)
    }

    /// Reads a table from the bytes of a file, which messages call `place`.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_bytes(place: &str, bytes: Vec<u8>) -> Result<Table, FileError> {
        let text = if bytes.starts_with(&GZIP_MAGIC) { decompress(place, &bytes)? } else { bytes };
        let first_line = text.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or(&[]);
        let delimiter = DELIMITERS.into_iter().find(|delimiter| first_line.trim_ascii().contains(delimiter)).unwrap_or(b',');
        let mut table =
            Table { place: place.to_owned(), names: None, columns: 0, cells: Vec::new(), rows: Vec::new(), text, delimiter };
        let records = table.records()?;
        let Some((_, first)) = records.first() else { return Err(FileError::new(place, "this file has no rows")) };
        let second = records.get(1).map_or(0, |(_, record)| record.len());
        let first_line = first_line_kind(first, second, records.len());
        let skipped = usize::from(!matches!(first_line, FirstLine::Row));
        if let FirstLine::Names(names) = first_line {
            table.columns = names.len();
            table.names = Some(names);
        }
        for (row, record) in &records[skipped..] {
            table.add(*row, record)?;
        }
        if table.rows.is_empty() {
            return Err(FileError::new(place, "this file has a header and no rows"));
        }
        Ok(table)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows; never, for a table that was read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.columns..(row + 1) * self.columns]
    }

    /// The position of a column: by its name, by its number from 1, or `last`.
    ///
    /// # Errors
    /// Where there is no such column; with the nearest name.
    pub fn column(&self, name: &str) -> Result<usize, FileError> {
        let named = self.names.iter().flatten().position(|known| known == name);
        let numbered =
            || name.parse::<usize>().ok().filter(|number| (1..=self.columns).contains(number)).map(|number| number - 1);
        let last = || (name == "last").then(|| self.columns - 1);
        named.or_else(numbered).or_else(last).ok_or_else(|| {
            let error = FileError::new(&self.place, format!("there is no column `{name}`"));
            match nearest(name, self.names.iter().flatten().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("a column is a name of the header, a number in 1..={}, or `last`", self.columns)),
            }
        })
    }

    /// The place of a cell in messages: file, line, and column counted in characters.
    pub fn cell_place(&self, row: usize, column: usize) -> String {
        self.field_place(self.rows[row], column)
    }

    /// The names in a header line or `column N`.
    pub fn column_name(&self, column: usize) -> String {
        self.names.as_ref().map_or_else(|| format!("column {}", column + 1), |names| format!("column `{}`", names[column]))
    }

    fn records(&self) -> Result<Vec<(RowPlace, csv::ByteRecord)>, FileError> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .delimiter(self.delimiter)
            .from_reader(&self.text[..]);
        let mut records = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(|error| FileError::new(&self.place, format!("cannot read this table: {error}")))?;
            let (byte, line) = record.position().map_or((0, 0), |position| (position.byte() as usize, position.line()));
            // A row's position is that of the end of the row before: empty lines stand between.
            let blank = self.text[byte..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let between = &self.text[byte..byte + blank];
            let lines = between.iter().filter(|&&byte| byte == b'\n').count();
            let start = between.iter().rposition(|&byte| byte == b'\n').map_or(byte, |newline| byte + newline + 1);
            records.push((RowPlace { byte: start, line: line + lines as u64 }, record));
        }
        Ok(records)
    }

    fn add(&mut self, row: RowPlace, record: &csv::ByteRecord) -> Result<(), FileError> {
        if self.rows.is_empty() && self.names.is_none() {
            self.columns = record.len();
        }
        if record.len() != self.columns {
            let place = self.field_place(row, self.columns.min(record.len().saturating_sub(1)));
            let plural = if record.len() == 1 { "" } else { "s" };
            let message = format!("a row of {} column{plural} in a table of {}", record.len(), self.columns);
            return Err(FileError::new(place, message));
        }
        for (column, field) in record.iter().enumerate() {
            let text = String::from_utf8_lossy(field);
            let problem = match text.parse::<f64>() {
                Ok(value) if value.is_finite() => {
                    self.cells.push(value);
                    continue;
                }
                Ok(value) => format!("{value} where a finite number is expected"),
                Err(_) if text.is_empty() => "an empty cell where a number is expected".to_owned(),
                Err(_) => format!("text \"{}\" where a number is expected", text.chars().take(40).collect::<String>()),
            };
            return Err(FileError::new(self.field_place(row, column), format!("{problem}, in {}", self.column_name(column))));
        }
        self.rows.push(row);
        Ok(())
    }

    /// `data.csv:17:3`: where a field begins, found by counting delimiters outside of quotes.
    fn field_place(&self, row: RowPlace, column: usize) -> String {
        let mut quoted = false;
        let mut passed = 0;
        let mut start = row.byte;
        for (at, &byte) in self.text.iter().enumerate().skip(row.byte) {
            if passed == column || (byte == b'\n' && !quoted) {
                break;
            }
            quoted ^= byte == b'"';
            if byte == self.delimiter && !quoted {
                passed += 1;
                start = at + 1;
            }
        }
        let blank = self.text[start..].iter().take_while(|&&byte| byte == b' ' && byte != self.delimiter).count();
        let before = String::from_utf8_lossy(&self.text[row.byte..start + blank]).chars().count();
        format!("{}:{}:{}", self.place, row.line, before + 1)
    }
}

/// Tells a header from a row of numbers: names are not numbers, and two counts before names are scikit-learn's.
fn first_line_kind(first: &csv::ByteRecord, second_length: usize, records: usize) -> FirstLine {
    let number = |field: &[u8]| std::str::from_utf8(field).ok().and_then(|text| text.parse::<f64>().ok());
    if first.iter().all(|field| number(field).is_some() || field.is_empty()) {
        return FirstLine::Row;
    }
    let counts = (first.get(0).and_then(number), first.get(1).and_then(number));
    if counts == (Some((records - 1) as f64), Some(second_length as f64 - 1.0)) {
        return FirstLine::Counts;
    }
    if first.iter().any(|field| number(field).is_some()) {
        // A number among the names: a row with a mistake in it, which deserves a message of its own.
        return FirstLine::Row;
    }
    FirstLine::Names(first.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect())
}

fn decompress(place: &str, bytes: &[u8]) -> Result<Vec<u8>, FileError> {
    let mut text = Vec::new();
    let limit = limits::DATA_BYTES;
    let read = MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut text);
    read.map_err(|error| FileError::new(place, format!("this gzip file is truncated or damaged: {error}")))?;
    if text.len() as u64 > limit {
        return Err(FileError::new(place, format!("this file has more than {limit} bytes uncompressed, the most that is read")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Table, String> {
        Table::from_bytes("data.csv", text.as_bytes().to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_header_is_told_from_numbers() {
        let named = parse("length, width ,class\n1,2,0\n3,4.5,1\n").unwrap();
        assert_eq!(named.names.as_deref().unwrap(), ["length", "width", "class"]);
        assert_eq!((named.len(), named.row(1)), (2, &[3.0, 4.5, 1.0][..]));
        let plain = parse("1,2,0\n3,4,1").unwrap();
        assert_eq!((plain.len(), plain.names.is_none()), (2, true));
    }

    #[test]
    fn the_first_line_of_scikit_learns_files_is_a_header_whatever_its_length() {
        for header in ["2,2,setosa", "2,2,setosa,versicolor", "2,2,a,b,c,d"] {
            let table = parse(&format!("{header}\n1,2,0\n3,4,1\n")).unwrap();
            assert_eq!((table.len(), table.columns), (2, 3), "{header}");
        }
    }

    #[test]
    fn other_delimiters_and_line_ends_are_read() {
        for text in ["1;2\n3;4", "1\t2\n3\t4\n", "1 2\r\n3 4\r\n", "\n1, 2\n\n3, 4\n\n"] {
            assert_eq!(parse(text).unwrap().cells, [1.0, 2.0, 3.0, 4.0], "{text:?}");
        }
    }

    #[test]
    fn columns_are_found_by_name_number_and_last() {
        let table = parse("a,b,class\n1,2,3\n").unwrap();
        let columns = ["class", "1", "last"].map(|name| table.column(name).unwrap());
        assert_eq!(columns, [2, 0, 2]);
        assert!(table.column("clas").unwrap_err().to_string().contains("did you mean `class`?"));
        assert!(table.column("4").is_err());
    }

    #[test]
    fn a_bad_cell_is_reported_with_line_and_column() {
        for (text, place, message) in [
            ("1,2\n3,x4\n", "data.csv:2:3", "text \"x4\" where a number is expected, in column 2"),
            ("a,b\n\n3,\n", "data.csv:3:3", "an empty cell where a number is expected, in column `b`"),
            ("1,2\n3,  NaN\n", "data.csv:2:5", "NaN where a finite number is expected"),
            ("1,2\n-inf,3\n", "data.csv:2:1", "-inf where a finite number is expected"),
            ("\"a,c\",b\n\"1\",\"x\"\n", "data.csv:2:5", "text \"x\" where a number is expected, in column `b`"),
            ("1,2\n3,4,5\n", "data.csv:2:5", "a row of 3 columns in a table of 2"),
            ("1,2\n3\n", "data.csv:2:1", "a row of 1 column in a table of 2"),
            ("a,b\n", "data.csv", "a header and no rows"),
            ("", "data.csv", "no rows"),
            ("1,two\n3,4\n", "data.csv:1:3", "text \"two\" where a number is expected"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(message), "{text:?}: {error}");
            assert!(error.ends_with(&format!("--> {place}")), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_compressed_file_is_known_by_its_first_bytes_and_a_damaged_one_is_an_error() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"1,2\n3,4\n").unwrap();
        let bytes = encoder.finish().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Table::read(&path).unwrap().cells, [1.0, 2.0, 3.0, 4.0]);
        std::fs::write(&path, &bytes[..bytes.len() - 6]).unwrap();
        assert!(Table::read(&path).unwrap_err().message.contains("truncated or damaged"));
    }
}
