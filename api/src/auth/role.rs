//! What grants let people do, and what scopes let systems do.

use serde::Deserialize;

/// What a grant lets a person do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Enters projects and moves them (项目专员).
    Officer,
    /// All that, and suspends, withdraws, waives, plans and takes back (项目主管).
    Manager,
    /// Reads (领导).
    Leader,
    /// Reference data and accounts, not projects (系统管理员).
    SystemAdmin,
    /// Decides what accounts may do, and ends sign-ins (安全管理员).
    SecurityAdmin,
    /// Reads what everybody has done (审计管理员).
    AuditAdmin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Officer,
        Self::Manager,
        Self::Leader,
        Self::SystemAdmin,
        Self::SecurityAdmin,
        Self::AuditAdmin,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Manager => "manager",
            Self::Leader => "leader",
            Self::SystemAdmin => "system_admin",
            Self::SecurityAdmin => "security_admin",
            Self::AuditAdmin => "audit_admin",
        }
    }

    /// The role of a code, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// Whether it is one of the three that exclude each other (三员) and hold everywhere.
    #[must_use]
    pub const fn is_administrator(self) -> bool {
        match self {
            Self::SystemAdmin | Self::SecurityAdmin | Self::AuditAdmin => true,
            Self::Officer | Self::Manager | Self::Leader => false,
        }
    }
}

/// What another office's system may be let do, within the rights of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read projects, their files and the reference data.
    ProjectsRead,
    /// Take projects out as a file.
    ProjectsExport,
    /// Enter and move projects.
    ProjectsWrite,
    /// Read roll-ups.
    SummaryRead,
    /// Enter periodic reports (项目调度月报).
    ReportsWrite,
    /// Read what was done to projects.
    EventsRead,
    /// Keep webhooks.
    WebhooksManage,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::ProjectsRead,
        Self::ProjectsExport,
        Self::ProjectsWrite,
        Self::SummaryRead,
        Self::ReportsWrite,
        Self::EventsRead,
        Self::WebhooksManage,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ProjectsRead => "projects:read",
            Self::ProjectsExport => "projects:export",
            Self::ProjectsWrite => "projects:write",
            Self::SummaryRead => "summary:read",
            Self::ReportsWrite => "reports:write",
            Self::EventsRead => "events:read",
            Self::WebhooksManage => "webhooks:manage",
        }
    }

    /// The scope of a code, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.code() == code)
    }
}
