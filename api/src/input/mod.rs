//! What people send, as JSON or in a data set, read into the domain: everything that is wrong is told at once,
//! field by field.

use chrono::NaiveDate;
use domain::approval::ProjectKind;
use domain::code::ProjectCode;
use domain::family::FamilyCounting;
use domain::gate::AttractionFact;
use domain::id::ProjectId;
use domain::project::Facts;
use domain::region::RegionCode;
use domain::text::Text;
use domain::tier::Investment;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::catalogue::{ProjectRow, optional, several};
use crate::codes::{FamilyCountingCode, ProjectKindCode};
use crate::problem::value::{code_told, unknown_reference};
use crate::problem::{Fault, Problem, kinds};

pub mod approval;
pub(crate) mod read;
pub mod scoreboard;
pub mod target;
pub mod webhook;
pub(crate) mod whole;

use read::Reader;

/// A member of a merge patch: absent, null or given.
pub(crate) type Member<T> = Option<Option<T>>;

fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Member<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A total investment: exactly one of `exact` and `floor`. It is given whole; null means unknown.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvestmentInput {
    /// The exact amount in 元.
    #[schema(example = "8370000000.00", pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    pub exact: Option<String>,
    /// The lower bound in 元.
    #[schema(pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    pub floor: Option<String>,
    /// The amount as agreed in a foreign currency.
    pub original: Option<OriginalInput>,
}

/// An amount in a foreign currency, with its rate.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OriginalInput {
    /// The amount.
    #[schema(example = "10000000000.00", pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    pub amount: String,
    /// ISO 4217, not CNY.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// 元 for one unit.
    #[schema(example = "7.1", pattern = r"^[0-9]{1,9}(\.[0-9]{1,8})?$")]
    pub rate: String,
    /// The day of the rate.
    pub rate_on: NaiveDate,
}

/// Who invests or funds. It is given whole.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerInput {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "辽河油田")]
    pub name: String,
    /// Its 统一社会信用代码.
    #[schema(example = "91110000600037341L", pattern = "^[0-9A-HJ-NPQRTUWXY]{18}$")]
    pub uscc: Option<String>,
}

/// A document that proves something, by reference. It is given whole; at least one of number, attachment and
/// description is needed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceInput {
    /// 文号.
    #[schema(min_length = 1, max_length = 100, example = "盘发改备〔2025〕18号")]
    pub document_number: Option<String>,
    /// The day of the document.
    pub issued_on: NaiveDate,
    /// Who issued it.
    #[schema(min_length = 1, max_length = 200, example = "盘锦市发展和改革委员会")]
    pub authority: Option<String>,
    /// Where it can be read.
    #[schema(min_length = 1, max_length = 1000, pattern = "^https?://")]
    pub attachment: Option<String>,
    /// What it shows.
    #[schema(min_length = 1, max_length = 1000)]
    pub description: Option<String>,
}

/// What may be said of a project: a JSON Merge Patch. `total_investment`, `owner` and documents are values
/// given whole.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "盘锦港荣兴港区5万吨级泊位工程", "region": "211100", "unit": "panjin-drc", "sector": "港口",
    "programme": "infrastructure", "kind": "enterprise_approved", "total_investment": {"exact": "830000000.00"},
    "owner": {"name": "盘锦港集团有限公司", "uscc": null}, "planned_start_on": "2026-03-01", "planned_completion_on": "2028-10-31"}))]
pub struct ProjectFields {
    /// 项目代码 (GB/T 40058).
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "2101-211100-04-01-123456", pattern = "^[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}$")]
    pub code: Member<String>,
    /// 项目名称.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "辽河储气库群双台子储气库")]
    pub name: Member<String>,
    /// Other names it goes by.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    pub aliases: Member<Vec<String>>,
    /// The project that it is part of.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    pub parent_id: Member<Uuid>,
    /// How its family is counted; `whole` unless told otherwise.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<FamilyCountingCode>)]
    pub family_counting: Member<String>,
    /// The code of the region where it is.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, example = "211104", pattern = "^[0-9]{6}(-[a-z0-9]{1,12})?$")]
    pub region: Member<String>,
    /// The code of the unit that answers for it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "dawa-drb", min_length = 1, max_length = 64)]
    pub unit: Member<String>,
    /// The code of its programme.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "petrochemical", min_length = 1, max_length = 64)]
    pub programme: Member<String>,
    /// The code of its sector.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "油气稳产增储", min_length = 1, max_length = 64)]
    pub sector: Member<String>,
    /// The code of its industrial chain (产业链).
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "ethylene", min_length = 1, max_length = 64)]
    pub chain: Member<String>,
    /// Who invests and which road 立项 takes.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ProjectKindCode>)]
    pub kind: Member<String>,
    /// 总投资; null means unknown.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<InvestmentInput>)]
    pub total_investment: Member<InvestmentInput>,
    /// What a text says of the amount beyond a figure.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    pub investment_note: Member<String>,
    /// 业主.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<OwnerInput>)]
    pub owner: Member<OwnerInput>,
    /// 项目管家.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub steward: Member<String>,
    /// 建设规模.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    pub capacity: Member<String>,
    /// Anything else.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000)]
    pub note: Member<String>,
    /// 计划开工.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NaiveDate>)]
    pub planned_start_on: Member<NaiveDate>,
    /// 计划竣工.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NaiveDate>)]
    pub planned_completion_on: Member<NaiveDate>,
    /// 签约引进.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NaiveDate>)]
    pub signed_on: Member<NaiveDate>,
    /// What proves 签约引进.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<EvidenceInput>)]
    pub signed_document: Member<EvidenceInput>,
    /// 培育落地.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NaiveDate>)]
    pub landed_on: Member<NaiveDate>,
    /// What proves 培育落地.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<EvidenceInput>)]
    pub landed_document: Member<EvidenceInput>,
    /// 争取立项.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NaiveDate>)]
    pub funds_approved_on: Member<NaiveDate>,
    /// What proves 争取立项.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<EvidenceInput>)]
    pub funds_approved_document: Member<EvidenceInput>,
    /// 投产.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NaiveDate>)]
    pub commissioned_on: Member<NaiveDate>,
    /// 达产.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NaiveDate>)]
    pub at_capacity_on: Member<NaiveDate>,
    /// Whether it may be told to everybody; a manager decides. Not unless told otherwise.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub published: Member<bool>,
    /// The day it was thought out, taken only when it is registered; later moves may not be before it.
    #[schema(value_type = Option<NaiveDate>)]
    pub planned_on: Option<NaiveDate>,
    /// Secret projects (涉密) must not be entered: `true` is refused.
    #[schema(value_type = Option<bool>)]
    pub secret: Option<bool>,
}

/// Sets a member that a patch gives: null clears, a value is read, absence leaves.
#[expect(
    clippy::ref_option,
    reason = "a member is passed as it stands in the patch"
)]
fn set<T, U>(target: &mut Option<T>, member: &Member<U>, read: impl FnOnce(&U) -> Option<T>) {
    match member {
        None => {}
        Some(None) => *target = None,
        Some(Some(value)) => *target = read(value),
    }
}

impl ProjectFields {
    /// The facts of a new project.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn registered(&self) -> Result<Facts, Vec<Fault>> {
        let mut reader = Reader::default();
        let required = |pointer: &str| Fault::at(pointer, "required", "必须填写", "Required");
        let name = match &self.name {
            Some(Some(name)) => reader.text("/name", name),
            _ => reader.take(Err(required("/name"))),
        };
        let region = match &self.region {
            Some(Some(region)) => reader.take(read_region(region)),
            _ => reader.take(Err(required("/region"))),
        };
        if let Some(day) = self.planned_on {
            reader.day("/planned_on", day);
        }
        let placeholder = Text::parse("-").ok();
        let nowhere = RegionCode::parse("000000").ok();
        let (Some(known_name), Some(known_region)) = (name.or(placeholder), region.or(nowhere))
        else {
            return Err(reader.faults);
        };
        let blank = Facts {
            code: None,
            name: known_name,
            aliases: Vec::new(),
            parent: None,
            counting: FamilyCounting::Whole,
            region: known_region,
            unit: None,
            programme: None,
            sector: None,
            chain: None,
            kind: None,
            investment: Investment::Unknown,
            original: None,
            investment_note: None,
            owner: None,
            steward: None,
            capacity: None,
            note: None,
            planned_start_on: None,
            planned_completion_on: None,
            signed: AttractionFact::default(),
            landed: AttractionFact::default(),
            funds_approved: AttractionFact::default(),
            commissioned_on: None,
            at_capacity_on: None,
            published: false,
        };
        let rest = Self {
            name: None,
            region: None,
            ..self.clone()
        };
        rest.read_into(blank, reader)
    }

    /// The facts after this patch.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn applied(&self, facts: Facts) -> Result<Facts, Vec<Fault>> {
        let mut reader = Reader::default();
        if self.planned_on.is_some() {
            reader.faults.push(Fault::at(
                "/planned_on",
                "only_at_registration",
                "只在登记时填写",
                "Taken only when a project is registered",
            ));
        }
        self.read_into(facts, reader)
    }

    /// Refuses what may not be in the library at all.
    ///
    /// # Errors
    /// `secret_project`.
    pub fn refuse_secret(&self) -> Result<(), Problem> {
        if self.secret == Some(true) {
            return Err(Problem::new(kinds::SECRET_PROJECT).say(
                "本系统不得录入涉密项目；请按保密规定办理",
                "Secret projects must not be entered here; follow the rules on secrecy",
            ));
        }
        Ok(())
    }

    fn read_into(&self, mut facts: Facts, mut reader: Reader) -> Result<Facts, Vec<Fault>> {
        self.read_identity(&mut facts, &mut reader);
        self.read_references(&mut facts, &mut reader);
        self.read_money(&mut facts, &mut reader);
        self.read_texts(&mut facts, &mut reader);
        self.read_dates(&mut facts, &mut reader);
        if reader.faults.is_empty() {
            Ok(facts)
        } else {
            Err(reader.faults)
        }
    }

    fn read_identity(&self, facts: &mut Facts, reader: &mut Reader) {
        let cleared =
            |pointer: &str| Fault::at(pointer, "required", "不能清空", "It can't be cleared");
        match &self.name {
            None => {}
            Some(None) => reader.faults.push(cleared("/name")),
            Some(Some(name)) => {
                if let Some(name) = reader.text("/name", name) {
                    facts.name = name;
                }
            }
        }
        match &self.region {
            None => {}
            Some(None) => reader.faults.push(cleared("/region")),
            Some(Some(region)) => {
                if let Some(region) = reader.take(read_region(region)) {
                    facts.region = region;
                }
            }
        }
        match &self.family_counting {
            None => {}
            Some(None) => facts.counting = FamilyCounting::Whole,
            Some(Some(code)) => {
                let read = reader.coded("/family_counting", FamilyCounting::from_code, code);
                facts.counting = read.unwrap_or(facts.counting);
            }
        }
        if let Some(aliases) = &self.aliases {
            facts.aliases = (0..)
                .zip(aliases.iter().flatten())
                .filter_map(|(index, alias)| reader.text(&format!("/aliases/{index}"), alias))
                .collect();
        }
        set(&mut facts.code, &self.code, |code| {
            reader.take(ProjectCode::parse(code).map_err(|_| code_told("/code")))
        });
        set(&mut facts.parent, &self.parent_id, |id| {
            Some(ProjectId(*id))
        });
        facts.published = match self.published {
            None => facts.published,
            Some(told) => told.unwrap_or(false),
        };
    }

    fn read_references(&self, facts: &mut Facts, reader: &mut Reader) {
        set(&mut facts.unit, &self.unit, |code| {
            reader.text("/unit", code)
        });
        set(&mut facts.programme, &self.programme, |code| {
            reader.text("/programme", code)
        });
        set(&mut facts.sector, &self.sector, |code| {
            reader.text("/sector", code)
        });
        set(&mut facts.chain, &self.chain, |code| {
            reader.text("/chain", code)
        });
        set(&mut facts.kind, &self.kind, |code| {
            reader.coded("/kind", ProjectKind::from_code, code)
        });
    }

    fn read_money(&self, facts: &mut Facts, reader: &mut Reader) {
        match &self.total_investment {
            None => {}
            Some(None) => {
                facts.investment = Investment::Unknown;
                facts.original = None;
            }
            Some(Some(input)) => (facts.investment, facts.original) = reader.investment(input),
        }
        set(&mut facts.owner, &self.owner, |owner| reader.owner(owner));
    }

    fn read_texts(&self, facts: &mut Facts, reader: &mut Reader) {
        set(&mut facts.investment_note, &self.investment_note, |s| {
            reader.lines("/investment_note", s)
        });
        set(&mut facts.steward, &self.steward, |s| {
            reader.text("/steward", s)
        });
        set(&mut facts.capacity, &self.capacity, |s| {
            reader.lines("/capacity", s)
        });
        set(&mut facts.note, &self.note, |s| reader.lines("/note", s));
    }

    fn read_dates(&self, facts: &mut Facts, reader: &mut Reader) {
        let dates = [
            (
                "/planned_start_on",
                &mut facts.planned_start_on,
                &self.planned_start_on,
            ),
            (
                "/planned_completion_on",
                &mut facts.planned_completion_on,
                &self.planned_completion_on,
            ),
            ("/signed_on", &mut facts.signed.on, &self.signed_on),
            ("/landed_on", &mut facts.landed.on, &self.landed_on),
            (
                "/funds_approved_on",
                &mut facts.funds_approved.on,
                &self.funds_approved_on,
            ),
            (
                "/commissioned_on",
                &mut facts.commissioned_on,
                &self.commissioned_on,
            ),
            (
                "/at_capacity_on",
                &mut facts.at_capacity_on,
                &self.at_capacity_on,
            ),
        ];
        for (pointer, target, member) in dates {
            set(target, member, |day| reader.day(pointer, *day));
        }
        let documents = [
            (
                "/signed_document",
                &mut facts.signed.document,
                &self.signed_document,
            ),
            (
                "/landed_document",
                &mut facts.landed.document,
                &self.landed_document,
            ),
            (
                "/funds_approved_document",
                &mut facts.funds_approved.document,
                &self.funds_approved_document,
            ),
        ];
        for (pointer, target, member) in documents {
            set(target, member, |input| reader.evidence(pointer, input));
        }
    }

    /// A line of a data set as the same fields.
    ///
    /// # Errors
    /// Dates that can't be read.
    pub(crate) fn of_row(row: &ProjectRow) -> Result<Self, Vec<Fault>> {
        let text = |field: &str| optional(field).map(Some);
        let mut faults = Vec::new();
        let mut day = |pointer: &str, field: &str| -> Member<NaiveDate> {
            let text = optional(field)?;
            let day = text.parse().ok();
            if day.is_none() {
                faults.push(Fault::at(
                    pointer,
                    "invalid_date",
                    "日期须为 YYYY-MM-DD",
                    "A date is YYYY-MM-DD",
                ));
            }
            Some(day)
        };
        let (exact, floor) = (
            optional(&row.investment_exact),
            optional(&row.investment_floor),
        );
        let is_known = exact.is_some() || floor.is_some();
        let fields = Self {
            signed_on: day("/signed_on", &row.signed_on),
            landed_on: day("/landed_on", &row.landed_on),
            funds_approved_on: day("/funds_approved_on", &row.funds_approved_on),
            commissioned_on: day("/commissioned_on", &row.commissioned_on),
            code: text(&row.code),
            name: text(&row.name),
            aliases: Some(Some(several(&row.aliases))),
            family_counting: text(&row.family_counting),
            region: text(&row.region),
            unit: text(&row.unit),
            programme: text(&row.programme),
            sector: text(&row.sector),
            chain: text(&row.chain),
            kind: text(&row.kind),
            total_investment: is_known.then_some(Some(InvestmentInput {
                exact,
                floor,
                original: None,
            })),
            investment_note: text(&row.investment_note),
            owner: optional(&row.owner).map(|_| {
                Some(OwnerInput {
                    name: several(&row.owner).join("、"),
                    uscc: optional(&row.owner_uscc),
                })
            }),
            capacity: text(&row.capacity),
            note: text(&row.note),
            published: Some(Some(row.published.trim() == "true")),
            ..Self::default()
        };
        if faults.is_empty() {
            Ok(fields)
        } else {
            Err(faults)
        }
    }
}

fn read_region(code: &str) -> Result<RegionCode, Fault> {
    RegionCode::parse(code).map_err(|_| unknown_reference("/region", "region", "地区", code))
}
