//! Rows of annual plans, figures by month, permits and targets, held against the library.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use domain::approval::{ApprovalItem, ApprovalStatus};
use domain::money::Money;
use domain::monthly::{Figures, Month};
use intake::Kind;
use intake::document::{Cell, Document, Row, Sheet};
use intake::field::{Field, FieldName, Of};
use intake::value::{Amount, Date, Known, Term, Value};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::names::{Found, Names};
use super::present::{Present, told};
use super::verdict::{Deed, Place, Terms, Verdict, What};
use super::{CHUNK, cells_of};
use crate::auth::Principal;
use crate::entity::project::Model;
use crate::entity::{approval as approvals, investment_month, plan_year as plans};
use crate::import::Remark;
use crate::input::approval::ApprovalInput;
use crate::input::target::TargetInput;
use crate::store::approval::{self, Approval};
use crate::store::{Failure, investment, plan_year, target};

/// Whoever judges rows that tell of what stands beside projects.
pub(super) struct Judge<'a> {
    pub(super) principal: &'a Principal,
    pub(super) terms: &'a Terms,
    pub(super) names: Names,
    pub(super) today: NaiveDate,
}

/// What stands beside some projects now.
#[derive(Default)]
struct Beside {
    plans: HashMap<(Uuid, i32), plan_year::Record>,
    months: BTreeMap<(Uuid, Month), investment::Record>,
    approvals: HashMap<(Uuid, ApprovalItem), approval::Record>,
    targets: HashMap<String, target::Record>,
}

/// Something that a row says, to be held against what stands.
struct Said {
    /// What it is about, so that it is told once only.
    about: String,
    column: Option<String>,
    deed: Deed,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
    is_same: bool,
}

impl Judge<'_> {
    /// Judges every row, some at a time; `step` is told how many have been.
    pub(super) async fn judge(
        &self,
        db: &impl ConnectionTrait,
        document: &Document,
        step: impl Fn(usize),
    ) -> Result<Vec<Verdict>, Failure> {
        let reach = self.principal.reads();
        let mut verdicts = Vec::new();
        let mut told_of = BTreeSet::new();
        let mut done = 0;
        for (number, sheet) in document.sheets.iter().enumerate() {
            for some in sheet.rows.chunks(CHUNK) {
                let rows: Vec<&Row> = some.iter().collect();
                let present = if self.terms.kind == Kind::Targets {
                    Present::default()
                } else {
                    Present::read(db, &reach, self.terms, &rows).await?
                };
                let beside = self.beside(db, &present, &rows, sheet).await?;
                for row in some {
                    let place = Place {
                        sheet: number,
                        row: row.number,
                    };
                    verdicts.extend(self.row(&present, &beside, (sheet, place, row), &mut told_of));
                }
                done += some.len();
                step(done);
            }
        }
        Ok(verdicts)
    }

    /// What stands beside the projects of some rows.
    async fn beside(
        &self,
        db: &impl ConnectionTrait,
        present: &Present,
        rows: &[&Row],
        sheet: &Sheet,
    ) -> Result<Beside, Failure> {
        let mut beside = Beside::default();
        let projects = rows
            .iter()
            .filter_map(|row| self.project(present, row).ok());
        let ids: BTreeSet<Uuid> = projects.map(|model| model.id).collect();
        match self.terms.kind {
            Kind::Projects => {}
            Kind::AnnualPlans => {
                let found = plans::Entity::find()
                    .filter(plans::Column::ProjectId.is_in(ids))
                    .filter(plans::Column::SupersededAt.is_null());
                for row in found.all(db).await? {
                    let key = (row.project_id, row.year);
                    beside.plans.insert(key, plan_year::record(&row)?);
                }
            }
            Kind::MonthlyFigures => {
                let found = investment_month::Entity::find()
                    .filter(investment_month::Column::ProjectId.is_in(ids))
                    .filter(investment_month::Column::SupersededAt.is_null());
                for row in found.all(db).await? {
                    let record = investment::record(&row)?;
                    beside.months.insert((row.project_id, record.month), record);
                }
            }
            Kind::Approvals => {
                let found = approvals::Entity::find()
                    .filter(approvals::Column::ProjectId.is_in(ids))
                    .filter(approvals::Column::SupersededAt.is_null());
                for row in found.all(db).await? {
                    let id = row.project_id;
                    let record = approval::record(row)?;
                    beside.approvals.insert((id, record.item), record);
                }
            }
            Kind::Targets => {
                let codes = rows.iter().map(|row| target_code(row, sheet)).collect();
                let found = target::of_codes(db, &self.principal.reads(), codes).await?;
                let by_code = found
                    .into_iter()
                    .map(|record| (record.target.code.as_str().to_owned(), record));
                beside.targets = by_code.collect();
            }
        }
        Ok(beside)
    }

    fn row(
        &self,
        present: &Present,
        beside: &Beside,
        (sheet, place, row): (&Sheet, Place, &Row),
        told_of: &mut BTreeSet<String>,
    ) -> Vec<Verdict> {
        let mut verdict = Verdict {
            place,
            name: told(row, FieldName::Name)
                .or_else(|| told(row, FieldName::Code))
                .unwrap_or_default()
                .to_owned(),
            what: What::Refused,
            double: None,
            remarks: row.faults.iter().map(Remark::of_cell).collect(),
            cells: cells_of(row),
        };
        if !verdict.remarks.is_empty() {
            return vec![verdict];
        }
        let said = match self.terms.kind {
            Kind::Targets => self.target(beside, sheet, row).map(|said| vec![said]),
            Kind::AnnualPlans | Kind::MonthlyFigures | Kind::Approvals | Kind::Projects => {
                match self.project(present, row) {
                    Err(remark) => Err(vec![*remark]),
                    Ok(model) => self.beside_project(beside, model, sheet, row),
                }
            }
        };
        let said = match said {
            Ok(said) if said.is_empty() => {
                verdict.refuse(vec![Remark::of_row(
                    "nothing_told",
                    "这一行没有可导入的内容",
                    "The row tells nothing that could be taken in",
                )]);
                return vec![verdict];
            }
            Ok(said) => said,
            Err(remarks) => {
                verdict.refuse(remarks);
                return vec![verdict];
            }
        };
        said.into_iter()
            .map(|said| {
                let mut verdict = verdict.clone();
                if !told_of.insert(said.about.clone()) {
                    verdict.refuse(vec![Remark {
                        column: said.column,
                        ..Remark::of_row(
                            "twice_in_file",
                            "文件中已有同一内容",
                            "The file has told the same thing before",
                        )
                    }]);
                    return verdict;
                }
                verdict.cells.clear();
                verdict.what = if said.is_same {
                    What::Same
                } else {
                    What::Do {
                        is_new: said.before.is_none(),
                        deed: said.deed,
                        before: said.before,
                        after: said.after,
                    }
                };
                verdict
            })
            .collect()
    }

    fn beside_project(
        &self,
        beside: &Beside,
        model: &Model,
        sheet: &Sheet,
        row: &Row,
    ) -> Result<Vec<Said>, Vec<Remark>> {
        match self.terms.kind {
            Kind::AnnualPlans => plans(beside, model, sheet, row),
            Kind::MonthlyFigures => months(beside, model, sheet, row),
            Kind::Approvals => self.approvals(beside, model, row),
            Kind::Projects | Kind::Targets => Ok(Vec::new()),
        }
    }

    /// The project that a row tells of: by a system's key, by 项目代码, or by its name, if that is no other's.
    fn project<'p>(&self, present: &'p Present, row: &Row) -> Result<&'p Model, Box<Remark>> {
        let reach = self.principal.reads();
        let is_seen =
            |model: &&Model| !model.annulled && reach.covers(&model.region, model.unit.as_deref());
        let key = told(row, FieldName::ExternalRef).filter(|_| self.terms.system.is_some());
        let code = told(row, FieldName::Code);
        let by_key = key.and_then(|key| present.of_key(key)).filter(is_seen);
        let by_code = || code.and_then(|code| present.of_code(code)).filter(is_seen);
        if let Some(model) = by_key.or_else(by_code) {
            return Ok(model);
        }
        let not_found = |field: &str, text: &str| Remark {
            field: Some(field.to_owned()),
            text: Some(text.to_owned()),
            ..Remark::of_row(
                "project_not_found",
                format!("库中没有“{text}”，或不在您的范围"),
                format!("There is no \"{text}\" in your scope"),
            )
        };
        let Some(name) = told(row, FieldName::Name) else {
            return Err(Box::new(not_found(
                "code",
                code.or(key).unwrap_or_default(),
            )));
        };
        let region = told(row, FieldName::Region).map(|text| self.names.region(text));
        let is_there = |model: &&Model| match &region {
            Some(Found::One { code, .. }) => model.region == *code,
            Some(Found::None | Found::Several(_)) | None => true,
        };
        let named: Vec<&Model> = present
            .of_name(name)
            .into_iter()
            .filter(|model| model.name == name && code.is_none_or(|_| model.code.is_none()))
            .collect();
        let here: Vec<&Model> = named.iter().copied().filter(is_there).collect();
        match (here.as_slice(), named.as_slice()) {
            ([one], _) | ([], [one]) => Ok(one),
            ([], []) => Err(Box::new(not_found("name", name))),
            _ => Err(Box::new(Remark {
                field: Some("name".to_owned()),
                text: Some(name.to_owned()),
                ..Remark::of_row(
                    "ambiguous_project",
                    format!("有几个项目名为“{name}”；请写项目代码或地区"),
                    format!("Several projects are called \"{name}\"; write the code or the region"),
                )
            })),
        }
    }

    fn approvals(
        &self,
        beside: &Beside,
        model: &Model,
        row: &Row,
    ) -> Result<Vec<Said>, Vec<Remark>> {
        let mut wrong = Vec::new();
        let mut inputs: BTreeMap<ApprovalItem, ApprovalInput> = BTreeMap::new();
        let row_item = told(row, FieldName::Item).and_then(ApprovalItem::from_code);
        for (field, cell) in &row.fields {
            let item = match field.of {
                Some(Of::Item(item)) => Some(item),
                Some(Of::Term(_)) | None => row_item,
            };
            let Some(item) = item else { continue };
            let standing = beside.approvals.get(&(model.id, item));
            let blank = || {
                standing
                    .map(|r| ApprovalInput::of(&r.approval))
                    .unwrap_or_default()
            };
            if let Err(remark) =
                permit_cell(field, cell, || inputs.entry(item).or_insert_with(blank))
            {
                wrong.push(*remark);
            }
        }
        let mut said = Vec::new();
        for (item, mut input) in inputs {
            input.guess_status();
            match input.read(self.today) {
                Err(problem) => wrong.extend(Remark::of_problem(problem)),
                Ok(approval) => said.push(permit(beside, model, item, approval)),
            }
        }
        if wrong.is_empty() {
            Ok(said)
        } else {
            Err(wrong)
        }
    }

    fn target(&self, beside: &Beside, sheet: &Sheet, row: &Row) -> Result<Said, Vec<Remark>> {
        let mut wrong = Vec::new();
        let mut code = |pointer: &str, lookup: &super::names::Lookup, name: FieldName| {
            let text = told(row, name)?;
            let found = lookup.find(text);
            match lookup.code(pointer, text, found) {
                Ok(code) => Some(code),
                Err(fault) => {
                    wrong.push(Remark::of_fault(&fault));
                    None
                }
            }
        };
        let programme = code("/programme", &self.names.programmes, FieldName::Programme);
        let sector = code("/sector", &self.names.sectors, FieldName::Sector);
        let region = told(row, FieldName::Region).or(self.terms.region.as_deref());
        let region = match region.map(|text| (text, self.names.region(text))) {
            None => String::new(),
            Some((text, found)) => self
                .names
                .regions
                .code("/region", text, found)
                .unwrap_or_else(|fault| {
                    wrong.push(Remark::of_fault(&fault));
                    String::new()
                }),
        };
        let (from_year, to_year) = years_of(row, sheet);
        let code = target_code(row, sheet);
        let text = |name| told(row, name).map(str::to_owned);
        let (value, unit) = quantity(row);
        let standing = beside.targets.get(&code);
        let input = TargetInput {
            plan: text(FieldName::Plan).unwrap_or_default(),
            region,
            programme,
            sector,
            from_tier: text(FieldName::FromTier),
            up_to_tier: None,
            metric: text(FieldName::Metric).unwrap_or_else(|| "entered".to_owned()),
            name: text(FieldName::Name).unwrap_or_default(),
            from_year,
            to_year,
            each_year: false,
            value,
            unit,
            kind: text(FieldName::Kind).unwrap_or_else(|| "target".to_owned()),
            schedule: None,
            quote: text(FieldName::Quote),
            source: text(FieldName::Source),
        };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut target = input
            .read(&code)
            .map_err(|faults| faults.iter().map(Remark::of_fault).collect::<Vec<_>>())?;
        if let Some(standing) = standing {
            // What a row does not tell stays.
            target.schedule = target.schedule.or(standing.target.schedule);
            target.up_to_tier = target.up_to_tier.or(standing.target.up_to_tier);
        }
        Ok(Said {
            about: code,
            column: None,
            is_same: standing.is_some_and(|record| record.target == target),
            before: standing.map(|record| target::told(&record.target)),
            after: Some(target::told(&target)),
            deed: Deed::Target {
                seen: standing.map(|record| record.version),
                target: Box::new(target),
            },
        })
    }
}

fn plans(
    beside: &Beside,
    model: &Model,
    sheet: &Sheet,
    row: &Row,
) -> Result<Vec<Said>, Vec<Remark>> {
    let mut said = Vec::new();
    let mut wrong = Vec::new();
    let row_year = year_of(row, FieldName::Year).or_else(|| sheet.term.and_then(Term::year));
    let mut tell = |year: i32, planned: Option<Money>, column: Option<String>| {
        let record = beside.plans.get(&(model.id, year));
        let told = |planned: Option<Money>| json!({ "year": year, "planned_investment": planned });
        said.push(Said {
            about: format!("{}/{year}", model.id),
            column,
            is_same: record.is_some_and(|record| record.planned == planned),
            before: record.map(|record| told(record.planned)),
            after: Some(told(planned)),
            deed: Deed::Plan {
                id: model.id,
                year,
                planned,
                seen: record.map(|record| record.version),
            },
        });
    };
    let mut has_amount = false;
    for (field, cell) in &row.fields {
        if field.name != FieldName::PlannedInvestment {
            continue;
        }
        has_amount = true;
        let year = match field.of {
            Some(Of::Term(term)) => term.year(),
            Some(Of::Item(_)) | None => row_year,
        };
        match (year, exact(field, cell)) {
            (_, Err(remark)) => wrong.push(*remark),
            (None, Ok(_)) => wrong.push(year_missing(field, cell)),
            (Some(_), Ok(None)) => {}
            (Some(year), Ok(planned)) => tell(year, planned, Some(cell.column.to_string())),
        }
    }
    if let Some(year) = row_year.filter(|_| !has_amount) {
        tell(year, None, None);
    }
    if wrong.is_empty() {
        Ok(said)
    } else {
        Err(wrong)
    }
}

fn months(
    beside: &Beside,
    model: &Model,
    sheet: &Sheet,
    row: &Row,
) -> Result<Vec<Said>, Vec<Remark>> {
    let mut wrong = Vec::new();
    let mut figures: BTreeMap<Month, Figures> = BTreeMap::new();
    let row_month = month_of(row, sheet);
    for (field, cell) in &row.fields {
        let Some(set) = figure(field.name) else {
            continue;
        };
        let month = match field.of {
            Some(Of::Term(Term::Month(year, month))) => month_at(year, month),
            Some(Of::Term(Term::Year(_) | Term::MonthOnly(_)) | Of::Item(_)) | None => row_month,
        };
        match (month, exact(field, cell)) {
            (_, Err(remark)) => wrong.push(*remark),
            (None, Ok(_)) => wrong.push(month_missing(field, cell)),
            (Some(_), Ok(None)) => {}
            (Some(month), Ok(amount)) => {
                let standing = beside.months.get(&(model.id, month));
                let figures = figures
                    .entry(month)
                    .or_insert_with(|| standing.map(|r| r.figures).unwrap_or_default());
                *set(figures) = amount;
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let said = figures.into_iter().map(|(month, figures)| {
        let record = beside.months.get(&(model.id, month));
        Said {
            about: format!("{}/{month:?}", model.id),
            column: None,
            is_same: record.is_some_and(|record| record.figures == figures),
            before: record.map(investment::told),
            after: Some(investment::told(&investment::Record {
                month,
                figures,
                version: 0,
            })),
            deed: Deed::Figures {
                id: model.id,
                month,
                figures,
                seen: record.map(|record| record.version),
            },
        }
    });
    Ok(said.collect())
}

fn permit(beside: &Beside, model: &Model, item: ApprovalItem, approval: Approval) -> Said {
    let record = beside.approvals.get(&(model.id, item));
    Said {
        about: format!("{}/{}", model.id, item.code()),
        column: None,
        is_same: record.is_some_and(|record| record.approval == approval),
        before: record.map(|record| approval::told(item, &record.approval)),
        after: Some(approval::told(item, &approval)),
        deed: Deed::Approval {
            id: model.id,
            item,
            approval: Box::new(approval),
            seen: record.map(|record| record.version),
        },
    }
}

/// The code of a row's target, or one that is made of what tells it from others.
fn target_code(row: &Row, sheet: &Sheet) -> String {
    if let Some(code) = told(row, FieldName::Code) {
        return code.to_owned();
    }
    let (from, to) = years_of(row, sheet);
    let parts = [
        FieldName::Plan,
        FieldName::Region,
        FieldName::Programme,
        FieldName::Sector,
        FieldName::FromTier,
        FieldName::Metric,
        FieldName::Kind,
        FieldName::Name,
    ];
    let told: Vec<&str> = parts
        .into_iter()
        .map(|name| told(row, name).unwrap_or_default())
        .collect();
    let text = format!("{}|{from}|{to}", told.join("|"));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let short: String = hex::encode(digest.as_ref()).chars().take(16).collect();
    format!("import-{short}")
}

/// The period of a row's target, or of its sheet; 0 if neither tells it.
fn years_of(row: &Row, sheet: &Sheet) -> (i32, i32) {
    let year = year_of(row, FieldName::Year).or_else(|| sheet.term.and_then(Term::year));
    let from = year_of(row, FieldName::FromYear)
        .or(year)
        .unwrap_or_default();
    let to = year_of(row, FieldName::ToYear).or(year).unwrap_or(from);
    (from, to)
}

fn quantity(row: &Row) -> (String, String) {
    let cell = row.fields.get(&Field::from(FieldName::Value));
    if let Some(Value::Quantity { value, unit }) = cell.map(|cell| &cell.value) {
        return (value.to_string(), unit.clone());
    }
    (String::new(), String::new())
}

fn term(row: &Row, name: FieldName) -> Option<Term> {
    let Value::Term(term) = &row.fields.get(&Field::from(name))?.value else {
        return None;
    };
    Some(*term)
}

fn year_of(row: &Row, name: FieldName) -> Option<i32> {
    term(row, name)?.year()
}

/// The month that a row tells of, with the year of its own column or of the sheet.
fn month_of(row: &Row, sheet: &Sheet) -> Option<Month> {
    let year = term(row, FieldName::Year).or(sheet.term);
    let told = term(row, FieldName::Month).or(year)?.within(year);
    match told {
        Term::Month(year, month) => month_at(year, month),
        Term::Year(_) | Term::MonthOnly(_) => None,
    }
}

fn month_at(year: i32, month: u32) -> Option<Month> {
    Month::new(year, u8::try_from(month).ok()?)
}

/// The figure of a month that a column is for.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other columns are no figures"
)]
fn figure(name: FieldName) -> Option<fn(&mut Figures) -> &mut Option<Money>> {
    match name {
        FieldName::Completed => Some(|figures| &mut figures.completed),
        FieldName::Statistics => Some(|figures| &mut figures.statistics),
        FieldName::FundsAllocated => Some(|figures| &mut figures.allocated),
        FieldName::FundsReceived => Some(|figures| &mut figures.received),
        FieldName::FundsPaid => Some(|figures| &mut figures.paid),
        _ => None,
    }
}

fn at(field: &Field, cell: &Cell, remark: Remark) -> Remark {
    Remark {
        column: Some(cell.column.to_string()),
        field: Some(field.to_string()),
        text: Some(cell.text.clone()),
        ..remark
    }
}

/// An amount that may be planned or told of a month; none if the cell says that it is not known.
fn exact(field: &Field, cell: &Cell) -> Result<Option<Money>, Box<Remark>> {
    match &cell.value {
        Value::Amount(Amount {
            known: Known::Exact | Known::Approximate,
            amount,
            currency: None,
        }) => Ok(Some(*amount)),
        Value::Unknown => Ok(None),
        Value::Amount(_)
        | Value::Text(_)
        | Value::Texts(_)
        | Value::Date(_)
        | Value::Span(_)
        | Value::Term(_)
        | Value::Code(_)
        | Value::Quantity { .. } => Err(Box::new(at(
            field,
            cell,
            Remark::of_row(
                "not_an_exact_amount",
                "须为人民币的确切数额",
                "An exact amount in 元 is wanted",
            ),
        ))),
    }
}

fn year_missing(field: &Field, cell: &Cell) -> Remark {
    at(
        field,
        cell,
        Remark::of_row(
            "year_missing",
            "不知是哪一年：请在表头、标题或“年度”列写明",
            "Of which year? Say it in the heading, the title or a column",
        ),
    )
}

fn month_missing(field: &Field, cell: &Cell) -> Remark {
    at(
        field,
        cell,
        Remark::of_row(
            "month_missing",
            "不知是哪一月：请在表头、标题或“月份”列写明",
            "Of which month? Say it in the heading, the title or a column",
        ),
    )
}

/// Puts a cell of a permit where it belongs.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other columns are of no permit"
)]
fn permit_cell<'i>(
    field: &Field,
    cell: &Cell,
    input: impl FnOnce() -> &'i mut ApprovalInput,
) -> Result<(), Box<Remark>> {
    let text = match &cell.value {
        Value::Text(text) | Value::Code(text) => text.clone(),
        Value::Date(Date::Day(day)) if field.name == FieldName::IssuedOn => {
            input().issued_on = Some(*day);
            return Ok(());
        }
        Value::Date(_) if field.name == FieldName::IssuedOn => {
            let remark = Remark::of_row(
                "date_not_to_the_day",
                "批复日期须具体到日",
                "The day of a document is needed",
            );
            return Err(Box::new(at(field, cell, remark)));
        }
        _ => return Ok(()),
    };
    match field.name {
        FieldName::Status => text.clone_into(&mut input().status),
        FieldName::DocumentNumber => input().document_number = Some(text),
        FieldName::Authority => input().authority = Some(text),
        FieldName::Attachment => input().attachment = Some(text),
        FieldName::Reason => input().reason = Some(text),
        _ => {}
    }
    Ok(())
}

impl ApprovalInput {
    /// Who names a document has it.
    fn guess_status(&mut self) {
        if self.status.is_empty() && self.document_number.is_some() {
            ApprovalStatus::Obtained.code().clone_into(&mut self.status);
        }
    }
}
