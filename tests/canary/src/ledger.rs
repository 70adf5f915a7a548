//! What all processes of a run searched and found, in a folder that
//! `cargo xtask test` makes and reads: most processes end without being asked.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Place;

/// The variable with the folder. Unset: nothing is written down.
pub const FOLDER: &str = "PORTCULLIS_TEST_CANARIES";

/// The file with what was found, a line each; one for all processes.
const FOUND: &str = "found";

/// How the names of files with counts begin; one for each process.
const COUNTS: &str = "counts-";

/// So many log lines may be searched before the counts are written again.
const LINES_BETWEEN: u64 = 1000;

/// What one process searched.
#[derive(Debug, Default)]
pub struct Ledger {
    total: Total,
    unwritten: u64,
    files: Option<Files>,
}

#[derive(Debug)]
struct Files {
    folder: PathBuf,
    counts: File,
}

impl Ledger {
    /// The one of this process, in the folder that the run names.
    #[expect(
        clippy::expect_used,
        reason = "what is not written down is not searched"
    )]
    pub fn of_run() -> Self {
        let folder = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty());
        folder.map_or_else(Self::default, |folder| {
            Self::within(Path::new(&folder)).expect("the folder of the run")
        })
    }

    /// One in this folder.
    pub fn within(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            files: Some(Files {
                folder: folder.to_owned(),
                counts: counts_in(folder)?,
            }),
            ..Self::default()
        })
    }

    /// Counts something that was searched.
    pub(crate) fn searched(&mut self, place: Place, bytes: usize) {
        self.total.add(place, 1, bytes as u64);
        self.unwritten += 1;
        if place != Place::Log || self.unwritten >= LINES_BETWEEN {
            self.write();
        }
    }

    /// Writes down the counts.
    #[expect(
        clippy::expect_used,
        reason = "what cannot be written down must not pass"
    )]
    pub(crate) fn write(&mut self) {
        self.unwritten = 0;
        if let Some(files) = &self.files {
            // Counts only grow, so nothing of what was written before is left.
            let text = self.total.to_lines();
            files
                .counts
                .write_all_at(text.as_bytes(), 0)
                .expect("a place to write counts to");
        }
    }

    /// Writes down a find.
    #[expect(
        clippy::expect_used,
        reason = "what cannot be written down must not pass"
    )]
    pub(crate) fn found(&mut self, told: &str) {
        if let Some(files) = &self.files {
            let path = files.folder.join(FOUND);
            let file = OpenOptions::new().create(true).append(true).open(path);
            // In one piece, since others write as well.
            file.and_then(|mut file| file.write_all(format!("{told}\n").as_bytes()))
                .expect("a place to write finds to");
        }
    }
}

/// A new file for the counts of one process.
fn counts_in(folder: &Path) -> io::Result<File> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{COUNTS}{}-{number}", std::process::id());
        match File::create_new(folder.join(name)) {
            // Ids of processes are used again.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
}

/// How much was searched, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// How many things and how many bytes, by the kind of place.
    counts: BTreeMap<Place, (u64, u64)>,
    /// A line for each find.
    pub found: Vec<String>,
}

impl Total {
    /// What all processes of a run wrote down.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut total = Self::default();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().display().to_string();
            let text = fs::read_to_string(&path)?;
            if name == FOUND {
                total.found.extend(text.lines().map(str::to_owned));
            } else if name.starts_with(COUNTS) {
                total.add_lines(&text);
            }
        }
        Ok(total)
    }

    /// The kinds of places of which nothing was searched, but for panics, of which there
    /// need not be any.
    pub fn unsearched(&self) -> Vec<&'static str> {
        let expected = Place::ALL.iter().filter(|place| **place != Place::Panic);
        let is_none = |place: &&Place| self.counts.get(place).is_none_or(|count| count.0 == 0);
        let unsearched = expected.filter(is_none);
        unsearched.map(|place| place.name()).collect()
    }

    fn add(&mut self, place: Place, things: u64, bytes: u64) {
        let count = self.counts.entry(place).or_default();
        *count = (count.0 + things, count.1 + bytes);
    }

    fn add_lines(&mut self, text: &str) {
        for line in text.lines() {
            let mut words = line.splitn(3, ' ');
            let mut number = || words.next()?.parse().ok();
            let (Some(things), Some(bytes)) = (number(), number()) else {
                continue;
            };
            let name = words.next().unwrap_or_default();
            if let Some(place) = Place::ALL.iter().find(|place| place.name() == name) {
                self.add(*place, things, bytes);
            }
        }
    }

    /// `things bytes name`, a line each.
    fn to_lines(&self) -> String {
        let lines = Place::ALL.iter().map(|place| {
            let (things, bytes) = self.counts.get(place).copied().unwrap_or_default();
            format!("{things:020} {bytes:020} {}\n", place.name())
        });
        lines.collect()
    }
}

impl Display for Total {
    /// `12 answers, 3 files, 40 MB`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let searched = self.counts.iter().filter(|(_, count)| count.0 > 0);
        for (place, (things, _)) in searched {
            write!(formatter, "{things} {}, ", place.name())?;
        }
        let bytes: u64 = self.counts.values().map(|(_, bytes)| bytes).sum();
        write!(formatter, "{} MB", bytes.div_ceil(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_processes_wrote_down_is_added_up() {
        let folder = tempfile::tempdir().unwrap();
        for answers in [1, 2] {
            let mut ledger = Ledger::within(folder.path()).unwrap();
            for _ in 0..answers {
                ledger.searched(Place::Answer, 10);
            }
            ledger.searched(Place::Log, 1_000_000);
            ledger.found("a find");
            ledger.write();
        }
        let total = Total::read(folder.path()).unwrap();
        assert_eq!(total.to_string(), "3 answers, 2 log lines, 3 MB");
        assert_eq!(total.found, ["a find", "a find"]);
        assert!(!total.unsearched().contains(&"answers"));
        assert!(total.unsearched().contains(&"files"));
        assert!(!total.unsearched().contains(&"panics"));
    }

    #[test]
    fn lines_of_a_log_are_written_down_now_and_then() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::within(folder.path()).unwrap();
        for _ in 0..LINES_BETWEEN - 1 {
            ledger.searched(Place::Log, 1);
        }
        assert_eq!(Total::read(folder.path()).unwrap().to_string(), "0 MB");
        ledger.searched(Place::Log, 1);
        let total = Total::read(folder.path()).unwrap();
        assert_eq!(total.to_string(), "1000 log lines, 1 MB");
    }
}
