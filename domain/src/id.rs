//! A type per id, so that one can't be taken for another.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! typed_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

typed_id!(
    /// A project (项目).
    ProjectId
);
typed_id!(
    /// A move, registration or opening entry of a project.
    TransitionId
);
typed_id!(
    /// A person's account.
    AccountId
);
typed_id!(
    /// One sign-in of an account.
    SessionId
);
