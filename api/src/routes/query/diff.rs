//! The parameters of a summary's changes between two instants.

use domain::family::Level;
use domain::rollup::{Change, Reason};
use domain::stage::Stage;
use domain::tier::InvestmentTier;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::{Paging, ProjectFilters, Reader};
use crate::body::{Parameters, documented, read_part};
use crate::clock::Clock;
use crate::codes::{ChangeCode, DayOrInstant, ReasonCode, StageCode, TierCode};
use crate::print::Printing;
use crate::problem::Problem;
use crate::store::diff::{Paged, Question, Which};

/// Between which instants.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Span {
    /// The first instant (RFC 3339), or the day at whose end it is.
    #[param(value_type = DayOrInstant, inline, required = true, example = "2025-03-31")]
    pub from: Option<String>,
    /// The second instant, or the day at whose end it is; now unless told otherwise.
    #[param(value_type = Option<DayOrInstant>, inline, example = "2025-06-30")]
    pub to: Option<String>,
}

/// The filters of a summary, of two instants instead of one.
#[derive(Clone, Debug)]
pub struct DiffFilters(ProjectFilters);

impl IntoParams for DiffFilters {
    fn into_params(parameter_in: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = ProjectFilters::into_params(parameter_in);
        parameters.retain(|parameter| parameter.name != "as_of");
        parameters
    }
}

/// Which of the changed projects; what is not said is any.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ChangeFilters {
    /// What became of them.
    #[param(value_type = Option<ChangeCode>)]
    pub change: Option<String>,
    /// Why they came or went.
    #[param(value_type = Option<ReasonCode>)]
    pub reason: Option<String>,
    /// The tier that they were in.
    #[param(value_type = Option<TierCode>)]
    pub from_tier: Option<String>,
    /// The stage that they were in.
    #[param(value_type = Option<StageCode>)]
    pub from_stage: Option<String>,
    /// The tier that they are in.
    #[param(value_type = Option<TierCode>)]
    pub to_tier: Option<String>,
    /// The stage that they are in.
    #[param(value_type = Option<StageCode>)]
    pub to_stage: Option<String>,
}

/// The parameters of a summary's changes.
#[derive(Clone, Debug)]
pub struct DiffParameters {
    span: Span,
    filters: DiffFilters,
}

impl Parameters for DiffParameters {
    fn names() -> Vec<String> {
        [Self::of_the_question(), documented::<Printing>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            span: read_part(query)?,
            filters: DiffFilters(read_part(query)?),
        })
    }
}

/// The parameters of the list of changed projects.
#[derive(Clone, Debug)]
pub struct ChangedParameters {
    asked: DiffParameters,
    which: ChangeFilters,
    paging: Paging,
}

impl Parameters for ChangedParameters {
    fn names() -> Vec<String> {
        [
            DiffParameters::of_the_question(),
            documented::<ChangeFilters>(),
            documented::<Paging>(),
        ]
        .concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            asked: DiffParameters::read(query)?,
            which: read_part(query)?,
            paging: read_part(query)?,
        })
    }
}

impl DiffParameters {
    /// Those that say what is asked, not how it is printed.
    fn of_the_question() -> Vec<String> {
        [documented::<Span>(), documented::<DiffFilters>()].concat()
    }

    /// The question that the parameters ask.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that can't be read; `validation_failed` for a time to come, or a second
    /// instant that does not come after the first.
    pub fn question(&self, clock: Clock) -> Result<Question, Problem> {
        let mut reader = Reader::default();
        let question = reader.difference(self, clock);
        reader.done(question)
    }
}

impl ChangedParameters {
    /// The question that the parameters ask, which of the projects, and which page of them.
    ///
    /// # Errors
    /// Those of [`DiffParameters::question`].
    pub fn question(self, clock: Clock) -> Result<(Question, Which, Paged), Problem> {
        let mut reader = Reader::default();
        let question = reader.difference(&self.asked, clock);
        let words = format!("{:?} {:?}", self.asked, self.which);
        let which = Which {
            change: reader.code::<Change>("change", self.which.change.as_ref()),
            reason: reader.code::<Reason>("reason", self.which.reason.as_ref()),
            from_tier: reader.code::<InvestmentTier>("from_tier", self.which.from_tier.as_ref()),
            from_stage: reader.code::<Stage>("from_stage", self.which.from_stage.as_ref()),
            to_tier: reader.code::<InvestmentTier>("to_tier", self.which.to_tier.as_ref()),
            to_stage: reader.code::<Stage>("to_stage", self.which.to_stage.as_ref()),
        };
        let paged = Paged {
            limit: reader.limit(self.paging.limit),
            cursor: self.paging.cursor,
            words,
        };
        reader.done((question, which, paged))
    }
}

impl Reader {
    fn difference(&mut self, asked: &DiffParameters, clock: Clock) -> Question {
        let DiffParameters { span, filters } = asked;
        if span.from.is_none() {
            self.wrong(
                "from",
                "missing_parameter",
                "请用 from 说明从何时起比较",
                "Say by from since when the changes are asked for",
            );
        }
        let from = self.then("from", span.from.as_ref(), clock);
        let to = self.then("to", span.to.as_ref(), clock);
        let now = clock.now();
        let (from, to) = (from.unwrap_or(now), to.unwrap_or(now));
        if self.is_content() && from >= to {
            self.refused(
                "to",
                "span_out_of_order",
                "to 须晚于 from",
                "to has to come after from",
            );
        }
        let (filter, base) = self.counted(&filters.0);
        let level = self.level(filters.0.level.as_ref());
        Question {
            filter,
            base,
            level: level.unwrap_or(Level::Project),
            from,
            to,
        }
    }
}
