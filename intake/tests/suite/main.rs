//! What an office would notice: workbooks and texts as they are sent, with what has to be read of them, and files that
//! were made to do harm.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[macro_use]
mod support;

mod hostile;
mod messy;
mod months_and_permits;
mod plan;
mod sheets;
mod text;
