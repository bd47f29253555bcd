//! The tables that a synthetic library fills, with their columns.

use crate::table::{Row, Table};

pub(super) const PROJECT_COLUMNS: [&str; 52] = [
    "id",
    "version",
    "root_id",
    "parent_id",
    "family_counting",
    "code",
    "name",
    "aliases",
    "region",
    "unit",
    "programme",
    "sector",
    "kind",
    "stage",
    "condition",
    "stage_since",
    "stage_basis",
    "basis_quote",
    "basis_source",
    "basis_as_of",
    "basis_inferred",
    "amount_kind",
    "amount_fen",
    "tier",
    "investment_note",
    "owner_name",
    "steward",
    "capacity",
    "note",
    "planned_start_on",
    "planned_completion_on",
    "signed_on",
    "signed_document",
    "started_on",
    "completed_on",
    "counts_by_project",
    "counts_by_part",
    "remainder_fen",
    "created_at",
    "updated_at",
    // Always null here.
    "external_ref",
    "original_amount",
    "original_currency",
    "original_rate",
    "original_rate_on",
    "owner_uscc",
    "landed_on",
    "landed_document",
    "funds_approved_on",
    "funds_approved_document",
    "commissioned_on",
    "at_capacity_on",
];
const VERSION_COLUMNS: [&str; 53] = {
    let mut columns = ["superseded_at"; 53];
    let mut i = 0;
    while i < 52 {
        #[expect(clippy::indexing_slicing, reason = "at compile time")]
        {
            columns[i] = PROJECT_COLUMNS[i];
        }
        i += 1;
    }
    columns
};
const TRANSITION_COLUMNS: [&str; 18] = [
    "id",
    "project_id",
    "seq",
    "kind",
    "occurred_on",
    "note",
    "before_stage",
    "before_condition",
    "before_stage_since",
    "before_basis",
    "after_stage",
    "after_condition",
    "after_stage_since",
    "after_basis",
    "after_started_on",
    "after_completed_on",
    "before_started_on",
    "recorded_at",
];

/// The rows of some projects.
#[derive(Default)]
pub(super) struct Rows {
    pub projects: Vec<Row>,
    pub versions: Vec<Row>,
    pub searches: Vec<Row>,
    pub moves: Vec<Row>,
    pub events: Vec<Row>,
    pub members: Vec<Row>,
    pub plans: Vec<Row>,
    pub months: Vec<Row>,
    pub approvals: Vec<Row>,
}

impl Rows {
    pub(super) fn tables(self) -> Vec<Table> {
        let table = |name, columns, rows| Table {
            name,
            columns,
            rows,
        };
        vec![
            table("project", &PROJECT_COLUMNS, self.projects),
            table("project_version", &VERSION_COLUMNS, self.versions),
            table(
                "project_search",
                &["project_id", "haystack", "grams"],
                self.searches,
            ),
            table("transition", &TRANSITION_COLUMNS, self.moves),
            table(
                "event",
                &[
                    "id",
                    "project_id",
                    "subject",
                    "kind",
                    "version",
                    "after",
                    "actor_name",
                    "recorded_at",
                ],
                self.events,
            ),
            table(
                "list_member",
                &["list_code", "project_id", "recorded_at"],
                self.members,
            ),
            table(
                "plan_year",
                &[
                    "project_id",
                    "year",
                    "planned_fen",
                    "version",
                    "recorded_at",
                ],
                self.plans,
            ),
            table(
                "investment_month",
                &[
                    "project_id",
                    "year",
                    "month",
                    "completed_fen",
                    "received_fen",
                    "version",
                    "recorded_at",
                ],
                self.months,
            ),
            table(
                "approval",
                &[
                    "project_id",
                    "item",
                    "status",
                    "document_number",
                    "issued_on",
                    "authority",
                    "version",
                    "recorded_at",
                ],
                self.approvals,
            ),
        ]
    }
}
