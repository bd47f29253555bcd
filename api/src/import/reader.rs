//! Reading a file in a child process of the same program: a file can make a parser take all memory or end its process,
//! and then it is the child that ends.
//!
//! On the child's standard input stand a line of JSON, what is known of the file, and then the file; on its standard
//! output what was read, as JSON.

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use intake::{Document, Refused, Request};
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::words;
use crate::problem::{Problem, kinds};

/// The hidden subcommand that a child runs.
pub const SUBCOMMAND: &str = "read-file";
/// How much memory a child may have, in bytes.
const MEMORY: u64 = 512 * 1024 * 1024;
/// How long a child may compute, in seconds.
const CPU: u64 = 30;
/// How long a child is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// The most that a child may answer, in bytes: what is read of a file is larger than the file, and no more than this.
const MAX_ANSWER: u64 = 256 * 1024 * 1024;

/// The program that reads files.
#[derive(Clone, Debug)]
pub struct Reader {
    program: PathBuf,
}

impl Reader {
    /// With a program that runs [`child`] when it is called with [`SUBCOMMAND`].
    #[must_use]
    pub fn new(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
        }
    }

    /// This program itself.
    ///
    /// # Errors
    /// [`std::io::Error`] if it is not known where it is.
    pub fn itself() -> std::io::Result<Self> {
        Ok(Self::new(&std::env::current_exe()?))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `file_refused` with the reason; 503 if no child could be started.
    pub async fn read(&self, file: &[u8], request: &Request) -> Result<Document, Problem> {
        let answered = tokio::time::timeout(PATIENCE, self.ask(file, request)).await;
        let answer = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::error!(%error, "no child could be started to read a file");
                return Err(Problem::new(kinds::UNAVAILABLE));
            }
            Err(_) => None,
        };
        // Whoever ended without a word ran into a limit.
        let Some(answer) = answer else {
            return Err(Problem::new(kinds::FILE_REFUSED).say(
                "读取这个文件所需的内存或时间超过限制（too_expensive）",
                "Reading the file takes more memory or time than is allowed (too_expensive)",
            ));
        };
        answer.map_err(|refused| told(&refused))
    }

    /// None if the child ended before it had answered.
    async fn ask(
        &self,
        file: &[u8],
        request: &Request,
    ) -> std::io::Result<Option<Result<Document, Refused>>> {
        let mut child = Command::new(&self.program)
            .arg(SUBCOMMAND)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let write = async {
            if let Some(mut input) = input {
                // A child that has ended reads no more, and says so by its answer.
                let _read = input.write_all(&line).await;
                let _read = input.write_all(file).await;
            }
        };
        let read = async {
            let mut answer = Vec::new();
            if let Some(output) = output {
                output.take(MAX_ANSWER).read_to_end(&mut answer).await?;
            }
            Ok::<_, std::io::Error>(answer)
        };
        let ((), answer) = futures::join!(write, read);
        let answer = answer?;
        let ended = child.wait().await?;
        if !ended.success() {
            return Ok(None);
        }
        // Of a large file that takes a while, in which others are not to wait.
        let read = tokio::task::spawn_blocking(move || serde_json::from_slice(&answer).ok());
        Ok(read.await.ok().flatten())
    }
}

fn told(refused: &Refused) -> Problem {
    let (zh, en) = words::of_refused(refused);
    let code = refused.code;
    Problem::new(kinds::FILE_REFUSED).say(format!("{zh}（{code}）"), format!("{en} ({code})"))
}

/// What a child does: limits itself, reads, answers.
#[must_use]
pub fn child() -> ExitCode {
    match limit().and_then(|()| answer()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn limit() -> std::io::Result<()> {
    let limits = [
        (Resource::As, MEMORY),
        (Resource::Cpu, CPU),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
    ];
    for (resource, most) in limits {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

fn answer() -> std::io::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    input.read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line)?;
    let mut file = Vec::new();
    input.read_to_end(&mut file)?;
    let read = intake::read(&file, &request);
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    serde_json::to_writer(&mut output, &read)?;
    output.flush()
}
