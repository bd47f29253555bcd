//! Tables for people (打印): what an operation answers as CSV or as a spreadsheet instead of JSON.
//!
//! Which of them is negotiated in one place, [`negotiate`]; what a table looks like follows from its [`Table`] alone,
//! so two equal tables are two equal files.

mod csv;
mod long;
pub mod negotiate;
mod xlsx;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{
    CONTENT_DISPOSITION, CONTENT_LANGUAGE, ContentDisposition, DispositionParam, DispositionType,
    VARY,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::{NaiveDate, NaiveDateTime};
use domain::money::{Money, MoneyUnit, Total};
use domain::rate::Percent;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::body::read_part;
use crate::codes::MoneyUnitCode;
use crate::problem::{Fault, Language, Problem, kinds};
pub use long::{About, Long};
use negotiate::Form;

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// Its file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// As CSV.
    #[error(transparent)]
    Csv(#[from] ::csv::Error),
    /// As a spreadsheet.
    #[error(transparent)]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

impl From<PrintError> for Problem {
    fn from(error: PrintError) -> Self {
        tracing::error!(%error, "a table could not be written");
        Self::new(kinds::INTERNAL)
    }
}

/// A table, in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What its file is called, without an ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// What one has to know to read it; that of its amounts is added.
    pub notes: Vec<String>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// All together; none if that means nothing.
    pub total: Option<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    heading: String,
    is_amount: bool,
}

impl Column {
    /// A column of anything but amounts.
    #[must_use]
    pub fn of(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            is_amount: false,
        }
    }

    /// A column of amounts; its heading will name their unit.
    #[must_use]
    pub fn of_amounts(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            is_amount: true,
        }
    }
}

/// What stands in a row and a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// How many.
    Count(u64),
    /// How many more; below zero, how many fewer.
    Whole(i64),
    /// An exact amount, shown rounded in the reader's unit.
    Amount(Total),
    /// An exact amount, shown to the last digit in the reader's unit.
    Exact(Money),
    /// A number with two decimals that is no amount of 元.
    Number(Total),
    /// A percentage.
    Percent(Percent),
    /// A day.
    Date(NaiveDate),
    /// An instant, in the library's time.
    Moment(NaiveDateTime),
    /// Nothing: not known, or not applicable. It is left empty and is never zero.
    Nothing,
}

impl Cell {
    /// A text, or nothing.
    #[must_use]
    pub fn text(text: Option<String>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }

    /// As it is read by people, amounts in a unit.
    fn shown(&self, unit: MoneyUnit) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Whole(more) => more.to_string(),
            Self::Amount(amount) => amount.rounded(unit),
            Self::Exact(amount) => amount.in_unit(unit),
            Self::Number(number) => number.to_string(),
            Self::Percent(percent) => format!("{percent}%"),
            Self::Date(day) => day.to_string(),
            Self::Moment(moment) => moment.format("%Y-%m-%d %H:%M:%S").to_string(),
            Self::Nothing => String::new(),
        }
    }
}

/// How amounts are shown in a table.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Printing {
    /// The unit of amounts in a table (CSV or XLSX): 元, 万元 (the default) or 亿元, rounded half up to two decimals. JSON
    /// is always exact, in 元; so are the amounts of an export, in any unit.
    #[param(value_type = Option<MoneyUnitCode>, inline)]
    pub money_unit: Option<String>,
}

impl Printing {
    fn unit(&self) -> Result<MoneyUnit, Problem> {
        match self.money_unit.as_deref() {
            Some("yuan") => Ok(MoneyUnit::Yuan),
            Some("wan") | None => Ok(MoneyUnit::WanYuan),
            Some("yi") => Ok(MoneyUnit::YiYuan),
            Some(other) => Err(Problem::bad_parameters(vec![Fault::parameter(
                "money_unit",
                "unknown_code",
                format!("没有 {other}；可用：yuan（元）、wan（万元）、yi（亿元）"),
                format!("There is no {other}; there are: yuan, wan (10,000), yi (100 million)"),
            )])),
        }
    }
}

/// The sheet that the reader wants the answer on, or none if he wants JSON.
#[derive(Clone, Copy, Debug)]
pub struct Print(pub Option<Sheet>);

/// How a table is to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    form: Form,
    unit: MoneyUnit,
    /// The reader's language.
    pub language: Language,
}

impl FromRequest for Print {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = || {
            let printing: Printing = read_part(request.query_string())?;
            let unit = printing.unit()?;
            let language = Language::of(request.headers());
            Ok(Self(Form::wanted(request).map(|form| Sheet {
                form,
                unit,
                language,
            })))
        };
        ready(read())
    }
}

impl Sheet {
    /// An amount in the unit of the reader, with its name, for a note.
    #[must_use]
    pub fn amount(self, amount: Total) -> String {
        format!("{} {}", amount.rounded(self.unit), self.unit_name())
    }

    /// The answer with a table on this sheet.
    ///
    /// # Errors
    /// `internal` if it can't be written: it has more rows or columns than a spreadsheet.
    pub fn answer(self, mut table: Table) -> Result<HttpResponse, Problem> {
        if table.columns.iter().any(|column| column.is_amount) {
            table.notes.push(self.rounding());
            self.name_units(&mut table.columns);
        }
        let body = match self.form {
            Form::Csv => csv::written(&table, self.unit)?,
            Form::Xlsx => xlsx::written(&table, self.unit)?,
        };
        Ok(self.head(&table.name).body(body))
    }

    /// The unit of amounts in the headings of their columns.
    fn name_units(self, columns: &mut [Column]) {
        for column in columns.iter_mut().filter(|column| column.is_amount) {
            column.heading = match self.language {
                Language::Chinese => format!("{}（{}）", column.heading, self.unit_name()),
                Language::English => format!("{} ({})", column.heading, self.unit_name()),
            };
        }
    }

    /// The head of the answer with a file, which is called so, without an ending.
    #[must_use]
    pub fn head(self, name: &str) -> HttpResponseBuilder {
        let mut head = HttpResponse::Ok();
        head.content_type(self.form.content_type())
            .insert_header((CONTENT_DISPOSITION, attachment(name, self.form.suffix())))
            .insert_header((CONTENT_LANGUAGE, self.language.tag()))
            .insert_header((VARY, "Accept, Accept-Language"));
        head
    }

    /// What the unit of the reader is called.
    #[must_use]
    pub fn unit_name(self) -> &'static str {
        match (self.language, self.unit) {
            (Language::Chinese, unit) => unit.label(),
            (Language::English, MoneyUnit::Yuan) => "CNY",
            (Language::English, MoneyUnit::WanYuan) => "10,000 CNY",
            (Language::English, MoneyUnit::YiYuan) => "100 million CNY",
        }
    }

    /// How many rows it holds at the most; none if there is no end.
    #[must_use]
    pub const fn most_rows(self) -> Option<u64> {
        match self.form {
            Form::Csv => None,
            Form::Xlsx => Some(xlsx::MAX_ROWS),
        }
    }

    /// What form it is.
    #[must_use]
    pub const fn form_name(self) -> &'static str {
        match self.form {
            Form::Csv => "csv",
            Form::Xlsx => "xlsx",
        }
    }

    /// That amounts are exact, for a note.
    #[must_use]
    pub fn exactness(self) -> String {
        let unit = self.unit_name();
        match self.language {
            Language::Chinese => format!("金额单位：{unit}，未经舍入"),
            Language::English => format!("Amounts in {unit}, not rounded"),
        }
    }

    /// How amounts are rounded, for a note; a table with columns of amounts has it by itself.
    #[must_use]
    pub fn rounding(self) -> String {
        let unit = self.unit_name();
        match (self.language, self.unit) {
            (Language::Chinese, MoneyUnit::Yuan) => format!("金额单位：{unit}，精确到分"),
            (Language::English, MoneyUnit::Yuan) => format!("Amounts in {unit}, exact"),
            (Language::Chinese, MoneyUnit::WanYuan | MoneyUnit::YiYuan) => format!(
                "金额单位：{unit}，由精确到分的金额四舍五入，保留两位小数；合计由精确总额舍入，各行之和可能与合计不符"
            ),
            (Language::English, MoneyUnit::WanYuan | MoneyUnit::YiYuan) => format!(
                "Amounts in {unit}, rounded half up to two decimals from exact amounts; a total is rounded from the exact \
                 total, so the rows may not add up to it"
            ),
        }
    }
}

/// A table as CSV, amounts in a unit.
///
/// # Errors
/// [`PrintError`] if it can't be written.
pub fn as_csv(table: &Table, unit: MoneyUnit) -> Result<Vec<u8>, PrintError> {
    csv::written(table, unit)
}

/// A file to be kept, under a name that every file system takes.
#[must_use]
pub fn attachment(name: &str, ending: &str) -> ContentDisposition {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let safe: String = name
        .chars()
        .map(|c| if is_safe(c) { c } else { '-' })
        .collect();
    ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(format!("{safe}{ending}"))],
    }
}
