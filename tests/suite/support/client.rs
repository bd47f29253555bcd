//! A client of the API, as another office's system would be one.

use std::net::IpAddr;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::contract;

/// Asks, and holds every answer to the contract.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// As it was sent.
    pub(crate) bytes: Vec<u8>,
    pub(crate) text: String,
    pub(crate) body: Value,
}

/// A request that is being put together; `send` it.
#[derive(Clone)]
pub(crate) struct Request {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    client: Client,
}

impl Client {
    pub(crate) fn new(base: &str, token: Option<String>) -> Self {
        Self {
            base: base.to_owned(),
            token,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// A client at another address of this machine, such as 127.0.0.2.
    pub(crate) fn at_address(&self, address: IpAddr) -> Self {
        let http = reqwest::Client::builder().no_proxy().local_address(address);
        Self {
            http: http.build().unwrap(),
            ..self.clone()
        }
    }

    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Self {
        let credentials = json!({ "username": username, "password": password });
        let reply = self.post("/auth/login", &credentials).in_turn().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.with_token(&reply.str("/access_token"))
    }

    /// The tokens of a demo account that signs in.
    pub(crate) async fn pair(&self, username: &str) -> Reply {
        let credentials = json!({ "username": username, "password": super::PASSWORD });
        let request = self.post("/auth/login", &credentials);
        request.in_turn().await.expect(200)
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        Request {
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: None,
            client: self.clone(),
        }
    }

    /// GET, sent at once.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path).send().await
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Request {
        self.request(Method::POST, path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Request {
        self.request(Method::PUT, path).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Request {
        self.request(Method::PATCH, path).json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }
}

impl Request {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
        self
    }

    /// With this header once more.
    pub(crate) fn also(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
        self
    }

    /// With the version that is changed.
    pub(crate) fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// If there is none yet.
    pub(crate) fn if_none(self) -> Self {
        self.header("if-none-match", "*")
    }

    pub(crate) fn english(self) -> Self {
        self.header("accept-language", "en")
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw("application/json", &body.to_string())
    }

    pub(crate) fn raw(mut self, content_type: &str, body: &str) -> Self {
        self.body = Some(body.as_bytes().to_vec());
        self.header("content-type", content_type)
    }

    /// With a file and other fields, as a browser sends a form.
    pub(crate) fn form(mut self, file: (&str, &[u8]), fields: &[(&str, &str)]) -> Self {
        const BOUNDARY: &str = "----of-the-suite";
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("Content-Disposition: form-data; name=\"{name}\"");
            body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n{value}\r\n").bytes());
        }
        let (name, bytes) = file;
        let head = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"");
        body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").bytes());
        body.extend(bytes);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        self.body = Some(body);
        self.header(
            "content-type",
            &format!("multipart/form-data; boundary={BOUNDARY}"),
        )
    }

    /// Whether it says this itself, in its path, its query or its body.
    pub(crate) fn says(&self, text: &str) -> bool {
        let body = String::from_utf8_lossy(self.body.as_deref().unwrap_or_default());
        self.path.contains(text) || body.contains(text)
    }

    /// Sends it again for as long as too many passwords are being compared: all servers of a run share the few
    /// threads that do. Each answer was waited for, so there is no hurry to be held back.
    pub(crate) async fn in_turn(self) -> Reply {
        const TRIES: usize = 20;
        for _ in 1..TRIES {
            let reply = self.clone().send().await;
            if reply.status != 503 {
                return reply;
            }
        }
        self.send().await
    }

    pub(crate) async fn send(self) -> Reply {
        let (method, path) = (self.method.clone(), self.path.clone());
        read(method.as_str(), &path, self.open().await).await
    }

    /// Sends it, and leaves the answer to be read as it comes.
    pub(crate) async fn open(self) -> reqwest::Response {
        let Self {
            method,
            path,
            headers,
            body,
            client,
        } = self;
        let url = format!("{}{path}", client.base);
        let mut request = client.http.request(method, url).headers(headers);
        if let Some(token) = &client.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        request.send().await.unwrap()
    }
}

/// Reads an answer and holds it to the contract.
pub(super) async fn read(method: &str, path: &str, response: reqwest::Response) -> Reply {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let bytes = response.bytes().await.unwrap().to_vec();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    let reply = Reply {
        status,
        headers,
        bytes,
        text,
        body,
    };
    contract::hold(method, path, &reply);
    reply
}

impl Reply {
    /// The answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    #[track_caller]
    pub(crate) fn etag(&self) -> String {
        self.header("etag").unwrap().to_owned()
    }

    /// A member of the body, by JSON pointer.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        let found = self.body.pointer(pointer);
        found.unwrap_or_else(|| panic!("no {pointer} in {}", self.text))
    }

    #[track_caller]
    pub(crate) fn str(&self, pointer: &str) -> String {
        self.at(pointer).as_str().unwrap().to_owned()
    }

    /// The code of a problem.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.str("/code")
    }

    /// The codes in `errors`, in order; with the item where there is one.
    pub(crate) fn error_codes(&self) -> Vec<String> {
        let errors = self.body.get("errors").and_then(Value::as_array);
        errors
            .into_iter()
            .flatten()
            .map(|error| {
                let code = error["code"].as_str().unwrap();
                match error.get("item").and_then(Value::as_str) {
                    Some(item) => format!("{code}:{item}"),
                    None => code.to_owned(),
                }
            })
            .collect()
    }

    /// The JSON pointers in `errors`.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let errors = self.body.get("errors").and_then(Value::as_array);
        errors
            .into_iter()
            .flatten()
            .filter_map(|error| error.get("pointer")?.as_str().map(str::to_owned))
            .collect()
    }
}
