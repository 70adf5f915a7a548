//! Inputs worth beginning with: files below `corpora/`, a folder for each target.
//!
//! A file is an input as it is, but for two endings: `.wat` is WebAssembly as text,
//! and what `.hex` holds are digits, for inputs that are no text.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::Target;

/// Inputs of one target that broke a promise and have got no better name yet.
const MAX_FOUND: u32 = 100;

/// An input, and where it is from.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The file's name.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// The corpus of a target, in the order of the files' names; none when it has no
/// folder.
pub fn of(target: &Target) -> Vec<Seed> {
    read(&folder(target)).expect("the corpus can be read")
}

/// Every file of a folder; none when there is no folder.
pub fn read(folder: &Path) -> io::Result<Vec<Seed>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    paths.iter().map(|path| seed(path)).collect()
}

fn seed(path: &Path) -> io::Result<Seed> {
    let bytes = match path.extension().and_then(|ending| ending.to_str()) {
        Some("wat") => wat::parse_file(path).map_err(io::Error::other)?,
        Some("hex") => {
            let digits = fs::read_to_string(path)?;
            hex::decode(digits.trim()).map_err(io::Error::other)?
        }
        _ => fs::read(path)?,
    };
    let name = path.file_name().unwrap_or_default();
    Ok(Seed {
        name: name.to_string_lossy().into_owned(),
        bytes,
    })
}

/// Keeps an input that broke a promise, so that every run to come begins with it.
pub fn keep(target: &Target, input: &[u8]) -> io::Result<PathBuf> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let mut names = (1..=MAX_FOUND).map(|count| folder.join(format!("found-{count}.hex")));
    let path = names
        .find(|path| !path.exists())
        .ok_or_else(|| io::Error::other(format!("{MAX_FOUND} are kept already")))?;
    fs::write(&path, hex::encode(input) + "\n")?;
    Ok(path)
}

fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpora")
        .join(target.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TARGETS;

    #[test]
    fn every_folder_is_the_corpus_of_a_target() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora");
        for entry in fs::read_dir(corpora).unwrap() {
            let name = entry.unwrap().file_name();
            let name = name.to_str().unwrap();
            let is_known = TARGETS.iter().any(|target| target.name == name);
            assert!(is_known, "{name}");
        }
    }

    #[test]
    fn every_corpus_can_be_read_and_is_small() {
        for target in TARGETS {
            let bytes: usize = of(target).iter().map(|seed| seed.bytes.len()).sum();
            assert!(bytes < 100_000, "{}: {bytes}", target.name);
        }
    }
}
