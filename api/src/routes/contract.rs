//! The contract as a whole: what the operations say of themselves, and what is the same for all.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::schema::{ArrayItems, Object};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, ObjectBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Schema,
    ServerBuilder, Type,
};
use utoipa::{OpenApi as _, ToSchema};
use utoipa_actix_web::AppExt;

use super::once::KEY_PATTERN;
use super::views::{ProblemDetails, ProblemItem};
use crate::codes::{
    CODE_PATTERN, KEY_OF_SYSTEM_PATTERN, PROJECT_CODE_PATTERN, REGION_CODE_PATTERN,
};
use crate::edge::limits::is_free;
use crate::precondition::ETAG_PATTERN;

const DESCRIPTION: &str = "台账：政府重大项目库。清单、投资分档、阶段与关口、汇总。\n\n\
    The library of a government's major projects: lists, investment tiers, enforced stages, roll-ups.\n\n\
    Amounts are decimal strings in 元 with two places. Dates are `YYYY-MM-DD`, instants RFC 3339 in UTC. \
    Every single resource has an `ETag`; every change needs `If-Match`. Problems are RFC 9457, in Chinese or, by \
    `Accept-Language: en`, in English. Filters that are repeated mean any of their values; `null` selects what is empty.";

#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(ProblemDetails, ProblemItem)))]
struct Shared;

/// The OpenAPI document.
#[must_use]
pub fn contract() -> OpenApi {
    let (_, collected) = actix_web::App::new()
        .into_utoipa_app()
        .configure(super::api)
        .split_for_parts();
    let mut contract = Shared::openapi();
    contract.merge(collected);
    contract.info = InfoBuilder::new()
        .title("Taizhang 台账")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(
            utoipa::openapi::LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .build();
    contract.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The access token of POST /auth/login"))
        .build();
    let components = contract.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    tidy(&mut components.schemas);
    for (path, item) in &mut contract.paths.paths {
        for (operation, is_read) in operations(item) {
            complete(path, operation, is_read);
        }
    }
    contract
}

/// A page refers to the schema of its items, and an entry with its fields flattened into it is one object:
/// the fields' own schema is closed, so with `allOf` nothing else could stand beside them.
fn tidy(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let names: BTreeSet<String> = schemas.keys().cloned().collect();
    for (name, schema) in schemas {
        let item = name
            .strip_prefix("Page_")
            .filter(|item| names.contains(*item));
        if let Some(item) = item
            && let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            let item = Ref::from_schema_name(item);
            items.items = ArrayItems::RefOrSchema(Box::new(item.into()));
        } else if name.starts_with("Referenced_")
            && let RefOr::T(Schema::AllOf(all)) = schema
        {
            let description = all.description.take();
            let mut object = flat(std::mem::take(&mut all.items));
            object.description = description;
            *schema = object.into();
        }
    }
}

fn flat(parts: Vec<RefOr<Schema>>) -> Object {
    let mut whole = ObjectBuilder::new().schema_type(Type::Object).build();
    for part in parts {
        if let RefOr::T(Schema::Object(part)) = part {
            whole.properties.extend(part.properties);
            whole.required.extend(part.required);
        }
    }
    whole
}

/// The operations of a path, and whether each only reads.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&mut Operation, bool)> {
    [
        (item.get.as_mut(), true),
        (item.post.as_mut(), false),
        (item.put.as_mut(), false),
        (item.patch.as_mut(), false),
        (item.delete.as_mut(), false),
    ]
    .into_iter()
    .filter_map(|(operation, is_read)| Some((operation?, is_read)))
}

/// What the parameters look like that several operations have: by place and name, and by path where it says more.
fn shape_of(path: &str, place: &ParameterIn, name: &str) -> Option<ObjectBuilder> {
    let string = ObjectBuilder::new().schema_type(Type::String);
    let pattern = match (place, name) {
        (ParameterIn::Header, "If-None-Match") => return Some(string.enum_values(Some(["*"]))),
        (ParameterIn::Header, "If-Match") => Some(ETAG_PATTERN),
        (ParameterIn::Header, "Idempotency-Key") => Some(KEY_PATTERN),
        (ParameterIn::Path, "code") if path.contains("/by-code/") => Some(PROJECT_CODE_PATTERN),
        (ParameterIn::Path, "code") if path.contains("/regions/") => Some(REGION_CODE_PATTERN),
        (ParameterIn::Path, "code" | "system") => Some(CODE_PATTERN),
        (ParameterIn::Path, "key") => Some(KEY_OF_SYSTEM_PATTERN),
        _ => None,
    };
    pattern.map(|pattern| string.pattern(Some(pattern)))
}

/// Adds the answers and parameters that follow from what an operation is.
fn complete(path: &str, operation: &mut Operation, is_read: bool) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else {
            continue;
        };
        if let Some(shape) = shape_of(path, &parameter.parameter_in, &parameter.name) {
            parameter.schema = Some(shape.into());
        }
    }
    let is_open = operation.security.as_ref().is_none_or(|needs| {
        needs
            .iter()
            .any(|need| *need == SecurityRequirement::default())
    });
    let parameters = operation.parameters.clone().unwrap_or_default();
    let has = |place: &ParameterIn, name: Option<&str>| {
        parameters
            .iter()
            .filter_map(|parameter| match parameter {
                RefOr::T(parameter) => Some(parameter),
                RefOr::Ref(_) => None,
            })
            .any(|p| p.parameter_in == *place && name.is_none_or(|name| p.name == name))
    };
    let has_body = operation.request_body.is_some();
    let has_query = has(&ParameterIn::Query, None);
    let has_precondition = has(&ParameterIn::Header, Some("If-Match"));
    let has_key = has(&ParameterIn::Header, Some("Idempotency-Key"));
    let changes = has_body || has_precondition;
    let mut statuses = Vec::new();
    let mut add = |when: bool, status: u16| {
        if when {
            statuses.push(status);
        }
    };
    add(has_body || has_query || has_precondition || has_key, 400);
    add(!is_open || path.starts_with("/auth/"), 401);
    add(!is_open, 403);
    add(path.contains('{'), 404);
    add(has_body, 408);
    add(!is_read, 409);
    add(has_precondition, 412);
    add(has_body, 413);
    add(has_body, 415);
    add(!is_open && (has_body || has_query || changes), 422);
    add(has_precondition, 428);
    add(!is_free(path), 429);
    add(true, 500);
    add(true, 503);
    for status in statuses {
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert_with(|| problem(status));
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let header = |text: &str| {
            HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some(text))
                .build()
                .into()
        };
        response.headers.insert(
            "X-Request-Id".to_owned(),
            header("The request, as it is logged"),
        );
        let is_tagged = status.starts_with('2') && (changes || path.contains('{'));
        if is_tagged && !path.starts_with("/auth/") {
            response.headers.insert(
                "ETag".to_owned(),
                header("The version, where the answer is one resource"),
            );
        }
    }
}

fn problem(status: u16) -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ProblemDetails::name())))
        .build();
    ResponseBuilder::new()
        .description(describe(status))
        .content("application/problem+json", content)
        .build()
        .into()
}

const fn describe(status: u16) -> &'static str {
    match status {
        400 => "Malformed: the body, a parameter or a header can't be read",
        401 => "Not signed in, or not rightly",
        403 => "Seen, but not allowed",
        404 => "Absent, or out of scope",
        408 => "The body came too slowly",
        409 => "In conflict with what stands, or with somebody else's change",
        412 => "Changed since it was read, or there already",
        413 => "Too large",
        415 => "Not of a type that is taken",
        422 => "Refused by a rule: `code` and `errors` say which and what is missing",
        428 => "If-Match or If-None-Match is needed",
        429 => "Too many requests or failures; `Retry-After` says when to try again",
        503 => "Not available now; `Retry-After` says when to try again",
        _ => "The service failed",
    }
}
