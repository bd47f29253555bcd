//! What a person sees in a browser: the start page, the readable contract, and nothing else.

use actix_web::http::header::{ALLOW, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::{Problem, kinds};

const START_PAGE: &str = include_str!("start.html");

/// Only what this service itself sends, and nothing inline but styles, is run or shown.
const CONTENT_POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
    script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The paths of the contract, to tell a wrong method from a wrong path.
#[derive(Clone)]
pub(crate) struct Known(std::sync::Arc<OpenApi>);

pub(crate) fn pages(service: &mut web::ServiceConfig, contract: &std::sync::Arc<OpenApi>) {
    let yaml = contract.to_yaml().unwrap_or_default();
    let policy = || {
        (
            HeaderName::from_static("content-security-policy"),
            HeaderValue::from_static(CONTENT_POLICY),
        )
    };
    service
        .app_data(web::Data::new(Known(std::sync::Arc::clone(contract))))
        .route(
            "/",
            web::get().to(move || async move {
                HttpResponse::Ok()
                    .content_type("text/html; charset=utf-8")
                    .insert_header(policy())
                    .body(START_PAGE)
            }),
        )
        .route(
            "/openapi.yaml",
            web::get().to(move || {
                let yaml = yaml.clone();
                async move {
                    HttpResponse::Ok()
                        .content_type("application/yaml")
                        .body(yaml)
                }
            }),
        )
        .route(
            "/docs",
            web::get().to(|| async {
                HttpResponse::PermanentRedirect()
                    .insert_header(("Location", "/docs/"))
                    .finish()
            }),
        )
        .service(
            SwaggerUi::new("/docs/{_:.*}").config(
                Config::from("/openapi.yaml")
                    .try_it_out_enabled(true)
                    .persist_authorization(false)
                    .validator_url("none"),
            ),
        );
}

/// A path that is not there, or a method that it does not have.
pub(crate) async fn nowhere(
    request: HttpRequest,
    known: web::Data<Known>,
) -> Result<HttpResponse, Problem> {
    let path = request.path();
    let methods: Vec<&str> = known
        .0
        .paths
        .paths
        .iter()
        .filter(|(pattern, _)| fits(pattern, path))
        .flat_map(|(_, item)| methods_of(item))
        .collect();
    if methods.is_empty() {
        return Err(Problem::not_found());
    }
    let allowed = methods.join(", ");
    Err(Problem::new(kinds::METHOD_NOT_ALLOWED)
        .say(
            format!("此处可用：{allowed}"),
            format!("There are: {allowed}"),
        )
        .with_header(ALLOW, allowed))
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

fn methods_of(item: &PathItem) -> impl Iterator<Item = &'static str> {
    [
        (item.get.is_some(), "GET"),
        (item.post.is_some(), "POST"),
        (item.put.is_some(), "PUT"),
        (item.patch.is_some(), "PATCH"),
        (item.delete.is_some(), "DELETE"),
    ]
    .into_iter()
    .filter_map(|(is_there, name)| is_there.then_some(name))
}
