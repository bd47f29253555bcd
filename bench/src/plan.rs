//! The SQL that the service sends for each figure, as PostgreSQL has logged it: the same SQL is then given to
//! pgbench and to the bare program.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::layout::{BLOCK, FAMILY, FIRST, Layout, PROJECT_IDS};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    Get,
    List,
    Summary,
    City,
    FreshSummary,
    FreshCity,
    Unchanged,
    Move,
}

impl Figure {
    pub(crate) const ALL: [Self; 8] = [
        Self::Get,
        Self::List,
        Self::Summary,
        Self::City,
        Self::FreshSummary,
        Self::FreshCity,
        Self::Unchanged,
        Self::Move,
    ];

    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Get => "one project",
            Self::List => "page of 50 in a city",
            Self::Summary => "summary tier x stage",
            Self::City | Self::FreshCity => "the same of a city",
            Self::FreshSummary => "summary not asked for before",
            Self::Unchanged => "unchanged summary (304)",
            Self::Move => "stage move",
        }
    }
}

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Bind {
    /// NULL.
    Null,
    /// The same in every request.
    Same(String),
    /// The project that is asked for.
    Project,
    /// A region of the city that is asked for: the city itself is the first.
    Region(u64),
    /// The project in that place of the page that was read.
    OnPage(u64),
    /// An id made for the request.
    Fresh(u64),
}

/// A statement as the service sent it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Statement {
    /// Its text, with `$1` and so on.
    pub sql: String,
    /// Its parameters.
    pub binds: Vec<Bind>,
    /// Whether it was prepared.
    pub prepared: bool,
}

/// The statements of each figure, in their order.
pub(crate) type Plan = BTreeMap<Figure, Vec<Statement>>;

/// The same statements without those that keep the sums and what the accounts are made of.
pub(crate) fn without_sums(statements: &[Statement]) -> Vec<Statement> {
    let keeps = |statement: &&Statement| {
        !["rollup_", "accounting_span"]
            .iter()
            .any(|table| statement.sql.contains(table))
    };
    statements.iter().filter(keeps).cloned().collect()
}

/// Whether a figure is a summary that has to be made.
pub(crate) const fn is_summary(figure: Figure) -> bool {
    matches!(
        figure,
        Figure::Summary | Figure::City | Figure::FreshSummary | Figure::FreshCity
    )
}

/// Whether a statement finds out who asks.
pub(crate) fn is_of_the_caller(statement: &Statement) -> bool {
    statement.sql.contains("session")
}

/// Replaces `$1` and so on outside of quotes.
fn filled(sql: &str, mut value: impl FnMut(usize) -> String) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut quote = None;
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '$') => {
                let mut place = 0_usize;
                while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
                    place = place * 10 + usize::try_from(digit).unwrap_or_default();
                    rest.next();
                }
                out.push_str(&value(place));
                continue;
            }
            (None | Some(_), _) => {}
        }
        out.push(c);
    }
    out
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A script for `pgbench -M prepared`. A move takes each client's projects one by one: the `first`th and on.
pub(crate) fn script(figure: Figure, statements: &[Statement], layout: Layout) -> String {
    let mut out = String::new();
    let last = layout.size.saturating_sub(1000).max(1) - 1;
    match figure {
        Figure::Get | Figure::Summary | Figure::FreshSummary | Figure::Unchanged => {
            let _ = writeln!(out, "\\set n {FIRST} + random(0, {})", layout.size - 1);
        }
        Figure::List | Figure::City | Figure::FreshCity => {
            let _ = writeln!(out, "\\set n {FIRST} + random(0, {last})");
            let last = crate::layout::CITIES - 1;
            let _ = writeln!(out, "\\set r0 (1000 + random(0, {last})) * 100");
            for below in 1..crate::layout::REGIONS_OF_CITY {
                let _ = writeln!(out, "\\set r{below} :r0 + {below}");
            }
        }
        Figure::Move => {
            let each = layout.movable_of_block();
            let _ = writeln!(out, "\\set i :first + :client_id * :each + :k");
            let _ = writeln!(out, "\\set k :k + 1");
            let _ = writeln!(
                out,
                "\\set n {FIRST} + (:i / {each}) * {BLOCK} + {FAMILY} + :i % {each}"
            );
        }
    }
    for statement in statements {
        let sql = filled(&statement.sql, |place| {
            match statement.binds.get(place.wrapping_sub(1)) {
                None | Some(Bind::Null) => "NULL".to_owned(),
                Some(Bind::Same(text)) => quoted(text),
                Some(Bind::Project) => format!("('{PROJECT_IDS}'::text || :n::text)::uuid"),
                Some(Bind::Region(below)) => format!(":r{below}"),
                Some(Bind::OnPage(place)) => {
                    format!(
                        "('{PROJECT_IDS}'::text || (:n::bigint + {})::text)::uuid",
                        place * 17
                    )
                }
                Some(Bind::Fresh(place)) => {
                    format!(
                        "('0190000000007000{:02}0000'::text || :n::text)::uuid",
                        90 + place
                    )
                }
            }
        });
        let _ = writeln!(out, "{sql};");
    }
    out
}

/// A statement with its parameters as they were sent.
pub(crate) fn with_values(statement: &Statement, of: impl Fn(&Bind) -> Option<String>) -> String {
    filled(&statement.sql, |place| {
        let bind = statement.binds.get(place.wrapping_sub(1));
        bind.and_then(&of)
            .map_or_else(|| "NULL".to_owned(), |text| quoted(&text))
    })
}
