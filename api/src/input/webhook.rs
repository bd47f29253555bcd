//! What people say of webhooks.

use domain::coded::Coded;
use domain::region::RegionCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::read::Reader;
use super::{Member, given};
use crate::codes::EventTypeCode;
use crate::delivery::address::{MAX_URL, Refused};
use crate::problem::{Fault, Problem};
use crate::store::feed::Type;
use crate::store::webhook::{Change, Fields, unknown_region};

/// How many types or regions a webhook may name.
const MAX_MANY: usize = 50;

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where it is told: `https`, or `http` in a network that the service is set to allow. No user, no fragment.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "https://oa.example.gov.cn/taizhang"
    )]
    pub url: String,
    /// What it is for.
    #[schema(min_length = 1, max_length = 200, example = "市政府 OA 待办")]
    pub description: Option<String>,
    /// Of which types of events; of every type if none is named.
    #[serde(default)]
    #[schema(value_type = Vec<EventTypeCode>, max_items = 50, example = json!(["taizhang.project.moved"]))]
    pub types: Vec<String>,
    /// Only of projects in these regions' subtrees, and of nothing else, if any is named.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["211104"]))]
    pub regions: Vec<String>,
    /// Only of this project.
    pub project: Option<Uuid>,
    /// Of what happened after this place of the feed (`next_cursor` of `GET /v1/events`, or `0` for the beginning); what is
    /// to come, if none is named.
    #[schema(pattern = "^(latest|[0-9]{1,20})$", example = "latest")]
    pub after: Option<String>,
}

/// How a webhook is changed: a JSON Merge Patch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"state": "disabled"}))]
pub struct WebhookPatch {
    /// Where it is told.
    #[schema(nullable = false, min_length = 1, max_length = 1000)]
    pub url: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub description: Member<String>,
    /// Of which types of events; of every type if none is named.
    #[schema(value_type = Vec<EventTypeCode>, required = false, nullable = false, max_items = 50)]
    pub types: Option<Vec<String>>,
    /// Only of projects in these regions' subtrees, and of nothing else, if any is named.
    #[schema(nullable = false, max_items = 50)]
    pub regions: Option<Vec<String>>,
    /// Only of this project.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    pub project: Member<Uuid>,
    /// `active`, and it goes on where it stopped, or `disabled`.
    #[schema(value_type = WebhookStateInput, required = false, nullable = false)]
    pub state: Option<WebhookStateInput>,
}

/// Whether a webhook is told of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStateInput {
    /// It is.
    Active,
    /// It isn't.
    Disabled,
}

/// Reads the parts of a webhook, gathering what is wrong.
#[derive(Default)]
struct Parts {
    reader: Reader,
}

impl Parts {
    fn description(&mut self, text: &str) -> Option<String> {
        let read = self.reader.text::<200>("/description", text);
        read.map(|text| text.as_str().to_owned())
    }

    fn bounded(&mut self, pointer: &str, count: usize) {
        if count > MAX_MANY {
            self.reader.faults.push(Fault::at(
                pointer,
                "too_many",
                format!("最多 {MAX_MANY} 个"),
                format!("{MAX_MANY} at the most"),
            ));
        }
    }

    fn types(&mut self, codes: &[String]) -> Vec<Type> {
        self.bounded("/types", codes.len());
        let mut types: Vec<Type> = Vec::new();
        for (place, code) in codes.iter().enumerate().take(MAX_MANY) {
            let read = self
                .reader
                .coded(&format!("/types/{place}"), Type::of_code, code);
            types.extend(read.filter(|of| !types.contains(of)));
        }
        types
    }

    fn regions(&mut self, codes: Vec<String>) -> Vec<String> {
        self.bounded("/regions", codes.len());
        let mut regions: Vec<String> = Vec::new();
        for (place, code) in codes.into_iter().enumerate().take(MAX_MANY) {
            let is_code = RegionCode::parse(&code).is_ok();
            let fault = unknown_region(place, &code);
            let read = self.reader.take(is_code.then_some(code).ok_or(fault));
            regions.extend(read.filter(|code| !regions.contains(code)));
        }
        regions
    }

    fn done<T>(self, value: T) -> Result<T, Problem> {
        if self.reader.faults.is_empty() {
            return Ok(value);
        }
        Err(Problem::invalid(self.reader.faults))
    }
}

impl NewWebhook {
    /// What is said of it; its URL has been looked at.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn fields(self, url: String) -> Result<Fields, Problem> {
        let mut parts = Parts::default();
        let fields = Fields {
            url,
            description: self.description.and_then(|text| parts.description(&text)),
            types: parts.types(&self.types),
            regions: parts.regions(self.regions),
            project: self.project,
        };
        parts.done(fields)
    }
}

impl WebhookPatch {
    /// What is changed; its URL, if there is one, has been looked at.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn change(self, url: Option<String>) -> Result<Change, Problem> {
        let mut parts = Parts::default();
        let change = Change {
            url,
            description: self
                .description
                .map(|text| text.and_then(|text| parts.description(&text))),
            types: self.types.map(|codes| parts.types(&codes)),
            regions: self.regions.map(|codes| parts.regions(codes)),
            project: self.project,
            is_active: self.state.map(|state| state == WebhookStateInput::Active),
        };
        parts.done(change)
    }
}

/// Why nothing is sent to a URL, told to people.
pub(crate) fn refused_told(refused: Refused) -> Fault {
    let fault = |code: &str, zh: String, en: String| Fault::at("/url", code, zh, en);
    let said = |code: &str, zh: &str, en: &str| Fault::at("/url", code, zh, en);
    match refused {
        Refused::Unreadable => said("invalid_url", "不是网址", "It is not a URL"),
        Refused::TooLong => fault(
            "url_too_long",
            format!("最多 {MAX_URL} 字节"),
            format!("{MAX_URL} bytes at the most"),
        ),
        Refused::Scheme => said(
            "url_scheme",
            "须以 https:// 开头（内部网络可用 http://）",
            "It has to begin with https:// (http:// within networks that are allowed)",
        ),
        Refused::Extras => said(
            "url_extras",
            "不能带用户名、密码或 # 之后的部分",
            "It may have no user, no password and nothing after #",
        ),
        Refused::Port(port) => fault(
            "url_port",
            format!("端口 {port} 属于其他协议；请用 80、443 或 1024 以上"),
            format!("Port {port} is another protocol's; use 80, 443, or 1024 and above"),
        ),
        Refused::NotEncrypted => said(
            "url_not_encrypted",
            "公共地址须用 https；http 只用于管理员许可的内部网络",
            "A public address needs https; http is for networks that the administrator allows",
        ),
        // Which address a name has in the office's network is not the asker's to know.
        Refused::Address { network, .. } => fault(
            "address_refused",
            format!("该网址指向非公共地址（{network}），且不在管理员许可的网络之内"),
            format!(
                "It leads to an address that is not public ({network}) and not in a network that the administrator allows"
            ),
        ),
        Refused::Unresolved => said(
            "name_unresolved",
            "找不到该主机名的地址",
            "The name of its host has no address",
        ),
    }
}
