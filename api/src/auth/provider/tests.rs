//! What is configured, and that an id token which was not made for us is not taken.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm as Jwt, EncodingKey, Header, encode};
use serde_json::json;

use super::*;

fn settings(changes: &str) -> Settings {
    let toml = format!(
        "issuer = 'https://id.example.gov.cn/realms/office'\nclient_id = 'taizhang'\n\
         redirect_url = 'https://taizhang.example.gov.cn/auth/provider/callback'\n{changes}"
    );
    let read = ::config::Config::builder()
        .add_source(::config::File::from_str(&toml, ::config::FileFormat::Toml))
        .build();
    read.unwrap().try_deserialize().unwrap()
}

#[test]
fn what_cannot_be_is_named() {
    let good = settings("");
    assert_eq!(good.check(), Ok(()));
    assert!(good.is_over_https());
    let changed = |change: &dyn Fn(&mut Settings)| {
        let mut settings = good.clone();
        change(&mut settings);
        settings.check().err().map(|(field, _)| field)
    };
    let issuer = Some("identity_provider.issuer");
    for (address, expected) in [
        ("https://id.example.gov.cn", None),
        ("http://127.0.0.1:8000", None),
        ("http://[::1]:8000", None),
        ("http://id.example.gov.cn", issuer),
        ("http://127.0.0.1.example.gov.cn", issuer),
        ("ldap://id.example.gov.cn", issuer),
        ("id.example.gov.cn", issuer),
        ("https://id.example.gov.cn?a=b", issuer),
    ] {
        let found = changed(&|s| s.issuer = address.to_owned());
        assert_eq!(found, expected, "{address}");
    }
    let redirect = Some("identity_provider.redirect_url");
    for address in ["http://a.cn/auth/provider/callback", "https://a.cn/"] {
        assert_eq!(changed(&|s| s.redirect_url = address.to_owned()), redirect);
    }
    let limited = Mapping {
        value: "a".to_owned(),
        role: Role::AuditAdmin,
        region: Some("211100".to_owned()),
        unit: None,
    };
    let roles = changed(&|s| s.roles = vec![limited.clone()]);
    assert_eq!(roles, Some("identity_provider.role_claim"));
    let roles = changed(&|s| {
        s.role_claim = Some("groups".to_owned());
        s.roles = vec![limited.clone()];
    });
    assert_eq!(roles, Some("identity_provider.roles"));
}

#[test]
fn roles_come_of_a_claim_by_name_or_by_pointer_of_one_text_or_of_many() {
    let mapping = "[[roles]]\nvalue = 'projects'\nrole = 'officer'\nregion = '211100'\n";
    for (claim, said) in [
        ("groups", serde_json::json!({ "groups": ["x", "projects"] })),
        ("groups", serde_json::json!({ "groups": "projects" })),
        (
            "/realm_access/roles",
            serde_json::json!({ "realm_access": { "roles": ["projects"] } }),
        ),
    ] {
        let settings = settings(&format!("role_claim = '{claim}'\n{mapping}"));
        let provider = Provider::new(settings.clone()).unwrap();
        assert_eq!(provider.identity(&said, "1").roles, settings.roles);
        let none = serde_json::json!({ "groups": ["projects2", 7, null] });
        assert!(provider.identity(&none, "1").roles.is_empty());
    }
}

#[test]
fn a_second_factor_is_shown_where_the_provider_says_so() {
    let provider = Provider::new(settings("")).unwrap();
    for (amr, expected) in [
        (serde_json::json!(["pwd", "mfa"]), true),
        (serde_json::json!(["pwd"]), false),
        (Value::Null, false),
    ] {
        let said = serde_json::json!({ "amr": amr });
        let identity = provider.identity(&said, "1");
        assert_eq!(identity.has_shown_second_factor, expected, "{said}");
    }
}

/// A key that the provider may have.
struct Key {
    encoding: EncodingKey,
    public: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        Self {
            encoding: EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref()),
            public: pair.public_key().as_ref().to_vec(),
        }
    }
}

/// A provider that is known, with one key.
fn known(issuer: &str, key: &Key) -> Known {
    let said = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    });
    let keys = json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "k",
        "x": BASE64_URL_SAFE_NO_PAD.encode(&key.public),
    }] });
    let metadata: CoreProviderMetadata = serde_json::from_value(said).unwrap();
    Known {
        metadata: metadata.set_jwks(serde_json::from_value(keys).unwrap()),
        since: DateTime::UNIX_EPOCH,
    }
}

fn with(base: &Value, more: &Value) -> Value {
    let mut whole = base.as_object().unwrap().clone();
    whole.extend(more.as_object().unwrap().clone());
    whole.retain(|_, value| !value.is_null());
    Value::Object(whole)
}

#[test]
fn an_id_token_that_was_not_made_for_this_flow_is_not_taken() {
    let mut settings = settings("role_claim = 'groups'");
    settings.client_secret = Some(Secret::new("secret".to_owned()));
    let provider = Provider::new(settings.clone()).unwrap();
    let key = Key::new();
    let known = known(&settings.issuer, &key);
    let client = provider.client(&known);
    let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let seconds = now.timestamp();
    let claims = json!({
        "iss": settings.issuer, "aud": "taizhang", "sub": "s", "nonce": "n",
        "iat": seconds, "exp": seconds + 60, "groups": ["a"],
    });
    let checked = |token: &str| {
        let answer = json!({ "access_token": "a", "token_type": "Bearer", "id_token": token });
        // One that is not even a token is refused before.
        let answer: Answer = serde_json::from_value(answer).ok()?;
        let nonce = Nonce::new("n".to_owned());
        provider.check(&client, &answer, &nonce, now).ok()
    };
    let signed = |key: &EncodingKey, alg: Jwt, kid: &str, changes: Value| {
        let mut header = Header::new(alg);
        header.kid = Some(kid.to_owned());
        encode(&header, &with(&claims, &changes), key).unwrap()
    };
    let ours = |changes: Value| signed(&key.encoding, Jwt::EdDSA, "k", changes);
    let at_hash = |token: &str| {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, token.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref().get(..32).unwrap())
    };

    for right in [
        json!({}),
        json!({ "azp": "taizhang" }),
        json!({ "aud": ["taizhang"] }),
        json!({ "at_hash": at_hash("a") }),
        json!({ "iat": seconds + 20, "exp": seconds - 20 }),
    ] {
        assert_eq!(
            checked(&ours(right.clone())).unwrap().subject,
            "s",
            "{right}"
        );
    }
    for wrong in [
        json!({ "iss": "https://elsewhere.example.gov.cn" }),
        json!({ "iss": null }),
        json!({ "aud": "other" }),
        json!({ "aud": ["taizhang", "other"] }),
        json!({ "aud": null }),
        json!({ "azp": "other" }),
        json!({ "nonce": "other" }),
        json!({ "nonce": null }),
        json!({ "exp": seconds - 31 }),
        json!({ "exp": null }),
        json!({ "iat": seconds + 31 }),
        json!({ "sub": null }),
        json!({ "at_hash": at_hash("b") }),
    ] {
        assert!(checked(&ours(wrong.clone())).is_none(), "{wrong}");
    }
    let whole = ours(json!({}));
    let (head, _) = whole.rsplit_once('.').unwrap();
    let (_, payload) = head.split_once('.').unwrap();
    let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let secret = |bytes: &[u8]| EncodingKey::from_secret(bytes);
    for (what, token) in [
        ("no signature", format!("{head}.")),
        ("alg none", format!("{none}.{payload}.")),
        (
            "other key",
            signed(&Key::new().encoding, Jwt::EdDSA, "k", json!({})),
        ),
        (
            "other name of the key",
            signed(&key.encoding, Jwt::EdDSA, "l", json!({})),
        ),
        (
            "the client's secret",
            signed(&secret(b"secret"), Jwt::HS256, "k", json!({})),
        ),
        (
            "the public key as a secret",
            signed(&secret(&key.public), Jwt::HS256, "k", json!({})),
        ),
    ] {
        assert!(checked(&token).is_none(), "{what}");
    }
}
