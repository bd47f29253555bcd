//! Taking in what other offices send (导入): a file is read by a limited child process, its rows are held against the
//! library, and what came of each is told; then they are taken in, all of them or those that can be.

pub mod errors;
pub mod reader;
pub mod remark;
pub mod report;
pub mod run;
pub mod view;
mod words;

pub use remark::Remark;
pub use report::Report;
pub use run::{Bringer, Desk, Work, begin};
