//! The replies of the bare program: the service's, member by member.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use crate::Result;

macro_rules! columns {
    ($($name:ident),+) => {
        /// Where the columns of a project stand in a row.
        #[derive(Clone, Copy, Debug, Default)]
        pub(crate) struct Places {
            $($name: usize,)+
        }

        impl Places {
            /// Finds them by their names.
            pub(crate) fn of(names: &[&str]) -> Result<Self> {
                Ok(Self {
                    $($name: names
                        .iter()
                        .position(|name| *name == stringify!($name))
                        .ok_or(concat!("no column ", stringify!($name)))?,)+
                })
            }
        }
    };
}
columns!(
    id,
    version,
    parent_id,
    family_counting,
    code,
    name,
    aliases,
    region,
    unit,
    programme,
    sector,
    chain,
    kind,
    stage,
    condition,
    stage_since,
    stage_basis,
    basis_quote,
    basis_source,
    basis_as_of,
    basis_inferred,
    amount_kind,
    amount_fen,
    tier,
    investment_note,
    owner_name,
    owner_uscc,
    steward,
    capacity,
    note,
    planned_start_on,
    planned_completion_on,
    signed_on,
    signed_document,
    landed_on,
    landed_document,
    funds_approved_on,
    funds_approved_document,
    started_on,
    completed_on,
    commissioned_on,
    at_capacity_on,
    published,
    created_at,
    updated_at
);

/// A page.
#[derive(Serialize)]
pub(crate) struct Page<'a> {
    pub items: Vec<Project<'a>>,
    pub next_cursor: Option<&'static str>,
}

#[derive(Serialize)]
struct Basis<'a> {
    quote: Option<&'a str>,
    source: Option<&'a str>,
    as_of: Option<&'a str>,
    inferred: bool,
}

#[derive(Serialize)]
struct Investment {
    #[serde(skip_serializing_if = "Option::is_none")]
    exact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<String>,
}

#[derive(Serialize)]
struct Owner<'a> {
    name: &'a str,
    uscc: Option<&'a str>,
}

/// A project.
#[derive(Serialize)]
pub(crate) struct Project<'a> {
    id: Uuid,
    code: Option<&'a str>,
    code_check: Option<&'static str>,
    name: &'a str,
    aliases: Value,
    parent_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ancestors: Option<[u8; 0]>,
    family_counting: &'a str,
    lists: &'a [String],
    region: &'a str,
    unit: Option<&'a str>,
    programme: Option<&'a str>,
    sector: Option<&'a str>,
    chain: Option<&'a str>,
    kind: Option<&'a str>,
    stage: &'a str,
    condition: &'a str,
    stage_since: Option<NaiveDate>,
    stage_basis: &'a str,
    basis: Option<Basis<'a>>,
    total_investment: Option<Investment>,
    tier: &'a str,
    tier_basis: &'static str,
    investment_note: Option<&'a str>,
    owner: Option<Owner<'a>>,
    steward: Option<&'a str>,
    capacity: Option<&'a str>,
    note: Option<&'a str>,
    planned_start_on: Option<NaiveDate>,
    started_on: Option<NaiveDate>,
    planned_completion_on: Option<NaiveDate>,
    completed_on: Option<NaiveDate>,
    commissioned_on: Option<NaiveDate>,
    at_capacity_on: Option<NaiveDate>,
    signed_on: Option<NaiveDate>,
    signed_document: Option<Value>,
    landed_on: Option<NaiveDate>,
    landed_document: Option<Value>,
    funds_approved_on: Option<NaiveDate>,
    funds_approved_document: Option<Value>,
    published: bool,
    warnings: [u8; 0],
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A project's row as a reply.
pub(crate) fn project<'a>(
    row: &'a Row,
    at: &Places,
    lists: &'a HashMap<Uuid, Vec<String>>,
    single: bool,
) -> Project<'a> {
    fn of<'a, T: FromSql<'a>>(row: &'a Row, place: usize) -> T {
        row.get(place)
    }
    let id = of(row, at.id);
    let code: Option<&str> = of(row, at.code);
    let quote: Option<&str> = of(row, at.basis_quote);
    let source: Option<&str> = of(row, at.basis_source);
    let fen: Option<i64> = of(row, at.amount_fen);
    let amount = fen.map(|fen| format!("{}.{:02}", fen / 100, fen % 100));
    let kind: &str = of(row, at.amount_kind);
    let owner: Option<&str> = of(row, at.owner_name);
    Project {
        id,
        code,
        code_check: code.map(|_| "not_verified"),
        name: of(row, at.name),
        aliases: of(row, at.aliases),
        parent_id: of(row, at.parent_id),
        ancestors: single.then_some([]),
        family_counting: of(row, at.family_counting),
        lists: lists.get(&id).map_or(&[], Vec::as_slice),
        region: of(row, at.region),
        unit: of(row, at.unit),
        programme: of(row, at.programme),
        sector: of(row, at.sector),
        chain: of(row, at.chain),
        kind: of(row, at.kind),
        stage: of(row, at.stage),
        condition: of(row, at.condition),
        stage_since: of(row, at.stage_since),
        stage_basis: of(row, at.stage_basis),
        basis: (quote.is_some() || source.is_some()).then(|| Basis {
            quote,
            source,
            as_of: of(row, at.basis_as_of),
            inferred: of(row, at.basis_inferred),
        }),
        total_investment: amount.map(|amount| {
            if kind == "exact" {
                Investment {
                    exact: Some(amount),
                    floor: None,
                }
            } else {
                Investment {
                    exact: None,
                    floor: Some(amount),
                }
            }
        }),
        tier: of(row, at.tier),
        tier_basis: match kind {
            "exact" => "exact",
            "floor" => "floor",
            _ => "none",
        },
        investment_note: of(row, at.investment_note),
        owner: owner.map(|name| Owner {
            name,
            uscc: of(row, at.owner_uscc),
        }),
        steward: of(row, at.steward),
        capacity: of(row, at.capacity),
        note: of(row, at.note),
        planned_start_on: of(row, at.planned_start_on),
        started_on: of(row, at.started_on),
        planned_completion_on: of(row, at.planned_completion_on),
        completed_on: of(row, at.completed_on),
        commissioned_on: of(row, at.commissioned_on),
        at_capacity_on: of(row, at.at_capacity_on),
        signed_on: of(row, at.signed_on),
        signed_document: of(row, at.signed_document),
        landed_on: of(row, at.landed_on),
        landed_document: of(row, at.landed_document),
        funds_approved_on: of(row, at.funds_approved_on),
        funds_approved_document: of(row, at.funds_approved_document),
        published: of(row, at.published),
        warnings: [],
        version: of(row, at.version),
        created_at: of(row, at.created_at),
        updated_at: of(row, at.updated_at),
    }
}

/// A cell of a summary as a reply, by the names of its columns.
pub(crate) fn cell(row: &Row) -> Value {
    let columns = row.columns().iter().enumerate();
    columns
        .map(|(place, column)| {
            let value = match *column.type_() {
                Type::INT8 => json!(row.get::<_, i64>(place)),
                Type::INT4 => json!(row.get::<_, i32>(place)),
                Type::BOOL => json!(row.get::<_, bool>(place)),
                _ => json!(row.get::<_, Option<&str>>(place)),
            };
            (column.name().to_owned(), value)
        })
        .collect()
}
