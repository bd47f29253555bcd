//! A project's row and what it means: the one place where they are turned into each other.

use domain::approval::ProjectKind;
use domain::code::{ProjectCode, Uscc};
use domain::evidence::Evidence;
use domain::family::{FamilyCounting, Member};
use domain::gate::AttractionFact;
use domain::id::ProjectId;
use domain::money::Money;
use domain::project::{Currency, Facts, OriginalAmount, Owner};
use domain::region::RegionCode;
use domain::stage::{Condition, Stage, StageBasis};
use domain::text::Text;
use domain::tier::Investment;
use domain::transition::Standing;
use sea_orm::prelude::Json;
use serde_json::{Value, json};

use super::{Failure, corrupt};
use crate::entity::project::Model;

/// Reads a stored code, or says that it means nothing.
pub(super) fn coded<T>(read: impl Fn(&str) -> Option<T>, code: &str) -> Result<T, Failure> {
    read(code).ok_or_else(|| corrupt(code))
}

/// Reads a stored text.
pub(super) fn text<const MAX: usize>(stored: &str) -> Result<Text<MAX>, Failure> {
    Text::parse_multiline(stored).map_err(|_| corrupt(stored))
}

fn texts<const MAX: usize>(stored: Option<&String>) -> Result<Option<Text<MAX>>, Failure> {
    stored.map(|s| text(s)).transpose()
}

/// A stored amount.
pub(super) fn money(fen: i64) -> Result<Money, Failure> {
    Money::from_fen(fen).map_err(|_| corrupt("amount"))
}

/// The total investment of a row.
pub(super) fn investment(kind: &str, fen: Option<i64>) -> Result<Investment, Failure> {
    match (kind, fen) {
        ("exact", Some(fen)) => Ok(Investment::Exact(money(fen)?)),
        ("floor", Some(fen)) => Ok(Investment::Floor(money(fen)?)),
        ("unknown", None) => Ok(Investment::Unknown),
        _ => Err(corrupt(kind)),
    }
}

/// A list of strings, as stored.
pub(crate) fn strings(stored: &Json) -> Vec<String> {
    stored
        .as_array()
        .map(|items| {
            items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default()
}

/// Evidence, to be stored.
pub(crate) fn evidence_json(evidence: &Evidence) -> Json {
    json!({
        "document_number": evidence.document_number.as_ref().map(Text::as_str),
        "issued_on": evidence.issued_on,
        "authority": evidence.authority.as_ref().map(Text::as_str),
        "attachment": evidence.attachment.as_ref().map(Text::as_str),
        "description": evidence.description.as_ref().map(Text::as_str),
    })
}

/// Evidence, as stored.
fn evidence(stored: &Json) -> Result<Evidence, Failure> {
    let member = |name: &str| stored.get(name).and_then(Value::as_str);
    Ok(Evidence {
        document_number: member("document_number").map(text).transpose()?,
        issued_on: member("issued_on")
            .and_then(|day| day.parse().ok())
            .ok_or_else(|| corrupt("issued_on"))?,
        authority: member("authority").map(text).transpose()?,
        attachment: member("attachment").map(text).transpose()?,
        description: member("description").map(text).transpose()?,
    })
}

fn attraction(
    on: Option<chrono::NaiveDate>,
    document: Option<&Json>,
) -> Result<AttractionFact, Failure> {
    Ok(AttractionFact {
        on,
        document: document.map(evidence).transpose()?,
    })
}

fn original(row: &Model) -> Result<Option<OriginalAmount>, Failure> {
    let (Some(amount), Some(currency), Some(rate), Some(rate_on)) = (
        row.original_amount,
        row.original_currency.as_deref(),
        row.original_rate.as_deref(),
        row.original_rate_on,
    ) else {
        return Ok(None);
    };
    Ok(Some(OriginalAmount {
        amount: money(amount)?,
        currency: coded(Currency::parse, currency)?,
        rate: rate.parse().map_err(|_| corrupt(rate))?,
        rate_on,
    }))
}

/// What is said of a project.
pub(crate) fn facts(row: &Model) -> Result<Facts, Failure> {
    let owner = row.owner_name.as_ref().map(|name| {
        Ok::<_, Failure>(Owner {
            name: text(name)?,
            uscc: row
                .owner_uscc
                .as_ref()
                .map(|uscc| Uscc::parse(uscc).map_err(|_| corrupt(uscc)))
                .transpose()?,
        })
    });
    Ok(Facts {
        code: row
            .code
            .as_ref()
            .map(|code| ProjectCode::parse(code).map_err(|_| corrupt(code)))
            .transpose()?,
        name: text(&row.name)?,
        aliases: strings(&row.aliases)
            .iter()
            .map(|alias| text(alias))
            .collect::<Result<_, _>>()?,
        parent: row.parent_id.map(ProjectId),
        counting: coded(FamilyCounting::from_code, &row.family_counting)?,
        region: RegionCode::parse(&row.region).map_err(|_| corrupt(&row.region))?,
        unit: texts(row.unit.as_ref())?,
        programme: texts(row.programme.as_ref())?,
        sector: texts(row.sector.as_ref())?,
        chain: texts(row.chain.as_ref())?,
        kind: row
            .kind
            .as_ref()
            .map(|kind| coded(ProjectKind::from_code, kind))
            .transpose()?,
        investment: investment(&row.amount_kind, row.amount_fen)?,
        original: original(row)?,
        investment_note: texts(row.investment_note.as_ref())?,
        owner: owner.transpose()?,
        steward: texts(row.steward.as_ref())?,
        capacity: texts(row.capacity.as_ref())?,
        note: texts(row.note.as_ref())?,
        planned_start_on: row.planned_start_on,
        planned_completion_on: row.planned_completion_on,
        signed: attraction(row.signed_on, row.signed_document.as_ref())?,
        landed: attraction(row.landed_on, row.landed_document.as_ref())?,
        funds_approved: attraction(row.funds_approved_on, row.funds_approved_document.as_ref())?,
        commissioned_on: row.commissioned_on,
        at_capacity_on: row.at_capacity_on,
        published: row.published,
    })
}

/// Writes what is said of a project into its row, and what follows from it alone.
pub(crate) fn set_facts(row: &mut Model, facts: &Facts) {
    let Facts {
        code,
        name,
        aliases,
        parent,
        counting,
        region,
        unit,
        programme,
        sector,
        chain,
        kind,
        investment,
        original,
        investment_note,
        owner,
        steward,
        capacity,
        note,
        planned_start_on,
        planned_completion_on,
        signed,
        landed,
        funds_approved,
        commissioned_on,
        at_capacity_on,
        published,
    } = facts;
    let string = |text: &str| text.to_owned();
    row.code = code.as_ref().map(|code| string(code.as_str()));
    row.name = string(name.as_str());
    row.aliases = aliases.iter().map(Text::as_str).collect();
    row.parent_id = parent.map(|id| id.0);
    row.family_counting = string(counting.code());
    row.region = string(region.as_str());
    row.unit = unit.as_ref().map(|t| string(t.as_str()));
    row.programme = programme.as_ref().map(|t| string(t.as_str()));
    row.sector = sector.as_ref().map(|t| string(t.as_str()));
    row.chain = chain.as_ref().map(|t| string(t.as_str()));
    row.kind = kind.map(|kind| string(kind.code()));
    set_investment(row, *investment, original.as_ref());
    row.investment_note = investment_note.as_ref().map(|t| string(t.as_str()));
    row.owner_name = owner.as_ref().map(|owner| string(owner.name.as_str()));
    row.owner_uscc = owner
        .as_ref()
        .and_then(|owner| owner.uscc.as_ref())
        .map(|uscc| string(uscc.as_str()));
    row.steward = steward.as_ref().map(|t| string(t.as_str()));
    row.capacity = capacity.as_ref().map(|t| string(t.as_str()));
    row.note = note.as_ref().map(|t| string(t.as_str()));
    row.planned_start_on = *planned_start_on;
    row.planned_completion_on = *planned_completion_on;
    row.signed_on = signed.on;
    row.signed_document = signed.document.as_ref().map(evidence_json);
    row.landed_on = landed.on;
    row.landed_document = landed.document.as_ref().map(evidence_json);
    row.funds_approved_on = funds_approved.on;
    row.funds_approved_document = funds_approved.document.as_ref().map(evidence_json);
    row.commissioned_on = *commissioned_on;
    row.at_capacity_on = *at_capacity_on;
    row.published = *published;
}

fn set_investment(row: &mut Model, investment: Investment, original: Option<&OriginalAmount>) {
    row.amount_kind = match investment {
        Investment::Exact(_) => "exact",
        Investment::Floor(_) => "floor",
        Investment::Unknown => "unknown",
    }
    .into();
    row.amount_fen = investment.known().map(Money::fen);
    row.tier = investment.tier().code().into();
    row.original_amount = original.map(|o| o.amount.fen());
    row.original_currency = original.map(|o| o.currency.as_str().to_owned());
    row.original_rate = original.map(|o| o.rate.normalize().to_string());
    row.original_rate_on = original.map(|o| o.rate_on);
}

/// Where a project stands.
pub(crate) fn standing(row: &Model) -> Result<Standing, Failure> {
    Ok(Standing {
        stage: coded(Stage::from_code, &row.stage)?,
        condition: coded(Condition::from_code, &row.condition)?,
        stage_since: row.stage_since,
        basis: coded(StageBasis::from_code, &row.stage_basis)?,
        started_on: row.started_on,
        completed_on: row.completed_on,
    })
}

/// Writes where a project stands into its row.
pub(crate) fn set_standing(row: &mut Model, standing: &Standing) {
    let Standing {
        stage,
        condition,
        stage_since,
        basis,
        started_on,
        completed_on,
    } = standing;
    row.stage = stage.code().into();
    row.condition = condition.code().into();
    row.stage_since = *stage_since;
    row.stage_basis = basis.code().into();
    row.started_on = *started_on;
    row.completed_on = *completed_on;
}

/// A project as the rules of counting see it.
pub(crate) fn member(row: &Model) -> Result<Member, Failure> {
    Ok(Member {
        id: ProjectId(row.id),
        parent: row.parent_id.map(ProjectId),
        counting: coded(FamilyCounting::from_code, &row.family_counting)?,
        stage: coded(Stage::from_code, &row.stage)?,
        condition: coded(Condition::from_code, &row.condition)?,
        investment: investment(&row.amount_kind, row.amount_fen)?,
    })
}
