//! Rows of projects, held against the library.

use std::collections::HashMap;

use domain::family::Families;
use domain::id::ProjectId;
use domain::project::{Facts, FactsContext};
use domain::stage::{Condition, Stage};
use domain::text::Text;
use intake::document::{Document, Row, Sheet};
use sea_orm::ConnectionTrait;
use serde_json::Value as Json;
use uuid::Uuid;

use super::cells::{Read, Source};
use super::names::{Found, Names};
use super::not_taken::Shown;
use super::present::{Present, id_of, told, version_of};
use super::verdict::{Deed, Double, Likeness, New, Place, SameName, Terms, Twin, Verdict, What};
use super::{CHUNK, cells_of};
use crate::auth::Principal;
use crate::entity::project::Model;
use crate::import::Remark;
use crate::problem::{Fault, Problem};
use crate::store::project::{difference, snapshot};
use crate::store::search::name_key;
use crate::store::{Failure, row};
use intake::field::FieldName;

/// Whoever judges rows of projects.
pub(super) struct Judge<'a> {
    principal: &'a Principal,
    terms: &'a Terms,
    names: Names,
    today: chrono::NaiveDate,
    /// Which verdict was first to name a project so.
    by_code: HashMap<String, usize>,
    by_key: HashMap<String, usize>,
    by_name: HashMap<(String, String), usize>,
    new_by_name: HashMap<String, Vec<usize>>,
    by_row: HashMap<Place, usize>,
    /// The projects that verdicts found or will register.
    found: HashMap<usize, Parent>,
    verdicts: Vec<Verdict>,
}

/// A project that another row may be part of.
#[derive(Clone, Copy, Debug)]
enum Parent {
    There(Uuid),
    New(usize),
}

/// What a row is about.
enum About<'p> {
    New,
    There(&'p Model),
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        principal: &'a Principal,
        terms: &'a Terms,
        names: Names,
        today: chrono::NaiveDate,
    ) -> Self {
        Self {
            principal,
            terms,
            names,
            today,
            by_code: HashMap::new(),
            by_key: HashMap::new(),
            by_name: HashMap::new(),
            new_by_name: HashMap::new(),
            by_row: HashMap::new(),
            found: HashMap::new(),
            verdicts: Vec::new(),
        }
    }

    /// Judges every row, some at a time; `step` is told how many have been.
    pub(super) async fn judge(
        mut self,
        db: &impl ConnectionTrait,
        document: &Document,
        step: impl Fn(usize),
    ) -> Result<Vec<Verdict>, Failure> {
        let reach = self.principal.reads();
        for (number, sheet) in document.sheets.iter().enumerate() {
            for some in sheet.rows.chunks(CHUNK) {
                let rows: Vec<&Row> = some.iter().collect();
                let present = Present::read(db, &reach, self.terms, &rows).await?;
                for row in some {
                    let place = Place {
                        sheet: number,
                        row: row.number,
                    };
                    let verdict = self.row(&present, sheet, place, row)?;
                    self.by_row.insert(place, self.verdicts.len());
                    self.verdicts.push(verdict);
                }
                step(self.verdicts.len());
            }
        }
        self.check_families();
        Ok(self.verdicts)
    }

    fn row(
        &mut self,
        present: &Present,
        sheet: &Sheet,
        place: Place,
        row: &Row,
    ) -> Result<Verdict, Failure> {
        let name = told(row, FieldName::Name).unwrap_or_default().to_owned();
        let mut verdict = Verdict {
            place,
            name,
            what: What::Refused,
            double: None,
            remarks: row.faults.iter().map(Remark::of_cell).collect(),
            cells: cells_of(row),
        };
        if !verdict.remarks.is_empty() {
            return Ok(verdict);
        }
        if let Some(first) = self.first_of_same_key(row) {
            verdict.what = What::Held;
            verdict.double = Some(self.double_of_row(Likeness::SameKey, first, true));
            return Ok(verdict);
        }
        let mine = self.verdicts.len();
        match self.about(present, row, &mut verdict) {
            None => {}
            Some(About::There(model)) => {
                self.found.insert(mine, Parent::There(model.id));
                self.amended(present, sheet, row, model, &mut verdict)?;
            }
            Some(About::New) => {
                self.found.insert(mine, Parent::New(mine));
                self.registered(present, sheet, row, &mut verdict);
            }
        }
        if matches!(verdict.what, What::Do { .. } | What::Same) {
            verdict.cells.clear();
        }
        self.name_it(row, &verdict, mine);
        Ok(verdict)
    }

    /// Which row of the file was first to tell of the same code or key.
    fn first_of_same_key(&self, row: &Row) -> Option<usize> {
        let code = told(row, FieldName::Code).and_then(|code| self.by_code.get(code));
        let key = told(row, FieldName::ExternalRef).filter(|_| self.terms.system.is_some());
        let key = key.and_then(|key| self.by_key.get(key));
        code.or(key).copied()
    }

    fn name_it(&mut self, row: &Row, verdict: &Verdict, mine: usize) {
        if let Some(code) = told(row, FieldName::Code) {
            self.by_code.entry(code.to_owned()).or_insert(mine);
        }
        if let Some(key) = told(row, FieldName::ExternalRef) {
            self.by_key.entry(key.to_owned()).or_insert(mine);
        }
        if let What::Do {
            deed: Deed::Enter(new),
            ..
        } = &verdict.what
        {
            let region = new.facts.region.as_str().to_owned();
            let key = (name_key(new.facts.name.as_str()), region);
            self.by_name.entry(key).or_insert(mine);
            let named = self.new_by_name.entry(verdict.name.clone());
            named.or_default().push(mine);
        }
    }

    fn double_of_row(&self, likeness: Likeness, first: usize, is_held: bool) -> Double {
        let of = self.verdicts.get(first).map(|first| Twin {
            id: None,
            name: first.name.clone(),
            region: String::new(),
            code: None,
            row: Some(first.place.row),
        });
        Double {
            likeness,
            is_held,
            of: of.into_iter().collect(),
        }
    }

    /// What a row is about: by the id of an export, by a system's key, by 项目代码; by name and region only if that is what
    /// the terms say. None if it is refused or held.
    fn about<'p>(
        &self,
        present: &'p Present,
        row: &Row,
        verdict: &mut Verdict,
    ) -> Option<About<'p>> {
        let reach = self.principal.reads();
        let is_seen =
            |model: &Model| !model.annulled && reach.covers(&model.region, model.unit.as_deref());
        if told(row, FieldName::Id).is_some() {
            let found = id_of(row)
                .and_then(|id| present.get(id))
                .filter(|model| is_seen(model));
            if found.is_none() {
                verdict.refuse(vec![Remark {
                    field: Some("id".to_owned()),
                    ..Remark::of_row(
                        "project_not_found",
                        "没有这个标识的项目，或不在您的范围",
                        "There is no project with this id in your scope",
                    )
                }]);
            }
            return found.map(About::There);
        }
        let key = told(row, FieldName::ExternalRef).filter(|_| self.terms.system.is_some());
        if let Some(model) = key
            .and_then(|key| present.of_key(key))
            .filter(|model| is_seen(model))
        {
            return Some(About::There(model));
        }
        if let Some(model) = told(row, FieldName::Code).and_then(|code| present.of_code(code)) {
            if is_seen(model) {
                return Some(About::There(model));
            }
            verdict.refuse(vec![Remark {
                field: Some("code".to_owned()),
                ..Remark::of_row(
                    "code_taken",
                    "项目代码已属于另一项目",
                    "The project code belongs to another project",
                )
            }]);
            return None;
        }
        self.about_name(present, row, verdict)
    }

    /// What a row is about that has neither a code nor a key that is known.
    fn about_name<'p>(
        &self,
        present: &'p Present,
        row: &Row,
        verdict: &mut Verdict,
    ) -> Option<About<'p>> {
        let region = self.region_of(row);
        let key = (name_key(&verdict.name), region.clone());
        let alike = present.of_name(&verdict.name);
        // Two codes are two projects, whatever they are called.
        let has_other_code =
            |model: &&Model| told(row, FieldName::Code).is_some() && model.code.is_some();
        let same: Vec<&Model> = alike
            .iter()
            .copied()
            .filter(|model| model.region == region && model.name == verdict.name)
            .filter(|model| !has_other_code(model))
            .collect();
        match (same.as_slice(), self.terms.same_name) {
            ([one], SameName::Amend) => return Some(About::There(one)),
            ([one], SameName::Ask) => {
                verdict.double = Some(double(Likeness::SameName, true, &same));
                verdict.what = What::Held;
                return Some(About::There(one));
            }
            ([], _) | (_, SameName::Create) => {}
            ([_, ..], SameName::Ask | SameName::Amend) => {
                verdict.double = Some(double(Likeness::SameName, true, &same));
                verdict.what = What::Held;
                return None;
            }
        }
        if let Some(first) = self.by_name.get(&key).copied() {
            let is_same = self
                .verdicts
                .get(first)
                .is_some_and(|first| first.name == verdict.name);
            let is_held = is_same && self.terms.same_name != SameName::Create;
            let likeness = if is_same {
                Likeness::SameName
            } else {
                Likeness::SimilarName
            };
            verdict.double = Some(self.double_of_row(likeness, first, is_held));
            if is_held {
                verdict.what = What::Held;
                return None;
            }
        }
        let near: Vec<&Model> = alike
            .into_iter()
            .filter(|model| !has_other_code(model))
            .collect();
        if !near.is_empty() {
            let likeness = if same.is_empty() {
                Likeness::SimilarName
            } else {
                Likeness::SameName
            };
            verdict.double = Some(double(likeness, false, &near));
        }
        Some(About::New)
    }

    /// The region of a row, or the one of the terms; empty if it can't be told, which the reading of the row will say.
    fn region_of(&self, row: &Row) -> String {
        let named = told(row, FieldName::Region).or(self.terms.region.as_deref());
        match named.map(|text| self.names.region(text)) {
            Some(Found::One { code, .. }) => code,
            Some(Found::None | Found::Several(_)) | None => String::new(),
        }
    }

    fn registered(&self, present: &Present, sheet: &Sheet, row: &Row, verdict: &mut Verdict) {
        let source = Source {
            names: &self.names,
            terms: self.terms,
            sheet,
            row,
        };
        let mut read = source.read(None, None);
        verdict.remarks.append(&mut read.remarks);
        let mut faults = std::mem::take(&mut read.faults);
        faults.extend(read.ownerless().map(|remark| source.placed(remark)));
        let parent = self.parent(present, &source, verdict, &mut faults);
        let facts = match read.fields.registered() {
            Ok(facts) => Some(facts),
            Err(found) => {
                let known: Vec<Option<String>> = faults.iter().map(|f| f.field.clone()).collect();
                let found = found
                    .iter()
                    .map(|fault| source.placed(Remark::of_fault(fault)));
                faults.extend(found.filter(|fault| !known.contains(&fault.field)));
                None
            }
        };
        let Some(mut facts) = facts else {
            verdict.refuse(faults);
            return;
        };
        let standing = if self.terms.opening_balance {
            source.standing(&read, self.today, &mut faults)
        } else {
            source.remark_stage(&read, None, &mut verdict.remarks);
            source.remark_days(&read, None, &mut verdict.remarks);
            None
        };
        let context = FactsContext {
            stage: standing.as_ref().map_or(Stage::Planning, |s| s.stage),
            started_on: standing.as_ref().and_then(|s| s.started_on),
            today: self.today,
        };
        let mut wrong: Vec<Fault> = facts.faults(context).iter().map(Fault::from).collect();
        if !self.terms.opening_balance {
            wrong.extend(facts.missing_for_registration().iter().map(Fault::from));
        }
        wrong.extend(self.wrong_references(&facts, None));
        let wrong = wrong
            .iter()
            .map(|fault| source.placed(Remark::of_fault(fault)));
        // What could not be read is not missing besides.
        let known: Vec<Option<String>> = faults.iter().map(|fault| fault.field.clone()).collect();
        faults.extend(wrong.filter(|fault| fault.field.is_none() || !known.contains(&fault.field)));
        faults.extend(
            self.not_allowed(&facts)
                .into_iter()
                .map(|remark| source.placed(remark)),
        );
        if !faults.is_empty() {
            verdict.refuse(faults);
            return;
        }
        if let Some(Parent::There(id)) = parent {
            facts.parent = Some(ProjectId(id));
        }
        let external = told(row, FieldName::ExternalRef).and_then(|key| self.terms.external(key));
        verdict.what = What::Do {
            deed: Deed::Enter(Box::new(New {
                facts,
                standing: standing.map(|standing| (standing, source.quote())),
                parent: match parent {
                    Some(Parent::New(verdict)) => Some(verdict),
                    Some(Parent::There(_)) | None => None,
                },
                external,
            })),
            is_new: true,
            before: None,
            after: None,
        };
    }

    /// Whoever may not enter projects there, or not publish them.
    fn not_allowed(&self, facts: &Facts) -> Vec<Remark> {
        let (region, unit) = (facts.region.as_str(), facts.unit.as_ref().map(Text::as_str));
        let entering = if self.terms.opening_balance {
            self.principal.need_manager(region, unit)
        } else {
            self.principal.need_mandate(region, unit).map(|_| ())
        };
        let (asked, field) = match entering {
            Ok(()) if facts.published => (self.principal.need_manager(region, unit), "published"),
            entering => (entering, "region"),
        };
        let remarks = asked.err().map(Remark::of_problem).unwrap_or_default();
        let of_field = |remark| Remark {
            field: Some(field.to_owned()),
            ..remark
        };
        remarks.into_iter().map(of_field).collect()
    }

    /// References that the reading of names has not checked: regions that are no more, and the region of a code.
    fn wrong_references(&self, facts: &Facts, before: Option<&Facts>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let region = facts.region.as_str();
        if before.is_none_or(|before| before.region != facts.region) && self.names.is_past(region) {
            faults.push(Fault::at(
                "/region",
                "region_not_in_force",
                format!("{}已撤销或尚未设立", self.names.regions.label(region)),
                format!("{} is not in force", self.names.regions.label(region)),
            ));
        }
        if before.is_none_or(|before| before.code != facts.code)
            && let Some(code) = &facts.code
            && !self.names.regions.has(code.region())
        {
            faults.push(Fault::at(
                "/code",
                "unknown_region",
                format!("没有地区 {}", code.region()),
                format!("There is no region {}", code.region()),
            ));
        }
        faults
    }

    /// The project that a row is part of: the one above it, or the one that it names.
    fn parent(
        &self,
        present: &Present,
        source: &Source,
        verdict: &Verdict,
        faults: &mut Vec<Remark>,
    ) -> Option<Parent> {
        let row = source.row;
        if let Some(above) = row.part_of {
            let place = Place {
                row: above,
                ..verdict.place
            };
            let above = self.by_row.get(&place).copied();
            let is_taken = above.and_then(|above| self.verdicts.get(above));
            let is_taken = is_taken.is_some_and(|v| matches!(v.what, What::Do { .. } | What::Same));
            let found = above
                .filter(|_| is_taken)
                .and_then(|above| self.found.get(&above));
            if found.is_none() {
                faults.push(Remark::of_row(
                    "whole_not_taken",
                    format!("所属项目（第 {} 行）没有导入", place.row),
                    format!(
                        "The project that it is part of (row {}) is not taken in",
                        place.row
                    ),
                ));
            }
            return found.copied();
        }
        let name = told(row, FieldName::Parent)?;
        let there: Vec<&Model> = present
            .of_name(name)
            .into_iter()
            .filter(|model| model.name == name)
            .collect();
        let in_file = self.new_by_name.get(name).map_or(&[][..], Vec::as_slice);
        match (there.as_slice(), in_file) {
            ([one], []) => Some(Parent::There(one.id)),
            ([], [one]) => Some(Parent::New(*one)),
            ([], []) => {
                faults.push(source.placed(Remark {
                    field: Some("parent".to_owned()),
                    ..Remark::of_row(
                        "unknown_parent",
                        format!("没有名为“{name}”的上级项目"),
                        format!("There is no project called \"{name}\" that it could be part of"),
                    )
                }));
                None
            }
            _ => {
                faults.push(source.placed(Remark {
                    field: Some("parent".to_owned()),
                    ..Remark::of_row(
                        "ambiguous_parent",
                        format!("有几个项目名为“{name}”"),
                        format!("Several projects are called \"{name}\""),
                    )
                }));
                None
            }
        }
    }

    fn amended(
        &self,
        present: &Present,
        sheet: &Sheet,
        row: &Row,
        model: &Model,
        verdict: &mut Verdict,
    ) -> Result<(), Failure> {
        let source = Source {
            names: &self.names,
            terms: self.terms,
            sheet,
            row,
        };
        let Some(base) = seen(present, row, model) else {
            verdict.refuse(vec![Remark {
                field: Some("version".to_owned()),
                ..Remark::of_row(
                    "unknown_version",
                    "该项目没有这个版本",
                    "The project was never at this version",
                )
            }]);
            return Ok(());
        };
        let before = row::facts(base)?;
        let parent_name = present.parent_name(base).map(String::as_str);
        let is_taken_out = version_of(row).is_some() && id_of(row).is_some();
        let known = is_taken_out.then_some((&before, parent_name));
        let mut read = source.read(known, Some(&before));
        read.keep_owner(&before);
        verdict.remarks.append(&mut read.remarks);
        source.remark_stage(&read, Some(model), &mut verdict.remarks);
        if is_taken_out {
            let shown = Shown {
                model: base,
                facts: &before,
                lists: present.lists(base).map(|codes| self.names.of_lists(codes)),
            };
            verdict.remarks.extend(shown.remarks(&source));
        } else {
            source.remark_days(&read, Some(model), &mut verdict.remarks);
        }
        let after = match self.wanted(
            present,
            (&source, verdict),
            &mut read,
            (&before, parent_name),
        ) {
            Ok(after) => after,
            Err(faults) => {
                verdict.refuse(faults);
                return Ok(());
            }
        };
        let key = told(row, FieldName::ExternalRef);
        let link = key
            .filter(|key| present.of_key(key).is_none())
            .and_then(|key| self.terms.external(key));
        if after == before && link.is_none() {
            verdict.what = What::Same;
            verdict.double = None;
            return Ok(());
        }
        if base.version != model.version {
            let now = row::facts(model)?;
            if read
                .fields
                .applied(now.clone())
                .is_ok_and(|wanted| wanted == now)
            {
                // What was edited stands there by now, as when a file is sent again.
                verdict.what = What::Same;
                return Ok(());
            }
            verdict.refuse(stale(&source, base, model, &after));
            return Ok(());
        }
        let faults = self.wrong_change(&source, model, &before, &after)?;
        if !faults.is_empty() {
            verdict.refuse(faults);
            return Ok(());
        }
        if matches!(verdict.what, What::Held) {
            return Ok(());
        }
        let (was, is) = changed(model, &after);
        verdict.what = What::Do {
            deed: Deed::Amend {
                id: model.id,
                seen: model.version,
                after: Box::new(after),
                link,
            },
            is_new: false,
            before: Some(was),
            after: Some(is),
        };
        Ok(())
    }

    /// The facts that a row wants of a project, or everything that is wrong with it.
    fn wanted(
        &self,
        present: &Present,
        (source, verdict): (&Source, &Verdict),
        read: &mut Read,
        (before, parent_name): (&Facts, Option<&str>),
    ) -> Result<Facts, Vec<Remark>> {
        let row = source.row;
        let mut faults = std::mem::take(&mut read.faults);
        let applied = read.fields.applied(before.clone());
        let mut after = applied.map_err(|found| {
            let found = found
                .iter()
                .map(|fault| source.placed(Remark::of_fault(fault)));
            faults.iter().cloned().chain(found).collect::<Vec<_>>()
        })?;
        let names_parent = row.part_of.is_some()
            || told(row, FieldName::Parent).is_some_and(|name| Some(name) != parent_name);
        if names_parent {
            match self.parent(present, source, verdict, &mut faults) {
                Some(Parent::There(id)) => after.parent = Some(ProjectId(id)),
                Some(Parent::New(_)) => faults.push(Remark::of_row(
                    "whole_is_new",
                    "所属项目是新登记的，请先导入它",
                    "The project that it is part of is new; take that in first",
                )),
                None => {}
            }
        }
        if faults.is_empty() {
            Ok(after)
        } else {
            Err(faults)
        }
    }

    /// What the rules say of a change; the rest is found out by trying it.
    fn wrong_change(
        &self,
        source: &Source,
        model: &Model,
        before: &Facts,
        after: &Facts,
    ) -> Result<Vec<Remark>, Failure> {
        let standing = row::standing(model)?;
        let context = FactsContext {
            stage: standing.stage,
            started_on: standing.started_on,
            today: self.today,
        };
        let known = before.faults(context);
        let new = after.faults(context);
        let mut wrong: Vec<Fault> = new
            .iter()
            .filter(|fault| !known.contains(fault))
            .map(Fault::from)
            .collect();
        wrong.extend(self.wrong_references(after, Some(before)));
        let mut faults: Vec<Remark> = wrong
            .iter()
            .map(|fault| source.placed(Remark::of_fault(fault)))
            .collect();
        let mandates = [
            self.principal
                .need_mandate(&model.region, model.unit.as_deref()),
            self.principal
                .need_mandate(after.region.as_str(), after.unit.as_ref().map(Text::as_str)),
        ];
        let refused = mandates.into_iter().find_map(Result::err);
        faults.extend(refused.map(Remark::of_problem).into_iter().flatten());
        Ok(faults)
    }

    /// Families that are new as a whole, held to the rules of families; the others are when they are saved.
    fn check_families(&mut self) {
        let mut roots: HashMap<usize, usize> = HashMap::new();
        let mut families: HashMap<usize, Vec<usize>> = HashMap::new();
        for place in 0..self.verdicts.len() {
            let Some(new) = self.entered(place) else {
                continue;
            };
            let parent = new.parent;
            let root = parent
                .and_then(|parent| roots.get(&parent))
                .copied()
                .unwrap_or(place);
            roots.insert(place, root);
            families.entry(root).or_default().push(place);
        }
        for members in families.into_values().filter(|members| members.len() > 1) {
            if let Err(problem) = self.check_family(&members) {
                let remarks = Remark::of_problem(problem);
                for place in members {
                    if let Some(verdict) = self.verdicts.get_mut(place) {
                        verdict.refuse(remarks.clone());
                    }
                }
            }
        }
    }

    fn entered(&self, place: usize) -> Option<&New> {
        match &self.verdicts.get(place)?.what {
            What::Do {
                deed: Deed::Enter(new),
                ..
            } => Some(new),
            What::Do { .. } | What::Same | What::Held | What::Refused => None,
        }
    }

    fn check_family(&self, members: &[usize]) -> Result<(), Problem> {
        // Any ids do: only who belongs to whom matters.
        let id =
            |place: usize| ProjectId(Uuid::from_u64_pair(0, u64::try_from(place).unwrap_or(0)));
        let member = |&place: &usize| {
            let new = self.entered(place)?;
            Some(domain::family::Member {
                id: id(place),
                parent: new.parent.map(id),
                counting: new.facts.counting,
                stage: Stage::Planning,
                condition: Condition::Active,
                investment: new.facts.investment,
            })
        };
        Families::new(members.iter().filter_map(member)).map_err(Problem::from)?;
        if members.len() > domain::family::MAX_MEMBERS {
            return Err(Problem::new(crate::problem::kinds::FAMILY_REFUSED));
        }
        Ok(())
    }
}

/// What was known of a project when a row was taken out of the library; of another row, what is known now.
fn seen<'p>(present: &'p Present, row: &Row, model: &'p Model) -> Option<&'p Model> {
    match version_of(row).filter(|_| id_of(row).is_some()) {
        None => Some(model),
        Some(version) => present.at(model.id, version),
    }
}

fn double(likeness: Likeness, is_held: bool, of: &[&Model]) -> Double {
    let twin = |model: &&Model| Twin {
        id: Some(model.id),
        name: model.name.clone(),
        region: model.region.clone(),
        code: model.code.clone(),
        row: None,
    };
    Double {
        likeness,
        is_held,
        of: of.iter().map(twin).collect(),
    }
}

/// What a change of facts changes, as a history tells it.
fn changed(model: &Model, after: &Facts) -> (Json, Json) {
    let mut then = model.clone();
    row::set_facts(&mut then, after);
    difference(snapshot(model), snapshot(&then))
}

/// What a row would change that somebody has changed since it was taken out: each with what stands there now.
fn stale(source: &Source, base: &Model, now: &Model, after: &Facts) -> Vec<Remark> {
    let (_, wanted) = changed(base, after);
    let present = snapshot(now);
    let members = wanted.as_object().into_iter().flatten();
    let remarks = members.map(|(member, _)| {
        let stands = present.get(member).map_or_else(String::new, shown);
        let remark = Remark {
            field: Some(member.clone()),
            ..Remark::of_row(
                "stale_version",
                format!(
                    "导出后已被别人更改（现为第 {} 版），现值：{stands}",
                    now.version
                ),
                format!(
                    "It was changed since (version {} now); it says: {stands}",
                    now.version
                ),
            )
        };
        source.placed(remark)
    });
    remarks.collect()
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        other @ (Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
            other.to_string()
        }
    }
}
