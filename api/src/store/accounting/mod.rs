//! The year's accounts as they are kept: in which years each project stands in which line.

mod rates;
pub mod year;

use chrono::{DateTime, NaiveDate, Utc};
use domain::accounting::{Course, Entry, Line, Span, spans};
use domain::stage::{Move, Stage};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::row::coded;
use super::{Failure, Tx, corrupt, transition};
use crate::clock::Clock;
use crate::entity::accounting_span::{self, Model};
use crate::entity::project::{self, Model as Project};
use crate::entity::project_version;
use crate::entity::transition::{self as moves, Model as Recorded};

/// How many projects are replayed at a time.
const BATCH: u64 = 2000;
/// How many rows are inserted at a time: each has nine values, and SQLite takes 32,766.
const ROWS: usize = 2000;

/// The dates among the facts that the accounts read.
#[derive(Clone, Copy, Debug, FromQueryResult)]
#[expect(
    clippy::struct_field_names,
    reason = "they are called as the facts are"
)]
struct Dates {
    signed_on: Option<NaiveDate>,
    landed_on: Option<NaiveDate>,
    funds_approved_on: Option<NaiveDate>,
    planned_start_on: Option<NaiveDate>,
    commissioned_on: Option<NaiveDate>,
    at_capacity_on: Option<NaiveDate>,
}

impl From<&Project> for Dates {
    fn from(project: &Project) -> Self {
        Self {
            signed_on: project.signed_on,
            landed_on: project.landed_on,
            funds_approved_on: project.funds_approved_on,
            planned_start_on: project.planned_start_on,
            commissioned_on: project.commissioned_on,
            at_capacity_on: project.at_capacity_on,
        }
    }
}

/// Brings a project's spans up to date after its moves, or the dates among its facts, have changed.
pub(crate) async fn restate(tx: &Tx, project: &Project) -> Result<(), Failure> {
    let rows = transition::standing_rows(&tx.db, project.id).await?;
    let course = course(&rows, Dates::from(project), |at| tx.day_of(at))?;
    let wanted = spans(&course);
    let present = accounting_span::Entity::find()
        .filter(accounting_span::Column::ProjectId.eq(project.id))
        .filter(accounting_span::Column::SupersededAt.is_null())
        .all(&tx.db)
        .await?;
    let present: Vec<Span> = present.iter().map(span).collect::<Result<_, _>>()?;
    let gone: Vec<&Span> = present.iter().filter(|s| !wanted.contains(s)).collect();
    if !gone.is_empty() {
        let any = gone.iter().fold(Condition::any(), |any, span| {
            any.add(
                Condition::all()
                    .add(accounting_span::Column::Line.eq(span.line.code()))
                    .add(accounting_span::Column::FromYear.eq(span.from)),
            )
        });
        accounting_span::Entity::update_many()
            .col_expr(accounting_span::Column::SupersededAt, Expr::value(tx.now()))
            .filter(accounting_span::Column::ProjectId.eq(project.id))
            .filter(accounting_span::Column::SupersededAt.is_null())
            .filter(any)
            .exec(&tx.db)
            .await?;
    }
    let new = wanted.iter().filter(|s| !present.contains(s));
    insert(
        &tx.db,
        new.map(|span| row(project.id, span, tx.now(), None))
            .collect(),
    )
    .await
}

/// Makes the spans of projects that have just come into the library, each with how it came.
pub(crate) async fn open(tx: &Tx, projects: &[(&Project, Recorded)]) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for (project, opening) in projects {
        let opening = std::slice::from_ref(opening);
        let course = course(opening, Dates::from(*project), |at| tx.day_of(at))?;
        let spans = spans(&course).into_iter();
        rows.extend(spans.map(|span| row(project.id, &span, tx.now(), None)));
    }
    insert(&tx.db, rows).await
}

/// Makes the spans of every project anew, as they were known at every time, from all that was recorded.
pub(crate) async fn replay(db: &impl ConnectionTrait, clock: Clock) -> Result<(), Failure> {
    accounting_span::Entity::delete_many().exec(db).await?;
    let mut after = Uuid::nil();
    loop {
        let ids: Vec<Uuid> = project::Entity::find()
            .select_only()
            .column(project::Column::Id)
            .filter(project::Column::Id.gt(after))
            .order_by_asc(project::Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(db)
            .await?;
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after = *last;
        replay_some(db, clock, &ids).await?;
    }
}

/// A version's dates, and when it became known.
#[derive(Debug, FromQueryResult)]
struct Version {
    id: Uuid,
    updated_at: DateTime<Utc>,
    #[sea_orm(nested)]
    dates: Dates,
}

async fn replay_some(db: &impl ConnectionTrait, clock: Clock, ids: &[Uuid]) -> Result<(), Failure> {
    let versions: Vec<Version> = project_version::Entity::find()
        .select_only()
        .columns([
            project_version::Column::Id,
            project_version::Column::UpdatedAt,
        ])
        .expr(Expr::col("signed_on"))
        .expr(Expr::col("landed_on"))
        .expr(Expr::col("funds_approved_on"))
        .expr(Expr::col("planned_start_on"))
        .expr(Expr::col("commissioned_on"))
        .expr(Expr::col("at_capacity_on"))
        .filter(project_version::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(project_version::Column::Id)
        .order_by_asc(project_version::Column::Version)
        .into_model()
        .all(db)
        .await?;
    let recorded = moves::Entity::find()
        .filter(moves::Column::ProjectId.is_in(ids.iter().copied()))
        .order_by_asc(moves::Column::ProjectId)
        .order_by_asc(moves::Column::Seq)
        .all(db)
        .await?;
    let mut rows = Vec::new();
    for of_one in versions.chunk_by(|a, b| a.id == b.id) {
        let Some(first) = of_one.first() else {
            continue;
        };
        let from = recorded.partition_point(|row| row.project_id < first.id);
        let to = recorded.partition_point(|row| row.project_id <= first.id);
        let recorded = recorded.get(from..to).unwrap_or_default();
        rows.extend(replay_one(first.id, of_one, recorded, clock)?);
    }
    insert(db, rows).await
}

/// The spans of one project, each with the time it was known.
fn replay_one(
    id: Uuid,
    versions: &[Version],
    recorded: &[Recorded],
    clock: Clock,
) -> Result<Vec<accounting_span::ActiveModel>, Failure> {
    let mut known: Vec<(Span, DateTime<Utc>)> = Vec::new();
    let mut rows = Vec::new();
    for version in versions {
        let then = version.updated_at;
        let by_then: Vec<Recorded> = recorded
            .iter()
            .filter(|row| row.recorded_at <= then)
            .cloned()
            .collect();
        let course = course(&transition::standing(by_then), version.dates, |at| {
            clock.day_of(at)
        })?;
        let wanted = spans(&course);
        let (stay, gone) = known.into_iter().partition(|(s, _)| wanted.contains(s));
        known = stay;
        let gone: Vec<(Span, DateTime<Utc>)> = gone;
        rows.extend(
            gone.iter()
                .map(|(span, since)| row(id, span, *since, Some(then))),
        );
        for span in wanted {
            if !known.iter().any(|(present, _)| *present == span) {
                known.push((span, then));
            }
        }
    }
    rows.extend(
        known
            .iter()
            .map(|(span, since)| row(id, span, *since, None)),
    );
    Ok(rows)
}

async fn insert(
    db: &impl ConnectionTrait,
    rows: Vec<accounting_span::ActiveModel>,
) -> Result<(), Failure> {
    for some in rows.chunks(ROWS) {
        accounting_span::Entity::insert_many(some.iter().cloned())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// What the accounts read of a project: how it came in, the moves that stand, and its dates.
fn course(
    standing: &[Recorded],
    dates: Dates,
    day_of: impl Fn(DateTime<Utc>) -> NaiveDate,
) -> Result<Course, Failure> {
    let (first, rest) = standing
        .split_first()
        .ok_or_else(|| corrupt("no registration"))?;
    let recorded_on = day_of(first.recorded_at);
    let entry = if first.kind == "opening_balance" {
        Entry::TakenOver {
            stage: coded(Stage::from_code, &first.after_stage)?,
            since: first.after_stage_since,
            started_on: first.after_started_on,
            completed_on: first.after_completed_on,
            on: recorded_on,
        }
    } else {
        Entry::Registered {
            on: first.occurred_on.unwrap_or(recorded_on),
        }
    };
    let moves = rest.iter().map(|row| {
        let kind = coded(Move::from_code, &row.kind)?;
        let day = row.occurred_on.ok_or_else(|| corrupt("a move's day"))?;
        Ok((kind, day))
    });
    let Dates {
        signed_on,
        landed_on,
        funds_approved_on,
        planned_start_on,
        commissioned_on,
        at_capacity_on,
    } = dates;
    Ok(Course {
        entry,
        moves: moves.collect::<Result<_, Failure>>()?,
        signed_on,
        landed_on,
        funds_approved_on,
        planned_start_on,
        commissioned_on,
        at_capacity_on,
    })
}

fn span(row: &Model) -> Result<Span, Failure> {
    Ok(Span {
        line: coded(Line::from_code, &row.line)?,
        from: row.from_year,
        to: row.to_year,
        previous: row.previous_year,
        landed_after: row
            .landed_after
            .map(|months| u32::try_from(months).unwrap_or_default()),
        on: row.happened_on,
    })
}

fn row(
    project: Uuid,
    span: &Span,
    recorded_at: DateTime<Utc>,
    superseded_at: Option<DateTime<Utc>>,
) -> accounting_span::ActiveModel {
    accounting_span::ActiveModel {
        project_id: Set(project),
        line: Set(span.line.code().to_owned()),
        from_year: Set(span.from),
        to_year: Set(span.to),
        previous_year: Set(span.previous),
        landed_after: Set(span
            .landed_after
            .and_then(|months| i32::try_from(months).ok())),
        happened_on: Set(span.on),
        recorded_at: Set(recorded_at),
        superseded_at: Set(superseded_at),
    }
}
