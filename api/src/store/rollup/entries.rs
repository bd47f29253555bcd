//! What a project adds to the sums that are kept: one definition, as SQL, for posting a change, for making the sums
//! anew and for proving them.
//!
//! An entry has a line, a year and the dimensions that are kept. `stock` is the project itself, `rest` the money of a
//! whole that its parts don't carry, `plan` the plan of a year, `invested…` and `received…` what was told of its months; the
//! others are lines of the accounts, of which one
//! that lasts stands at its first year and, as `…_ended`, at the year after its last. Its detail is the year before in
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
            format!(" AND {}", known("updated_at", "$1")),
        ),
        (Of::Between, now) => (
            "project_version",
            format!(
                " AND id IN ({TOUCHED}) AND {}",
                known("updated_at", end(now))
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

/// What stands beside projects: plans and spans of the accounts.
fn lines(of: Of<'_>, now: bool) -> String {
    let when = match (of, now) {
        (Of::All, _) => "superseded_at IS NULL".to_owned(),
        (Of::Changed(ids), true) => format!("superseded_at IS NULL AND project_id IN ({ids})"),
        (Of::Changed(ids), false) => format!(
            "(superseded_at IS NULL OR superseded_at = $1) AND recorded_at < $1 AND project_id IN ({ids})"
        ),
        (Of::Until, _) => known("recorded_at", "$1"),
        (Of::Between, now) => format!(
            "project_id IN ({TOUCHED}) AND {}",
            known("recorded_at", end(now))
        ),
    };
    let sign = sign(now);
    let lasting: Vec<String> = Line::ALL
        .iter()
        .filter(|line| line.is_range())
        .map(|line| format!("'{}'", line.code()))
        .collect();
    let lasting = lasting.join(", ");
    let months = |line: &str, year: &str, fen: &str| {
        format!(
            " UNION ALL SELECT {sign}, project_id, '{line}', {year}, TRUE, 'exact', 0, {fen} FROM investment_month \
             WHERE {fen} IS NOT NULL AND {when}"
        )
    };
    let months = [
        months(INVESTED, "year", "completed_fen"),
        months(INVESTED_TOTAL, "0", "completed_fen"),
        months(RECEIVED_TOTAL, "0", "received_fen"),
    ]
    .concat();
    format!(
        "SELECT {sign} AS sign, project_id, '{PLAN}' AS line, year, TRUE AS has_stage, 'exact' AS kind, \
         0 AS detail, planned_fen AS fen FROM plan_year WHERE planned_fen IS NOT NULL AND {when} \
         UNION ALL SELECT {sign}, project_id, line, from_year, FALSE, CAST(NULL AS TEXT), \
         COALESCE(previous_year, landed_after + 1, 0), CAST(NULL AS BIGINT) FROM accounting_span WHERE {when} \
         UNION ALL SELECT {sign}, project_id, line || '{ENDED}', to_year + 1, FALSE, CAST(NULL AS TEXT), 0, \
         CAST(NULL AS BIGINT) FROM accounting_span WHERE line IN ({lasting}) AND to_year IS NOT NULL AND {when}{months}"
    )
}

/// The projects of which anything changed from `$1` to `$2`: whatever changes makes a version of the project.
const TOUCHED: &str = "SELECT id FROM project_version WHERE updated_at > $1 AND updated_at <= $2";

fn known(recorded: &str, at: &str) -> String {
    format!("{recorded} <= {at} AND (superseded_at IS NULL OR superseded_at > {at})")
}

const fn end(now: bool) -> &'static str {
    if now { "$2" } else { "$1" }
}

const fn sign(now: bool) -> &'static str {
    if now { "1" } else { "-1" }
}
