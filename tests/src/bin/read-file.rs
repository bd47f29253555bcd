//! What the suite's services read files with: the child that the program itself is otherwise.

use std::process::ExitCode;

fn main() -> ExitCode {
    taizhang::import::reader::child()
}
