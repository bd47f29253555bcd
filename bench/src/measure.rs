//! Measures every figure of one library on one database, with its limits.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::{NoTls, connect};

use crate::Result;
use crate::drive::{Asked, Outcome, drive, sign_in, spelled, static_request};
use crate::layout::{CITIES, Layout, PARTS};
use crate::plan::{Figure, Plan, Statement, script, without_sums};
use crate::random::Random;

/// At how many connections.
const CONNECTIONS: [usize; 2] = [1, 16];
/// How often an answer is timed.
const TRIES: usize = 21;
/// How many questions that were not asked before there are at the most in a part.
const FRESH: u64 = 1_000_003;
/// From which part on moves are replayed without the sums.
const WITHOUT_SUMS: u64 = 7;

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    Service,
    Bare,
    Pgbench,
    Static,
    /// The same SQL without what keeps the sums.
    WithoutSums,
    /// The service, where every move is from and to one cell.
    OneCell,
    /// The service, where it finds out who asks and does nothing else.
    Check,
}

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub backend: String,
    pub size: u64,
    pub figure: Figure,
    pub connections: usize,
    pub by: By,
    pub outcome: Outcome,
}

/// The memory of the service in KiB: before and after it was measured, and the most it ever had.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub backend: String,
    pub size: u64,
    pub before: u64,
    pub after: u64,
    pub most: u64,
}

/// What is done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Once {
    AsOf,
    Attainment,
    Rebuild,
}

/// How long something took that is done once, in microseconds; the median, where it was done several times.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Took {
    pub backend: String,
    pub size: u64,
    pub once: Once,
    pub micros: u64,
}

/// A line of the results.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    Measured(Measured),
    Memory(Memory),
    Took(Took),
}

/// What there is to be measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The database
    #[arg(long, env = "TAIZHANG_DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// `postgres` or `sqlite`
    #[arg(long)]
    backend: String,
    /// How many projects the library has
    #[arg(long)]
    size: u64,
    /// For how many seconds each figure is measured
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Where the service listens
    #[arg(long)]
    service: String,
    /// The program itself
    #[arg(long)]
    taizhang: PathBuf,
    /// The process of the service
    #[arg(long)]
    pid: u32,
    /// The password of the account that asks
    #[arg(long)]
    password: String,
    /// Where the bare program listens; PostgreSQL only
    #[arg(long)]
    bare: Option<String>,
    /// Where the static reply is
    #[arg(long)]
    static_reply: String,
    /// The captured statements; PostgreSQL only
    #[arg(long)]
    plan: Option<PathBuf>,
    /// The program pgbench; PostgreSQL only
    #[arg(long)]
    pgbench: Option<PathBuf>,
    /// A directory for scripts and logs
    #[arg(long)]
    scratch: PathBuf,
    /// Where the results are added
    #[arg(long)]
    results: PathBuf,
}

impl Arguments {
    const fn layout(&self) -> Layout {
        Layout { size: self.size }
    }

    const fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The numbers to ask for, one after the other; none when there are no more.
    fn numbers(&self, figure: Figure, part: u64) -> impl FnMut() -> Option<u64> + use<> {
        let (layout, each) = (self.layout(), self.layout().part());
        let mut random = Random::of(self.size, part + 1);
        let mut k = 0;
        move || match figure {
            Figure::Get => Some(random.below(layout.size)),
            Figure::List | Figure::City => Some(random.below(CITIES)),
            Figure::Summary | Figure::Unchanged => Some(0),
            Figure::FreshSummary | Figure::FreshCity => {
                k += 1;
                Some(part * FRESH + k)
            }
            Figure::Move => {
                k += 1;
                (k <= each).then(|| layout.movable_at(part * each + k - 1))
            }
        }
    }

    async fn asked(&self) -> Result<Asked> {
        let asked = Asked::new(&sign_in(&self.service, &self.password).await?);
        asked.knowing(&self.service).await
    }

    async fn of(
        &self,
        address: &str,
        figure: Figure,
        connections: usize,
        part: u64,
    ) -> Result<Outcome> {
        let asked = self.asked().await?;
        if figure != Figure::Move {
            // Opens the program's own connections and fills its caches.
            let mut numbers = self.numbers(figure, 99);
            let asked = asked.clone();
            let next = move || numbers().map(|n| asked.request(figure, n));
            drive(address, connections, self.time() / 4, next).await?;
        }
        let mut numbers = self.numbers(figure, part);
        let next = move || numbers().map(|n| asked.request(figure, n));
        drive(address, connections, self.time(), next).await
    }

    fn pgbench(
        &self,
        statements: &[Statement],
        figure: Figure,
        connections: usize,
        part: u64,
    ) -> Result<Outcome> {
        let program = self.pgbench.as_ref().ok_or("no pgbench")?;
        let file = self.scratch.join("pgbench.sql");
        std::fs::write(&file, script(figure, statements, self.layout()))?;
        let logs = self.scratch.join("pgbench-log");
        let count = u64::try_from(connections)?;
        let each = self.layout().part() / count;
        let mut command = std::process::Command::new(program);
        command
            .args(["-n", "-M", "prepared", "-l", "-c"])
            .arg(connections.to_string())
            .args(["-j", if connections > 1 { "2" } else { "1" }, "-D"])
            .arg(format!("first={}", part * self.layout().part()))
            .arg("-D")
            .arg(format!("each={each}"))
            .args(["-D", "k=0"]);
        if figure == Figure::Move {
            command.arg("-t").arg(each.to_string());
        } else {
            command.arg("-T").arg(self.seconds.to_string());
        }
        let output = command
            .arg("-f")
            .arg(&file)
            .arg("--log-prefix")
            .arg(&logs)
            .stdin(Stdio::null())
            .output()?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("pgbench: {told}{why}").into());
        }
        let micros = logged(&self.scratch)?;
        let rate = told
            .lines()
            .find_map(|line| line.strip_prefix("tps = "))
            .and_then(thousandths)
            .ok_or("pgbench told no tps")?;
        Ok(Outcome {
            rate,
            ..Outcome::of(micros, 0, 1)
        })
    }
}

/// A decimal number in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.')?;
    let part: String = rest
        .chars()
        .take_while(char::is_ascii_digit)
        .take(3)
        .collect();
    Some(whole.parse::<u64>().ok()? * 1000 + format!("{part:0<3}").parse::<u64>().ok()?)
}

/// The latencies in pgbench's logs, which are removed.
fn logged(scratch: &Path) -> Result<Vec<u64>> {
    let mut micros = Vec::new();
    for entry in std::fs::read_dir(scratch)? {
        let path = entry?.path();
        let is_log = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("pgbench-log"));
        if !is_log {
            continue;
        }
        for line in std::fs::read_to_string(&path)?.lines() {
            let micro = line.split(' ').nth(2).and_then(|micro| micro.parse().ok());
            micros.push(micro.ok_or("pgbench's log can't be read")?);
        }
        std::fs::remove_file(&path)?;
    }
    Ok(micros)
}

/// Measures, and adds the results to a file.
pub(crate) async fn measure(arguments: Arguments) -> Result<()> {
    let plan: Option<Plan> = match &arguments.plan {
        None => None,
        Some(path) => Some(serde_json::from_str(&std::fs::read_to_string(path)?)?),
    };
    let before = memory(arguments.pid, "VmRSS")?;
    let asked = arguments.asked().await?;
    let took = |once, micros| {
        write(
            &arguments.results,
            &Line::Took(Took {
                backend: arguments.backend.clone(),
                size: arguments.size,
                once,
                micros,
            }),
        )
    };
    took(Once::AsOf, as_of_a_year_ago(&arguments, &asked).await?)?;
    took(Once::Attainment, attainment(&arguments, &asked).await?)?;
    for figure in Figure::ALL {
        let n = if figure == Figure::Move { 45 } else { 7 };
        let sample = if figure == Figure::Move {
            Figure::Get
        } else {
            figure
        };
        let reply = asked.once(&arguments.service, sample, n).await?;
        if let Some(bare) = &arguments.bare
            && matches!(figure, Figure::Get | Figure::List)
        {
            compare(&reply, &asked.once(bare, figure, n).await?)?;
        }
        for (place, connections) in (0..).zip(CONNECTIONS) {
            let add = |by, outcome: Outcome| {
                if by != By::Static && outcome.failed > 0 {
                    crate::tell(&format!(
                        "{figure:?} at {connections} by {by:?}: {} failed",
                        outcome.failed
                    ));
                }
                write(
                    &arguments.results,
                    &Line::Measured(Measured {
                        backend: arguments.backend.clone(),
                        size: arguments.size,
                        figure,
                        connections,
                        by,
                        outcome,
                    }),
                )
            };
            let of = |address, part| arguments.of(address, figure, connections, part);
            add(By::Service, of(&arguments.service, place).await?)?;
            if let Some(bare) = &arguments.bare {
                add(By::Bare, of(bare, 2 + place).await?)?;
            }
            if let Some(plan) = &plan {
                let statements = plan.get(&figure).ok_or("no statements")?;
                let outcome = arguments.pgbench(statements, figure, connections, 4 + place)?;
                add(By::Pgbench, outcome)?;
                if figure == Figure::Move {
                    let statements = without_sums(statements);
                    let part = WITHOUT_SUMS + place;
                    let outcome = arguments.pgbench(&statements, figure, connections, part)?;
                    add(By::WithoutSums, outcome)?;
                }
            }
            if figure == Figure::Move && connections > 1 {
                add(By::OneCell, of(&arguments.service, PARTS - 1).await?)?;
            }
            if figure == Figure::Unchanged {
                let of_token = asked.clone();
                let next = move || Some(of_token.who_asks());
                let time = arguments.time();
                add(
                    By::Check,
                    drive(&arguments.service, connections, time, next).await?,
                )?;
            }
            let bytes = reply.len();
            let next = move || Some(static_request(bytes));
            let time = arguments.time() / 4;
            let outcome = drive(&arguments.static_reply, connections, time, next).await?;
            add(By::Static, outcome)?;
        }
    }
    took(Once::Rebuild, rebuild(&arguments).await?)?;
    write(
        &arguments.results,
        &Line::Memory(Memory {
            backend: arguments.backend.clone(),
            size: arguments.size,
            before,
            after: memory(arguments.pid, "VmRSS")?,
            most: memory(arguments.pid, "VmHWM")?,
        }),
    )
}

/// The first question of all about the past.
async fn as_of_a_year_ago(arguments: &Arguments, asked: &Asked) -> Result<u64> {
    let then = crate::bare::now() - chrono::TimeDelta::days(365);
    let then = then.format("%Y-%m-%dT%H:%M:%SZ");
    let path = format!("/v1/summary?group_by=tier,stage&as_of={then}");
    asked.time(&arguments.service, &path).await
}

/// The targets that were loaded beside the library, all of Panjin, held against it: worked out each time.
async fn attainment(arguments: &Arguments, asked: &Asked) -> Result<u64> {
    let mut tries = Vec::new();
    for n in (0..).take(TRIES) {
        let panjin = spelled("region=211100", n);
        let path = format!("/v1/targets/attainment?{panjin}");
        tries.push(asked.time(&arguments.service, &path).await?);
    }
    tries.sort_unstable();
    Ok(*tries.get(TRIES / 2).ok_or("no try")?)
}

/// Works off what the moves left to be done, which a database and a service that stand idle have done by themselves:
/// without it, what comes next would be measured beside it.
async fn settle(arguments: &Arguments) -> Result<()> {
    command(&arguments.taizhang, &["audit", "seal"])?;
    if arguments.backend == "postgres" {
        let (client, connection) = connect(&arguments.database_url, NoTls).await?;
        actix_web::rt::spawn(connection);
        for housekeeping in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            client.batch_execute(housekeeping).await?;
        }
    }
    Ok(())
}

/// All sums anew, by the program itself, of a library that stands idle.
async fn rebuild(arguments: &Arguments) -> Result<u64> {
    settle(arguments).await?;
    let began = Instant::now();
    command(&arguments.taizhang, &["rollup", "rebuild"])?;
    Ok(u64::try_from(began.elapsed().as_micros())?)
}

/// Runs a command of the program to its end.
fn command(taizhang: &Path, words: &[&str]) -> Result<()> {
    let mut command = std::process::Command::new(taizhang);
    let ended = command.args(words).stdout(Stdio::null()).status()?;
    if ended.success() {
        Ok(())
    } else {
        Err(format!("taizhang {}: {ended}", words.join(" ")).into())
    }
}

/// The bare program is a limit only if it answers the same.
fn compare(service: &str, bare: &str) -> Result<()> {
    let read = |text: &str| -> Result<Value> {
        let mut value: Value = serde_json::from_str(text)?;
        if let Some(members) = value.as_object_mut() {
            members.remove("next_cursor");
        }
        Ok(value)
    };
    if read(service)? == read(bare)? {
        return Ok(());
    }
    Err(format!("the bare program answers differently:\n{service}\n{bare}").into())
}

fn memory(pid: u32, name: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number
        .ok_or("no such line in the process's status")?
        .parse()?)
}

fn write(results: &Path, line: &Line) -> Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(results)?;
    writeln!(file, "{}", serde_json::to_string(line)?)?;
    Ok(())
}
