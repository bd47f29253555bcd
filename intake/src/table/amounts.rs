//! Columns of amounts, told apart by what their headings are made of: 计划, 完成, 累计, 本月, 到位.

use super::label::{Match, any};
use crate::document::Because;
use crate::field::{Field, FieldName, Of};
use crate::request::Kind;
use crate::value::Term;
use crate::value::period::term_in;

/// The names of a total investment, the more telling ones first.
const TOTAL: [&str; 16] = [
    "总投资",
    "计划总投资",
    "投资额",
    "投资规模",
    "概算总投资",
    "项目总投资",
    "投资总额",
    "总投资额",
    "估算总投资",
    "批复总投资",
    "投资估算",
    "投资概算",
    "总投资估算",
    "协议投资额",
    "投资",
    "金额",
];

/// Headings with these are of no amount, or of one that is no field: of whom, of what, of which funds.
const OTHER: [&str; 35] = [
    "方",
    "主体",
    "单位",
    "企业",
    "类型",
    "门槛",
    "说明",
    "来源",
    "构成",
    "性质",
    "领域",
    "强度",
    "比例",
    "率",
    "%",
    "进度",
    "时间",
    "日期",
    "中央",
    "贷款",
    "原因",
    "工作",
    "内容",
    "节点",
    "形象",
    "措施",
    "问题",
    "债",
    "自筹",
    "预算内",
    "设备投资",
    "建安",
    "土建",
    "外资",
    "其中",
];

/// A heading as far as it is looked at here.
pub(super) struct Heading<'l> {
    pub(super) kind: Kind,
    /// All of it without blanks.
    pub(super) whole: &'l str,
    /// Its parts without brackets, joined.
    pub(super) joined: &'l str,
    /// The last of them.
    pub(super) last: &'l str,
}

impl Heading<'_> {
    /// The field of amounts that it names.
    pub(super) fn field(&self) -> Option<Match> {
        if matches!(self.kind, Kind::Approvals | Kind::Targets) {
            return None;
        }
        let term = self.term();
        let words = ["年度", "本年", "今年", "当年", "本月", "当月"];
        let is_timed = term.is_some() || any(self.joined, &words);
        for text in [self.joined, self.last] {
            if let Some(rank) = TOTAL.iter().position(|word| *word == text)
                && (!is_timed || text == self.joined || rank < 2)
            {
                return Some(Match::of(FieldName::TotalInvestment, Because::Exact, rank));
            }
        }
        if any(self.whole, &OTHER) {
            return None;
        }
        self.figure(term).or_else(|| self.plan(term, is_timed))
    }

    /// What was completed, told to statistics, received or paid.
    fn figure(&self, term: Option<Term>) -> Option<Match> {
        let has = |word: &str| self.joined.contains(word);
        let found = |name| Some(timed(name, term, 0));
        let is_running = any(self.joined, &["累计", "以来", "截至", "截止", "至今"]);
        if (has("统计") && any(self.joined, &["入库", "投资"])) || has("纳统") || has("入统")
        {
            return found(FieldName::Statistics);
        }
        let funds = [
            ("到位", FieldName::FundsReceived),
            ("下达", FieldName::FundsAllocated),
            ("支付", FieldName::FundsPaid),
            ("拨付", FieldName::FundsPaid),
            ("支出", FieldName::FundsPaid),
        ];
        if let Some((_, name)) = funds.into_iter().find(|(word, _)| has(word)) {
            // A month has no field for what came in before it.
            let is_before = matches!(self.kind, Kind::MonthlyFigures) && is_running;
            return if is_before { None } else { found(name) };
        }
        if has("完成") && !any(self.joined, &["计划", "预计", "目标", "任务", "拟"]) {
            return found(self.completed(term, is_running));
        }
        // A column that is called by its month alone, in a table of months.
        let is_month = self.joined.ends_with('月') || self.joined.ends_with("月份");
        let of_month = matches!(term, Some(Term::Month(..) | Term::MonthOnly(_)));
        let is_alone = !any(self.joined, &["投资", "计划", "资金", "金额"]) && is_month && of_month;
        (is_alone && matches!(self.kind, Kind::MonthlyFigures))
            .then(|| timed(FieldName::Completed, term, 1))
    }

    /// What is planned: in all, or for a year.
    fn plan(&self, term: Option<Term>, is_timed: bool) -> Option<Match> {
        let total = |rank| {
            Some(Match::of(
                FieldName::TotalInvestment,
                Because::Contained,
                rank,
            ))
        };
        if !any(self.joined, &["投资", "计划", "资金", "金额"]) {
            return None;
        }
        if any(self.joined, &["总投资", "投资总额", "投资规模", "总投"]) && !is_timed {
            return total(TOTAL.len());
        }
        if is_timed && any(self.joined, &["投资", "计划", "安排"]) {
            return Some(timed(FieldName::PlannedInvestment, term, 0));
        }
        if any(self.joined, &["计划投资", "投资计划", "计划完成"]) {
            return Some(if matches!(self.kind, Kind::AnnualPlans) {
                Match::of(FieldName::PlannedInvestment, Because::Exact, 0)
            } else {
                Match::ambiguous(&[FieldName::TotalInvestment, FieldName::PlannedInvestment])
            });
        }
        if any(self.joined, &["投资额", "估算", "概算"]) {
            return total(TOTAL.len() + 1);
        }
        None
    }

    /// What of the completed investment it tells.
    fn completed(&self, term: Option<Term>, is_running: bool) -> FieldName {
        let whole = [
            "自开工",
            "开工以来",
            "开工至",
            "开工累计",
            "建设以来",
            "截至",
            "截止",
            "历年",
            "总累计",
            "完成总投资",
        ];
        let year = ["本年", "今年", "当年", "年初", "年度", "全年"];
        let of_month = any(self.joined, &["本月", "当月", "月度", "月份"])
            || matches!(term, Some(Term::Month(..) | Term::MonthOnly(_)));
        let of_year = any(self.joined, &year) || matches!(term, Some(Term::Year(_)));
        if any(self.joined, &whole) {
            FieldName::CompletedTotal
        } else if self.is_range_of_months() || (of_year && !self.joined.contains("本月")) {
            FieldName::CompletedInYear
        } else if !is_running && (of_month || matches!(self.kind, Kind::MonthlyFigures)) {
            FieldName::Completed
        } else {
            FieldName::CompletedTotal
        }
    }

    /// 1-5月.
    fn is_range_of_months(&self) -> bool {
        self.joined.match_indices('月').any(|(at, _)| {
            let before = self.joined.get(..at).unwrap_or_default();
            let start = without_number(before);
            start.len() < before.len() && start.ends_with(RANGE)
        })
    }

    /// The year or month of which it tells.
    fn term(&self) -> Option<Term> {
        let month = || {
            let (before, _) = self.joined.rsplit_once('月')?;
            let start = without_number(before);
            let number: u32 = before.get(start.len()..)?.parse().ok()?;
            let is_month = (1..=12).contains(&number) && !start.ends_with(RANGE);
            is_month.then_some(Term::MonthOnly(number))
        };
        match (term_in(self.joined), month()) {
            (year, Some(month)) => Some(month.within(year)),
            // 2024年1-5月: the year is what is meant.
            (Some(Term::Month(year, _)), None) => Some(Term::Year(year)),
            (year, None) => year,
        }
    }
}

/// What stands between two months.
const RANGE: [char; 5] = ['-', '~', '—', '至', '到'];

fn without_number(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_ascii_digit())
}

fn timed(name: FieldName, term: Option<Term>, rank: usize) -> Match {
    let of = term.map(Of::Term);
    Match::of(Field { name, of }, Because::Contained, rank)
}
