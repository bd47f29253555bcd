//! Reading a request: a JSON body with a limit, a deadline and pointers to what is wrong; a query string
//! in which every name is known.

mod strict;
pub mod upload;

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest};
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::problem::{Fault, Problem, kinds};

/// The largest JSON body, in bytes.
pub const MAX_JSON: usize = 256 * 1024;
/// The time that every body has, whatever its size.
const BODY_GRACE: Duration = Duration::from_secs(10);
/// The slowest body that is waited for, in bytes a second.
const SLOWEST_BODY: usize = 64 * 1024;

/// A JSON body, of so many bytes at the most.
#[derive(Debug)]
pub struct Body<T, const MAX: usize = MAX_JSON> {
    /// What it says.
    pub value: T,
    /// The bytes, for telling one request from another.
    pub bytes: Vec<u8>,
}

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Body<T, MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_headers(request, &["application/json"], MAX);
        let payload = payload.take();
        Box::pin(async move {
            let declared = checked?;
            let bytes = collect(payload, declared, MAX).await?;
            let value = parse(&bytes)?;
            Ok(Self { value, bytes })
        })
    }
}

/// A JSON Merge Patch (RFC 7396), also taken as plain JSON.
#[derive(Debug)]
pub struct Patch<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Patch<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_headers(
            request,
            &["application/merge-patch+json", "application/json"],
            MAX_JSON,
        );
        let payload = payload.take();
        Box::pin(async move {
            let bytes = collect(payload, checked?, MAX_JSON).await?;
            Ok(Self(parse(&bytes)?))
        })
    }
}

/// A form, as OAuth 2.0 sends it; none if a name that is known is missing or stands there twice.
#[derive(Debug)]
pub struct Form<T>(pub Option<T>);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_headers(request, &["application/x-www-form-urlencoded"], MAX_JSON);
        let payload = payload.take();
        Box::pin(async move {
            let bytes = collect(payload, checked?, MAX_JSON).await?;
            Ok(Self(serde_html_form::from_bytes(&bytes).ok()))
        })
    }
}

pub(crate) fn check_headers(
    request: &HttpRequest,
    types: &[&str],
    max: usize,
) -> Result<Option<usize>, Problem> {
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_encoded = !headers.get_all(CONTENT_ENCODING).all(|value| {
        value
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"identity")
    });
    if is_encoded {
        return Err(Problem::new(kinds::UNSUPPORTED_MEDIA_TYPE)
            .say("不接受压缩的请求内容", "Compressed bodies are not taken"));
    }
    let essence = text(CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    if !essence.is_some_and(|essence| types.contains(&essence.as_str())) {
        return Err(Problem::new(kinds::UNSUPPORTED_MEDIA_TYPE).say(
            format!("Content-Type 须是 {}", types.join(" 或 ")),
            format!("The Content-Type has to be {}", types.join(" or ")),
        ));
    }
    let declared = text(CONTENT_LENGTH).and_then(|value| value.parse().ok());
    if declared.is_some_and(|length: usize| length > max) {
        return Err(too_large(max));
    }
    Ok(declared)
}

fn too_large(max: usize) -> Problem {
    Problem::new(kinds::BODY_TOO_LARGE).say(
        format!("最多 {} KiB", max / 1024),
        format!("{} KiB at the most", max / 1024),
    )
}

async fn collect(
    payload: Payload,
    declared: Option<usize>,
    max: usize,
) -> Result<Vec<u8>, Problem> {
    let deadline = deadline_of(declared.unwrap_or(max));
    tokio::time::timeout(deadline, read_all(payload, max))
        .await
        .unwrap_or_else(|_| Err(Problem::new(kinds::BODY_TIMEOUT)))
}

/// How long a body of a size, in bytes, may take to arrive.
fn deadline_of(size: usize) -> Duration {
    let millis = u64::try_from(size.saturating_mul(1000) / SLOWEST_BODY).unwrap_or(u64::MAX);
    BODY_GRACE + Duration::from_millis(millis)
}

async fn read_all(mut payload: Payload, max: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::new(kinds::MALFORMED_BODY)
                .say("请求内容没有传完", "The body did not arrive whole")
        })?;
        if bytes.len() + chunk.len() > max {
            return Err(too_large(max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer_of(error.path());
        malformed(&pointer, error.inner())
    })?;
    reader.end().map_err(|error| malformed("", &error))?;
    if bytes.contains(&b'[') {
        let whole = serde_json::from_slice(bytes).map_err(|error| malformed("", &error))?;
        let strict: Result<T, _> = serde_path_to_error::deserialize(strict::Strict(whole));
        strict.map_err(|error| malformed(&pointer_of(error.path()), error.inner()))?;
    }
    Ok(value)
}

fn malformed(pointer: &str, error: &serde_json::Error) -> Problem {
    let (code, zh) = if error.is_data() {
        match error.to_string() {
            said if said.starts_with("unknown field") => ("unknown_field", "没有这个字段"),
            said if said.starts_with("missing field") => ("required", "缺少字段"),
            _ => ("wrong_type", "类型不对"),
        }
    } else {
        ("malformed_json", "不是完整的 JSON")
    };
    Problem::new(kinds::MALFORMED_BODY).with_faults(vec![Fault::at(
        pointer,
        code,
        format!("{zh}（{error}）"),
        error.to_string(),
    )])
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// The parameters of a query string; a name that the operation does not know is refused.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// Parameters of an operation, with the names that are known.
pub trait Parameters: Sized + 'static {
    /// Every name.
    fn names() -> Vec<String>;

    /// Reads them.
    ///
    /// # Errors
    /// `invalid_parameter` for a value that can't be read.
    fn read(query: &str) -> Result<Self, Problem>;
}

/// The names of parameters that are documented: these, and no others, are known.
pub(crate) fn documented<T: IntoParams>() -> Vec<String> {
    T::into_params(|| None)
        .into_iter()
        .map(|parameter| parameter.name)
        .collect()
}

impl<T: Parameters> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(read_query(request.query_string()).map(Self))
    }
}

/// The names of the parameters of each type: to make them of its documentation takes longer than to read a query.
static NAMES: LazyLock<RwLock<HashMap<TypeId, Arc<[String]>>>> = LazyLock::new(RwLock::default);

fn names_of<T: Parameters>() -> Arc<[String]> {
    let of = TypeId::of::<T>();
    let known = NAMES.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(names) = known.get(&of) {
        return Arc::clone(names);
    }
    drop(known);
    let names: Arc<[String]> = T::names().into();
    let mut known = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    known.insert(of, Arc::clone(&names));
    names
}

/// Reads the parameters of an operation.
///
/// # Errors
/// `invalid_parameter` with every name that is not known or has no value, or what [`Parameters::read`] refuses.
pub fn read_query<T: Parameters>(query: &str) -> Result<T, Problem> {
    let pairs: Vec<(String, String)> =
        serde_html_form::from_str(query).map_err(|error| unreadable("", &error))?;
    let names = names_of::<T>();
    let unknown: Vec<Fault> = pairs
        .iter()
        .filter(|(name, _)| !names.contains(name))
        .map(|(name, _)| {
            Fault::parameter(
                name.clone(),
                "unknown_parameter",
                format!("没有参数 {name}；可用：{}", names.join("、")),
                format!(
                    "There is no parameter {name}; there are: {}",
                    names.join(", ")
                ),
            )
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Problem::bad_parameters(unknown));
    }
    let empty: Vec<Fault> = pairs
        .iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(name, _)| {
            Fault::parameter(
                name.clone(),
                "empty_parameter",
                "没有值；不需要时请不写这个参数",
                "It has no value; leave it out if it is not needed",
            )
        })
        .collect();
    if !empty.is_empty() {
        return Err(Problem::bad_parameters(empty));
    }
    T::read(query)
}

/// Reads the parameters that a structure has; the others are somebody else's.
pub(crate) fn read_part<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    serde_path_to_error::deserialize(serde_html_form::Deserializer::from_bytes(query.as_bytes()))
        .map_err(|error| unreadable(&error.path().to_string(), error.inner()))
}

fn unreadable(name: &str, error: &serde_html_form::de::Error) -> Problem {
    Problem::bad_parameters(vec![Fault::parameter(
        name.trim_matches('.'),
        "unreadable_parameter",
        format!("无法读取（{error}）"),
        error.to_string(),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_ten_seconds_and_one_for_each_64_kib() {
        assert_eq!(deadline_of(0), Duration::from_secs(10));
        assert_eq!(deadline_of(32 * 1024), Duration::from_millis(10_500));
        assert_eq!(deadline_of(MAX_JSON), Duration::from_secs(14));
    }
}
