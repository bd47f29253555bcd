//! The domain's coded values as they stand in the contract.

use std::borrow::Cow;

use domain::approval::{ApprovalItem, ApprovalProfile, ApprovalStatus, ProjectKind};
use domain::coded::Coded;
use domain::family::{FamilyCounting, Level};
use domain::region::RegionKind;
use domain::rollup::{Change, Reason};
use domain::scoreboard::{Basis, Indicator, Measure, State};
use domain::stage::{Condition, Move, Stage, StageBasis};
use domain::target::{AttainmentState, Metric, SideKind, TargetKind, TargetUnit, Verdict};
use domain::tier::{InvestmentTier, TierBasis};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::store::feed::Type as EventType;
use crate::store::webhook::log::Status as DeliveryStatus;

macro_rules! codes {
    ($( $name:ident, $value:ty, $zh:literal; )+) => {
        $(
            #[doc = concat!("The code of a value of ", stringify!($value), " (", $zh, ").")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name(pub $value);

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.0.as_code())
                }
            }

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let codes = <$value as Coded>::VALUES.iter().map(|value| value.as_code());
                    ObjectBuilder::new()
                        .schema_type(Type::String)
                        .enum_values(Some(codes))
                        .description(Some($zh))
                        .into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($name))
                }
            }
        )+
    };
}

codes! {
    StageCode, Stage, "阶段";
    ConditionCode, Condition, "状态";
    MoveCode, Move, "变动";
    StageBasisCode, StageBasis, "阶段依据";
    TierCode, InvestmentTier, "投资分档";
    TierBasisCode, TierBasis, "分档依据";
    FamilyCountingCode, FamilyCounting, "项目群计数方式";
    LevelCode, Level, "统计口径";
    ProjectKindCode, ProjectKind, "项目类型";
    ApprovalItemCode, ApprovalItem, "手续事项";
    ApprovalStatusCode, ApprovalStatus, "办理状态";
    ApprovalProfileCode, ApprovalProfile, "手续类别";
    RegionKindCode, RegionKind, "地区类别";
    MetricCode, Metric, "指标";
    TargetUnitCode, TargetUnit, "计量单位";
    TargetKindCode, TargetKind, "目标或实绩";
    SideKindCode, SideKind, "分解方式";
    AttainmentStateCode, AttainmentState, "完成情况";
    VerdictCode, Verdict, "核对结果";
    IndicatorCode, Indicator, "考核指标";
    MeasureCode, Measure, "计量方式";
    BasisCode, Basis, "规模折算";
    ScoreStateCode, State, "计分情况";
    ChangeCode, Change, "变化类别";
    ReasonCode, Reason, "变化原因";
    EventTypeCode, EventType, "事件类型";
    DeliveryStatusCode, DeliveryStatus, "送达情况";
}

/// A code in a path or a filter: what [`domain::project::RefCode`] takes, as far as a pattern can say it.
pub const CODE_PATTERN: &str = r"^[^\x00-\x1F\x7F-\x9F]{1,64}$";

/// The key of another office's system, as far as a pattern can say it.
pub const KEY_OF_SYSTEM_PATTERN: &str = r"^[^\x00-\x1F\x7F-\x9F]{1,128}$";
/// A 项目代码, as [`domain::code::ProjectCode`] takes it.
pub const PROJECT_CODE_PATTERN: &str = "^[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}$";
/// The code of a region, as [`domain::region::RegionCode`] takes it.
pub const REGION_CODE_PATTERN: &str = "^[0-9]{6}(-[a-z0-9]{1,12})?$";

/// A line of the accounts of a year, as far as a pattern can say it.
pub const ACCOUNT_PATTERN: &str = "^[0-9]{4}(-([0-9]{4}|0[1-9]|1[0-2]|Q[1-4]))?:[a-z_]{1,32}[0-9]{0,3}(:[0-9]{4}-[0-9]{2}-[0-9]{2})?$";

/// A month or a quarter, as [`domain::scoreboard::Period`] takes it.
pub const PERIOD_PATTERN: &str = "^[0-9]{4}-(0[1-9]|1[0-2]|Q[1-4])$";
/// A month or a quarter, or the first and the last month of some.
pub const MONTHS_PATTERN: &str =
    r"^[0-9]{4}-(0[1-9]|1[0-2]|Q[1-4])(\.\.[0-9]{4}-(0[1-9]|1[0-2]))?$";

macro_rules! schemas {
    ($( $name:ident: $schema:expr, $what:literal; )+) => {
        $(
            #[doc = concat!($what, ".")]
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    $schema
                }
            }

            impl ToSchema for $name {}
        )+
    };
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn formatted(format: KnownFormat) -> ObjectBuilder {
    string().format(Some(SchemaFormat::KnownFormat(format)))
}

/// The fields of a project, of which a new one needs these.
fn registration() -> RefOr<Schema> {
    let needed = ["name", "region", "unit", "sector"].into_iter().fold(
        ObjectBuilder::new().schema_type(SchemaType::AnyValue),
        ObjectBuilder::required,
    );
    AllOfBuilder::new()
        .item(Ref::from_schema_name("ProjectFields"))
        .item(needed)
        .into()
}

fn or_null(schema: ObjectBuilder) -> RefOr<Schema> {
    let null = string().enum_values(Some(["null"]));
    AnyOfBuilder::new().item(schema).item(null).into()
}

schemas! {
    ProjectRegistration: registration(), "A project to be registered";
    CodeOrNull: string().pattern(Some(CODE_PATTERN)).into(), "A code, or `null`";
    IdOrNull: or_null(formatted(KnownFormat::Uuid)), "An id, or `null`";
    YearOrNull: or_null(
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1949))
            .maximum(Some(2200)),
    ), "A year, or `null`";
    InvestedMonths: string().pattern(Some(MONTHS_PATTERN)).into(), "Months of a year";
    AccountLine: string().pattern(Some(ACCOUNT_PATTERN)).into(), "A line of the accounts of a year, of several, of a quarter or of a month, up to a day if one is told";
    MoneyUnitCode: string().enum_values(Some(["yuan", "wan", "yi"])).into(), "元, 万元 or 亿元";
    Spreadsheet: formatted(KnownFormat::Binary).into(), "A spreadsheet";
    Percent: ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(100))
        .into(), "A whole percent";
    DayOrInstant: AnyOfBuilder::new()
        .item(formatted(KnownFormat::Date))
        .item(formatted(KnownFormat::DateTime))
        .into(), "A day or an instant";
}
