//! Projects proposed out of the text of a plan or a report, by rules that give the same for the same text. A person
//! confirms them; nothing is taken over by itself.

mod clause;
mod money;
mod name;

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::value::Amount;
use clause::{Clause, clauses};

/// The most lines of a text that are read.
pub const MAX_LINES: usize = 200_000;
/// The most proposals that are made of a text.
pub const MAX_PROPOSALS: usize = 10_000;

coded! {
    /// How sure it is that a text tells of a project of this name.
    pub enum Confidence {
        /// The words leave little doubt.
        High => "high",
        /// It is likely.
        Medium => "medium",
        /// It has to be looked at.
        Low => "low",
    }
}

coded! {
    /// Why it is as sure as it is.
    pub enum Reason {
        /// The amount stands right before the name: 投资12.6亿元的某港区航道工程.
        AmountBefore => "amount_before",
        /// The amount stands behind the name: 某港区航道工程，总投资12.6亿元.
        AmountBehind => "amount_behind",
        /// Words stand between the name and its amount.
        AmountApart => "amount_apart",
        /// No amount is told.
        NoAmount => "no_amount",
        /// It is one of a list: A、B、C等9个项目.
        Listed => "listed",
        /// It is an item of a box (专栏) or of a numbered list.
        InBox => "in_box",
        /// It is part of the one before (其中).
        Part => "part",
        /// The name says by its end that it is a project: 项目, 工程, 基地.
        NamedAsProject => "named_as_project",
        /// The name does not.
        NotNamedAsProject => "not_named_as_project",
        /// The name is very long.
        LongName => "long_name",
        /// The text tells more of them than it names.
        MoreThanNamed => "more_than_named",
    }
}

coded! {
    /// What a text says of how far a project is.
    pub enum Hint {
        /// 谋划, 储备.
        Planned => "planned",
        /// 签约, 引进.
        Signed => "signed",
        /// 新建, 新开工: to be started in the year.
        New => "new",
        /// 续建: started before.
        Continued => "continued",
        /// 在建, 开工, 加快建设.
        UnderConstruction => "under_construction",
        /// 建成, 竣工, 投产.
        Completed => "completed",
    }
}

/// A project that a text may tell of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its name.
    pub name: String,
    /// Its total investment, if it is told.
    pub amount: Option<Amount>,
    /// How far it is, if that is told.
    pub hint: Option<Hint>,
    /// The place, from 0, of the proposal that it is part of.
    pub parent: Option<usize>,
    /// The line in which its name begins, from 1.
    pub line: usize,
    /// The character of the line with which its name begins, from 1.
    pub column: usize,
    /// The words of the text that tell of it.
    pub quoted: String,
    /// How many projects its list has, as the text says.
    pub claimed: Option<usize>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Proposes projects out of a text.
#[must_use]
pub fn read_plan(text: &str) -> Vec<Proposal> {
    let mut proposals: Vec<Proposal> = Vec::new();
    let mut is_in_box = false;
    let mut last_whole = None;
    for (number, line) in (1..=MAX_LINES).zip(text.lines()) {
        is_in_box = clause::is_in_box(line, is_in_box);
        for clause in clauses(line, is_in_box) {
            let found = of_clause(&clause);
            let parent = if clause.is_part { last_whole } else { None };
            for draft in found {
                if proposals.len() >= MAX_PROPOSALS {
                    return proposals;
                }
                let before = proposals.last_mut().filter(|last| last.line == number);
                if parent.is_none() && before.is_some_and(|last| draft.tells_more_of(last)) {
                    continue;
                }
                if parent.is_none() {
                    last_whole = Some(proposals.len());
                }
                proposals.push(draft.finished(line, number, &clause, parent));
            }
        }
    }
    proposals
}

/// A proposal as it is found in a clause: the name and where it begins in the line, in bytes.
struct Draft {
    name: String,
    at: usize,
    amount: Option<Amount>,
    claimed: Option<usize>,
    reasons: Vec<Reason>,
}

impl Draft {
    /// Whether it is no project of its own but the amount of the one before: 某铁路项目。建设里程20公里，总投资9.8亿元.
    fn tells_more_of(&self, last: &mut Proposal) -> bool {
        let is_more = last.amount.is_none()
            && self.amount.is_some()
            && last.claimed.is_none()
            && name::is_project(&last.name)
            && !name::is_project(&self.name)
            && !self.reasons.contains(&Reason::AmountBefore);
        if is_more {
            last.amount.clone_from(&self.amount);
            last.reasons.retain(|reason| *reason != Reason::NoAmount);
            last.reasons.push(Reason::AmountApart);
        }
        is_more
    }

    fn finished(
        mut self,
        line: &str,
        number: usize,
        clause: &Clause<'_>,
        parent: Option<usize>,
    ) -> Proposal {
        const LONG: usize = 40;
        const QUOTE: usize = 200;
        let is_named = name::is_project(&self.name);
        self.reasons.push(if is_named {
            Reason::NamedAsProject
        } else {
            Reason::NotNamedAsProject
        });
        if parent.is_some() {
            self.reasons.push(Reason::Part);
        }
        let is_long = self.name.chars().count() > LONG;
        if is_long {
            self.reasons.push(Reason::LongName);
        }
        let is_close = [Reason::AmountBefore, Reason::AmountBehind]
            .iter()
            .any(|reason| self.reasons.contains(reason));
        let is_told = [Reason::Listed, Reason::InBox, Reason::AmountApart]
            .iter()
            .any(|reason| self.reasons.contains(reason));
        let confidence = match (is_named && !is_long, is_close, is_told) {
            (true, true, _) => Confidence::High,
            (true, false, _) | (false, true, false) => Confidence::Medium,
            // The text says itself that they are projects.
            (false, _, true) if self.claimed.is_some() => Confidence::Medium,
            (false, _, _) => Confidence::Low,
        };
        let before = line.get(..self.at).unwrap_or_default();
        Proposal {
            name: self.name,
            amount: self.amount,
            hint: clause.hint,
            parent,
            line: number,
            column: before.chars().count() + 1,
            quoted: clause.text.trim().chars().take(QUOTE).collect(),
            claimed: self.claimed,
            confidence,
            reasons: self.reasons,
        }
    }
}

/// What a clause tells: by its amounts, by its list, or by standing in a box.
fn of_clause(clause: &Clause<'_>) -> Vec<Draft> {
    if let Some(list) = name::list(clause) {
        return list;
    }
    let told = money::told(clause);
    if !told.is_empty() {
        return told;
    }
    if clause.is_item {
        name::items(clause)
    } else {
        Vec::new()
    }
}
