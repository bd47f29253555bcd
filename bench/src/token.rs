//! What it costs a request that its token is verified.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use taizhang::auth::token::{ACCESS_LIFE, Tokens, Use};
use taizhang::clock::{Clock, new_id};
use taizhang::config::Config;

use crate::drive::drive;
use crate::{Result, say};

/// How many microseconds it may add at the median.
const LIMIT: u64 = 100;
/// How often each route is measured, in turn.
const ROUNDS: usize = 5;
/// How long each time.
const TIME: Duration = Duration::from_secs(2);

fn clock() -> Clock {
    Clock::new(Config::default().time_zone)
}

/// Serves one reply on two routes, one open and one that verifies the token as the service does, and asks for both.
pub(crate) async fn measure() -> Result<()> {
    let keys = tempfile::TempDir::new()?;
    let now = clock().now();
    let tokens = Arc::new(Tokens::open(keys.path(), "bench", now)?);
    let who = (new_id(), new_id(), new_id());
    let token = tokens.sign(Use::Access, who, now, now + ACCESS_LIFE)?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&tokens)))
            .route("/open", web::get().to(open))
            .route("/closed", web::get().to(closed))
    })
    .workers(1)
    .bind("127.0.0.1:0")?;
    let address = server.addrs().first().ok_or("not bound")?.to_string();
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let mut medians = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (route, medians) in ["open", "closed"].into_iter().zip(&mut medians) {
            let request = format!(
                "GET /{route} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
            );
            let outcome = drive(&address, 1, TIME, move || {
                Some(request.clone().into_bytes())
            });
            let outcome = outcome.await?;
            if outcome.failed > 0 {
                return Err(format!("/{route}: {} failed", outcome.failed).into());
            }
            medians.push(outcome.median);
        }
    }
    handle.stop(false).await;
    let [open, closed] = medians.map(|mut medians| {
        medians.sort_unstable();
        medians.get(ROUNDS / 2).copied().unwrap_or_default()
    });
    let added = closed.saturating_sub(open);
    say("| open µs | verified µs | added | limit |");
    say("|---:|---:|---:|---:|");
    say(&format!("| {open} | {closed} | {added} | {LIMIT} |"));
    if added < LIMIT {
        Ok(())
    } else {
        Err("verifying a token costs too much".into())
    }
}

async fn open(request: HttpRequest) -> HttpResponse {
    answer(bearer(&request).is_some())
}

async fn closed(tokens: web::Data<Tokens>, request: HttpRequest) -> HttpResponse {
    let claims = bearer(&request).and_then(|t| tokens.read(Use::Access, t, clock().now()));
    answer(claims.is_some())
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

fn answer(is_let_in: bool) -> HttpResponse {
    if is_let_in {
        HttpResponse::Ok().body("{}")
    } else {
        HttpResponse::Unauthorized().finish()
    }
}
