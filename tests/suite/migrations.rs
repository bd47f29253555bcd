//! The database's shape: made, undone and made again; and what it refuses by itself.

use domain::stage::{Condition, Move, Stage, exits};
use domain::tier::Investment;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

use crate::support::Server;

fn is_postgres(db: &DatabaseConnection) -> bool {
    db.get_database_backend() == DbBackend::Postgres
}

/// The first column of every row.
async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index::<String>(0).unwrap())
        .collect()
}

/// Every table, column, constraint and index, in words.
async fn shape(db: &DatabaseConnection) -> Vec<String> {
    if !is_postgres(db) {
        let all =
            "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY 1";
        return texts(db, all).await;
    }
    let mut shape = Vec::new();
    for sql in [
        "SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, is_nullable, column_default) \
         FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1",
        "SELECT concat_ws(' ', conrelid::regclass::text, conname, pg_get_constraintdef(oid)) \
         FROM pg_constraint WHERE connamespace = current_schema()::regnamespace ORDER BY 1",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1",
    ] {
        shape.extend(texts(db, sql).await);
    }
    shape
}

#[tokio::test]
async fn up_down_and_up_again_leaves_the_same_shape() {
    let server = Server::demo().await;
    let db = server.database().await;
    let before = shape(&db).await;
    assert!(before.iter().any(|line| line.contains("project_version")));
    Migrator::down(&db, None).await.unwrap();
    let nothing = shape(&db).await;
    assert!(
        nothing
            .iter()
            .all(|line| line.contains("seaql_migrations") || line.contains("sqlite_")),
        "{nothing:?}"
    );
    Migrator::up(&db, None).await.unwrap();
    assert_eq!(shape(&db).await, before);
    // Again, with nothing to do.
    Migrator::up(&db, None).await.unwrap();
    assert_eq!(shape(&db).await, before);
}

/// Whether the database takes a statement.
async fn takes(db: &DatabaseConnection, sql: &str) -> bool {
    db.execute_unprepared(sql).await.is_ok()
}

async fn assert_refused(db: &DatabaseConnection, statements: &[&str]) {
    for sql in statements {
        let done = db.execute_unprepared(sql).await;
        assert!(done.is_err(), "taken: {sql}");
        let told = done.unwrap_err().to_string().to_lowercase();
        let is_rule = ["check", "unique", "duplicate", "foreign"]
            .iter()
            .any(|word| told.contains(word));
        assert!(is_rule, "{sql}: {told}");
    }
}

/// The one project that the statements are about.
const ONE: &str = "WHERE external_ref = 'pj-geligang-ocean-ranch'";

#[tokio::test]
async fn the_database_takes_the_tier_of_an_amount_and_no_other() {
    let server = Server::demo().await;
    let db = server.database().await;
    let bounds = [
        1,
        499_999_999,
        500_000_000,
        9_999_999_999,
        10_000_000_000,
        99_999_999_999,
        100_000_000_000,
        499_999_999_999,
        500_000_000_000,
        999_999_999_999,
        1_000_000_000_000,
        100_000_000_000_000_000,
    ];
    let mut amounts = vec![Investment::Unknown];
    for fen in bounds {
        let amount = domain::money::Money::from_fen(fen).unwrap();
        amounts.extend([Investment::Exact(amount), Investment::Floor(amount)]);
    }
    for amount in amounts {
        let fen = amount
            .known()
            .map_or_else(|| "NULL".to_owned(), |money| money.fen().to_string());
        let kind = match amount {
            Investment::Exact(_) => "exact",
            Investment::Floor(_) => "floor",
            Investment::Unknown => "unknown",
        };
        for tier in domain::tier::InvestmentTier::ALL {
            let tier_code = tier.code();
            let sql = format!(
                "UPDATE project SET amount_kind = '{kind}', amount_fen = {fen}, tier = '{tier_code}' {ONE}"
            );
            assert_eq!(takes(&db, &sql).await, *tier == amount.tier(), "{sql}");
        }
    }
}

#[tokio::test]
async fn the_database_refuses_projects_that_can_not_be() {
    let server = Server::demo().await;
    let db = server.database().await;
    let on_one = [
        "amount_kind = 'exact', amount_fen = -1, tier = 'under_5m'",
        "amount_kind = 'exact', amount_fen = 0, tier = 'under_5m'",
        "amount_kind = 'exact', amount_fen = 100000000000000001, tier = 'from_10b'",
        "amount_kind = 'exact'",
        "amount_kind = 'unknown', amount_fen = 500000000, tier = 'from_5m'",
        "amount_kind = 'guess'",
        "stage = 'completion', condition = 'suspended'",
        "stage = 'completion', condition = 'withdrawn'",
        "stage = 'dreaming'",
        "condition = 'asleep'",
        "stage = 'construction', stage_basis = 'gate'",
        "family_counting = 'parts', counts_by_project = (1 = 1)",
        "family_counting = 'parts', counts_by_part = (1 = 0), counts_by_project = (1 = 0), \
         amount_kind = 'exact', amount_fen = 500000000, tier = 'from_5m'",
        "started_on = '2024-02-01', completed_on = '2024-01-31'",
        "at_capacity_on = '2024-02-01'",
        "commissioned_on = '2024-02-02', at_capacity_on = '2024-02-01'",
        "planned_start_on = '2024-02-02', planned_completion_on = '2024-02-01'",
        "parent_id = id",
        "region = '999999'",
        "unit = 'no-such-unit'",
        "chain = 'no-such'",
        "name = ''",
        "code = '2101-211100'",
        "remainder_fen = -1",
        "owner_name = NULL, owner_uscc = '91110000600037341L'",
    ];
    for change in on_one {
        let sql = format!("UPDATE project SET {change} {ONE}");
        assert_refused(&db, &[&sql]).await;
    }
    assert_refused(
        &db,
        &[
            "UPDATE project SET external_ref = 'pj-panjin-port' WHERE external_ref = 'pj-huajin-aramco'",
            "UPDATE project SET condition = 'suspended' WHERE stage = 'completion' AND family_counting <> 'parts'",
            "UPDATE project_version SET tier = 'from_10b' WHERE amount_kind = 'unknown'",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_database_refuses_a_second_present_membership_plan_month_or_permit() {
    let server = Server::demo().await;
    let db = server.database().await;
    let insert = |table: &str, columns: &str, values: &str| {
        format!(
            "INSERT INTO {table} (project_id, {columns}) SELECT id, {values} FROM project {ONE}"
        )
    };
    let at = |second: u32| format!("'2025-01-01T00:00:0{second}Z'");
    let member = |second| {
        insert(
            "list_member",
            "list_code, recorded_at",
            &format!("'gas-storage', {}", at(second)),
        )
    };
    let plan = |version: i32, fen: &str| {
        insert(
            "plan_year",
            "year, planned_fen, version, recorded_at",
            &format!("2025, {fen}, {version}, {}", at(1)),
        )
    };
    let permit = |version: i32, rest: &str| {
        insert(
            "approval",
            "item, version, recorded_at, status, document_number, issued_on, authority, reason",
            &format!("'land_use', {version}, {}, {rest}", at(1)),
        )
    };
    let month = |month: i32, version: i32, completed: &str| {
        insert(
            "investment_month",
            "year, month, completed_fen, version, recorded_at",
            &format!("2025, {month}, {completed}, {version}, {}", at(1)),
        )
    };
    let obtained = "'obtained', 'A1', '2024-01-01', 'B', NULL";
    for (good, bad) in [
        (member(1), vec![member(2)]),
        (
            plan(1, "0"),
            vec![plan(2, "0"), plan(3, "-1"), plan(3, "100000000000000001")],
        ),
        (
            month(3, 1, "0"),
            vec![
                month(3, 2, "0"),
                month(4, 1, "-1"),
                month(4, 1, "100000000000000001"),
                month(4, 1, "CAST(NULL AS BIGINT)"),
                month(0, 1, "0"),
                month(13, 1, "0"),
            ],
        ),
        (
            permit(1, obtained),
            vec![
                permit(2, obtained),
                permit(2, "'obtained', NULL, '2024-01-01', 'B', NULL"),
                permit(2, "'obtained', 'A1', NULL, 'B', NULL"),
                permit(2, "'obtained', 'A1', '2024-01-01', NULL, NULL"),
                permit(2, "'waived', NULL, NULL, NULL, NULL"),
                permit(2, "'lost', NULL, NULL, NULL, NULL"),
            ],
        ),
    ] {
        // A day in a select is a text until it is said to be a day.
        let typed = |sql: String| {
            if is_postgres(&db) {
                sql.replace("'2024-01-01'", "DATE '2024-01-01'")
                    .replace("'2025-01-01T", "TIMESTAMPTZ '2025-01-01T")
                    .replace("'A1', NULL, ", "'A1', NULL::date, ")
                    .replace("'waived', NULL, NULL", "'waived', NULL, NULL::date")
                    .replace("'lost', NULL, NULL", "'lost', NULL, NULL::date")
            } else {
                sql
            }
        };
        db.execute_unprepared(&typed(good)).await.unwrap();
        for sql in bad {
            assert_refused(&db, &[&typed(sql)]).await;
        }
    }
}

/// A row of a move as it would be stored.
fn move_row(
    db: &DatabaseConnection,
    number: u32,
    kind: &str,
    before: (Stage, Condition),
    after: (Stage, Condition),
) -> String {
    let id = Uuid::from_u128(u128::from(number));
    let id = if is_postgres(db) {
        format!("'{id}'")
    } else {
        format!("X'{}'", id.simple())
    };
    format!(
        "INSERT INTO transition (id, project_id, seq, kind, occurred_on, note, evidence, before_stage, \
         before_condition, before_basis, after_stage, after_condition, after_basis, after_started_on, \
         after_completed_on, recorded_at) VALUES ({id}, (SELECT id FROM project {ONE}), {}, '{kind}', \
         '2025-01-01', 'x', '{{}}', '{}', '{}', 'gate', '{}', '{}', 'gate', '2025-01-01', '2025-01-01', \
         '2025-01-01T00:00:00Z')",
        number + 1000,
        before.0.code(),
        before.1.code(),
        after.0.code(),
        after.1.code(),
    )
}

/// Where a move leads by the table.
fn led(kind: Move, (stage, condition): (Stage, Condition)) -> Option<(Stage, Condition)> {
    if !exits(stage, condition).contains(&kind) {
        return None;
    }
    match kind {
        Move::Attraction => Some((Stage::Attraction, Condition::Active)),
        Move::Construction => Some((Stage::Construction, Condition::Active)),
        Move::Completion => Some((Stage::Completion, Condition::Active)),
        Move::Suspended => Some((stage, Condition::Suspended)),
        Move::Resumed => Some((stage, Condition::Active)),
        Move::Withdrawn => Some((stage, Condition::Withdrawn)),
        Move::Planning => Some((Stage::Planning, Condition::Active)),
        Move::Corrected => None,
    }
}

#[tokio::test]
async fn the_database_takes_the_moves_of_the_table_and_no_others() {
    let server = Server::demo().await;
    let db = server.database().await;
    let states: Vec<(Stage, Condition)> = Stage::ALL
        .iter()
        .flat_map(|&stage| Condition::ALL.iter().map(move |&c| (stage, c)))
        .collect();
    let kinds = Move::ALL.iter().filter(|kind| **kind != Move::Corrected);
    let mut number = 0;
    for &kind in kinds {
        for &before in &states {
            for &after in &states {
                number += 1;
                let sql = move_row(&db, number, kind.code(), before, after);
                let expected = led(kind, before) == Some(after);
                assert_eq!(
                    takes(&db, &sql).await,
                    expected,
                    "{kind:?} {before:?} {after:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_database_refuses_a_move_without_its_date_reason_or_evidence() {
    let server = Server::demo().await;
    let db = server.database().await;
    let planning = (Stage::Planning, Condition::Active);
    let suspended = (Stage::Planning, Condition::Suspended);
    let attraction = (Stage::Attraction, Condition::Active);
    let construction = (Stage::Construction, Condition::Active);
    let cases = [
        (
            "attraction",
            planning,
            attraction,
            "'2025-01-01', 'x', '{}'",
            "NULL, 'x', '{}'",
        ),
        (
            "suspended",
            planning,
            suspended,
            "'2025-01-01', 'x', '{}'",
            "'2025-01-01', NULL, '{}'",
        ),
        (
            "construction",
            attraction,
            construction,
            "'2025-01-01', 'x', '{}'",
            "'2025-01-01', 'x', NULL",
        ),
        (
            "corrected",
            attraction,
            planning,
            "'2025-01-01', 'x', '{}'",
            "NULL, 'x', NULL",
        ),
        (
            "registered",
            attraction,
            planning,
            "'2025-01-01', 'x', '{}'",
            "NULL, 'x', NULL",
        ),
    ];
    for (kind, before, after, present, missing) in cases {
        let sql = move_row(&db, 1, kind, before, after);
        assert!(sql.contains(present));
        assert_refused(&db, &[&sql.replace(present, missing)]).await;
    }
}

#[tokio::test]
async fn the_database_refuses_targets_that_can_not_be() {
    let server = Server::demo().await;
    let db = server.database().await;
    let one = "WHERE code = 'pj-t-145-annual-kaigong-1y'";
    let on_one = [
        "from_year = 2026",
        "from_year = 2025",
        "to_year = 2201",
        "from_tier = 'under_5m'",
        "from_tier = NULL, up_to_tier = 'from_1b'",
        "from_tier = 'from_1b', up_to_tier = 'from_100m'",
        "from_tier = 'from_10b', up_to_tier = 'from_5b'",
        "up_to_tier = 'from_10b'",
        "metric = 'guessed'",
        "unit = 'yuan'",
        "metric = 'completed_investment'",
        "value = -100",
        "value = 150",
        "value = 100000000000000100",
        "kind = 'wish'",
        "each_year = (1 = 0), schedule = '[]'",
        "name = ''",
        "plan = ''",
        "region = '999999'",
        "programme = 'no-such'",
        "sector = 'no-such'",
    ];
    for change in on_one {
        assert_refused(&db, &[&format!("UPDATE target SET {change} {one}")]).await;
    }
    for good in [
        "from_tier = 'from_100m', up_to_tier = 'from_1b'",
        "from_tier = 'from_5b', up_to_tier = 'from_5b'",
        "from_tier = NULL, up_to_tier = NULL",
        "metric = 'entered', unit = 'mu', value = 150",
    ] {
        let sql = format!("UPDATE target SET {good} {one}");
        assert!(takes(&db, &sql).await, "{sql}");
    }
    // A second present version of the same target.
    let columns =
        "plan, region, metric, name, from_year, to_year, each_year, value, unit, kind, recorded_at";
    let again = format!(
        "INSERT INTO target (code, version, {columns}) SELECT code, version + 1, {columns} FROM target {one}"
    );
    assert_refused(&db, &[&again]).await;
}

#[tokio::test]
async fn the_database_refuses_two_schemes_at_a_time_and_a_period_reopened_for_nothing() {
    let server = Server::demo().await;
    let db = server.database().await;
    let at = |second: u32| format!("'2025-01-01T00:00:0{second}Z'");
    let scheme = |id: u32, version: u32| {
        let values = format!("{id}, {version}, '{{}}', {}", at(1));
        format!(
            "INSERT INTO scoreboard_scheme (id, version, scheme, recorded_at) VALUES ({values})"
        )
    };
    let closing = |period: &str, version: u32| {
        let values = format!("'{period}', {version}, 1, '{{}}', '[]', {}", at(1));
        format!(
            "INSERT INTO scoreboard_closing (period, version, scheme_version, scheme, places, recorded_at) \
             VALUES ({values})"
        )
    };
    assert_refused(&db, &[&scheme(2, 2), &scheme(1, 1)]).await;
    assert_refused(&db, &[&closing("2025", 1), &closing("2025-03", 0)]).await;
    for sql in [scheme(1, 2), closing("2025-03", 1), closing("2025-Q1", 1)] {
        assert!(takes(&db, &sql).await, "{sql}");
    }
    assert_refused(&db, &[&scheme(1, 3), &closing("2025-03", 2)]).await;
    let reopened = |reason: &str| {
        let until = at(2);
        format!(
            "UPDATE scoreboard_closing SET superseded_at = {until}, reopened_for = {reason} WHERE period = '2025-03'"
        )
    };
    assert_refused(&db, &[&reopened("NULL"), &reopened("''")]).await;
    assert_refused(&db, &["UPDATE scoreboard_closing SET reopened_for = 'x'"]).await;
    assert!(takes(&db, &reopened("'x'")).await);
    assert!(takes(&db, &closing("2025-03", 2)).await);
}
