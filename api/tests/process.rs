//! The binary as a process: what it logs, and what signals do. Only here does Cargo say where the binary is.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_mins(1);

const PASSWORD: &str = "Taizhang-demo-2025";

/// A demo service in a process of its own, until it is dropped.
struct Service {
    child: Child,
    at: SocketAddr,
    log: Receiver<Value>,
    /// Kept open: it goes on writing there.
    _stdout: BufReader<ChildStdout>,
    directory: Arc<TempDir>,
}

fn binary(directory: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taizhang"));
    command
        .env_clear()
        .envs(settings.iter().copied())
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}

impl Service {
    fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(TempDir::new().unwrap()), settings)
    }

    /// On what another one has left.
    fn start_in(directory: Arc<TempDir>, settings: &[(&str, &str)]) -> Self {
        let mut child = binary(directory.path(), settings)
            .args(["--log-json", "--log", "info,taizhang=trace"])
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // What is no JSON is kept all the same: it is not to hold a secret either.
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let at = first.trim().trim_end_matches('/').rsplit('/').next();
        let at = at.unwrap().parse().unwrap_or_else(|_| panic!("{first}"));
        Self {
            child,
            at,
            log,
            _stdout: stdout,
            directory,
        }
    }

    /// Sends a request: the status, and the body as JSON.
    fn ask(&self, id: &str, request: &str, headers: &[String], body: &str) -> (u16, Value) {
        self.send(id, request, headers, "application/json", body)
    }

    fn send(
        &self,
        id: &str,
        request: &str,
        headers: &[String],
        content_type: &str,
        body: &str,
    ) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let headers = [headers, &[String::new()]].concat().join("\r\n");
        let length = body.len();
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-Request-Id: {id}\r\n{headers}\
             Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}",
            self.at
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// The headers of somebody who has signed in.
    fn bearer(&self, username: &str) -> Vec<String> {
        let body = json!({ "username": username, "password": PASSWORD });
        let (status, pair) = self.ask("sign-in", "POST /auth/login", &[], &body.to_string());
        assert_eq!(status, 200, "{pair}");
        let token = pair.get("access_token").unwrap().as_str().unwrap();
        vec![format!("Authorization: Bearer {token}")]
    }

    /// Brings a file of projects in; does not wait for what comes of it.
    fn import(&self, headers: &[String], text: &str) -> String {
        const MARK: &str = "of-the-test";
        let part = |name: &str, rest: &str, value: &str| {
            format!(
                "--{MARK}\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n\r\n{value}\r\n"
            )
        };
        let body = [
            part("kind", "", "projects"),
            part("mode", "", "commit"),
            part("wait", "", "0"),
            part("file", "; filename=\"a.csv\"", text),
            format!("--{MARK}--\r\n"),
        ]
        .concat();
        let content_type = format!("multipart/form-data; boundary={MARK}");
        let asked = self.send("import", "POST /v1/imports", headers, &content_type, &body);
        let (status, import) = asked;
        assert_eq!(status, 202, "{import}");
        import.get("id").unwrap().as_str().unwrap().to_owned()
    }

    /// The log up to the line that is looked for.
    fn log_until(&self, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut lines = Vec::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            let last = is_last(&line);
            lines.push(line);
            if last {
                return lines;
            }
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The request that a line of the log belongs to.
fn request_of(line: &Value) -> Option<&str> {
    line.pointer("/span/id")?.as_str()
}

fn is_answer_to(line: &Value, id: &str) -> bool {
    request_of(line) == Some(id) && line.get("message") == Some(&json!("answered"))
}

#[test]
fn every_line_of_a_request_has_its_id_and_none_has_a_secret() {
    let service = Service::start(&[]);
    let sign_in = |id: &str, password: &str| {
        let body = json!({ "username": "officer", "password": password });
        service.ask(id, "POST /auth/login", &[], &body.to_string())
    };
    let (status, pair) = sign_in("r-right", PASSWORD);
    assert_eq!(status, 200, "{pair}");
    let token = |pair: &Value, name: &str| pair.get(name).unwrap().as_str().unwrap().to_owned();
    let (access, refresh) = (token(&pair, "access_token"), token(&pair, "refresh_token"));
    let renew = |id: &str| {
        let body = json!({ "refresh_token": refresh });
        service.ask(id, "POST /auth/refresh", &[], &body.to_string())
    };
    let bearer = |token: &str| [format!("Authorization: Bearer {token}")];
    let (status, next) = renew("r-renewed");
    assert_eq!(status, 200);
    assert_eq!(renew("r-reused").0, 401);
    assert_eq!(sign_in("r-wrong", "wrong-Secret-1").0, 401);
    let (_, pair) = sign_in("r-again", PASSWORD);
    let again = token(&pair, "access_token");
    let me = |id: &str, token: &str| service.ask(id, "GET /v1/me", &bearer(token), "").0;
    assert_eq!(me("r-me", &again), 200);
    assert_eq!(me("r-forged", "forged-Secret-2"), 401);
    let basic = ["Authorization: Basic c2VjcmV0LTM6c2VjcmV0LTM=".to_owned()];
    assert_eq!(service.ask("r-basic", "GET /v1/me", &basic, "").0, 401);
    let typed_wrong = "{\"username\": \"officer\", \"password\": [\"list-Secret-4\"]}";
    let cut = "{\"username\": \"officer\", \"password\": \"cut-Secret-5";
    let misplaced = "{\"name\": \"misplaced-Secret-6\"}";
    let post = |id: &str, path: &str, body: &str| {
        let request = format!("POST {path}");
        service.ask(id, &request, &bearer(&again), body).0
    };
    assert_eq!(post("r-typed-wrong", "/auth/login", typed_wrong), 400);
    assert_eq!(post("r-cut", "/auth/login", cut), 400);
    assert_eq!(post("r-misplaced", "/auth/login", misplaced), 400);
    assert_eq!(
        post("r-query", "/auth/login?password=query-Secret-7", "{}"),
        400
    );
    assert_eq!(post("r-nowhere", "/nowhere", "{}"), 404);
    assert_eq!(post("r-out", "/auth/logout", ""), 204);
    assert_eq!(me("r-over", &again), 401);

    let ids = [
        "r-right",
        "r-renewed",
        "r-reused",
        "r-wrong",
        "r-again",
        "r-me",
        "r-over",
        "r-forged",
        "r-basic",
        "r-typed-wrong",
        "r-cut",
        "r-misplaced",
        "r-query",
        "r-nowhere",
        "r-out",
    ];
    let log = service.log_until(|line| is_answer_to(line, "r-over"));
    let first = log.iter().position(|line| request_of(line).is_some());
    for line in log.iter().skip(first.unwrap()) {
        let id = request_of(line).unwrap_or_else(|| panic!("whose is this line? {line}"));
        assert!(ids.contains(&id), "{line}");
    }
    for id in ids {
        assert!(log.iter().any(|line| is_answer_to(line, id)), "{id}");
    }
    let secrets = [
        PASSWORD,
        &access,
        &refresh,
        &token(&next, "access_token"),
        &token(&next, "refresh_token"),
        &again,
        "Secret-",
        "c2VjcmV0LTM6c2VjcmV0LTM=",
        "eyJ",
    ];
    for line in &log {
        let text = line.to_string();
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in the log: {text}");
        }
        assert!(!text.to_ascii_lowercase().contains("bearer "), "{text}");
    }
}

#[test]
fn a_new_certificate_is_read_when_the_service_is_told_to() {
    let files = TempDir::new().unwrap();
    let (certificate, key) = (files.path().join("c.pem"), files.path().join("k.pem"));
    let issue = || {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        made.cert.der().clone()
    };
    let first = issue();
    let settings = [
        ("TAIZHANG_TLS_CERTIFICATE", certificate.to_str().unwrap()),
        ("TAIZHANG_TLS_KEY", key.to_str().unwrap()),
    ];
    let service = Service::start(&settings);
    assert!(shows(service.at, &first));
    let asked = binary(files.path(), &settings)
        .args(["health", "--at", &service.at.to_string()])
        .output()
        .unwrap();
    assert!(asked.status.success(), "{asked:?}");

    let second = issue();
    service.signal("HUP");
    service.log_until(|line| line.to_string().contains("read again"));
    assert!(shows(service.at, &second) && !shows(service.at, &first));

    // One that can't be used changes nothing.
    std::fs::write(&certificate, "torn").unwrap();
    service.signal("HUP");
    service.log_until(|line| line.to_string().contains("still the one before"));
    assert!(shows(service.at, &second));
}

#[test]
fn a_service_that_is_killed_while_it_takes_a_file_in_leaves_nothing_of_it_and_says_so() {
    const ROWS: usize = 3000;
    let row = |row: usize| format!("被打断的项目{row},大洼区,panjin-drc,港口,100");
    let rows: Vec<String> = (0..ROWS).map(row).collect();
    let text = format!(
        "项目名称,地区,责任单位,行业,总投资（万元）\n{}\n",
        rows.join("\n")
    );
    let service = Service::start(&[]);
    let headers = service.bearer("manager");
    let count = |service: &Service, headers: &[String]| {
        let path = "GET /v1/projects?limit=1&with_total=true";
        let (status, page) = service.ask("count", path, headers, "");
        assert_eq!(status, 200, "{page}");
        page.get("total").unwrap().as_u64().unwrap()
    };
    let before = count(&service, &headers);
    let id = service.import(&headers, &text);
    service.log_until(|line| line.to_string().contains("a file is taken in"));
    let directory = Arc::clone(&service.directory);
    // SIGKILL.
    drop(service);

    let service = Service::start_in(directory, &[]);
    let headers = service.bearer("manager");
    let import = |service: &Service, id: &str| {
        let path = format!("GET /v1/imports/{id}");
        service.ask("import", &path, &headers, "").1
    };
    let state = |import: &Value| import.get("state").unwrap().as_str().unwrap().to_owned();
    assert_eq!(state(&import(&service, &id)), "interrupted");
    assert_eq!(count(&service, &headers), before);

    // The same file, sent again, is taken in as if nothing had been.
    let again = service.import(&headers, &text);
    let ended = format!("import/{again}");
    service.log_until(|line| line.to_string().contains(&ended));
    assert_eq!(state(&import(&service, &again)), "done");
    assert_eq!(count(&service, &headers), before + 3000);
}

/// Whether a service shows this certificate, and has its key.
fn shows(at: SocketAddr, certificate: &CertificateDer<'static>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), at.ip().into()).unwrap();
    let mut stream = TcpStream::connect(at).unwrap();
    while connection.is_handshaking() {
        if connection.complete_io(&mut stream).is_err() {
            return false;
        }
    }
    true
}
