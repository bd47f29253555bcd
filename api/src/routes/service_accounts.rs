//! Other offices' systems: their accounts, secrets and keys; kept by the security administrator.

use std::collections::BTreeSet;

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use chrono::{DateTime, TimeDelta, Utc};
use domain::text::Text;
use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::auth::broken_key;
use super::query::Paging;
use super::users::check_username;
use super::{page, single};
use crate::app::App;
use crate::auth::assertion::{KeyFault, public_key};
use crate::auth::keys::{hash_of_secret, random_text};
use crate::auth::{Caller, Scope};
use crate::body::{Body, Query};
use crate::input::read::Reader;
use crate::page::Page;
use crate::precondition::{Precondition, etag};
use crate::problem::{Fault, Problem};
use crate::store::Failure;
use crate::store::account::service::{self, Fields, Record};

/// The most scopes, addresses or keys that are taken.
const MAX_MANY: usize = 50;
/// The longest time for which a former secret goes on, in hours.
const MAX_OVERLAP: i64 = 720;
/// How long an account may be given, in days.
const MAX_LIFE_DAYS: i64 = 1100;

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_service_accounts)
        .service(create_service_account)
        .service(get_service_account)
        .service(put_service_account)
        .service(add_secret)
        .service(revoke_secrets)
        .service(put_keys);
}

/// A secret of a system that is in force; the secret itself is not kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretView {
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ends; null if it has no successor.
    expires_at: Option<DateTime<Utc>>,
}

/// Another office's system.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceAccount {
    /// The account.
    id: Uuid,
    /// The name by which it asks for tokens.
    #[schema(example = "oa")]
    client_id: String,
    /// The name to show.
    #[schema(example = "市政府办公室 OA")]
    display_name: String,
    /// What it is for, and whom to call.
    description: Option<String>,
    /// What it may ask for.
    scopes: Vec<String>,
    /// From which addresses or networks it may come; empty for any.
    addresses: Vec<String>,
    /// Until when it may come.
    expires_at: DateTime<Utc>,
    /// Whether it may not come.
    disabled: bool,
    /// Its secrets that are in force.
    secrets: Vec<SecretView>,
    /// The names of its public keys.
    keys: Vec<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// How often it has been changed; its `ETag`.
    version: i64,
}

impl From<Record> for ServiceAccount {
    fn from(record: Record) -> Self {
        let Record {
            id,
            client_id,
            fields,
            secrets,
            keys,
            created_at,
            version,
        } = record;
        let secret = |(created_at, expires_at)| SecretView {
            created_at,
            expires_at,
        };
        Self {
            id,
            client_id,
            display_name: fields.display_name,
            description: fields.description,
            scopes: fields.scopes.iter().map(|s| s.code().to_owned()).collect(),
            addresses: fields.addresses,
            expires_at: fields.expires_at,
            disabled: fields.disabled,
            secrets: secrets.into_iter().map(secret).collect(),
            keys,
            created_at,
            version,
        }
    }
}

/// List systems
#[utoipa::path(tag = "service accounts", params(Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of them, by name", body = Page<ServiceAccount>)))]
#[get("/v1/service-accounts")]
async fn list_service_accounts(
    app: web::Data<App>,
    request: HttpRequest,
    _caller: Caller,
    paging: Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (limit, cursor) = paging.0.checked()?;
    let now = app.db.clock().now();
    let (records, next) = service::page(app.db.reader(), limit, cursor.as_deref(), now)
        .await
        .map_err(Failure::told)?;
    let items: Vec<ServiceAccount> = records.into_iter().map(ServiceAccount::from).collect();
    Ok(page(&request, items, next, None))
}

/// What is said of a system.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountFields {
    /// The name to show.
    #[schema(min_length = 1, max_length = 100, example = "市政府办公室 OA")]
    display_name: String,
    /// What it is for, and whom to call.
    #[schema(max_length = 1000)]
    description: Option<String>,
    /// What it may ask for: `projects:read`, `projects:export`, `projects:write`, `summary:read`, `reports:write`,
    /// `events:read`, `webhooks:manage`.
    #[schema(max_items = 50, example = json!(["projects:read", "summary:read"]))]
    scopes: Vec<String>,
    /// From which addresses or networks it may come; empty for any.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["10.20.0.0/16"]))]
    addresses: Vec<String>,
    /// Until when it may come; within three years.
    #[schema(example = "2027-12-31T16:00:00Z")]
    expires_at: DateTime<Utc>,
    /// Whether it may not come.
    #[serde(default)]
    disabled: bool,
}

/// A system to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServiceAccount {
    /// The name by which it is to ask for tokens: small letters, digits and `. _ @ -`.
    #[schema(pattern = r"^[a-z0-9][a-z0-9._@-]{0,63}$", example = "oa")]
    client_id: String,
    /// What is said of it.
    fields: ServiceAccountFields,
}

/// Reads what is said of a system; `at` is where it stands in the body.
fn read(
    reader: &mut Reader,
    at: &str,
    input: ServiceAccountFields,
    now: DateTime<Utc>,
) -> Option<Fields> {
    let before = reader.faults.len();
    let display_name = reader.text::<100>(&format!("{at}/display_name"), &input.display_name);
    let description = input
        .description
        .and_then(|text| reader.lines::<1000>(&format!("{at}/description"), &text));
    let mut scopes = BTreeSet::new();
    for (place, code) in input.scopes.iter().enumerate().take(MAX_MANY) {
        scopes.extend(reader.coded(&format!("{at}/scopes/{place}"), Scope::from_code, code));
    }
    let mut addresses = Vec::new();
    for (place, address) in input.addresses.iter().enumerate().take(MAX_MANY) {
        let pointer = format!("{at}/addresses/{place}");
        addresses.extend(reader.take(network(&pointer, address)));
    }
    for (name, count) in [
        ("scopes", input.scopes.len()),
        ("addresses", input.addresses.len()),
    ] {
        if count > MAX_MANY {
            reader.faults.push(Fault::at(
                format!("{at}/{name}"),
                "too_many",
                format!("最多 {MAX_MANY} 个"),
                format!("{MAX_MANY} at the most"),
            ));
        }
    }
    if !(now..=now + TimeDelta::days(MAX_LIFE_DAYS)).contains(&input.expires_at) && !input.disabled
    {
        reader.faults.push(Fault::at(
            format!("{at}/expires_at"),
            "expiry_out_of_range",
            "有效期须在今后三年之内",
            "It has to end within the next three years",
        ));
    }
    let display_name = display_name.filter(|_| reader.faults.len() == before)?;
    Some(Fields {
        display_name: display_name.as_str().to_owned(),
        description: description
            .as_ref()
            .map(|text| Text::as_str(text).to_owned()),
        scopes,
        addresses,
        expires_at: input.expires_at,
        disabled: input.disabled,
    })
}

/// An address or a network, as it is kept.
fn network(pointer: &str, text: &str) -> Result<String, Fault> {
    let net = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    net.map(|net| net.trunc().to_string()).map_err(|_| {
        Fault::at(
            pointer,
            "invalid_network",
            "须为地址或网段，如 10.20.0.0/16",
            "It has to be an address or a network, such as 10.20.0.0/16",
        )
    })
}

/// Make the account of a system
///
/// Without rights and without a secret: rights are asked for by the system administrator
/// (`POST /v1/users/{id}/grants`), secrets are given by `POST /v1/service-accounts/{id}/secrets`.
#[utoipa::path(tag = "service accounts", request_body = NewServiceAccount, security(("bearer" = [])),
    responses((status = 201, description = "Made", body = ServiceAccount)))]
#[post("/v1/service-accounts")]
async fn create_service_account(
    app: web::Data<App>,
    caller: Caller,
    body: Body<NewServiceAccount>,
) -> Result<HttpResponse, Problem> {
    let NewServiceAccount { client_id, fields } = body.value;
    let mut reader = Reader::default();
    check_username(&mut reader, "/client_id", &client_id);
    let fields = read(&mut reader, "/fields", fields, app.db.clock().now());
    let Some(fields) = fields.filter(|_| reader.faults.is_empty()) else {
        return Err(Problem::invalid(reader.faults));
    };
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            service::add(tx, &client_id, &fields).await
        })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((ETAG, etag(record.version)))
        .insert_header((LOCATION, format!("/v1/service-accounts/{}", record.id)))
        .json(ServiceAccount::from(record)))
}

/// Read a system
#[utoipa::path(tag = "service accounts", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "The system", body = ServiceAccount)))]
#[get("/v1/service-accounts/{id}")]
async fn get_service_account(
    app: web::Data<App>,
    _caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let record = service::read(app.db.reader(), *id, app.db.clock().now())
        .await
        .map_err(Failure::told)?;
    let version = record.version;
    Ok(single(&ServiceAccount::from(record), version))
}

/// Replace what is said of a system
///
/// Its tokens end: what is taken away is gone at its next request.
#[utoipa::path(tag = "service accounts", request_body = ServiceAccountFields, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account"),
        ("If-Match" = String, Header, description = "The ETag of the version that is replaced", example = "\"1\"")),
    responses((status = 200, description = "As it is now", body = ServiceAccount)))]
#[put("/v1/service-accounts/{id}")]
async fn put_service_account(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<ServiceAccountFields>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let mut reader = Reader::default();
    let Some(fields) = read(&mut reader, "", body.value, app.db.clock().now()) else {
        return Err(Problem::invalid(reader.faults));
    };
    let id = id.into_inner();
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            service::put(tx, id, seen, &fields).await
        })
        .await?;
    let version = record.version;
    Ok(single(&ServiceAccount::from(record), version))
}

/// How a secret is followed by another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRequest {
    /// For how many hours the former ones go on, so that the system can be set to the new one.
    #[serde(default = "a_day", deserialize_with = "whole")]
    #[schema(minimum = 0, maximum = 720, default = 24, example = 24)]
    overlap_hours: i64,
}

const fn a_day() -> i64 {
    24
}

/// Reads a whole number, also where it is written with a point: JSON has one kind of numbers.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits
        .parse()
        .map_err(|_| D::Error::custom("not a whole number"))
}

/// A new secret of a system.
#[derive(Serialize, ToSchema)]
pub struct SecretMade {
    /// The name to be shown with it.
    #[schema(example = "oa")]
    client_id: String,
    /// It is not shown again: only its hash is kept.
    client_secret: String,
}

/// How long a former secret goes on beside a new one.
///
/// # Errors
/// `out_of_range`.
pub(super) fn overlap(hours: i64) -> Result<TimeDelta, Problem> {
    if (0..=MAX_OVERLAP).contains(&hours) {
        return Ok(TimeDelta::hours(hours));
    }
    Err(Problem::invalid(vec![Fault::at(
        "/overlap_hours",
        "out_of_range",
        format!("须为 0 至 {MAX_OVERLAP}"),
        format!("It has to be from 0 to {MAX_OVERLAP}"),
    )]))
}

/// Give a system a new secret
///
/// Shown once. Former ones go on for a while.
#[utoipa::path(tag = "service accounts", request_body = SecretRequest, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 201, description = "The secret", body = SecretMade)))]
#[post("/v1/service-accounts/{id}/secrets")]
async fn add_secret(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<SecretRequest>,
) -> Result<HttpResponse, Problem> {
    let former_goes_on = overlap(body.value.overlap_hours)?;
    let client_secret = random_text::<32>().map_err(broken_key)?;
    let hash = hash_of_secret(&client_secret);
    let id = id.into_inner();
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            service::add_secret(tx, id, &hash, former_goes_on).await
        })
        .await?;
    Ok(HttpResponse::Created().json(SecretMade {
        client_id: record.client_id,
        client_secret,
    }))
}

/// Take a system's secrets away
///
/// All of them, at once; its tokens end.
#[utoipa::path(tag = "service accounts", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "As it is now", body = ServiceAccount)))]
#[post("/v1/service-accounts/{id}/secrets/revoke")]
async fn revoke_secrets(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            service::revoke_secrets(tx, id).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(ServiceAccount::from(record)))
}

/// The public keys of a system.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicKeys {
    /// JSON Web Keys, each with its `kid`: Ed25519, P-256, P-384 or RSA of 2048 bits or more.
    #[schema(value_type = Vec<Object>, max_items = 10,
        example = json!([{ "kty": "OKP", "crv": "Ed25519", "kid": "2026", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }]))]
    keys: Vec<Value>,
}

/// Set a system's public keys
///
/// By which it signs its assertions (`private_key_jwt`). The whole set is replaced.
#[utoipa::path(tag = "service accounts", request_body = PublicKeys, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account"),
        ("If-Match" = String, Header, description = "The ETag of the system", example = "\"1\"")),
    responses((status = 200, description = "As it is now", body = ServiceAccount)))]
#[put("/v1/service-accounts/{id}/keys")]
async fn put_keys(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<PublicKeys>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let mut keys: Vec<(String, Value)> = Vec::new();
    let mut faults = Vec::new();
    for (place, key) in body.value.keys.iter().enumerate() {
        let pointer = format!("/keys/{place}");
        match public_key(key) {
            Ok((name, _)) if keys.iter().any(|(other, _)| *other == name) => {
                faults.push(Fault::at(
                    pointer,
                    "repeated",
                    "kid 重复",
                    "The kid stands there twice",
                ));
            }
            Ok(key) if keys.len() < service::MAX_KEYS => keys.push(key),
            Ok(_) => faults.push(Fault::at(
                pointer,
                "too_many",
                format!("最多 {} 个", service::MAX_KEYS),
                format!("{} at the most", service::MAX_KEYS),
            )),
            Err(KeyFault::Private) => faults.push(Fault::at(
                pointer,
                "private_key",
                "这是私钥；私钥不得交出，请更换密钥并只提交公钥",
                "This is a private key, which nobody else should have; make another and send its public part",
            )),
            Err(KeyFault::Unsuitable) => faults.push(Fault::at(
                pointer,
                "unsuitable_key",
                "须为带 kid 的 JWK：Ed25519、P-256、P-384 或 2048 位以上 RSA",
                "It has to be a JWK with a kid: Ed25519, P-256, P-384 or RSA of 2048 bits or more",
            )),
        }
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let id = id.into_inner();
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            service::set_keys(tx, id, seen, &keys).await
        })
        .await?;
    let version = record.version;
    Ok(single(&ServiceAccount::from(record), version))
}
