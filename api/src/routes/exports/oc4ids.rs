//! Projects that may be told to everybody, as a package of the Open Contracting for Infrastructure Data Standard
//! (OC4IDS 0.9).

mod shape;

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::Path;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::code::Uscc;
use domain::money::Money;
use domain::project::{Facts, Owner, RefCode};
use domain::stage::{Condition, Stage};
use domain::text::Text;
use domain::transition::Standing;
use serde_json::value::RawValue;
use uuid::Uuid;

use self::shape::{
    OpenBudget, OpenClassification, OpenCompletion, OpenGazetteer, OpenIdentifier, OpenLocation,
    OpenPackage, OpenParty, OpenPeriod, OpenProject, OpenPublisher, OpenReference, OpenRelated,
    OpenValue,
};
use super::labels::{Labelled, Labels};
use super::{AT_A_TIME, Order, Receiver, answer, json_head, made, next};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Query;
use crate::clock::{Clock, new_id};
use crate::config::OpenData;
use crate::print::PrintError;
use crate::problem::{Problem, kinds};
use crate::routes::query::{Arrangement, OpenDataParameters, ProjectFilters};
use crate::store::listing::Named;
use crate::store::project::Record;

/// The version of the standard.
const VERSION: &str = "0.9";
/// What the file is called, without an ending.
const NAME: &str = "oc4ids";
/// The scheme of 统一社会信用代码.
const USCC: &str = "CN-USCC";

/// Take open data out
///
/// A package of OC4IDS 0.9 of the projects that may be told to everybody, among those that a list with the same filters
/// shows. It has no name of a person, no note and nothing else that was written for the office: what is told is listed in
/// the integration guide. The whole package is of one moment. That it was taken out is recorded. Without any such project
/// there is no package: `nothing_published`.
#[utoipa::path(tag = "exchange", params(ProjectFilters, Arrangement), security(("bearer" = [])),
    responses((status = 200, description = "The package", body = OpenPackage)))]
#[get("/v1/exports/oc4ids.json")]
pub(super) async fn export_open_data(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    parameters: Query<OpenDataParameters>,
) -> Result<HttpResponse, Problem> {
    let clock = app.db.clock();
    let question = parameters.0.question(clock, AT_A_TIME)?;
    let paper = Paper {
        open: Arc::clone(&app.open_data),
        told_of: question.frame.as_of.unwrap_or_else(|| clock.now()),
        clock,
        scratch: Arc::clone(&app.scratch),
    };
    let order = Order {
        name: NAME,
        form: "json",
        question,
        most: None,
    };
    let write = move |pages| paper.write(pages);
    let file = made(&app, &request, &caller, order, write).await?;
    answer(json_head(NAME), file)
}

/// What is written, and as whose.
struct Paper {
    open: Arc<OpenData>,
    told_of: DateTime<Utc>,
    clock: Clock,
    scratch: Arc<Path>,
}

impl Paper {
    /// Writes the pages as they come; answers the file and how many projects it has.
    fn write(&self, mut pages: Receiver) -> Result<(File, u64), Problem> {
        let io = |error: std::io::Error| Problem::from(PrintError::Io(error));
        let json = |error: serde_json::Error| io(error.into());
        let mut file = BufWriter::new(tempfile::tempfile_in(&self.scratch).map_err(io)?);
        // The last of its members is the list of projects, which is closed behind them.
        let head = serde_json::to_string(&self.head()).map_err(json)?;
        let head = head.strip_suffix("]}").unwrap_or_default();
        file.write_all(head.as_bytes()).map_err(io)?;
        let mut count = 0;
        while let Some(page) = next(&mut pages)? {
            for record in &page.records {
                let parent = record.facts.parent;
                let parent = parent.and_then(|id| Some((id.0, page.parents.get(&id.0)?)));
                let project = self.project(record, parent, &page.labels);
                if count > 0 {
                    file.write_all(b",").map_err(io)?;
                }
                serde_json::to_writer(&mut file, &project).map_err(json)?;
                count += 1;
            }
        }
        if count == 0 {
            return Err(Problem::new(kinds::NOTHING_PUBLISHED));
        }
        file.write_all(b"]}").map_err(io)?;
        let file = file.into_inner().map_err(IntoInnerError::into_error);
        Ok((file.map_err(io)?, count))
    }

    /// The package without its projects.
    fn head(&self) -> OpenPackage {
        let open = &self.open;
        let name = || format!("urn:uuid:{}", new_id());
        OpenPackage {
            uri: open.uri.clone().unwrap_or_else(name),
            version: VERSION,
            publisher: OpenPublisher {
                name: open.publisher.clone(),
                scheme: open.publisher_uscc.as_ref().map(|_| USCC),
                uid: open.publisher_uscc.clone(),
                uri: open.publisher_uri.clone(),
            },
            license: open.license.clone(),
            publication_policy: open.publication_policy.clone(),
            published_date: self.instant(self.told_of),
            projects: Vec::new(),
        }
    }

    /// What is told of a project: of everything that is known of it, what stands here and nothing else.
    fn project(
        &self,
        record: &Record,
        parent: Option<(Uuid, &Named)>,
        labels: &Labels,
    ) -> OpenProject {
        let Facts {
            code,
            name,
            parent: _,
            region,
            unit,
            programme,
            sector,
            chain,
            investment,
            owner,
            capacity,
            planned_start_on,
            planned_completion_on,
            commissioned_on,
            // Persons, words for the office, what proves something, and what the standard has no place for.
            steward: _,
            note: _,
            investment_note: _,
            signed: _,
            landed: _,
            funds_approved: _,
            aliases: _,
            counting: _,
            kind: _,
            original: _,
            at_capacity_on: _,
            published: _,
        } = &record.facts;
        let standing = &record.standing;
        let authority = unit.as_ref().map(|unit| authority(unit, labels));
        let parties = authority.into_iter().chain(owner.as_ref().and_then(funder));
        let parties: Vec<OpenParty> = parties.collect();
        let by_role = |party: &&OpenParty| party.roles == [PUBLIC_AUTHORITY];
        let region = region.as_str();
        OpenProject {
            id: self.id(record.id),
            updated: self.instant(record.updated_at),
            language: "zh",
            identifiers: code.iter().map(|code| national(code.as_str())).collect(),
            title: name.as_str().to_owned(),
            description: capacity
                .as_ref()
                .map(|capacity| capacity.as_str().to_owned()),
            status: status(standing, *commissioned_on),
            period: self.period(*planned_start_on, *planned_completion_on),
            implementation_period: self.period(standing.started_on, standing.completed_on),
            completion: self
                .end(standing.completed_on)
                .map(|end_date| OpenCompletion { end_date }),
            sector: self.sectors(sector.as_ref()),
            additional_classifications: [
                class("sector", sector.as_ref(), &labels.sectors),
                class("programme", programme.as_ref(), &labels.programmes),
                class("chain", chain.as_ref(), &labels.chains),
            ]
            .into_iter()
            .flatten()
            .collect(),
            locations: vec![location(region, labels.regions.label(region))],
            budget: investment.exact().and_then(budget),
            public_authority: parties
                .iter()
                .find(by_role)
                .map(|party| party.named.clone()),
            parties,
            related_projects: parent
                .filter(|(_, parent)| parent.published)
                .map(|(id, parent)| self.part_of(id, parent))
                .into_iter()
                .collect(),
        }
    }

    fn id(&self, id: Uuid) -> String {
        format!("{}-{id}", self.open.prefix)
    }

    fn part_of(&self, id: Uuid, parent: &Named) -> OpenRelated {
        OpenRelated {
            id: "whole",
            scheme: "oc4ids",
            identifier: self.id(id),
            relationship: "partOf",
            title: parent.name.clone(),
        }
    }

    fn sectors(&self, sector: Option<&RefCode>) -> Vec<String> {
        let code = sector.map(Text::as_str).unwrap_or_default();
        let told = self.open.sector(code);
        told.into_iter().map(str::to_owned).collect()
    }

    fn instant(&self, instant: DateTime<Utc>) -> String {
        let local = self.clock.local(instant);
        local.to_rfc3339_opts(SecondsFormat::Secs, false)
    }

    fn end(&self, day: Option<NaiveDate>) -> Option<String> {
        let end = self.clock.end_of(day?)?;
        Some(self.instant(end))
    }

    /// From the begin of the first day to the end of the last; none if neither is known.
    fn period(&self, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Option<OpenPeriod> {
        let start = from.and_then(|day| self.clock.start_of(day));
        let period = OpenPeriod {
            start_date: start.map(|start| self.instant(start)),
            end_date: self.end(to),
        };
        let is_known = period.start_date.is_some() || period.end_date.is_some();
        is_known.then_some(period)
    }
}

/// The role of the unit that answers for a project.
const PUBLIC_AUTHORITY: &str = "publicAuthority";

/// How far a project is, in the words of `projectStatus`. A suspended one is where it was: there is no word for it.
fn status(standing: &Standing, commissioned_on: Option<NaiveDate>) -> &'static str {
    match (standing.condition, standing.stage) {
        (Condition::Withdrawn, _) => "cancelled",
        (Condition::Active | Condition::Suspended, Stage::Planning) => "identification",
        (Condition::Active | Condition::Suspended, Stage::Attraction) => "preparation",
        (Condition::Active | Condition::Suspended, Stage::Construction) => "implementation",
        (Condition::Active | Condition::Suspended, Stage::Completion) => {
            if commissioned_on.is_some() {
                "maintenance"
            } else {
                "completion"
            }
        }
    }
}

fn national(code: &str) -> OpenIdentifier {
    OpenIdentifier {
        id: code.to_owned(),
        scheme: "GB/T 40058",
        legal_name: None,
    }
}

fn of_organisation(name: &str, uscc: &str) -> OpenIdentifier {
    OpenIdentifier {
        id: uscc.to_owned(),
        scheme: USCC,
        legal_name: Some(name.to_owned()),
    }
}

/// The unit that answers for a project: an office, whatever is known of it.
fn authority(unit: &RefCode, labels: &Labels) -> OpenParty {
    let name = labels.units.label(unit.as_str());
    let uscc = labels.unit_usccs.get(unit.as_str());
    OpenParty {
        named: OpenReference {
            id: uscc.map_or_else(|| format!("unit-{unit}"), |uscc| format!("{USCC}-{uscc}")),
            name: name.to_owned(),
        },
        identifier: uscc.map(|uscc| of_organisation(name, uscc)),
        roles: vec![PUBLIC_AUTHORITY],
    }
}

/// Who invests or funds, if it is an organisation for certain: by its 统一社会信用代码, and not that of somebody who
/// trades under his own name (个体工商户).
fn funder(owner: &Owner) -> Option<OpenParty> {
    let uscc = owner.uscc.as_ref().map(Uscc::as_str)?;
    if uscc.starts_with("92") {
        return None;
    }
    let name = owner.name.as_str();
    Some(OpenParty {
        named: OpenReference {
            id: format!("{USCC}-{uscc}"),
            name: name.to_owned(),
        },
        identifier: Some(of_organisation(name, uscc)),
        roles: vec!["funder"],
    })
}

fn class(
    scheme: &'static str,
    code: Option<&RefCode>,
    labels: &Labelled,
) -> Option<OpenClassification> {
    let code = code?.as_str();
    Some(OpenClassification {
        scheme,
        id: code.to_owned(),
        description: labels.label(code).to_owned(),
    })
}

/// Where a project is. A zone has a code of its own, of which the first six digits are the city or district around it.
fn location(code: &str, name: &str) -> OpenLocation {
    let national = code.split('-').next().unwrap_or(code);
    OpenLocation {
        id: code.to_owned(),
        description: name.to_owned(),
        gazetteer: OpenGazetteer {
            scheme: "GB/T 2260",
            identifiers: vec![national.to_owned()],
        },
    }
}

fn budget(amount: Money) -> Option<OpenBudget> {
    let amount = RawValue::from_string(amount.to_string()).ok()?;
    Some(OpenBudget {
        amount: OpenValue {
            amount,
            currency: "CNY",
        },
    })
}
