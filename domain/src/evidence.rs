//! A reference to a document that proves something.

use chrono::NaiveDate;

use crate::text::Text;

/// A document that is named, not kept: number, date, authority, address (佐证材料).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The document's number (文号).
    pub document_number: Option<Text<100>>,
    /// The day it was issued or, for a photograph or record, the day it shows.
    pub issued_on: NaiveDate,
    /// Who issued it (发文机关).
    pub authority: Option<Text<200>>,
    /// Where it can be read.
    pub attachment: Option<Text<1000>>,
    /// What it shows, in words.
    pub description: Option<Text<1000>>,
}

/// Why a piece of evidence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceFault {
    /// Neither number nor address nor description: nobody could find the document.
    NotIdentified,
    /// Dated later than today.
    DateInFuture,
}

impl EvidenceFault {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotIdentified => "evidence_not_identified",
            Self::DateInFuture => "date_in_future",
        }
    }
}

impl Evidence {
    /// What people know it by: its number, or else what it shows.
    #[must_use]
    pub fn known_by(&self) -> Option<&str> {
        let number = self.document_number.as_ref().map(Text::as_str);
        number.or_else(|| self.description.as_ref().map(Text::as_str))
    }

    /// Everything that is wrong with it, as seen `today`.
    #[must_use]
    pub fn faults(&self, today: NaiveDate) -> Vec<EvidenceFault> {
        let mut faults = Vec::new();
        if self.document_number.is_none() && self.attachment.is_none() && self.description.is_none()
        {
            faults.push(EvidenceFault::NotIdentified);
        }
        if self.issued_on > today {
            faults.push(EvidenceFault::DateInFuture);
        }
        faults
    }
}
