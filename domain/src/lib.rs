//! The rules of major-project management (重大项目), as pure functions.
//!
//! Nothing here reads a clock, a file, a network or a database: time, ids and evidence are arguments,
//! and every rule returns a value that the caller acts upon. The words are those of the plan's
//! chapter 11 (推动高质量发展项目建设); each type names its Chinese term once.

pub mod accounting;
pub mod approval;
pub mod code;
pub mod coded;
pub mod evidence;
pub mod family;
pub mod gate;
pub mod id;
pub mod money;
pub mod monthly;
pub mod project;
pub mod rate;
pub mod region;
pub mod rollup;
pub mod scoreboard;
pub mod stage;
pub mod target;
pub mod text;
pub mod tier;
pub mod transition;
