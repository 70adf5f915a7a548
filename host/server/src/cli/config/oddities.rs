//! What a configuration may say and hardly anybody means.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::super::failure::Failure;
use crate::config::Config;

/// What the configuration speaks of, as found on the disk.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// How many components the directory of plugins holds.
    components: usize,
    /// Files with secrets that others may read.
    open_files: Vec<String>,
}

impl Surroundings {
    /// Looks. A directory of plugins that cannot be read keeps a gateway from
    /// starting, so it is an error here as well.
    pub(super) fn look(config: &Config, file: Option<&Path>) -> Result<Self, Failure> {
        let directory = &config.plugins.directory;
        let entries = fs::read_dir(directory).map_err(|error| {
            Failure::other(format!(
                "plugins.directory: {:?} cannot be read: {error}",
                directory.display()
            ))
            .hint("name the folder with the plugins, in the configuration or with --plugins")
        })?;
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        let components = paths.filter(|path| path.extension() == Some(OsStr::new("wasm")));
        let key_file = &config.secrets.master_key_file;
        let key_file = Some(key_file.as_path()).filter(|path| !path.as_os_str().is_empty());
        let files = [file.filter(|file| holds_secrets(file)), key_file];
        Ok(Self {
            components: components.count(),
            open_files: files
                .into_iter()
                .flatten()
                .filter(|file| others_may_read(file))
                .map(|file| file.display().to_string())
                .collect(),
        })
    }
}

/// Whether a file sets one of the secrets itself.
fn holds_secrets(file: &Path) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let is_set = |section: &str, key: &str| {
        let value = table.get(section).and_then(|section| section.get(key));
        value
            .and_then(toml::Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    is_set("auth", "operator_key")
        || is_set("auth", "token_secret")
        || is_set("secrets", "master_key")
}

fn others_may_read(file: &Path) -> bool {
    const OTHERS_READ: u32 = 0o004;
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & OTHERS_READ != 0)
}

/// One sentence for each, beginning with the key.
pub(super) fn oddities(config: &Config, around: &Surroundings) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |is_odd: bool, sentence: &str| {
        if is_odd {
            found.push(sentence.to_owned());
        }
    };
    let sandbox = &config.sandbox;
    note(
        around.components == 0,
        "plugins.directory: holds no *.wasm, so there is nothing that agents can do",
    );
    note(
        !config.server.listen.ip().is_loopback(),
        "server.listen: others can reach this address, and the gateway speaks plain HTTP; put a \
         proxy with TLS in front of it",
    );
    note(
        Duration::from_secs(config.server.shutdown_grace_seconds)
            < config.sandbox().longest_deadline(),
        "server.shutdown_grace_seconds: is shorter than sandbox.deadline_ms, or that of a plugin, \
         so a shutdown may cut off actions whose outcome is then unknown",
    );
    note(
        sandbox.cpu_time_ms > sandbox.deadline_ms,
        "sandbox.cpu_time_ms: is longer than sandbox.deadline_ms, so it never applies",
    );
    note(
        sandbox.host_call_bytes > sandbox.memory_bytes,
        "sandbox.host_call_bytes: is more than sandbox.memory_bytes, so it never applies",
    );
    note(
        config.egress.connect_timeout_ms > sandbox.deadline_ms,
        "egress.connect_timeout_ms: is longer than sandbox.deadline_ms, so it never applies",
    );
    note(
        config.approvals.interactive_seconds < 30,
        "approvals.interactive_seconds: leaves a person less than 30 seconds to decide",
    );
    note(
        config.admission.pending_per_session > config.admission.invocations_per_minute
            && config.approvals.interactive_seconds <= 60,
        "admission.pending_per_session: cannot be reached within \
         admission.invocations_per_minute before requests expire",
    );
    for file in &around.open_files {
        found.push(format!(
            "{file}: holds secrets and everybody on this machine may read it; `chmod 600` it"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(overrides: &[(&str, &str)]) -> Config {
        let mut all = vec![
            ("auth.operator_key", "o".repeat(32)),
            ("auth.token_secret", "t".repeat(32)),
            ("secrets.master_key", "ab".repeat(32)),
        ];
        all.extend(
            overrides
                .iter()
                .map(|(key, value)| (*key, (*value).to_owned())),
        );
        Config::load(None, &all).unwrap()
    }

    fn with_plugins() -> Surroundings {
        Surroundings {
            components: 1,
            open_files: Vec::new(),
        }
    }

    #[test]
    fn the_defaults_are_not_odd() {
        assert_eq!(oddities(&config(&[]), &with_plugins()), [""; 0]);
    }

    #[test]
    fn each_oddity_names_its_key() {
        for (overrides, key) in [
            (&[("server.listen", "0.0.0.0:80")][..], "server.listen"),
            (
                &[("server.shutdown_grace_seconds", "5")],
                "server.shutdown_grace_seconds",
            ),
            (&[("sandbox.cpu_time_ms", "40000")], "sandbox.cpu_time_ms"),
            (
                &[("sandbox.memory_bytes", "4194304")],
                "sandbox.host_call_bytes",
            ),
            (
                &[("egress.connect_timeout_ms", "60000")],
                "egress.connect_timeout_ms",
            ),
            (
                &[("approvals.interactive_seconds", "29")],
                "approvals.interactive_seconds",
            ),
            (
                &[
                    ("approvals.interactive_seconds", "60"),
                    ("admission.pending_per_session", "61"),
                ],
                "admission.pending_per_session",
            ),
        ] {
            let found = oddities(&config(overrides), &with_plugins());
            assert_eq!(found.len(), 1, "{key}: {found:?}");
            assert!(found[0].starts_with(key), "{found:?}");
        }
        let found = oddities(&config(&[]), &Surroundings::default());
        assert!(found[0].starts_with("plugins.directory"), "{found:?}");
    }

    #[test]
    fn a_file_with_secrets_is_for_its_owner() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let permit = |mode| {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        };
        let look = || {
            let directory = file.path().parent().unwrap();
            let config = config(&[("plugins.directory", directory.to_str().unwrap())]);
            Surroundings::look(&config, Some(file.path()))
                .unwrap()
                .open_files
        };
        permit(0o644);
        fs::write(file.path(), "[server]\n[auth]\noperator_key = \"\"\n").unwrap();
        assert_eq!(look(), [""; 0]);
        fs::write(file.path(), "[auth]\noperator_key = \"x\"\n").unwrap();
        assert_eq!(look().len(), 1);
        permit(0o600);
        assert_eq!(look(), [""; 0]);
    }
}
