//! The accounts of a year, by any dimensions.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::accounting::{Accounts, Line};
use domain::money::Total;
use domain::rollup::Known;
use domain::target::Period;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SimpleExpr};
use sea_orm::{ConnectionTrait, QueryResult};

use super::rates::{self, Rates};
use crate::auth::Reach;
use crate::entity::project::{self, Column};
use crate::store::counting::{Base, Frame, Rows, SPAN};
use crate::store::filter::{Account, Filter, Scoped, had_landed, stands_in};
use crate::store::rollup::{self, Asked, ENDED, Kept, Source};
use crate::store::row::coded;
use crate::store::summary::{Dimension, PART, covers_all, each_list, rank};
use crate::store::{Failure, corrupt};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which projects.
    pub filter: Filter,
    /// Of what, and when.
    pub frame: Frame,
    /// By what.
    pub group_by: Vec<Dimension>,
    /// The year.
    pub year: i32,
    /// The last day that counts, if not the year's.
    pub until: Option<NaiveDate>,
    /// Within how many months what was signed has to land.
    pub landing_months: u32,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its value of each dimension asked for; none where projects have none.
    pub keys: Vec<Option<String>>,
    /// What is in it.
    pub accounts: Accounts,
}

/// The accounts of a year.
#[derive(Clone, Debug)]
pub struct Year {
    /// The cells that hold anything.
    pub cells: Vec<Cell>,
    /// All together.
    pub total: Accounts,
    /// Whether the cells add up to the total.
    pub additive: bool,
    /// Whether the asker sees everything there is.
    pub covers_all: bool,
    /// What the total counts.
    pub base: Base,
}

impl Question {
    /// The dimensions, if the sums that are kept can tell the answer.
    fn kept(&self, reach: &Reach) -> Option<Vec<Kept>> {
        let is_kept = reach.is_by_region()
            && self.frame.base == Some(Base::Portfolio)
            && self.until.is_none()
            && self.filter.is_kept_of_accounts();
        let kept = self
            .group_by
            .iter()
            .map(|dimension| match dimension.kept() {
                // Lines of the accounts are kept by neither: what happened, happened in any stage.
                Some(Kept::Stage | Kept::Condition) | None => None,
                kept @ Some(Kept::Tier | Kept::Region) => kept,
            });
        is_kept.then(|| kept.collect()).flatten()
    }
}

/// Draws the accounts of a year up, from the sums that are kept if they can tell them.
///
/// # Errors
/// `validation_failed` for filters that mean nothing.
pub async fn answer(
    db: &impl ConnectionTrait,
    reach: &Reach,
    question: &Question,
    sums_are_complete: bool,
) -> Result<Year, Failure> {
    let Question {
        filter,
        frame,
        group_by,
        ..
    } = question;
    let scoped = filter.clone().within(db, reach, frame).await?;
    let base = frame.base.clone().unwrap_or(Base::Portfolio);
    let by_list = group_by.contains(&Dimension::List);
    let kept = question.kept(reach).unwrap_or_default();
    let mut asked = asked(&scoped, question, &kept);
    let source = match question.kept(reach) {
        Some(_) => rollup::source(db, frame.as_of, &mut asked, sums_are_complete).await?,
        None => None,
    };
    let cell_frame = if by_list {
        each_list(frame)
    } else {
        frame.clone()
    };
    let mut cells = match source {
        Some(source) => {
            let lines = from_sums(db, source, &asked, question.landing_months).await?;
            asked.with_detail = false;
            asked.leaves_withdrawn_out = scoped.leaves_withdrawn_out();
            with_rates(
                lines,
                rates::from_sums(db, source, asked, question.year).await?,
            )
        }
        None => from_library(db, &cell_frame, &scoped, question, group_by).await?,
    };
    cells.sort_by_cached_key(|cell| rank(group_by, &cell.keys));
    let total = if by_list {
        together(&from_library(db, frame, &scoped, question, &[]).await?)
    } else {
        together(&cells)
    };
    Ok(Year {
        cells,
        total,
        additive: !by_list,
        covers_all: covers_all(db, reach).await?,
        base,
    })
}

/// From the spans and the months of the library itself.
async fn from_library(
    db: &impl ConnectionTrait,
    frame: &Frame,
    scoped: &Scoped,
    question: &Question,
    group_by: &[Dimension],
) -> Result<Vec<Cell>, Failure> {
    let lines = from_spans(db, frame, scoped, question, group_by).await?;
    let rates = rates::from_months(db, frame, scoped, question, group_by).await?;
    Ok(with_rates(lines, rates))
}

/// Puts the rates to the lines; a cell may have either.
fn with_rates(mut cells: Vec<Cell>, mut rates: Rates) -> Vec<Cell> {
    for cell in &mut cells {
        cell.accounts.investment = rates.remove(&cell.keys).unwrap_or_default();
    }
    let others = rates.into_iter().map(|(keys, investment)| {
        let mut accounts = Accounts::default();
        accounts.investment = investment;
        Cell { keys, accounts }
    });
    cells.extend(others.filter(|cell| !cell.accounts.is_empty()));
    cells
}

fn together(cells: &[Cell]) -> Accounts {
    let mut all = Accounts::default();
    for cell in cells {
        all.join(&cell.accounts);
    }
    all
}

/// Entries, gathered into cells.
#[derive(Default)]
struct Gathered {
    cells: BTreeMap<Vec<Option<String>>, Accounts>,
}

impl Gathered {
    fn take(
        &mut self,
        keys: Vec<Option<String>>,
        line: Line,
        landed_after: Option<u32>,
        amounts: (Known, i64, Total),
        within: u32,
    ) -> Result<(), Failure> {
        let (known, count, sum) = amounts;
        let count = u64::try_from(count).map_err(|_| corrupt("a sum of projects"))?;
        let accounts = self.cells.entry(keys).or_default();
        accounts.add(line, known, count, sum);
        if line == Line::Signed && landed_after.is_some_and(|months| months <= within) {
            accounts.landed_in_time += count;
        }
        Ok(())
    }

    fn done(self) -> Vec<Cell> {
        self.cells
            .into_iter()
            .filter(|(_, accounts)| !accounts.is_empty())
            .map(|(keys, accounts)| Cell { keys, accounts })
            .collect()
    }
}

/// One value of a lasting line: what it is, its amounts, and whether that is of those that have ended.
type Lasting = BTreeMap<(Vec<Option<String>>, Line, Known), (i64, i128)>;

/// After how many months what was signed had landed.
const LANDED: &str = "had_landed_after";

/// Which of the sums that are kept make the accounts of a year.
fn asked<'a>(scoped: &'a Scoped, question: &Question, by: &'a [Kept]) -> Asked<'a> {
    let year = question.year;
    let quoted = |range: bool| -> Vec<String> {
        let lines = Line::ALL.iter().filter(|line| line.is_range() == range);
        lines.map(|line| format!("'{}'", line.code())).collect()
    };
    let lasting: Vec<String> = Line::ALL
        .iter()
        .filter(|line| line.is_range())
        .map(|line| format!("'{0}', '{0}{ENDED}'", line.code()))
        .collect();
    let which = format!(
        "(line IN ({}) AND year = {year}) OR (line IN ({}) AND year <= {year})",
        quoted(false).join(", "),
        lasting.join(", ")
    );
    let mut asked = scoped.asked(which, question.frame.level, by);
    asked.with_detail = true;
    asked.leaves_withdrawn_out = false;
    asked
}

async fn from_sums(
    db: &impl ConnectionTrait,
    source: Source,
    asked: &Asked<'_>,
    landing_months: u32,
) -> Result<Vec<Cell>, Failure> {
    let mut gathered = Gathered::default();
    let mut standing = Lasting::new();
    for sum in rollup::sums(db, source, asked).await? {
        if !sum.is_counted {
            continue;
        }
        let (code, sign) = match sum.line.strip_suffix(ENDED) {
            Some(code) => (code, -1),
            None => (sum.line.as_str(), 1),
        };
        let line = coded(Line::from_code, code)?;
        if line.is_range() {
            let both = standing.entry((sum.keys, line, sum.kind)).or_default();
            both.0 += i64::from(sign) * sum.count;
            both.1 += i128::from(sign) * sum.amount.fen();
        } else {
            let landed_after = u32::try_from(sum.detail - 1).ok();
            let amounts = (sum.kind, sum.count, sum.amount);
            gathered.take(sum.keys, line, landed_after, amounts, landing_months)?;
        }
    }
    for ((keys, line, known), (count, fen)) in standing {
        let amounts = (known, count, Total::from_fen(fen));
        gathered.take(keys, line, None, amounts, 0)?;
    }
    Ok(gathered.done())
}

async fn from_spans(
    db: &impl ConnectionTrait,
    frame: &Frame,
    scoped: &Scoped,
    question: &Question,
    group_by: &[Dimension],
) -> Result<Vec<Cell>, Failure> {
    let mut select = Query::select();
    for dimension in group_by {
        select
            .expr_as(dimension.expr(), dimension.code())
            .add_group_by([dimension.expr()]);
    }
    let line = Expr::col((SPAN, "line"));
    let landed_after: SimpleExpr = match question.until {
        None => Expr::col((SPAN, "landed_after")),
        Some(day) => Expr::case(had_landed(day), Expr::col((SPAN, "landed_after"))).into(),
    };
    let kind = Expr::col((project::Entity, Column::AmountKind));
    select
        .expr_as(line.clone(), "line")
        .expr_as(landed_after, LANDED)
        .expr_as(kind.clone(), "kind")
        .add_group_by([line, Expr::col(LANDED), kind])
        .expr_as(Expr::cust("COUNT(*)"), "n");
    for (name, part) in [("high", "/"), ("low", "%")] {
        let sum = format!("CAST(COALESCE(SUM(amount_fen {part} {PART}), 0) AS BIGINT)");
        select.expr_as(Expr::cust(sum), name);
    }
    let account = Account {
        years: Period::year(question.year),
        lines: Line::ALL.to_vec(),
        since: None,
        until: question.until,
        landed_within: None,
    };
    select
        .from(project::Entity)
        .join(
            JoinType::InnerJoin,
            SPAN,
            Expr::col((SPAN, "project_id")).equals((project::Entity, Column::Id)),
        )
        .cond_where(scoped.condition(db.get_database_backend()))
        .cond_where(stands_in(&account));
    frame.limit(&mut select, Rows::Counted);
    let mut gathered = Gathered::default();
    for row in frame.run(db, select).await? {
        let mut keys = Vec::with_capacity(group_by.len());
        for dimension in group_by {
            keys.push(row.try_get::<Option<String>>("", dimension.code())?);
        }
        let line = coded(Line::from_code, &row.try_get::<String>("", "line")?)?;
        let landed_after = row.try_get::<Option<i32>>("", LANDED)?;
        let landed_after = landed_after.and_then(|months| u32::try_from(months).ok());
        gathered.take(
            keys,
            line,
            landed_after,
            amounts(&row)?,
            question.landing_months,
        )?;
    }
    Ok(gathered.done())
}

fn amounts(row: &QueryResult) -> Result<(Known, i64, Total), Failure> {
    let number = |name: &str| row.try_get::<i64>("", name).map_err(|_| corrupt(name));
    let known = coded(Known::from_code, &row.try_get::<String>("", "kind")?)?;
    let sum = Total::from_parts(number("high")?, number("low")?);
    Ok((known, number("n")?, sum))
}
