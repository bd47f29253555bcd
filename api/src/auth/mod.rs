//! Who asks, and what that person may do.

pub mod access;
pub mod assertion;
pub mod caller;
pub mod keys;
pub mod password;
pub mod policy;
pub mod principal;
pub mod provider;
pub mod reach;
pub mod role;
pub mod second_factor;
pub mod token;

pub use caller::Caller;
pub use policy::Policy;
pub use principal::Principal;
pub use reach::Reach;
pub use role::{Role, Scope};
