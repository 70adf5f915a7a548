//! The master keys: the one that seals, and others that still open.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{ConfigError, Secret, Secrets, SecretsConfig, invalid, variable};

const CURRENT: &str = "secrets.master_key";
const CURRENT_FILE: &str = "secrets.master_key_file";
const PREVIOUS: &str = "secrets.previous_master_keys";
const PREVIOUS_FILE: &str = "secrets.previous_master_keys_file";

/// Far more than the keys of [`MAX_PREVIOUS`] lines: whoever names a device or a
/// log by mistake gets an answer, not a full memory.
const MAX_FILE_BYTES: usize = 16 << 10;

/// A rotation ends with none. More than a few are a sign of rotations that were
/// never carried out.
const MAX_PREVIOUS: usize = 16;

/// 32 bytes from which the keys that encrypt at rest are derived.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A new one.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As the configuration takes it.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.as_bytes()))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(if text.len() == 64 {
            hex::decode(text).ok()?
        } else {
            STANDARD.decode(text).ok()?
        });
        let key = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
        Some(Self(Zeroizing::new(key)))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([REDACTED])")
    }
}

/// Every master key a gateway has.
#[derive(Debug, Clone)]
pub struct MasterKeys {
    /// Seals and opens.
    pub current: MasterKey,
    /// Only open: what was sealed before a rotation, or by a gateway that is
    /// already past it.
    pub previous: Vec<MasterKey>,
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self {
            current,
            previous: Vec::new(),
        }
    }
}

impl MasterKeys {
    /// Reads the keys from wherever the section says.
    pub(super) fn read(section: &SecretsConfig) -> Result<Self, ConfigError> {
        let current = read_current(section)?;
        let (name, texts) = previous_texts(section)?;
        if texts.as_slice().len() > MAX_PREVIOUS {
            let rule = format!(
                "has more than {MAX_PREVIOUS} keys; `portcullis keys rotate` makes them unnecessary"
            );
            return Err(invalid(name, rule));
        }
        let mut previous = Vec::new();
        for (index, text) in texts.as_slice().iter().enumerate() {
            let key = parse_previous(name, index + 1, text, &current)?;
            previous.push(key);
        }
        Ok(Self { current, previous })
    }
}

fn read_current(section: &SecretsConfig) -> Result<MasterKey, ConfigError> {
    let file = &section.master_key_file;
    let (name, text) = match (section.master_key.expose(), file.as_os_str().is_empty()) {
        ("", true) => {
            let rule = format!(
                "is required: 32 bytes as base64 or hex, for example from `portcullis keys \
                 generate`, best set through {}, or in the file that secrets.master_key_file names",
                variable(CURRENT)
            );
            return Err(invalid(CURRENT, rule));
        }
        (key, true) => (CURRENT, Zeroizing::new(key.to_owned())),
        ("", false) => (CURRENT_FILE, read_file(CURRENT_FILE, file)?),
        (_, false) => return Err(both(CURRENT, CURRENT_FILE)),
    };
    MasterKey::parse(text.trim())
        .ok_or_else(|| invalid(name, "must be 32 bytes, base64 or hex, and nothing else"))
}

/// The texts of the previous keys, and the key of the configuration they are
/// under.
fn previous_texts(section: &SecretsConfig) -> Result<(&'static str, Secrets), ConfigError> {
    let (given, file) = (
        &section.previous_master_keys,
        &section.previous_master_keys_file,
    );
    if file.as_os_str().is_empty() {
        return Ok((PREVIOUS, given.clone()));
    }
    if !given.as_slice().is_empty() {
        return Err(both(PREVIOUS, PREVIOUS_FILE));
    }
    let text = read_file(PREVIOUS_FILE, file)?;
    Ok((PREVIOUS_FILE, Secrets::parse(&text)))
}

fn parse_previous(
    name: &'static str,
    number: usize,
    text: &Secret,
    current: &MasterKey,
) -> Result<MasterKey, ConfigError> {
    let key = MasterKey::parse(text.expose().trim()).ok_or_else(|| {
        invalid(
            name,
            format!("key number {number} must be 32 bytes, base64 or hex"),
        )
    })?;
    if key == *current {
        let rule = format!(
            "key number {number} is secrets.master_key itself; \
             the new key goes there, and the one it replaces here"
        );
        return Err(invalid(name, rule));
    }
    Ok(key)
}

fn both(key: &'static str, file: &str) -> ConfigError {
    invalid(key, format!("and {file} must not both be set"))
}

fn read_file(name: &'static str, path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let refuse = |reason: &dyn fmt::Display| {
        let rule = format!("{} cannot be read: {reason}", path.display());
        invalid(name, rule)
    };
    let text = read_bounded(path).map_err(|error| refuse(&error))?;
    if text.len() > MAX_FILE_BYTES {
        return Err(refuse(&format_args!(
            "it has more than {MAX_FILE_BYTES} bytes, which is no file of keys"
        )));
    }
    Ok(text)
}

/// At most a byte more than a file may have. The memory is taken at once, so
/// that growing leaves no copy behind.
fn read_bounded(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(2 * MAX_FILE_BYTES));
    File::open(path)?
        .take(MAX_FILE_BYTES as u64 + 1)
        .read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::config::Config;

    const NEW: &str = "aa";
    const OLD: &str = "bb";
    const OLDER: &str = "cc";

    fn key(byte: &str) -> String {
        byte.repeat(32)
    }

    fn read(secrets: &[(&'static str, String)]) -> Result<MasterKeys, ConfigError> {
        let mut all = vec![
            ("auth.operator_key", "o".repeat(32)),
            ("auth.token_secret", "t".repeat(32)),
        ];
        all.extend_from_slice(secrets);
        Config::load(None, &all)?.master_keys()
    }

    fn error_of(secrets: &[(&'static str, String)]) -> String {
        read(secrets).unwrap_err().to_string()
    }

    fn file(text: &str) -> (tempfile::NamedTempFile, String) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        (file, path)
    }

    #[test]
    fn previous_keys_come_as_text_or_in_a_file() {
        let base64 = MasterKey::parse(&key(OLDER)).unwrap().to_base64();
        let both = format!(" {}, {}\n", key(OLD), *base64);
        let (_file, path) = file(&both.replace(',', "\n"));
        for given in [(PREVIOUS, both), (PREVIOUS_FILE, path)] {
            let keys = read(&[(CURRENT, key(NEW)), given]).unwrap();
            let expected = [OLD, OLDER].map(|byte| MasterKey::parse(&key(byte)).unwrap());
            assert_eq!(keys.previous, expected);
            assert_eq!(keys.current, MasterKey::parse(&key(NEW)).unwrap());
        }
    }

    #[test]
    fn previous_keys_may_be_a_list() {
        let toml = format!(
            "[auth]\noperator_key = \"{}\"\ntoken_secret = \"{}\"\n\
             [secrets]\nmaster_key = \"{}\"\nprevious_master_keys = [\"{}\", \"{}\"]\n",
            "o".repeat(32),
            "t".repeat(32),
            key(NEW),
            key(OLD),
            key(OLDER)
        );
        let (file, _) = file(&toml);
        let config = Config::load(Some(file.path()), &[]).unwrap();
        assert_eq!(config.master_keys().unwrap().previous.len(), 2);
        assert!(!format!("{config:?}").contains("bbbb"));
    }

    #[test]
    fn a_bad_key_is_named_and_not_shown() {
        let (_file, short) = file("c2hvcnQ=");
        let (_two, two) = file(&format!("{}\n{}", key(NEW), key(OLD)));
        let many = [key(OLD).as_str(); MAX_PREVIOUS + 1].join(",");
        for (secrets, name, part) in [
            (vec![(CURRENT, "hunter2".to_owned())], CURRENT, "32 bytes"),
            (
                vec![(CURRENT_FILE, short.clone())],
                CURRENT_FILE,
                "32 bytes",
            ),
            (vec![(CURRENT_FILE, two)], CURRENT_FILE, "nothing else"),
            (
                vec![(CURRENT, key(NEW)), (CURRENT_FILE, short.clone())],
                CURRENT,
                "not both",
            ),
            (
                vec![
                    (CURRENT, key(NEW)),
                    (PREVIOUS, format!("{},hunter2", key(OLD))),
                ],
                PREVIOUS,
                "key number 2",
            ),
            (
                vec![
                    (CURRENT, key(NEW)),
                    (PREVIOUS, format!("{},{}", key(OLD), key(NEW))),
                ],
                PREVIOUS,
                "key number 2 is secrets.master_key itself",
            ),
            (
                vec![
                    (CURRENT, key(NEW)),
                    (PREVIOUS, key(OLD)),
                    (PREVIOUS_FILE, short.clone()),
                ],
                PREVIOUS,
                "not both",
            ),
            (
                vec![(CURRENT, key(NEW)), (PREVIOUS_FILE, short)],
                PREVIOUS_FILE,
                "key number 1",
            ),
            (
                vec![(CURRENT, key(NEW)), (PREVIOUS, many)],
                PREVIOUS,
                "more than 16",
            ),
        ] {
            let error = error_of(&secrets);
            assert!(error.starts_with(&format!("{name}:")), "{error}");
            assert!(error.contains(part), "{error}");
            assert!(
                !error.contains("hunter2") && !error.contains("aaaa"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_not_read_to_its_end() {
        let error = error_of(&[(CURRENT_FILE, "/dev/zero".to_owned())]);
        assert!(error.contains("no file of keys"), "{error}");
        let error = error_of(&[(CURRENT_FILE, "/nowhere/key".to_owned())]);
        assert!(
            error.starts_with(CURRENT_FILE) && error.contains("/nowhere/key"),
            "{error}"
        );
    }

    #[test]
    fn a_generated_key_is_one_the_configuration_takes() {
        let made = MasterKey::generate().unwrap();
        let keys = read(&[(CURRENT, made.to_base64().to_string())]).unwrap();
        assert_eq!(keys.current, made);
        assert_ne!(MasterKey::generate().unwrap(), made);
    }
}
