//! The feed: what happened to projects and to what they refer to, in the order of the audit's chain.
//!
//! An event gets its place in the chain when it is seen to be committed, so whoever has read up to a place misses
//! none that was written before it and committed after it.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::coded::Coded;
use sea_orm::prelude::Json;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Failure;
use super::project::reached;
use crate::auth::Reach;
use crate::entity::{audit_seal, event, project};

/// How many places are looked through at a time.
const LOOKED_THROUGH: usize = 1000;

/// A type of event that the feed tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// The stable code; its beginning tells it from those of others.
    code: &'static str,
    /// What it is about, as `event.subject` begins.
    subject: &'static str,
    /// What happened, as `event.kind` has it.
    kind: &'static str,
}

macro_rules! types {
    ($( $code:literal: $subject:literal $kind:literal; )+) => {
        /// Every type. What is recorded besides (accounts, sign-ins, refusals, targets, the scoreboard) is not told of.
        const TYPES: &[Type] = &[
            $( Type { code: $code, subject: $subject, kind: $kind }, )+
        ];
    };
}

types! {
    "taizhang.project.registered": "project" "registered";
    "taizhang.project.taken_over": "project" "taken_over";
    "taizhang.project.amended": "project" "amended";
    "taizhang.project.annulled": "project" "annulled";
    "taizhang.project.moved": "project" "moved";
    "taizhang.project.shown_by_parts": "project" "shown_by_parts";
    "taizhang.project.approval_changed": "project" "approval_changed";
    "taizhang.project.planned": "project" "planned";
    "taizhang.project.unplanned": "project" "unplanned";
    "taizhang.project.invested": "project" "invested";
    "taizhang.project.uninvested": "project" "uninvested";
    "taizhang.project.listed": "project" "listed";
    "taizhang.project.unlisted": "project" "unlisted";
    "taizhang.project.linked": "project" "linked";
    "taizhang.project.unlinked": "project" "unlinked";
    "taizhang.list.changed": "list" "reference_changed";
    "taizhang.list.removed": "list" "reference_removed";
    "taizhang.list.members_loaded": "list" "members_loaded";
    "taizhang.region.changed": "region" "reference_changed";
    "taizhang.region.removed": "region" "reference_removed";
    "taizhang.unit.changed": "unit" "reference_changed";
    "taizhang.unit.removed": "unit" "reference_removed";
    "taizhang.programme.changed": "programme" "reference_changed";
    "taizhang.programme.removed": "programme" "reference_removed";
    "taizhang.sector.changed": "sector" "reference_changed";
    "taizhang.sector.removed": "sector" "reference_removed";
    "taizhang.chain.changed": "chain" "reference_changed";
    "taizhang.chain.removed": "chain" "reference_removed";
    "taizhang.approval_rules.changed": "approval_rules" "reference_changed";
}

impl Coded for Type {
    const VALUES: &'static [Self] = TYPES;

    fn as_code(self) -> &'static str {
        self.code
    }
}

impl Type {
    /// The type of something that was recorded, if the feed tells of it.
    fn of(event: &event::Model) -> Option<Self> {
        let (subject, _) = event.subject.split_once('/')?;
        TYPES
            .iter()
            .copied()
            .find(|known| known.subject == subject && known.kind == event.kind)
            .filter(|_| event.result == "done")
    }
}

/// Which events are wanted; what is not said is not limited.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of any of these types.
    pub types: Vec<Type>,
    /// About this project.
    pub project: Option<Uuid>,
}

impl Wanted {
    fn admits(&self, event: &event::Model, of: Type) -> bool {
        (self.types.is_empty() || self.types.contains(&of))
            && (self.project.is_none() || self.project == event.project_id)
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Happening {
    /// Its place in the feed.
    pub seq: i64,
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub of: Type,
    /// What it is about: `project/ID`, `region/CODE` and so on.
    pub subject: String,
    /// The project, if it is about one.
    pub project: Option<Uuid>,
    /// The version that came of it.
    pub version: Option<i64>,
    /// What was, of what changed.
    pub before: Option<Json>,
    /// What is, of what changed.
    pub after: Option<Json>,
    /// Who did it.
    pub actor: String,
    /// When it became known.
    pub recorded_at: DateTime<Utc>,
}

/// A stretch of the feed.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// What happened, in order.
    pub happenings: Vec<Happening>,
    /// The place up to which was looked.
    pub reached: i64,
    /// Whether there was nothing after that.
    pub is_end: bool,
}

/// The last place of the feed; 0 before the first.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn end(db: &impl ConnectionTrait) -> Result<i64, Failure> {
    let last = audit_seal::Entity::find()
        .order_by_desc(audit_seal::Column::Seq)
        .one(db)
        .await?;
    Ok(last.map_or(0, |seal| seal.seq))
}

/// What happened after a place that somebody may read and wants, up to so many events. Its cost does not depend on how
/// much there is: it looks through a limited stretch, in which there may be nothing of it. Events of a project are
/// told to whoever may read the project now.
///
/// Each step asks one table by its key, as sealing does and for the same reason.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn after(
    db: &impl ConnectionTrait,
    reach: &Reach,
    wanted: &Wanted,
    place: i64,
    limit: usize,
) -> Result<Stretch, Failure> {
    let seals = audit_seal::Entity::find()
        .filter(audit_seal::Column::Seq.gt(place))
        .order_by_asc(audit_seal::Column::Seq)
        .limit(u64::try_from(LOOKED_THROUGH).unwrap_or(u64::MAX))
        .all(db)
        .await?;
    let mut stretch = Stretch {
        happenings: Vec::new(),
        reached: place,
        is_end: seals.len() < LOOKED_THROUGH,
    };
    let events = event::Entity::find()
        .filter(event::Column::Id.is_in(seals.iter().map(|seal| seal.event_id)))
        .all(db)
        .await?;
    let mut events: HashMap<Uuid, (event::Model, Type)> = events
        .into_iter()
        .filter_map(|event| Type::of(&event).map(|of| (event.id, (event, of))))
        .filter(|(_, (event, of))| wanted.admits(event, *of))
        .collect();
    let about = events.values().filter_map(|(event, _)| event.project_id);
    let readable = readable(db, reach, about.collect()).await?;
    events.retain(|_, (event, _)| event.project_id.is_none_or(|id| readable.contains(&id)));
    for seal in seals {
        if stretch.happenings.len() == limit {
            stretch.is_end = false;
            break;
        }
        stretch.reached = seal.seq;
        if let Some((event, of)) = events.remove(&seal.event_id) {
            stretch.happenings.push(happening(seal.seq, event, of));
        }
    }
    Ok(stretch)
}

/// What happened at some places of the feed, with the event of each; what the feed does not tell of is left out.
///
/// # Errors
/// [`Failure`] of the database.
pub(super) async fn at(
    db: &impl ConnectionTrait,
    places: &[(i64, Uuid)],
) -> Result<Vec<Happening>, Failure> {
    let rows = event::Entity::find()
        .filter(event::Column::Id.is_in(places.iter().map(|(_, event)| *event)))
        .all(db)
        .await?;
    let mut events: HashMap<Uuid, event::Model> =
        rows.into_iter().map(|event| (event.id, event)).collect();
    let told = places.iter().filter_map(|(seq, event)| {
        let event = events.remove(event)?;
        let of = Type::of(&event)?;
        Some(happening(*seq, event, of))
    });
    Ok(told.collect())
}

/// Those of some projects that somebody may read.
pub(super) async fn readable(
    db: &impl ConnectionTrait,
    reach: &Reach,
    ids: HashSet<Uuid>,
) -> Result<HashSet<Uuid>, Failure> {
    let found: Vec<Uuid> = project::Entity::find()
        .select_only()
        .column(project::Column::Id)
        .filter(project::Column::Id.is_in(ids))
        .filter(reached(reach))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}

fn happening(seq: i64, event: event::Model, of: Type) -> Happening {
    Happening {
        seq,
        id: event.id,
        of,
        subject: event.subject,
        project: event.project_id,
        version: event.version,
        before: event.before,
        after: event.after,
        actor: event.actor_name,
        recorded_at: event.recorded_at,
    }
}
