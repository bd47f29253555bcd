//! A scheme of the scoreboard as people send it and as it is stored, read into the domain.

use domain::scoreboard::{
    Basis, Indicator, Item, MAX_ITEMS, MAX_LANDING_MONTHS, MAX_PLACES, MAX_WEIGHT, Measure, Rule,
    Scheme, SchemeFault, Score,
};
use domain::target::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read::Reader;
use super::whole;
use crate::codes::{BasisCode, IndicatorCode, MeasureCode};
use crate::problem::Fault;

/// What the scoreboard looks at; it is given whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScoreboardScheme, example = json!({
    "indicators": [{"indicator": "started", "measure": "count", "weight": 60, "normalised_by": "projects"},
        {"indicator": "completed_investment", "measure": "investment", "weight": 40, "normalised_by": "none"}],
    "red": {"top": 2, "at_least": "80.00"}, "black": {"bottom": 1, "below": null}, "landing_months": 6}))]
pub struct SchemeInput {
    /// The indicators, with their weights; none twice in the same way.
    #[schema(min_items = 1, max_items = 20)]
    pub indicators: Vec<SchemeItemInput>,
    /// Who is on the red list (红榜); null for nobody.
    pub red: Option<RedRuleInput>,
    /// Who is on the black list (黑榜); null for nobody.
    pub black: Option<BlackRuleInput>,
    /// Within how many months what was signed has to land, for `landing_rate`.
    #[serde(deserialize_with = "whole::one")]
    #[schema(minimum = 1, maximum = 120)]
    pub landing_months: i64,
}

/// An indicator with its weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScoreboardSchemeItem)]
pub struct SchemeItemInput {
    /// What is looked at.
    #[schema(value_type = IndicatorCode)]
    pub indicator: String,
    /// Whether projects are counted or money is added up; null for what is usual of the indicator. Investment and its
    /// rate are money, the other rates are of projects.
    #[schema(value_type = Option<MeasureCode>)]
    pub measure: Option<String>,
    /// How much it weighs beside the others.
    #[serde(deserialize_with = "whole::one")]
    #[schema(minimum = 1, maximum = 1000)]
    pub weight: i64,
    /// By what the size of a region is taken out; null for `none`, as it has to be of a rate.
    #[schema(value_type = Option<BasisCode>)]
    pub normalised_by: Option<String>,
}

/// Who is on the red list: whoever meets all that is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScoreboardRedRule)]
pub struct RedRuleInput {
    /// The first so many places, with all ties; null for any.
    #[serde(default, deserialize_with = "whole::one_or_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub top: Option<i64>,
    /// At least this score; null for any.
    #[schema(
        pattern = r"^(100(\.00?)?|[0-9]{1,2}(\.[0-9]{1,2})?)$",
        example = "80.00"
    )]
    pub at_least: Option<String>,
}

/// Who is on the black list: whoever meets all that is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScoreboardBlackRule)]
pub struct BlackRuleInput {
    /// The last so many places, with all ties; null for any.
    #[serde(default, deserialize_with = "whole::one_or_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub bottom: Option<i64>,
    /// Less than this score; null for any.
    #[schema(
        pattern = r"^(100(\.00?)?|[0-9]{1,2}(\.[0-9]{1,2})?)$",
        example = "60.00"
    )]
    pub below: Option<String>,
}

/// A scheme as it is told and stored, everything said.
impl From<&Scheme> for SchemeInput {
    fn from(scheme: &Scheme) -> Self {
        let item = |item: &Item| SchemeItemInput {
            indicator: item.indicator.code().to_owned(),
            measure: Some(item.measure.code().to_owned()),
            weight: item.weight.into(),
            normalised_by: Some(item.basis.code().to_owned()),
        };
        let told = |score: Score| score.to_string();
        Self {
            indicators: scheme.items().iter().map(item).collect(),
            red: scheme.red().map(|rule| RedRuleInput {
                top: rule.places.map(i64::from),
                at_least: rule.score.map(told),
            }),
            black: scheme.black().map(|rule| BlackRuleInput {
                bottom: rule.places.map(i64::from),
                below: rule.score.map(told),
            }),
            landing_months: scheme.landing_months().into(),
        }
    }
}

impl SchemeInput {
    /// Reads the scheme.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn read(&self) -> Result<Scheme, Vec<Fault>> {
        let mut reader = Reader::default();
        let mut items = Vec::new();
        // Where each item that could be read stands among those that were sent.
        let mut places = Vec::new();
        for (place, input) in self.indicators.iter().enumerate() {
            if let Some(item) = reader.item(place, input) {
                items.push(item);
                places.push(place);
            }
        }
        let red = self.red.as_ref().map(|rule| Rule {
            places: rule.top.map(number),
            score: reader.score("/red/at_least", rule.at_least.as_deref()),
        });
        let black = self.black.as_ref().map(|rule| Rule {
            places: rule.bottom.map(number),
            score: reader.score("/black/below", rule.below.as_deref()),
        });
        let scheme = Scheme::new(items, red, black, number(self.landing_months));
        if let Err(faults) = &scheme {
            // What was sent and could not be read has been told.
            let is_told = |fault: &SchemeFault| {
                *fault == SchemeFault::NumberOfItems
                    && places.is_empty()
                    && !self.indicators.is_empty()
            };
            let faults = faults.iter().filter(|fault| !is_told(fault));
            reader
                .faults
                .extend(faults.map(|fault| scheme_told(*fault, &places)));
        }
        match scheme {
            Ok(scheme) if reader.faults.is_empty() => Ok(scheme),
            Ok(_) | Err(_) => Err(reader.faults),
        }
    }
}

/// A number as the domain takes it; one that it can't hold is out of every range, as zero is.
fn number(value: i64) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

impl Reader {
    fn item(&mut self, place: usize, input: &SchemeItemInput) -> Option<Item> {
        let at = |name: &str| format!("/indicators/{place}/{name}");
        let indicator = self.coded(&at("indicator"), Indicator::from_code, &input.indicator);
        let measure = match input.measure.as_deref() {
            Some(code) => self.coded(&at("measure"), Measure::from_code, code),
            None => indicator.and_then(|indicator| indicator.measures().first().copied()),
        };
        let basis = match input.normalised_by.as_deref() {
            Some(code) => self.coded(&at("normalised_by"), Basis::from_code, code),
            None => Some(Basis::None),
        };
        Some(Item {
            indicator: indicator?,
            measure: measure?,
            weight: number(input.weight),
            basis: basis?,
        })
    }

    /// A score that may be missing. One that can't be read is something all the same.
    fn score(&mut self, pointer: &str, value: Option<&str>) -> Option<Score> {
        let read = Quantity::parse(value?).map(Quantity::hundredths);
        let read = read.and_then(Score::from_hundredths).ok_or_else(|| {
            Fault::at(
                pointer,
                "invalid_score",
                "得分须为 0 至 100 的十进制数，最多两位小数，如 \"80\" 或 \"59.5\"",
                "A score is a decimal number from 0 to 100, with two decimals at the most, such as \"80\" or \"59.5\"",
            )
        });
        Some(self.take(read).unwrap_or(Score::BEST))
    }
}

/// A fault of the scheme, where it was sent.
fn scheme_told(fault: SchemeFault, places: &[usize]) -> Fault {
    let at = |place: usize, name: &str| {
        let sent = places.get(place).copied().unwrap_or(place);
        format!("/indicators/{sent}/{name}")
    };
    let out_of_range = |pointer: &str, most: u32| {
        Fault::at(
            pointer,
            "number_out_of_range",
            format!("须为 1 至 {most}"),
            format!("It is from 1 to {most}"),
        )
    };
    let says_nothing = |pointer: &str| {
        Fault::at(
            pointer,
            "rule_says_nothing",
            "名次与得分至少填一项；不设榜请填 null",
            "Say a number of places or a score; make it null if there is to be no list",
        )
    };
    match fault {
        SchemeFault::NumberOfItems => Fault::at(
            "/indicators",
            "number_of_indicators",
            format!("须有 1 至 {MAX_ITEMS} 项指标"),
            format!("There are 1 to {MAX_ITEMS} indicators"),
        ),
        SchemeFault::Weight(place) => out_of_range(&at(place, "weight"), MAX_WEIGHT),
        SchemeFault::Measure(place) => Fault::at(
            at(place, "measure"),
            "measure_not_possible",
            "该指标不能这样计量：投资与投资完成率按投资额，开工率、落地率按项目数",
            "It can't be measured so: investment and its rate are money, the other rates are of projects",
        ),
        SchemeFault::Normalised(place) => Fault::at(
            at(place, "normalised_by"),
            "rate_is_not_normalised",
            "比率本身与规模无关，不再折算",
            "The size of a region is out of a rate already",
        ),
        SchemeFault::Duplicate(place) => Fault::at(
            at(place, "indicator"),
            "duplicate_indicator",
            "该指标以同样方式出现了两次",
            "The same indicator stands there twice, measured alike",
        ),
        SchemeFault::RedSaysNothing => says_nothing("/red"),
        SchemeFault::BlackSaysNothing => says_nothing("/black"),
        SchemeFault::RedPlaces => out_of_range("/red/top", MAX_PLACES),
        SchemeFault::BlackPlaces => out_of_range("/black/bottom", MAX_PLACES),
        SchemeFault::LandingMonths => out_of_range("/landing_months", MAX_LANDING_MONTHS),
    }
}
