//! The limits: a program that checks the same token, sends the same SQL and gives the same reply, and does
//! nothing else; and a static reply.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::rc::Rc;

use actix_web::http::header::{AUTHORIZATION, ETAG, IF_NONE_MATCH};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use futures::TryStreamExt;
use serde_json::Value;
use taizhang::auth::token::{Tokens, Use};
use taizhang::clock::Clock;
use taizhang::clock::new_id;
use taizhang::config::Config;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Row};
use uuid::Uuid;

use crate::Result;
use crate::plan::{Bind, Figure, Plan, is_summary};
use crate::reply::{Page, Places, cell, project};

/// What a worker has: its own connections, as many as it needs at once.
struct Bare {
    url: String,
    plan: Rc<Plan>,
    tokens: Tokens,
    idle: RefCell<Vec<Connection>>,
}

/// A connection with the statements it has prepared.
struct Connection {
    client: Client,
    ready: HashMap<Figure, Rc<Vec<Ready>>>,
}

/// A statement that is ready to be sent.
struct Ready {
    sql: String,
    prepared: Option<tokio_postgres::Statement>,
    binds: Vec<Bind>,
    answers: Answers,
}

/// What a statement answers.
enum Answers {
    Projects(Box<Places>),
    Lists,
    Cells,
    Other,
}

/// A parameter as text, which PostgreSQL reads as whatever it needs.
#[derive(Debug)]
struct Text(Option<String>);

impl ToSql for Text {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(match &self.0 {
            None => IsNull::Yes,
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                IsNull::No
            }
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

impl Connection {
    async fn open(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        actix_web::rt::spawn(connection);
        Ok(Self {
            client,
            ready: HashMap::new(),
        })
    }

    async fn ready(&mut self, plan: &Plan, figure: Figure) -> Result<Rc<Vec<Ready>>> {
        if let Some(ready) = self.ready.get(&figure) {
            return Ok(Rc::clone(ready));
        }
        let mut all = Vec::new();
        let all_of_it = plan.get(&figure).into_iter().flatten();
        for statement in all_of_it {
            let prepared = if statement.prepared {
                Some(self.client.prepare(&statement.sql).await?)
            } else {
                None
            };
            let names: Vec<&str> = prepared
                .iter()
                .flat_map(|prepared| prepared.columns().iter().map(tokio_postgres::Column::name))
                .collect();
            let answers = if names.contains(&"family_counting") {
                Answers::Projects(Box::new(Places::of(&names)?))
            } else if names.contains(&"list_code") {
                Answers::Lists
            } else if names.contains(&"is_counted") {
                Answers::Cells
            } else {
                Answers::Other
            };
            all.push(Ready {
                sql: statement.sql.clone(),
                prepared,
                binds: statement.binds.clone(),
                answers,
            });
        }
        let all = Rc::new(all);
        self.ready.insert(figure, Rc::clone(&all));
        Ok(all)
    }

    /// Sends every statement of a figure and gives the reply.
    async fn answer(&mut self, plan: &Plan, figure: Figure, asked: &str) -> Result<String> {
        let ready = self.ready(plan, figure).await?;
        let city: u64 = asked.parse().unwrap_or_default();
        let fresh: [Uuid; 4] = std::array::from_fn(|_| new_id());
        let mut projects: (Vec<Row>, Option<&Places>) = (Vec::new(), None);
        let mut lists: HashMap<Uuid, Vec<String>> = HashMap::new();
        let mut cells = Vec::new();
        for statement in ready.iter() {
            let Some(prepared) = &statement.prepared else {
                self.client.batch_execute(&statement.sql).await?;
                continue;
            };
            let values: Vec<Text> = statement
                .binds
                .iter()
                .map(|bind| {
                    Text(match bind {
                        Bind::Null => None,
                        Bind::Same(text) => Some(text.clone()),
                        Bind::Project => Some(asked.to_owned()),
                        Bind::Region(below) => Some((city + below).to_string()),
                        Bind::OnPage(place) => usize::try_from(*place)
                            .ok()
                            .and_then(|place| projects.0.get(place))
                            .map(|row| row.get::<_, Uuid>("id").to_string()),
                        Bind::Fresh(place) => usize::try_from(*place)
                            .ok()
                            .and_then(|place| fresh.get(place))
                            .map(Uuid::to_string),
                    })
                })
                .collect();
            let rows = self.client.query_raw(prepared, values).await?;
            let rows: Vec<Row> = rows.try_collect().await?;
            match &statement.answers {
                Answers::Projects(places) => projects = (rows, Some(places)),
                Answers::Lists => {
                    for row in rows {
                        let of = row.get("project_id");
                        lists.entry(of).or_default().push(row.get("list_code"));
                    }
                }
                Answers::Cells => cells.extend(rows),
                Answers::Other => {}
            }
        }
        if figure == Figure::Unchanged {
            return Ok(String::new());
        }
        if is_summary(figure) {
            let cells: Vec<Value> = cells.iter().map(cell).collect();
            return Ok(serde_json::to_string(&cells)?);
        }
        let (rows, Some(places)) = projects else {
            return Err("no project".into());
        };
        let told = |row| project(row, places, &lists, figure != Figure::List);
        Ok(match figure {
            Figure::List => {
                let page = Page {
                    items: rows.iter().take(50).map(told).collect(),
                    next_cursor: (rows.len() > 50)
                        .then_some("eyJxIjoiQUJDREVGR0giLCJrIjpbeyJ0IjoiMjAyNC0xMi0zMVQwMDow"),
                };
                serde_json::to_string(&page)?
            }
            Figure::Get
            | Figure::Summary
            | Figure::City
            | Figure::FreshSummary
            | Figure::FreshCity
            | Figure::Unchanged
            | Figure::Move => {
                let row = rows.first().ok_or("no such project")?;
                serde_json::to_string(&told(row))?
            }
        })
    }
}

impl Bare {
    async fn handle(&self, request: &HttpRequest, figure: Figure, asked: &str) -> HttpResponse {
        let token = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .and_then(|token| self.tokens.read(Use::Access, token, now()));
        if token.is_none() {
            return HttpResponse::Unauthorized().finish();
        }
        let idle = self.idle.borrow_mut().pop();
        let opened = match idle {
            Some(connection) => Ok(connection),
            None => Connection::open(&self.url).await,
        };
        let answered = match opened {
            Ok(mut connection) => {
                let answered = connection.answer(&self.plan, figure, asked).await;
                self.idle.borrow_mut().push(connection);
                answered
            }
            Err(error) => Err(error),
        };
        match answered {
            Ok(_) if figure == Figure::Unchanged => HttpResponse::NotModified()
                .insert_header((ETAG, "\"1\""))
                .finish(),
            Ok(body) => HttpResponse::Ok()
                .insert_header((ETAG, "\"1\""))
                .content_type("application/json")
                .body(body),
            Err(error) => HttpResponse::InternalServerError().body(crate::whole(error.as_ref())),
        }
    }
}

async fn get(bare: Data<Bare>, request: HttpRequest, id: web::Path<Uuid>) -> HttpResponse {
    bare.handle(&request, Figure::Get, &id.to_string()).await
}

async fn list(
    bare: Data<Bare>,
    request: HttpRequest,
    asked: web::Query<HashMap<String, String>>,
) -> HttpResponse {
    let city = asked.get("region").map_or("", String::as_str);
    bare.handle(&request, Figure::List, city).await
}

async fn summary(
    bare: Data<Bare>,
    request: HttpRequest,
    asked: web::Query<HashMap<String, String>>,
) -> HttpResponse {
    let is_known = request.headers().contains_key(IF_NONE_MATCH);
    match asked.get("region") {
        None if is_known => bare.handle(&request, Figure::Unchanged, "").await,
        None => bare.handle(&request, Figure::Summary, "").await,
        Some(city) => bare.handle(&request, Figure::City, city).await,
    }
}

async fn advance(
    bare: Data<Bare>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    _: web::Json<Value>,
) -> HttpResponse {
    bare.handle(&request, Figure::Move, &id.to_string()).await
}

pub(crate) fn now() -> chrono::DateTime<chrono::Utc> {
    Clock::new(Config::default().time_zone).now()
}

/// Serves the bare program.
pub(crate) async fn serve(
    listen: &str,
    url: &str,
    plan: &Path,
    key: &Path,
    issuer: &str,
) -> Result<()> {
    let plan: Plan = serde_json::from_str(&std::fs::read_to_string(plan)?)?;
    let (url, key, issuer) = (url.to_owned(), key.to_owned(), issuer.to_owned());
    // Read once here, so that a key that can't be used is told.
    Tokens::open(&key, &issuer, now())?;
    HttpServer::new(move || {
        let app = actix_web::App::new();
        let app = match Tokens::open(&key, &issuer, now()) {
            Err(_) => app,
            Ok(tokens) => app.app_data(Data::new(Bare {
                url: url.clone(),
                plan: Rc::new(plan.clone()),
                tokens,
                idle: RefCell::default(),
            })),
        };
        app.route("/v1/projects/{id}", web::get().to(get))
            .route("/v1/projects", web::get().to(list))
            .route("/v1/summary", web::get().to(summary))
            .route("/v1/projects/{id}/transitions", web::post().to(advance))
    })
    .bind(listen)?
    .run()
    .await?;
    Ok(())
}

/// Serves a static reply of as many bytes as are asked for.
pub(crate) async fn serve_static(listen: &str) -> Result<()> {
    let all = Bytes::from(vec![b'x'; 1 << 20]);
    HttpServer::new(move || {
        let all = all.clone();
        actix_web::App::new().route(
            "/{bytes}",
            web::get().to(move |bytes: web::Path<usize>| {
                let body = all.slice(..(*bytes).min(all.len()));
                async move {
                    HttpResponse::Ok()
                        .content_type("application/json")
                        .body(body)
                }
            }),
        )
    })
    .bind(listen)?
    .run()
    .await?;
    Ok(())
}
