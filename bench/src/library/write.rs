//! A project as it is written: a value for each column of each row that tells of it.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::family::{FamilyCounting, Placement};
use domain::money::Money;
use domain::stage::{Condition, Stage};
use domain::tier::Investment;
use uuid::Uuid;

use super::rows::{PROJECT_COLUMNS, Rows};
use super::{Library, Project};
use crate::layout::{REGIONS_OF_CITY, city_code, id, project_id};
use crate::random::Random;
use crate::reference::{LISTS, SECTORS, UNITS_OF_CITY, programme_of, sector_code, unit_code};
use crate::table::{Row, row};

/// What stands before the number of a move, a second move and an event in its id.
const MOVE_IDS: &str = "0190000000007000810000";
const SECOND_MOVE_IDS: &str = "0190000000007000820000";
const EVENT_IDS: &str = "0190000000007000830000";

const PLACES: [&str; 12] = [
    "辽河",
    "双台子",
    "兴隆",
    "大洼",
    "临港",
    "高新",
    "滨海",
    "新城",
    "东湖",
    "北岸",
    "云山",
    "石桥",
];
const SUBJECTS: [&str; 16] = [
    "储气库",
    "精细化工产业园",
    "污水处理厂",
    "快速路改造",
    "风电场",
    "冷链物流中心",
    "职业技术学院",
    "老旧小区改造",
    "智能制造基地",
    "抽水蓄能电站",
    "港口码头",
    "数据中心",
    "中心医院",
    "防潮堤",
    "光伏制氢",
    "高标准农田",
];
const WORKS: [&str; 6] = ["新建", "扩建", "改造提升", "一期", "二期", "配套"];
const KINDS: [&str; 3] = [
    "government_approved",
    "enterprise_approved",
    "enterprise_filed",
];

impl Library {
    #[expect(
        clippy::too_many_lines,
        reason = "a value for each column of eight tables"
    )]
    pub(super) fn write(&self, project: &Project, rows: &mut Rows) {
        const DAY: u64 = 86_400_000_000;
        let n = project.n;
        // Another sequence than the one that drew its stage.
        let mut random = Random::of(!self.seed, n);
        let is_cover = project.counting == FamilyCounting::Parts;
        let placement = project.placement.unwrap_or(Placement {
            by_project: true,
            by_part: true,
            remainder: None,
            shown: (project.stage, project.condition),
        });
        let (stage, condition) = placement.shown;
        let movable = self.layout.is_movable(n);
        // Registered over three years, in the order of the numbers; last changed within a year after.
        let made = 3 * 365 * DAY / self.layout.size.max(1) * n + random.below(1000);
        let created = self.instant(made);
        let is_held = !is_cover && condition != Condition::Active;
        let updated = if is_held {
            self.instant(made + random.below(365) * DAY + 1 + random.below(DAY))
        } else {
            created
        };
        let version = if is_held { 2_i64 } else { 1 };
        let is_gate = is_cover || project.stage == Stage::Planning;
        let basis = if is_gate { "gate" } else { "opening_balance" };
        let on = self.day(made / DAY);
        let started = (!is_cover && stage >= Stage::Construction).then(|| on + Days::new(30));
        let completed = (!is_cover && stage == Stage::Completion).then(|| on + Days::new(60));
        let since = match stage {
            _ if is_cover => None,
            Stage::Completion => completed,
            Stage::Construction => started,
            Stage::Attraction => Some(on),
            Stage::Planning => None,
        };
        let sector = random.below(SECTORS);
        let region = city_code(project.city)
            + if self.layout.is_of_one_cell(n) || random.percent(15) {
                0
            } else {
                1 + random.below(REGIONS_OF_CITY - 1)
            };
        let name = name(&mut random, n);
        let alias = random.percent(20).then(|| format!("{name}（简称）"));
        let aliases = alias
            .as_ref()
            .map_or_else(|| "[]".to_owned(), |alias| format!("[\"{alias}\"]"));
        let code = (!is_gate && random.percent(60)).then(|| {
            format!(
                "{}-{region}-04-{:02}-{:06}",
                2201 + n % 12,
                1 + random.below(5),
                n % 1_000_000
            )
        });
        let owner = (movable || random.percent(70))
            .then(|| format!("市{}建设投资第{}公司", project.city, random.below(40)));
        let signed = movable || stage >= Stage::Attraction && random.percent(60);
        let signed_document = signed.then(|| {
            format!(
                "{{\"document_number\": \"签〔2024〕{n}号\", \"issued_on\": \"{on}\", \"authority\": null, \
                 \"attachment\": null, \"description\": null}}"
            )
        });
        let kind = if random.percent(15) {
            None
        } else {
            random.pick(&KINDS)
        };
        let fen = project.investment.known().map(Money::fen);
        let remainder = placement.remainder.and_then(|r| r.exact.or(r.floor));
        let planned = random.percent(60).then(|| random.below(400));
        let row = |version: i64, condition: Condition, updated: DateTime<Utc>| {
            let mut row: Row = row![
                project_id(n),
                version,
                project_id(project.parent.unwrap_or(n)),
                project.parent.map(project_id),
                project.counting.code(),
                code.clone(),
                name.clone(),
                aliases.clone(),
                region.to_string(),
                unit_code(project.city, n % UNITS_OF_CITY),
                programme_of(sector),
                sector_code(sector),
                kind,
                stage.code(),
                condition.code(),
                since,
                basis,
                (!is_gate).then_some("项目进展顺利，主体工程正在施工"),
                (!is_gate).then_some("2021年重大项目台账，第3页"),
                (!is_gate).then_some("2021年底"),
                false,
                match project.investment {
                    Investment::Exact(_) => "exact",
                    Investment::Floor(_) => "floor",
                    Investment::Unknown => "unknown",
                },
                fen,
                project.investment.tier().code(),
                n.is_multiple_of(9).then_some("含征地拆迁费用"),
                owner.clone(),
                n.is_multiple_of(2).then_some("王建国"),
                (n % 2 == 1).then(|| format!("建设规模{}亩，年产{}万吨及配套设施", n % 900, n % 77)),
                n.is_multiple_of(3).then_some(
                    "建设内容包括主体工程、配套管网、道路及绿化等；资金来源为企业自筹与银行贷款；目前正在办理前期手续。"
                ),
                planned.map(|days| on + Days::new(days)),
                planned.map(|days| on + Days::new(days + 500)),
                signed.then_some(on),
                signed_document.clone(),
                started,
                completed,
                placement.by_project,
                placement.by_part,
                remainder.map(Money::fen),
                created,
                updated,
            ];
            row.resize(PROJECT_COLUMNS.len(), crate::table::Cell::Null);
            row
        };
        let with = |mut row: Row, superseded: Option<DateTime<Utc>>| {
            row.push(superseded.into());
            row
        };
        if is_held {
            let first = row(1, Condition::Active, created);
            rows.versions.push(with(first, Some(updated)));
        }
        let present = row(version, condition, updated);
        rows.versions.push(with(present.clone(), None));
        rows.projects.push(present);
        rows.searches.push(search_row(
            n,
            [Some(&name), code.as_ref(), owner.as_ref(), alias.as_ref()],
        ));
        let opening = if is_gate {
            "registered"
        } else {
            "opening_balance"
        };
        let opened = if is_gate { Stage::Planning } else { stage };
        let nothing = None::<&'static str>;
        rows.moves.push(row![
            id(MOVE_IDS, n),
            project_id(n),
            1_i64,
            opening,
            None::<NaiveDate>,
            nothing,
            nothing,
            nothing,
            nothing,
            nothing,
            opened.code(),
            "active",
            since,
            basis,
            started,
            completed,
            nothing,
            created
        ]);
        if is_held {
            rows.moves.push(row![
                id(SECOND_MOVE_IDS, n),
                project_id(n),
                2_i64,
                condition.code(),
                updated.date_naive(),
                "资金未落实",
                stage.code(),
                "active",
                since,
                basis,
                stage.code(),
                condition.code(),
                since,
                basis,
                started,
                completed,
                started,
                updated
            ]);
        }
        let told = format!("{{\"name\": \"{name}\", \"stage\": \"{}\"}}", opened.code());
        rows.events.push(row![
            id(EVENT_IDS, n),
            project_id(n),
            format!("project/{}", project_id(n)),
            opening,
            1_i64,
            told,
            "command line",
            created
        ]);
        if !is_cover {
            rows.evidence(&mut random, project, stage, on, created);
        }
    }

    fn day(&self, days: u64) -> NaiveDate {
        self.start
            .checked_add_days(Days::new(days))
            .unwrap_or(self.start)
    }

    fn instant(&self, micros: u64) -> DateTime<Utc> {
        let since = TimeDelta::microseconds(i64::try_from(micros).unwrap_or_default());
        self.start.and_time(chrono::NaiveTime::MIN).and_utc() + since
    }
}

impl Rows {
    fn evidence(
        &mut self,
        random: &mut Random,
        project: &Project,
        stage: Stage,
        on: NaiveDate,
        at: DateTime<Utc>,
    ) {
        let of: Uuid = project_id(project.n);
        let mut lists = BTreeSet::new();
        for share in [12, 4] {
            if random.percent(share)
                && let Some((list, _)) = random.pick(&LISTS)
            {
                lists.insert(list);
            }
        }
        self.members
            .extend(lists.into_iter().map(|list| row![list, of, at]));
        if stage == Stage::Planning {
            return;
        }
        if stage >= Stage::Construction && random.percent(70) {
            let planned = project.investment.known().map(|amount| amount.fen() / 3);
            let year = i64::from(random.percent(50)) + 2025;
            self.plans.push(row![of, year, planned, 1_i64, at]);
            // Half a year of it was told, in equal parts.
            if let Some(planned) = planned {
                let told = (1_i64..=6)
                    .map(|month| row![of, year, month, planned / 12, planned / 15, 1_i64, at]);
                self.months.extend(told);
            }
        }
        if random.percent(60) {
            for item in [
                "project_approval",
                "land_use",
                "planning_permit",
                "construction_permit",
            ] {
                let number = format!("发改〔2023〕{}号", project.n);
                self.approvals.push(row![
                    of,
                    item,
                    "obtained",
                    number,
                    on,
                    "市发展改革委",
                    1_i64,
                    at
                ]);
            }
        }
    }
}

fn name(random: &mut Random, n: u64) -> String {
    let mut word = |all: &[&'static str]| random.pick(all).unwrap_or_default();
    format!(
        "{}{}{}项目（{n}）",
        word(&PLACES),
        word(&SUBJECTS),
        word(&WORKS)
    )
}

/// What a search for words looks through, as the service writes it.
fn search_row(n: u64, parts: [Option<&String>; 4]) -> Row {
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    // Full-width brackets are the only characters here that the service folds.
    let haystack = parts.join("\n").replace('（', "(").replace('）', ")");
    let mut grams = BTreeSet::new();
    for word in haystack.split_whitespace() {
        let characters: Vec<char> = word.chars().collect();
        grams.extend(characters.iter().map(ToString::to_string));
        grams.extend(
            characters
                .windows(2)
                .map(|pair| pair.iter().collect::<String>()),
        );
    }
    let grams: Vec<String> = grams.into_iter().collect();
    row![project_id(n), haystack, grams.join(" ")]
}
