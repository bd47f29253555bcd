//! The cells of a row of projects as what may be said of a project.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::approval::ProjectKind;
use domain::code::{ProjectCode, Uscc};
use domain::project::Facts;
use domain::stage::Stage;
use domain::text::Text;
use domain::tier::Investment;
use domain::transition::Standing;
use intake::document::{Cell, Row, Sheet};
use intake::field::{Field, FieldName};
use intake::value::{Amount, Date, Known, Value};

use super::names::{Found, Lookup, Names};
use super::present::told;
use super::verdict::Terms;
use crate::entity::project::Model;
use crate::import::Remark;
use crate::input::{InvestmentInput, Member, OwnerInput, ProjectFields};

/// A row, and what is needed to understand it.
pub(super) struct Source<'a> {
    pub(super) names: &'a Names,
    pub(super) terms: &'a Terms,
    pub(super) sheet: &'a Sheet,
    pub(super) row: &'a Row,
}

/// What a row says of its project.
#[derive(Default)]
pub(super) struct Read {
    pub(super) fields: ProjectFields,
    /// What is wrong.
    pub(super) faults: Vec<Remark>,
    /// What has to be told.
    pub(super) remarks: Vec<Remark>,
    stage: Option<Stage>,
    started_on: Option<NaiveDate>,
    completed_on: Option<NaiveDate>,
    floor: Option<String>,
    owner_name: Member<String>,
    owner_uscc: Member<String>,
}

/// What was known when a row was taken out, and the name of its parent then.
pub(super) type Taken<'a> = (&'a Facts, Option<&'a str>);

impl Source<'_> {
    /// Reads the cells. Of a workbook that was taken out, cells that say what they said are left, and empty ones clear.
    /// `present` is the project as it stands, or as it stood then.
    pub(super) fn read(&self, taken: Option<Taken<'_>>, present: Option<&Facts>) -> Read {
        let mut read = Read::default();
        if present.is_none() {
            self.defaults(&mut read.fields);
        }
        for (field, cell) in &self.row.fields {
            if field.of.is_some() {
                continue;
            }
            let is_as_it_was = taken
                .and_then(|taken| self.text_of(field.name, taken))
                .is_some_and(|was| same_text(&was, &cell.text));
            if !is_as_it_was {
                self.cell(&mut read, *field, cell);
            }
        }
        if let Some(taken) = taken {
            self.cleared(&mut read, taken);
        }
        if let Some(present) = present {
            leave_amount(&mut read, present);
        }
        self.one_amount(&mut read);
        read.put_together();
        read
    }

    /// Beside an exact amount a lower bound is not taken: nobody could tell which of them is meant.
    fn one_amount(&self, read: &mut Read) {
        let cell = self.row.fields.get(&FieldName::TotalInvestment.into());
        let is_told = cell.is_some_and(
            |cell| matches!(&cell.value, Value::Amount(amount) if amount.known != Known::Floor),
        );
        if is_told && read.floor.is_some() {
            read.faults.push(self.placed(Remark {
                field: Some(FieldName::InvestmentFloor.code().to_owned()),
                ..Remark::of_row(
                    "amount_and_floor",
                    "总投资与总投资下限只能填一个",
                    "Either the total investment or its lower bound, not both",
                )
            }));
        }
    }

    /// What the terms say of rows that don't.
    fn defaults(&self, fields: &mut ProjectFields) {
        let has = |name| told(self.row, name).is_some();
        let code = |text: &Option<String>| text.clone().map(Some);
        if !has(FieldName::Region)
            && let Some(Found::One { code, .. }) = self
                .terms
                .region
                .as_deref()
                .map(|text| self.names.region(text))
        {
            fields.region = Some(Some(code));
        }
        if !has(FieldName::Unit) {
            fields.unit = code(&self.terms.responsible_unit);
        }
        if !has(FieldName::Sector) {
            fields.sector = code(&self.terms.sector);
        }
    }

    fn cell(&self, read: &mut Read, field: Field, cell: &Cell) {
        let at = |remark: Remark| Remark {
            column: Some(cell.column.to_string()),
            field: Some(field.to_string()),
            text: Some(cell.text.clone()),
            ..remark
        };
        match &cell.value {
            Value::Unknown | Value::Term(_) | Value::Quantity { .. } => {}
            Value::Text(text) | Value::Code(text) => self.text(read, field.name, text, &at),
            Value::Texts(texts) => read.fields.aliases = Some(Some(texts.clone())),
            Value::Amount(amount) => amount_of(read, field.name, amount, cell, &at),
            Value::Date(date) => day_of(read, field.name, *date, &at),
            Value::Span(span) => {
                for (name, date) in [
                    (FieldName::PlannedStartOn, span.from),
                    (FieldName::PlannedCompletionOn, span.to),
                ] {
                    if !self.row.fields.contains_key(&Field::from(name)) {
                        day_of(read, name, date, &at);
                    }
                }
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other columns are of no text that a project keeps"
    )]
    fn text(&self, read: &mut Read, name: FieldName, text: &str, at: &dyn Fn(Remark) -> Remark) {
        let said = || Some(Some(text.to_owned()));
        match name {
            FieldName::Code => read.fields.code = said(),
            FieldName::Name => read.fields.name = said(),
            FieldName::Kind => read.fields.kind = said(),
            FieldName::InvestmentNote => read.fields.investment_note = said(),
            FieldName::Steward => read.fields.steward = said(),
            FieldName::Capacity => read.fields.capacity = said(),
            FieldName::Note => read.fields.note = said(),
            FieldName::Owner => read.owner_name = said(),
            FieldName::OwnerUscc => read.owner_uscc = said(),
            FieldName::Stage => read.stage = Stage::from_code(text),
            FieldName::Published => read.fields.published = Some(Some(text == "true")),
            FieldName::Region => {
                let found = self.names.region(text);
                if let Found::One {
                    code,
                    is_guessed: true,
                } = &found
                {
                    let label = self.names.regions.label(code);
                    read.remarks.push(at(Remark::of_row(
                        "region_of_address",
                        format!("按地址记为{label}"),
                        format!("Taken for {label} by the address"),
                    )));
                }
                let lookup = &self.names.regions;
                read.fields.region = Self::reference(read, "/region", lookup, (text, found), at);
            }
            FieldName::Unit => {
                let lookup = &self.names.units;
                let found = lookup.find(text);
                read.fields.unit = Self::reference(read, "/unit", lookup, (text, found), at);
            }
            FieldName::Sector => {
                let lookup = &self.names.sectors;
                let found = lookup.find(text);
                read.fields.sector = Self::reference(read, "/sector", lookup, (text, found), at);
            }
            FieldName::Programme => {
                let lookup = &self.names.programmes;
                let found = lookup.find(text);
                read.fields.programme =
                    Self::reference(read, "/programme", lookup, (text, found), at);
            }
            FieldName::Chain => {
                let lookup = &self.names.chains;
                let found = lookup.find(text);
                read.fields.chain = Self::reference(read, "/chain", lookup, (text, found), at);
            }
            _ => {}
        }
    }

    fn reference(
        read: &mut Read,
        pointer: &str,
        lookup: &Lookup,
        (text, found): (&str, Found),
        at: &dyn Fn(Remark) -> Remark,
    ) -> Member<String> {
        match lookup.code(pointer, text, found) {
            Ok(code) => Some(Some(code)),
            Err(fault) => {
                read.faults.push(at(Remark::of_fault(&fault)));
                None
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other columns are no texts"
    )]
    /// What a cell of a workbook that was taken out said, of the fields that are texts there.
    fn text_of(&self, name: FieldName, (facts, parent): Taken<'_>) -> Option<String> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let label = |lookup: &Lookup, code: Option<&str>| code.map(|c| lookup.label(c).to_owned());
        match name {
            FieldName::Code => text(facts.code.as_ref().map(ProjectCode::as_str)),
            FieldName::Name => text(Some(facts.name.as_str())),
            FieldName::Aliases => {
                let aliases: Vec<&str> = facts.aliases.iter().map(Text::as_str).collect();
                (!aliases.is_empty()).then(|| aliases.join("、"))
            }
            FieldName::Parent => text(parent),
            FieldName::Region => label(&self.names.regions, Some(facts.region.as_str())),
            FieldName::Unit => label(&self.names.units, facts.unit.as_ref().map(Text::as_str)),
            FieldName::Sector => {
                label(&self.names.sectors, facts.sector.as_ref().map(Text::as_str))
            }
            FieldName::Programme => label(
                &self.names.programmes,
                facts.programme.as_ref().map(Text::as_str),
            ),
            FieldName::Chain => label(&self.names.chains, facts.chain.as_ref().map(Text::as_str)),
            FieldName::Kind => text(facts.kind.map(ProjectKind::label_zh)),
            FieldName::InvestmentNote => text(facts.investment_note.as_ref().map(Text::as_str)),
            FieldName::Owner => text(facts.owner.as_ref().map(|owner| owner.name.as_str())),
            FieldName::OwnerUscc => {
                let uscc = facts.owner.as_ref().and_then(|owner| owner.uscc.as_ref());
                text(uscc.map(Uscc::as_str))
            }
            FieldName::Steward => text(facts.steward.as_ref().map(Text::as_str)),
            FieldName::Capacity => text(facts.capacity.as_ref().map(Text::as_str)),
            FieldName::Note => text(facts.note.as_ref().map(Text::as_str)),
            _ => None,
        }
    }

    /// Whether the sheet has a column for a field.
    pub(super) fn has_column(&self, name: FieldName) -> bool {
        let field = Some(Field::from(name));
        let mut columns = self.sheet.mapping.iter();
        columns.any(|column| column.field == field)
    }

    /// Cells that were emptied in a workbook that was taken out.
    fn cleared(&self, read: &mut Read, taken: Taken<'_>) {
        let (facts, _) = taken;
        let is_empty = |name: FieldName| {
            self.has_column(name)
                && self
                    .row
                    .fields
                    .get(&Field::from(name))
                    .is_none_or(|cell| cell.text.trim().is_empty())
        };
        let was_told = |name| self.text_of(name, taken).is_some();
        let goes = |name| is_empty(name) && was_told(name);
        let ProjectFields {
            code,
            aliases,
            unit,
            programme,
            sector,
            chain,
            kind,
            investment_note,
            steward,
            capacity,
            note,
            ..
        } = &mut read.fields;
        let texts = [
            (FieldName::Code, code),
            (FieldName::Unit, unit),
            (FieldName::Programme, programme),
            (FieldName::Sector, sector),
            (FieldName::Chain, chain),
            (FieldName::Kind, kind),
            (FieldName::InvestmentNote, investment_note),
            (FieldName::Steward, steward),
            (FieldName::Capacity, capacity),
            (FieldName::Note, note),
        ];
        for (name, member) in texts {
            if goes(name) {
                *member = Some(None);
            }
        }
        if goes(FieldName::Aliases) {
            *aliases = Some(None);
        }
        if goes(FieldName::Owner) {
            read.owner_name = Some(None);
        }
        if goes(FieldName::OwnerUscc) {
            read.owner_uscc = Some(None);
        }
        let days = [
            (FieldName::PlannedStartOn, facts.planned_start_on),
            (FieldName::PlannedCompletionOn, facts.planned_completion_on),
            (FieldName::SignedOn, facts.signed.on),
            (FieldName::LandedOn, facts.landed.on),
            (FieldName::FundsApprovedOn, facts.funds_approved.on),
            (FieldName::CommissionedOn, facts.commissioned_on),
            (FieldName::AtCapacityOn, facts.at_capacity_on),
        ];
        for (name, was) in days {
            if was.is_some()
                && is_empty(name)
                && let Some(member) = day_member(&mut read.fields, name)
            {
                *member = Some(None);
            }
        }
        let is_gone = match facts.investment {
            Investment::Exact(_) => is_empty(FieldName::TotalInvestment),
            Investment::Floor(_) => is_empty(FieldName::InvestmentFloor),
            Investment::Unknown => false,
        };
        if is_gone && read.fields.total_investment.is_none() {
            read.fields.total_investment = Some(None);
        }
    }

    /// Where a project that is taken over stands, by the row.
    pub(super) fn standing(
        &self,
        read: &Read,
        today: NaiveDate,
        faults: &mut Vec<Remark>,
    ) -> Option<Standing> {
        let mut wrong = |name: FieldName, code: &str, zh: &str, en: &str| {
            faults.push(self.placed(Remark {
                field: Some(Field::from(name).to_string()),
                ..Remark::of_row(code, zh, en)
            }));
        };
        let Some(stage) = read.stage else {
            wrong(
                FieldName::Stage,
                "required",
                "期初导入须填阶段",
                "Whoever is taken over stands in a stage",
            );
            return None;
        };
        let days = [
            (FieldName::StartedOn, read.started_on),
            (FieldName::CompletedOn, read.completed_on),
        ];
        for (name, day) in days {
            if day.is_some_and(|day| day > today) {
                wrong(
                    name,
                    "date_in_future",
                    "日期不能晚于今天",
                    "The day is later than today",
                );
            }
        }
        if read.completed_on.is_some() && stage != Stage::Completion {
            wrong(
                FieldName::CompletedOn,
                "not_completed",
                "项目未竣工",
                "The project is not completed",
            );
        }
        if let (Some(start), Some(end)) = (read.started_on, read.completed_on)
            && end < start
        {
            wrong(
                FieldName::CompletedOn,
                "date_out_of_order",
                "竣工早于开工",
                "Completed before it started",
            );
        }
        let (started_on, completed_on) = (read.started_on, read.completed_on);
        Some(Standing::taken_over(stage, started_on, completed_on))
    }

    /// Says that the days of works are not taken, where they are not the project's.
    pub(super) fn remark_days(
        &self,
        read: &Read,
        model: Option<&Model>,
        remarks: &mut Vec<Remark>,
    ) {
        let days = [
            (
                FieldName::StartedOn,
                read.started_on,
                model.and_then(|model| model.started_on),
            ),
            (
                FieldName::CompletedOn,
                read.completed_on,
                model.and_then(|model| model.completed_on),
            ),
        ];
        for (name, told, stands) in days {
            if told.is_some() && told != stands {
                remarks.push(self.placed(Remark {
                    field: Some(name.code().to_owned()),
                    ..Remark::of_row(
                        "day_not_taken",
                        "开工、竣工日期不随导入变动；请用“阶段变动”并提供依据",
                        "An import sets no day of works; move the project, with its evidence",
                    )
                }));
            }
        }
    }

    /// Says that the stage of a row is not taken, where it is not the project's.
    pub(super) fn remark_stage(
        &self,
        read: &Read,
        model: Option<&Model>,
        remarks: &mut Vec<Remark>,
    ) {
        let Some(stage) = read.stage else { return };
        let stands = model.map_or(Stage::Planning.code(), |model| model.stage.as_str());
        if stage.code() != stands {
            remarks.push(self.placed(Remark {
                field: Some("stage".to_owned()),
                ..Remark::of_row(
                    "stage_not_taken",
                    "阶段不随导入变动；请用“阶段变动”并提供依据",
                    "An import moves no project; move it, with its evidence",
                )
            }));
        }
    }

    /// A remark on a field, with the column and the text of its cell.
    pub(super) fn placed(&self, remark: Remark) -> Remark {
        if remark.column.is_some() {
            return remark;
        }
        let names: &[FieldName] = match remark.field.as_deref() {
            Some("parent_id") => &[FieldName::Parent],
            Some("owner_name") => &[FieldName::Owner],
            Some("total_investment") => &[FieldName::TotalInvestment, FieldName::InvestmentFloor],
            Some(other) => match FieldName::from_code(other) {
                Some(name) => &[name],
                None => &[],
            },
            None => &[],
        };
        let columns: BTreeMap<Field, &str> = self
            .sheet
            .mapping
            .iter()
            .filter_map(|column| Some((column.field?, column.column.as_str())))
            .collect();
        let field = names.iter().map(|name| Field::from(*name));
        let field = field
            .clone()
            .find(|field| self.row.fields.contains_key(field))
            .or_else(|| field.clone().find(|field| columns.contains_key(field)));
        let Some(field) = field else { return remark };
        Remark {
            column: columns.get(&field).map(|column| (*column).to_owned()),
            text: self.row.fields.get(&field).map(|cell| cell.text.clone()),
            ..remark
        }
    }

    /// The words of the row that say where its project stands.
    pub(super) fn quote(&self) -> String {
        let stage = self.row.fields.get(&Field::from(FieldName::Stage));
        stage.map_or_else(String::new, |cell| cell.text.trim().to_owned())
    }
}

impl Read {
    /// An owner of whom only the name or only the code is told keeps the other.
    pub(super) fn keep_owner(&mut self, before: &Facts) {
        let Some(present) = &before.owner else { return };
        let uscc = || present.uscc.as_ref().map(|uscc| uscc.as_str().to_owned());
        let told = self.owner_uscc.take();
        match (&mut self.fields.owner, told) {
            (Some(Some(owner)), None) if owner.name == present.name.as_str() => {
                owner.uscc = uscc();
            }
            (None, Some(uscc)) => {
                self.fields.owner = Some(Some(OwnerInput {
                    name: present.name.as_str().to_owned(),
                    uscc,
                }));
            }
            (Some(_) | None, _) => {}
        }
    }

    /// The code of an owner of whom nothing else is told.
    pub(super) fn ownerless(&self) -> Option<Remark> {
        let is_told = self.owner_uscc.as_ref().is_some_and(Option::is_some);
        (is_told && self.fields.owner.is_none()).then(|| Remark {
            field: Some("owner_uscc".to_owned()),
            ..Remark::of_row(
                "owner_missing",
                "有信用代码而没有业主名称",
                "The code of an owner without its name",
            )
        })
    }

    /// Puts together what stands in several cells.
    fn put_together(&mut self) {
        let amount = self.fields.total_investment.as_ref();
        if let Some(floor) = self.floor.take()
            && !amount.is_some_and(Option::is_some)
        {
            self.fields.total_investment = Some(Some(InvestmentInput {
                exact: None,
                floor: Some(floor),
                original: None,
            }));
        }
        match self.owner_name.take() {
            None => {}
            Some(None) => self.fields.owner = Some(None),
            Some(Some(name)) => {
                self.fields.owner = Some(Some(OwnerInput {
                    name,
                    uscc: self.owner_uscc.clone().flatten(),
                }));
            }
        }
    }
}

/// An amount that stands so already is no change, and keeps what was agreed in a foreign currency.
fn leave_amount(read: &mut Read, present: &Facts) {
    let said = read
        .fields
        .total_investment
        .as_ref()
        .and_then(Option::as_ref);
    let exact = said.and_then(|input| input.exact.clone());
    if exact.is_some() && exact == present.investment.exact().map(|money| money.to_string()) {
        read.fields.total_investment = None;
    }
    if read.floor.is_some() && read.floor == present.investment.floor().map(|m| m.to_string()) {
        read.floor = None;
    }
}

/// Whether two texts say the same in a cell.
pub(super) fn same_text(was: &str, is: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    was == is || plain(was) == plain(is)
}

fn amount_of(
    read: &mut Read,
    name: FieldName,
    amount: &Amount,
    cell: &Cell,
    at: &dyn Fn(Remark) -> Remark,
) {
    if !matches!(
        name,
        FieldName::TotalInvestment | FieldName::InvestmentFloor
    ) {
        return;
    }
    if amount.currency.is_some() {
        read.faults.push(at(Remark::of_row(
            "foreign_amount",
            "外币金额须折合人民币，并另行登记汇率",
            "A foreign amount needs its amount in 元 and its rate",
        )));
        return;
    }
    let text = amount.amount.to_string();
    let known = if name == FieldName::InvestmentFloor {
        Known::Floor
    } else {
        amount.known
    };
    match known {
        Known::Floor => read.floor = Some(text),
        Known::Exact | Known::Approximate => {
            read.fields.total_investment = Some(Some(InvestmentInput {
                exact: Some(text),
                floor: None,
                original: None,
            }));
        }
    }
    if known == Known::Approximate {
        read.remarks.push(at(Remark::of_row(
            "approximate",
            "按所写数额记，原文写作约数",
            "Taken as it stands; the text says roughly",
        )));
        let words = cell.text.trim().to_owned();
        read.fields.investment_note.get_or_insert(Some(words));
    }
}

fn day_of(read: &mut Read, name: FieldName, date: Date, at: &dyn Fn(Remark) -> Remark) {
    let Date::Day(day) = date else {
        read.remarks.push(at(Remark::of_row(
            "date_not_to_the_day",
            format!("只到 {date}，没有具体日期，未记入"),
            format!("Known as {date} only and not to the day; it is left out"),
        )));
        return;
    };
    if name == FieldName::StartedOn {
        read.started_on = Some(day);
    } else if name == FieldName::CompletedOn {
        read.completed_on = Some(day);
    } else if let Some(member) = day_member(&mut read.fields, name) {
        *member = Some(Some(day));
    }
}

/// The member of a patch that a column of days is for.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other columns have no days"
)]
fn day_member(fields: &mut ProjectFields, name: FieldName) -> Option<&mut Member<NaiveDate>> {
    match name {
        FieldName::PlannedStartOn => Some(&mut fields.planned_start_on),
        FieldName::PlannedCompletionOn => Some(&mut fields.planned_completion_on),
        FieldName::SignedOn => Some(&mut fields.signed_on),
        FieldName::LandedOn => Some(&mut fields.landed_on),
        FieldName::FundsApprovedOn => Some(&mut fields.funds_approved_on),
        FieldName::CommissionedOn => Some(&mut fields.commissioned_on),
        FieldName::AtCapacityOn => Some(&mut fields.at_capacity_on),
        _ => None,
    }
}
