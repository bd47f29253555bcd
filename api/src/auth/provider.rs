//! The office's own identity provider (统一身份认证): OpenID Connect, authorization code with PKCE.
//!
//! What the provider says is taken only in answer to a flow that was begun here, and only after its signature,
//! issuer, audience, time and nonce have been checked. Its own tokens are dropped once they have been read.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreClientAuthMethod, CoreGenderClaim, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm as Algorithm, CoreProviderMetadata, CoreResponseType,
    CoreRevocableToken, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthType, AuthenticationFlow, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenFields,
    IdTokenVerifier, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse,
    StandardTokenIntrospectionResponse, StandardTokenResponse, TokenResponse, core, http,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::{KeyError, random_text};
use super::role::Role;
use crate::config::Secret;

/// Where the provider sends people back to, below the service's own address.
pub const CALLBACK: &str = "/auth/provider/callback";
/// How long an answer of the provider is waited for.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer of the provider that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// For how long what the provider says about itself is taken for true.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);
/// How far the clocks of two machines may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// The most values of the role claim that are looked at.
const MAX_VALUES: usize = 1000;

/// Signatures by a key of the provider's own; none by a secret that both have.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// The provider, as it is configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The provider's address, as its own metadata and its tokens write it.
    pub issuer: String,
    /// The name under which it knows this service.
    pub client_id: String,
    /// The secret that goes with the name; none for a public client.
    pub client_secret: Option<Secret>,
    /// The public address of this service's `/auth/provider/callback`.
    pub redirect_url: String,
    /// What is asked for beside `openid`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim of the id token that a new account is named after.
    #[serde(default = "default_name_claim")]
    pub name_claim: String,
    /// The claim of the id token that roles are mapped from: its name, or a JSON pointer to it.
    #[serde(default)]
    pub role_claim: Option<String>,
    /// Which roles come of its values.
    #[serde(default)]
    pub roles: Vec<Mapping>,
    /// The values of `amr` of which one says that the provider has asked for a second factor.
    #[serde(default = "default_second_factor")]
    pub second_factor_methods: Vec<String>,
    /// A file of the authorities (PEM) that may vouch for the provider; by default those of the machine.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
}

fn default_scopes() -> Vec<String> {
    vec!["profile".to_owned()]
}

fn default_name_claim() -> String {
    "preferred_username".to_owned()
}

fn default_second_factor() -> Vec<String> {
    vec!["mfa".to_owned()]
}

/// A role that comes of a value of the role claim.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The value.
    pub value: String,
    /// The role.
    pub role: Role,
    /// The region in whose subtree it holds; none for every region.
    pub region: Option<String>,
    /// The unit for whose projects it holds; none for every unit.
    pub unit: Option<String>,
}

impl Settings {
    /// The first setting that can't be, and why.
    ///
    /// # Errors
    /// The setting's name and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        const ADDRESS: &str = "must be an https address (http only on a loopback address)";
        let address = |text: &str| Url::parse(text).ok().filter(is_safe);
        if address(&self.issuer).is_none_or(|url| url.query().is_some()) {
            return Err(("identity_provider.issuer", ADDRESS));
        }
        let Some(redirect) = address(&self.redirect_url) else {
            return Err(("identity_provider.redirect_url", ADDRESS));
        };
        if !redirect.path().ends_with(CALLBACK) {
            let why = "must be the public address of /auth/provider/callback";
            return Err(("identity_provider.redirect_url", why));
        }
        if self.client_id.trim().is_empty() {
            return Err(("identity_provider.client_id", "must not be empty"));
        }
        if !self.roles.is_empty() && self.role_claim.is_none() {
            let why = "must say which claim `roles` are mapped from";
            return Err(("identity_provider.role_claim", why));
        }
        let is_limited = |mapping: &Mapping| mapping.region.is_some() || mapping.unit.is_some();
        let mut administrators = self.roles.iter().filter(|m| m.role.is_administrator());
        if administrators.any(is_limited) {
            let why = "an administrator's role holds everywhere, without region and unit";
            return Err(("identity_provider.roles", why));
        }
        Ok(())
    }

    /// Whether people come back over HTTPS, so that a cookie can be kept to it.
    #[must_use]
    pub fn is_over_https(&self) -> bool {
        self.redirect_url.starts_with("https:")
    }
}

/// Whether nobody on the way can read or change what goes to an address.
fn is_safe(url: &Url) -> bool {
    let is_loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback()),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

/// Why the provider did not say who somebody is.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It can't be reached, or answers what is no answer.
    #[error("the identity provider can't be used: {0}")]
    Unusable(String),
    /// It says no; this is its code for why.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// What it says does not hold.
    #[error("the identity provider's answer does not hold: {0}")]
    NotProved(String),
    /// A key of our own won't do its work.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The settings can't be used.
    #[error("identity_provider: {0}")]
    Settings(String),
}

/// A flow that begins: what is kept here of it, and where the browser goes.
pub struct Begun {
    /// Comes back with the answer.
    pub state: String,
    /// Kept by the browser alone, and shown when it comes back.
    pub browser: String,
    /// Stands in the id token.
    pub nonce: String,
    /// Shown for the code.
    pub verifier: String,
    /// Where the browser goes.
    pub address: String,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Begun")
    }
}

/// Who somebody is, as the provider says.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Its name for him, which it gives to nobody else.
    pub subject: String,
    /// What he is called there, to sign in.
    pub username: Option<String>,
    /// What he is called.
    pub display_name: Option<String>,
    /// The roles that come of it.
    pub roles: Vec<Mapping>,
    /// Whether he has shown a second factor there.
    pub has_shown_second_factor: bool,
}

/// Every claim that is not one of the standard ones.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct OtherClaims(Map<String, Value>);

impl AdditionalClaims for OtherClaims {}

type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    Algorithm,
>;

type Answer = StandardTokenResponse<Fields, CoreTokenType>;

type Client = openidconnect::Client<
    OtherClaims,
    core::CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    core::CoreJsonWebKey,
    core::CoreAuthPrompt,
    StandardErrorResponse<core::CoreErrorResponseType>,
    Answer,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, CoreTokenType>,
    CoreRevocableToken,
    core::CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What the provider says about itself, and when it said so.
struct Known {
    metadata: CoreProviderMetadata,
    since: DateTime<Utc>,
}

/// The provider, as it is asked.
pub struct Provider {
    settings: Settings,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    http: reqwest::Client,
    known: RwLock<Option<Arc<Known>>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// Nothing is asked of the provider yet: this service starts also while it is down.
    ///
    /// # Errors
    /// [`ProviderError::Settings`] if an address or the file of authorities can't be read.
    pub fn new(settings: Settings) -> Result<Self, ProviderError> {
        let wrong = |error: &dyn std::fmt::Display| ProviderError::Settings(error.to_string());
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .no_proxy();
        if let Some(path) = &settings.authorities {
            let pem =
                std::fs::read(path).map_err(|e| wrong(&format!("{}: {e}", path.display())))?;
            let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| wrong(&e))?;
            http = http.tls_certs_only(authorities);
        }
        Ok(Self {
            issuer: IssuerUrl::new(settings.issuer.clone()).map_err(|e| wrong(&e))?,
            redirect: RedirectUrl::new(settings.redirect_url.clone()).map_err(|e| wrong(&e))?,
            http: http.build().map_err(|e| wrong(&e))?,
            settings,
            known: RwLock::new(None),
        })
    }

    /// How it is configured.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Begins a flow.
    ///
    /// # Errors
    /// [`ProviderError::Unusable`] if the provider can't be reached.
    pub async fn begin(&self, now: DateTime<Utc>) -> Result<Begun, ProviderError> {
        let known = self.known(now, KNOWN_FOR).await?;
        let client = self.client(&known);
        let state = random_text::<32>()?;
        let nonce = random_text::<32>()?;
        let verifier = random_text::<32>()?;
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let (with_state, with_nonce) = (state.clone(), nonce.clone());
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let (address, _, _) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(with_state),
                move || Nonce::new(with_nonce),
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        if !is_safe(&address) {
            return Err(ProviderError::Unusable(format!("{address} is not https")));
        }
        Ok(Begun {
            state,
            browser: random_text::<32>()?,
            nonce,
            verifier,
            address: address.into(),
        })
    }

    /// Exchanges the code of a flow for who somebody is.
    ///
    /// # Errors
    /// [`ProviderError`] of any kind.
    pub async fn identify(
        &self,
        code: String,
        verifier: String,
        nonce: String,
        now: DateTime<Utc>,
    ) -> Result<Identity, ProviderError> {
        let known = self.known(now, KNOWN_FOR).await?;
        let client = self.client(&known);
        let http = |request| fetch(self.http.clone(), request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|e| ProviderError::Unusable(e.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&http)
            .await
            .map_err(not_exchanged)?;
        let nonce = Nonce::new(nonce);
        match self.check(&client, &answer, &nonce, now) {
            // Signed by a key that the provider did not have when it was last asked.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) if known.since < now => {
                let known = self.known(now, TimeDelta::zero()).await?;
                self.check(&self.client(&known), &answer, &nonce, now)
            }
            checked => checked,
        }
        .map_err(|e| ProviderError::NotProved(told(&e)))
    }

    fn check(
        &self,
        client: &Client,
        answer: &Answer,
        nonce: &Nonce,
        now: DateTime<Utc>,
    ) -> Result<Identity, ClaimsVerificationError> {
        let other = |why: &str| ClaimsVerificationError::Other(why.to_owned());
        let token = answer.id_token().ok_or_else(|| other("no id token"))?;
        let verifier: IdTokenVerifier<'_, core::CoreJsonWebKey> = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || now - LEEWAY)
            .set_issue_time_verifier_fn(move |issued_at| {
                if issued_at > now + LEEWAY {
                    return Err("issued in the future".to_owned());
                }
                Ok(())
            });
        let claims = token.claims(&verifier, nonce)?;
        if claims
            .authorized_party()
            .is_some_and(|party| party != client.client_id())
        {
            return Err(ClaimsVerificationError::InvalidAudience(
                "azp is another client".to_owned(),
            ));
        }
        if let Some(hash) = claims.access_token_hash() {
            let unsigned = ClaimsVerificationError::SignatureVerification;
            let ours = AccessTokenHash::from_token(
                answer.access_token(),
                token.signing_alg().map_err(unsigned)?,
                token.signing_key(&verifier).map_err(unsigned)?,
            );
            if !ours.is_ok_and(|ours| ours == *hash) {
                return Err(other("at_hash is of another access token"));
            }
        }
        let said = serde_json::to_value(claims).map_err(|e| other(&e.to_string()))?;
        Ok(self.identity(&said, claims.subject().as_str()))
    }

    fn identity(&self, said: &Value, subject: &str) -> Identity {
        let Settings {
            issuer,
            name_claim,
            role_claim,
            roles,
            second_factor_methods,
            ..
        } = &self.settings;
        let text = |claim: &str| at(said, claim)?.as_str().map(str::to_owned);
        let values = role_claim.as_deref().map(|claim| strings(at(said, claim)));
        let values = values.unwrap_or_default();
        let methods = strings(said.get("amr"));
        Identity {
            issuer: issuer.clone(),
            subject: subject.to_owned(),
            username: text(name_claim),
            display_name: text("name"),
            roles: roles
                .iter()
                .filter(|mapping| values.contains(&mapping.value.as_str()))
                .cloned()
                .collect(),
            has_shown_second_factor: second_factor_methods
                .iter()
                .any(|method| methods.contains(&method.as_str())),
        }
    }

    fn client(&self, known: &Known) -> Client {
        let secret = self.settings.client_secret.as_ref();
        let client = Client::from_provider_metadata(
            known.metadata.clone(),
            ClientId::new(self.settings.client_id.clone()),
            secret.map(|secret| ClientSecret::new(secret.expose().to_owned())),
        )
        .set_redirect_uri(self.redirect.clone());
        let methods = known.metadata.token_endpoint_auth_methods_supported();
        let basic = CoreClientAuthMethod::ClientSecretBasic;
        if methods.is_none_or(|methods| methods.contains(&basic)) {
            client
        } else {
            client.set_auth_type(AuthType::RequestBody)
        }
    }

    /// What the provider says about itself, asked anew if that is older than `most`.
    async fn known(
        &self,
        now: DateTime<Utc>,
        most: TimeDelta,
    ) -> Result<Arc<Known>, ProviderError> {
        if let Some(known) = self.remembered(now, most) {
            return Ok(known);
        }
        let http = |request| fetch(self.http.clone(), request);
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &http)
            .await
            .map_err(|e| ProviderError::Unusable(told(&e)))?;
        let known = Arc::new(Known {
            metadata,
            since: now,
        });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    fn remembered(&self, now: DateTime<Utc>, most: TimeDelta) -> Option<Arc<Known>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone().filter(|known| now - known.since < most)
    }
}

/// A claim by its name, or by a JSON pointer.
fn at<'v>(said: &'v Value, claim: &str) -> Option<&'v Value> {
    if claim.starts_with('/') {
        said.pointer(claim)
    } else {
        said.get(claim)
    }
}

/// The texts of a claim that is one, or a list of them.
fn strings(claim: Option<&Value>) -> Vec<&str> {
    match claim {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many
            .iter()
            .take(MAX_VALUES)
            .filter_map(Value::as_str)
            .collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}

/// An error with what is behind it.
fn told(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        words = format!("{words}: {error}");
        behind = error.source();
    }
    words
}

fn not_exchanged(
    error: RequestTokenError<FetchError, StandardErrorResponse<core::CoreErrorResponseType>>,
) -> ProviderError {
    match error {
        RequestTokenError::ServerResponse(said) => ProviderError::Refused(said.error().to_string()),
        // What was answered is not told: there may be a token in it.
        RequestTokenError::Parse(error, _) => ProviderError::Unusable(told(&error)),
        RequestTokenError::Request(error) => ProviderError::Unusable(told(&error)),
        RequestTokenError::Other(error) => ProviderError::Unusable(error),
    }
}

/// Why a request to the provider has no answer.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0} is not https")]
    Unsafe(Url),
    #[error("more than {MAX_ANSWER} bytes")]
    TooLong,
    #[error(transparent)]
    Failed(#[from] reqwest::Error),
    #[error(transparent)]
    Unreadable(#[from] http::Error),
}

async fn fetch(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, FetchError> {
    let request = reqwest::Request::try_from(request)?;
    if !is_safe(request.url()) {
        return Err(FetchError::Unsafe(request.url().clone()));
    }
    let mut response = http.execute(request).await?;
    let mut answer = http::Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        headers.clone_from(response.headers());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > MAX_ANSWER {
            return Err(FetchError::TooLong);
        }
    }
    Ok(answer.body(body)?)
}

#[cfg(test)]
mod tests;
