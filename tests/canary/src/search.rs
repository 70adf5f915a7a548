//! What was searched and found in this process, and who fails for it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::detector::{Detector, Find, Seam};
use crate::ledger::Ledger;
use crate::{Place, STEM};

/// The search for all canaries, in all of this process.
pub fn canaries() -> &'static Search {
    static SEARCH: LazyLock<Search> = LazyLock::new(|| Search::new(STEM, Ledger::of_run()));
    &SEARCH
}

/// A search for a text in every spelling.
#[derive(Debug)]
pub struct Search {
    detector: Detector,
    ledger: Mutex<Ledger>,
    /// Finds for which no test has failed yet.
    untold: Mutex<Vec<String>>,
}

impl Search {
    /// A search for what contains this text, written down here.
    pub fn new(text: &str, ledger: Ledger) -> Self {
        Self {
            detector: Detector::new(text),
            ledger: Mutex::new(ledger),
            untold: Mutex::default(),
        }
    }

    /// Searches something. Whoever asks next what was found fails for it.
    pub fn look(&self, place: Place, name: &str, content: &[u8]) {
        let find = self.detector.find(content);
        self.note(place, name, content.len(), find);
    }

    /// As [`look`](Self::look), and fails at once: for what belongs to one test.
    #[track_caller]
    pub fn look_and_expect_nothing(&self, place: Place, name: &str, content: &[u8]) {
        let find = self.detector.find(content);
        let told = find.map(|find| tell(place, name, &find));
        self.ledger().searched(place, content.len());
        if let Some(told) = told {
            self.ledger().found(&told);
            assert!(thread::panicking(), "{told}");
        }
    }

    /// Searches a file.
    pub fn look_at_file(&self, name: &str, file: &Path) {
        match fs::read(file) {
            Ok(content) => self.look(Place::File, name, &content),
            // Files of a database come and go while a gateway has it open.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.not_searched(&format!("{name}: {error}")),
        }
    }

    /// Searches every file below a folder but for those of which this is the path.
    pub fn look_at_folder(&self, folder: &Path, except: &[PathBuf]) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => return self.not_searched(&format!("{}: {error}", folder.display())),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                _ if except.contains(&path) => {}
                Ok(kind) if kind.is_dir() => self.look_at_folder(&path, except),
                Ok(kind) if kind.is_file() => {
                    self.look_at_file(&path.display().to_string(), &path);
                }
                // Neither sockets nor links hold anything.
                _ => {}
            }
        }
    }

    /// What was to be searched and could not be counts as found.
    pub fn not_searched(&self, told: &str) {
        self.found(format!("could not be searched: {told}"));
    }

    /// What was found since the last time somebody asked.
    pub fn take_found(&self) -> Vec<String> {
        self.ledger().write();
        std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fails when something was found since the last time somebody asked. Leaves it to
    /// the next while a test fails already.
    #[track_caller]
    pub fn expect_nothing_found(&self) {
        if !thread::panicking() {
            let found = self.take_found();
            assert!(found.is_empty(), "{}", found.join("\n"));
        }
    }

    fn note(&self, place: Place, name: &str, bytes: usize, find: Option<Find>) {
        self.ledger().searched(place, bytes);
        if let Some(find) = find {
            self.found(tell(place, name, &find));
        }
    }

    fn found(&self, told: String) {
        self.ledger().found(&told);
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.push(told);
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is searched piece by piece as it is written.
#[derive(Debug)]
pub struct Stream {
    place: Place,
    name: &'static str,
    seam: Seam,
}

impl Stream {
    /// One of which nothing was written yet.
    pub fn new(place: Place, name: &'static str) -> Self {
        Self {
            place,
            name,
            seam: Seam::default(),
        }
    }

    /// Searches the next piece.
    pub fn look(&mut self, search: &Search, piece: &[u8]) {
        let find = self.seam.find(&search.detector, piece);
        search.note(self.place, self.name, piece.len(), find);
    }
}

fn tell(place: Place, name: &str, find: &Find) -> String {
    let Find { spelling, before } = find;
    let kind = place.name();
    format!("a credential, {spelling}, is in {name} ({kind}), after \"{before}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spellings;

    /// What no other search looks for.
    const TEXT: &str = "decoy+4c1e/7a";

    fn search() -> Search {
        Search::new(TEXT, Ledger::default())
    }

    /// Fails unless exactly this was found, in the order of the spellings.
    #[track_caller]
    fn expect(search: &Search, name: &str, before: &str) {
        let found = search.take_found();
        let expected = spellings(TEXT).into_iter();
        let expected: Vec<_> = expected
            .map(|(spelling, _)| {
                format!("a credential, {spelling}, is in {name}, after \"{before}\"")
            })
            .collect();
        assert_eq!(found, expected);
        search.expect_nothing_found();
    }

    #[test]
    fn a_credential_is_found_in_an_answer_in_every_spelling() {
        let search = search();
        for (_, text) in spellings(TEXT) {
            search.look(
                Place::Answer,
                "an answer",
                format!("it is {text}.").as_bytes(),
            );
        }
        expect(&search, "an answer (answers)", "it is ");
    }

    #[test]
    fn a_credential_is_found_in_a_log_line_that_is_written_in_two_pieces() {
        let search = search();
        for (_, text) in spellings(TEXT) {
            let mut log = Stream::new(Place::Log, "the log");
            let (one, other) = text.split_at(text.len() / 2);
            log.look(&search, format!("{{\"a\":\"{one}").as_bytes());
            log.look(&search, format!("{other}\"}}\n").as_bytes());
        }
        expect(&search, "the log (log lines)", r#"{\"a\":\""#);
    }

    #[test]
    fn a_credential_is_found_in_a_file_below_a_folder() {
        let search = search();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("below/portcullis.db-wal");
        fs::create_dir(folder.path().join("below")).unwrap();
        for (_, text) in spellings(TEXT) {
            fs::write(&file, format!("\0{text}\0")).unwrap();
            search.look_at_folder(folder.path(), &[]);
        }
        expect(&search, &format!("{} (files)", file.display()), r"\x00");
        search.look_at_folder(folder.path(), std::slice::from_ref(&file));
        search.expect_nothing_found();
        search.look_at_folder(&folder.path().join("missing"), &[]);
        search.expect_nothing_found();
    }

    #[test]
    #[should_panic(expected = "a credential, plain, is in an answer (answers), after \"x\"")]
    fn a_test_fails_for_what_belongs_to_it() {
        let answer = format!("x{TEXT}");
        search().look_and_expect_nothing(Place::Answer, "an answer", answer.as_bytes());
    }

    #[test]
    #[should_panic(expected = "could not be searched: a database that is gone")]
    fn a_test_fails_for_what_could_not_be_searched() {
        let search = search();
        search.not_searched("a database that is gone");
        search.expect_nothing_found();
    }
}
