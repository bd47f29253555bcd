//! The parameters of the feed.

use std::time::Duration;

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::reader::Reader;
use crate::body::{Parameters, documented, read_part};
use crate::codes::EventTypeCode;
use crate::config::LONGEST_EVENT_WAIT;
use crate::problem::Problem;
use crate::store::feed::Wanted;

/// What asks for only what happens from now on.
const LATEST: &str = "latest";

/// Which events, and from where on.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct EventParameters {
    /// What happened after this place: `next_cursor` of the answer before, or `latest` for only what happens from now on;
    /// the beginning, if nothing is said.
    #[param(pattern = "^(latest|0|[1-9][0-9]{0,17})$", example = "0")]
    pub after: Option<String>,
    /// At the most so many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u64>,
    /// How many seconds to wait for something to happen, if nothing has; at the most as many as the service is set to.
    #[param(minimum = 0, maximum = 300, default = 0)]
    pub wait: Option<u64>,
    /// Only events of this type.
    #[serde(rename = "type")]
    #[param(value_type = Vec<EventTypeCode>, inline, max_items = 50, example = json!(["taizhang.project.moved"]))]
    pub of: Vec<String>,
    /// Only events about this project.
    pub project: Option<Uuid>,
}

impl Parameters for EventParameters {
    fn names() -> Vec<String> {
        documented::<Self>()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        read_part(query)
    }
}

/// Where reading begins.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// After this place.
    After(i64),
    /// At the end.
    Latest,
}

impl Place {
    /// A place as it was told to a reader.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text == LATEST {
            return Some(Self::Latest);
        }
        let place = text.parse().ok().filter(|place| *place >= 0)?;
        Some(Self::After(place))
    }
}

/// What is asked for, as it was understood.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which events.
    pub wanted: Wanted,
    /// From where on.
    pub place: Place,
    /// How many at the most.
    pub limit: usize,
    /// How long to wait for one.
    pub wait: Duration,
}

impl EventParameters {
    /// What is asked for; nobody waits longer than so many seconds.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that is wrong.
    pub fn checked(self, longest: u64) -> Result<Asked, Problem> {
        let mut reader = Reader::default();
        let place = Place::read(self.after.as_deref().unwrap_or("0"));
        if place.is_none() {
            reader.wrong(
                "after",
                "unreadable_parameter",
                "须为上次应答的 next_cursor，或 latest",
                "It has to be the next_cursor of the answer before, or latest",
            );
        }
        let limit = reader.limit(self.limit);
        let wait = self.wait.unwrap_or_default();
        if wait > LONGEST_EVENT_WAIT {
            reader.wrong(
                "wait",
                "wait_out_of_range",
                format!("须在 0 至 {LONGEST_EVENT_WAIT} 秒之间"),
                format!("It has to be from 0 to {LONGEST_EVENT_WAIT} seconds"),
            );
        }
        let wanted = Wanted {
            types: reader.codes("type", &self.of),
            project: self.project,
        };
        reader.done(Asked {
            wanted,
            place: place.unwrap_or(Place::Latest),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            wait: Duration::from_secs(wait.min(longest)),
        })
    }
}
