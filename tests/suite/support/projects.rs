//! Projects to test with: registered, supplied with evidence and moved, all of it over HTTP.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{Client, Reply, Server};

/// The day that the projects here were signed.
pub(crate) const SIGNED_ON: &str = "2024-11-05";
/// The day they entered 引育.
pub(crate) const ATTRACTED_ON: &str = "2025-01-10";
/// The day their works began.
pub(crate) const STARTED_ON: &str = "2025-03-18";
/// The day they were accepted.
pub(crate) const COMPLETED_ON: &str = "2025-10-30";

/// The permits that every kind of project needs.
pub(crate) const PERMITS: [&str; 6] = [
    "project_approval",
    "land_use",
    "planning_permit",
    "environmental_assessment",
    "energy_review",
    "construction_permit",
];

/// The people of the city who look after projects, signed in.
#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) officer: Client,
    pub(crate) manager: Client,
}

/// A project, seen from the office.
#[derive(Clone)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) office: Office,
}

/// All that one may see of a project.
#[derive(Debug, PartialEq)]
pub(crate) struct Trace {
    etag: String,
    project: Value,
    history: Vec<Value>,
}

/// A number that no other project of this run has.
fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A 项目代码 that no other project of this run has.
pub(crate) fn new_code() -> String {
    format!("2101-211104-04-01-{:06}", number())
}

/// A document that proves something.
pub(crate) fn document(number: &str, issued_on: &str) -> Value {
    json!({ "document_number": number, "issued_on": issued_on })
}

/// A project of 大洼区 that lacks nothing for 引育, with these members on top; null leaves one out.
pub(crate) fn fields(members: &Value) -> Value {
    let mut fields = json!({
        "name": format!("高端新材料项目{}", number()),
        "region": "211104",
        "unit": "dawa-drb",
        "sector": "精细化工和新材料",
        "kind": "enterprise_filed",
        "total_investment": { "exact": "200000000.00" },
        "owner": { "name": "盘锦新材料有限公司" },
        "signed_on": SIGNED_ON,
        "signed_document": document("合同〔2024〕12号", SIGNED_ON),
    });
    for (name, value) in members.as_object().unwrap() {
        fields[name] = value.clone();
    }
    fields
}

/// The request for a step forward, on the day that the projects here take it.
pub(crate) fn step(to: &str) -> Value {
    match to {
        "attraction" => step_on(to, ATTRACTED_ON),
        "construction" => step_on(to, STARTED_ON),
        _ => step_on(to, COMPLETED_ON),
    }
}

/// The request for a step forward, with the evidence that it takes.
pub(crate) fn step_on(to: &str, day: &str) -> Value {
    let mut request = json!({ "to": to, "occurred_on": day });
    match to {
        "construction" => {
            request["start_evidence"] = json!({ "issued_on": day, "description": "第一根工程桩" });
        }
        "completion" => request["acceptance"] = document("盘竣验〔2025〕7号", day),
        _ => {}
    }
    request
}

/// A permit in hand.
pub(crate) fn obtained() -> Value {
    json!({
        "status": "obtained", "document_number": "盘审〔2025〕18号", "issued_on": "2025-02-20",
        "authority": "盘锦市营商环境建设局",
    })
}

impl Office {
    pub(crate) async fn of(server: &Server) -> Self {
        let (officer, manager) =
            futures::join!(server.sign_in("officer"), server.sign_in("manager"));
        Self { officer, manager }
    }

    /// A project that is there already.
    pub(crate) fn project(&self, id: &str) -> Project {
        Project {
            id: id.to_owned(),
            office: self.clone(),
        }
    }

    /// The project of this name, as an officer looks for it.
    pub(crate) async fn find(&self, name: &str) -> Project {
        let page = self.officer.get(&format!("/v1/projects?q={name}")).await;
        let page = page.expect(200);
        let items = page.at("/items").as_array().unwrap();
        let found = items.iter().find(|item| item["name"] == name);
        self.project(found.unwrap()["id"].as_str().unwrap())
    }

    /// Registers a project that lacks nothing for 引育, with these members on top.
    pub(crate) async fn register(&self, members: &Value) -> Project {
        let request = self.officer.post("/v1/projects", &fields(members));
        let made = request.send().await.expect(201);
        self.project(&made.str("/id"))
    }

    /// A project that came to this stage through the gates.
    pub(crate) async fn at_stage(&self, stage: &str, members: &Value) -> Project {
        let project = self.register(members).await;
        project.go_on_to(stage).await;
        project
    }
}

impl Project {
    /// The path of the project, or of something below it.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("/v1/projects/{}{below}", self.id)
    }

    pub(crate) async fn read(&self) -> Reply {
        self.office.manager.get(&self.path("")).await.expect(200)
    }

    pub(crate) async fn etag(&self) -> String {
        self.read().await.etag()
    }

    pub(crate) async fn version(&self) -> i64 {
        self.read().await.at("/version").as_i64().unwrap()
    }

    /// Its events, newest first.
    pub(crate) async fn history(&self) -> Vec<Value> {
        let path = self.path("/history?limit=200");
        let page = self.office.manager.get(&path).await.expect(200);
        assert_eq!(page.at("/next_cursor"), &Value::Null);
        page.at("/items").as_array().unwrap().clone()
    }

    /// How many of its events are of this kind.
    pub(crate) async fn events(&self, kind: &str) -> usize {
        let history = self.history().await;
        history.iter().filter(|event| event["kind"] == kind).count()
    }

    pub(crate) async fn trace(&self) -> Trace {
        let read = self.read().await;
        Trace {
            etag: read.etag(),
            project: read.body,
            history: self.history().await,
        }
    }

    /// The officer amends it as it stands.
    pub(crate) async fn amend(&self, patch: &Value) -> Reply {
        let etag = self.etag().await;
        let request = self.office.officer.patch(&self.path(""), patch);
        request.if_match(&etag).send().await
    }

    /// The officer enters a permit that nothing was known of.
    pub(crate) async fn permit(&self, item: &str) -> Reply {
        let path = self.path(&format!("/approvals/{item}"));
        let request = self.office.officer.put(&path, &obtained());
        request.if_none().send().await.expect(201)
    }

    /// The manager puts it into the annual plan of a year.
    pub(crate) async fn plan(&self, year: i32) -> Reply {
        let path = self.path(&format!("/plan-years/{year}"));
        let planned = json!({ "planned_investment": "50000000.00" });
        let request = self.office.manager.put(&path, &planned);
        request.if_none().send().await.expect(201)
    }

    /// Somebody asks for a move of the project as it stands.
    pub(crate) async fn ask(&self, client: &Client, request: &Value) -> Reply {
        let etag = self.etag().await;
        let request = client.post(&self.path("/transitions"), request);
        request.if_match(&etag).send().await
    }

    /// The officer moves it.
    pub(crate) async fn step(&self, request: &Value) -> Reply {
        self.ask(&self.office.officer, request).await.expect(201)
    }

    /// The manager moves it, with a reason.
    pub(crate) async fn manage(&self, to: &str, day: &str) -> Reply {
        let request = json!({ "to": to, "occurred_on": day, "note": "经市政府专题会议研究" });
        self.ask(&self.office.manager, &request).await.expect(201)
    }

    /// The manager takes its latest standing move back.
    pub(crate) async fn correct(&self) -> Reply {
        let request = json!({ "to": "corrected", "note": "录入有误" });
        self.ask(&self.office.manager, &request).await.expect(201)
    }

    /// Asks for a move and is refused, which changes nothing.
    pub(crate) async fn refuses(
        &self,
        client: &Client,
        request: &Value,
        (status, code): (u16, &str),
    ) -> Reply {
        let before = self.trace().await;
        let reply = self.ask(client, request).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{}",
            reply.text
        );
        assert_eq!(self.trace().await, before, "a refusal changes nothing");
        reply
    }

    /// Supplies whatever a start asks for: the code, the permits and the annual plan.
    pub(crate) async fn make_ready_to_start(&self) {
        let code = json!({ "code": new_code() });
        self.amend(&code).await.expect(200);
        for item in PERMITS {
            self.permit(item).await;
        }
        self.plan(2025).await;
    }

    /// Takes the steps up to this stage from the one in which it stands, through the gates.
    pub(crate) async fn go_on_to(&self, stage: &str) {
        const STAGES: [&str; 4] = ["planning", "attraction", "construction", "completion"];
        let now = self.read().await.str("/stage");
        let place = |stage: &str| STAGES.iter().position(|s| *s == stage).unwrap();
        for to in &STAGES[place(&now) + 1..=place(stage)] {
            if *to == "construction" {
                self.make_ready_to_start().await;
            }
            self.step(&step(to)).await;
        }
    }
}

/// What the officer is told beforehand about a move.
pub(crate) async fn offer(project: &Project, to: &str) -> Value {
    let path = project.path("/transitions");
    let outlook = project.office.officer.get(&path).await.expect(200);
    assert_eq!(outlook.etag(), project.etag().await);
    let moves = outlook.at("/moves").as_array().unwrap();
    let found = moves.iter().find(|offer| offer["to"] == to);
    found
        .unwrap_or_else(|| panic!("no {to} in {}", outlook.text))
        .clone()
}
