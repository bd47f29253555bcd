//! What a project adds to the sums that are kept: one definition, as SQL, for posting a change, for making the sums
//! anew and for proving them.
//!
//! An entry has a line, a year and the dimensions that are kept. `stock` is the project itself, `rest` the money of a
//! whole that its parts don't carry, `plan` the plan of a year, `invested…` and `received…` what was told of its months,
//! `told` to `received` the sides of the rates of investment; the others are lines of the accounts, of which one that
//! lasts stands at its first year and, as `…_ended`, at the year after its last. Its detail is the year before in
//! which the project was under construction; of what was signed, one more than the months until it landed; else 0.

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
    let is_difference = matches!(of, Of::Changed(_) | Of::Between);
    // As it is now, and less what it was before.
    let both = |rows: fn(Of<'_>, bool) -> String| {
        let now = rows(of, true);
        if is_difference {
            format!("{now} UNION ALL {}", rows(of, false))
        } else {
            now
        }
    };
    let having = if is_difference {
        " HAVING SUM(n) <> 0 OR SUM(high) <> 0 OR SUM(low) <> 0"
    } else {
        ""
    };
    // Of few projects, to find them once is all; of the whole library, to keep them apart takes longer than to read them
    // twice, and nothing is known of them then by which to join them.
    let how = if matches!(of, Of::All | Of::Until) {
        "NOT MATERIALIZED "
    } else {
        ""
    };
    format!(
        "WITH a AS {how}({projects}), span AS {how}({spans}), figure AS ({figures}), {years}, l AS ({lines}), entry AS (\
         SELECT sign AS n, sign * COALESCE(fen / {PART}, 0) AS high, sign * COALESCE(fen % {PART}, 0) AS low, \
         region, '{STOCK}' AS line, 0 AS year, tier, stage, condition, kind, by_project, by_part, 0 AS detail FROM a \
         UNION ALL SELECT sign, sign * COALESCE(rest / {PART}, 0), sign * COALESCE(rest % {PART}, 0), \
         region, '{REST}', 0, tier, stage, condition, kind, by_project, by_part, 0 FROM a WHERE NOT by_part \
         UNION ALL SELECT a.sign * l.n, a.sign * COALESCE(l.high, a.fen / {PART}, 0), \
         a.sign * COALESCE(l.low, a.fen % {PART}, 0), a.region, l.line, l.year, a.tier, \
         CASE WHEN l.has_stage THEN a.stage ELSE '' END, CASE WHEN l.has_stage THEN a.condition ELSE '' END, \
         COALESCE(l.kind, a.kind), a.by_project, a.by_part, l.detail \
         FROM a JOIN l ON l.project_id = a.id AND l.sign = a.sign) \
         SELECT {KEYS}, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(high) AS BIGINT) AS high, CAST(SUM(low) AS BIGINT) AS low \
         FROM entry GROUP BY {KEYS}{having}",
        projects = both(projects),
        spans = both(spans),
        figures = both(figures),
        years = years(),
        lines = lines(),
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
         FROM {table} WHERE family_counting <> 'parts' AND NOT annulled{which}"
    )
}

/// The spans of the accounts.
fn spans(of: Of<'_>, now: bool) -> String {
    let (sign, when) = (sign(now), when(of, now));
    format!(
        "SELECT {sign} AS sign, project_id, line, from_year, to_year, previous_year, landed_after \
         FROM accounting_span WHERE {when}"
    )
}

/// What was told in 元 of a year: its months and its plan.
fn figures(of: Of<'_>, now: bool) -> String {
    let (sign, when) = (sign(now), when(of, now));
    let none = "CAST(NULL AS BIGINT)";
    format!(
        "SELECT {sign} AS sign, project_id, year, completed_fen AS completed, allocated_fen AS allocated, \
         received_fen AS received, {none} AS planned FROM investment_month WHERE {when} \
         UNION ALL SELECT {sign}, project_id, year, {none}, {none}, {none}, planned_fen FROM plan_year WHERE {when}"
    )
}

/// The figures of each year together, as `y`: of how many months each was told, and how much that was. Beside them,
/// since when anything completed was told, and since when funds were told both as allocated and as received.
fn years() -> String {
    let sums = ["completed", "allocated", "received", "planned"].map(|figure| {
        format!(
            "COUNT({figure}) AS {figure}, CAST(SUM({figure} / {PART}) AS BIGINT) AS {figure}_high, \
             CAST(SUM({figure} % {PART}) AS BIGINT) AS {figure}_low"
        )
    });
    let first = |figure: &str| {
        format!("MIN(CASE WHEN {figure} > 0 THEN year END) OVER (PARTITION BY sign, project_id)")
    };
    format!(
        "told AS (SELECT sign, project_id, year, {} FROM figure GROUP BY sign, project_id, year), \
         since AS (SELECT told.*, {} AS completed_since, {} AS allocated_since, {} AS received_since FROM told), \
         y AS (SELECT since.*, CASE WHEN allocated_since < received_since THEN received_since \
         WHEN allocated_since >= received_since THEN allocated_since END AS funded_since FROM since)",
        sums.join(", "),
        first("completed"),
        first("allocated"),
        first("received"),
    )
}

/// What stands beside projects, by lines: the plans, the months and the spans of the accounts. Without an amount it is
/// the project's own that counts, and without a kind the project's own too.
fn lines() -> String {
    let lasting: Vec<String> = Line::ALL
        .iter()
        .filter(|line| line.is_range())
        .map(|line| format!("'{}'", line.code()))
        .collect();
    let lasting = lasting.join(", ");
    let own = "CAST(NULL AS BIGINT), CAST(NULL AS BIGINT)";
    let its_kind = "CAST(NULL AS TEXT)";
    let exact = "'exact'";
    let mut all = vec![
        format!(
            "SELECT sign, project_id, line, from_year AS year, FALSE AS has_stage, {its_kind} AS kind, \
             COALESCE(previous_year, landed_after + 1, 0) AS detail, 1 AS n, CAST(NULL AS BIGINT) AS high, \
             CAST(NULL AS BIGINT) AS low FROM span"
        ),
        format!(
            "SELECT sign, project_id, line || '{ENDED}', to_year + 1, FALSE, {its_kind}, 0, 1, {own} FROM span \
             WHERE line IN ({lasting}) AND to_year IS NOT NULL"
        ),
    ];
    let mut add = |line: &str, year: &str, kind: &str, sum: &str, which: &str| {
        all.push(format!(
            "SELECT sign, project_id, '{line}', {year}, TRUE, {kind}, 0, {sum} FROM y WHERE {which}"
        ));
    };
    let completed = "completed, completed_high, completed_low";
    let allocated = "allocated, allocated_high, allocated_low";
    let received = "received, received_high, received_low";
    let planned = "planned, planned_high, planned_low";
    add(PLAN, "year", exact, planned, "planned > 0");
    add(INVESTED, "year", its_kind, completed, "completed > 0");
    add(INVESTED_TOTAL, "0", exact, completed, "completed > 0");
    add(RECEIVED_TOTAL, "0", exact, received, "received > 0");
    // The sides of the rates of investment, where both are told.
    let (first, both) = ("year = completed_since", "planned > 0 AND completed > 0");
    add(TOLD, "year", its_kind, &format!("1, {own}"), first);
    add(PLAN_TOLD, "year", exact, planned, both);
    add(PLAN_MET, "year", exact, completed, both);
    let since = "CASE WHEN year < funded_since THEN funded_since ELSE year END";
    let is_funded = |figure: &str| format!("funded_since IS NOT NULL AND {figure} > 0");
    add(FUNDED, "year", exact, "1, 0, 0", "year = funded_since");
    add(ALLOCATED, since, exact, allocated, &is_funded("allocated"));
    add(RECEIVED, since, exact, received, &is_funded("received"));
    all.join(" UNION ALL ")
}

/// Which rows of what stands beside projects are meant.
fn when(of: Of<'_>, now: bool) -> String {
    match (of, now) {
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
    }
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
