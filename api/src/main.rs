//! The binary `taizhang`.

use std::process::ExitCode;

fn main() -> ExitCode {
    taizhang::cli::run()
}
