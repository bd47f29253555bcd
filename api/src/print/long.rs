//! Tables of any length: written row after row into a file, they take as much memory as a row.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::negotiate::Form;
use super::{Cell, Column, PrintError, Sheet, csv, xlsx};

/// A table that is being written.
pub struct Long {
    paper: Paper,
    scratch: PathBuf,
}

enum Paper {
    Csv(Box<csv::Lines<BufWriter<File>>>),
    Xlsx(Box<xlsx::Book>),
}

/// What is said of a table.
#[derive(Clone, Debug)]
pub struct About {
    /// What the sheet is called on which it stands.
    pub sheet: String,
    /// What the table shows.
    pub title: String,
    /// What one has to know to read it.
    pub notes: Vec<String>,
}

impl Long {
    /// With the headings; in a workbook the rows stand on a sheet of this name. Its files are made in `scratch`.
    ///
    /// # Errors
    /// [`PrintError`] if it can't be written.
    pub fn begin(
        sheet: Sheet,
        name: &str,
        mut columns: Vec<Column>,
        scratch: &Path,
    ) -> Result<Self, PrintError> {
        sheet.name_units(&mut columns);
        let (columns, unit) = (&columns, sheet.unit);
        let paper = match sheet.form {
            Form::Csv => {
                let file = BufWriter::new(tempfile::tempfile_in(scratch)?);
                Paper::Csv(Box::new(csv::Lines::begin(file, columns, unit)?))
            }
            Form::Xlsx => Paper::Xlsx(Box::new(xlsx::Book::begin(name, columns, unit, scratch)?)),
        };
        Ok(Self {
            paper,
            scratch: scratch.to_owned(),
        })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// [`PrintError`] if it can't be written.
    pub fn row(&mut self, cells: &[Cell]) -> Result<(), PrintError> {
        match &mut self.paper {
            Paper::Csv(lines) => lines.row(cells),
            Paper::Xlsx(book) => book.row(cells),
        }
    }

    /// The file, which is gone when it is closed.
    ///
    /// # Errors
    /// [`PrintError`] if it can't be written.
    pub fn end(self, about: &About) -> Result<File, PrintError> {
        let About {
            sheet,
            title,
            notes,
        } = about;
        match self.paper {
            Paper::Csv(lines) => {
                let file = lines.end(title, notes)?;
                file.into_inner().map_err(|error| error.into_error().into())
            }
            Paper::Xlsx(book) => {
                let mut file = tempfile::tempfile_in(&self.scratch)?;
                book.end(&mut file, sheet, title, notes)?;
                Ok(file)
            }
        }
    }
}
