//! Files of other offices, taken in.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header::{CONTENT_DISPOSITION, LOCATION};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use aws_lc_rs::digest::{SHA256, digest};
use intake::request::Correction;
use intake::{Kind, Unit};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::query::Paging;
use super::{once, page};
use crate::app::App;
use crate::auth::Caller;
use crate::body::upload::Upload;
use crate::body::{Parameters, Query, documented, read_part};
use crate::codes::Spreadsheet;
use crate::import::view::{Import, ImportRow, document};
use crate::import::{Bringer, Work, begin, errors};
use crate::page::Page;
use crate::print::attachment;
use crate::print::negotiate::XLSX;
use crate::problem::{Fault, Language, Problem, kinds};
use crate::store::Failure;
use crate::store::import::job::{self, Mode};
use crate::store::import::outcome::{self, Outcome};
use crate::store::import::{self, SameName, Terms};

/// The largest file, in bytes.
const MAX_FILE: usize = 20 * 1024 * 1024;
/// How many seconds an answer waits for a file at the most, and unless it is told otherwise.
const LONGEST_WAIT: u64 = 30;
const WAIT: u64 = 10;
/// How many rows are handed back at the most.
const MAX_ERRORS: u64 = 50_000;

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(create_import)
        .service(list_imports)
        .service(get_import)
        .service(list_import_rows)
        .service(get_import_errors)
        .service(undo_import);
}

/// A file, and how it is to be taken in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape of a form that is read field by field")]
pub struct ImportForm {
    /// The file: .xlsx, or .csv in UTF-8 or GBK.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// What its rows are: `projects`, `annual_plans`, `monthly_figures`, `approvals` or `targets`.
    #[schema(
        example = "projects",
        pattern = "^(projects|annual_plans|monthly_figures|approvals|targets)$"
    )]
    kind: String,
    /// `preview`, which changes nothing, unless told otherwise; `commit` takes it in.
    #[schema(pattern = "^(preview|commit)$")]
    mode: Option<String>,
    /// Whether it is all or nothing, which it is unless told otherwise; if not, what can't be taken in is left.
    #[schema(value_type = Option<bool>)]
    atomic: Option<String>,
    /// The unit of amounts for which the file tells none: `yuan`, `thousand_yuan`, `wan_yuan`, `million_yuan`, `yi_yuan`.
    #[schema(pattern = "^(yuan|thousand_yuan|wan_yuan|million_yuan|yi_yuan)$")]
    unit: Option<String>,
    /// The region of rows that name none, by code or name.
    region: Option<String>,
    /// The code of the responsible unit of rows that name none.
    responsible_unit: Option<String>,
    /// The code of the sector of rows that name none.
    sector: Option<String>,
    /// The system whose keys stand in the column 编号: rows are matched by them, and new projects linked to them.
    #[schema(max_length = 64)]
    system: Option<String>,
    /// What to do with a row of which only name and region are those of a project: `ask` leaves it, `amend` takes it for
    /// that project, `create` registers another one.
    #[schema(pattern = "^(ask|amend|create)$")]
    same_name: Option<String>,
    /// Whether existing projects are taken over at their stage (期初导入), which a manager may do.
    #[schema(value_type = Option<bool>)]
    opening_balance: Option<String>,
    /// Who sent the file: what its columns are said to be for is remembered for the next one.
    #[schema(max_length = 100)]
    sender: Option<String>,
    /// How columns are to be understood, as JSON: `[{"sheet": null, "header_rows": [3, 4], "columns": {"D": "total_investment",
    /// "备注": "ignore"}}]`.
    mapping: Option<String>,
    /// How many seconds the answer waits for the end, 10 unless told otherwise and 30 at the most.
    #[schema(value_type = Option<u64>)]
    wait: Option<String>,
}

/// The fields of a form, as they are read.
struct Fields {
    given: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Fields {
    fn wrong(&mut self, name: &str, zh: String, en: String) {
        self.faults
            .push(Fault::at(format!("/{name}"), "invalid_field", zh, en));
    }

    fn coded<T>(&mut self, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.given.remove(name)?;
        let value = read(&text);
        if value.is_none() {
            self.wrong(
                name,
                format!("不能是 {text}"),
                format!("It can't be {text}"),
            );
        }
        value
    }

    fn text(&mut self, name: &str, longest: usize) -> Option<String> {
        let text = self.given.remove(name)?.trim().to_owned();
        if text.is_empty() {
            return None;
        }
        if text.chars().count() > longest || text.chars().any(char::is_control) {
            self.wrong(
                name,
                format!("最多 {longest} 个字符，不含控制字符"),
                format!("{longest} characters at the most, no control characters"),
            );
            return None;
        }
        Some(text)
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.coded(name, |text| text.parse().ok())
    }

    fn mapping(&mut self) -> Vec<Correction> {
        let Some(text) = self.given.remove("mapping") else {
            return Vec::new();
        };
        match serde_json::from_str(&text) {
            Ok(mapping) => mapping,
            Err(error) => {
                self.wrong(
                    "mapping",
                    format!("不是所要的 JSON：{error}"),
                    format!("It is not the JSON that is wanted: {error}"),
                );
                Vec::new()
            }
        }
    }

    /// Everything that is wrong, also what nobody knows.
    fn done(mut self) -> Result<(), Problem> {
        let unknown: Vec<String> = self.given.keys().cloned().collect();
        for name in unknown {
            self.wrong(
                &name,
                "没有这个字段".to_owned(),
                "There is no such field".to_owned(),
            );
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.faults))
        }
    }
}

/// Reads a form; answers the work and how long to wait for it.
fn read(upload: Upload<MAX_FILE>) -> Result<(Work, Duration), Problem> {
    let mut fields = Fields {
        given: upload.fields,
        faults: Vec::new(),
    };
    let kind = fields.coded("kind", Kind::from_code);
    if kind.is_none() && fields.faults.is_empty() {
        fields.wrong("kind", "必须填写".to_owned(), "Required".to_owned());
    }
    let same_name = fields.coded("same_name", |text| match text {
        "ask" => Some(SameName::Ask),
        "amend" => Some(SameName::Amend),
        "create" => Some(SameName::Create),
        _ => None,
    });
    let terms = Terms {
        kind: kind.unwrap_or(Kind::Projects),
        region: fields.text("region", 64),
        responsible_unit: fields.text("responsible_unit", 64),
        sector: fields.text("sector", 64),
        system: fields.text("system", 64),
        same_name: same_name.unwrap_or_default(),
        opening_balance: fields.flag("opening_balance").unwrap_or(false),
    };
    let mode = fields.coded("mode", |text| match text {
        "preview" => Some(Mode::Preview),
        "commit" => Some(Mode::Commit),
        _ => None,
    });
    let wait = fields.coded("wait", |text| {
        text.parse().ok().filter(|seconds| *seconds <= LONGEST_WAIT)
    });
    let work = Work {
        file: upload.file,
        file_name: upload.file_name,
        mode: mode.unwrap_or_default(),
        is_atomic: fields.flag("atomic").unwrap_or(true),
        sender: fields.text("sender", 100).unwrap_or_default(),
        terms,
        unit: fields.coded("unit", Unit::from_code),
        mapping: fields.mapping(),
    };
    fields.done()?;
    Ok((work, Duration::from_secs(wait.unwrap_or(WAIT))))
}

/// Bring a file in
///
/// Of .xlsx or .csv, as offices send them: with titles, units, headings of several rows, sections, sums and parts. A preview
/// says what would come of each row and changes nothing; a commit takes the file in as one transaction, and may be sent
/// again. Answers 201 when it is done, or 202 while it goes on: ask for it until `state` is not `running`.
#[utoipa::path(tag = "exchange", security(("bearer" = [])),
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again, it is the same import", pattern = "^[!-~]{1,255}$")),
    responses((status = 201, description = "What came of it", body = Import),
        (status = 202, description = "It goes on", body = Import)))]
#[post("/v1/imports")]
async fn create_import(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    upload: Upload<MAX_FILE>,
) -> Result<HttpResponse, Problem> {
    let told = format!("{:?}", upload.fields);
    let hash = [digest(&SHA256, &upload.file).as_ref(), told.as_bytes()].concat();
    let key = once::key(&request, caller.principal.id, &hash)?;
    let (work, wait) = read(upload)?;
    let account = caller.principal.id;
    let bringer = Bringer {
        author: caller.author(),
        principal: caller.principal,
    };
    let (id, working) = begin(&app.imports, &app.db, bringer, work, key).await?;
    if let Some(working) = working {
        // It goes on, whether or not anybody waits.
        let _in_time = tokio::time::timeout(wait, working).await;
    }
    let language = Language::of(request.headers());
    let view = document(&app.db, Some(account), id, language).await?;
    let mut response = if view.is_running() {
        HttpResponse::Accepted()
    } else {
        HttpResponse::Created()
    };
    Ok(response
        .insert_header((LOCATION, format!("/v1/imports/{id}")))
        .json(view))
}

/// List the files that one has brought in
///
/// The latest first; previews are forgotten after a week.
#[utoipa::path(tag = "exchange", params(Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of them", body = Page<Import>)))]
#[get("/v1/imports")]
async fn list_imports(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    query: Query<ImportsQuery>,
) -> Result<HttpResponse, Problem> {
    let (limit, cursor) = query.0.paging.checked()?;
    let cursor = (limit, cursor.as_deref());
    let now = app.db.clock().now();
    let (records, next) = job::list_page(app.db.reader(), caller.principal.id, cursor, now)
        .await
        .map_err(Failure::told)?;
    let language = Language::of(request.headers());
    let items: Vec<Import> = records
        .into_iter()
        .map(|r| Import::in_short(r, language))
        .collect();
    Ok(page(&request, items, next, None))
}

/// The parameters of the list of files.
#[derive(Clone, Debug)]
struct ImportsQuery {
    paging: Paging,
}

impl Parameters for ImportsQuery {
    fn names() -> Vec<String> {
        documented::<Paging>()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            paging: read_part(query)?,
        })
    }
}

/// Read what came of a file
///
/// With the first thousand of what was changed, left and refused; all of them are its rows.
#[utoipa::path(tag = "exchange", params(("id" = Uuid, Path, description = "The import")), security(("bearer" = [])),
    responses((status = 200, description = "What came of it", body = Import)))]
#[get("/v1/imports/{id}")]
async fn get_import(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let language = Language::of(request.headers());
    let view = document(&app.db, Some(caller.principal.id), *id, language).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Which rows of a file.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RowFilters {
    /// Only those of which this came: `created`, `changed`, `duplicate`, `refused` or `remarked`.
    #[param(pattern = "^(created|changed|duplicate|refused|remarked)$")]
    pub outcome: Option<String>,
}

/// The parameters of the rows of a file.
#[derive(Clone, Debug)]
struct RowsQuery {
    filters: RowFilters,
    paging: Paging,
}

impl Parameters for RowsQuery {
    fn names() -> Vec<String> {
        [documented::<RowFilters>(), documented::<Paging>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            paging: read_part(query)?,
        })
    }
}

/// List the rows of a file
///
/// In their order, without those that stood so already and of which nothing has to be said.
#[utoipa::path(tag = "exchange", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The import"), RowFilters, Paging),
    responses((status = 200, description = "A page of them", body = Page<ImportRow>)))]
#[get("/v1/imports/{id}/rows")]
async fn list_import_rows(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    query: Query<RowsQuery>,
) -> Result<HttpResponse, Problem> {
    let RowsQuery { filters, paging } = query.0;
    let (limit, cursor) = paging.checked()?;
    let outcome = filters.outcome.as_deref();
    let wanted = outcome.map(|code| {
        let found = Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.code() == code);
        found.ok_or_else(|| {
            Problem::bad_parameters(vec![Fault::parameter(
                "outcome",
                "unknown_code",
                format!("没有 {code}"),
                format!("There is no {code}"),
            )])
        })
    });
    let wanted = wanted.transpose()?;
    let (account, now) = (Some(caller.principal.id), app.db.clock().now());
    let db = app.db.reader();
    let found = async {
        let record = job::read(db, account, *id, now).await?;
        let rows = outcome::page(db, *id, wanted, (limit, cursor.as_deref())).await?;
        Ok::<_, Failure>((record, rows))
    };
    let (record, (rows, next)) = found.await.map_err(Failure::told)?;
    let language = Language::of(request.headers());
    let sheets = record
        .report
        .map(|report| report.sheets)
        .unwrap_or_default();
    let items: Vec<ImportRow> = rows
        .iter()
        .map(|row| ImportRow::of(row, &sheets, language))
        .collect();
    Ok(page(&request, items, next, None))
}

/// Take the rows back that were not taken in
///
/// As a workbook, with the reasons beside the cells; put right, it can be sent again.
#[utoipa::path(tag = "exchange", params(("id" = Uuid, Path, description = "The import")), security(("bearer" = [])),
    responses((status = 200, description = "The workbook", content((Spreadsheet = XLSX)))))]
#[get("/v1/imports/{id}/errors.xlsx")]
async fn get_import_errors(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (account, now) = (Some(caller.principal.id), app.db.clock().now());
    let db = app.db.reader();
    let found = async {
        let record = job::read(db, account, *id, now).await?;
        let rows = outcome::not_taken(db, *id, MAX_ERRORS).await?;
        Ok::<_, Failure>((record, rows))
    };
    let (record, rows) = found.await.map_err(Failure::told)?;
    let report = record.report.ok_or(Problem::new(kinds::IMPORT_RUNNING))?;
    let language = Language::of(request.headers());
    let written = web::block(move || errors::workbook(&report, &rows, language)).await;
    let file = written
        .map_err(|_| Problem::new(kinds::INTERNAL))?
        .map_err(crate::print::PrintError::from)?;
    Ok(HttpResponse::Ok()
        .content_type(XLSX)
        .insert_header((CONTENT_DISPOSITION, attachment("errors", ".xlsx")))
        .body(file))
}

/// Take an import back
///
/// As a whole, as long as nothing is built upon it: what it registered leaves the library, what it changed is as before.
/// Each is a change of its own, so histories tell it.
#[utoipa::path(tag = "exchange", params(("id" = Uuid, Path, description = "The import")), security(("bearer" = [])),
    responses((status = 200, description = "It is taken back", body = Import)))]
#[post("/v1/imports/{id}/undo")]
async fn undo_import(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (id, account) = (*id, caller.principal.id);
    let (by, principal) = (caller.author(), caller.principal);
    app.db
        .write(by, async move |tx| import::undo(tx, &principal, id).await)
        .await?;
    let language = Language::of(request.headers());
    let view = document(&app.db, Some(account), id, language).await?;
    Ok(HttpResponse::Ok().json(view))
}
