//! Headers that make a browser careful.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue,
    STRICT_TRANSPORT_SECURITY,
};

/// What a page may load: what this service itself sends. Nothing inline is run, and nothing inline is a style.
pub(crate) const PAGE_POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; \
    connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What an answer that is no page may load.
const ANSWER_POLICY: &str =
    "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// For how long a browser that was here over TLS comes back only so: a year.
const TLS_ONLY: &str = "max-age=31536000; includeSubDomains";

/// What every answer says.
const ALWAYS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    // Of what a page embeds. What it fetches is ruled by `cors_origins`.
    ("cross-origin-resource-policy", "same-origin"),
];

/// What an answer says if its handler says nothing else.
const OTHERWISE: [(HeaderName, &str); 2] = [
    (CONTENT_SECURITY_POLICY, ANSWER_POLICY),
    (CACHE_CONTROL, "no-store"),
];

/// Adds what every answer has to say.
pub(super) fn make_careful(headers: &mut HeaderMap, is_https: bool) {
    for (name, value) in ALWAYS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    for (name, value) in OTHERWISE {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    // Over plain HTTP it would be forged as easily as read, so browsers don't take it from there.
    if is_https {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(TLS_ONLY),
        );
    }
}
