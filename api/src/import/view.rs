//! What came of a file, as it is told: by the API and by the command line in the same shape.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use intake::document::{Because, Column, ControlTotal, Note};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Remark;
use super::report::{Report, SheetReport};
use crate::problem::{Language, Problem};
use crate::store::import::job::{self, Mode, Record, State};
use crate::store::import::outcome::{self, Outcome, RowRecord};
use crate::store::import::{Terms, Twin};
use crate::store::{Db, Failure};

/// How many rows of each outcome are told with the whole.
const TOLD: u64 = 1000;

/// A file that was brought in, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Import {
    /// Its id.
    id: Uuid,
    /// Who brought it in.
    by: String,
    /// What its rows are.
    #[schema(example = "projects")]
    kind: &'static str,
    /// `preview` or `commit`.
    mode: &'static str,
    /// Whether it is all or nothing.
    atomic: bool,
    /// `running`; `done`; `refused`: nothing was changed; `interrupted`: the service ended meanwhile, and nothing was
    /// changed; `undone`: taken in, and taken back.
    state: &'static str,
    /// Who sent the file.
    sender: String,
    /// The file.
    #[schema(inline)]
    file: FileView,
    /// The import that took the same file in before.
    #[schema(required = true)]
    same_file_as: Option<Uuid>,
    /// How many rows are done.
    #[schema(inline)]
    progress: ProgressView,
    /// When it was brought in.
    created_at: DateTime<Utc>,
    /// When that ended.
    #[schema(required = true)]
    finished_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    #[schema(required = true)]
    undone_at: Option<DateTime<Utc>>,
    /// Why the file was not taken; null if it could be read.
    #[schema(required = true, inline)]
    problem: Option<ProblemView>,
    /// In which encoding its text is; null for workbooks.
    #[schema(required = true)]
    encoding: Option<String>,
    /// How its sheets were understood.
    sheets: Vec<SheetView>,
    /// How many rows were read.
    rows: usize,
    /// How many make something new: a project, a place in a plan, a month, a permit, a target.
    created: usize,
    /// How many change something.
    changed: usize,
    /// How many stand so already.
    unchanged: usize,
    /// How many are left, for somebody has to say what they are about.
    duplicate_rows: usize,
    /// How many are refused.
    refused_rows: usize,
    /// The first thousand that change something, field by field.
    changes: Vec<ChangeView>,
    /// The first thousand that are like something, and what.
    duplicates: Vec<DuplicateView>,
    /// What is wrong with the first thousand rows that are refused.
    refused: Vec<RemarkView>,
    /// What else has to be told of rows.
    remarks: Vec<RemarkView>,
    /// The sums that the sheets state, held against their rows.
    control_totals: Vec<ControlTotalView>,
    /// The exact amounts of the rows that are taken in, without those that are part of another, in 元.
    #[schema(example = "12600000000.00")]
    total: String,
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileView {
    /// What it is called.
    name: String,
    /// How large it is, in bytes.
    size: usize,
    /// Its SHA-256, in hexadecimal digits.
    sha256: String,
}

/// How far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressView {
    /// How many rows are done.
    done: i64,
    /// Of how many; 0 until it has been read.
    total: i64,
}

/// Why a file was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemView {
    /// The stable code.
    code: String,
    /// The same in words.
    detail: String,
}

/// How a sheet was understood.
#[derive(Debug, Serialize, ToSchema)]
pub struct SheetView {
    /// Its name; empty for a file of text.
    name: String,
    /// `read`, `no_table`, `hidden` or `not_cells`.
    state: &'static str,
    /// The unit that a note above the table tells.
    #[schema(required = true, example = "wan_yuan")]
    unit: Option<&'static str>,
    /// The year or month that the title tells.
    #[schema(required = true, example = "2025")]
    period: Option<String>,
    /// The rows of the headings, from 1.
    header_rows: Vec<u32>,
    /// How its columns were understood.
    mapping: Vec<ColumnView>,
    /// How many rows were read.
    rows: usize,
    /// What else has to be told of it.
    notes: Vec<NoteView>,
}

/// How a column was understood.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    /// Its letter.
    #[schema(example = "D")]
    column: String,
    /// Its heading; the parts of one with several rows are joined by `|`.
    heading: String,
    /// What it was taken for; null if it is left.
    #[schema(required = true, example = "total_investment")]
    field: Option<String>,
    /// Why: `given`, `remembered`, `exact`, `contained`, `ordinal`, `ignored`, `duplicate`, `ambiguous`, `unknown`,
    /// `no_heading`.
    because: &'static str,
    /// Whether what it says is taken in, or tells what a row is about.
    is_taken: bool,
    /// The unit that its heading tells.
    #[schema(required = true)]
    unit: Option<&'static str>,
    /// What else it could be for.
    candidates: Vec<String>,
    /// What stands in it, of a column that was not understood.
    samples: Vec<String>,
}

/// Something to tell of a sheet.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteView {
    /// What: `title`, `footnote`, `hidden_cells`, `field_missing`, `breakdown`, `repeated_heading`, `second_unit`.
    code: &'static str,
    /// Where, from 1.
    #[schema(required = true)]
    row: Option<u32>,
    /// Its text.
    text: String,
}

/// Something to tell of a row or one of its cells.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemarkView {
    /// The sheet.
    sheet: String,
    /// The row, from 1.
    row: i64,
    /// The letter of the column; null if it is about the row.
    #[schema(required = true)]
    column: Option<String>,
    /// The field that the column is for.
    #[schema(required = true)]
    field: Option<String>,
    /// The stable code.
    code: String,
    /// The same in words.
    detail: String,
    /// The text of the cell.
    #[schema(required = true)]
    text: Option<String>,
}

/// A row that changes something.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    /// The sheet.
    sheet: String,
    /// The row, from 1.
    row: i64,
    /// The name of the project or target.
    name: String,
    /// What was, of what it changes.
    #[schema(value_type = Object)]
    before: Value,
    /// What is then.
    #[schema(value_type = Object)]
    after: Value,
}

/// A row that is like something.
#[derive(Debug, Serialize, ToSchema)]
pub struct DuplicateView {
    /// The sheet.
    sheet: String,
    /// The row, from 1.
    row: i64,
    /// The name that it has.
    name: String,
    /// `same_key`, `same_name` (and region) or `similar_name`.
    likeness: &'static str,
    /// Whether the row is left for it.
    held: bool,
    /// What is like it.
    of: Vec<TwinView>,
}

/// What a row is like.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwinView {
    /// The project; null if it is another row of the file.
    #[schema(required = true)]
    id: Option<Uuid>,
    /// Its name.
    name: String,
    /// The code of its region; empty for another row.
    region: String,
    /// Its 项目代码.
    #[schema(required = true)]
    code: Option<String>,
    /// The other row of the file.
    #[schema(required = true)]
    row: Option<u32>,
}

/// A sum that a sheet states, held against the rows that it covers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ControlTotalView {
    /// The sheet.
    sheet: String,
    /// Its row, from 1.
    row: u32,
    /// The letter of its column.
    column: String,
    /// What it is called.
    label: String,
    /// `subtotal`, `total`, `running` or `section`.
    kind: &'static str,
    /// What it adds up; null for a number of rows.
    #[schema(required = true)]
    field: Option<String>,
    /// What the sheet states: 元 with two decimals, or a number of rows; null if it can't be read.
    #[schema(required = true)]
    stated: Option<String>,
    /// What the rows come to.
    computed: String,
    /// How many rows were counted or added.
    rows: usize,
    /// How many of the rows say nothing that could be added.
    left_out: usize,
    /// Whether both are the same.
    agrees: bool,
}

/// What came of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportRow {
    /// The sheet.
    sheet: String,
    /// The row, from 1.
    row: i64,
    /// The name of its project or target.
    name: String,
    /// `created`, `changed`, `duplicate`, `refused` or `remarked`.
    outcome: &'static str,
    /// What it made or changed, such as `project/ID`; null if it was not taken in.
    #[schema(required = true)]
    subject: Option<String>,
    /// What was, of what it changes.
    #[schema(required = true, value_type = Option<Object>)]
    before: Option<Value>,
    /// What is then.
    #[schema(required = true, value_type = Option<Object>)]
    after: Option<Value>,
    /// What it is like.
    #[schema(required = true)]
    duplicate: Option<DuplicateView>,
    /// What has to be said of it.
    remarks: Vec<RemarkView>,
    /// Its cells by the letters of their columns, if it was not taken in.
    cells: BTreeMap<String, String>,
}

/// All that is told of a job, in a reader's language.
///
/// # Errors
/// `not_found`, or the problem of the database.
pub async fn document(
    db: &Db,
    account: Option<Uuid>,
    id: Uuid,
    language: Language,
) -> Result<Import, Problem> {
    let now = db.clock().now();
    let reader = db.reader();
    let found = async {
        let record = job::read(reader, account, id, now).await?;
        let same = match record.state {
            State::Running => None,
            State::Done | State::Refused | State::Interrupted | State::Undone => {
                job::same_file(reader, account, &record).await?
            }
        };
        let told = [
            Outcome::Changed,
            Outcome::Created,
            Outcome::Duplicate,
            Outcome::Refused,
            Outcome::Remarked,
        ];
        let mut rows = Vec::new();
        for outcome in told {
            rows.extend(
                outcome::page(reader, id, Some(outcome), (TOLD, None))
                    .await?
                    .0,
            );
        }
        Ok::<_, Failure>((record, same, rows))
    };
    let (record, same, rows) = found.await.map_err(Failure::told)?;
    let sheets = record.report.as_ref().map(|report| report.sheets.clone());
    let sheets = sheets.unwrap_or_default();
    let mut import = Import::in_short(record, language);
    import.same_file_as = same;
    for row in &rows {
        import.tell(row, &sheets, language);
    }
    Ok(import)
}

impl Import {
    /// Whether it still goes on.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == State::Running.code()
    }

    /// Whether nothing was changed because something was refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        ![State::Running.code(), State::Done.code()].contains(&self.state)
    }

    /// Without its rows.
    #[must_use]
    pub fn in_short(record: Record, language: Language) -> Self {
        let Record {
            id,
            by,
            begun,
            state,
            progress: (done, total),
            report,
            created_at,
            finished_at,
            undone_at,
        } = record;
        let Report {
            encoding,
            sheets,
            rows,
            created,
            changed,
            unchanged,
            duplicates,
            refused,
            control_totals,
            total: amount,
            problem,
        } = report.unwrap_or_default();
        let problem = problem.first().map(|remark| ProblemView {
            code: remark.code.clone(),
            detail: language.choose(&remark.zh, &remark.en).to_owned(),
        });
        Self {
            id,
            by,
            kind: begun.terms.kind.code(),
            mode: begun.mode.code(),
            atomic: begun.is_atomic,
            state: state.code(),
            sender: begun.sender,
            file: FileView {
                name: begun.file_name,
                size: begun.file_size,
                sha256: begun.file_hash,
            },
            same_file_as: None,
            progress: ProgressView { done, total },
            created_at,
            finished_at,
            undone_at,
            problem,
            encoding,
            sheets: sheets
                .iter()
                .map(|sheet| SheetView::of(sheet, &begun.terms))
                .collect(),
            rows,
            created,
            changed,
            unchanged,
            duplicate_rows: duplicates,
            refused_rows: refused,
            changes: Vec::new(),
            duplicates: Vec::new(),
            refused: Vec::new(),
            remarks: Vec::new(),
            control_totals: control_totals.iter().map(ControlTotalView::of).collect(),
            total: amount,
        }
    }

    fn tell(&mut self, row: &RowRecord, sheets: &[SheetReport], language: Language) {
        let detail = &row.detail;
        self.duplicates.extend(DuplicateView::of(row, sheets));
        let remarks = detail.remarks.iter();
        let remarks = remarks.map(|remark| RemarkView::of(remark, row, sheets, language));
        if row.outcome == Outcome::Refused {
            self.refused.extend(remarks);
        } else {
            self.remarks.extend(remarks);
        }
        if row.outcome == Outcome::Changed {
            self.changes.push(ChangeView {
                sheet: sheet_of(row, sheets),
                row: row.number,
                name: row.name.clone(),
                before: detail.before.clone().unwrap_or_default(),
                after: detail.after.clone().unwrap_or_default(),
            });
        }
    }

    /// What a person at a terminal reads.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(problem) = &self.problem {
            lines.push(problem.detail.clone());
        }
        for sheet in &self.sheets {
            lines.extend(sheet.lines());
        }
        lines.push(format!(
            "{} 行：新增 {}，更改 {}，不变 {}，疑似重复 {}，拒绝 {}；合计 {} 元 / \
             {} rows: {} new, {} changed, {} as they were, {} like others, {} refused; {} 元",
            self.rows,
            self.created,
            self.changed,
            self.unchanged,
            self.duplicate_rows,
            self.refused_rows,
            self.total,
            self.rows,
            self.created,
            self.changed,
            self.unchanged,
            self.duplicate_rows,
            self.refused_rows,
            self.total,
        ));
        lines.extend(self.duplicates.iter().map(DuplicateView::line));
        lines.extend(self.refused.iter().map(RemarkView::line));
        lines.extend(self.remarks.iter().map(RemarkView::line));
        let wrong = self.control_totals.iter().filter(|total| !total.agrees);
        lines.extend(wrong.map(ControlTotalView::line));
        lines
    }

    /// How it stands, as its mode has it.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        let is_commit = self.mode == Mode::Commit.code();
        match (self.is_refused(), is_commit) {
            (true, _) => "没有导入，库中没有任何改动 / not taken in; nothing was changed",
            (false, true) => "已导入 / taken in",
            (false, false) => {
                "预览，库中没有任何改动；用 --mode commit 导入 / a preview; nothing was changed; --mode commit takes it in"
            }
        }
    }
}

fn sheet_of(row: &RowRecord, sheets: &[SheetReport]) -> String {
    sheets
        .get(row.sheet)
        .map_or_else(String::new, |sheet| sheet.name.clone())
}

impl SheetView {
    fn of(sheet: &SheetReport, terms: &Terms) -> Self {
        Self {
            name: sheet.name.clone(),
            state: sheet.state.code(),
            unit: sheet.unit.map(intake::Unit::code),
            period: sheet.term.map(|term| term.to_string()),
            header_rows: sheet.header_rows.clone(),
            mapping: sheet
                .mapping
                .iter()
                .map(|column| ColumnView::of(column, terms))
                .collect(),
            rows: sheet.rows,
            notes: sheet.notes.iter().map(NoteView::of).collect(),
        }
    }

    fn lines(&self) -> Vec<String> {
        let taken = self.mapping.iter().filter(|column| column.is_taken);
        let taken: Vec<String> = taken
            .filter_map(|column| Some(format!("{}={}", column.column, column.field.as_ref()?)))
            .collect();
        let unit = self.unit.unwrap_or("-");
        let mut lines = vec![format!(
            "[{}] {} {unit} {}",
            self.name,
            self.state,
            taken.join(" ")
        )];
        // Nobody misses the numbers of the rows.
        let is_left =
            |column: &&ColumnView| !column.is_taken && column.because != Because::Ordinal.code();
        let left: Vec<String> = self
            .mapping
            .iter()
            .filter(is_left)
            .map(|column| format!("{} {}", column.column, column.heading))
            .collect();
        if !left.is_empty() {
            lines.push(format!("  不导入的栏 / columns left: {}", left.join("、")));
        }
        lines
    }
}

impl ColumnView {
    fn of(column: &Column, terms: &Terms) -> Self {
        let because: Because = column.because;
        Self {
            column: column.column.clone(),
            heading: column.heading.clone(),
            field: column.field.map(|field| field.to_string()),
            because: because.code(),
            is_taken: column.field.is_some_and(|field| terms.takes(field.name)),
            unit: column.unit.map(intake::Unit::code),
            candidates: column.candidates.iter().map(ToString::to_string).collect(),
            samples: column.samples.clone(),
        }
    }
}

impl NoteView {
    fn of(note: &Note) -> Self {
        Self {
            code: note.code.code(),
            row: note.row,
            text: note.text.clone(),
        }
    }
}

impl RemarkView {
    fn of(remark: &Remark, row: &RowRecord, sheets: &[SheetReport], language: Language) -> Self {
        Self {
            sheet: sheet_of(row, sheets),
            row: row.number,
            column: remark.column.clone(),
            field: remark.field.clone(),
            code: remark.code.clone(),
            detail: language.choose(&remark.zh, &remark.en).to_owned(),
            text: remark.text.clone(),
        }
    }

    fn line(&self) -> String {
        let column = self.column.as_deref().unwrap_or("");
        let text = self.text.as_deref().unwrap_or("");
        format!(
            "  [{}] {column}{}: {} ({}) {text}",
            self.sheet, self.row, self.detail, self.code
        )
    }
}

impl DuplicateView {
    fn of(row: &RowRecord, sheets: &[SheetReport]) -> Option<Self> {
        let double = row.detail.double.as_ref()?;
        Some(Self {
            sheet: sheet_of(row, sheets),
            row: row.number,
            name: row.name.clone(),
            likeness: double.likeness.code(),
            held: double.is_held && row.outcome == Outcome::Duplicate,
            of: double.of.iter().map(TwinView::of).collect(),
        })
    }

    fn line(&self) -> String {
        let names: Vec<&str> = self.of.iter().map(|twin| twin.name.as_str()).collect();
        format!(
            "  [{}] {}: {} ~ {} ({})",
            self.sheet,
            self.row,
            self.name,
            names.join("、"),
            self.likeness
        )
    }
}

impl TwinView {
    fn of(twin: &Twin) -> Self {
        let Twin {
            id,
            name,
            region,
            code,
            row,
        } = twin.clone();
        Self {
            id,
            name,
            region,
            code,
            row,
        }
    }
}

impl ControlTotalView {
    fn of((sheet, total): &(String, ControlTotal)) -> Self {
        Self {
            sheet: sheet.clone(),
            row: total.row,
            column: total.column.clone(),
            label: total.label.clone(),
            kind: total.kind.code(),
            field: total.field.map(|field| field.to_string()),
            stated: total.stated.clone(),
            computed: total.computed.clone(),
            rows: total.rows,
            left_out: total.left_out,
            agrees: total.agrees,
        }
    }

    fn line(&self) -> String {
        let stated = self.stated.as_deref().unwrap_or("-");
        format!(
            "  [{}] {}{} {}: 表中 {stated}，各行合计 {} / stated {stated}, the rows come to {}",
            self.sheet, self.column, self.row, self.label, self.computed, self.computed
        )
    }
}

impl ImportRow {
    /// In a reader's language.
    #[must_use]
    pub fn of(row: &RowRecord, sheets: &[SheetReport], language: Language) -> Self {
        let detail = &row.detail;
        let remarks = detail.remarks.iter();
        let remarks = remarks.map(|remark| RemarkView::of(remark, row, sheets, language));
        Self {
            sheet: sheet_of(row, sheets),
            row: row.number,
            name: row.name.clone(),
            outcome: row.outcome.code(),
            subject: row.subject.clone(),
            before: detail.before.clone(),
            after: detail.after.clone(),
            duplicate: DuplicateView::of(row, sheets),
            remarks: remarks.collect(),
            cells: detail.cells.clone(),
        }
    }
}
