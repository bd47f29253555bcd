//! The audit: what is recorded is chained, and whoever changes it afterwards is found out.
//!
//! A trial of tampering is made from its number alone; a failure names it. `TAMPER_TRIALS` sets how many there are,
//! `TAMPER_FROM` where they begin.

use std::cell::RefCell;
use std::path::PathBuf;
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
        self.live_on(&self.chain.key.clone()).await
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
        self.seal_with(&self.chain.foreign_key).await
    }

    /// Things go on happening, as many as there is chance for, and are sealed.
    async fn live_on(&mut self, key: &std::path::Path) -> Result<(), Failure> {
        if self.is_postgres() {
            self.run("SET LOCAL session_replication_role = origin")
                .await?;
        }
        for number in 0..self.chance.next() % 40 {
            let entry = event::Entry::of_code("list", &number.to_string(), "amended", 1);
            event::record(self.tx, entry).await?;
        }
        self.seal_with(key).await
    }

    async fn seal_with(&self, key: &std::path::Path) -> Result<(), Failure> {
        let key = SigningKey::from_file(key).unwrap();
        let mut after = Uuid::nil();
        while let Some(batch) = seal(self.tx, &key, Algorithm::Sha256, after).await? {
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
        tamperer.live_on(&tamperer.chain.key.clone()).await
    })
    .await;
    assert_eq!(codes(&more), Vec::<String>::new(), "trial {number}");
    assert!(more.last >= chain.last);
}
