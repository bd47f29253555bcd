//! What happened, as a `CloudEvent` (`CloudEvents` 1.0, JSON format): the feed tells it so.

use chrono::{DateTime, Utc};
use domain::coded::Coded;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::feed::Happening;

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
