//! A project as its history tells it.

use serde_json::{Value, json};

use crate::entity::project::Model;

/// A row as it is told in the history: the members of the API, where they were entered or moved.
pub(crate) fn snapshot(model: &Model) -> Value {
    let total_investment = model.amount_fen.map(|fen| {
        let amount = domain::money::Total::from_fen(fen.into());
        json!({ model.amount_kind.as_str(): amount })
    });
    json!({
        "code": model.code,
        "name": model.name,
        "aliases": model.aliases,
        "parent_id": model.parent_id,
        "family_counting": model.family_counting,
        "region": model.region,
        "unit": model.unit,
        "programme": model.programme,
        "sector": model.sector,
        "chain": model.chain,
        "kind": model.kind,
        "stage": model.stage,
        "condition": model.condition,
        "stage_since": model.stage_since,
        "stage_basis": model.stage_basis,
        "total_investment": total_investment,
        "original_amount": model
            .original_amount
            .map(|hundredths| domain::money::Total::from_fen(hundredths.into())),
        "original_rate_on": model.original_rate_on,
        "original_currency": model.original_currency,
        "original_rate": model.original_rate,
        "investment_note": model.investment_note,
        "owner_name": model.owner_name,
        "owner_uscc": model.owner_uscc,
        "steward": model.steward,
        "capacity": model.capacity,
        "note": model.note,
        "planned_start_on": model.planned_start_on,
        "planned_completion_on": model.planned_completion_on,
        "signed_on": model.signed_on,
        "signed_document": model.signed_document,
        "landed_on": model.landed_on,
        "landed_document": model.landed_document,
        "funds_approved_on": model.funds_approved_on,
        "funds_approved_document": model.funds_approved_document,
        "started_on": model.started_on,
        "completed_on": model.completed_on,
        "commissioned_on": model.commissioned_on,
        "at_capacity_on": model.at_capacity_on,
        "published": model.published,
    })
}

/// Only the members in which two snapshots differ.
pub(crate) fn difference(mut was: Value, mut is: Value) -> (Value, Value) {
    if let (Some(before), Some(after)) = (was.as_object_mut(), is.as_object_mut()) {
        let same: Vec<String> = before
            .iter()
            .filter(|(name, value)| after.get(*name) == Some(value))
            .map(|(name, _)| name.clone())
            .collect();
        for name in same {
            before.remove(&name);
            after.remove(&name);
        }
    }
    (was, is)
}
