//! Searching for words: pairs of characters, since Chinese writes without spaces.

use std::collections::BTreeSet;

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, LikeExpr, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DbBackend, EntityTrait, JoinType, QueryFilter, QuerySelect,
    Value,
};
use uuid::Uuid;

use super::row::strings;
use super::{Db, Failure};
use crate::entity::project::{self, Model};
use crate::entity::project_search;

/// How many projects are given their keys by one statement.
const KEYED: u64 = 500;

/// What a search for words looks through: names, codes and owner, in one case and one width.
fn haystack(row: &Model) -> String {
    let aliases = strings(&row.aliases);
    let parts = [Some(&row.name), row.code.as_ref(), row.owner_name.as_ref()];
    let all: Vec<&str> = parts
        .into_iter()
        .flatten()
        .chain(&aliases)
        .map(String::as_str)
        .collect();
    fold(&all.join("\n"))
}

/// What is looked through of a project.
pub(super) fn entry(row: &Model) -> project_search::ActiveModel {
    let haystack = haystack(row);
    let grams: Vec<String> = grams(&haystack).into_iter().collect();
    project_search::ActiveModel {
        project_id: Set(row.id),
        haystack: Set(haystack),
        grams: Set(grams.join(" ")),
        name_key: Set(Some(name_key(&row.name))),
    }
}

/// A name without what two people write in two ways: blanks, marks, width, case, and the words at its end that say no
/// more than that it is a project.
pub(crate) fn name_key(name: &str) -> String {
    const SAYS_NOTHING: [&str; 4] = ["项目", "工程", "建设", "计划"];
    let folded = fold(name);
    let plain: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut key = plain.as_str();
    while let Some(rest) = SAYS_NOTHING.iter().find_map(|word| key.strip_suffix(word)) {
        if rest.is_empty() {
            break;
        }
        key = rest;
    }
    key.to_owned()
}

/// Gives the projects a key that were saved before there were keys; answers how many there were.
pub(crate) async fn complete(db: &Db) -> Result<u64, Failure> {
    let mut done = 0;
    loop {
        let some = db
            .maintain(async |tx| {
                let rows: Vec<(Uuid, String)> = project_search::Entity::find()
                    .select_only()
                    .column(project_search::Column::ProjectId)
                    .expr(Expr::col((project::Entity, project::Column::Name)))
                    .join(
                        JoinType::InnerJoin,
                        project_search::Entity::belongs_to(project::Entity)
                            .from(project_search::Column::ProjectId)
                            .to(project::Column::Id)
                            .into(),
                    )
                    .filter(project_search::Column::NameKey.is_null())
                    .limit(KEYED)
                    .into_tuple()
                    .all(tx)
                    .await?;
                let keys = rows.iter().fold(CaseStatement::new(), |keys, (id, name)| {
                    keys.case(project_search::Column::ProjectId.eq(*id), name_key(name))
                });
                if !rows.is_empty() {
                    project_search::Entity::update_many()
                        .col_expr(project_search::Column::NameKey, keys.into())
                        .filter(
                            project_search::Column::ProjectId.is_in(rows.iter().map(|row| row.0)),
                        )
                        .exec(tx)
                        .await?;
                }
                Ok(u64::try_from(rows.len()).unwrap_or_default())
            })
            .await?;
        done += some;
        if some == 0 {
            return Ok(done);
        }
    }
}

/// One case and one width: full-width letters and digits become ASCII.
pub(crate) fn fold(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' => ' ',
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            _ => c,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// The characters of a text and its pairs of neighbours, for the inverted index.
fn grams(text: &str) -> BTreeSet<String> {
    let mut grams = BTreeSet::new();
    for word in text.split_whitespace() {
        let characters: Vec<char> = word.chars().collect();
        grams.extend(characters.iter().map(ToString::to_string));
        grams.extend(
            characters
                .windows(2)
                .map(|pair| pair.iter().collect::<String>()),
        );
    }
    grams
}

/// The longest pieces that every match has to hold: pairs, or the character of a word of one.
fn needed(folded: &str) -> Vec<String> {
    folded
        .split_whitespace()
        .flat_map(|word| {
            let characters: Vec<char> = word.chars().collect();
            if characters.len() == 1 {
                return vec![word.to_owned()];
            }
            characters
                .windows(2)
                .map(|pair| pair.iter().collect())
                .collect()
        })
        .collect()
}

/// Projects whose names, codes or owner hold the text as it stands.
///
/// PostgreSQL narrows by its inverted index first. SQLite, which serves small libraries, looks through all.
pub(super) fn matches(backend: DbBackend, text: &str) -> SimpleExpr {
    let folded = fold(text.trim());
    let pattern = pattern(&folded);
    let mut found = Query::select();
    found
        .column(project_search::Column::ProjectId)
        .from(project_search::Entity)
        .and_where(
            Expr::col((project_search::Entity, project_search::Column::Haystack)).like(pattern),
        );
    if backend == DbBackend::Postgres {
        // Not ARRAY[$1]: the builder takes what stands in brackets for a quoted name, and binds nothing there.
        found.and_where(Expr::cust_with_values(
            "string_to_array(grams, ' ') @> string_to_array($1, ' ')",
            [Value::from(needed(&folded).join(" "))],
        ));
    }
    Expr::col((project::Entity, project::Column::Id)).in_subquery(found.take())
}

/// The same in the past, of which there is no index: a version's own names, codes and owner are looked through,
/// so that nobody finds a project by what it is called since.
pub(super) fn matches_as_it_was(backend: DbBackend, text: &str) -> SimpleExpr {
    let aliases = if backend == DbBackend::Postgres {
        "SELECT string_agg(value, chr(10)) FROM jsonb_array_elements_text(project.aliases)"
    } else {
        "SELECT group_concat(value, char(10)) FROM json_each(project.aliases)"
    };
    let line = if backend == DbBackend::Postgres {
        "chr(10)"
    } else {
        "char(10)"
    };
    let all = format!(
        "project.name || {line} || COALESCE(project.code, '') || {line} || COALESCE(project.owner_name, '') \
         || {line} || COALESCE(({aliases}), '')"
    );
    Expr::cust(folded(backend, &all)).like(pattern(&fold(text.trim())))
}

/// What [`fold`] does, in SQL. `SQLite` makes only the letters of ASCII small.
fn folded(backend: DbBackend, text: &str) -> String {
    let wide: Vec<char> = ('\u{FF01}'..='\u{FF5E}').chain(['\u{3000}']).collect();
    let narrow = |c: &char| fold(&c.to_string()).replace('\'', "''");
    if backend == DbBackend::Postgres {
        let (from, to): (String, String) =
            (wide.iter().collect(), wide.iter().map(narrow).collect());
        return format!("LOWER(TRANSLATE({text}, '{from}', '{to}'))");
    }
    let narrowed = wide.iter().fold(text.to_owned(), |text, c| {
        format!("REPLACE({text}, '{c}', '{}')", narrow(c))
    });
    format!("LOWER({narrowed})")
}

/// The text itself as a pattern, anywhere.
fn pattern(folded: &str) -> LikeExpr {
    let escaped: String = folded
        .chars()
        .flat_map(|c| {
            let is_special = matches!(c, '%' | '_' | '\\');
            is_special.then_some('\\').into_iter().chain([c])
        })
        .collect();
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
}
