//! The accounts of a year: what the plan's words mean, counted, and every figure with its projects.

use domain::region::RegionKind;
use serde_json::{Value, json};
use taizhang::catalogue::{Catalogue, ProjectRow};
use taizhang::store::catalogue;
use taizhang::store::reference::region::Region;

use crate::support::library::{author, day, fields, id, in_store, with};
use crate::support::{Client, Server};

/// Rows to be taken over: how many, when they started and when they were completed.
type Group = (
    &'static str,
    u32,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
);

/// The Panjin figures of 2024 with what must not be among them: 272 started, 230 carried over, 175 completed.
const GROUPS: [Group; 9] = [
    ("年内开工", 211, "construction", Some("2024-01-01"), None),
    (
        "年内开工竣工",
        60,
        "completion",
        Some("2024-03-01"),
        Some("2024-11-30"),
    ),
    ("上年结转", 113, "construction", Some("2022-05-01"), None),
    (
        "结转竣工",
        115,
        "completion",
        Some("2020-09-01"),
        Some("2024-12-31"),
    ),
    ("次年开工", 40, "construction", Some("2025-01-01"), None),
    (
        "上年竣工",
        30,
        "completion",
        Some("2021-02-01"),
        Some("2023-12-31"),
    ),
    ("日期不详在建", 5, "construction", None, None),
    ("日期不详竣工", 4, "completion", Some("2020-01-01"), None),
    ("谋划", 20, "planning", None, None),
];

pub(crate) const COUNTY: &str = "211199";

fn catalogue_of_2024() -> Catalogue {
    let mut data = Catalogue::default();
    let county = Region {
        name: "试验县".to_owned(),
        kind: RegionKind::County.code().to_owned(),
        parent: Some("211100".to_owned()),
        valid_from: None,
        valid_to: None,
        aliases: Vec::new(),
        opening_closed_on: None,
    };
    data.regions.push((COUNTY.to_owned(), county));
    let mut line = 1;
    let singles: [Group; 4] = [
        ("整年停建", 1, "construction", Some("2022-05-01"), None),
        ("停建复工", 1, "construction", Some("2023-05-01"), None),
        ("年内退库", 1, "construction", Some("2024-02-01"), None),
        ("退库", 1, "construction", Some("2023-05-01"), None),
    ];
    for (name, count, stage, started, completed) in GROUPS.into_iter().chain(singles) {
        for number in 0..count {
            line += 1;
            let row = ProjectRow {
                external_ref: format!("{name}-{number}"),
                name: format!("{name} {number}"),
                region: COUNTY.to_owned(),
                unit: "panjin-drc".to_owned(),
                family_counting: "whole".to_owned(),
                stage: stage.to_owned(),
                started_on: started.unwrap_or_default().to_owned(),
                completed_on: completed.unwrap_or_default().to_owned(),
                investment_exact: "100000000.00".to_owned(),
                basis_inferred: "false".to_owned(),
                ..ProjectRow::default()
            };
            data.projects.push((line, row));
        }
    }
    // What is inside a whole is not counted beside it.
    let part = data.projects.iter_mut().map(|(_, row)| row);
    for row in part.filter(|row| row.external_ref == "谋划-1") {
        *row = ProjectRow {
            stage: "construction".to_owned(),
            started_on: "2024-06-01".to_owned(),
            parent_ref: "年内开工-0".to_owned(),
            investment_exact: "1000000.00".to_owned(),
            ..row.clone()
        };
    }
    data
}

pub(crate) async fn load(server: &Server, data: Catalogue) {
    in_store(server, async move |db| {
        let load = async move |tx: &_| catalogue::load(tx, &data).await;
        db.write(author(), load).await.unwrap();
    })
    .await;
}

async fn step(manager: &Client, name: &str, to: &str, on: &str) {
    let found = manager.named(&format!("{name} 0")).await;
    let id = found["id"].as_str().unwrap().to_owned();
    let mut body = json!({ "to": to, "note": "试验" });
    if to != "corrected" {
        body["occurred_on"] = on.into();
    }
    manager.step(&id, &body).await.expect(201);
}

/// The library of 2024: 272 + 230 under construction.
pub(crate) async fn library_of_2024() -> (Server, Client) {
    let server = Server::demo().await;
    load(&server, catalogue_of_2024()).await;
    let manager = server.sign_in("manager").await;
    step(&manager, "整年停建", "suspended", "2023-06-01").await;
    step(&manager, "整年停建", "resumed", "2025-02-01").await;
    step(&manager, "停建复工", "suspended", "2023-12-01").await;
    step(&manager, "停建复工", "resumed", "2024-12-31").await;
    step(&manager, "年内退库", "withdrawn", "2024-05-01").await;
    step(&manager, "退库", "withdrawn", "2024-03-01").await;
    step(&manager, "退库", "planning", "2024-09-01").await;
    (server, manager)
}

fn count(accounts: &Value, line: &str) -> u64 {
    accounts
        .pointer(&format!("/total/lines/{line}/count"))
        .unwrap()
        .as_u64()
        .unwrap()
}

/// Every line of a cell has exactly the projects that it links to.
async fn follow(client: &Client, cell: &Value) {
    let lines = cell["lines"].as_object().unwrap();
    let unknown = lines["date_unknown"].as_object().unwrap();
    for (code, line) in lines.iter().chain(unknown) {
        let Some(link) = line["projects"].as_str() else {
            continue;
        };
        let found = client
            .get(&format!("{link}&with_total=true&limit=1"))
            .await
            .expect(200);
        assert_eq!(found.at("/total"), &line["count"], "{code}: {link}");
    }
}

#[tokio::test]
async fn the_figures_of_2024_are_what_the_report_says() {
    let (_server, manager) = library_of_2024().await;
    for filter in ["", "?unit=panjin-drc", &format!("?region={COUNTY}")] {
        let path = format!("/v1/accounts/2024{filter}");
        let accounts = manager.get(&path).await.expect(200).body;
        let figures = [
            "under_construction",
            "new",
            "continued",
            "completed",
            "withdrawn",
        ];
        let figures = figures.map(|line| count(&accounts, line));
        assert_eq!(figures, [502, 272, 230, 175, 2], "{path}");
        follow(&manager, &accounts["total"]).await;
    }
    let county = manager
        .get(&format!("/v1/accounts/2024?region={COUNTY}"))
        .await
        .body;
    assert_eq!(count(&county, "date_unknown/started"), 5);
    assert_eq!(count(&county, "date_unknown/completed"), 4);
    // Of the catalogue nothing is known to the day: it is told, and not among the figures.
    let all = manager.get("/v1/accounts/2024?group_by=tier").await.body;
    assert_eq!(count(&all, "date_unknown/started"), 48 + 43 + 5);
    assert_eq!(count(&all, "date_unknown/completed"), 43 + 4);
    for cell in all["cells"].as_array().unwrap() {
        follow(&manager, cell).await;
    }
}

#[tokio::test]
async fn a_part_is_counted_with_its_whole_and_by_itself_where_parts_are_asked_for() {
    let (_server, manager) = library_of_2024().await;
    let path = "/v1/accounts/2024?level=part";
    let by_part = manager.get(path).await.expect(200).body;
    // The part started in 2024 and stands in the place of its whole.
    assert_eq!(count(&by_part, "new"), 272);
    let exact = by_part.pointer("/total/lines/new/exact/sum").unwrap();
    assert_eq!(exact, "27101000000.00");
    follow(&manager, &by_part["total"]).await;
}

#[tokio::test]
async fn a_year_is_compared_with_the_one_before_and_with_its_same_day() {
    let (_server, manager) = library_of_2024().await;
    let path = format!("/v1/accounts/2024?region={COUNTY}&compare=previous_year,same_day");
    let accounts = manager.get(&path).await.expect(200).body;
    let before = &accounts["comparisons"][0];
    assert_eq!(before["with"], "previous_year");
    assert_eq!(before["until"], "2023-12-31");
    let figures = ["new", "continued", "completed"];
    // Started in 2023: the two that were held or left later; carried over into it: what began before.
    assert_eq!(
        figures.map(|line| count(before, line)),
        [2, 113 + 115 + 30 + 1, 30]
    );
    assert_eq!(
        before["change"]["new"],
        json!({ "count": 270, "percent": "13500.00" })
    );
    assert_eq!(
        before["change"]["completed"],
        json!({ "count": 145, "percent": "483.33" })
    );
    // What there was none of can't have grown by a percentage.
    assert_eq!(
        before["change"]["withdrawn"],
        json!({ "count": 2, "percent": null })
    );
    follow(&manager, &before["total"]).await;
    // A year that is over is compared with the whole year before.
    assert_eq!(accounts["comparisons"][1]["until"], "2023-12-31");
    let year: i32 = day(0)[..4].parse().unwrap();
    let now = manager
        .get(&format!("/v1/accounts/{year}?compare=same_day"))
        .await
        .expect(200)
        .body;
    assert_eq!(now["until"], day(0));
    let then = &now["comparisons"][0];
    assert_eq!(then["until"], format!("{}{}", year - 1, &day(0)[4..]));
    follow(&manager, &then["total"]).await;
}

#[tokio::test]
async fn a_rate_with_nothing_to_reach_is_not_applicable() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let accounts = leader.get("/v1/accounts/2024").await.expect(200);
    for rate in accounts.at("/total/rates").as_array().unwrap() {
        assert_eq!(rate["denominator"], 0, "{rate}");
        assert_eq!(rate["percent"], Value::Null, "{rate}");
    }
}

#[tokio::test]
async fn what_can_not_be_answered_is_refused_with_its_reason() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let next = day(0)[..4].parse::<i32>().unwrap() + 1;
    for (path, status, code, parameter) in [
        (
            "/v1/accounts/10000".to_owned(),
            400,
            "year_out_of_range",
            "year",
        ),
        (
            format!("/v1/accounts/{next}"),
            422,
            "year_in_future",
            "year",
        ),
        (
            "/v1/accounts/2024?group_by=colour".to_owned(),
            400,
            "unknown_group",
            "group_by",
        ),
        (
            "/v1/accounts/2024?compare=tomorrow".to_owned(),
            400,
            "unknown_comparison",
            "compare",
        ),
        (
            format!("/v1/accounts/2024?as_of={}", day(1)),
            422,
            "as_of_in_future",
            "as_of",
        ),
        (
            "/v1/accounts/2024?as_of=2024-01-01".to_owned(),
            422,
            "as_of_before_library",
            "as_of",
        ),
        (
            "/v1/accounts/2024?region=211104&region_exact=211103".to_owned(),
            422,
            "contradictory_filters",
            "region_exact",
        ),
        (
            "/v1/accounts/2024?list=null&list=gas-storage".to_owned(),
            422,
            "contradictory_filters",
            "list",
        ),
        (
            "/v1/accounts/2024?account=2024:new".to_owned(),
            422,
            "not_here",
            "account",
        ),
        (
            "/v1/accounts/2024?region=999999".to_owned(),
            422,
            "unknown_region",
            "region",
        ),
        (
            "/v1/projects?account=2024:colour".to_owned(),
            422,
            "unknown_account",
            "account",
        ),
        (
            "/v1/projects?account=new".to_owned(),
            400,
            "unknown_account",
            "account",
        ),
        (
            "/v1/projects?account=2024:new:2024-02-31".to_owned(),
            422,
            "unknown_account",
            "account",
        ),
    ] {
        let refused = leader.get(&path).await.expect(status);
        assert_eq!(refused.error_codes(), [code], "{path}");
        assert_eq!(refused.str("/errors/0/parameter"), parameter, "{path}");
    }
}

#[tokio::test]
async fn a_line_is_asked_for_of_several_years_at_once() {
    let (_server, manager) = library_of_2024().await;
    let total = async |account: &str| {
        let path = format!("/v1/projects?region={COUNTY}&{account}&with_total=true&limit=1");
        manager.get(&path).await.expect(200).at("/total").clone()
    };
    for line in ["new", "continued", "under_construction", "completed"] {
        let range = total(&format!("account=2022-2024:{line}")).await;
        let each: Vec<String> = (2022..=2024)
            .map(|year| format!("account={year}:{line}"))
            .collect();
        assert_eq!(range, total(&each.join("&")).await, "{line}");
    }
    for (account, status) in [
        ("2024-2022:new", 422),
        ("2024-2201:new", 422),
        ("2024-22:new", 400),
        ("20240:new", 400),
        ("2022-2023-2024:new", 400),
    ] {
        let path = format!("/v1/projects?account={account}");
        let refused = manager.get(&path).await.expect(status);
        assert_eq!(refused.error_codes(), ["unknown_account"], "{account}");
    }
}

#[tokio::test]
async fn what_the_accounts_said_they_say_of_that_time_for_ever() {
    let (_server, manager) = library_of_2024().await;
    let before = manager.get("/v1/accounts/2024").await.expect(200);
    let then = before.str("/as_of");
    step(&manager, "年内退库", "corrected", "").await;
    step(&manager, "上年结转", "suspended", "2025-01-01").await;
    let now = manager.get("/v1/accounts/2024").await.expect(200).body;
    assert_eq!(count(&now, "withdrawn"), 1);
    let again = manager
        .get(&format!("/v1/accounts/2024?as_of={then}"))
        .await
        .expect(200)
        .body;
    for line in ["new", "continued", "withdrawn", "completed", "planned"] {
        assert_eq!(count(&again, line), count(&before.body, line), "{line}");
    }
    follow(&manager, &again["total"]).await;
}

#[tokio::test]
async fn projects_are_told_by_the_years_in_which_they_started_and_were_completed() {
    let (_server, manager) = library_of_2024().await;
    let path = format!("/v1/summary?region={COUNTY}&group_by=started_year,completed_year");
    let summary = manager.get(&path).await.expect(200);
    let cells = summary.at("/cells").as_array().unwrap();
    let told: Vec<(&Value, &Value, &Value)> = cells
        .iter()
        .map(|cell| {
            (
                &cell["started_year"],
                &cell["completed_year"],
                &cell["count"],
            )
        })
        .collect();
    let none = Value::Null;
    for (started, completed, count) in [
        (json!(2020), json!(2024), 115),
        (json!(2021), json!(2023), 30),
        // Completed, on a day that is not known.
        (json!(2020), none.clone(), 4),
        (json!(2024), json!(2024), 60),
        (json!(2025), none.clone(), 40),
    ] {
        let cell = (&started, &completed, &json!(count));
        assert!(told.contains(&cell), "{cell:?}: {told:?}");
    }
    // By year, and what has none last.
    let years = cells.iter().map(|cell| cell["started_year"].as_i64());
    let years: Vec<i64> = years.map(|year| year.unwrap_or(i64::MAX)).collect();
    assert!(years.is_sorted(), "{years:?}");
    for cell in cells {
        let behind = manager.all(cell["projects"].as_str().unwrap()).await;
        assert_eq!(cell["count"], behind.len());
        for (member, date) in [
            ("started_year", "started_on"),
            ("completed_year", "completed_on"),
        ] {
            let year = |project: &Value| project[date].as_str().map(|day| day[..4].to_owned());
            let expected = cell[member].as_i64().map(|year| year.to_string());
            assert!(behind.iter().all(|project| year(project) == expected));
        }
    }
}

/// A project with an exact amount or none, an annual plan or none, and what was told of its months.
async fn invested(
    manager: &Client,
    (name, region): (&str, &str),
    amount: Value,
    plan: Option<(i32, &str)>,
    months: &[(&str, Value)],
) {
    let more = json!({ "total_investment": amount });
    let made = manager.register(&with(fields(name, region), &more)).await;
    let root = format!("/v1/projects/{}", id(&made));
    if let Some((year, planned)) = plan {
        let path = format!("{root}/plan-years/{year}");
        let plan = json!({ "planned_investment": planned });
        manager.put(&path, &plan).if_none().send().await.expect(201);
    }
    for (month, told) in months {
        let path = format!("{root}/investment/{month}");
        manager.put(&path, told).if_none().send().await.expect(201);
    }
}

/// A rate as it is told: numerator, denominator, percent, how many projects.
fn rate(cell: &Value, name: &str) -> [Value; 4] {
    let rate = &cell["investment_rates"][name];
    let applicable = rate["denominator"] != Value::Null && rate["denominator"] != "0.00";
    assert_eq!(rate["applicable"], applicable, "{rate}");
    ["numerator", "denominator", "percent", "covered"].map(|part| rate[part].clone())
}

/// What the tests of rates have: 率甲 lacks nothing, 率乙 an exact amount, 率丙 any figure of its months.
async fn library_of_rates() -> (Server, Client) {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let figures = json!({ "completed": "30000000.00", "funds_allocated": "40000000.00", "funds_received": "10000000.01" });
    let earlier = json!({ "completed": "20000000.00", "funds_received": "5000000.00" });
    invested(
        &manager,
        ("率甲", "211104"),
        json!({ "exact": "100000000.00" }),
        Some((2025, "60000000.00")),
        &[("2024/12", earlier), ("2025/3", figures)],
    )
    .await;
    let more = json!({ "completed": "15000000.00", "funds_allocated": "8000000.00", "funds_received": "8000000.00" });
    invested(
        &manager,
        ("率乙", "211103"),
        json!({ "floor": "500000000.00" }),
        Some((2025, "20000000.00")),
        &[("2025/6", more)],
    )
    .await;
    invested(
        &manager,
        ("率丙", "211103"),
        json!({ "exact": "900000000.00" }),
        Some((2025, "90000000.00")),
        &[],
    )
    .await;
    (server, manager)
}

#[tokio::test]
async fn rates_of_investment_cover_the_projects_of_which_both_sides_are_told() {
    let (_server, manager) = library_of_rates().await;
    let path = "/v1/accounts/2025?q=率&group_by=region";
    let accounts = manager.get(path).await.expect(200).body;
    let total = &accounts["total"];
    // To date and by exact amounts only: 率甲, in both years.
    assert_eq!(
        rate(total, "completion"),
        [
            json!("50000000.00"),
            json!("100000000.00"),
            json!("50.00"),
            json!(1)
        ]
    );
    // In the year, by its plan: nothing was told of 率丙, which is not nothing.
    assert_eq!(
        rate(total, "annual_completion"),
        [
            json!("45000000.00"),
            json!("80000000.00"),
            json!("56.25"),
            json!(2)
        ]
    );
    assert_eq!(
        rate(total, "funds_received"),
        [
            json!("23000000.01"),
            json!("48000000.00"),
            json!("47.92"),
            json!(2)
        ]
    );
    let cells = accounts["cells"].as_array().unwrap();
    let of = |region: &str| cells.iter().find(|cell| cell["region"] == region).unwrap();
    assert_eq!(
        rate(of("211104"), "annual_completion"),
        [
            json!("30000000.00"),
            json!("60000000.00"),
            json!("50.00"),
            json!(1)
        ]
    );
    let nothing = [Value::Null, Value::Null, Value::Null, json!(0)];
    assert_eq!(rate(of("211103"), "completion"), nothing);
    // The year before: only what was told by its end, and no plan.
    let before = manager.get("/v1/accounts/2024?q=率").await.expect(200).body;
    assert_eq!(
        rate(&before["total"], "completion"),
        [
            json!("20000000.00"),
            json!("100000000.00"),
            json!("20.00"),
            json!(1)
        ]
    );
    assert_eq!(rate(&before["total"], "annual_completion"), nothing);
    let compared = "/v1/accounts/2025?q=率&compare=previous_year,same_day";
    let compared = manager.get(compared).await.expect(200).body;
    for then in compared["comparisons"].as_array().unwrap() {
        let told = |name| rate(&then["total"], name);
        assert_eq!(told("completion"), rate(&before["total"], "completion"));
    }
    // The sums that are kept know nothing of words: without the question by name, the same.
    let all = manager.get("/v1/accounts/2025?group_by=region").await;
    let all = all.expect(200).body;
    let cells = all["cells"].as_array().unwrap();
    let dawa = cells
        .iter()
        .find(|cell| cell["region"] == "211104")
        .unwrap();
    assert_eq!(rate(dawa, "completion")[2], "50.00");
    assert_eq!(rate(&all["total"], "annual_completion")[2], "56.25");
}

#[tokio::test]
async fn rates_of_investment_are_told_as_they_were_known_and_leave_the_withdrawn_out() {
    let (_server, manager) = library_of_rates().await;
    let before = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let project = manager.named("率甲").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/projects/{project}/investment/2025/3");
    let corrected = json!({ "completed": "40000000.00" });
    let corrected = manager.put(&path, &corrected).if_match("\"1\"");
    corrected.send().await.expect(200);
    let told = async |more: &str| {
        let path = format!("/v1/accounts/2025?q=率{more}");
        manager.get(&path).await.expect(200).body["total"].clone()
    };
    let now = told("").await;
    assert_eq!(rate(&now, "completion")[2], "60.00");
    // What was allocated is no longer told.
    assert_eq!(rate(&now, "funds_received")[3], 1);
    let then = told(&format!("&as_of={before}")).await;
    assert_eq!(rate(&then, "completion")[2], "50.00");
    assert_eq!(rate(&then, "funds_received")[3], 2);

    let withdrawn = json!({ "to": "withdrawn", "occurred_on": day(0), "note": "试验" });
    manager.step(&project, &withdrawn).await.expect(201);
    assert_eq!(rate(&told("").await, "completion")[3], 0);
    let asked_for = told("&condition=withdrawn").await;
    assert_eq!(rate(&asked_for, "completion")[2], "60.00");
}

#[tokio::test]
async fn the_same_day_of_the_year_before_covers_the_months_that_were_over() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let year: i32 = day(0)[..4].parse().unwrap();
    let months: Vec<(String, Value)> = (1..=12)
        .map(|month| {
            (
                format!("{}/{month}", year - 1),
                json!({ "completed": "1000000.00" }),
            )
        })
        .collect();
    let months: Vec<(&str, Value)> = months
        .iter()
        .map(|(month, told)| (month.as_str(), told.clone()))
        .collect();
    let amount = json!({ "exact": "100000000.00" });
    let plan = Some((year - 1, "10000000.00"));
    invested(&manager, ("同期率", "211104"), amount, plan, &months).await;
    let path = format!("/v1/accounts/{year}?q=同期率&compare=same_day");
    let accounts = manager.get(&path).await.expect(200).body;
    let then = &accounts["comparisons"][0];
    let until: chrono::NaiveDate = then["until"].as_str().unwrap().parse().unwrap();
    let next = until.succ_opt().unwrap();
    let over = chrono::Datelike::month0(&next);
    // On the last day of December all of them are.
    let over = if over == 0 && chrono::Datelike::month(&until) == 12 {
        12
    } else {
        over
    };
    let expected = if over == 0 {
        Value::Null
    } else {
        json!(format!("{over}000000.00"))
    };
    assert_eq!(rate(&then["total"], "annual_completion")[0], expected);
    let whole = manager
        .get(&format!("/v1/accounts/{}?q=同期率", year - 1))
        .await;
    assert_eq!(
        rate(&whole.expect(200).body["total"], "annual_completion")[2],
        "120.00"
    );
}

#[tokio::test]
async fn up_to_a_day_is_told_what_was_told_on_it() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let year: i32 = day(0)[..4].parse().unwrap();
    let compared = format!("/v1/accounts/{year}?q=同日&compare=previous_year,same_day");
    let same_day = manager.get(&compared).await.expect(200);
    let same_day = same_day.str("/comparisons/1/until");
    let next_day = chrono::NaiveDate::succ_opt(&same_day.parse().unwrap()).unwrap();
    let mut data = Catalogue::default();
    let row = |name: &str, stage: &str| ProjectRow {
        external_ref: name.to_owned(),
        name: name.to_owned(),
        region: "211104".to_owned(),
        unit: "panjin-drc".to_owned(),
        family_counting: "whole".to_owned(),
        stage: stage.to_owned(),
        basis_inferred: "false".to_owned(),
        ..ProjectRow::default()
    };
    for (name, signed, landed) in [
        ("同期落地一", "2024-04-01", "2024-06-01"),
        ("同期落地二", "2024-02-01", "2024-04-01"),
        ("同日落地", same_day.as_str(), &next_day.to_string()),
    ] {
        let row = ProjectRow {
            signed_on: signed.to_owned(),
            landed_on: landed.to_owned(),
            ..row(name, "attraction")
        };
        data.projects.push((2, row));
    }
    for (name, started) in [("同期开工一", "2024-03-05"), ("同期开工二", "2024-11-05")] {
        let row = ProjectRow {
            started_on: started.to_owned(),
            ..row(name, "construction")
        };
        data.projects.push((2, row));
    }
    load(&server, data).await;
    for name in ["同期开工一", "同期开工二"] {
        let project = manager.named(name).await;
        let planned = json!({ "planned_start_on": project["started_on"] });
        let id = project["id"].as_str().unwrap();
        manager.amend(id, &planned).await.expect(200);
    }
    for (account, count) in [
        ("start_planned", 2),
        ("start_planned:2024-05-10", 2),
        ("start_met", 2),
        ("start_met:2024-05-10", 1),
        ("landed_within_6", 2),
        ("landed_within_6:2024-05-10", 1),
    ] {
        let found = format!("/v1/projects?q=同期&account=2024:{account}");
        assert_eq!(manager.all(&found).await.len(), count, "{account}");
    }
    // On that day it had not landed yet.
    let accounts = manager.get(&compared).await.expect(200);
    for (place, landed) in [(0, 1), (1, 0)] {
        let rate = accounts.at(&format!("/comparisons/{place}/total/rates/1"));
        assert_eq!(rate["code"], "landing_rate");
        assert_eq!(rate["denominator"], 1, "{place}");
        assert_eq!(rate["numerator"], landed, "{place}");
    }
}
