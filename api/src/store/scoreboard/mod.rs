//! The scoreboard: the regions within one, ranked by what happened in a month or a quarter.
//!
//! A closed period is told as it was known when it was closed: the figures as of that instant, the scheme and the regions
//! as the closing holds them. An open one is told as it is known now, or at an instant that is asked for; whether it was
//! closed is then a matter of that instant too, and so it is of the period before.

pub mod closing;
mod figures;
mod places;
pub mod scheme;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::family::Level;
use domain::scoreboard::{Figures, Opened, Period, Reading, Score, Standing, change, open, rank};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::counting::{Base, Frame};
use super::filter::{Filter, check_begun};
use super::reference::Kind;
use super::reference::region::Region;
use super::summary::covers_all;
use super::{Failure, Tx};
use crate::auth::{Principal, Reach};
use crate::entity::region;
use crate::problem::{Fault, Problem, kinds};
use closing::Closing;
use places::Places;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Of when.
    pub period: Period,
    /// The region whose direct parts are ranked; the root of the library if none.
    pub region: Option<String>,
    /// As it was known then; now if none.
    pub as_of: Option<DateTime<Utc>>,
}

/// A ranking of the regions within one.
#[derive(Clone, Debug)]
pub struct Board {
    /// Of when.
    pub period: Period,
    /// The region whose direct parts are ranked.
    pub region: String,
    /// At which time it is known, and what is counted.
    pub frame: Frame,
    /// When the period was closed; none if it is open.
    pub closed_at: Option<DateTime<Utc>>,
    /// What is looked at.
    pub scheme: scheme::Record,
    /// The regions, by rank and then by code.
    pub rows: Vec<Row>,
    /// The regions with projects in stock that are in none of those ranked, and how many they have.
    pub outside: (BTreeSet<String>, u64),
}

/// A ranked region.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What was counted of it.
    pub figures: Figures,
    /// The items of the scheme, in its order, each opened.
    pub opened: Vec<Opened>,
    /// Where it stands.
    pub standing: Standing,
    /// Where it stood in the period before; none if it was not ranked.
    pub previous: Option<Previous>,
}

/// Where a region stood in the period before.
#[derive(Clone, Copy, Debug)]
pub struct Previous {
    /// Its total.
    pub total: Option<Score>,
    /// Its rank.
    pub rank: Option<u32>,
    /// By how many places it has come up since; below zero, gone down.
    pub change: Option<i64>,
}

/// A ranking, held against the period before.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The ranking.
    pub board: Board,
    /// The period before, and when it was closed; none before accounts are kept.
    pub previous: Option<(Period, Option<DateTime<Utc>>)>,
}

/// Ranks the regions within one.
///
/// # Errors
/// `validation_failed` for a region that is not there, or a time before the library began; `forbidden` for who may not
/// read all of the region.
pub async fn answer(
    db: &impl ConnectionTrait,
    reach: &Reach,
    question: &Question,
) -> Result<Answer, Failure> {
    if let Some(instant) = question.as_of {
        check_begun(db, instant, "as_of").await?;
    }
    let ground = Ground::of(db, question.period, question.as_of).await?;
    let region = ground.region(question.region.as_deref())?;
    let mut board = ground.board(db, reach, &region).await?;
    let Some(period) = question.period.previous() else {
        return Ok(Answer {
            board,
            previous: None,
        });
    };
    let ground = ground.before(db, period).await?;
    let closed_at = ground.closed_at;
    // Then the region may have held another one, which is not his who asks: there is nothing to compare for him.
    let is_seen =
        ground.places.has(&region) && sees_all(db, reach, &ground.places.subtree(&region)).await?;
    let before: BTreeMap<String, Standing> = if is_seen {
        let before = ground.board(db, reach, &region).await?;
        let rows = before.rows.into_iter();
        rows.map(|row| (row.code, row.standing)).collect()
    } else {
        BTreeMap::new()
    };
    for row in &mut board.rows {
        row.previous = before.get(&row.code).map(|before| Previous {
            total: before.total,
            rank: before.rank,
            change: change(before.rank, row.standing.rank),
        });
    }
    Ok(Answer {
        board,
        previous: Some((period, closed_at)),
    })
}

/// What a ranking is made upon.
#[derive(Debug)]
struct Ground {
    period: Period,
    as_of: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    scheme: scheme::Record,
    places: Places,
}

impl Ground {
    /// The closing that was known then, or else what is known then.
    async fn of(
        db: &impl ConnectionTrait,
        period: Period,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Self, Failure> {
        if let Some(closing) = closing::find(db, period, as_of).await? {
            return Ok(Self::closed(closing));
        }
        Ok(Self {
            period,
            as_of,
            closed_at: None,
            scheme: scheme::find(db, as_of).await?,
            places: Places::read(db, as_of).await?,
        })
    }

    fn closed(closing: Closing) -> Self {
        Self {
            period: closing.period,
            as_of: Some(closing.closed_at),
            closed_at: Some(closing.closed_at),
            scheme: closing.scheme,
            places: closing.places,
        }
    }

    /// The same of the period before, by its own closing if that was known at the instant of this one. What a closing
    /// holds stays for both: neither changes with what becomes of the other.
    async fn before(self, db: &impl ConnectionTrait, period: Period) -> Result<Self, Failure> {
        let closing = closing::find(db, period, self.as_of).await?;
        Ok(closing.map_or(
            Self {
                period,
                closed_at: None,
                ..self
            },
            Self::closed,
        ))
    }

    /// The region that is asked for, or the only one that lies in no other.
    fn region(&self, asked: Option<&str>) -> Result<String, Problem> {
        let faults = match asked {
            Some(code) if self.places.has(code) => return Ok(code.to_owned()),
            Some(code) => Region::unknown("", code).of_parameter("region"),
            None => match self.places.roots(self.period.year()).as_slice() {
                [root] => return Ok((*root).to_owned()),
                _ => Fault::parameter(
                    "region",
                    "region_needed",
                    "库中不止一个最上级地区，请用 region 说明排哪一个之内的地区",
                    "There is more than one region that lies in no other; say by region which one's parts are to be ranked",
                ),
            },
        };
        Err(Problem::invalid(vec![faults]))
    }

    async fn board(
        &self,
        db: &impl ConnectionTrait,
        reach: &Reach,
        region: &str,
    ) -> Result<Board, Failure> {
        let all = self.places.subtree(region);
        if !sees_all(db, reach, &all).await? {
            return Err(not_for_parts());
        }
        let frame = Frame {
            as_of: self.as_of,
            base: Some(Base::Portfolio),
            level: Level::Project,
        };
        // All of the region is within the reach, and so is what has been in it and is no more.
        let within = Reach::everywhere().narrowed(&all);
        let scoped = Filter::default().within(db, &within, &frame).await?;
        let scheme = &self.scheme.scheme;
        let counted = figures::read(db, &scoped, &frame, self.period, scheme).await?;
        let mut outside = all;
        let mut rows = Vec::new();
        for place in self.places.within(region, self.period.year()) {
            let subtree = self.places.subtree(&place.code);
            let mut figures = Figures::default();
            for code in &subtree {
                if let Some(more) = counted.get(code) {
                    figures.join(more);
                }
                outside.remove(code);
            }
            let items = scheme.items().iter();
            rows.push(Row {
                code: place.code.clone(),
                name: place.name.clone(),
                opened: items.map(|item| open(*item, &figures)).collect(),
                figures,
                standing: Standing::default(),
                previous: None,
            });
        }
        let readings = |row: &Row| row.opened.iter().map(|opened| opened.normalised).collect();
        let readings: Vec<Vec<Reading<_>>> = rows.iter().map(readings).collect();
        for (row, standing) in rows.iter_mut().zip(rank(scheme, &readings)) {
            row.standing = standing;
        }
        rows.sort_by_cached_key(|row| (row.standing.rank.unwrap_or(u32::MAX), row.code.clone()));
        let stock = |code: &str| counted.get(code).map_or(0, |figures| figures.stock.count);
        outside.retain(|code| stock(code) > 0);
        let left = outside.iter().map(|code| stock(code)).sum();
        Ok(Board {
            period: self.period,
            region: region.to_owned(),
            frame,
            closed_at: self.closed_at,
            scheme: self.scheme.clone(),
            rows,
            outside: (outside, left),
        })
    }
}

/// Whether somebody sees every project of some regions: a ranking of parts would tell of the others. Regions that are
/// there no more count for nothing, as long as any is there.
async fn sees_all(
    db: &impl ConnectionTrait,
    reach: &Reach,
    regions: &BTreeSet<String>,
) -> Result<bool, Failure> {
    let Some(whole) = reach.whole_regions() else {
        return Ok(true);
    };
    let present = region::Entity::find().filter(region::Column::Code.is_in(regions));
    let seen = present.clone().filter(region::Column::Code.is_in(whole));
    let (present, seen) = (present.count(db).await?, seen.count(db).await?);
    Ok(present > 0 && seen == present)
}

fn not_for_parts() -> Failure {
    Problem::new(kinds::FORBIDDEN)
        .say(
            "督考比只对能查看该地区全部项目的人开放；可用 region 指定您权限内的地区",
            "The scoreboard of a region is for who may read all of its projects; name a region of yours by region=",
        )
        .into()
}

/// Refuses who is not a manager of the whole library.
async fn need_manager_of_all(tx: &Tx, principal: &Principal) -> Result<(), Failure> {
    if covers_all(&tx.db, &principal.manages()).await? {
        return Ok(());
    }
    Err(Problem::new(kinds::FORBIDDEN)
        .say(
            "须是全库的项目主管",
            "Only a manager of the whole library may do this",
        )
        .into())
}
