//! The results as Markdown.

use std::collections::BTreeSet;
use std::path::Path;

use crate::drive::Outcome;
use crate::measure::{By, Line, Measured, Memory, Once, Took};
use crate::plan::Figure;
use crate::{Result, say};

/// Prints the results that a file holds.
pub(crate) fn report(results: &Path) -> Result<()> {
    let text = std::fs::read_to_string(results)?;
    let mut measured = Vec::new();
    let mut memories = Vec::new();
    let mut took = Vec::new();
    for line in text.lines() {
        match serde_json::from_str(line)? {
            Line::Measured(one) => measured.push(one),
            Line::Memory(one) => memories.push(one),
            Line::Took(one) => took.push(one),
        }
    }
    let libraries: BTreeSet<(String, u64)> = measured
        .iter()
        .map(|one: &Measured| (one.backend.clone(), one.size))
        .collect();
    for (backend, size) in &libraries {
        library(&measured, &memories, backend, *size);
        numbers(&measured, &took, (backend, *size));
    }
    let backends: BTreeSet<&String> = libraries.iter().map(|(backend, _)| backend).collect();
    for backend in backends {
        let sizes: Vec<u64> = libraries
            .iter()
            .filter(|(of, _)| of == backend)
            .map(|(_, size)| *size)
            .collect();
        if let (Some(least), Some(most)) = (sizes.first(), sizes.last())
            && least < most
        {
            growth(&measured, &memories, backend, *least, *most);
        }
    }
    Ok(())
}

fn find<'a>(
    measured: &'a [Measured],
    (backend, size): (&str, u64),
    figure: Figure,
    connections: usize,
    by: By,
) -> Option<&'a Outcome> {
    measured
        .iter()
        .find(|one| {
            one.backend == backend
                && one.size == size
                && one.figure == figure
                && one.connections == connections
                && one.by == by
        })
        .map(|one| &one.outcome)
}

fn library(measured: &[Measured], memories: &[Memory], backend: &str, size: u64) {
    say(&format!("\n## {} projects on {backend}\n", grouped(size)));
    say(
        "| figure | conn. | taizhang req/s | median ms | p99 ms | failed | bare req/s | median | p99 \
         | pgbench tps | median | p99 | static req/s | of bare | of pgbench |",
    );
    say("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for figure in Figure::ALL {
        for connections in [1, 16] {
            let of = |by| find(measured, (backend, size), figure, connections, by);
            let Some(service) = of(By::Service) else {
                continue;
            };
            let three = |by| {
                of(by).map_or_else(
                    || "– | – | –".to_owned(),
                    |o| {
                        format!(
                            "{} | {} | {}",
                            rate(o.rate),
                            millis(o.median),
                            millis(o.p99)
                        )
                    },
                )
            };
            let share = |by| {
                of(by).map_or_else(
                    || "–".to_owned(),
                    |limit| format!("{} %", service.rate * 100 / limit.rate.max(1)),
                )
            };
            say(&format!(
                "| {} | {connections} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                figure.told(),
                rate(service.rate),
                millis(service.median),
                millis(service.p99),
                service.failed,
                three(By::Bare),
                three(By::Pgbench),
                of(By::Static).map_or_else(|| "–".to_owned(), |o| rate(o.rate)),
                share(By::Bare),
                share(By::Pgbench),
            ));
        }
    }
    for memory in memories {
        if memory.backend == backend && memory.size == size {
            say(&format!(
                "\nMemory of the process: {} MiB before, {} MiB after, {} MiB at the most.",
                memory.before / 1024,
                memory.after / 1024,
                memory.most / 1024
            ));
        }
    }
}

/// What is asked of the numbers, beside what they do.
fn numbers(measured: &[Measured], took: &[Took], library: (&str, u64)) {
    let of = |figure, connections, by| find(measured, library, figure, connections, by);
    say("\n| of the numbers | measured | limit | | asked |\n|---|---:|---:|---:|---:|");
    let compare = |what: &str, is: Option<&Outcome>, limit: Option<&Outcome>, asked: &str| {
        if let (Some(is), Some(limit)) = (is, limit) {
            let share = is.rate * 100 / limit.rate.max(1);
            let (is, limit) = (rate(is.rate), rate(limit.rate));
            say(&format!(
                "| {what} | {is}/s | {limit}/s | {share} % | {asked} |"
            ));
        }
    };
    for figure in [
        Figure::Summary,
        Figure::City,
        Figure::FreshSummary,
        Figure::FreshCity,
    ] {
        let (is, limit) = (of(figure, 16, By::Service), of(figure, 16, By::Bare));
        let what = format!("{}, 16 connections; limit: bare", figure.told());
        compare(&what, is, limit, ">= 60 %");
    }
    for (limit, by) in [
        (
            "a reply behind the service's own check of who asks",
            By::Check,
        ),
        (
            "the bare program's, which keeps no pool of connections",
            By::Bare,
        ),
    ] {
        compare(
            &format!("unchanged summary, 16 connections; limit: {limit}"),
            of(Figure::Unchanged, 16, By::Service),
            of(Figure::Unchanged, 16, by),
            ">= 60 %",
        );
    }
    compare(
        "16 writers on one cell; limit: 16 writers on any cells",
        of(Figure::Move, 16, By::OneCell),
        of(Figure::Move, 16, By::Service),
        ">= 70 %",
    );
    for connections in [1, 16] {
        let (with, without) = (By::Pgbench, By::WithoutSums);
        let (with, without) = (
            of(Figure::Move, connections, with),
            of(Figure::Move, connections, without),
        );
        if let (Some(with), Some(without)) = (with, without) {
            say(&format!(
                "| SQL of a move with the sums, {connections} connections; limit: without | {} ms | {} ms | {} | <= x1.3 |",
                millis(with.median),
                millis(without.median),
                hundredths(without.median, with.median)
            ));
        }
    }
    for (once, what, asked) in [
        (
            Once::AsOf,
            "summary as of a year ago, asked for the first time",
            "<= 1,200 ms",
        ),
        (
            Once::Attainment,
            "attainment of all targets of Panjin",
            "<= 50 ms",
        ),
        (Once::Rebuild, "`taizhang rollup rebuild`", "<= 30,000 ms"),
    ] {
        let is_it = |one: &&Took| {
            (one.backend.as_str(), one.size, one.once) == (library.0, library.1, once)
        };
        if let Some(one) = took.iter().find(is_it) {
            say(&format!(
                "| {what} | {} ms | – | | {asked} |",
                millis(one.micros)
            ));
        }
    }
}

fn growth(measured: &[Measured], memories: &[Memory], backend: &str, least: u64, most: u64) {
    say(&format!(
        "\n## From {} to {} projects on {backend}\n",
        grouped(least),
        grouped(most)
    ));
    say(
        "| figure | conn. | taizhang median ms | factor | p99 ms | factor | pgbench median ms | factor |",
    );
    say("|---|---:|---:|---:|---:|---:|---:|---:|");
    for figure in Figure::ALL {
        for connections in [1, 16] {
            let of = |size, by| find(measured, (backend, size), figure, connections, by);
            let told = |by, value: fn(&Outcome) -> u64| match (of(least, by), of(most, by)) {
                (Some(a), Some(b)) => {
                    let (a, b) = (value(a), value(b));
                    format!("{} → {} | {}", millis(a), millis(b), factor(a, b))
                }
                _ => "– | –".to_owned(),
            };
            say(&format!(
                "| {} | {connections} | {} | {} | {} |",
                figure.told(),
                told(By::Service, |o| o.median),
                told(By::Service, |o| o.p99),
                told(By::Pgbench, |o| o.median),
            ));
        }
    }
    let of = |size| {
        memories
            .iter()
            .find(|m| m.backend == backend && m.size == size)
    };
    if let (Some(a), Some(b)) = (of(least), of(most)) {
        say(&format!(
            "\nMemory of the process at the most: {} → {} MiB.",
            a.most / 1024,
            b.most / 1024
        ));
    }
}

/// Requests in a thousand seconds, told by the second.
fn rate(rate: u64) -> String {
    if rate < 100_000 {
        format!("{}.{}", rate / 1000, rate % 1000 / 100)
    } else {
        grouped(rate / 1000)
    }
}

/// Microseconds as milliseconds.
fn millis(micros: u64) -> String {
    if micros < 10_000 {
        format!("{}.{:03}", micros / 1000, micros % 1000)
    } else {
        format!("{}.{}", micros / 1000, micros % 1000 / 100)
    }
}

fn factor(from: u64, to: u64) -> String {
    let tenths = to * 10 / from.max(1);
    format!("x{}.{}", tenths / 10, tenths % 10)
}

fn hundredths(from: u64, to: u64) -> String {
    let hundredths = to * 100 / from.max(1);
    format!("x{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
