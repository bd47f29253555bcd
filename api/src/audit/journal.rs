//! The file of checkpoints. A copy of it that is kept elsewhere shows what the database alone can't: that its end was
//! cut off, or that it was rolled back to an older state.

use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Take, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;

/// No line is longer, in bytes.
const MAX_LINE: u64 = 1024;
/// How often it is tried to get hold of the file.
const TRIED_EVERY: Duration = Duration::from_millis(10);
/// How long others are waited for, who write for moments.
const PATIENCE: Duration = Duration::from_secs(10);

/// A checkpoint as it stands in the file, a line each.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: i64,
    first: i64,
    hash: String,
    sealed_at: DateTime<Utc>,
    key_id: String,
    signature: String,
}

impl From<&Checkpoint> for Line {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            seq: checkpoint.seq,
            first: checkpoint.first,
            hash: hex::encode(checkpoint.hash),
            sealed_at: checkpoint.sealed_at,
            key_id: checkpoint.key_id.clone(),
            signature: BASE64_URL_SAFE_NO_PAD.encode(&checkpoint.signature),
        }
    }
}

fn read(text: &[u8]) -> Option<Checkpoint> {
    let line: Line = serde_json::from_slice(text).ok()?;
    Some(Checkpoint {
        seq: line.seq,
        first: line.first,
        hash: hex::decode(line.hash).ok()?.try_into().ok()?,
        sealed_at: line.sealed_at,
        key_id: line.key_id,
        signature: BASE64_URL_SAFE_NO_PAD.decode(line.signature).ok()?,
    })
}

/// The file, held for writing until it is dropped: services that share it take turns.
#[derive(Debug)]
pub struct Journal {
    file: File,
    last: Option<Checkpoint>,
}

impl Journal {
    /// Opens the file, or makes one that only its owner may read. A last line that was cut short is taken away; it
    /// is written again.
    ///
    /// Who holds it may be a task of the same thread, which goes on only while nobody blocks that.
    ///
    /// # Errors
    /// [`std::io::Error`] if that can't be, or others hold it too long.
    pub async fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    tokio::time::sleep(TRIED_EVERY).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let length = file.metadata()?.len();
        let from = length.saturating_sub(2 * MAX_LINE);
        file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let whole = tail
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        if whole < tail.len() {
            file.set_len(from + u64::try_from(whole).unwrap_or_default())?;
        }
        let lines = tail.get(..whole).unwrap_or_default();
        let last = lines.split(|b| *b == b'\n').rev().find_map(read);
        Ok(Self { file, last })
    }

    /// The last entry that a checkpoint of the file answers for; 0 if there is none.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.last.as_ref().map_or(0, |checkpoint| checkpoint.seq)
    }

    /// The last checkpoint; the file is let go.
    #[must_use]
    pub fn into_last(self) -> Option<Checkpoint> {
        self.last
    }

    /// Writes checkpoints, and returns when they are on the disk.
    ///
    /// # Errors
    /// [`std::io::Error`] if they can't be written; some may be.
    pub fn append(&mut self, checkpoints: &[Checkpoint]) -> std::io::Result<()> {
        let mut text = Vec::new();
        for checkpoint in checkpoints {
            serde_json::to_writer(&mut text, &Line::from(checkpoint))?;
            text.push(b'\n');
        }
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.last = checkpoints.last().cloned().or(self.last.take());
        Ok(())
    }
}

/// Every line of a file as long as it was when it was opened: its checkpoint, or none if it can't be read.
#[derive(Debug)]
pub struct Lines(BufReader<Take<File>>);

impl Lines {
    /// Opens a file to read.
    ///
    /// # Errors
    /// [`std::io::Error`] if it can't be read.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self(BufReader::new(file.take(length))))
    }
}

impl Iterator for Lines {
    type Item = std::io::Result<Option<Checkpoint>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        match (&mut self.0).take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) => None,
            // A line that is being written; it was not there yet.
            Ok(_) if line.last() != Some(&b'\n') && self.0.get_ref().limit() == 0 => None,
            Ok(_) => Some(Ok(read(&line))),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id;

    fn checkpoint(seq: i64) -> Checkpoint {
        Checkpoint {
            seq,
            first: seq,
            hash: [u8::try_from(seq).unwrap(); 32],
            sealed_at: DateTime::UNIX_EPOCH,
            key_id: "k".to_owned(),
            signature: vec![1; 64],
        }
    }

    #[actix_web::test]
    async fn who_waits_for_the_file_keeps_nobody_of_his_thread_from_letting_it_go() {
        let path = std::env::temp_dir().join(format!("checkpoints-{}", new_id()));
        let held = Journal::open(&path).await.unwrap();
        let other = path.clone();
        let waiting = actix_web::rt::spawn(async move {
            Journal::open(&other).await.unwrap();
        });
        // As often as it takes the other to find the file held.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished());
        drop(held);
        waiting.await.unwrap();
        std::fs::remove_file(path).unwrap();
    }

    #[actix_web::test]
    async fn what_is_written_is_read_and_a_line_cut_short_is_written_again() {
        let path = std::env::temp_dir().join(format!("checkpoints-{}", new_id()));
        let all: Vec<Checkpoint> = (1..=20).map(checkpoint).collect();
        let mut journal = Journal::open(&path).await.unwrap();
        assert_eq!(journal.last(), 0);
        journal.append(&all).unwrap();
        drop(journal);
        let read = |path: &Path| -> Vec<Checkpoint> {
            let lines = Lines::open(path).unwrap();
            lines.map(|line| line.unwrap().unwrap()).collect()
        };
        assert_eq!(read(&path), all);
        let length = std::fs::metadata(&path).unwrap().len();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(length - 3).unwrap();
        assert_eq!(read(&path), all[..19]);
        let mut journal = Journal::open(&path).await.unwrap();
        assert_eq!(journal.last(), 19);
        journal.append(&all[19..]).unwrap();
        drop(journal);
        assert_eq!(read(&path), all);
        std::fs::remove_file(path).unwrap();
    }
}
