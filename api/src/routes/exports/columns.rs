//! The columns of a table of projects: those of the list, for people.

use domain::evidence::Evidence;
use domain::gate::AttractionFact;
use domain::money::Money;
use domain::project::OriginalAmount;
use domain::text::Text;

use super::labels::{Labelled, Labels};
use crate::clock::Clock;
use crate::print::{Cell, Column};
use crate::problem::Language;
use crate::store::project::Record;

/// A project that is written, for whom.
pub(super) struct Reading<'a> {
    pub(super) record: &'a Record,
    pub(super) parent: Option<&'a String>,
    pub(super) labels: &'a Labels,
    pub(super) language: Language,
    pub(super) clock: Clock,
}

impl Reading<'_> {
    fn say(&self, (zh, en): (&'static str, &'static str)) -> Cell {
        Cell::Text(self.language.choose(zh, en).to_owned())
    }

    fn original<T>(&self, part: impl Fn(&OriginalAmount) -> T) -> Option<T> {
        self.record.facts.original.as_ref().map(part)
    }
}

/// A column: its heading in both languages, whether it has amounts, and what stands in it. The English heading is the name of
/// the field, as whoever reads the file when it comes back knows it.
struct Shown {
    zh: &'static str,
    en: &'static str,
    is_amount: bool,
    cell: fn(&Reading) -> Cell,
}

const fn column(zh: &'static str, en: &'static str, cell: fn(&Reading) -> Cell) -> Shown {
    Shown {
        zh,
        en,
        is_amount: false,
        cell,
    }
}

const fn amount(zh: &'static str, en: &'static str, cell: fn(&Reading) -> Cell) -> Shown {
    Shown {
        zh,
        en,
        is_amount: true,
        cell,
    }
}

/// The columns, in their order. The last two tell which project the row is, and what of it was known when it was taken out.
const COLUMNS: &[Shown] = &[
    column("项目代码", "Code", |of| {
        let code = of.record.facts.code.as_ref();
        Cell::text(code.map(|code| code.as_str().to_owned()))
    }),
    column("项目名称", "Name", |of| {
        text(Some(&of.record.facts.name))
    }),
    column("别名", "Aliases", |of| {
        joined(of.record.facts.aliases.iter().map(Text::as_str))
    }),
    column("所属项目", "Parent", |of| {
        Cell::text(of.parent.cloned())
    }),
    column("计数方式", "Family counting", |of| {
        let counting = of.record.facts.counting;
        of.say((counting.label_zh(), counting.label_en()))
    }),
    column("清单", "List", |of| {
        let lists = of.record.lists.iter();
        joined(lists.map(|code| of.labels.lists.label(code)))
    }),
    column("地区", "Region", |of| {
        let code = of.record.facts.region.as_str();
        Cell::Text(of.labels.regions.label(code).to_owned())
    }),
    column("责任单位", "Unit", |of| {
        coded(&of.labels.units, of.record.facts.unit.as_ref())
    }),
    column("五大工程", "Programme", |of| {
        coded(&of.labels.programmes, of.record.facts.programme.as_ref())
    }),
    column("行业", "Sector", |of| {
        coded(&of.labels.sectors, of.record.facts.sector.as_ref())
    }),
    column("产业链", "Chain", |of| {
        coded(&of.labels.chains, of.record.facts.chain.as_ref())
    }),
    column("项目类型", "Kind", |of| match of.record.facts.kind {
        Some(kind) => of.say((kind.label_zh(), kind.label_en())),
        None => Cell::Nothing,
    }),
    column("阶段", "Stage", |of| {
        let stage = of.record.standing.stage;
        of.say((stage.label_zh(), stage.label_en()))
    }),
    column("状态", "Condition", |of| {
        let condition = of.record.standing.condition;
        of.say((condition.label_zh(), condition.label_en()))
    }),
    column("进入阶段日期", "Stage since", |of| {
        date(of.record.standing.stage_since)
    }),
    amount("总投资", "Total investment", |of| {
        exact(of.record.facts.investment.exact())
    }),
    amount("总投资下限", "Investment floor", |of| {
        exact(of.record.facts.investment.floor())
    }),
    column("投资分档", "Tier", |of| {
        let tier = of.record.facts.investment.tier();
        of.say((tier.label_zh(), tier.label_en()))
    }),
    column("投资说明", "Investment note", |of| {
        text(of.record.facts.investment_note.as_ref())
    }),
    column("外币金额", "Original amount", |of| {
        Cell::text(of.original(|original| original.amount.to_string()))
    }),
    column("币种", "Original currency", |of| {
        Cell::text(of.original(|original| original.currency.as_str().to_owned()))
    }),
    column("汇率", "Original rate", |of| {
        Cell::text(of.original(|original| original.rate.to_string()))
    }),
    column("汇率日期", "Original rate on", |of| {
        date(of.original(|original| original.rate_on))
    }),
    column("业主", "Owner", |of| {
        text(of.record.facts.owner.as_ref().map(|owner| &owner.name))
    }),
    column("统一社会信用代码", "Owner USCC", |of| {
        let owner = of.record.facts.owner.as_ref();
        let uscc = owner.and_then(|owner| owner.uscc.as_ref());
        Cell::text(uscc.map(|uscc| uscc.as_str().to_owned()))
    }),
    column("项目管家", "Steward", |of| {
        text(of.record.facts.steward.as_ref())
    }),
    column("建设规模", "Capacity", |of| {
        text(of.record.facts.capacity.as_ref())
    }),
    column("备注", "Note", |of| text(of.record.facts.note.as_ref())),
    column("计划开工日期", "Planned start on", |of| {
        date(of.record.facts.planned_start_on)
    }),
    column("开工日期", "Started on", |of| {
        date(of.record.standing.started_on)
    }),
    column("计划竣工日期", "Planned completion on", |of| {
        date(of.record.facts.planned_completion_on)
    }),
    column("竣工日期", "Completed on", |of| {
        date(of.record.standing.completed_on)
    }),
    column("投产日期", "Commissioned on", |of| {
        date(of.record.facts.commissioned_on)
    }),
    column("达产日期", "At capacity on", |of| {
        date(of.record.facts.at_capacity_on)
    }),
    column("签约日期", "Signed on", |of| {
        date(of.record.facts.signed.on)
    }),
    column("签约文件", "Signed document", |of| {
        proof(&of.record.facts.signed)
    }),
    column("落地日期", "Landed on", |of| {
        date(of.record.facts.landed.on)
    }),
    column("落地文件", "Landed document", |of| {
        proof(&of.record.facts.landed)
    }),
    column("立项资金日期", "Funds approved on", |of| {
        date(of.record.facts.funds_approved.on)
    }),
    column("立项资金文件", "Funds approved document", |of| {
        proof(&of.record.facts.funds_approved)
    }),
    column("公开", "Published", |of| {
        let published = of.record.facts.published;
        of.say(if published {
            ("是", "yes")
        } else {
            ("否", "no")
        })
    }),
    column("阶段依据", "Basis quote", |of| {
        Cell::text(of.record.basis.quote.clone())
    }),
    column("依据出处", "Basis source", |of| {
        Cell::text(of.record.basis.source.clone())
    }),
    column("登记时间", "Created at", |of| {
        Cell::Moment(of.clock.local(of.record.created_at).naive_local())
    }),
    column("更新时间", "Updated at", |of| {
        Cell::Moment(of.clock.local(of.record.updated_at).naive_local())
    }),
    column("版本", "Version", |of| Cell::Whole(of.record.version)),
    column("标识", "Id", |of| Cell::Text(of.record.id.to_string())),
];

/// The headings.
pub(super) fn headings(language: Language) -> Vec<Column> {
    let heading = |column: &Shown| {
        let heading = language.choose(column.zh, column.en);
        if column.is_amount {
            Column::of_amounts(heading)
        } else {
            Column::of(heading)
        }
    };
    COLUMNS.iter().map(heading).collect()
}

/// A row.
pub(super) fn cells(reading: &Reading) -> Vec<Cell> {
    COLUMNS
        .iter()
        .map(|column| (column.cell)(reading))
        .collect()
}

fn coded<const MAX: usize>(labels: &Labelled, code: Option<&Text<MAX>>) -> Cell {
    Cell::text(code.map(|code| labels.label(code.as_str()).to_owned()))
}

fn text<const MAX: usize>(text: Option<&Text<MAX>>) -> Cell {
    Cell::text(text.map(|text| text.as_str().to_owned()))
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Cell {
    let texts: Vec<&str> = texts.collect();
    Cell::text((!texts.is_empty()).then(|| texts.join("、")))
}

fn date(day: Option<chrono::NaiveDate>) -> Cell {
    day.map_or(Cell::Nothing, Cell::Date)
}

fn exact(amount: Option<Money>) -> Cell {
    amount.map_or(Cell::Nothing, Cell::Exact)
}

fn proof(fact: &AttractionFact) -> Cell {
    let document = fact.document.as_ref();
    Cell::text(document.and_then(Evidence::known_by).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use intake::{Kind, Request};

    use super::*;

    /// What a reader takes the columns of a file that was taken out for.
    fn fields(language: Language) -> Vec<Option<String>> {
        let heading = |column: &Shown| match (column.is_amount, language) {
            (false, _) => language.choose(column.zh, column.en).to_owned(),
            (true, Language::Chinese) => format!("{}（万元）", column.zh),
            (true, Language::English) => format!("\"{} (10,000 CNY)\"", column.en),
        };
        let headings: Vec<String> = COLUMNS.iter().map(heading).collect();
        let row = vec!["1"; COLUMNS.len()].join(",");
        let file = format!("{}\n{row}\n", headings.join(","));
        let document = intake::read(file.as_bytes(), &Request::of(Kind::Projects)).unwrap();
        let columns = document.sheets[0].mapping.iter();
        let units = columns
            .clone()
            .filter(|column| column.unit == Some(intake::Unit::WanYuan));
        assert_eq!(
            units.count(),
            COLUMNS.iter().filter(|column| column.is_amount).count()
        );
        columns
            .map(|column| column.field.map(|field| field.to_string()))
            .collect()
    }

    #[test]
    fn whoever_reads_a_file_that_comes_back_knows_every_column_in_either_language() {
        let chinese = fields(Language::Chinese);
        assert_eq!(chinese, fields(Language::English));
        let unknown: Vec<&str> = COLUMNS
            .iter()
            .zip(&chinese)
            .filter(|(_, field)| field.is_none())
            .map(|(column, _)| column.en)
            .collect();
        // Nobody wants to change these.
        assert_eq!(unknown, ["Created at", "Updated at"]);
        let known: std::collections::BTreeSet<_> = chinese.iter().flatten().collect();
        assert_eq!(known.len(), COLUMNS.len() - unknown.len());
    }
}
