//! People: kept by the system administrator, let out by the security administrator.

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use chrono::{DateTime, Utc};
use domain::text::Text;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::auth::{broken_key, not_checked};
use super::me::sessions_of;
use super::query::Paging;
use super::{page, single};
use crate::app::App;
use crate::auth::keys::random_text;
use crate::auth::{Caller, password};
use crate::body::{Body, Parameters, Patch, Query, documented, read_part};
use crate::input::read::Reader;
use crate::page::Page;
use crate::precondition::{Precondition, etag};
use crate::problem::{Fault, Problem};
use crate::store::account::user::{self, Change, New, Question};
use crate::store::account::{second_factor, session};
use crate::store::{Failure, Tx};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_users)
        .service(create_user)
        .service(get_user)
        .service(amend_user)
        .service(reset_password)
        .service(unlock_user)
        .service(remove_users_second_factor)
        .service(list_users_sessions)
        .service(end_users_sessions);
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// The account.
    id: Uuid,
    /// The name to sign in with.
    #[schema(example = "zhang.wei")]
    username: String,
    /// The name to show.
    #[schema(example = "张伟")]
    display_name: String,
    /// When it was disabled; null if it is not.
    disabled_at: Option<DateTime<Utc>>,
    /// Whether a password is kept here.
    has_password: bool,
    /// Whether there is a second factor.
    has_second_factor: bool,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// How often it has been changed; its `ETag`.
    version: i64,
}

impl From<user::Record> for User {
    fn from(record: user::Record) -> Self {
        Self {
            id: record.id,
            username: record.username,
            display_name: record.display_name,
            disabled_at: record.disabled_at,
            has_password: record.has_password,
            has_second_factor: record.has_second_factor,
            created_at: record.created_at,
            version: record.version,
        }
    }
}

/// Which people.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct UserFilters {
    /// A part of either name.
    #[param(pattern = r"^[^\x00-\x1F\x7F-\x9F]{1,100}$")]
    q: Option<String>,
    /// Only those disabled, or only those not.
    disabled: Option<bool>,
}

/// The parameters of a list of people.
#[derive(Debug)]
pub struct UserQuery {
    filters: UserFilters,
    paging: Paging,
}

impl Parameters for UserQuery {
    fn names() -> Vec<String> {
        [documented::<UserFilters>(), documented::<Paging>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            paging: read_part(query)?,
        })
    }
}

/// List people
///
/// By the name to sign in with.
#[utoipa::path(tag = "users", params(UserFilters, Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of them", body = Page<User>)))]
#[get("/v1/users")]
async fn list_users(
    app: web::Data<App>,
    request: HttpRequest,
    _caller: Caller,
    query: Query<UserQuery>,
) -> Result<HttpResponse, Problem> {
    let UserQuery { filters, paging } = query.0;
    let (limit, cursor) = paging.checked()?;
    if let Some(q) = &filters.q
        && Text::<100>::parse(q).is_err()
    {
        return Err(Problem::invalid(vec![Fault::parameter(
            "q",
            "unreadable_parameter",
            "须为 1 至 100 个可见字符",
            "It has 1 to 100 visible characters",
        )]));
    }
    let question = Question {
        q: filters.q,
        disabled: filters.disabled,
        limit,
        cursor,
    };
    let (records, next) = user::page(app.db.reader(), &question)
        .await
        .map_err(Failure::told)?;
    let items: Vec<User> = records.into_iter().map(User::from).collect();
    Ok(page(&request, items, next, None))
}

/// A person to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name to sign in with: small letters, digits and `. _ @ -`.
    #[schema(pattern = r"^[a-z0-9][a-z0-9._@-]{0,63}$", example = "zhang.wei")]
    username: String,
    /// The name to show.
    #[schema(min_length = 1, max_length = 100, example = "张伟")]
    display_name: String,
}

/// A person with the password of his first sign-in.
#[derive(Serialize, ToSchema)]
pub struct UserMade {
    /// The person.
    user: User,
    /// To be told to him, and changed by him before he does anything else; it is not shown again.
    one_time_password: String,
}

/// Make an account
///
/// Without any rights: those are asked for by `POST /v1/users/{id}/grants` and decided by the security administrator.
#[utoipa::path(tag = "users", request_body = NewUser, security(("bearer" = [])),
    responses((status = 201, description = "Made", body = UserMade)))]
#[post("/v1/users")]
async fn create_user(
    app: web::Data<App>,
    caller: Caller,
    body: Body<NewUser>,
) -> Result<HttpResponse, Problem> {
    let NewUser {
        username,
        display_name,
    } = body.value;
    let mut reader = Reader::default();
    check_username(&mut reader, "/username", &username);
    let display_name = reader.text::<100>("/display_name", &display_name);
    let Some(display_name) = display_name.filter(|_| reader.faults.is_empty()) else {
        return Err(Problem::invalid(reader.faults));
    };
    let (one_time_password, password_hash) = one_time_password().await?;
    let new = New {
        username,
        display_name: display_name.as_str().to_owned(),
        password_hash,
        is_one_time: true,
    };
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            let id = user::add(tx, &new).await?;
            user::read(&tx.db, id).await
        })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((ETAG, etag(record.version)))
        .insert_header((LOCATION, format!("/v1/users/{}", record.id)))
        .json(UserMade {
            user: record.into(),
            one_time_password,
        }))
}

/// Holds a name to sign in with to its pattern.
pub(crate) fn check_username(reader: &mut Reader, pointer: &str, username: &str) {
    let is_head = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_name = (1..=64).contains(&username.len())
        && username.starts_with(is_head)
        && username.chars().all(|c| is_head(c) || "._@-".contains(c));
    if !is_name {
        reader.faults.push(Fault::at(
            pointer,
            "invalid_username",
            "用户名须为 1 至 64 个小写字母、数字或 . _ @ -，以字母或数字开头",
            "A user name has 1 to 64 small letters, digits and . _ @ -, the first a letter or a digit",
        ));
    }
}

/// A password that nobody has chosen, and its hash.
pub(crate) async fn one_time_password() -> Result<(String, String), Problem> {
    let password = random_text::<16>().map_err(broken_key)?;
    let hash = password::hash(password.clone())
        .await
        .map_err(not_checked)?;
    Ok((password, hash))
}

/// Read a person
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "The person", body = User)))]
#[get("/v1/users/{id}")]
async fn get_user(
    app: web::Data<App>,
    _caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let record = user::read(app.db.reader(), *id)
        .await
        .map_err(Failure::told)?;
    let version = record.version;
    Ok(single(&User::from(record), version))
}

/// What is changed of a person; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// The name to show.
    #[schema(min_length = 1, max_length = 100, nullable = false)]
    display_name: Option<String>,
    /// Whether he may not sign in; who is disabled is out at the next request.
    #[schema(nullable = false)]
    disabled: Option<bool>,
}

/// Amend a person
///
/// Renames, disables or enables. Nobody disables himself.
#[utoipa::path(tag = "users", request_body(content = UserPatch, content_type = "application/merge-patch+json"),
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account"),
        ("If-Match" = String, Header, description = "The ETag of the version that is amended", example = "\"1\"")),
    responses((status = 200, description = "As it is now", body = User)))]
#[patch("/v1/users/{id}")]
async fn amend_user(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    patch: Patch<UserPatch>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let mut reader = Reader::default();
    let UserPatch {
        display_name,
        disabled,
    } = patch.0;
    let display_name = display_name.and_then(|name| reader.text::<100>("/display_name", &name));
    if !reader.faults.is_empty() {
        return Err(Problem::invalid(reader.faults));
    }
    let change = Change {
        display_name: display_name.map(|name| name.as_str().to_owned()),
        disabled,
    };
    let id = id.into_inner();
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            user::amend(tx, id, seen, &change).await
        })
        .await?;
    let version = record.version;
    Ok(single(&User::from(record), version))
}

/// A password that is to be changed at the first sign-in.
#[derive(Serialize, ToSchema)]
pub struct OneTimePassword {
    /// It is not shown again.
    one_time_password: String,
}

/// Give a new one-time password
///
/// For who has lost his. His sign-ins end and he may try again; his second factor stays. Not for security and audit
/// administrators: `taizhang user password` on the server gives them one.
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "The password", body = OneTimePassword)))]
#[post("/v1/users/{id}/password")]
async fn reset_password(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (one_time_password, hash) = one_time_password().await?;
    let id = id.into_inner();
    app.db
        .write(caller.author(), async move |tx| {
            user::reset_password(tx, id, &hash).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(OneTimePassword { one_time_password }))
}

/// Does something to an account that answers nothing.
async fn act(
    app: &App,
    caller: Caller,
    work: impl AsyncFn(&Tx) -> Result<(), Failure> + 'static,
) -> Result<HttpResponse, Problem> {
    app.db.write(caller.author(), work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Let somebody try again
///
/// Who has failed too often need not wait for the 15 minutes.
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "He may try again")))]
#[post("/v1/users/{id}/unlock")]
async fn unlock_user(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    act(&app, caller, async move |tx| user::unlock(tx, *id).await).await
}

/// Remove somebody's second factor
///
/// For who has lost it and his recovery codes.
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "Removed")))]
#[post("/v1/users/{id}/second-factor/remove")]
async fn remove_users_second_factor(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    act(&app, caller, async move |tx| {
        user::read(&tx.db, *id).await?;
        user::refuse_own(tx, *id)?;
        second_factor::remove(tx, *id).await
    })
    .await
}

/// List somebody's sign-ins
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "Those in force", body = super::me::Sessions)))]
#[get("/v1/users/{id}/sessions")]
async fn list_users_sessions(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    user::read(app.db.reader(), *id)
        .await
        .map_err(Failure::told)?;
    sessions_of(&app, *id, caller.principal.session).await
}

/// End somebody's sign-ins
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "Ended, every one")))]
#[post("/v1/users/{id}/sessions/end")]
async fn end_users_sessions(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    act(&app, caller, async move |tx| {
        user::read(&tx.db, *id).await?;
        session::end_all(tx, *id, None, session::Because::EndedByAdministrator).await
    })
    .await
}
