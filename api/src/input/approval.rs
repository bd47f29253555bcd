//! How a permit stands, as people send it.

use chrono::NaiveDate;
use domain::approval::ApprovalStatus;
use domain::text::Text;
use serde::Deserialize;
use utoipa::ToSchema;

use super::read::Reader;
use crate::codes::ApprovalStatusCode;
use crate::problem::{Fault, Problem};
use crate::store::approval;

/// How a permit stands.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "obtained", "document_number": "地字第2111002025001号", "issued_on": "2025-02-20",
    "authority": "盘锦市自然资源局"}))]
pub struct ApprovalInput {
    /// How far it has come; `waived` is a manager's word and needs a reason.
    #[schema(value_type = ApprovalStatusCode)]
    pub(crate) status: String,
    /// 文号; needed once obtained.
    #[schema(min_length = 1, max_length = 100)]
    pub(crate) document_number: Option<String>,
    /// The day of the document; needed once obtained.
    pub(crate) issued_on: Option<NaiveDate>,
    /// Who issued it; needed once obtained.
    #[schema(min_length = 1, max_length = 200)]
    pub(crate) authority: Option<String>,
    /// Where it can be read.
    #[schema(min_length = 1, max_length = 1000, pattern = "^https?://")]
    pub(crate) attachment: Option<String>,
    /// Why it does not apply; needed if waived.
    #[schema(min_length = 1, max_length = 2000)]
    pub(crate) reason: Option<String>,
}

impl ApprovalInput {
    /// What is said of a permit that stands so.
    pub(crate) fn of(approval: &approval::Approval) -> Self {
        Self {
            status: approval.status.code().to_owned(),
            document_number: approval.document_number.clone(),
            issued_on: approval.issued_on,
            authority: approval.authority.clone(),
            attachment: approval.attachment.clone(),
            reason: approval.reason.clone(),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn read(self, today: NaiveDate) -> Result<approval::Approval, Problem> {
        let mut reader = Reader::default();
        let status = reader.coded("/status", ApprovalStatus::from_code, &self.status);
        let number = self.document_number.as_deref();
        let number: Option<Text<100>> = number.and_then(|s| reader.text("/document_number", s));
        let authority = self.authority.as_deref();
        let authority: Option<Text<200>> = authority.and_then(|s| reader.text("/authority", s));
        let attachment = self.attachment.as_deref();
        let attachment = attachment.and_then(|s| reader.address("/attachment", s));
        let reason = self.reason.as_deref();
        let reason: Option<Text<2000>> = reason.and_then(|s| reader.lines("/reason", s));
        let issued_on = self.issued_on.and_then(|day| reader.day("/issued_on", day));
        if issued_on.is_some_and(|day| day > today) {
            reader.faults.push(Fault::at(
                "/issued_on",
                "date_in_future",
                "日期不能晚于今天",
                "The day is later than today",
            ));
        }
        let needed = |pointer| Fault::at(pointer, "required", "必须填写", "Required");
        let mut need = |pointer, is_there: bool| {
            if !is_there {
                reader.faults.push(needed(pointer));
            }
        };
        match status {
            Some(ApprovalStatus::Obtained) => {
                need("/document_number", self.document_number.is_some());
                need("/issued_on", self.issued_on.is_some());
                need("/authority", self.authority.is_some());
            }
            Some(ApprovalStatus::Waived) => need("/reason", self.reason.is_some()),
            Some(ApprovalStatus::Pending) | None => {}
        }
        match status {
            Some(status) if reader.faults.is_empty() => Ok(approval::Approval {
                status,
                document_number: number.map(Text::into_string),
                issued_on,
                authority: authority.map(Text::into_string),
                attachment: attachment.map(Text::into_string),
                reason: reason.map(Text::into_string),
            }),
            _ => Err(Problem::invalid(reader.faults)),
        }
    }
}
