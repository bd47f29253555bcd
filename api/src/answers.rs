//! Answers with numbers that were given already: as long as the data stand as they did, they are given again.

use actix_web::web::Bytes;
use chrono::NaiveDate;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::auth::Reach;

/// How many answers there may be at a time, about.
const ANSWERS: usize = 1024;
/// How many bytes they may have together.
const CAPACITY: u64 = 32 << 20;
/// What an answer takes beside its body, about, in bytes.
const BESIDE: u64 = 1024;

/// What an answer depends on, besides the service: where the data stand, what is asked, in which form and language, by
/// somebody who may read what, and on which day.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// The version of the data.
    pub version: i64,
    /// The path of the request.
    pub path: String,
    /// Its parameters, as they were sent.
    pub query: String,
    /// What the asker may read.
    pub reach: Reach,
    /// The forms and the languages that he takes, as he said it.
    pub taken: [Option<Vec<u8>>; 2],
    /// The day on which he asks.
    pub day: NaiveDate,
}

/// The answers of this process, each under the version of the data that it tells. A change of the data is a new
/// version, which is read at each request, so none is told that is not true any more.
#[derive(Debug)]
pub struct Answers(Cache<Asked, Bytes, Length>);

#[derive(Clone, Debug)]
struct Length;

impl Weighter<Asked, Bytes> for Length {
    fn weight(&self, _: &Asked, body: &Bytes) -> u64 {
        BESIDE + u64::try_from(body.len()).unwrap_or(u64::MAX - BESIDE)
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self(Cache::with_weighter(ANSWERS, CAPACITY, Length))
    }
}

impl Answers {
    /// What was answered.
    #[must_use]
    pub fn find(&self, asked: &Asked) -> Option<Bytes> {
        self.0.get(asked)
    }

    /// Keeps an answer that was made of data of the version that is asked, or later.
    pub fn keep(&self, asked: Asked, body: Bytes) {
        self.0.insert(asked, body);
    }
}
