//! Who asks, and what that person may do.

pub mod caller;
pub mod password;
pub mod token;

pub use caller::{Caller, Principal, Role, may};
