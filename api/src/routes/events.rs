//! The feed of changes, for systems that follow them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::http::header::{ACCEPT, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, get, web};
use futures::{StreamExt, stream};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::query::{Asked, EventParameters, Place};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Query;
use crate::cloud_event::CloudEvent;
use crate::page::MAX_LIMIT;
use crate::problem::{Problem, kinds, weighted};
use crate::store::feed::{self, Stretch, Wanted};
use crate::store::{Db, Failure};

/// How often it is looked whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many stretches of the feed one request looks through in which there is nothing for it.
const MAX_STRETCHES: usize = 20;
/// After how long without an event a stream says that it still lives.
const QUIET: Duration = Duration::from_secs(15);
/// How long a stream goes on; then its reader comes again, with where he was.
const STREAM: Duration = Duration::from_mins(5);
/// After how long the reader of a stream comes again, in milliseconds.
const COMES_AGAIN: u64 = 2000;
/// The header in which the reader of a stream says where he was.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENT_STREAM: &str = "text/event-stream";

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(list_events);
}

/// A stretch of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// What happened, in order; there may be nothing of it, and more after it.
    items: Vec<CloudEvent>,
    /// What to ask for next as `after`.
    next_cursor: String,
    /// Whether there was nothing after that.
    is_end: bool,
}

/// Follow what happens
///
/// What happened to projects and to what they refer to, in an order that never changes and from which nothing is ever
/// missing: whoever asks on with `next_cursor` gets each event once, those of one project in the order in which they
/// happened. With `wait` the answer waits for something to happen; with `Accept: text/event-stream` events are sent as
/// they happen, and a reader who was cut off goes on with `Last-Event-ID`. Events of a project are told to whoever may
/// read the project when he asks. Types that this contract does not know may come to be: leave them out.
#[utoipa::path(tag = "events", security(("bearer" = [])),
    params(EventParameters, ("Last-Event-ID" = Option<String>, Header,
        description = "The id of the last event that the reader of a stream has; it goes before `after`")),
    responses((status = 200, description = "What happened", content(
        (EventPage = "application/json"),
        (String = "text/event-stream"),
    ))))]
#[get("/v1/events")]
async fn list_events(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    query: Query<EventParameters>,
) -> Result<HttpResponse, Problem> {
    let mut asked = query.0.checked(app.event_wait)?;
    let is_stream = is_stream(&request);
    if is_stream && let Some(last) = last_event_id(&request)? {
        asked.place = Place::After(last);
    }
    let place = begin(&app.db, asked.place).await?;
    if is_stream {
        let follower = Follower::new(&app, request, asked.wanted, place)?;
        return Ok(follower.stream());
    }
    let page = wait_for_page(&app, &request, caller, &asked, place).await?;
    Ok(HttpResponse::Ok().json(page))
}

fn is_stream(request: &HttpRequest) -> bool {
    weighted(request.headers(), &ACCEPT)
        .iter()
        .any(|(range, weight)| *weight > 0 && range.eq_ignore_ascii_case(EVENT_STREAM))
}

fn last_event_id(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    match value.to_str().ok().and_then(Place::read) {
        Some(Place::After(place)) => Ok(Some(place)),
        Some(Place::Latest) | None => Err(Problem::new(kinds::INVALID_CURSOR).say(
            "Last-Event-ID 须为收到的最后一个事件的 id",
            "Last-Event-ID has to be the id of the last event that came",
        )),
    }
}

/// Where to begin.
///
/// # Errors
/// `invalid_cursor` for a place that the feed has not come to: the library may have been restored, and what the asker
/// has seen since would be told anew.
pub(super) async fn begin(db: &Db, place: Place) -> Result<i64, Problem> {
    let end = feed::end(db.reader()).await.map_err(Failure::told)?;
    match place {
        Place::Latest => Ok(end),
        Place::After(place) if place <= end => Ok(place),
        Place::After(_) => Err(Problem::new(kinds::INVALID_CURSOR).say(
            "事件流还没有到这个位置；资料库可能已从备份恢复，请从头读取",
            "The feed has not come to that place; the library may have been restored: begin again",
        )),
    }
}

/// The next events, or none if there are none when the time is over. Rights are read again after each wait.
async fn wait_for_page(
    app: &App,
    request: &HttpRequest,
    mut caller: Caller,
    asked: &Asked,
    mut place: i64,
) -> Result<EventPage, Problem> {
    let until = Instant::now() + asked.wait;
    let mut stretches = 0;
    let mut turn = None;
    loop {
        let stretch = look(&app.db, &caller, &asked.wanted, place, asked.limit).await?;
        stretches += 1;
        let is_over = Instant::now() >= until || is_ending(app);
        let goes_on = if stretch.is_end {
            !is_over
        } else {
            stretches < MAX_STRETCHES
        };
        if !stretch.happenings.is_empty() || !goes_on {
            return Ok(EventPage {
                items: stretch
                    .happenings
                    .into_iter()
                    .map(CloudEvent::from)
                    .collect(),
                next_cursor: stretch.reached.to_string(),
                is_end: stretch.is_end,
            });
        }
        place = stretch.reached;
        if stretch.is_end {
            if turn.is_none() {
                turn = Some(follow(app)?);
            }
            tokio::time::sleep_until(until.min(Instant::now() + LOOK_EVERY)).await;
            caller = Caller::extract(request).await?;
        }
    }
}

async fn look(
    db: &Db,
    caller: &Caller,
    wanted: &Wanted,
    place: i64,
    limit: usize,
) -> Result<Stretch, Problem> {
    let reach = caller.principal.reads();
    feed::after(db.reader(), &reach, wanted, place, limit)
        .await
        .map_err(Failure::told)
}

fn is_ending(app: &App) -> bool {
    app.draining.load(Ordering::Relaxed)
}

/// Leave to wait for what will happen; only so many do at a time.
fn follow(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    let leave = app.followers.clone().try_acquire_owned();
    leave.map_err(|_| {
        Problem::new(kinds::UNAVAILABLE)
            .say(
                "同时等待事件的连接过多，请稍后再试，或去掉 wait",
                "Too many wait for events; try again later, or without wait",
            )
            .with_header(RETRY_AFTER, "10")
    })
}

/// One who reads a stream of events.
struct Follower {
    app: App,
    request: HttpRequest,
    wanted: Wanted,
    place: i64,
    until: Instant,
    said: Instant,
    _leave: OwnedSemaphorePermit,
}

impl Follower {
    fn new(app: &App, request: HttpRequest, wanted: Wanted, place: i64) -> Result<Self, Problem> {
        let now = Instant::now();
        Ok(Self {
            app: app.clone(),
            request,
            wanted,
            place,
            until: now + STREAM,
            said: now,
            _leave: follow(app)?,
        })
    }

    fn stream(self) -> HttpResponse {
        let begun = Ok::<_, Problem>(Bytes::from(format!("retry: {COMES_AGAIN}\n\n")));
        let rest = stream::try_unfold(self, async |mut follower| {
            let said = follower.next().await?;
            Ok(said.map(|bytes| (bytes, follower)))
        });
        HttpResponse::Ok()
            .content_type(EVENT_STREAM)
            // A proxy that gathers the answer before it passes it on would keep the events.
            .insert_header((
                HeaderName::from_static("x-accel-buffering"),
                HeaderValue::from_static("no"),
            ))
            .streaming(
                stream::once(std::future::ready(begun))
                    .chain(rest)
                    .boxed_local(),
            )
    }

    /// What is said next; nothing more if the time is over, or if the reader has lost the right to read. Rights are read
    /// at each look.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            if Instant::now() >= self.until || is_ending(&self.app) {
                return Ok(None);
            }
            let Ok(caller) = Caller::extract(&self.request).await else {
                return Ok(None);
            };
            let limit = usize::try_from(MAX_LIMIT).unwrap_or(usize::MAX);
            let stretch = look(&self.app.db, &caller, &self.wanted, self.place, limit).await?;
            self.place = stretch.reached;
            let is_end = stretch.is_end;
            let told = told(stretch);
            if !told.is_empty() {
                self.said = Instant::now();
                return Ok(Some(told.into()));
            }
            if self.said.elapsed() >= QUIET {
                self.said = Instant::now();
                // Without data it is no event, but the reader keeps the id.
                return Ok(Some(format!("id: {}\n\n", self.place).into()));
            }
            if is_end {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// A stretch as events of a stream (HTML Living Standard, 9.2).
fn told(stretch: Stretch) -> String {
    let mut text = String::new();
    for happening in stretch.happenings {
        let (seq, event) = (happening.seq, CloudEvent::from(happening));
        let data = serde_json::to_string(&event).unwrap_or_default();
        let seq = seq.to_string();
        text.extend([
            "id: ",
            &seq,
            "\nevent: ",
            event.kind(),
            "\ndata: ",
            &data,
            "\n\n",
        ]);
    }
    text
}
