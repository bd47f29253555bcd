//! Amounts: exact to the 分 at every size, in the right tier, and added up without loss.

use serde_json::json;
use taizhang::catalogue::{Catalogue, ProjectRow};
use taizhang::store::catalogue;

use crate::support::Server;
use crate::support::library::{author, fen, fields, id, in_store, with};

#[tokio::test]
async fn an_amount_at_a_bound_is_in_the_tier_above_it() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let bounds = [
        ("0.01", "under_5m"),
        ("4999999.99", "under_5m"),
        ("5000000.00", "from_5m"),
        ("99999999.99", "from_5m"),
        ("100000000.00", "from_100m"),
        ("999999999.99", "from_100m"),
        ("1000000000.00", "from_1b"),
        ("4999999999.99", "from_1b"),
        ("5000000000.00", "from_5b"),
        ("9999999999.99", "from_5b"),
        ("10000000000.00", "from_10b"),
        ("1000000000000000.00", "from_10b"),
    ];
    for basis in ["exact", "floor"] {
        for (amount, tier) in bounds {
            let name = format!("分档{basis}{amount}");
            let amounts = json!({ "total_investment": { basis: amount } });
            let made = officer
                .register(&with(fields(&name, "211100"), &amounts))
                .await;
            let read = officer
                .get(&format!("/v1/projects/{}", id(&made)))
                .await
                .expect(200);
            assert_eq!(read.str("/tier"), tier, "{amount}");
            assert_eq!(read.str("/tier_basis"), basis);
            assert_eq!(read.at("/total_investment"), &json!({ basis: amount }));
            let path = format!("/v1/summary?group_by=tier&q={name}");
            let summary = officer.get(&path).await.expect(200);
            assert_eq!(summary.str("/cells/0/tier"), tier);
            assert_eq!(summary.str(&format!("/total/{basis}/sum")), amount);
        }
    }
    let unknown = officer.register(&fields("分档未知", "211100")).await;
    assert_eq!(unknown.str("/tier"), "undetermined");
    assert_eq!(unknown.str("/tier_basis"), "none");
}

#[tokio::test]
async fn amounts_come_back_to_the_fen() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    for (sent, told) in [
        ("123456789012345.67", "123456789012345.67"),
        ("999999999999999.99", "999999999999999.99"),
        ("90071992547409.93", "90071992547409.93"),
        ("0.1", "0.10"),
        ("7", "7.00"),
        ("0.01", "0.01"),
    ] {
        let amounts = json!({ "total_investment": { "exact": sent } });
        let made = officer
            .register(&with(fields("原样返回", "211100"), &amounts))
            .await;
        assert_eq!(made.str("/total_investment/exact"), told);
        let path = format!("/v1/projects?min_investment={sent}&max_investment={sent}");
        let found = officer.all(&path).await;
        assert_eq!(found.len(), 1, "{sent}");
        assert_eq!(found[0]["id"], *made.at("/id"));
    }
}

#[tokio::test]
async fn an_amount_that_can_not_be_is_refused_where_it_stands() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    for (amount, code) in [
        ("1000000000000000.01", "amount_too_large"),
        ("99999999999999999999999999", "amount_too_large"),
        ("-1.00", "amount_negative"),
        ("1.001", "amount_too_precise"),
        ("1e9", "amount_not_a_number"),
        ("1,000.00", "amount_not_a_number"),
        ("５００", "amount_not_a_number"),
        ("NaN", "amount_not_a_number"),
        ("", "amount_empty"),
        ("0", "amount_not_positive"),
    ] {
        let amounts = json!({ "total_investment": { "exact": amount } });
        let body = with(fields("金额有误", "211100"), &amounts);
        let refused = officer.post("/v1/projects", &body).send().await;
        let refused = refused.expect(422);
        assert_eq!(refused.error_codes(), [code], "{amount}");
        assert!(refused.pointers()[0].starts_with("/total_investment"));
    }
    for wrong in [json!({}), json!({ "exact": "1.00", "floor": "1.00" })] {
        let body = with(
            fields("金额有误", "211100"),
            &json!({ "total_investment": wrong }),
        );
        let refused = officer.post("/v1/projects", &body).send().await;
        let refused = refused.expect(422);
        assert_eq!(refused.error_codes(), ["exact_or_floor"]);
    }
}

#[tokio::test]
async fn a_foreign_amount_keeps_its_currency_its_rate_and_the_day_of_the_rate() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let original = json!({
        "amount": "1234567.89", "currency": "USD", "rate": "7.1234", "rate_on": "2025-03-03"
    });
    // 1234567.89 × 7.1234 = 8794320.907…, to the 分.
    let investment = json!({ "exact": "8794320.91", "original": original });
    let body = with(
        fields("外资项目", "211100"),
        &json!({ "total_investment": investment }),
    );
    let made = officer.register(&body).await;
    assert_eq!(made.at("/total_investment"), &investment);
    let kept = officer
        .amend(&id(&made), &json!({ "note": "其他" }))
        .await
        .expect(200);
    assert_eq!(kept.at("/total_investment"), &investment);
    let told = officer
        .amend(
            &id(&made),
            &json!({ "total_investment": { "exact": "9000000.00" } }),
        )
        .await
        .expect(200);
    let plain = json!({ "exact": "9000000.00" });
    assert_eq!(told.at("/total_investment"), &plain);

    for (member, value, code) in [
        ("currency", json!("CNY"), "invalid_currency"),
        ("currency", json!("usd"), "invalid_currency"),
        ("rate", json!("-7.1"), "rate_not_positive"),
        ("rate", json!("0"), "rate_not_positive"),
        ("rate", json!("seven"), "invalid_rate"),
        ("rate", json!("7.2"), "original_mismatch"),
        ("amount", json!("1.234"), "amount_too_precise"),
        ("rate_on", json!("2199-01-01"), "date_in_future"),
    ] {
        let wrong = with(original.clone(), &json!({ member: value }));
        let investment = json!({ "exact": "8794320.91", "original": wrong });
        let body = with(
            fields("外资有误", "211100"),
            &json!({ "total_investment": investment }),
        );
        let refused = officer.post("/v1/projects", &body).send().await;
        let refused = refused.expect(422);
        assert!(
            refused.error_codes().contains(&code.to_owned()),
            "{member}: {}",
            refused.text
        );
        let pointer = &refused.pointers()[0];
        assert!(pointer.starts_with("/total_investment"), "{pointer}");
    }
}

/// Existing projects of the city with these amounts.
fn with_amounts(amounts: impl Iterator<Item = String>) -> Catalogue {
    let row = |(line, amount): (u64, String)| {
        let row = ProjectRow {
            external_ref: format!("sum-{line}"),
            name: format!("求和 {line}"),
            region: "211122".to_owned(),
            stage: "planning".to_owned(),
            investment_exact: amount,
            ..ProjectRow::default()
        };
        (line, row)
    };
    Catalogue {
        projects: (2..).zip(amounts).map(row).collect(),
        ..Catalogue::default()
    }
}

async fn load(server: &Server, data: Catalogue) {
    in_store(server, async move |db| {
        let loaded = db
            .write(author(), async move |tx| catalogue::load(tx, &data).await)
            .await;
        loaded.unwrap();
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_amounts_add_up_to_the_fen() {
    let server = Server::demo().await;
    // A seeded generator (splitmix64): the same amounts every time, of every size.
    let mut state = 20_251_121_u64;
    let mut next = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let amounts: Vec<String> = (0..10_000)
        .map(|_| {
            let size = 10_u64.pow(u32::try_from(next() % 16 + 2).unwrap());
            let amount = next() % size + 1;
            format!("{}.{:02}", amount / 100, amount % 100)
        })
        .collect();
    let sum: i128 = amounts.iter().map(|amount| fen(amount)).sum();
    let large = amounts.iter().filter(|a| fen(a) >= 10_000_000_000);
    let (large, large_sum) = large.fold((0, 0), |(n, sum), a| (n + 1, sum + fen(a)));
    load(&server, with_amounts(amounts.clone().into_iter())).await;
    let leader = server.sign_in("leader").await;
    let path = "/v1/summary?group_by=tier,stage&q=求和";
    let summary = leader.get(path).await.expect(200);
    assert_eq!(summary.at("/total/exact/count"), 10_000);
    assert_eq!(fen(&summary.str("/total/exact/sum")), sum);
    let cells = summary.at("/cells").as_array().unwrap();
    assert_eq!(cells.len(), 6);
    let of_cells: i128 = cells
        .iter()
        .map(|cell| fen(cell["exact"]["sum"].as_str().unwrap()))
        .sum();
    assert_eq!(of_cells, sum);
    let path = "/v1/summary?q=求和&min_investment=100000000";
    let summary = leader.get(path).await.expect(200);
    assert_eq!(summary.at("/total/exact/count"), large);
    assert_eq!(fen(&summary.str("/total/exact/sum")), large_sum);
}

#[tokio::test]
async fn a_thousand_of_the_largest_amounts_add_up() {
    let server = Server::demo().await;
    let largest = std::iter::repeat_n("1000000000000000.00".to_owned(), 1000);
    load(&server, with_amounts(largest)).await;
    let leader = server.sign_in("leader").await;
    let summary = leader.get("/v1/summary?q=求和").await.expect(200);
    assert_eq!(summary.at("/total/count"), 1000);
    assert_eq!(summary.str("/total/exact/sum"), "1000000000000000000.00");
}
