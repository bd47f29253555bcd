//! A library as its events tell it, replayed up to an instant, and what it adds up to, counted one by one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::accounting::{Course, Entry, Line, spans, stands};
use domain::family::{Base, Families, FamilyCounting, Level, Member, counted_set};
use domain::id::ProjectId;
use domain::money::Money;
use domain::stage::{Condition, Move, Stage};
use domain::tier::Investment;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::support::library::fen;

/// Everything that was recorded, oldest first.
pub(super) struct Told {
    events: Vec<Event>,
    members: Vec<Membership>,
}

struct Event {
    at: DateTime<Utc>,
    project: Option<Uuid>,
    subject: String,
    kind: String,
    before: Value,
    after: Value,
}

struct Membership {
    list: String,
    project: Uuid,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
}

/// A project as it was known.
struct Project {
    facts: Map<String, Value>,
    entry: Entry,
    moves: Vec<(Move, NaiveDate)>,
    plans: BTreeMap<i32, Option<i128>>,
    /// What was completed and received, by year and month.
    months: BTreeMap<(i32, i32), [Option<i128>; 2]>,
}

/// The library as it was known at an instant.
pub(super) struct Library {
    projects: BTreeMap<Uuid, Project>,
    parents: BTreeMap<String, String>,
    lists: BTreeMap<String, BTreeSet<ProjectId>>,
}

/// Count, exact count and sum, floor count and sum, undetermined; and the sums of annual plans, of what was completed in the
/// year and in all, and of funds received.
pub(super) type Numbers = (u64, u64, i128, u64, i128, u64, [i128; 4]);

/// A tier and a stage.
pub(super) type Cell = (String, String);
/// What became of some projects: change, reason, where they stood and where they stand.
pub(super) type Became = (String, Option<String>, Option<Cell>, Option<Cell>);

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) list: Option<&'static str>,
    pub(super) level: Level,
    pub(super) region: String,
    pub(super) year: i32,
}

impl Told {
    /// Reads what was recorded of these projects and of all regions.
    pub(super) async fn read(db: &DatabaseConnection, projects: &BTreeSet<Uuid>) -> Self {
        let select = Query::select()
            .columns([
                "recorded_at",
                "project_id",
                "subject",
                "kind",
                "before",
                "after",
            ])
            .from("event")
            .and_where(
                Expr::col("project_id")
                    .is_in(projects.iter().copied())
                    .or(Expr::col("subject").like("region/%")),
            )
            .order_by("recorded_at", Order::Asc)
            .order_by("id", Order::Asc)
            .to_owned();
        let mut events = Vec::new();
        for row in db.query_all(&select).await.unwrap() {
            let project: Option<Uuid> = row.try_get("", "project_id").unwrap();
            let subject: String = row.try_get("", "subject").unwrap();
            if !project.is_some_and(|id| projects.contains(&id)) && !subject.starts_with("region/")
            {
                continue;
            }
            let json = |name: &str| {
                let value: Option<Value> = row.try_get("", name).unwrap();
                value.unwrap_or(Value::Null)
            };
            events.push(Event {
                at: row.try_get("", "recorded_at").unwrap(),
                project,
                subject,
                kind: row.try_get("", "kind").unwrap(),
                before: json("before"),
                after: json("after"),
            });
        }
        let select = Query::select()
            .columns(["list_code", "project_id", "recorded_at", "superseded_at"])
            .from("list_member")
            .and_where(Expr::col("project_id").is_in(projects.iter().copied()))
            .to_owned();
        let rows = db.query_all(&select).await.unwrap();
        let members = rows.iter().map(|row| Membership {
            list: row.try_get("", "list_code").unwrap(),
            project: row.try_get("", "project_id").unwrap(),
            from: row.try_get("", "recorded_at").unwrap(),
            until: row.try_get("", "superseded_at").unwrap(),
        });
        Self {
            members: members.collect(),
            events,
        }
    }

    /// The instants at which something of the projects was recorded.
    pub(super) fn instants(&self) -> Vec<DateTime<Utc>> {
        let of_projects = self.events.iter().filter(|event| event.project.is_some());
        of_projects.map(|event| event.at).collect()
    }

    /// The library as it was known at an instant.
    pub(super) fn at(&self, instant: DateTime<Utc>) -> Library {
        let mut library = Library {
            projects: BTreeMap::new(),
            parents: BTreeMap::new(),
            lists: BTreeMap::new(),
        };
        for event in self.events.iter().filter(|event| event.at <= instant) {
            library.take(event);
        }
        for member in &self.members {
            if member.from <= instant && member.until.is_none_or(|until| instant < until) {
                let list = library.lists.entry(member.list.clone()).or_default();
                list.insert(ProjectId(member.project));
            }
        }
        library
    }
}

fn month_of(told: &Value) -> (i32, i32) {
    let number = |name: &str| i32::try_from(told[name].as_i64().unwrap()).unwrap();
    (number("year"), number("month"))
}

fn local(at: DateTime<Utc>) -> NaiveDate {
    (at + chrono::TimeDelta::hours(8)).date_naive()
}

fn date(value: &Value) -> Option<NaiveDate> {
    value.as_str().map(|text| text.parse().unwrap())
}

impl Library {
    fn take(&mut self, event: &Event) {
        let Some(id) = event.project else {
            let code = event.subject.trim_start_matches("region/").to_owned();
            match event.after["parent"].as_str() {
                Some(parent) => self.parents.insert(code, parent.to_owned()),
                None => self.parents.remove(&code),
            };
            return;
        };
        let after = event.after.as_object().cloned().unwrap_or_default();
        match event.kind.as_str() {
            "registered" | "taken_over" => {
                let entry = if event.kind == "registered" {
                    let on = date(&after["stage_since"]).unwrap_or_else(|| local(event.at));
                    Entry::Registered { on }
                } else {
                    Entry::TakenOver {
                        stage: Stage::from_code(after["stage"].as_str().unwrap()).unwrap(),
                        since: date(&after["stage_since"]),
                        started_on: date(&after["started_on"]),
                        completed_on: date(&after["completed_on"]),
                        on: local(event.at),
                    }
                };
                let project = Project {
                    facts: after,
                    entry,
                    moves: Vec::new(),
                    plans: BTreeMap::new(),
                    months: BTreeMap::new(),
                };
                assert!(self.projects.insert(id, project).is_none());
            }
            "planned" => {
                let year = i32::try_from(after["year"].as_i64().unwrap()).unwrap();
                let plan = after["planned_investment"].as_str().map(fen);
                self.projects.get_mut(&id).unwrap().plans.insert(year, plan);
            }
            "unplanned" => {
                let year = i32::try_from(event.before["year"].as_i64().unwrap()).unwrap();
                self.projects.get_mut(&id).unwrap().plans.remove(&year);
            }
            "invested" => {
                let told = |name: &str| after[name].as_str().map(fen);
                let figures = [told("completed"), told("funds_received")];
                let project = self.projects.get_mut(&id).unwrap();
                project.months.insert(month_of(&event.after), figures);
            }
            "uninvested" => {
                let project = self.projects.get_mut(&id).unwrap();
                project.months.remove(&month_of(&event.before));
            }
            "amended" | "moved" => {
                let project = self.projects.get_mut(&id).unwrap();
                let mut after = after;
                if let Some(done) = after.remove("transition") {
                    project.moved(&done);
                }
                project.facts.extend(after);
            }
            _ => {}
        }
    }

    /// A region with all that lies within it.
    fn subtree(&self, region: &str) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = [region.to_owned()].into();
        loop {
            let more: Vec<String> = self
                .parents
                .iter()
                .filter(|(code, parent)| found.contains(*parent) && !found.contains(*code))
                .map(|(code, _)| code.clone())
                .collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    fn counted(&self, asked: &Asked) -> BTreeSet<Uuid> {
        let families = self.families();
        let none = BTreeSet::new();
        let base = match asked.list {
            None => Base::Portfolio,
            Some(list) => Base::List(self.lists.get(list).unwrap_or(&none)),
        };
        let regions = self.subtree(&asked.region);
        counted_set(&families, base, asked.level)
            .into_iter()
            .map(|id| id.0)
            .filter(|id| regions.contains(self.projects[id].text("region")))
            .collect()
    }

    fn families(&self) -> Families {
        let members = self.projects.iter().map(|(id, project)| Member {
            id: ProjectId(*id),
            parent: project.facts["parent_id"]
                .as_str()
                .map(|text| ProjectId(text.parse().unwrap())),
            counting: FamilyCounting::from_code(project.text("family_counting")).unwrap(),
            stage: Stage::from_code(project.text("stage")).unwrap(),
            condition: project.condition(),
            investment: project.investment(),
        });
        Families::new(members).unwrap()
    }

    /// The counted projects that have not left.
    fn present(&self, asked: &Asked) -> BTreeSet<Uuid> {
        let mut counted = self.counted(asked);
        counted.retain(|id| self.projects[id].condition() != Condition::Withdrawn);
        counted
    }

    /// What became of each project that is counted at either of two instants and differs, with what it added up to
    /// at the first, this one, and at the second.
    pub(super) fn became(
        &self,
        later: &Self,
        asked: &Asked,
    ) -> BTreeMap<Became, (Numbers, Numbers)> {
        let (was, is) = (self.present(asked), later.present(asked));
        let mut groups: BTreeMap<Became, (Numbers, Numbers)> = BTreeMap::new();
        for id in was.union(&is) {
            let before = was.contains(id).then(|| &self.projects[id]);
            let after = is.contains(id).then(|| &later.projects[id]);
            let (from, to) = (before.map(Project::cell), after.map(Project::cell));
            let (change, reason) = match (before, after) {
                (None, _) => ("entered", Some(self.absence(*id, asked, true))),
                (_, None) => ("left", Some(later.absence(*id, asked, false))),
                (Some(before), Some(after)) if from == to => {
                    if before.investment() == after.investment() {
                        continue;
                    }
                    ("amount", None)
                }
                (Some(before), Some(after)) if before.text("stage") == after.text("stage") => {
                    ("retiered", None)
                }
                (Some(before), Some(after)) => {
                    let same_tier = before.investment().tier() == after.investment().tier();
                    (
                        if same_tier {
                            "moved"
                        } else {
                            "moved_and_retiered"
                        },
                        None,
                    )
                }
            };
            let key = (change.to_owned(), reason.map(str::to_owned), from, to);
            let group = groups.entry(key).or_default();
            for (project, numbers) in [(before, &mut group.0), (after, &mut group.1)] {
                if let Some(project) = project {
                    add(numbers, project.investment());
                }
            }
        }
        groups
    }

    /// Why a project is not counted here that is at another instant: an earlier one, or a later one.
    fn absence(&self, id: Uuid, asked: &Asked, is_earlier: bool) -> &'static str {
        let Some(project) = self.projects.get(&id) else {
            return "registered";
        };
        if !self.subtree(&asked.region).contains(project.text("region")) {
            "reclassified"
        } else if project.condition() == Condition::Withdrawn {
            if is_earlier {
                "re_entered"
            } else {
                "withdrawn"
            }
        } else if is_earlier {
            "counted"
        } else {
            "not_counted"
        }
    }

    /// Tier by stage, of the counted projects that have not left.
    pub(super) fn summary(&self, asked: &Asked) -> BTreeMap<Cell, Numbers> {
        let mut cells: BTreeMap<Cell, Numbers> = BTreeMap::new();
        for id in self.present(asked) {
            let project = &self.projects[&id];
            let cell = cells.entry(project.cell()).or_default();
            add(cell, project.investment());
            let plan = project.plans.get(&asked.year).copied().flatten();
            let [mut in_year, mut total, mut received] = [0; 3];
            for ((year, _), figures) in &project.months {
                let completed = figures[0].unwrap_or_default();
                in_year += if *year == asked.year { completed } else { 0 };
                total += completed;
                received += figures[1].unwrap_or_default();
            }
            let figures = [plan.unwrap_or_default(), in_year, total, received];
            for (sum, figure) in cell.6.iter_mut().zip(figures) {
                *sum += figure;
            }
        }
        cells
    }

    /// The lines of a year's accounts, by region and code.
    pub(super) fn accounts(&self, asked: &Asked) -> BTreeMap<(String, String), Numbers> {
        let mut cells: BTreeMap<(String, String), Numbers> = BTreeMap::new();
        for id in self.counted(asked) {
            let project = &self.projects[&id];
            let lines: BTreeSet<Line> = spans(&project.course())
                .iter()
                .filter(|span| stands(span, asked.year))
                .map(|span| span.line)
                .collect();
            for line in lines {
                let key = (project.text("region").to_owned(), line.code().to_owned());
                add(cells.entry(key).or_default(), project.investment());
            }
        }
        cells
    }

    /// Signed in the year and landed within so many months; planned to start in it and started by its end.
    pub(super) fn rates(&self, asked: &Asked, months: u32) -> [u64; 2] {
        let mut reached = [0, 0];
        for id in self.counted(asked) {
            let facts = &self.projects[&id].facts;
            let (signed, landed) = (date(&facts["signed_on"]), date(&facts["landed_on"]));
            if let (Some(signed), Some(landed)) = (signed, landed)
                && signed.year() == asked.year
                && landed
                    <= signed
                        .checked_add_months(chrono::Months::new(months))
                        .unwrap()
            {
                reached[1] += 1;
            }
            let planned = date(&facts["planned_start_on"]);
            let works = self.projects[&id].works();
            let meets = |(start, given_up): &(NaiveDate, Option<NaiveDate>)| {
                start.year() <= asked.year && given_up.is_none_or(|day| day.year() >= asked.year)
            };
            if planned.is_some_and(|day| day.year() == asked.year) && works.iter().any(meets) {
                reached[0] += 1;
            }
        }
        reached
    }
}

impl Project {
    fn text(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap()
    }

    fn cell(&self) -> Cell {
        let tier = self.investment().tier().code().to_owned();
        (tier, self.text("stage").to_owned())
    }

    fn condition(&self) -> Condition {
        Condition::from_code(self.text("condition")).unwrap()
    }

    fn moved(&mut self, done: &Value) {
        let to = Move::from_code(done["to"].as_str().unwrap()).unwrap();
        if to == Move::Corrected {
            self.moves.pop().unwrap();
        } else {
            self.moves.push((to, date(&done["occurred_on"]).unwrap()));
        }
    }

    fn investment(&self) -> Investment {
        let money = |text: &Value| {
            let fen = i64::try_from(fen(text.as_str().unwrap())).unwrap();
            Money::from_fen(fen).unwrap()
        };
        let told = &self.facts["total_investment"];
        if told["exact"].is_string() {
            Investment::Exact(money(&told["exact"]))
        } else if told["floor"].is_string() {
            Investment::Floor(money(&told["floor"]))
        } else {
            Investment::Unknown
        }
    }

    /// On which days works began, and on which they were given up if they were.
    fn works(&self) -> Vec<(NaiveDate, Option<NaiveDate>)> {
        let taken_over = match self.entry {
            Entry::TakenOver {
                stage,
                started_on,
                on,
                ..
            } if stage >= Stage::Construction => Some(started_on.unwrap_or(on)),
            Entry::TakenOver { .. } | Entry::Registered { .. } => None,
        };
        let mut works: Vec<_> = taken_over.map(|start| (start, None)).into_iter().collect();
        for (kind, on) in &self.moves {
            if *kind == Move::Construction {
                works.push((*on, None));
            } else if *kind == Move::Withdrawn
                && let Some((_, given_up @ None)) = works.last_mut()
            {
                *given_up = Some(*on);
            }
        }
        works
    }

    fn course(&self) -> Course {
        let on = |name: &str| date(&self.facts[name]);
        Course {
            entry: self.entry,
            moves: self.moves.clone(),
            signed_on: on("signed_on"),
            landed_on: on("landed_on"),
            funds_approved_on: on("funds_approved_on"),
            planned_start_on: on("planned_start_on"),
            commissioned_on: on("commissioned_on"),
            at_capacity_on: on("at_capacity_on"),
        }
    }
}

fn add(numbers: &mut Numbers, investment: Investment) {
    numbers.0 += 1;
    match investment {
        Investment::Exact(money) => {
            numbers.1 += 1;
            numbers.2 += i128::from(money.fen());
        }
        Investment::Floor(money) => {
            numbers.3 += 1;
            numbers.4 += i128::from(money.fen());
        }
        Investment::Unknown => numbers.5 += 1,
    }
}
