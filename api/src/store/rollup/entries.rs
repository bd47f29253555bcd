//! What a project adds to the sums that are kept: one definition, as SQL, for posting a change, for making the sums
//! anew and for proving them.
//!
//! An entry has a line, a year and the dimensions that are kept. `stock` is the project itself, `rest` the money of a
//! whole that its parts don't carry, `plan` the plan of a year, `invested…` and `received…` what was told of its months,
//! `told` to `received` the sides of the rates of investment; the others are lines of the accounts, of which one that
//! lasts stands at its first year and, as `…_ended`, at the year after its last. Its detail is the year before in
//! which the project was under construction; of what was signed, one more than the months until it landed; else 0.

use std::fmt::Write;

use domain::accounting::Line;

/// A sum of 分 is kept in two parts, each of which fits a BIGINT for any number of projects.
const PART: i64 = 1_000_000_000;

/// By what the sums are kept apart.
pub(super) const KEYS: &str =
    "region, line, year, tier, stage, condition, kind, by_project, by_part, detail";
/// What is kept.
pub(super) const MEASURES: &str = "n, high, low";

/// The line of the projects themselves.
pub(crate) const STOCK: &str = "stock";
/// The line of what the parts of wholes don't carry.
pub(crate) const REST: &str = "rest";
/// The line of annual plans.
pub(crate) const PLAN: &str = "plan";
/// The line of what was completed in a year.
pub(crate) const INVESTED: &str = "invested";
/// The line of what was completed in all years, which belongs to none.
pub(crate) const INVESTED_TOTAL: &str = "invested_total";
/// The line of the funds that were received in all years.
pub(crate) const RECEIVED_TOTAL: &str = "received_total";
/// The line of projects of which anything completed was told, from the first year of it on: their total investment.
pub(crate) const TOLD: &str = "told";
/// The line of annual plans of which anything completed was told.
pub(crate) const PLAN_TOLD: &str = "plan_told";
/// The line of what was completed in a year that has a plan.
pub(crate) const PLAN_MET: &str = "plan_met";
/// The line of projects of which funds were told as allocated and as received, from the year on in which both were.
pub(crate) const FUNDED: &str = "funded";
/// The line of the funds allocated to them.
pub(crate) const ALLOCATED: &str = "allocated";
/// The line of the funds received by them.
pub(crate) const RECEIVED: &str = "received";
/// What is added to the code of a line that lasts, for the year after its last one.
pub(crate) const ENDED: &str = "_ended";

/// Of which projects, and when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of<'a> {
    /// All of them as they are now.
    All,
    /// What the present transaction has changed of some: as they are now, less as they were before it. `$1` is its
    /// time, and these are the parameters of their ids.
    Changed(&'a str),
    /// All of them as they were known at `$1`.
    Until,
    /// What has changed from `$1` to `$2`: as known at the end, less as known at the beginning.
    Between,
}

/// A select of entries that are summed up by their keys.
pub(super) fn entries(of: Of<'_>) -> String {
    let mut projects = projects(of, true);
    let mut lines = lines(of, true);
    let is_difference = matches!(of, Of::Changed(_) | Of::Between);
    if is_difference {
        let _ = write!(projects, " UNION ALL {}", self::projects(of, false));
        let _ = write!(lines, " UNION ALL {}", self::lines(of, false));
    }
    let fen = |part: &str| format!("CAST(SUM(sign * (fen {part} {PART})) AS BIGINT)");
    let (high, low) = (fen("/"), fen("%"));
    let having = if is_difference {
        format!(" HAVING SUM(sign) <> 0 OR {high} <> 0 OR {low} <> 0")
    } else {
        String::new()
    };
    format!(
        "WITH a AS ({projects}), l AS ({lines}), entry AS (\
         SELECT sign, region, '{STOCK}' AS line, 0 AS year, tier, stage, condition, kind, by_project, by_part, \
         0 AS detail, COALESCE(fen, 0) AS fen FROM a \
         UNION ALL SELECT sign, region, '{REST}', 0, tier, stage, condition, kind, by_project, by_part, 0, \
         COALESCE(rest, 0) FROM a WHERE NOT by_part \
         UNION ALL SELECT a.sign, a.region, l.line, l.year, a.tier, CASE WHEN l.has_stage THEN a.stage ELSE '' END, \
         CASE WHEN l.has_stage THEN a.condition ELSE '' END, COALESCE(l.kind, a.kind), a.by_project, a.by_part, \
         l.detail, COALESCE(l.fen, a.fen, 0) FROM a JOIN l ON l.project_id = a.id AND l.sign = a.sign) \
         SELECT {KEYS}, CAST(SUM(sign) AS BIGINT) AS n, {high} AS high, {low} AS low \
         FROM entry GROUP BY {KEYS}{having}"
    )
}

/// The dimensions and the amounts of projects; a cover has none.
fn projects(of: Of<'_>, now: bool) -> String {
    let (table, which) = match (of, now) {
        (Of::All, _) => ("project", String::new()),
        (Of::Changed(ids), true) => ("project", format!(" AND id IN ({ids})")),
        (Of::Changed(ids), false) => (
            "project_version",
            format!(" AND id IN ({ids}) AND superseded_at = $1 AND updated_at < $1"),
        ),
        (Of::Until, _) => (
            "project_version",
            format!(" AND {}", known("project_version", "updated_at", "$1")),
        ),
        (Of::Between, now) => (
            "project_version",
            format!(
                " AND id IN ({TOUCHED}) AND {}",
                known("project_version", "updated_at", end(now))
            ),
        ),
    };
    let sign = sign(now);
    format!(
        "SELECT {sign} AS sign, id, region, tier, stage, condition, counts_by_project AS by_project, \
         counts_by_part AS by_part, amount_kind AS kind, amount_fen AS fen, remainder_fen AS rest \
         FROM {table} WHERE family_counting <> 'parts'{which}"
    )
}

/// What stands beside projects: plans, months and spans of the accounts.
fn lines(of: Of<'_>, now: bool) -> String {
    let sign = sign(now);
    let lasting: Vec<String> = Line::ALL
        .iter()
        .filter(|line| line.is_range())
        .map(|line| format!("'{}'", line.code()))
        .collect();
    let lasting = lasting.join(", ");
    let span = |line: &str, year: &str, detail: &str, which: &str| {
        let when = when(of, now, "accounting_span");
        format!(
            "SELECT {sign} AS sign, project_id, {line} AS line, {year} AS year, FALSE AS has_stage, \
             CAST(NULL AS TEXT) AS kind, {detail} AS detail, CAST(NULL AS BIGINT) AS fen \
             FROM accounting_span WHERE {which}{when}"
        )
    };
    let ended = format!("line IN ({lasting}) AND to_year IS NOT NULL AND ");
    let mut all = vec![
        span(
            "line",
            "from_year",
            "COALESCE(previous_year, landed_after + 1, 0)",
            "",
        ),
        span(&format!("line || '{ENDED}'"), "to_year + 1", "0", &ended),
    ];
    all.extend(money(of, now).into_iter().map(|money| {
        let Told {
            line,
            year,
            kind,
            fen,
            from,
        } = money;
        format!("SELECT {sign}, m.project_id, '{line}', {year}, TRUE, {kind}, 0, {fen} FROM {from}")
    }));
    all.join(" UNION ALL ")
}

/// A line of what was told in 元: its year, how its amount is known, the amount, and the rows that tell it, as `m`.
struct Told {
    line: &'static str,
    year: &'static str,
    kind: &'static str,
    fen: &'static str,
    from: String,
}

impl Told {
    const fn of(
        line: &'static str,
        year: &'static str,
        kind: &'static str,
        fen: &'static str,
        from: String,
    ) -> Self {
        Self {
            line,
            year,
            kind,
            fen,
            from,
        }
    }
}

/// How the project's own amount is known.
const ITS_OWN: &str = "CAST(NULL AS TEXT)";

/// The amount is known to the 分.
const EXACT: &str = "'exact'";

/// The months of which a figure is told, as `m`.
fn months(of: Of<'_>, now: bool, fen: &str) -> String {
    let when = when(of, now, "m");
    format!("investment_month AS m WHERE m.{fen} IS NOT NULL AND {when}")
}

/// The plans with an amount, as `m`.
fn plans(of: Of<'_>, now: bool) -> String {
    let when = when(of, now, "m");
    format!("plan_year AS m WHERE m.planned_fen IS NOT NULL AND {when}")
}

/// Plans and months.
fn money(of: Of<'_>, now: bool) -> Vec<Told> {
    let line = Told::of;
    let completed = || months(of, now, "completed_fen");
    let received = months(of, now, "received_fen");
    let mut all = vec![
        line(PLAN, "m.year", EXACT, "m.planned_fen", plans(of, now)),
        line(INVESTED, "m.year", ITS_OWN, "m.completed_fen", completed()),
        line(INVESTED_TOTAL, "0", EXACT, "m.completed_fen", completed()),
        line(RECEIVED_TOTAL, "0", EXACT, "m.received_fen", received),
    ];
    all.extend(sides_of_rates(of, now));
    all
}

/// Of the plans and months of which both sides of a rate are told, the one and the other.
fn sides_of_rates(of: Of<'_>, now: bool) -> [Told; 6] {
    let line = Told::of;
    let with = |rows: &str, table: &str, fen: &str| {
        let when = when(of, now, "o");
        format!(
            "{rows} AND EXISTS (SELECT 1 FROM {table} AS o WHERE o.project_id = m.project_id AND o.year = m.year \
             AND o.{fen} IS NOT NULL AND {when})"
        )
    };
    let completed = months(of, now, "completed_fen");
    let first_told = format!(
        "(SELECT m.project_id, MIN(m.year) AS year FROM {completed} GROUP BY m.project_id) AS m"
    );
    let plan_told = with(&plans(of, now), "investment_month", "completed_fen");
    let plan_met = with(&completed, "plan_year", "planned_fen");
    // From which year on both are told.
    let funded = format!(
        "(SELECT project_id, CASE WHEN MIN(a) < MIN(r) THEN MIN(r) ELSE MIN(a) END AS year FROM \
         (SELECT m.project_id, CASE WHEN m.allocated_fen IS NOT NULL THEN m.year END AS a, \
         CASE WHEN m.received_fen IS NOT NULL THEN m.year END AS r FROM investment_month AS m WHERE {}) AS sides \
         GROUP BY project_id HAVING MIN(a) IS NOT NULL AND MIN(r) IS NOT NULL)",
        when(of, now, "m")
    );
    let of_funded = |fen: &str| {
        let when = when(of, now, "m");
        format!(
            "investment_month AS m JOIN {funded} AS o ON o.project_id = m.project_id \
             WHERE m.{fen} IS NOT NULL AND {when}"
        )
    };
    let since = "CASE WHEN m.year < o.year THEN o.year ELSE m.year END";
    let (allocated, received) = (of_funded("allocated_fen"), of_funded("received_fen"));
    let funded = format!("{funded} AS m");
    let no_amount = "CAST(NULL AS BIGINT)";
    [
        line(TOLD, "m.year", ITS_OWN, no_amount, first_told),
        line(PLAN_TOLD, "m.year", EXACT, "m.planned_fen", plan_told),
        line(PLAN_MET, "m.year", EXACT, "m.completed_fen", plan_met),
        line(FUNDED, "m.year", EXACT, "CAST(0 AS BIGINT)", funded),
        line(ALLOCATED, since, EXACT, "m.allocated_fen", allocated),
        line(RECEIVED, since, EXACT, "m.received_fen", received),
    ]
}

/// Which rows of what stands beside projects are meant.
fn when(of: Of<'_>, now: bool, rows: &str) -> String {
    match (of, now) {
        (Of::All, _) => format!("{rows}.superseded_at IS NULL"),
        (Of::Changed(ids), true) => {
            format!("{rows}.superseded_at IS NULL AND {rows}.project_id IN ({ids})")
        }
        (Of::Changed(ids), false) => format!(
            "({rows}.superseded_at IS NULL OR {rows}.superseded_at = $1) AND {rows}.recorded_at < $1 \
             AND {rows}.project_id IN ({ids})"
        ),
        (Of::Until, _) => known(rows, "recorded_at", "$1"),
        (Of::Between, now) => format!(
            "{rows}.project_id IN ({TOUCHED}) AND {}",
            known(rows, "recorded_at", end(now))
        ),
    }
}

/// The projects of which anything changed from `$1` to `$2`: whatever changes makes a version of the project.
const TOUCHED: &str = "SELECT id FROM project_version WHERE updated_at > $1 AND updated_at <= $2";

fn known(rows: &str, recorded: &str, at: &str) -> String {
    format!(
        "{rows}.{recorded} <= {at} AND ({rows}.superseded_at IS NULL OR {rows}.superseded_at > {at})"
    )
}

const fn end(now: bool) -> &'static str {
    if now { "$2" } else { "$1" }
}

const fn sign(now: bool) -> &'static str {
    if now { "1" } else { "-1" }
}
