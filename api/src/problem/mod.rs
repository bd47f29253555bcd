//! What goes wrong, told as RFC 9457 `application/problem+json` in the reader's language.
//!
//! A [`Problem`] is neutral: it holds both languages, and the edge writes the one that the reader asked
//! for. Every kind stands in [`kinds`], with a code that never changes.

pub mod kinds;
mod refusal;
pub(crate) mod value;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};

pub use kinds::Kind;

/// The two languages that the service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文, the default.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The first language that the client names and the service speaks; Chinese unless told otherwise.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut wanted = weighted(headers, &header::ACCEPT_LANGUAGE);
        wanted.retain(|(_, quality)| *quality > 0);
        wanted.sort_by_key(|(_, quality)| std::cmp::Reverse(*quality));
        wanted
            .iter()
            .find_map(|(tag, _)| match tag.to_ascii_lowercase().get(..2) {
                Some("zh") => Some(Self::Chinese),
                Some("en") => Some(Self::English),
                _ => None,
            })
            .unwrap_or(Self::Chinese)
    }

    /// Its tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// What is said in this language, of the same thing said in both.
    #[must_use]
    pub const fn choose<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

/// What a client names in a header that weighs several things, each with its weight in thousandths.
pub(crate) fn weighted<'h>(
    headers: &'h HeaderMap,
    name: &header::HeaderName,
) -> Vec<(&'h str, u32)> {
    headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|part| {
            let mut pieces = part.split(';');
            let named = pieces.next().unwrap_or_default().trim();
            let quality = pieces
                .find_map(|piece| piece.trim().strip_prefix("q="))
                .map_or(1000, thousandths);
            (named, quality)
        })
        .collect()
}

/// "0.8" as 800.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let whole: u32 = whole.trim().parse().unwrap_or(0);
    whole.min(1) * 1000 + digits.parse().unwrap_or(0)
}

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    zh: String,
    en: String,
}

impl Said {
    /// The same thing, said twice.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    const fn of(kind: &'static Kind, language: Language) -> &'static str {
        language.choose(kind.zh, kind.en)
    }

    fn in_language(&self, language: Language) -> &str {
        language.choose(&self.zh, &self.en)
    }
}

/// One of several things that are wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    code: Box<str>,
    place: Place,
    said: Said,
    more: Map<String, Value>,
}

/// What would mend a fault.
#[derive(Clone, Debug)]
enum Place {
    /// A field of the body, by JSON pointer.
    Body(String),
    /// A parameter of the query or the path.
    Parameter(String),
    /// Something else.
    Elsewhere,
}

impl Fault {
    fn new(
        place: Place,
        code: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into().into_boxed_str(),
            place,
            said: Said::new(zh, en),
            more: Map::new(),
        }
    }

    /// A fault in a field of the body, by JSON pointer.
    pub fn at(
        pointer: impl Into<String>,
        code: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::new(Place::Body(pointer.into()), code, zh, en)
    }

    /// A fault that no field of the body would mend.
    pub fn elsewhere(
        code: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::new(Place::Elsewhere, code, zh, en)
    }

    /// A fault in a parameter of the query or the path.
    pub fn parameter(
        name: impl Into<String>,
        code: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::new(Place::Parameter(name.into()), code, zh, en)
    }

    /// The same fault, in a part of a larger body.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.place = match self.place {
            Place::Body(pointer) => Place::Body(format!("{place}{pointer}")),
            Place::Parameter(_) | Place::Elsewhere => Place::Body(place.to_owned()),
        };
        self
    }

    /// The same fault, in a parameter.
    #[must_use]
    pub fn of_parameter(mut self, name: &str) -> Self {
        self.place = Place::Parameter(name.to_owned());
        self
    }

    /// The same fault with a member more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The field of the body that it is about.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        match &self.place {
            Place::Body(pointer) => Some(pointer),
            Place::Parameter(_) | Place::Elsewhere => None,
        }
    }

    /// What is said, in Chinese and in English.
    #[must_use]
    pub fn said(&self) -> (&str, &str) {
        (&self.said.zh, &self.said.en)
    }

    /// The fault as it stands in `errors`.
    #[must_use]
    pub fn told(&self, language: Language) -> Value {
        let mut told = Map::new();
        told.insert("code".to_owned(), json!(self.code));
        match &self.place {
            Place::Body(pointer) => told.insert("pointer".to_owned(), json!(pointer)),
            Place::Parameter(name) => told.insert("parameter".to_owned(), json!(name)),
            Place::Elsewhere => None,
        };
        told.insert("detail".to_owned(), json!(self.said.in_language(language)));
        told.extend(self.more.clone());
        Value::Object(told)
    }
}

/// How many faults are told at once.
const MAX_FAULTS: usize = 50;

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: &'static Kind,
    title: Option<Box<Said>>,
    said: Option<Box<Said>>,
    faults: Vec<Fault>,
    headers: Vec<(header::HeaderName, String)>,
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub const fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            title: None,
            said: None,
            faults: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// The same problem under a title that says more than its kind's.
    #[must_use]
    pub fn titled(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.title = Some(Box::new(Said::new(zh, en)));
        self
    }

    /// The same problem with what it is about, this time.
    #[must_use]
    pub fn say(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.said = Some(Box::new(Said::new(zh, en)));
        self
    }

    /// The same problem, said to be about one thing among several.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        let said = self.in_short();
        self.said = Some(Box::new(Said::new(
            format!("{what}：{}", said.zh),
            format!("{what}: {}", said.en),
        )));
        self
    }

    /// What it is about, or its kind's title.
    fn in_short(&self) -> Said {
        match &self.said {
            Some(said) => Said::clone(said),
            None => Said::new(self.kind.zh, self.kind.en),
        }
    }

    /// The same problem with everything that is wrong.
    #[must_use]
    pub fn with_faults(mut self, mut faults: Vec<Fault>) -> Self {
        faults.truncate(MAX_FAULTS);
        self.faults = faults;
        self
    }

    /// The same problem with a header.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Faults in the values of a body: 422.
    #[must_use]
    pub fn invalid(faults: Vec<Fault>) -> Self {
        Self::new(kinds::VALIDATION_FAILED)
            .say(
                format!("有 {} 处需要改正", faults.len()),
                format!("{} to be put right", faults.len()),
            )
            .with_faults(faults)
    }

    /// Faults in the parameters of a request: 400.
    #[must_use]
    pub fn bad_parameters(faults: Vec<Fault>) -> Self {
        Self::new(kinds::INVALID_PARAMETER)
            .say(
                format!("有 {} 个参数需要改正", faults.len()),
                format!("{} parameters to be put right", faults.len()),
            )
            .with_faults(faults)
    }

    /// Absent, or out of the asker's scope: nobody can tell which.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(kinds::NOT_FOUND)
    }

    /// The problem for a terminal: in both languages, with everything that is wrong.
    #[must_use]
    pub fn for_terminal(&self) -> String {
        let said = self.in_short();
        let mut lines = vec![format!("{} / {}", said.zh, said.en)];
        for fault in &self.faults {
            lines.push(format!("  {}", fault.told(Language::English)));
        }
        lines.join("\n")
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code
    }

    /// The faults, under a place in a larger body; the problem itself there if it has none.
    #[must_use]
    pub fn at(self, place: &str) -> Vec<Fault> {
        let said = self.in_short();
        let whole = Fault::at(place, self.kind.code, said.zh, said.en);
        if self.faults.is_empty() {
            return vec![whole];
        }
        self.faults
            .into_iter()
            .map(|fault| fault.within(place))
            .collect()
    }

    /// The same problem, of a part of a larger body: its faults are told by where they stand in that.
    #[must_use]
    pub fn under(mut self, place: &str) -> Self {
        let faults = std::mem::take(&mut self.faults);
        let within = |fault: Fault| match fault.place {
            Place::Body(_) => fault.within(place),
            Place::Parameter(_) | Place::Elsewhere => fault,
        };
        self.faults = faults.into_iter().map(within).collect();
        self
    }

    /// The problem as the members of `application/problem+json`.
    #[must_use]
    pub fn body(&self, language: Language, instance: &str, request_id: &str) -> Value {
        let title = match &self.title {
            Some(title) => title.in_language(language),
            None => Said::of(self.kind, language),
        };
        let mut body = json!({
            "type": format!("/problems/{}", self.kind.code.replace('_', "-")),
            "title": title,
            "status": self.kind.status,
            "code": self.kind.code,
            "instance": instance,
            "request_id": request_id,
        });
        if let Some(members) = body.as_object_mut() {
            if let Some(said) = &self.said {
                members.insert("detail".to_owned(), json!(said.in_language(language)));
            }
            if !self.faults.is_empty() {
                let told = self.faults.iter().map(|fault| fault.told(language));
                members.insert("errors".to_owned(), told.collect());
            }
        }
        body
    }

    /// The problem as `application/problem+json`.
    #[must_use]
    pub fn told(&self, language: Language, instance: &str, request_id: &str) -> HttpResponse {
        let body = self.body(language, instance, request_id);
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        response.insert_header((header::CONTENT_LANGUAGE, language.tag()));
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.insert_header((name.clone(), value));
            }
        }
        response.body(body.to_string())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.code)?;
        for fault in &self.faults {
            write!(f, " {}", fault.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The problem travels with the answer until the edge writes it.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(self.clone());
        response
    }
}
