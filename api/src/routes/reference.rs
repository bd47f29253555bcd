//! Reference data: read by everybody, kept by administrators.

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::query::Paging;
use super::{page, put_done, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Body, Query};
use crate::page::Page;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::store::Failure;
use crate::store::reference::{self, Entry, Kind, list, named, region, sector, unit};

/// An entry with its code and version.
#[derive(Debug, Serialize, ToSchema)]
pub struct Referenced<F> {
    /// Its code, which never changes.
    code: String,
    /// How often it was changed; its ETag.
    version: i64,
    /// What is said of it.
    #[serde(flatten)]
    fields: F,
}

impl<F> From<Entry<F>> for Referenced<F> {
    fn from(entry: Entry<F>) -> Self {
        Self {
            code: entry.code,
            version: entry.version,
            fields: entry.fields,
        }
    }
}

async fn list_all<K: Kind>(
    app: &App,
    request: &HttpRequest,
    paging: Paging,
) -> Result<HttpResponse, Problem> {
    let (limit, cursor) = paging.checked()?;
    let (entries, next) = reference::list_page::<K>(app.db.reader(), limit, cursor.as_deref())
        .await
        .map_err(Failure::told)?;
    let items: Vec<Referenced<K>> = entries.into_iter().map(Referenced::from).collect();
    Ok(page(request, items, next, None))
}

async fn read<K: Kind>(app: &App, code: &str) -> Result<HttpResponse, Problem> {
    let entry = reference::read::<K>(app.db.reader(), code)
        .await
        .map_err(Failure::told)?;
    let version = entry.version;
    Ok(single(&Referenced::from(entry), version))
}

async fn put_one<K: Kind>(
    app: &App,
    request: &HttpRequest,
    caller: Caller,
    code: String,
    fields: K,
) -> Result<HttpResponse, Problem> {
    let precondition = Precondition::either(request)?;
    let entry = app
        .db
        .write(caller.author(), async move |tx| {
            reference::put(tx, &code, precondition, fields.clone()).await
        })
        .await?;
    Ok(put_done(precondition, entry.version).json(Referenced::from(entry)))
}

async fn remove<K: Kind>(
    app: &App,
    request: &HttpRequest,
    caller: Caller,
    code: String,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(request)?;
    app.db
        .write(caller.author(), async move |tx| {
            reference::delete::<K>(tx, &code, seen).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The four operations of a kind of reference data.
macro_rules! operations_of {
    ($kind:ty, $path:literal, $path_of_one:literal, $tag:literal, $example:literal,
     $list:ident = $list_doc:literal, $get:ident = $get_doc:literal, $put:ident = $put_doc:literal, $delete:ident = $delete_doc:literal) => {
        #[doc = $list_doc]
        #[utoipa::path(tag = $tag, params(Paging), security(("bearer" = [])),
            responses((status = 200, description = "A page of them", body = Page<Referenced<$kind>>)))]
        #[get($path)]
        async fn $list(
            app: web::Data<App>,
            request: HttpRequest,
            _caller: Caller,
            paging: Query<Paging>,
        ) -> Result<HttpResponse, Problem> {
            list_all::<$kind>(&app, &request, paging.0).await
        }

        #[doc = $get_doc]
        #[utoipa::path(tag = $tag, security(("bearer" = [])),
            params(("code" = String, Path, description = "Its code", example = $example)),
            responses((status = 200, description = "The entry", body = Referenced<$kind>)))]
        #[get($path_of_one)]
        async fn $get(
            app: web::Data<App>,
            _caller: Caller,
            code: web::Path<String>,
        ) -> Result<HttpResponse, Problem> {
            read::<$kind>(&app, &code).await
        }

        #[doc = $put_doc]
        #[utoipa::path(tag = $tag, request_body = $kind, security(("bearer" = [])),
            params(("code" = String, Path, description = "Its code", example = $example),
                ("If-Match" = Option<String>, Header, description = "The ETag of the version that is replaced", example = "\"7\""),
                ("If-None-Match" = Option<String>, Header, description = "`*` if there must be none", example = "*")),
            responses((status = 200, description = "Replaced", body = Referenced<$kind>),
                (status = 201, description = "Made", body = Referenced<$kind>)))]
        #[put($path_of_one)]
        async fn $put(
            app: web::Data<App>,
            request: HttpRequest,
            caller: Caller,
            code: web::Path<String>,
            body: Body<$kind>,
        ) -> Result<HttpResponse, Problem> {
            put_one(&app, &request, caller, code.into_inner(), body.value).await
        }

        #[doc = $delete_doc]
        #[utoipa::path(tag = $tag, security(("bearer" = [])),
            params(("code" = String, Path, description = "Its code", example = $example),
                ("If-Match" = String, Header, description = "The ETag of the version that is removed", example = "\"1\"")),
            responses((status = 204, description = "Removed")))]
        #[delete($path_of_one)]
        async fn $delete(
            app: web::Data<App>,
            request: HttpRequest,
            caller: Caller,
            code: web::Path<String>,
        ) -> Result<HttpResponse, Problem> {
            remove::<$kind>(&app, &request, caller, code.into_inner()).await
        }
    };
}

operations_of!(
    region::Region,
    "/v1/regions",
    "/v1/regions/{code}",
    "reference",
    "211104",
    list_regions = "List regions",
    get_region = "Read a region",
    put_region = "Make or replace a region",
    delete_region = "Remove a region"
);
operations_of!(
    unit::Unit,
    "/v1/units",
    "/v1/units/{code}",
    "reference",
    "panjin-drc",
    list_units = "List units",
    get_unit = "Read a unit",
    put_unit = "Make or replace a unit",
    delete_unit = "Remove a unit"
);
operations_of!(
    named::Programme,
    "/v1/programmes",
    "/v1/programmes/{code}",
    "reference",
    "petrochemical",
    list_programmes = "List programmes",
    get_programme = "Read a programme",
    put_programme = "Make or replace a programme",
    delete_programme = "Remove a programme"
);
operations_of!(
    sector::Sector,
    "/v1/sectors",
    "/v1/sectors/{code}",
    "reference",
    "港口",
    list_sectors = "List sectors",
    get_sector = "Read a sector",
    put_sector = "Make or replace a sector",
    delete_sector = "Remove a sector"
);
operations_of!(
    named::Chain,
    "/v1/chains",
    "/v1/chains/{code}",
    "reference",
    "ethylene",
    list_chains = "List industrial chains",
    get_chain = "Read an industrial chain",
    put_chain = "Make or replace an industrial chain",
    delete_chain = "Remove an industrial chain"
);
operations_of!(
    list::List,
    "/v1/lists",
    "/v1/lists/{code}",
    "lists",
    "gas-storage",
    list_lists = "List the lists of projects",
    get_list = "Read a list",
    put_list = "Make or replace a list",
    delete_list = "Remove a list"
);

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_regions)
        .service(get_region)
        .service(put_region)
        .service(delete_region)
        .service(list_units)
        .service(get_unit)
        .service(put_unit)
        .service(delete_unit)
        .service(list_programmes)
        .service(get_programme)
        .service(put_programme)
        .service(delete_programme)
        .service(list_sectors)
        .service(get_sector)
        .service(put_sector)
        .service(delete_sector)
        .service(list_chains)
        .service(get_chain)
        .service(put_chain)
        .service(delete_chain)
        .service(list_lists)
        .service(get_list)
        .service(put_list)
        .service(delete_list);
}
