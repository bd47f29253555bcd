//! A form with a file (`multipart/form-data`).

use std::collections::BTreeMap;

use actix_multipart::{Field, Multipart};
use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest};
use futures::TryStreamExt;
use futures::future::LocalBoxFuture;

use super::{check_headers, deadline_of, too_large};
use crate::problem::{Fault, Problem, kinds};

/// The name of the field that holds the file.
const FILE: &str = "file";
/// How many fields a form has at the most.
const MAX_FIELDS: usize = 32;
/// The largest field but the file, in bytes.
const MAX_FIELD: usize = 64 * 1024;
/// What may stand around a file of the largest size, in bytes.
const AROUND: usize = 256 * 1024;

/// A form with a file of so many bytes at the most, and other fields, each of which is a text.
#[derive(Debug)]
pub struct Upload<const MAX: usize> {
    /// The file.
    pub file: Vec<u8>,
    /// What it is called there.
    pub file_name: String,
    /// The other fields.
    pub fields: BTreeMap<String, String>,
}

impl<const MAX: usize> FromRequest for Upload<MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_headers(request, &["multipart/form-data"], MAX + AROUND);
        let headers = request.headers().clone();
        let payload = payload.take();
        Box::pin(async move {
            let deadline = deadline_of(checked?.unwrap_or(MAX));
            tokio::time::timeout(deadline, Self::collect(&headers, payload))
                .await
                .unwrap_or_else(|_| Err(Problem::new(kinds::BODY_TIMEOUT)))
        })
    }
}

impl<const MAX: usize> Upload<MAX> {
    async fn collect(headers: &HeaderMap, payload: Payload) -> Result<Self, Problem> {
        let mut form = Multipart::new(headers, payload);
        let mut file = None;
        let mut fields = BTreeMap::new();
        let mut count = 0;
        while let Some(mut field) = form.try_next().await.map_err(|error| malformed(&error))? {
            count += 1;
            let name = field.name().unwrap_or_default().to_owned();
            if count > MAX_FIELDS {
                return Err(twice_or_too_many(&name));
            }
            if name == FILE && file.is_none() {
                let called = file_name(&field);
                file = Some((bytes(&mut field, MAX).await?, called));
                continue;
            }
            let text = bytes(&mut field, MAX_FIELD).await?;
            let text = String::from_utf8(text).map_err(|_| not_a_text(&name))?;
            if name == FILE || fields.insert(name.clone(), text).is_some() {
                return Err(twice_or_too_many(&name));
            }
        }
        let (file, file_name) = file.ok_or_else(|| {
            Problem::invalid(vec![Fault::at(
                "/file",
                "required",
                "须有文件",
                "The file is missing",
            )])
        })?;
        Ok(Self {
            file,
            file_name,
            fields,
        })
    }
}

async fn bytes(field: &mut Field, limit: usize) -> Result<Vec<u8>, Problem> {
    match field.bytes(limit).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) => Err(malformed(&error)),
        Err(_) => Err(too_large(limit)),
    }
}

/// The last part of the name, for browsers of old sent whole paths.
fn file_name(field: &Field) -> String {
    const LONGEST: usize = 255;
    let named = field
        .content_disposition()
        .and_then(|told| told.get_filename());
    let named = named.unwrap_or_default();
    let last = named.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

fn malformed(error: &actix_multipart::MultipartError) -> Problem {
    Problem::new(kinds::MALFORMED_BODY).say(
        format!("表单无法读取：{error}"),
        format!("The form can't be read: {error}"),
    )
}

fn not_a_text(name: &str) -> Problem {
    Problem::new(kinds::MALFORMED_BODY).say(
        format!("字段 {name} 不是 UTF-8 文字"),
        format!("The field {name} is no text of UTF-8"),
    )
}

fn twice_or_too_many(name: &str) -> Problem {
    Problem::new(kinds::MALFORMED_BODY).say(
        format!("字段 {name} 重复，或字段过多"),
        format!("The field {name} stands twice, or there are too many fields"),
    )
}
