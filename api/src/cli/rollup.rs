//! `taizhang rollup`.

use clap::Subcommand;
use domain::money::Total;

use super::{Failed, open_existing, say};
use crate::config::Config;
use crate::store::Failure;
use crate::store::rollup::{self, Difference};

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum What {
    /// Make the sums anew from the library; the service may run meanwhile
    Rebuild,
    /// Keep what each day changed that is over, as the service does by itself: after a rebuilding, numbers of the past
    /// are fast again at once
    KeepDays,
    /// Count the whole library and print every sum that differs from what is kept; exits with 1 if any does
    Verify,
}

pub(super) async fn run(config: &Config, what: What) -> Result<(), Failed> {
    let db = open_existing(config).await?;
    match what {
        What::Rebuild => {
            rollup::rebuild(&db).await.map_err(Failure::told)?;
            say("the sums have been made anew");
            Ok(())
        }
        What::KeepDays => {
            let mut days = 0;
            while rollup::keep_next_day(&db).await.map_err(Failure::told)? {
                days += 1;
            }
            say(&format!("{days} days have been kept"));
            Ok(())
        }
        What::Verify => {
            let proof = rollup::verify(&db).await.map_err(Failure::told)?;
            for difference in &proof.differences {
                say(&told(difference));
            }
            match proof.count {
                0 => {
                    say("every sum is what the library adds up to");
                    Ok(())
                }
                count => Err(Failed::Refused(format!(
                    "{count} sums differ from the library; `taizhang rollup rebuild` makes them anew"
                ))),
            }
        }
    }
}

fn told(difference: &Difference) -> String {
    let Difference {
        cell,
        kept,
        counted,
    } = difference;
    let side =
        |[n, high, low]: [i64; 3]| format!("{n} projects, {} yuan", Total::from_parts(high, low));
    format!("{cell}: kept {}, counted {}", side(*kept), side(*counted))
}
