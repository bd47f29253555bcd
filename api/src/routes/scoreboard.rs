//! The scoreboard: regions ranked by what happened in a month or a quarter, each figure with the link to its projects.

pub mod periods;
mod table;
pub mod view;

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::numbers::{Asking, IfNoneMatch};
use super::query::ScoreboardParameters;
use super::single;
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Body, Query};
use crate::codes::Spreadsheet;
use crate::input::scoreboard::SchemeInput;
use crate::precondition::Precondition;
use crate::print::negotiate::{CSV, XLSX};
use crate::print::{Print, Printing};
use crate::problem::Problem;
use crate::store::Failure;
use crate::store::scoreboard::{self, scheme};
use view::ScoreboardView;

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(get_scoreboard)
        .service(get_scoreboard_scheme)
        .service(put_scoreboard_scheme);
    periods::operations(service);
}

/// A scheme as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreboardSchemeView {
    /// How often it was changed; its ETag. The preset is the first.
    version: i64,
    /// Whether it is the preset, which holds until a scheme is set.
    is_preset: bool,
    /// What it says.
    scheme: SchemeInput,
}

impl From<&scheme::Record> for ScoreboardSchemeView {
    fn from(record: &scheme::Record) -> Self {
        Self {
            version: record.version,
            is_preset: record.is_preset(),
            scheme: SchemeInput::from(&record.scheme),
        }
    }
}

/// Rank regions (督考比)
///
/// The direct parts of a region, ranked by what happened in a month (月月评) or a quarter (季度比), with the red and the
/// black list (红黑榜). The best value of an indicator is worth 100, the others in proportion, rounded half up to two
/// decimals; the score of a region is the mean by weight of those scores, rounded alike. What is not known or not
/// applicable is not zero: its weight is left out for that region, and for everybody where even the best value is
/// nothing. Each indicator leads to exactly the projects behind it. A closed period is told as it was known when it was
/// closed, for ever. Only for who may read all of the region. As a table for people too: `Accept: text/csv`, or the path
/// with the ending `.csv` or `.xlsx`.
#[utoipa::path(tag = "scoreboard", params(ScoreboardParameters, Printing, IfNoneMatch), security(("bearer" = [])),
    responses((status = 200, description = "The ranking",
            content((ScoreboardView = "application/json"), (String = CSV), (Spreadsheet = XLSX))),
        (status = 304, description = "It is as it was")))]
#[get("/v1/scoreboard")]
async fn get_scoreboard(
    app: web::Data<App>,
    asking: Asking,
    parameters: Query<ScoreboardParameters>,
    print: Print,
) -> Result<HttpResponse, Problem> {
    if let Some(known) = asking.known(print.0) {
        return Ok(known);
    }
    let clock = app.db.clock();
    let question = parameters.0.question(clock)?;
    let reach = asking.reach.clone();
    let answer = app
        .db
        .read(async move |tx| scoreboard::answer(tx, &reach, &question).await)
        .await?;
    let view = ScoreboardView::new(&answer, clock.now());
    match print.0 {
        Some(sheet) => table::answer(clock, sheet, &answer, &view),
        None => asking.answer(&view),
    }
}

/// Read what the scoreboard looks at
#[utoipa::path(tag = "scoreboard", security(("bearer" = [])),
    responses((status = 200, description = "The scheme", body = ScoreboardSchemeView)))]
#[get("/v1/scoreboard/scheme")]
async fn get_scoreboard_scheme(
    app: web::Data<App>,
    _caller: Caller,
) -> Result<HttpResponse, Problem> {
    let record = scheme::find(app.db.reader(), None)
        .await
        .map_err(Failure::told)?;
    Ok(single(&ScoreboardSchemeView::from(&record), record.version))
}

/// Set what the scoreboard looks at
///
/// For a manager of the whole library; it is replaced as a whole. Periods that are closed keep the scheme that they were
/// closed under.
#[utoipa::path(tag = "scoreboard", request_body = SchemeInput, security(("bearer" = [])),
    params(("If-Match" = String, Header, description = "The ETag of the scheme that is replaced", example = "\"1\"")),
    responses((status = 200, description = "The scheme as it stands now", body = ScoreboardSchemeView)))]
#[put("/v1/scoreboard/scheme")]
async fn put_scoreboard_scheme(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<SchemeInput>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let wanted = body.value.read().map_err(Problem::invalid)?;
    let (by, principal) = (caller.author(), caller.principal);
    let record = app
        .db
        .write(by, async move |tx| {
            scheme::put(tx, &principal, seen, &wanted).await
        })
        .await?;
    Ok(single(&ScoreboardSchemeView::from(&record), record.version))
}
