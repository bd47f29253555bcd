//! A real identity provider on this machine (oidc-provider, from npm), and a browser to sign in there with.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Response, Url};
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::auth::provider::{Mapping, Settings};
use taizhang::config::Secret;

use super::client::read;
use super::{Reply, Server};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/provider");
/// The public address of the service: what stands before it hands requests on to wherever it listens.
const PUBLIC: &str = "http://127.0.0.1:1";

/// An identity provider that runs until it is dropped.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    process: Child,
    /// Kept open: it writes more than its first line, and would end if it could not.
    _output: BufReader<ChildStdout>,
    http: reqwest::Client,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        assert!(
            std::path::Path::new(DIRECTORY)
                .join("node_modules")
                .exists(),
            "the identity provider is not installed: npm ci --prefix tests/provider"
        );
        let mut process = Command::new("node")
            .current_dir(DIRECTORY)
            .args(["provider.js", &format!("{PUBLIC}/auth/provider/callback")])
            // It ends when this end of the pipe is closed, also when the test is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the identity provider needs Node.js 20 or newer: node");
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let first_line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            (line, output)
        });
        let (issuer, output) = first_line.await.unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(
            issuer.starts_with("http://127.0.0.1:"),
            "the identity provider did not start; try: node tests/provider/provider.js http://127.0.0.1/"
        );
        Self {
            issuer,
            process,
            _output: output,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// What the service has to know to sign people in there.
    pub(crate) fn settings(&self) -> Settings {
        let officer = |value: &str, role, region: Option<&str>| Mapping {
            value: value.to_owned(),
            role,
            region: region.map(str::to_owned),
            unit: None,
        };
        Settings {
            issuer: self.issuer.clone(),
            client_id: "taizhang".to_owned(),
            client_secret: Some(Secret::new("the-secret-of-taizhang-in-tests".to_owned())),
            redirect_url: format!("{PUBLIC}/auth/provider/callback"),
            scopes: vec!["profile".to_owned()],
            name_claim: "preferred_username".to_owned(),
            role_claim: Some("groups".to_owned()),
            roles: vec![
                officer("officers", Role::Officer, Some("211100")),
                officer("officers-dawa", Role::Officer, Some("211104")),
                officer("managers", Role::Manager, Some("211100")),
                officer("sysadmins", Role::SystemAdmin, None),
                officer("auditors", Role::AuditAdmin, None),
            ],
            second_factor_methods: vec!["mfa".to_owned()],
            authorities: None,
        }
    }

    /// Makes or replaces an account there: its subject, its name, its groups.
    pub(crate) async fn account(&self, subject: &str, username: &str, groups: &[&str]) {
        let claims = json!({
            "preferred_username": username, "name": format!("同志 {username}"), "groups": groups,
        });
        self.claims(subject, &claims).await;
    }

    /// Makes or replaces an account there, with all its claims.
    pub(crate) async fn claims(&self, subject: &str, claims: &Value) {
        let put = self.http.put(format!("{}/accounts/{subject}", self.issuer));
        let done = put.body(claims.to_string()).send().await.unwrap();
        assert_eq!(done.status(), 204);
    }

    /// From now on it signs with another key.
    pub(crate) async fn change_key(&self) {
        let post = self.http.post(format!("{}/keys", self.issuer));
        assert_eq!(post.send().await.unwrap().status(), 204);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        self.process.wait().unwrap();
    }
}

/// A person's browser: keeps cookies, fills in the provider's forms, and stops before it comes back.
pub(crate) struct Browser<'s> {
    server: &'s Server,
    http: reqwest::Client,
}

impl<'s> Browser<'s> {
    pub(crate) fn new(server: &'s Server) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { server, http }
    }

    /// Asks the service, and holds the answer to the contract.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let request = self.http.get(format!("{}{path}", self.server.base));
        read("GET", path, request.send().await.unwrap()).await
    }

    /// Begins to sign in: the address at the provider.
    pub(crate) async fn begin(&self) -> String {
        let sent = self.get("/auth/provider").await.expect(303);
        sent.header("location").unwrap().to_owned()
    }

    /// Signs in at the provider as a subject: the path and query with which the provider sends the browser back.
    pub(crate) async fn at_provider(&self, address: &str, subject: &str) -> String {
        self.follow(address, |action, prompt| {
            let form = format!("prompt={prompt}&login={subject}&password=any");
            let post = self.http.post(action);
            post.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form)
        })
        .await
    }

    /// Turns back at the provider's form.
    pub(crate) async fn cancel_at_provider(&self, address: &str) -> String {
        self.follow(address, |action, _| {
            self.http.get(format!("{action}/abort"))
        })
        .await
    }

    async fn follow(
        &self,
        address: &str,
        answer: impl Fn(&str, &str) -> reqwest::RequestBuilder,
    ) -> String {
        let mut request = self.http.get(address);
        for _ in 0..20 {
            let response = request.send().await.unwrap();
            if let Some(next) = location(&response) {
                if let Some(back) = next.as_str().strip_prefix(PUBLIC) {
                    return back.to_owned();
                }
                request = self.http.get(next);
                continue;
            }
            assert_eq!(response.status(), 200, "{:?}", response.text().await);
            let form = response.text().await.unwrap();
            request = answer(
                between(&form, "action=\""),
                between(&form, "name=\"prompt\" value=\""),
            );
        }
        panic!("the identity provider sends the browser round and round");
    }

    /// Signs in as a subject, from end to end; what the service answers in the end.
    pub(crate) async fn sign_in(&self, subject: &str) -> Reply {
        let address = self.begin().await;
        let back = self.at_provider(&address, subject).await;
        self.get(&back).await
    }
}

fn location(response: &Response) -> Option<Url> {
    let next = response.headers().get(LOCATION)?.to_str().unwrap();
    Some(response.url().join(next).unwrap())
}

fn between<'t>(text: &'t str, before: &str) -> &'t str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once('"').unwrap().0
}
