//! What happened, as a `CloudEvent` (`CloudEvents` 1.0, JSON format): the feed and webhooks tell it so.

use chrono::{DateTime, Utc};
use domain::coded::Coded;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::feed::Happening;

/// The media type of one event by itself.
pub const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// The type of what is sent to see whether a receiver is there.
const TEST: &str = "taizhang.webhook.test";

/// One thing that happened, as a `CloudEvent`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CloudEvent {
    /// The version of the format.
    #[schema(value_type = String, example = "1.0")]
    specversion: &'static str,
    /// The id of the event, the same however often it is told: who has seen it need not look again.
    id: Uuid,
    /// Where it comes from, within this service.
    #[schema(value_type = String, example = "/v1/events")]
    source: &'static str,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "taizhang.project.moved")]
    of: &'static str,
    /// What it is about: `project/ID`, `region/CODE` and so on.
    subject: String,
    /// When it became known.
    time: DateTime<Utc>,
    /// What `data` is.
    #[schema(value_type = String, example = "application/json")]
    datacontenttype: &'static str,
    /// Its place in the feed, in digits that sort as text: events of one subject come in the order in which they happened.
    #[schema(pattern = "^[0-9]{20}$")]
    sequence: String,
    /// What belongs together, for those who share the work: the subject.
    partitionkey: String,
    /// What changed.
    data: EventData,
}

/// What changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventData {
    /// The project, if it is about one.
    project: Option<Uuid>,
    /// The version that came of it.
    version: Option<i64>,
    /// What was, of what changed.
    before: Option<Value>,
    /// What is, of what changed.
    after: Option<Value>,
    /// Who did it.
    actor: String,
}

impl CloudEvent {
    /// What happened, as `type` has it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.of
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// An event of which nothing came, to see whether a webhook's receiver is there.
    #[must_use]
    pub fn test(id: Uuid, webhook: Uuid, actor: String, time: DateTime<Utc>) -> Self {
        let subject = format!("webhook/{webhook}");
        Self {
            specversion: "1.0",
            id,
            source: "/v1/webhooks",
            of: TEST,
            partitionkey: subject.clone(),
            subject,
            time,
            datacontenttype: "application/json",
            sequence: format!("{:020}", 0),
            data: EventData {
                project: None,
                version: None,
                before: None,
                after: None,
                actor,
            },
        }
    }
}

impl From<Happening> for CloudEvent {
    fn from(happening: Happening) -> Self {
        let Happening {
            seq,
            id,
            of,
            subject,
            project,
            version,
            before,
            after,
            actor,
            recorded_at,
        } = happening;
        Self {
            specversion: "1.0",
            id,
            source: "/v1/events",
            of: of.as_code(),
            partitionkey: subject.clone(),
            subject,
            time: recorded_at,
            datacontenttype: "application/json",
            sequence: format!("{seq:020}"),
            data: EventData {
                project,
                version,
                before,
                after,
                actor,
            },
        }
    }
}
