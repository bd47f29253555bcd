//! A target as people send it, read into the domain.

use domain::money::Money;
use domain::project::RefCode;
use domain::target::{
    MONTHS, Metric, Period, Quantity, Schedule, ScheduleFault, Target, TargetKind, TargetUnit,
};
use domain::text::Text;
use domain::tier::InvestmentTier;
use serde::Deserialize;
use utoipa::ToSchema;

use super::read::Reader;
use super::{read_region, whole};
use crate::catalogue::{TargetRow, optional, several};
use crate::codes::{MetricCode, Percent, TargetKindCode, TargetUnitCode, TierCode};
use crate::problem::Fault;

/// What is said of a target, or of an actual that is entered; it is given whole.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"plan": "2026", "region": "211104", "programme": null, "sector": null, "from_tier": "from_100m",
    "up_to_tier": null, "metric": "new", "name": "新建", "from_year": 2026, "to_year": 2026, "each_year": false,
    "value": "40", "unit": "project", "kind": "target",
    "schedule": [0, 0, 10, 25, 40, 50, 60, 70, 80, 90, 95, 100],
    "quote": "全年新开工亿元以上项目40个", "source": "大洼区2026年政府工作报告"}))]
pub struct TargetInput {
    /// The plan that sets it.
    #[schema(min_length = 1, max_length = 40, example = "十四五")]
    pub plan: String,
    /// The code of the region that it is for.
    #[schema(example = "211100", pattern = "^[0-9]{6}(-[a-z0-9]{1,12})?$")]
    pub region: String,
    /// The code of the programme that it is of; null for all.
    #[schema(min_length = 1, max_length = 64)]
    pub programme: Option<String>,
    /// The code of the sector that it is of; null for all.
    #[schema(min_length = 1, max_length = 64)]
    pub sector: Option<String>,
    /// The lowest tier of total investment that is in; null for any amount.
    #[schema(value_type = Option<TierCode>)]
    pub from_tier: Option<String>,
    /// The highest tier that is in; null for all above the lowest (亿元以上).
    #[schema(value_type = Option<TierCode>)]
    pub up_to_tier: Option<String>,
    /// What is counted.
    #[schema(value_type = MetricCode)]
    pub metric: String,
    /// What the plan calls it.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The first year of its period.
    #[serde(deserialize_with = "whole::one")]
    #[schema(minimum = 1949, maximum = 2200)]
    pub from_year: i32,
    /// The last year of its period.
    #[serde(deserialize_with = "whole::one")]
    #[schema(minimum = 1949, maximum = 2200)]
    pub to_year: i32,
    /// Whether the value is for every year of the period (逐年).
    #[serde(default)]
    pub each_year: bool,
    /// How much, in its unit (元, not 亿元).
    #[schema(pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    pub value: String,
    /// The unit of the value; of a metric that is counted from the projects, `project`, or `yuan` for investment.
    #[schema(value_type = TargetUnitCode)]
    pub unit: String,
    /// Whether it is wanted or was reached.
    #[schema(value_type = TargetKindCode)]
    pub kind: String,
    /// How many percent of a year's value are to be reached by the end of each month; null for evenly by day.
    #[serde(default, deserialize_with = "whole::several_or_none")]
    #[schema(value_type = Option<Vec<Percent>>, min_items = 12, max_items = 12, example = json!([0, 0, 10, 25, 40, 50, 60, 70, 80, 90, 95, 100]))]
    pub schedule: Option<Vec<i64>>,
    /// The words of the plan.
    #[schema(min_length = 1, max_length = 500)]
    pub quote: Option<String>,
    /// The document, and where in it.
    #[schema(min_length = 1, max_length = 200)]
    pub source: Option<String>,
}

impl TargetInput {
    /// The fields of a line of a data set.
    ///
    /// # Errors
    /// A fault if the months' plan is not made of whole numbers.
    pub(crate) fn of_row(row: &TargetRow) -> Result<Self, Fault> {
        let months = several(&row.schedule);
        let percents: Result<Vec<i64>, _> = months.iter().map(|month| month.parse()).collect();
        let percents = percents.map_err(|_| schedule_told(ScheduleFault::OutOfOrder))?;
        Ok(Self {
            plan: row.plan.clone(),
            region: row.region.clone(),
            programme: optional(&row.programme),
            sector: optional(&row.sector),
            from_tier: optional(&row.from_tier),
            up_to_tier: optional(&row.up_to_tier),
            metric: row.metric.clone(),
            name: row.name.clone(),
            from_year: row.from_year,
            to_year: row.to_year,
            each_year: row.each_year,
            value: row.value.clone(),
            unit: row.unit.clone(),
            kind: row.kind.clone(),
            schedule: (!percents.is_empty()).then_some(percents),
            quote: optional(&row.quote),
            source: optional(&row.source),
        })
    }

    /// Reads the fields of the target of a code.
    ///
    /// # Errors
    /// Everything that is wrong with them, by themselves and together.
    pub(crate) fn read(&self, code: &str) -> Result<Target, Vec<Fault>> {
        let mut reader = Reader::default();
        let code = RefCode::parse(code)
            .ok()
            .filter(|read| read.as_str() == code);
        let code = reader.take(code.ok_or_else(code_told));
        let plan = reader.text("/plan", &self.plan);
        let region = reader.take(read_region(&self.region));
        let programme = reader.maybe("/programme", self.programme.as_deref());
        let sector = reader.maybe("/sector", self.sector.as_deref());
        let tier = InvestmentTier::from_code;
        let from_tier = self.from_tier.as_deref();
        let from_tier = from_tier.and_then(|code| reader.coded("/from_tier", tier, code));
        let up_to_tier = self.up_to_tier.as_deref();
        let up_to_tier = up_to_tier.and_then(|code| reader.coded("/up_to_tier", tier, code));
        let metric = reader.coded("/metric", Metric::from_code, &self.metric);
        let name = reader.text("/name", &self.name);
        let value = reader.take(Quantity::parse(&self.value).ok_or_else(value_told));
        let unit = reader.coded("/unit", TargetUnit::from_code, &self.unit);
        let kind = reader.coded("/kind", TargetKind::from_code, &self.kind);
        let schedule = self.schedule.as_deref();
        let schedule =
            schedule.and_then(|some| reader.take(Schedule::new(some).map_err(schedule_told)));
        let quote = self.quote.as_deref();
        let quote = quote.and_then(|quote| reader.lines("/quote", quote));
        let source = reader.maybe("/source", self.source.as_deref());
        let read = || {
            Some(Target {
                code: code?,
                plan: plan?,
                region: region?,
                programme,
                sector,
                from_tier,
                up_to_tier,
                period: Period {
                    from_year: self.from_year,
                    to_year: self.to_year,
                },
                each_year: self.each_year,
                metric: metric?,
                name: name?,
                value: value?,
                unit: unit?,
                kind: kind?,
                schedule,
                quote,
                source,
            })
        };
        let Some(target) = read() else {
            return Err(reader.faults);
        };
        reader
            .faults
            .extend(target.faults().iter().map(Fault::from));
        if reader.faults.is_empty() {
            Ok(target)
        } else {
            Err(reader.faults)
        }
    }
}

impl Reader {
    /// A text that may be missing.
    fn maybe<const MAX: usize>(&mut self, pointer: &str, value: Option<&str>) -> Option<Text<MAX>> {
        value.and_then(|value| self.text(pointer, value))
    }
}

fn code_told() -> Fault {
    Fault::at(
        "/code",
        "invalid_code",
        "代码须为 1 到 64 个字符，前后无空白，不含控制字符",
        "A code has 1 to 64 characters, no blanks at its ends and no control characters",
    )
}

fn value_told() -> Fault {
    let most = Money::MAX.fen() / 100;
    Fault::at(
        "/value",
        "invalid_value",
        format!("数值须为 0 至 {most} 的十进制数，最多两位小数，如 \"1500\" 或 \"20.2\""),
        format!(
            "A value is a decimal number from 0 to {most}, with two decimals at the most, such as \"1500\" or \"20.2\""
        ),
    )
}

fn schedule_told(fault: ScheduleFault) -> Fault {
    let (code, zh, en) = match fault {
        ScheduleFault::NotTwelve => (
            "not_twelve_months",
            format!("须有 {MONTHS} 个月的累计百分比"),
            format!("A cumulative percent for each of {MONTHS} months is needed"),
        ),
        ScheduleFault::OutOfOrder => (
            "schedule_out_of_order",
            "累计百分比须为 0 至 100 的整数，且不能逐月减少".to_owned(),
            "The percents are whole numbers from 0 to 100 that never fall".to_owned(),
        ),
        ScheduleFault::NotAllByDecember => (
            "schedule_not_all",
            "12 月的累计百分比须为 100".to_owned(),
            "By the end of December it has to be 100 percent".to_owned(),
        ),
    };
    Fault::at("/schedule", code, zh, en)
}
