//! The audit: what is recorded is chained, and whoever changes it afterwards is found out.
//!
//! A trial of tampering is made from its number alone; a failure names it. `TAMPER_TRIALS` sets how many there are,
//! `TAMPER_FROM` where they begin.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value as Bound};
use serde_json::{Value, json};
use taizhang::audit::Algorithm;
use taizhang::audit::checkpoint::{SigningKey, TrustedKeys};
use taizhang::audit::sealer::Sealer;
use taizhang::problem::{Language, Problem};
use taizhang::store::audit::{Verdict, Window, seal, verify};
use taizhang::store::{Db, Failure, Tx, event};
use uuid::Uuid;

use crate::support::Server;
use crate::support::chance::Chance;
use crate::support::library::{author, in_store};
use crate::support::projects::Office;

/// How often somebody tampers, unless told otherwise.
const TRIALS: u64 = 1000;

/// A library in which a few hundred things were done, over HTTP.
async fn busy_library() -> Server {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    for stage in ["completion", "construction", "attraction", "planning"] {
        for _ in 0..4 {
            office.at_stage(stage, &json!({})).await;
        }
    }
    sealed(&server).await;
    server
}

/// Waits until everything is sealed and written down.
async fn sealed(server: &Server) {
    let sealer = Arc::new(Sealer::open(&server.config).unwrap());
    in_store(server, async move |db| sealer.pass(&db).await.unwrap()).await;
}

/// What stands in the chain before anybody tampers with it.
#[derive(Clone)]
struct Chain {
    last: i64,
    /// The entries with a signature; the last one is the end of the chain.
    signed: Vec<i64>,
    trusted: TrustedKeys,
    journal: PathBuf,
    key: PathBuf,
    foreign_key: PathBuf,
}

impl Chain {
    async fn of(server: &Server, db: &Db) -> Self {
        let sealer = Sealer::open(&server.config).unwrap();
        let rows = db
            .reader()
            .query_all_raw(Statement::from_string(
                db.reader().get_database_backend(),
                "SELECT seq FROM audit_checkpoint ORDER BY seq",
            ))
            .await
            .unwrap();
        let signed: Vec<i64> = rows
            .iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect();
        Self {
            last: *signed.last().unwrap(),
            signed,
            trusted: sealer.trusted.clone(),
            journal: sealer.journal.clone(),
            key: server.config.keys().join("audit.p8"),
            foreign_key: server.config.keys().join("foreign.p8"),
        }
    }

    /// Proves the chain as it stands in a transaction, a minute from now: whatever may still wait has had its time.
    async fn prove(&self, tx: &Tx) -> Verdict {
        let now = tx.now() + chrono::TimeDelta::minutes(1);
        let journal = Some(self.journal.as_path());
        verify(&tx.db, &self.trusted, journal, Window::Whole, now)
            .await
            .unwrap()
    }
}

/// The codes of what was found.
fn codes(found: &Verdict) -> Vec<String> {
    let told = found.findings.iter();
    told.map(|fault| {
        fault.told(Language::English)["code"]
            .as_str()
            .unwrap()
            .to_owned()
    })
    .collect()
}

/// One who can write to the database as its owner.
struct Tamperer<'a> {
    tx: &'a Tx,
    chain: &'a Chain,
    chance: Chance,
}

type Done = Result<(), DbErr>;

impl Tamperer<'_> {
    fn is_postgres(&self) -> bool {
        self.tx.db.get_database_backend() == DbBackend::Postgres
    }

    /// Makes the database take everything: triggers and references are off.
    async fn take_over(&self) -> Done {
        if self.is_postgres() {
            return self
                .run("SET LOCAL session_replication_role = replica")
                .await;
        }
        self.run("PRAGMA defer_foreign_keys = ON").await?;
        for table in ["event", "audit_seal", "audit_checkpoint"] {
            for act in ["update", "delete"] {
                self.run(&format!("DROP TRIGGER {table}_stays_on_{act}"))
                    .await?;
            }
        }
        Ok(())
    }

    async fn run(&self, sql: &str) -> Done {
        self.tx.db.execute_unprepared(sql).await.map(drop)
    }

    async fn run_with(&self, sql: &str, values: Vec<Bound>) -> Done {
        let backend = self.tx.db.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let done = self.tx.db.execute_raw(statement).await?;
        assert_eq!(done.rows_affected(), 1, "{sql}");
        Ok(())
    }

    /// Any entry of the chain.
    fn entry(&mut self) -> i64 {
        let last = u64::try_from(self.chain.last).unwrap();
        i64::try_from(self.chance.next() % last).unwrap() + 1
    }

    /// An entry with a signature, but not the last.
    fn signed(&mut self) -> i64 {
        let (_, before) = self.chain.signed.split_last().unwrap();
        *self.chance.of(before)
    }

    fn two(&mut self) -> (i64, i64) {
        let one = self.entry();
        loop {
            let other = self.entry();
            if other != one {
                return (one, other);
            }
        }
    }

    async fn event_of(&self, seq: i64) -> Uuid {
        let backend = self.tx.db.get_database_backend();
        let sql = format!("SELECT event_id FROM audit_seal WHERE seq = {seq}");
        let row = self
            .tx
            .db
            .query_one_raw(Statement::from_string(backend, sql))
            .await;
        row.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    async fn edit_a_field(&mut self) -> Done {
        let earlier = if self.is_postgres() {
            "recorded_at = recorded_at - INTERVAL '1 microsecond'"
        } else {
            "recorded_at = '1999' || substr(recorded_at, 5)"
        };
        let changes = [
            "subject = subject || 'x'",
            "kind = 'x' || kind",
            "version = COALESCE(version, 0) + 1",
            "actor_name = actor_name || ' '",
            "request_id = COALESCE(request_id, '') || '0'",
            "source = COALESCE(source, '') || '1'",
            "result = CASE result WHEN 'done' THEN 'denied' ELSE 'done' END",
            "before = '{\"forged\": true}'",
            "after = '{\"forged\": true}'",
            "actor_id = (SELECT id FROM account WHERE username = 'leader')",
            earlier,
        ];
        let change = *self.chance.of(&changes);
        let seq = self.entry();
        let id = self.event_of(seq).await;
        let sql = format!("UPDATE event SET {change} WHERE id = $1");
        self.run_with(&sql, vec![id.into()]).await
    }

    /// Changes one leaf of what was written down, wherever it is.
    async fn edit_what_was_written(&mut self) -> Done {
        loop {
            let seq = self.entry();
            let id = self.event_of(seq).await;
            let backend = self.tx.db.get_database_backend();
            let sql = "SELECT after FROM event WHERE id = $1";
            let asked = Statement::from_sql_and_values(backend, sql, [id.into()]);
            let row = self.tx.db.query_one_raw(asked).await?.unwrap();
            let Some(mut after) = row.try_get_by_index::<Option<Value>>(0)? else {
                continue;
            };
            forge_a_leaf(&mut after, &mut self.chance);
            let sql = "UPDATE event SET after = $1 WHERE id = $2";
            return self.run_with(sql, vec![after.into(), id.into()]).await;
        }
    }

    async fn delete_a_row(&mut self) -> Done {
        let seq = self.entry();
        let id = self.event_of(seq).await;
        match self.chance.next() % 4 {
            0 => {
                self.run_with("DELETE FROM event WHERE id = $1", vec![id.into()])
                    .await
            }
            1 => {
                self.run(&format!("DELETE FROM audit_seal WHERE seq = {seq}"))
                    .await
            }
            2 => self.delete_entry(seq, id).await,
            _ => {
                self.delete_entry(seq, id).await?;
                self.run(&format!("DELETE FROM audit_checkpoint WHERE seq = {seq}"))
                    .await?;
                self.shift(seq, -1).await
            }
        }
    }

    async fn delete_entry(&self, seq: i64, id: Uuid) -> Done {
        self.run(&format!("DELETE FROM audit_seal WHERE seq = {seq}"))
            .await?;
        self.run_with("DELETE FROM event WHERE id = $1", vec![id.into()])
            .await
    }

    /// Moves everything after an entry by one place.
    async fn shift(&self, after: i64, by: i64) -> Done {
        const FAR: i64 = 1_000_000;
        let back = by - FAR;
        for sql in [
            format!("UPDATE audit_seal SET seq = seq + {FAR} WHERE seq > {after}"),
            format!("UPDATE audit_seal SET seq = seq + ({back}) WHERE seq > {FAR}"),
            format!("UPDATE audit_checkpoint SET seq = seq + {FAR} WHERE seq > {after}"),
            format!(
                "UPDATE audit_checkpoint SET seq = seq + ({back}), \
                 first = CASE WHEN first > seq + ({back}) THEN seq + ({back}) ELSE first END WHERE seq > {FAR}"
            ),
        ] {
            self.run(&sql).await?;
        }
        Ok(())
    }

    async fn swap_two(&mut self) -> Done {
        let (one, other) = self.two();
        let (a, b) = (self.event_of(one).await, self.event_of(other).await);
        let between = Uuid::now_v7();
        let (table, column) = *self
            .chance
            .of(&[("event", "id"), ("audit_seal", "event_id")]);
        for (from, to) in [(a, between), (b, a), (between, b)] {
            let sql = format!("UPDATE {table} SET {column} = $1 WHERE {column} = $2");
            self.run_with(&sql, vec![to.into(), from.into()]).await?;
        }
        Ok(())
    }

    /// Takes away everything after an entry.
    async fn cut_after(&self, seq: i64) -> Done {
        for sql in [
            format!(
                "DELETE FROM event WHERE id IN (SELECT event_id FROM audit_seal WHERE seq > {seq})"
            ),
            format!("DELETE FROM audit_checkpoint WHERE seq > {seq}"),
            format!("DELETE FROM audit_seal WHERE seq > {seq}"),
        ] {
            self.run(&sql).await?;
        }
        Ok(())
    }

    async fn cut_the_tail(&mut self) -> Done {
        let at = if self.chance.one_in(2) {
            // Where nothing of the database itself tells.
            self.signed()
        } else {
            self.entry() - 1
        };
        self.cut_after(at).await
    }

    /// Writes an event like another one, beside the sealer.
    async fn forge(&self, like: Uuid) -> Result<Uuid, DbErr> {
        let id = Uuid::now_v7();
        let sql = "INSERT INTO event (id, project_id, subject, kind, version, before, after, actor_id, actor_name, \
                   request_id, recorded_at, source, result) \
                   SELECT $1, project_id, subject, kind, version, before, after, actor_id, actor_name, request_id, \
                   recorded_at, source, result FROM event WHERE id = $2";
        self.run_with(sql, vec![id.into(), like.into()]).await?;
        Ok(id)
    }

    async fn insert_one(&mut self) -> Done {
        let seq = self.entry();
        let like = self.event_of(seq).await;
        let id = self.forge(like).await?;
        let at = match self.chance.next() % 4 {
            // It waits for a seal, or not even that.
            0 => return Ok(()),
            1 => {
                let waits = "DELETE FROM audit_pending WHERE event_id = $1";
                let backend = self.tx.db.get_database_backend();
                let statement = Statement::from_sql_and_values(backend, waits, [id.into()]);
                return self.tx.db.execute_raw(statement).await.map(drop);
            }
            2 => self.chain.last + 1,
            _ => {
                self.shift(seq, 1).await?;
                seq + 1
            }
        };
        let sql = "INSERT INTO audit_seal (seq, event_id, algorithm, hash) \
                   SELECT $1, $2, algorithm, hash FROM audit_seal WHERE seq = $3";
        self.run_with(sql, vec![at.into(), id.into(), seq.into()])
            .await
    }

    /// Puts the library back to what it was, and lets life go on with the service's own key.
    async fn roll_back(&mut self) -> Result<(), Failure> {
        let at = self.signed();
        self.cut_after(at).await?;
        self.live_on(Algorithm::Sha256).await
    }

    /// Edits an entry and makes every link after it anew, with a key of his own.
    async fn seal_anew(&mut self) -> Result<(), Failure> {
        let seq = self.entry();
        let id = self.event_of(seq).await;
        for sql in [
            format!("INSERT INTO audit_pending SELECT event_id FROM audit_seal WHERE seq >= {seq}"),
            format!("DELETE FROM audit_checkpoint WHERE seq >= {seq}"),
            format!("DELETE FROM audit_seal WHERE seq >= {seq}"),
        ] {
            self.run(&sql).await?;
        }
        self.run_with(
            "UPDATE event SET actor_name = 'somebody else' WHERE id = $1",
            vec![id.into()],
        )
        .await?;
        self.seal_with(&self.chain.foreign_key, Algorithm::Sha256)
            .await
    }

    /// Things go on happening, as many as there is chance for, and the service seals them.
    async fn live_on(&mut self, algorithm: Algorithm) -> Result<(), Failure> {
        if self.is_postgres() {
            self.run("SET LOCAL session_replication_role = origin")
                .await?;
        }
        for number in 0..self.chance.next() % 40 {
            let entry = event::Entry::of_code("list", &number.to_string(), "amended", 1);
            event::record(self.tx, entry).await?;
        }
        self.seal_with(&self.chain.key, algorithm).await
    }

    async fn seal_with(&self, key: &Path, algorithm: Algorithm) -> Result<(), Failure> {
        let key = SigningKey::from_file(key).unwrap();
        let mut after = Uuid::nil();
        while let Some(batch) = seal(self.tx, &key, algorithm, after).await? {
            after = batch.last;
        }
        Ok(())
    }

    async fn tamper_with_the_chain(&mut self) -> Done {
        let (seq, signed) = (self.entry(), *self.chance.of(&self.chain.signed));
        let bytes = if self.is_postgres() {
            "decode(repeat('ab', 32), 'hex')"
        } else {
            "CAST(X'abababababababababababababababababababababababababababababababab' AS BLOB)"
        };
        let later = if self.is_postgres() {
            "sealed_at + INTERVAL '1 microsecond'"
        } else {
            "'2099' || substr(sealed_at, 5)"
        };
        let changes = [
            format!("UPDATE audit_seal SET hash = {bytes} WHERE seq = {seq}"),
            format!("UPDATE audit_seal SET algorithm = 'sm3' WHERE seq = {seq}"),
            format!("UPDATE audit_checkpoint SET hash = {bytes} WHERE seq = {signed}"),
            format!("UPDATE audit_checkpoint SET sealed_at = {later} WHERE seq = {signed}"),
            format!("UPDATE audit_checkpoint SET key_id = 'another' WHERE seq = {signed}"),
            format!("DELETE FROM audit_checkpoint WHERE seq = {signed}"),
        ];
        let change = self.chance.of(&changes[..]);
        self.run(change).await
    }
}

/// Changes one value, however deep it stands.
fn forge_a_leaf(value: &mut Value, chance: &mut Chance) {
    let below: Vec<&mut Value> = match value {
        Value::Object(members) => members.values_mut().collect(),
        Value::Array(items) => items.iter_mut().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let count = u64::try_from(below.len()).unwrap();
    if count == 0 {
        *value = json!(format!("forged {value}"));
        return;
    }
    let at = usize::try_from(chance.next() % count).unwrap();
    forge_a_leaf(below.into_iter().nth(at).unwrap(), chance);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attack {
    EditField,
    EditWhatWasWritten,
    DeleteRow,
    SwapTwo,
    CutTail,
    InsertOne,
    RollBack,
    SealAnew,
    TheChain,
}

const ATTACKS: [Attack; 9] = [
    Attack::EditField,
    Attack::EditWhatWasWritten,
    Attack::DeleteRow,
    Attack::SwapTwo,
    Attack::CutTail,
    Attack::InsertOne,
    Attack::RollBack,
    Attack::SealAnew,
    Attack::TheChain,
];

/// What the proof finds after `work` in a transaction, which is then taken back.
async fn proved_after<F>(db: &Db, chain: &Chain, number: u64, work: F) -> Verdict
where
    F: AsyncFn(&mut Tamperer<'_>) -> Result<(), Failure> + 'static,
{
    let told: Rc<RefCell<Option<Verdict>>> = Rc::default();
    let (tell, chain) = (Rc::clone(&told), chain.clone());
    let undone = db
        .write(author(), async move |tx| {
            let mut tamperer = Tamperer {
                tx,
                chain: &chain,
                chance: Chance(number),
            };
            work(&mut tamperer).await?;
            tell.replace(Some(chain.prove(tx).await));
            Err::<(), _>(Failure::Refused(Problem::not_found()))
        })
        .await
        .unwrap_err();
    assert_eq!(undone.code(), "not_found", "trial {number}");
    told.take().unwrap()
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |number| number.parse().unwrap())
}

#[tokio::test]
async fn whoever_tampers_is_found_out() {
    let server = busy_library().await;
    let server = Arc::new(server);
    let for_store = Arc::clone(&server);
    let trials = from_environment("TAMPER_TRIALS", TRIALS);
    let from = from_environment("TAMPER_FROM", 0);
    let (missed, made) = in_store(&server, async move |db| {
        let chain = Chain::of(&for_store, &db).await;
        assert!(chain.last > 200 && chain.signed.len() > 2, "{}", chain.last);
        let mut missed = Vec::new();
        let mut made = [0_u32; ATTACKS.len()];
        for number in from..from + trials {
            let at = usize::try_from(number).unwrap() % ATTACKS.len();
            let attack = ATTACKS[at];
            let found = proved_after(&db, &chain, number, async move |tamperer| {
                tamperer.take_over().await?;
                match attack {
                    Attack::EditField => tamperer.edit_a_field().await?,
                    Attack::EditWhatWasWritten => tamperer.edit_what_was_written().await?,
                    Attack::DeleteRow => tamperer.delete_a_row().await?,
                    Attack::SwapTwo => tamperer.swap_two().await?,
                    Attack::CutTail => tamperer.cut_the_tail().await?,
                    Attack::InsertOne => tamperer.insert_one().await?,
                    Attack::RollBack => tamperer.roll_back().await?,
                    Attack::SealAnew => tamperer.seal_anew().await?,
                    Attack::TheChain => tamperer.tamper_with_the_chain().await?,
                }
                Ok(())
            })
            .await;
            made[at] += 1;
            if found.wrong == 0 {
                missed.push((number, attack));
            }
            if number % 50 == 0 {
                control(&db, &chain, number).await;
            }
        }
        (missed, made)
    })
    .await;
    assert!(missed.is_empty(), "TAMPER_FROM= one of {missed:?}");
    assert_eq!(u64::from(made.iter().sum::<u32>()), trials);
}

/// What nobody tampered with is proved, also when more has happened since.
async fn control(db: &Db, chain: &Chain, number: u64) {
    let untouched = proved_after(db, chain, number, async |_| Ok(())).await;
    assert_eq!(codes(&untouched), Vec::<String>::new(), "trial {number}");
    assert_eq!(untouched.last, chain.last);
    let more = proved_after(db, chain, number, async |tamperer| {
        tamperer.live_on(Algorithm::Sha256).await?;
        // A change of the setting leaves what is sealed as it is.
        tamperer.live_on(Algorithm::Sm3).await
    })
    .await;
    assert_eq!(codes(&more), Vec::<String>::new(), "trial {number}");
    assert!(more.last >= chain.last);
}

#[tokio::test]
async fn what_is_done_is_in_the_audit_with_who_where_and_what() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let auditor = server.sign_in("auditor").await;
    let project = office.register(&json!({})).await;
    let amended = project.amend(&json!({ "note": "改" })).await.expect(200);
    let request_id = amended.header("x-request-id").unwrap();
    let found = auditor
        .all(&format!("/v1/audit?request_id={request_id}"))
        .await;
    assert_eq!(found.len(), 1, "{found:?}");
    let entry = &found[0];
    let me = office.officer.get("/v1/me").await.expect(200);
    for (member, expected) in [
        ("kind", json!("amended")),
        ("result", json!("done")),
        ("subject", json!(format!("project/{}", project.id))),
        ("project", json!(project.id)),
        ("version", json!(2)),
        ("actor", json!("officer")),
        ("actor_id", me.at("/id").clone()),
        ("source", json!("127.0.0.1")),
    ] {
        assert_eq!(entry[member], expected, "{member}: {entry}");
    }
    assert_eq!(entry["after"]["note"], "改", "{entry}");
    // Every filter finds it, and one that does not fit doesn't.
    let id = &project.id;
    let actor = me.str("/id");
    let at = entry["recorded_at"].as_str().unwrap();
    for (filter, is_found) in [
        (format!("actor={actor}"), true),
        (format!("actor={id}"), false),
        ("kind=amended".to_owned(), true),
        ("kind=moved".to_owned(), false),
        ("result=done".to_owned(), true),
        ("result=denied".to_owned(), false),
        (format!("subject=project/{id}"), true),
        ("subject=project/nobody".to_owned(), false),
        (format!("project={id}"), true),
        (format!("project={actor}"), false),
        ("source=127.0.0.1".to_owned(), true),
        ("source=10.9.8.7".to_owned(), false),
        (format!("from={at}"), true),
        (format!("to={at}"), true),
        ("from=2099-01-01".to_owned(), false),
        ("to=1999-12-31".to_owned(), false),
        (
            format!("from={}&to={0}", crate::support::library::day(0)),
            true,
        ),
    ] {
        let items = auditor.all(&format!("/v1/audit?{filter}")).await;
        let has = items.iter().any(|item| item["id"] == entry["id"]);
        assert_eq!(has, is_found, "{filter}");
    }
    // Page after page, newest first.
    let mut next = "/v1/audit?limit=3&kind=signed_in".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = auditor.get(&next).await.expect(200);
        let items = page.at("/items").as_array().unwrap();
        seen.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page.at("/next_cursor").as_str() else {
            break;
        };
        next = format!("/v1/audit?limit=3&kind=signed_in&cursor={cursor}");
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    sorted.dedup();
    assert_eq!(seen, sorted);
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn only_the_audit_administrator_reads_it_and_whoever_else_asks_is_in_it() {
    let server = Server::demo().await;
    let auditor = server.sign_in("auditor").await;
    for name in ["officer", "manager", "leader", "admin", "secadmin"] {
        let somebody = server.sign_in(name).await;
        for path in ["/v1/audit", "/v1/audit/verify", "/v1/audit/export"] {
            let refused = somebody.get(path).await.expect(403);
            let request_id = refused.header("x-request-id").unwrap();
            let found = auditor
                .all(&format!("/v1/audit?request_id={request_id}"))
                .await;
            assert_eq!(found.len(), 1, "{name} {path}: {found:?}");
            for (member, expected) in [
                ("kind", "denied"),
                ("result", "denied"),
                ("subject", &format!("operation/GET {path}")),
                ("actor", name),
                ("source", "127.0.0.1"),
            ] {
                assert_eq!(found[0][member], expected, "{name} {path}");
            }
        }
    }
    let leader = server.sign_in("leader").await;
    let refused = leader
        .post("/v1/projects", &json!({}))
        .send()
        .await
        .expect(403);
    let request_id = refused.header("x-request-id").unwrap();
    let found = auditor
        .all(&format!("/v1/audit?request_id={request_id}&result=denied"))
        .await;
    assert_eq!(found[0]["subject"], "operation/POST /v1/projects");
}

#[tokio::test]
async fn a_denial_that_can_not_be_recorded_is_a_denial() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let db = server.database().await;
    let rename = "ALTER TABLE event RENAME TO event_gone";
    db.execute_unprepared(rename).await.unwrap();
    leader.get("/v1/audit").await.expect(403);
}

/// Asks until it is so, and fails after the five seconds that an event may wait.
async fn soon(what: &str, is_so: impl AsyncFn() -> bool) {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < until, "{what}");
    }
}

#[tokio::test]
async fn the_service_seals_what_is_done_by_itself() {
    let server = Server::demo().await;
    let auditor = server.sign_in("auditor").await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let path = format!("/v1/audit?project={}", project.id);
    soon("the event is not sealed", async || {
        let page = auditor.get(&path).await.expect(200);
        page.at("/items/0/seal").is_object()
    })
    .await;
    let state = auditor.get("/v1/audit/verify").await.expect(200);
    assert_eq!(state.at("/wrong"), 0, "{}", state.text);
    assert_eq!(state.at("/findings"), &json!([]));
    let last = state.at("/checkpoint/seq").as_i64().unwrap();
    assert!(state.at("/proved_to").as_i64().unwrap() >= last && last > 300);
    // Something is not as it was sealed, among the last entries.
    let db = server.database().await;
    let hand = if db.get_database_backend() == DbBackend::Postgres {
        "ALTER TABLE event DISABLE TRIGGER USER"
    } else {
        "DROP TRIGGER event_stays_on_update"
    };
    db.execute_unprepared(hand).await.unwrap();
    let forged = "UPDATE event SET actor_name = 'nobody' WHERE kind = 'registered'";
    db.execute_unprepared(forged).await.unwrap();
    let state = auditor.get("/v1/audit/verify").await.expect(200);
    assert_eq!(state.at("/wrong"), 1, "{}", state.text);
    assert_eq!(state.at("/findings/0/code"), "entry_altered");
}

/// A field of a link, as docs/decisions/0004 has it.
fn put(form: &mut Vec<u8>, bytes: Option<&[u8]>) {
    form.push(u8::from(bytes.is_some()));
    if let Some(bytes) = bytes {
        form.extend(u64::try_from(bytes.len()).unwrap().to_be_bytes());
        form.extend(bytes);
    }
}

/// The hash of an exported line, made from what the line says.
fn hash_of(line: &Value) -> String {
    let mut form = b"taizhang audit entry 1\0".to_vec();
    let previous = line["previous"].as_str();
    form.extend(previous.map_or_else(|| vec![0; 32], |hash| hex::decode(hash).unwrap()));
    form.extend(line["seq"].as_i64().unwrap().to_be_bytes());
    let id = |name: &str| line[name].as_str().map(|id| id.parse::<Uuid>().unwrap());
    let text = |name: &str| line[name].as_str().map(str::as_bytes);
    let written = |name: &str| Some(line[name].to_string()).filter(|_| !line[name].is_null());
    let at = line["recorded_at"].as_str().unwrap();
    let at = chrono::DateTime::parse_from_rfc3339(at).unwrap();
    put(&mut form, id("id").as_ref().map(|id| &id.as_bytes()[..]));
    put(
        &mut form,
        id("project").as_ref().map(|id| &id.as_bytes()[..]),
    );
    put(&mut form, text("subject"));
    put(&mut form, text("kind"));
    let version = line["version"].as_i64().map(i64::to_be_bytes);
    put(&mut form, version.as_ref().map(|version| &version[..]));
    put(&mut form, written("before").as_deref().map(str::as_bytes));
    put(&mut form, written("after").as_deref().map(str::as_bytes));
    put(
        &mut form,
        id("actor_id").as_ref().map(|id| &id.as_bytes()[..]),
    );
    put(&mut form, text("actor"));
    put(&mut form, text("request_id"));
    put(&mut form, Some(&at.timestamp().to_be_bytes()));
    put(&mut form, Some(&at.timestamp_subsec_nanos().to_be_bytes()));
    put(&mut form, text("source"));
    put(&mut form, text("result"));
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &form);
    hex::encode(hash)
}

#[tokio::test]
async fn an_export_is_recorded_and_can_be_proved_by_itself() {
    let server = Server::demo().await;
    let auditor = server.sign_in("auditor").await;
    let office = Office::of(&server).await;
    office.at_stage("construction", &json!({})).await;
    sealed(&server).await;
    let exported = auditor.get("/v1/audit/export").await.expect(200);
    let lines: Vec<Value> = exported
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 300, "{}", lines.len());
    let mut previous = Value::Null;
    for (place, line) in lines.iter().enumerate() {
        assert_eq!(line["seq"], place + 1);
        assert_eq!(line["previous"], previous);
        assert_eq!(hash_of(line), line["hash"].as_str().unwrap(), "{line}");
        previous = line["hash"].clone();
    }
    let some = auditor.get("/v1/audit/export?kind=moved").await.expect(200);
    assert_eq!(some.text.lines().count(), 2, "{}", some.text);
    let recorded = auditor.all("/v1/audit?kind=exported").await;
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[0]["after"]["kind"], "moved");
    assert_eq!(recorded[0]["actor"], "auditor");
}

#[tokio::test]
async fn a_question_about_the_audit_that_can_not_be_is_named() {
    let server = Server::demo().await;
    let auditor = server.sign_in("auditor").await;
    for (query, parameter, status) in [
        ("kind=0.5", "kind", 422),
        ("result=maybe", "result", 422),
        ("source=here", "source", 422),
        ("from=yesterday", "from", 422),
        ("to=2025-02-30", "to", 422),
        ("actor=me", "actor", 400),
        ("limit=0", "limit", 400),
        ("sort=kind", "sort", 400),
    ] {
        let refused = auditor.get(&format!("/v1/audit?{query}")).await;
        let refused = refused.expect(status);
        assert_eq!(refused.str("/errors/0/parameter"), parameter, "{query}");
    }
}
