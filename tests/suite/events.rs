//! The feed: every event once, in order, to whoever may read it.
//!
//! `FEED_CHANGES` sets how many changes each of the sixteen writers makes, and `FEED_SERVICE` names the binary, so that
//! one of the two services is a process of its own: `scripts/feed`.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};
use taizhang::store::event::{Entry, record};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::support::library::{author, in_store};
use crate::support::projects::Office;
use crate::support::{Client, PASSWORD, Server};

const WRITERS: usize = 16;
/// How many changes each of them makes, unless told otherwise.
const CHANGES: usize = 10;
/// How many transactions that last long go on beside them.
const SLOW: usize = 4;

/// One who follows the feed.
struct Reader {
    client: Client,
    cursor: String,
    query: &'static str,
    read: Vec<Value>,
}

impl Reader {
    fn new(client: &Client, query: &'static str) -> Self {
        Self {
            client: client.clone(),
            cursor: "0".to_owned(),
            query,
            read: Vec::new(),
        }
    }

    /// The next answer; whether there was nothing after it.
    async fn next(&mut self) -> bool {
        let path = format!("/v1/events?after={}&{}", self.cursor, self.query);
        let page = self.client.get(&path).await.expect(200);
        self.cursor = page.str("/next_cursor");
        self.read
            .extend(page.at("/items").as_array().unwrap().iter().cloned());
        page.at("/is_end").as_bool().unwrap()
    }

    async fn read_to_the_end(&mut self) {
        while !self.next().await {}
    }

    /// Reads on until this many events of a type have come.
    async fn until(&mut self, count: usize, of: &str) {
        while self.read.iter().filter(|event| event["type"] == of).count() < count {
            self.next().await;
        }
    }

    fn types(&self) -> Vec<&str> {
        let types = self.read.iter().map(|event| event["type"].as_str());
        types.map(Option::unwrap).collect()
    }
}

/// The events that the feed should tell a reader of everything, as they are stored.
async fn stored(server: &Server) -> BTreeSet<String> {
    let db = server.database().await;
    let rows = db
        .query_all_raw(sea_orm::Statement::from_string(
            db.get_database_backend(),
            "SELECT id FROM event WHERE result = 'done' \
             AND (project_id IS NOT NULL OR kind LIKE 'reference_%' OR kind = 'members_loaded')",
        ))
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.try_get::<uuid::Uuid>("", "id").unwrap().to_string())
        .collect()
}

fn ids(events: &[Value]) -> Vec<String> {
    let ids = events.iter().map(|event| event["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

/// Of each subject, the versions in the order in which they were told.
fn versions(events: &[Value]) -> BTreeMap<&str, Vec<i64>> {
    let mut versions: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for event in events {
        let of = versions
            .entry(event["subject"].as_str().unwrap())
            .or_default();
        of.push(event["data"]["version"].as_i64().unwrap());
    }
    versions
}

/// Changes a project until it is done: somebody else may come before.
async fn rename(client: &Client, id: &str, name: &str) {
    loop {
        let reply = client.amend(id, &json!({ "name": name })).await;
        match reply.status {
            200 => return,
            409 | 412 | 503 => {}
            status => panic!("{status}: {}", reply.text),
        }
    }
}

#[tokio::test]
async fn what_happens_is_told_once_and_in_the_order_in_which_it_happened() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("completion", &json!({})).await;
    let mut reader = Reader::new(&office.officer, "limit=7&wait=5");
    reader.until(1, "taizhang.project.registered").await;
    while !reader.types().contains(&"taizhang.project.moved") {
        reader.next().await;
    }
    let moves = |event: &&Value| {
        event["type"] == "taizhang.project.moved" && event["data"]["project"] == project.id.as_str()
    };
    while reader.read.iter().filter(moves).count() < 3 {
        reader.next().await;
    }
    let stages: Vec<&Value> = reader
        .read
        .iter()
        .filter(moves)
        .map(|event| &event["data"]["after"]["stage"])
        .collect();
    assert_eq!(stages, ["attraction", "construction", "completion"]);

    reader.query = "limit=200";
    reader.read_to_the_end().await;
    let told = ids(&reader.read);
    assert_eq!(
        told.iter().cloned().collect::<BTreeSet<_>>(),
        stored(&server).await
    );
    assert_eq!(told.len(), told.iter().collect::<BTreeSet<_>>().len());
    let places: Vec<&str> = reader
        .read
        .iter()
        .map(|event| event["sequence"].as_str().unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for (subject, versions) in versions(&reader.read) {
        assert!(versions.is_sorted(), "{subject}: {versions:?}");
    }
    // Asked for anew, it is told the same.
    let mut again = Reader::new(&office.manager, "limit=200");
    again.read_to_the_end().await;
    assert_eq!(again.read, reader.read);
}

#[tokio::test]
async fn only_what_is_asked_for_is_told() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let nothing = json!({});
    let (one, other) = futures::join!(office.register(&nothing), office.register(&nothing));
    for project in [&one, &other] {
        project.amend(&json!({ "name": "甲" })).await.expect(200);
        project.amend(&json!({ "name": "乙" })).await.expect(200);
    }
    let mut all = Reader::new(&office.officer, "wait=5&limit=200");
    all.until(4, "taizhang.project.amended").await;
    let read = async |query: String| {
        let path = format!("/v1/events?limit=200&{query}");
        let page = office.officer.get(&path).await.expect(200);
        page.at("/items").as_array().unwrap().clone()
    };
    let of_one = read(format!("project={}", one.id)).await;
    let subject = format!("project/{}", one.id);
    assert_eq!(of_one.len(), 3);
    assert!(
        of_one
            .iter()
            .all(|event| event["subject"] == subject.as_str())
    );
    let renamed = read(format!(
        "project={}&type=taizhang.project.amended",
        other.id
    ))
    .await;
    let names: Vec<&Value> = renamed
        .iter()
        .map(|event| &event["data"]["after"]["name"])
        .collect();
    assert_eq!(names, ["甲", "乙"]);
    let both = "type=taizhang.project.amended&type=taizhang.project.registered";
    assert_eq!(read(both.to_owned()).await.len(), 6);
    let latest = office
        .officer
        .get("/v1/events?after=latest")
        .await
        .expect(200);
    assert_eq!(latest.at("/items"), &json!([]));
    assert_eq!(latest.at("/is_end"), true);
    assert_eq!(latest.str("/next_cursor"), all.cursor);
}

#[tokio::test]
async fn an_answer_waits_for_something_to_happen() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let mut reader = Reader::new(&office.manager, "limit=200");
    reader.read_to_the_end().await;
    let mut waits = Reader::new(&office.manager, "wait=25");
    waits.cursor.clone_from(&reader.cursor);
    let nothing = json!({});
    let ((), project) = futures::join!(
        async {
            while waits.read.is_empty() {
                waits.next().await;
            }
        },
        office.register(&nothing),
    );
    assert_eq!(waits.types(), ["taizhang.project.registered"]);
    assert_eq!(waits.read[0]["subject"], format!("project/{}", project.id));
}

/// The events of a stream as they come: the id and the data of each.
async fn stream(response: reqwest::Response, tell: mpsc::UnboundedSender<(String, Value)>) {
    let mut response = response;
    let mut came = Vec::new();
    while let Some(bytes) = response.chunk().await.unwrap() {
        came.extend_from_slice(&bytes);
        while let Some(end) = came.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = came.drain(..end + 2).collect();
            let block = String::from_utf8(block).unwrap();
            let member = |name: &str| {
                let mut lines = block.lines();
                let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                found.map(str::to_owned)
            };
            if let (Some(id), Some(data)) = (member("id"), member("data")) {
                let data: Value = serde_json::from_str(&data).unwrap();
                assert_eq!(member("event").as_deref(), data["type"].as_str());
                if tell.send((id, data)).is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_stream_goes_on_where_its_reader_was_cut_off() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let open = async |last: Option<&str>| {
        let mut request = office
            .officer
            .request(Method::GET, "/v1/events?type=taizhang.project.amended")
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.open().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let (tell, told) = mpsc::unbounded_channel();
        let reading = tokio::spawn(stream(response, tell));
        (told, reading)
    };
    let project = office.register(&json!({})).await;
    let (mut told, reading) = open(None).await;
    let mut last = String::new();
    for name in ["甲", "乙"] {
        project.amend(&json!({ "name": name })).await.expect(200);
        let (id, event) = told.recv().await.unwrap();
        assert_eq!(event["data"]["after"]["name"], name);
        last = id;
    }
    reading.abort();
    project.amend(&json!({ "name": "丙" })).await.expect(200);
    let (mut told, reading) = open(Some(&last)).await;
    assert_eq!(told.recv().await.unwrap().1["data"]["after"]["name"], "丙");
    project.amend(&json!({ "name": "丁" })).await.expect(200);
    assert_eq!(told.recv().await.unwrap().1["data"]["after"]["name"], "丁");
    reading.abort();
}

#[tokio::test]
async fn who_may_no_longer_read_hears_no_more() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let response = office
        .officer
        .request(Method::GET, "/v1/events?after=latest")
        .header("accept", "text/event-stream")
        .open()
        .await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let reading = tokio::spawn(stream(response, tell));
    office
        .officer
        .request(Method::POST, "/auth/logout")
        .send()
        .await
        .expect(204);
    // The stream ends by itself.
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told.recv().await, None);
}

#[tokio::test]
async fn a_district_is_told_nothing_of_another_districts_projects() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let dawa = office.register(&json!({ "region": "211104" })).await;
    let other = office
        .register(&json!({ "region": "211103", "unit": "panjin-drc" }))
        .await;
    let mut all = Reader::new(&office.officer, "wait=5&limit=200");
    all.until(2, "taizhang.project.registered").await;
    let officer = server.sign_in("officer.dawa").await;
    let mut mine = Reader::new(&officer, "limit=200");
    mine.read_to_the_end().await;
    let about = |id: &str| {
        let subject = format!("project/{id}");
        mine.read
            .iter()
            .any(|event| event["subject"] == subject.as_str())
    };
    assert!(about(&dawa.id) && !about(&other.id));
    let readable = officer.all("/v1/projects").await;
    let readable: BTreeSet<&str> = readable
        .iter()
        .map(|project| project["id"].as_str().unwrap())
        .collect();
    for event in &mine.read {
        if let Some(project) = event["data"]["project"].as_str() {
            assert!(readable.contains(project), "{event}");
        }
    }
    // What projects refer to is everybody's.
    assert!(
        mine.types().contains(&"taizhang.region.changed"),
        "{:?}",
        mine.types()
    );
    assert_eq!(mine.cursor, all.cursor);
}

#[tokio::test]
async fn what_is_committed_late_is_not_missed() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let mut reader = Reader::new(&office.officer, "wait=5&limit=200");
    let (begun, has_begun) = oneshot::channel();
    let (end, ends) = oneshot::channel::<()>();
    let is_postgres = server.database().await.get_database_backend() == DbBackend::Postgres;
    let late = in_store(&server, async move |db| {
        let once = std::cell::RefCell::new(Some((begun, ends)));
        db.write(author(), async move |tx| {
            record(tx, Entry::of_code("list", "late", "reference_changed", 1)).await?;
            let (begun, ends) = once.take().unwrap();
            begun.send(()).unwrap();
            ends.await.unwrap();
            Ok(())
        })
        .await
        .unwrap();
    });
    let meanwhile = async {
        has_begun.await.unwrap();
        // SQLite has one writer: nobody can be quicker.
        if is_postgres {
            office.register(&json!({})).await;
            reader.until(1, "taizhang.project.registered").await;
        }
        end.send(()).unwrap();
    };
    futures::join!(late, meanwhile);
    while !reader
        .read
        .iter()
        .any(|event| event["subject"] == "list/late")
    {
        reader.next().await;
    }
    reader.query = "limit=200";
    reader.read_to_the_end().await;
    let told = ids(&reader.read);
    assert_eq!(told.len(), told.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(
        told.into_iter().collect::<BTreeSet<_>>(),
        stored(&server).await
    );
}

/// Somebody who signs in anew before his token is too old: ten minutes are less than a long run. All who write as him
/// share the token.
struct Lasting {
    at: Client,
    who: &'static str,
    signed: Mutex<(Client, Instant)>,
}

impl Lasting {
    async fn new(at: Client, who: &'static str) -> Self {
        let client = at.sign_in(who, PASSWORD).await;
        Self {
            at,
            who,
            signed: Mutex::new((client, Instant::now())),
        }
    }

    async fn client(&self) -> Client {
        let mut signed = self.signed.lock().await;
        if signed.1.elapsed() > Duration::from_mins(5) {
            *signed = (self.at.sign_in(self.who, PASSWORD).await, Instant::now());
        }
        signed.0.clone()
    }
}

/// A service beside another one, on the same database, in a process of its own until it is dropped.
struct Process {
    child: Child,
    base: String,
    /// Kept open: it may go on writing there.
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    fn beside(server: &Server, binary: &str) -> Self {
        let config = &server.config;
        let mut child = Command::new(binary)
            .env("TAIZHANG_DATABASE_URL", config.database().expose())
            .envs(
                config
                    .database_schema
                    .iter()
                    .map(|schema| ("TAIZHANG_DATABASE_SCHEMA", schema)),
            )
            .env("TAIZHANG_DATA_DIR", &config.data_dir)
            .env("TAIZHANG_RATE_LIMIT_PER_ADDRESS", "0")
            .env("TAIZHANG_RATE_LIMIT_PER_PRINCIPAL", "0")
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let address = first
            .trim()
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap();
        Self {
            child,
            base: format!("http://{address}"),
            _stdout: stdout,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn sixteen_writers_on_two_services_are_followed_without_a_gap() {
    let changes = std::env::var("FEED_CHANGES").map_or(CHANGES, |text| text.parse().unwrap());
    let one = Server::demo().await;
    let binary = std::env::var("FEED_SERVICE").ok();
    let process = binary.map(|binary| Process::beside(&one, &binary));
    let thread = match &process {
        Some(_) => None,
        None => Some(one.beside(one.config.clone()).await),
    };
    let other = match (&process, &thread) {
        (Some(process), _) => Client::new(&process.base, None),
        (None, thread) => thread.as_ref().unwrap().anonymous(),
    };
    let office = Office::of(&one).await;
    let nothing = json!({});
    let projects: Vec<String> = join_all((0..8).map(|_| office.register(&nothing)))
        .await
        .into_iter()
        .map(|project| project.id)
        .collect();
    let officer = Lasting::new(one.anonymous(), "officer").await;
    let manager = Lasting::new(other, "manager").await;
    let began = Instant::now();
    let writers = (0..WRITERS).map(|writer| {
        let projects = &projects;
        let who = if writer % 2 == 0 { &officer } else { &manager };
        async move {
            for change in 0..changes {
                let project = &projects[(writer + change * 5) % projects.len()];
                let name = format!("第{writer}人第{change}次");
                rename(&who.client().await, project, &name).await;
            }
        }
    });
    // Events are recorded early in them, and committed late.
    let slow = (0..SLOW).map(|nth| {
        in_store(&one, async move |db| {
            let code = format!("slow-{nth}");
            for version in 1..=i64::try_from(changes).unwrap() {
                let code = code.clone();
                db.write(author(), async move |tx| {
                    record(
                        tx,
                        Entry::of_code("list", &code, "reference_changed", version),
                    )
                    .await?;
                    if tx.db.get_database_backend() == DbBackend::Postgres {
                        tx.db.execute_unprepared("SELECT pg_sleep(0.05)").await?;
                    }
                    Ok(())
                })
                .await
                .unwrap();
            }
        })
    });
    let mut reader = Reader::new(&manager.client().await, "wait=5&limit=23");
    let is_written = Cell::new(false);
    let write = async {
        futures::join!(join_all(writers), join_all(slow));
        is_written.set(true);
    };
    let follow = async {
        let mut had = None;
        // Until everything is written, and an answer has waited for more in vain.
        while !is_written.get() || had != Some(reader.read.len()) {
            had = Some(reader.read.len());
            reader.client = manager.client().await;
            reader.next().await;
        }
    };
    futures::join!(write, follow);
    let told = ids(&reader.read);
    println!("{} events in {:?}", told.len(), began.elapsed());
    assert!(told.len() >= (WRITERS + SLOW) * changes);
    let distinct: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!(told.len(), distinct.len());
    assert_eq!(distinct, stored(&one).await);
    for (subject, versions) in versions(&reader.read) {
        assert!(versions.is_sorted(), "{subject}: {versions:?}");
    }
    // Whoever reads it all once more is told the same in the same order.
    let mut again = Reader::new(&manager.client().await, "limit=200");
    again.read_to_the_end().await;
    assert_eq!(ids(&again.read), told);
}

#[tokio::test]
async fn what_means_nothing_is_refused() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    for (query, status, parameter, code) in [
        ("after=yesterday", 400, "after", "unreadable_parameter"),
        ("after=-1", 400, "after", "unreadable_parameter"),
        ("limit=0", 400, "limit", "limit_out_of_range"),
        ("limit=201", 400, "limit", "limit_out_of_range"),
        ("wait=301", 400, "wait", "wait_out_of_range"),
        (
            "type=taizhang.project.exploded",
            400,
            "type",
            "unknown_code",
        ),
        ("type=project.moved", 400, "type", "unknown_code"),
        ("project=42", 400, "project", "unreadable_parameter"),
        ("colour=red", 400, "colour", "unknown_parameter"),
    ] {
        let reply = officer
            .get(&format!("/v1/events?{query}"))
            .await
            .expect(status);
        assert_eq!(reply.at("/errors/0/parameter"), parameter, "{query}");
        assert_eq!(reply.at("/errors/0/code"), code, "{query}");
    }
    // A library that was restored has not come so far.
    let beyond = officer.get("/v1/events?after=999999999").await.expect(422);
    assert_eq!(beyond.code(), "invalid_cursor");
    let stream = officer
        .request(Method::GET, "/v1/events")
        .header("accept", "text/event-stream");
    let reply = stream
        .header("last-event-id", "somewhere")
        .send()
        .await
        .expect(422);
    assert_eq!(reply.code(), "invalid_cursor");
}
