//! What a person sees in a browser: the start page, the readable contract, and nothing else.

use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::edge::PAGE_POLICY;
use crate::problem::{Problem, kinds};

const START_PAGE: &str = include_str!("start.html");

/// The style of the start page, apart from it: no page here has anything inline.
const START_STYLE: &str = include_str!("start.css");

/// What of the pages a browser may keep, and for how long: they change only with the service.
const KEPT: &str = "max-age=3600";

/// The paths of the contract, to tell a wrong method from a wrong path.
#[derive(Clone)]
pub(crate) struct Known(std::sync::Arc<OpenApi>);

pub(crate) fn pages(service: &mut web::ServiceConfig, contract: &std::sync::Arc<OpenApi>) {
    let yaml = contract.to_yaml().unwrap_or_default();
    service
        .app_data(web::Data::new(Known(std::sync::Arc::clone(contract))))
        .route(
            "/",
            web::get().to(|| async {
                HttpResponse::Ok()
                    .content_type("text/html; charset=utf-8")
                    .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
                    .body(START_PAGE)
            }),
        )
        .route(
            "/start.css",
            web::get().to(|| async {
                HttpResponse::Ok()
                    .content_type("text/css; charset=utf-8")
                    .insert_header((CACHE_CONTROL, KEPT))
                    .body(START_STYLE)
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
            web::scope("/docs")
                .wrap(
                    DefaultHeaders::new()
                        .add((CONTENT_SECURITY_POLICY, PAGE_POLICY))
                        .add((CACHE_CONTROL, KEPT)),
                )
                .service(
                    SwaggerUi::new("/{_:.*}").config(
                        Config::from("/openapi.yaml")
                            // Without the bar at the top: its logo has a style inline.
                            .use_base_layout()
                            .try_it_out_enabled(true)
                            .persist_authorization(false)
                            .validator_url("none"),
                    ),
                ),
        );
}

/// A path that is not there, or a method that it does not have.
pub(crate) async fn nowhere(
    request: HttpRequest,
    known: web::Data<Known>,
) -> Result<HttpResponse, Problem> {
    let path = request.path();
    let paths = &known.0.paths.paths;
    // A path that is written out goes before one that would take its last piece for a code.
    let methods: Vec<&str> = match paths.get(path) {
        Some(item) => methods_of(item).collect(),
        None => paths
            .iter()
            .filter(|(pattern, _)| fits(pattern, path))
            .flat_map(|(_, item)| methods_of(item))
            .collect(),
    };
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
