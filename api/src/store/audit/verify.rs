//! Proving the chain: every link is made anew from what is stored, and held against its checkpoints.

use std::collections::HashMap;
use std::iter::Peekable;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, Iterable,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::chain;
use crate::audit::checkpoint::{Checkpoint, Proof, TrustedKeys};
use crate::audit::journal::Lines;
use crate::audit::{Algorithm, Hash, START};
use crate::entity::{audit_checkpoint, audit_pending, audit_seal, event};
use crate::problem::Fault;
use crate::store::Failure;

/// How many entries are read at a time.
const PAGE: u64 = 1000;
/// How long an event may wait for its seal.
const MAX_WAIT: TimeDelta = TimeDelta::seconds(5);
/// How far an event's time and its seal's may be apart without being noticed.
const MAX_LAG: TimeDelta = TimeDelta::minutes(1);
/// How many findings are told; they are counted beyond that.
const MAX_TOLD: usize = 50;
/// How many of a kind that has no place in the chain are looked for.
const MAX_STRAYS: u64 = 1000;

/// How much of the chain is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// All of it, and everything beside it.
    Whole,
    /// From the last checkpoint that has at least so many entries after it.
    Last(u64),
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The entry after which it was proved; 0 for the whole.
    pub after: i64,
    /// The last entry.
    pub last: i64,
    /// The hash of the last entry.
    pub hash: Hash,
    /// How many entries were proved.
    pub entries: u64,
    /// How many checkpoints were.
    pub checkpoints: u64,
    /// How many lines of the checkpoint file were.
    pub journal: u64,
    /// How many events wait for their seal, as they may.
    pub waiting: u64,
    /// How many entries were sealed at another time than they say they were recorded: while no service ran, or
    /// because their time is not true. That is no finding, but worth a look.
    pub late: u64,
    /// The first of them.
    pub first_late: Option<i64>,
    /// How much is wrong.
    pub wrong: u64,
    /// What is wrong; the first of it.
    pub findings: Vec<Fault>,
}

impl Verdict {
    fn find(&mut self, fault: Fault) {
        self.wrong += 1;
        if self.findings.len() < MAX_TOLD {
            self.findings.push(fault);
        }
    }

    /// Something is wrong with an entry.
    fn find_at(&mut self, seq: i64, code: &str, zh: &str, en: &str) {
        let fault = Fault::elsewhere(
            code,
            format!("第 {seq} 条：{zh}"),
            format!("Entry {seq}: {en}"),
        );
        self.find(fault.with("seq", seq));
    }
}

/// Proves the chain in one state of the database: `db` is a transaction that sees one. The file of checkpoints, if
/// one is named, is read as long as it is before the database is.
///
/// # Errors
/// [`Failure`] of the database. What is wrong with the chain is not an error.
pub async fn verify(
    db: &impl ConnectionTrait,
    keys: &TrustedKeys,
    journal: Option<&Path>,
    window: Window,
    now: DateTime<Utc>,
) -> Result<Verdict, Failure> {
    let mut found = Verdict::default();
    let lines = match journal.map(Lines::open) {
        None => None,
        Some(Ok(lines)) => Some(lines),
        Some(Err(error)) => {
            let any = audit_checkpoint::Entity::find().limit(1).one(db).await?;
            if any.is_some() || error.kind() != std::io::ErrorKind::NotFound {
                found.find(Fault::elsewhere(
                    "checkpoint_file_missing",
                    format!("检查点文件无法读取（{error}），不能排除末尾被截断或数据库被回滚"),
                    format!("The checkpoint file can't be read ({error}): a cut end or a rolled back database can't be ruled out"),
                ));
            }
            None
        }
    };
    if db.get_database_backend() == DbBackend::Postgres && window == Window::Whole {
        // One statement after the other looks through the whole library.
        db.execute_unprepared("SET LOCAL statement_timeout = 0")
            .await?;
    }
    let (after, hash) = anchor(db, window).await?;
    found.after = after;
    let mut walk = Walk {
        keys,
        journal: Journal::new(lines, after),
        last: after,
        hash,
        answered: after,
        unanswered: Vec::new(),
        found,
    };
    loop {
        let from = walk.last;
        let page = links(db, from).await?;
        let Some(to) = page.last().map(|link| link.seq) else {
            break;
        };
        let checkpoints = audit_checkpoint::Entity::find()
            .filter(audit_checkpoint::Column::Seq.gt(from))
            .filter(audit_checkpoint::Column::Seq.lte(to))
            .order_by_asc(audit_checkpoint::Column::Seq)
            .all(db)
            .await?;
        let mut checkpoints = checkpoints.into_iter().peekable();
        for link in page {
            // One without its entry is counted in the end.
            while checkpoints.next_if(|row| row.seq < link.seq).is_some() {}
            let signed = checkpoints.next_if(|row| row.seq == link.seq);
            walk.step(link, signed);
        }
    }
    let mut found = walk.end();
    if window == Window::Whole {
        beside_the_chain(db, &mut found, now).await?;
    }
    Ok(found)
}

/// Where proving begins: after this entry, whose hash is taken as it stands.
async fn anchor(db: &impl ConnectionTrait, window: Window) -> Result<(i64, Hash), Failure> {
    let Window::Last(entries) = window else {
        return Ok((0, START));
    };
    let last = audit_checkpoint::Entity::find()
        .order_by_desc(audit_checkpoint::Column::Seq)
        .one(db)
        .await?;
    let last = last.map_or(0, |row| row.seq);
    let entries = i64::try_from(entries).unwrap_or(i64::MAX);
    let from = audit_checkpoint::Entity::find()
        .filter(audit_checkpoint::Column::Seq.lte(last.saturating_sub(entries)))
        .order_by_desc(audit_checkpoint::Column::Seq)
        .one(db)
        .await?;
    let anchor = from.and_then(|row| Some((row.seq, super::hash(row.hash)?)));
    Ok(anchor.unwrap_or((0, START)))
}

/// One entry of the chain, as it is stored.
struct Link {
    seq: i64,
    algorithm: Option<Algorithm>,
    hash: Option<Hash>,
    event: Stored,
}

enum Stored {
    Missing,
    Unreadable,
    Event(Box<event::Model>),
}

/// The next entries. As in sealing, each table is asked by its key.
async fn links(db: &impl ConnectionTrait, after: i64) -> Result<Vec<Link>, Failure> {
    let seals = audit_seal::Entity::find()
        .filter(audit_seal::Column::Seq.gt(after))
        .order_by_asc(audit_seal::Column::Seq)
        .limit(PAGE)
        .all(db)
        .await?;
    let select = Query::select()
        .columns(event::Column::iter())
        .from(event::Entity)
        .and_where(event::Column::Id.is_in(seals.iter().map(|seal| seal.event_id)))
        .take();
    let mut events = HashMap::new();
    for row in db.query_all(&select).await? {
        let id: Uuid = row.try_get("", "id")?;
        let event = event::Model::from_query_result(&row, "")
            .map_or(Stored::Unreadable, |event| Stored::Event(Box::new(event)));
        events.insert(id, event);
    }
    let links = seals.into_iter().map(|seal| Link {
        seq: seal.seq,
        algorithm: Algorithm::from_code(&seal.algorithm),
        hash: super::hash(seal.hash),
        event: events.remove(&seal.event_id).unwrap_or(Stored::Missing),
    });
    Ok(links.collect())
}

/// The way along the chain.
struct Walk<'a> {
    keys: &'a TrustedKeys,
    journal: Journal,
    /// The entry that was proved last, and its hash as it is stored: what is wrong with it is told once.
    last: i64,
    hash: Hash,
    /// The last entry that a checkpoint answers for.
    answered: i64,
    /// The entries since, and when they say they were recorded.
    unanswered: Vec<(i64, DateTime<Utc>)>,
    found: Verdict,
}

impl Walk<'_> {
    fn step(&mut self, link: Link, signed: Option<audit_checkpoint::Model>) {
        let Link {
            seq,
            algorithm,
            hash,
            event,
        } = link;
        self.found.entries += 1;
        let is_next = seq == self.last + 1;
        if !is_next {
            let fault = Fault::elsewhere(
                "entries_missing",
                format!("第 {} 至 {} 条缺失", self.last + 1, seq - 1),
                format!("Entries {} to {} are missing", self.last + 1, seq - 1),
            );
            self.found.find(fault.with("seq", seq));
        }
        match (event, algorithm, hash) {
            (Stored::Missing, _, _) => {
                let en = "its event was deleted";
                self.found
                    .find_at(seq, "event_missing", "对应的事件已被删除", en);
            }
            (Stored::Unreadable, _, _) => {
                let en = "its event can't be read";
                self.found
                    .find_at(seq, "event_unreadable", "对应的事件无法读取", en);
            }
            (Stored::Event(event), Some(algorithm), Some(hash)) => {
                self.unanswered.push((seq, event.recorded_at));
                // After a gap there is nothing to chain it to; that was told.
                if is_next && chain::link(algorithm, &self.hash, seq, *event) != hash {
                    let en = "it is not what was sealed, or does not follow on the one before";
                    self.found
                        .find_at(seq, "entry_altered", "与封存时不符，或与前一条不相连", en);
                }
            }
            (Stored::Event(_), _, _) => {
                let en = "its seal can't be read";
                self.found
                    .find_at(seq, "seal_unreadable", "封存记录无法读取", en);
            }
        }
        self.last = seq;
        self.hash = hash.unwrap_or(START);
        self.journal
            .pass(seq, &self.hash, self.keys, &mut self.found);
        if let Some(row) = signed {
            self.sign(row);
        }
    }

    /// A checkpoint at the entry that was just proved.
    fn sign(&mut self, row: audit_checkpoint::Model) {
        let seq = self.last;
        self.found.checkpoints += 1;
        let Some(checkpoint) = super::checkpoint(row) else {
            let en = "its checkpoint can't be read";
            self.found
                .find_at(seq, "checkpoint_unreadable", "检查点无法读取", en);
            return;
        };
        if checkpoint.first != self.answered + 1 {
            let en = "a checkpoint before it is missing or altered";
            self.found
                .find_at(seq, "checkpoint_missing", "此前的检查点缺失或被改动", en);
        }
        if checkpoint.hash != self.hash {
            let en = "its checkpoint was made for another entry";
            self.found
                .find_at(seq, "checkpoint_differs", "检查点对应的不是这一条", en);
        }
        // The same line of the file was proved already.
        if !self.journal.has_proved(&checkpoint) {
            prove(self.keys, &checkpoint, &mut self.found);
        }
        for (seq, recorded_at) in self.unanswered.drain(..) {
            if (checkpoint.sealed_at - recorded_at).abs() > MAX_LAG {
                self.found.late += 1;
                self.found.first_late.get_or_insert(seq);
            }
        }
        self.answered = seq;
    }

    fn end(mut self) -> Verdict {
        if self.answered != self.last {
            let (from, to) = (self.answered + 1, self.last);
            self.found.find(Fault::elsewhere(
                "checkpoint_missing",
                format!("第 {from} 至 {to} 条没有签名检查点"),
                format!("Entries {from} to {to} have no signed checkpoint"),
            ));
        }
        self.found.last = self.last;
        self.found.hash = self.hash;
        self.journal.end(self.last, &mut self.found);
        self.found
    }
}

fn prove(keys: &TrustedKeys, checkpoint: &Checkpoint, found: &mut Verdict) {
    let seq = checkpoint.seq;
    match keys.prove(checkpoint) {
        Proof::Good => {}
        Proof::Bad => {
            let en = "the signature of its checkpoint is wrong";
            found.find_at(seq, "signature_wrong", "检查点签名不正确", en);
        }
        Proof::UnknownKey => {
            let fault = Fault::elsewhere(
                "key_unknown",
                format!(
                    "第 {seq} 条：检查点由未受信任的密钥 {} 签名",
                    checkpoint.key_id
                ),
                format!(
                    "Entry {seq}: its checkpoint is signed by the key {}, which is not trusted here",
                    checkpoint.key_id
                ),
            );
            found.find(fault.with("seq", seq));
        }
    }
}

/// The file of checkpoints beside the chain.
struct Journal {
    lines: Option<Peekable<Lines>>,
    after: i64,
    /// How many lines were read, and the last checkpoint that was proved.
    read: u64,
    proved: Option<Checkpoint>,
    /// The last checkpoint for which the chain has no entry.
    beyond: i64,
}

impl Journal {
    fn new(lines: Option<Lines>, after: i64) -> Self {
        Self {
            lines: lines.map(Iterator::peekable),
            after,
            read: 0,
            proved: None,
            beyond: 0,
        }
    }

    /// The next checkpoint of the file that is for this entry or one before.
    fn next(&mut self, seq: i64, found: &mut Verdict) -> Option<Checkpoint> {
        let lines = self.lines.as_mut()?;
        loop {
            let is_later =
                matches!(lines.peek(), Some(Ok(Some(checkpoint))) if checkpoint.seq > seq);
            if is_later {
                return None;
            }
            let line = lines.next()?;
            self.read += 1;
            match line {
                Ok(Some(checkpoint)) if checkpoint.seq > self.after => return Some(checkpoint),
                Ok(Some(_)) => {}
                Ok(None) => found.find(unreadable(self.read)),
                Err(_) => {
                    found.find(unreadable(self.read));
                    self.lines = None;
                    return None;
                }
            }
        }
    }

    /// Holds the entry against what the file says of it.
    fn pass(&mut self, seq: i64, hash: &Hash, keys: &TrustedKeys, found: &mut Verdict) {
        while let Some(checkpoint) = self.next(seq, found) {
            found.journal += 1;
            if self.proved.as_ref() == Some(&checkpoint) {
                continue;
            }
            prove(keys, &checkpoint, found);
            if checkpoint.seq != seq || checkpoint.hash != *hash {
                found.find_at(
                    checkpoint.seq,
                    "journal_differs",
                    "检查点文件中的记录与此不同",
                    "the checkpoint file has it otherwise",
                );
            }
            self.proved = Some(checkpoint);
        }
    }

    fn has_proved(&self, checkpoint: &Checkpoint) -> bool {
        self.proved.as_ref() == Some(checkpoint)
    }

    /// What the file knows beyond the end of the chain.
    fn end(mut self, last: i64, found: &mut Verdict) {
        while let Some(checkpoint) = self.next(i64::MAX, found) {
            found.journal += 1;
            self.beyond = Ord::max(self.beyond, checkpoint.seq);
        }
        if self.beyond > last {
            let to = self.beyond;
            found.find(Fault::elsewhere(
                "end_cut_off",
                format!("检查点文件记录到第 {to} 条，而审计链止于第 {last} 条：末尾被截断，或数据库被回滚"),
                format!("The checkpoint file knows entries up to {to}, but the chain ends at {last}: its end was cut off, or the database was rolled back"),
            ));
        }
        if self.lines.is_some() && found.journal == 0 && found.checkpoints > 0 && self.after == 0 {
            found.find(Fault::elsewhere(
                "checkpoint_file_empty",
                "检查点文件是空的，不能排除末尾被截断或数据库被回滚",
                "The checkpoint file is empty: a cut end or a rolled back database can't be ruled out",
            ));
        }
    }
}

fn unreadable(line: u64) -> Fault {
    Fault::elsewhere(
        "journal_unreadable",
        format!("检查点文件第 {line} 行无法读取"),
        format!("Line {line} of the checkpoint file can't be read"),
    )
}

#[derive(FromQueryResult)]
struct Stray {
    id: Uuid,
    recorded_at: DateTime<Utc>,
    pending: Option<Uuid>,
}

/// Events without a seal, and seals and checkpoints without their like.
async fn beside_the_chain(
    db: &impl ConnectionTrait,
    found: &mut Verdict,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let unsealed = Query::select()
        .column((event::Entity, event::Column::Id))
        .column((event::Entity, event::Column::RecordedAt))
        .expr_as(
            Expr::col((audit_pending::Entity, audit_pending::Column::EventId)),
            "pending",
        )
        .from(event::Entity)
        .join(
            JoinType::LeftJoin,
            audit_seal::Entity,
            Expr::col((audit_seal::Entity, audit_seal::Column::EventId))
                .equals((event::Entity, event::Column::Id)),
        )
        .join(
            JoinType::LeftJoin,
            audit_pending::Entity,
            Expr::col((audit_pending::Entity, audit_pending::Column::EventId))
                .equals((event::Entity, event::Column::Id)),
        )
        .and_where(Expr::col((audit_seal::Entity, audit_seal::Column::EventId)).is_null())
        .limit(MAX_STRAYS)
        .take();
    for row in db.query_all(&unsealed).await? {
        let Ok(stray) = Stray::from_query_result(&row, "") else {
            found.find(Fault::elsewhere(
                "event_unreadable",
                "有未封存的事件无法读取",
                "An event that is not sealed can't be read",
            ));
            continue;
        };
        let id = stray.id;
        if stray.pending.is_none() {
            found.find(Fault::elsewhere(
                "event_outside",
                format!("事件 {id} 不在审计链中，也不在等待封存"),
                format!("The event {id} is not in the chain and does not wait for it"),
            ));
        } else if (now - stray.recorded_at).abs() > MAX_WAIT {
            found.find(Fault::elsewhere(
                "event_unsealed",
                format!("事件 {id} 超过 5 秒未封存（服务未运行时可执行 taizhang audit seal）"),
                format!("The event {id} has not been sealed for more than 5 seconds (if no service runs: taizhang audit seal)"),
            ));
        } else {
            found.waiting += 1;
        }
    }
    let gone = Query::select()
        .column((audit_pending::Entity, audit_pending::Column::EventId))
        .from(audit_pending::Entity)
        .join(
            JoinType::LeftJoin,
            event::Entity,
            Expr::col((audit_pending::Entity, audit_pending::Column::EventId))
                .equals((event::Entity, event::Column::Id)),
        )
        .and_where(Expr::col((event::Entity, event::Column::Id)).is_null())
        .limit(MAX_STRAYS)
        .take();
    for row in db.query_all(&gone).await? {
        let id: Uuid = row.try_get("", "event_id")?;
        found.find(Fault::elsewhere(
            "event_missing",
            format!("事件 {id} 在封存前被删除"),
            format!("The event {id} was deleted before it was sealed"),
        ));
    }
    let checkpoints = audit_checkpoint::Entity::find().count(db).await?;
    if checkpoints != found.checkpoints {
        let stray = checkpoints.saturating_sub(found.checkpoints);
        found.find(Fault::elsewhere(
            "checkpoint_stray",
            format!("{stray} 个检查点没有对应的条目"),
            format!("{stray} checkpoints have no entry"),
        ));
    }
    Ok(())
}
