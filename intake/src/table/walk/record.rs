//! One row of a table as a record: its name, its fields, and what is wrong with them.

use std::collections::BTreeMap;

use super::Walk;
use crate::document::{Cell, Data, Fault, FaultCode};
use crate::field::{Field, FieldName, Of};
use crate::grid::{GridRow, Raw, letters};
use crate::request::Kind;
use crate::table::line::Line;
use crate::table::mapping::Mapped;
use crate::table::{ordinal, read};
use crate::value::{Value, tidy, words};

impl Walk<'_> {
    /// The name without what numbers it in a table that has no column of numbers, and without dashes before a part.
    pub(super) fn plain_name(&self, line: &Line, is_part: bool) -> String {
        let name = tidy(&line.name);
        let name = if is_part {
            name.trim_start_matches(['-', '—', '–', '·', '•', ' '])
        } else {
            &name
        };
        match ordinal::lead(name) {
            Some((_, rest)) if self.mapping.ordinal.is_none() => rest.to_owned(),
            _ => name.to_owned(),
        }
    }

    /// Reads the cells of a row.
    pub(super) fn fields(
        &mut self,
        row: &GridRow,
        line: &Line,
        name: &str,
    ) -> (BTreeMap<Field, Cell>, Vec<Fault>) {
        let (mut fields, mut faults) = (BTreeMap::new(), Vec::new());
        let mapping = self.mapping;
        let measure = mapping
            .read
            .iter()
            .find(|mapped| mapped.field.name == FieldName::Unit);
        self.eye.measure = measure
            .and_then(|mapped| row.at(mapped.column))
            .map(|raw| raw.shown().into_owned());
        for mapped in &mapping.read {
            let shared = || {
                let (_, from, raw) = self.shared.get(&mapped.column)?;
                mapped
                    .field
                    .name
                    .is_shared(self.eye.kind)
                    .then_some((*from, raw))
            };
            let Some((from, raw)) = row
                .at(mapped.column)
                .map(|raw| (row.number, raw))
                .or_else(shared)
            else {
                continue;
            };
            if raw.is_blank() {
                continue;
            }
            match self.eye.read(mapped, raw) {
                Ok(value) => {
                    let value =
                        if mapped.field == Field::from(FieldName::Name) && from == row.number {
                            named(value, name)
                        } else {
                            value
                        };
                    self.add_document(&mut fields, mapped, raw, from);
                    fields.insert(mapped.field, read::cell(from, mapped, raw, value));
                }
                Err(code) => faults.push(read::fault(mapped, raw, code)),
            }
        }
        // 其中：一期工程 in the column of numbers, with nothing in the one of names.
        let of_name = Field::from(FieldName::Name);
        if !name.is_empty() && !fields.contains_key(&of_name) && line.name.trim().is_empty() {
            fields.insert(of_name, self.name_of_ordinal(row, line, name));
        }
        faults.extend(self.required(&fields, &faults));
        (fields, faults)
    }

    fn name_of_ordinal(&self, row: &GridRow, line: &Line, name: &str) -> Cell {
        Cell {
            row: row.number,
            column: self.mapping.ordinal.unwrap_or(0).into(),
            text: line.ordinal.clone(),
            value: Value::Text(name.to_owned()),
        }
    }

    /// A document's number in the column of a permit's status is told as such too.
    fn add_document(
        &self,
        fields: &mut BTreeMap<Field, Cell>,
        mapped: &Mapped,
        raw: &Raw,
        from: u32,
    ) {
        let Some(Of::Item(_)) = mapped
            .field
            .of
            .filter(|_| mapped.field.name == FieldName::Status)
        else {
            return;
        };
        let shown = raw.shown();
        let field = |name| Field {
            name,
            of: mapped.field.of,
        };
        let has_own = |name| {
            self.mapping
                .read
                .iter()
                .any(|other| other.field == field(name))
        };
        if words::is_document_number(&shown)
            && words::status(&shown).is_none()
            && !has_own(FieldName::DocumentNumber)
        {
            let value = Value::Text(tidy(&shown));
            fields.insert(
                field(FieldName::DocumentNumber),
                read::cell(from, mapped, raw, value),
            );
        }
    }

    /// What a row may not be without: something that tells of which project or target it is.
    fn required(&self, fields: &BTreeMap<Field, Cell>, faults: &[Fault]) -> Option<Fault> {
        let is_told = |name| {
            let field = Field::from(name);
            let is_read = fields
                .get(&field)
                .is_some_and(|cell| cell.value != Value::Unknown);
            is_read || faults.iter().any(|fault| fault.field == field)
        };
        let keys: &[FieldName] = match self.eye.kind {
            Kind::Projects | Kind::Targets => &[FieldName::Name],
            Kind::AnnualPlans | Kind::MonthlyFigures | Kind::Approvals => {
                &[FieldName::Name, FieldName::Code, FieldName::ExternalRef]
            }
        };
        (!keys.iter().copied().any(is_told)).then(|| Fault {
            column: self.mapping.name.map(letters),
            field: FieldName::Name.into(),
            code: FaultCode::Required,
            text: String::new(),
            data: Data::new(),
        })
    }
}

/// The name as it was made plain.
fn named(value: Value, name: &str) -> Value {
    if matches!(value, Value::Text(_)) && !name.is_empty() {
        Value::Text(name.to_owned())
    } else {
        value
    }
}
