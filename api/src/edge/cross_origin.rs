//! What pages of other origins may ask: nothing, unless their origin is listed.

use actix_cors::Cors;
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH,
    IF_NONE_MATCH, LINK, LOCATION, RETRY_AFTER,
};
use actix_web::middleware::Condition;

/// For how long a browser may keep the answer to a preflight, in seconds.
const PREFLIGHT_AGE: usize = 600;

/// Lets pages of these origins read answers and send changes. Nobody is known by a cookie, so no credentials: a page
/// sends the token that it was given. Without origins there is no such thing, not even an answer to a preflight.
pub(crate) fn cross_origin(origins: &[String]) -> Condition<Cors> {
    let nobody = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH])
        .allowed_headers(["idempotency-key", "x-request-id", "traceparent"])
        .expose_headers([CONTENT_DISPOSITION, CONTENT_LANGUAGE, ETAG, LINK, LOCATION])
        .expose_headers([RETRY_AFTER, HeaderName::from_static("x-request-id")])
        .max_age(PREFLIGHT_AGE);
    let listed = origins
        .iter()
        .fold(nobody, |cors, origin| cors.allowed_origin(origin));
    Condition::new(!origins.is_empty(), listed)
}
