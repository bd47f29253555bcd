//! The edge: headers, other origins, proxies, TLS, limits and slow clients.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use serde_json::json;
use taizhang::edge::tls::Certificate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::support::issued::Issued;
use crate::support::problems::{in_both_languages, is_problem};
use crate::support::{Client, Reply, Request, Server};

const OFFICE: &str = "https://oa.example.gov.cn";

#[tokio::test]
async fn every_answer_makes_a_browser_careful() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let nobody = server.anonymous();
    let wrong = json!({ "username": "officer", "password": "wrong" });
    let replies = [
        nobody.get("/").await.expect(200),
        nobody.get("/start.css").await.expect(200),
        nobody.get("/docs").await.expect(200),
        nobody.get("/docs/swagger-ui.css").await.expect(200),
        nobody.get("/docs/nothing").await.expect(404),
        nobody.get("/openapi.yaml").await.expect(200),
        nobody.get("/healthz").await.expect(200),
        nobody.get("/v1/me").await.expect(401),
        nobody.get("/nowhere").await.expect(404),
        nobody.post("/healthz", &json!({})).send().await.expect(405),
        nobody.post("/auth/login", &wrong).send().await.expect(401),
        officer.get("/v1/projects").await.expect(200),
        officer.get("/v1/projects?limit=x").await.expect(400),
    ];
    for reply in replies {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{}", reply.text);
        }
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        for part in [
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        let features = reply.header("permissions-policy").unwrap();
        assert!(features.contains("geolocation=()"), "{features}");
        assert_eq!(reply.header("strict-transport-security"), None);
        let is_json = reply.header("content-type").unwrap().contains("json");
        if is_json {
            assert_eq!(reply.header("cache-control"), Some("no-store"));
            assert!(!policy.contains("self"), "{policy}");
        }
    }
    let style = nobody.get("/docs/swagger-ui.css").await;
    assert_eq!(style.header("cache-control"), Some("max-age=3600"));
}

#[tokio::test]
async fn no_page_has_anything_inline() {
    let server = Server::demo().await;
    for path in ["/", "/docs/"] {
        let page = server.anonymous().get(path).await.expect(200);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self'"), "{policy}");
        let html = page.text.to_ascii_lowercase();
        for inline in ["<style", " style=", " onload=", " onclick=", "javascript:"] {
            assert!(!html.contains(inline), "{path}: {inline}");
        }
        for script in html.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').unwrap();
            assert!(tag.contains("src=\"./"), "{path}: {tag}");
            assert_eq!(rest.split("</script>").next().unwrap().trim(), "");
        }
    }
}

fn crossing(reply: &Reply) -> Vec<&str> {
    let names = reply
        .headers
        .keys()
        .map(reqwest::header::HeaderName::as_str);
    names.filter(|n| n.starts_with("access-control-")).collect()
}

fn preflight(client: &Client, origin: &str, method: &str) -> Request {
    client
        .request(Method::OPTIONS, "/v1/projects")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header(
            "access-control-request-headers",
            "authorization,content-type,idempotency-key",
        )
}

#[tokio::test]
async fn pages_of_other_origins_are_not_let_in_by_default() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    for origin in [OFFICE, "null", "http://127.0.0.1", &server.base] {
        let list = officer.request(Method::GET, "/v1/projects");
        let list = list.header("origin", origin).send().await.expect(200);
        assert_eq!(crossing(&list), [""; 0], "{origin}");
        let asked = || preflight(&officer, origin, "POST");
        let refused = in_both_languages(asked, 405, origin).await;
        assert_eq!(crossing(&refused), [""; 0], "{origin}");
    }
}

#[tokio::test]
async fn pages_of_a_listed_origin_and_no_other_are_let_in() {
    let server = Server::configured(|config| {
        config.cors_origins = vec![OFFICE.to_owned(), "http://10.1.2.3:8080".to_owned()];
    })
    .await;
    let officer = server.sign_in("officer").await;
    let allowed = "access-control-allow-origin";
    for origin in [OFFICE, "http://10.1.2.3:8080"] {
        let list = officer.request(Method::GET, "/v1/projects");
        let list = list.header("origin", origin).send().await.expect(200);
        assert_eq!(list.header(allowed), Some(origin));
        assert!(list.header("vary").unwrap().contains("Origin"));
        assert_eq!(list.header("access-control-allow-credentials"), None);
        let exposed = list.header("access-control-expose-headers").unwrap();
        assert!(exposed.to_ascii_lowercase().contains("etag"), "{exposed}");
        // What goes wrong can be read too.
        let nothing = officer.request(Method::GET, "/v1/nothing");
        let nothing = nothing.header("origin", origin).send().await;
        is_problem(&nothing, 404, origin);
        assert_eq!(nothing.header(allowed), Some(origin));
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let asked = preflight(&officer, origin, method).send().await.expect(200);
            assert_eq!(asked.header(allowed), Some(origin));
            assert_eq!(asked.header("access-control-allow-credentials"), None);
            let methods = asked.header("access-control-allow-methods").unwrap();
            assert!(methods.contains(method), "{methods}");
            assert!(asked.header("x-request-id").is_some());
        }
        let asked = || preflight(&officer, origin, "TRACE");
        in_both_languages(asked, 403, "TRACE").await;
    }
    for origin in [
        "null",
        "http://oa.example.gov.cn",
        "https://oa.example.gov.cn:8443",
        "https://oa.example.gov.cn.evil.cn",
        "https://evil.cn/https://oa.example.gov.cn",
        "https://evil-oa.example.gov.cn",
        "https://OA.example.gov.cn",
        "*",
    ] {
        let list = officer.request(Method::GET, "/v1/projects");
        let list = list.header("origin", origin).send().await.expect(200);
        assert_eq!(list.header(allowed), None, "{origin}");
        let asked = || preflight(&officer, origin, "POST");
        let refused = in_both_languages(asked, 403, origin).await;
        assert_eq!(refused.code(), "cross_origin_refused");
        assert_eq!(refused.header(allowed), None, "{origin}");
    }
}

/// Asks until it is too much; how often it was not.
async fn until_too_many(request: impl Fn() -> Request) -> (usize, Reply) {
    for asked in 0..500 {
        let reply = request().send().await;
        if reply.status == 429 {
            return (asked, reply);
        }
    }
    panic!("500 requests and never too many");
}

#[tokio::test]
async fn too_many_requests_from_an_address_are_told_when_to_come_again() {
    let server = Server::configured(|config| {
        config.rate_limit_per_address = 1;
        config.cors_origins = vec![OFFICE.to_owned()];
    })
    .await;
    let nobody = server.anonymous();
    let ask = || {
        nobody
            .request(Method::GET, "/v1/me")
            .header("origin", OFFICE)
    };
    let (asked, refused) = until_too_many(ask).await;
    assert!(asked >= 5, "a burst of five seconds' worth, not {asked}");
    is_problem(&refused, 429, "an address");
    assert_eq!(refused.code(), "too_many_requests");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(refused.header("access-control-allow-origin"), Some(OFFICE));
    // Signing in is refused before a password is looked at, and so is what is not there.
    let credentials = json!({ "username": "officer", "password": "wrong" });
    let sign_in = || nobody.post("/auth/login", &credentials);
    assert!(until_too_many(sign_in).await.0 <= 5);
    let nowhere = || nobody.request(Method::GET, "/nowhere");
    assert!(until_too_many(nowhere).await.0 <= 5);
    for _ in 0..50 {
        nobody.get("/healthz").await.expect(200);
        nobody.get("/readyz").await.expect(200);
    }
}

#[tokio::test]
async fn too_many_requests_of_a_person_are_his_alone() {
    let server = Server::configured(|config| config.rate_limit_per_principal = 1).await;
    let (one, again) = (
        server.sign_in("officer").await,
        server.sign_in("officer").await,
    );
    let manager = server.sign_in("manager").await;
    let (asked, refused) = until_too_many(|| one.request(Method::GET, "/v1/me")).await;
    assert!(asked >= 5, "{asked}");
    is_problem(&refused, 429, "a person");
    assert!(refused.header("retry-after").is_some());
    // Another sign-in of the same person is the same person.
    let (asked, _) = until_too_many(|| again.request(Method::GET, "/v1/me")).await;
    assert!(asked < 5, "{asked}");
    manager.get("/v1/me").await.expect(200);
    // Whoever has not signed in is nobody's person.
    let forged = server.anonymous().with_token("forged");
    for _ in 0..20 {
        forged.get("/v1/me").await.expect(401);
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_can_name_another_address() {
    let trusting = Server::configured(|config| {
        config.rate_limit_per_address = 1;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let from = |server: &Server, forwarded: &str| {
        server
            .anonymous()
            .request(Method::GET, "/v1/me")
            .header("x-forwarded-for", forwarded)
    };
    until_too_many(|| from(&trusting, "198.51.100.1")).await;
    from(&trusting, "198.51.100.2").send().await.expect(401);
    // What the client wrote himself, before what the proxy added, changes nothing.
    let (asked, _) = until_too_many(|| from(&trusting, "203.0.113.5, 198.51.100.1:99")).await;
    assert!(asked < 5, "{asked}");
    let https = trusting.anonymous().request(Method::GET, "/healthz");
    let https = https.header("x-forwarded-proto", "https").send().await;
    let only = https.header("strict-transport-security");
    assert_eq!(only, Some("max-age=31536000; includeSubDomains"));

    let wary = Server::configured(|config| {
        config.rate_limit_per_address = 1;
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    until_too_many(|| from(&wary, "198.51.100.1")).await;
    for forged in ["198.51.100.2", "10.0.0.1", "127.0.0.1", "::1", "unknown"] {
        let (asked, _) = until_too_many(|| from(&wary, forged)).await;
        assert!(asked < 5, "{forged}: {asked}");
    }
    let http = wary.anonymous().request(Method::GET, "/healthz");
    let http = http.header("x-forwarded-proto", "https").send().await;
    assert_eq!(http.header("strict-transport-security"), None);
}

#[tokio::test]
async fn every_problem_tells_the_request_it_was() {
    let server = Server::configured(|config| {
        config.cors_origins = vec![OFFICE.to_owned()];
        config.rate_limit_per_principal = 1;
    })
    .await;
    let officer = server.sign_in("officer").await;
    let nobody = server.anonymous();
    let large = json!({ "note": "x".repeat(300 * 1024) });
    let cases = [
        (401, nobody.request(Method::GET, "/v1/me")),
        (404, nobody.request(Method::GET, "/nowhere")),
        (404, nobody.request(Method::GET, "/docs/nothing")),
        (405, nobody.request(Method::TRACE, "/healthz")),
        (415, nobody.request(Method::POST, "/auth/login")),
        (413, nobody.post("/auth/login", &large)),
        (400, nobody.post("/auth/login", &json!([]))),
        (400, officer.request(Method::GET, "/v1/projects?limit=x")),
        (403, preflight(&nobody, "https://evil.cn", "POST")),
    ];
    for (number, (status, request)) in cases.into_iter().enumerate() {
        let id = format!("r-{number}");
        let reply = request.header("x-request-id", &id).send().await;
        is_problem(&reply, status, &id);
        assert_eq!(reply.str("/request_id"), id);
    }
    let ask = || {
        officer
            .request(Method::GET, "/v1/me")
            .header("x-request-id", "r-many")
    };
    let (_, refused) = until_too_many(ask).await;
    assert_eq!(refused.str("/request_id"), "r-many");
}

fn address(server: &Server) -> SocketAddr {
    server
        .base
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap()
}

/// Asks over TLS for `/healthz`: the version and protocol that were agreed on, and the answer.
fn over_tls(
    at: SocketAddr,
    trusted: &Path,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<(ProtocolVersion, Vec<u8>, String)> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(trusted).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connection = ClientConnection::new(Arc::new(config), at.ip().into()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(at)?);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok((
        stream.conn.protocol_version().unwrap(),
        stream.conn.alpn_protocol().unwrap().to_vec(),
        answer,
    ))
}

#[tokio::test]
async fn tls_is_spoken_with_the_configured_certificate() {
    let issued = Issued::new();
    let server = Server::configured(|config| {
        config.tls_certificate = Some(issued.certificate());
        config.tls_key = Some(issued.key());
    })
    .await;
    let at = address(&server);
    let stranger = Issued::new();
    tokio::task::spawn_blocking(move || {
        for (version, named) in [
            (&TLS13, ProtocolVersion::TLSv1_3),
            (&TLS12, ProtocolVersion::TLSv1_2),
        ] {
            let (spoken, protocol, answer) = over_tls(at, &issued.certificate(), version).unwrap();
            assert_eq!(spoken, named);
            assert_eq!(protocol, b"http/1.1");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains("strict-transport-security: max-age="));
        }
        over_tls(at, &stranger.certificate(), &TLS13).unwrap_err();

        // The same hello is answered by a hello in TLS 1.2, and by an alert in TLS 1.1: protocol_version.
        let said = answer_to_hello(at, [3, 3]);
        assert!(matches!(said[..], [22, _, _, _, _, 2, ..]), "{said:?}");
        let said = answer_to_hello(at, [3, 2]);
        assert!(matches!(said[..], [21, _, _, _, _, 2, 70]), "{said:?}");

        // Plain HTTP gets no answer.
        let mut plain = TcpStream::connect(at).unwrap();
        plain
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        let _reset = plain.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    })
    .await
    .unwrap();
}

/// What is answered to a `ClientHello` of a version that knows no other: the first seven bytes.
fn answer_to_hello(at: SocketAddr, version: [u8; 2]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend([7; 32]);
    // No session, one cipher suite (ECDHE, ECDSA, AES-128-GCM), no compression.
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    // Extensions: ECDSA with P-256 and SHA-256; P-256; points uncompressed.
    let extensions = [
        0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0,
    ];
    hello.extend([0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(&record).unwrap();
    let mut answer = vec![0; 7];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn a_certificate_that_can_not_be_used_is_refused_at_the_start() {
    let (issued, other) = (Issued::new(), Issued::new());
    let read = |certificate: &Path, key: &Path| {
        Certificate::from_files(certificate, key).map_err(|error| error.to_string())
    };
    for mode in [0o400, 0o600, 0o640] {
        issued.permit(mode);
        read(&issued.certificate(), &issued.key()).unwrap();
    }
    for mode in [0o604, 0o602, 0o660, 0o644, 0o777] {
        issued.permit(mode);
        let said = read(&issued.certificate(), &issued.key()).unwrap_err();
        assert!(said.contains("key.pem") && said.contains("chmod"), "{said}");
    }
    issued.permit(0o600);
    read(&issued.certificate(), &other.key()).unwrap_err();
    read(&issued.key(), &issued.key()).unwrap_err();
    read(&issued.certificate(), &issued.certificate()).unwrap_err();
    let missing = read(&issued.certificate(), Path::new("no-such-key.pem")).unwrap_err();
    assert!(missing.contains("no-such-key.pem"), "{missing}");
}

/// A client that sends its beginning, then a little again and again, and reads nothing until it is left alone:
/// the first line that it was answered, and after how long the connection was closed.
async fn dribble(at: SocketAddr, first: &str, more: &str) -> (String, Duration) {
    let began = Instant::now();
    let stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    writer.write_all(first.as_bytes()).await.unwrap();
    let more = more.to_owned();
    let dribbling = tokio::spawn(async move {
        let mut beat = tokio::time::interval(Duration::from_millis(500));
        loop {
            beat.tick().await;
            if writer.write_all(more.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    let patience = Duration::from_secs(40);
    let closed = tokio::time::timeout(patience, async {
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..length]);
        }
    });
    assert!(closed.await.is_ok(), "still open: {first}");
    dribbling.abort();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let first = answer.lines().next().unwrap_or_default().to_owned();
    (first, began.elapsed())
}

/// A client that asks for much, many times over, and never reads.
async fn gorge(at: SocketAddr) -> tokio::net::TcpStream {
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let ask = "GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100);
    stream.write_all(ask.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn slow_clients_are_left_and_others_are_not_kept_waiting() {
    let server = Server::demo().await;
    let at = address(&server);
    let officer = server.sign_in("officer").await;
    let json = "Host: a\r\nContent-Type: application/json\r\n";
    let kinds = [
        // Beginning, what follows, the answer, and the seconds that it is waited for at least.
        (
            "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ".to_owned(),
            "a",
            "HTTP/1.1 408",
            9,
        ),
        (
            format!("POST /auth/login HTTP/1.1\r\n{json}Content-Length: 1000\r\n\r\n"),
            " ",
            "HTTP/1.1 408",
            9,
        ),
        (
            format!("POST /auth/login HTTP/1.1\r\n{json}Transfer-Encoding: chunked\r\n\r\n"),
            "1\r\n \r\n",
            "HTTP/1.1 408",
            13,
        ),
        // Bodies that nobody reads, because the answer is known without them.
        (
            format!("POST /v1/projects HTTP/1.1\r\n{json}Content-Length: 200000\r\n\r\n"),
            " ",
            "HTTP/1.1 401",
            0,
        ),
        (
            format!("POST /v1/projects HTTP/1.1\r\n{json}Transfer-Encoding: chunked\r\n\r\n"),
            "1\r\n \r\n",
            "HTTP/1.1 401",
            0,
        ),
        (
            "GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            "1\r\n \r\n",
            "HTTP/1.1 200",
            0,
        ),
    ];
    let (mut waited_for, mut answered) = (JoinSet::new(), JoinSet::new());
    for (first, more, answer, seconds) in kinds {
        for _ in 0..20 {
            let first = first.clone();
            let slow = async move {
                let (said, after) = dribble(at, &first, more).await;
                assert!(said.starts_with(answer), "{first}: {said}");
                assert!(after.as_secs() >= seconds, "{first}: {after:?}");
            };
            if seconds > 0 {
                waited_for.spawn(slow);
            } else {
                answered.spawn(slow);
            }
        }
    }
    let gorging = join_all((0..10).map(|_| gorge(at))).await;
    for _ in 0..10 {
        officer.get("/v1/projects?limit=5").await.expect(200);
    }
    answered.join_all().await;
    // All of these are answered, and those left whose answer was known, while it still waits for every other one.
    assert!(waited_for.try_join_next().is_none());
    waited_for.join_all().await;
    drop(gorging);
}
