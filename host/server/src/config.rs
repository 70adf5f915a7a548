//! Configuration: defaults, file, environment, flags, in that order.
//!
//! `host/config.default.toml` documents every key and is read first, so a key
//! without a default cannot exist. One struct for each section; `validate`
//! names the key and the rule.

mod egress;
mod large;
mod master_key;
mod origins;
mod plugin_limits;
mod plugins;
mod results;
mod rollback;
mod secret;
mod signing;
mod telemetry;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Environment, File, FileFormat};
use portcullis_runtime::egress::EgressLimits;
use portcullis_runtime::{Limits, SandboxConfig};
use serde::{Deserialize, Serialize};

pub use egress::EgressSection;
pub use large::LargeSection;
pub use master_key::{MasterKey, MasterKeys};
pub use origins::Origins;
pub use plugin_limits::PluginLimits;
pub use plugins::PluginsConfig;
pub use results::ResultsConfig;
pub use rollback::RollbackConfig;
pub use secret::{Secret, Secrets};
pub use signing::{KeyTexts, RequireSigned};
pub use telemetry::TelemetryConfig;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../../config.default.toml");

/// Variables that start with this prefix set keys.
const ENVIRONMENT_PREFIX: &str = "PORTCULLIS";
const ENVIRONMENT_SEPARATOR: &str = "__";

/// Operator keys and token secrets shorter than this can be guessed.
const MIN_SECRET_CHARS: usize = 32;

/// A lease outlasts the clocks' differences and a few failed renewals, and ends
/// while somebody still wants to know.
const LEASE_SECONDS: RangeInclusive<u64> = 15..=3_600;

const GIB: u64 = 1 << 30;

/// Requests or log lines of a call: more is no bound.
const MAX_COUNT: u32 = 10_000;

/// Calls at the same time.
const MAX_CALLS: u32 = 10_000;

/// Of a call, or of waiting in it: ten minutes.
const MAX_MILLIS: u64 = 600_000;

/// Each takes memory of the gateway that no other limit counts.
const MAX_HANDLES: u64 = 1_024;

/// As much of a printed line as is kept until it ends.
const MAX_LOG_LINE_BYTES: u64 = 64 << 10;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A source is unreadable, or a key is unknown or of the wrong type.
    #[error("the configuration cannot be read: {0}")]
    Read(#[from] config::ConfigError),
    /// The file cannot be read, or is not TOML.
    #[error("{}: {message}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong, without the line itself: it may hold a secret.
        message: String,
    },
    /// A value breaks a rule.
    #[error("{key}: {rule}")]
    Invalid {
        /// The key, for example `auth.operator_key`.
        key: &'static str,
        /// The rule, and what to do.
        rule: String,
    },
}

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Listening and bodies.
    pub server: ServerConfig,
    /// The database.
    pub storage: StorageConfig,
    /// Keys and tokens of callers.
    pub auth: AuthConfig,
    /// Encryption at rest.
    pub secrets: SecretsConfig,
    /// Where plugins are, and how they are compiled.
    pub plugins: PluginsConfig,
    /// How much a session may ask.
    pub admission: AdmissionConfig,
    /// How long requests wait for a person.
    pub approvals: ApprovalsConfig,
    /// What is kept of large results.
    pub results: ResultsConfig,
    /// What guests may use.
    pub sandbox: SandboxSection,
    /// What their requests may use.
    pub egress: EgressSection,
    /// What is logged.
    pub log: LogConfig,
    /// Where traces go.
    pub telemetry: TelemetryConfig,
}

/// Section `[server]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Bytes of a body.
    pub max_body_bytes: usize,
    /// Bytes of a component that is uploaded.
    pub max_plugin_bytes: usize,
    /// Bytes of an overlong body that are read and dropped.
    pub drain_body_bytes: usize,
    /// Seconds a shutdown waits for running actions.
    pub shutdown_grace_seconds: u64,
    /// Seconds a client has to send the head of a request.
    pub header_timeout_seconds: u64,
    /// Connections served at the same time.
    pub max_connections: usize,
    /// Streams of events open at the same time.
    pub max_event_streams: usize,
    /// Seconds between two pings on a stream of events.
    pub event_ping_seconds: u64,
    /// Whose pages, beside our own, may open streams of events.
    pub allowed_origins: Origins,
}

/// Section `[storage]`.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StorageConfig {
    /// `sqlite:PATH`, or `postgres://…`, which may hold a password.
    pub url: String,
    /// To Postgres, for units of work.
    pub max_connections: u32,
    /// After which other gateways give up what this one executes.
    pub lease_seconds: u64,
}

impl fmt::Debug for StorageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageConfig")
            .field("url", &portcullis_storage::shown(&self.url))
            .field("max_connections", &self.max_connections)
            .field("lease_seconds", &self.lease_seconds)
            .finish()
    }
}

/// Section `[auth]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// The operator's key.
    pub operator_key: Secret,
    /// Token keys are derived from it.
    pub token_secret: Secret,
    /// Life of a sandbox token.
    pub sandbox_token_seconds: u64,
    /// Life of a user token.
    pub user_token_seconds: u64,
}

/// Section `[secrets]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsConfig {
    /// Base64 or hex.
    pub master_key: Secret,
    /// A file with the same.
    pub master_key_file: PathBuf,
    /// Keys that open and do not seal.
    pub previous_master_keys: Secrets,
    /// A file with the same.
    pub previous_master_keys_file: PathBuf,
}

/// Section `[admission]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AdmissionConfig {
    /// In any rolling 60 seconds, for each session.
    pub invocations_per_minute: u64,
    /// For each session.
    pub pending_per_session: u64,
}

/// Section `[approvals]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalsConfig {
    /// In interactive sessions.
    pub interactive_seconds: u64,
    /// In automation runs.
    pub automation_seconds: u64,
}

/// Section `[sandbox]`; see [`SandboxConfig`] and [`Limits`].
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "documented where they are used, and in the file"
)]
pub struct SandboxSection {
    pub concurrent_calls: u32,
    pub calls_per_plugin: u32,
    pub calls_per_organization: u32,
    pub queue_timeout_ms: u64,
    pub queue_length: u32,
    pub guest_threads: usize,
    pub component_bytes: usize,
    pub memory_bytes: usize,
    pub table_elements: usize,
    pub stack_bytes: usize,
    pub cpu_time_ms: u64,
    pub deadline_ms: u64,
    pub host_call_bytes: usize,
    pub result_bytes: usize,
    pub http_requests: u32,
    pub log_lines: u32,
    pub log_line_bytes: usize,
    pub handles: usize,
    pub large: LargeSection,
}

/// Section `[log]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// A level, or targets with levels.
    pub filter: String,
    /// For whom.
    pub format: LogFormat,
}

/// For whom the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Config {
    /// Reads defaults, the file if one is given, and the environment, then
    /// applies `overrides`, pairs of key and value from the command line, and
    /// validates the whole.
    pub fn load(file: Option<&Path>, overrides: &[(&str, String)]) -> Result<Self, ConfigError> {
        let config = Self::read(file, overrides)?;
        config.validate()?;
        Ok(config)
    }

    /// As [`Config::load`], without validating: for showing what is in force.
    pub fn read(file: Option<&Path>, overrides: &[(&str, String)]) -> Result<Self, ConfigError> {
        let environment = Environment::with_prefix(ENVIRONMENT_PREFIX)
            .prefix_separator(ENVIRONMENT_SEPARATOR)
            .separator(ENVIRONMENT_SEPARATOR)
            .try_parsing(false);
        let mut builder =
            config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(file) = file {
            builder = builder.add_source(File::from_str(&read(file)?, FileFormat::Toml));
        }
        builder = builder.add_source(environment);
        for (key, value) in overrides {
            builder = builder.set_override(*key, value.as_str())?;
        }
        Ok(builder.build()?.try_deserialize()?)
    }

    /// Checks the rules that types cannot express.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (key, secret) in [
            ("auth.operator_key", &self.auth.operator_key),
            ("auth.token_secret", &self.auth.token_secret),
        ] {
            if secret.expose().chars().count() < MIN_SECRET_CHARS {
                let is = if secret.expose().is_empty() {
                    "is required:"
                } else {
                    "must have"
                };
                let rule = format!(
                    "{is} at least {MIN_SECRET_CHARS} characters, best set through {}, for \
                     example from `openssl rand -base64 32`",
                    variable(key)
                );
                return Err(invalid(key, rule));
            }
        }
        if self.auth.operator_key.expose() == self.auth.token_secret.expose() {
            return Err(invalid(
                "auth.token_secret",
                "must differ from auth.operator_key",
            ));
        }
        self.master_keys()?;
        self.trusted_keys()?;
        self.telemetry.validate()?;
        self.results.validate()?;
        self.sandbox.large.validate()?;
        self.plugins.validate()?;
        self.egress.validate()?;
        plugin_limits::validate(&self.plugins.limits, &self.sandbox)?;
        self.check_ranges()
    }

    /// Numbers that make sense. The upper bounds keep sums of times and sizes in
    /// range; nobody needs to come near them.
    fn check_ranges(&self) -> Result<(), ConfigError> {
        const YEAR: u64 = 366 * 24 * 60 * 60;
        let sandbox = &self.sandbox;
        for (key, value, max) in [
            (
                "server.max_body_bytes",
                self.server.max_body_bytes as u64,
                GIB,
            ),
            (
                "server.header_timeout_seconds",
                self.server.header_timeout_seconds,
                YEAR,
            ),
            (
                "server.max_connections",
                self.server.max_connections as u64,
                1 << 20,
            ),
            (
                "server.max_event_streams",
                self.server.max_event_streams as u64,
                1 << 20,
            ),
            (
                "server.event_ping_seconds",
                self.server.event_ping_seconds,
                300,
            ),
            (
                "storage.max_connections",
                u64::from(self.storage.max_connections),
                10_000,
            ),
            (
                "auth.sandbox_token_seconds",
                self.auth.sandbox_token_seconds,
                YEAR,
            ),
            (
                "auth.user_token_seconds",
                self.auth.user_token_seconds,
                YEAR,
            ),
            (
                "admission.invocations_per_minute",
                self.admission.invocations_per_minute,
                GIB,
            ),
            (
                "admission.pending_per_session",
                self.admission.pending_per_session,
                GIB,
            ),
            (
                "approvals.interactive_seconds",
                self.approvals.interactive_seconds,
                YEAR,
            ),
            (
                "approvals.automation_seconds",
                self.approvals.automation_seconds,
                YEAR,
            ),
            ("sandbox.queue_timeout_ms", sandbox.queue_timeout_ms, 60_000),
            ("sandbox.memory_bytes", sandbox.memory_bytes as u64, 4 * GIB),
            ("sandbox.table_elements", sandbox.table_elements as u64, GIB),
            ("sandbox.stack_bytes", sandbox.stack_bytes as u64, GIB),
            ("sandbox.cpu_time_ms", sandbox.cpu_time_ms, MAX_MILLIS),
            ("sandbox.deadline_ms", sandbox.deadline_ms, MAX_MILLIS),
            (
                "sandbox.host_call_bytes",
                sandbox.host_call_bytes as u64,
                GIB,
            ),
            (
                "sandbox.result_bytes",
                sandbox.result_bytes as u64,
                sandbox.host_call_bytes as u64,
            ),
        ] {
            if !(1..=max).contains(&value) {
                return Err(invalid(key, format!("must be between 1 and {max}")));
            }
        }
        self.check_parts()?;
        self.check_lease()
    }

    /// What calls and components have a number of; of some there may be none.
    fn check_parts(&self) -> Result<(), ConfigError> {
        let sandbox = &self.sandbox;
        for (key, value, range) in [
            (
                "sandbox.http_requests",
                u64::from(sandbox.http_requests),
                0..=u64::from(MAX_COUNT),
            ),
            (
                "sandbox.calls_per_plugin",
                u64::from(sandbox.calls_per_plugin),
                1..=u64::from(MAX_CALLS),
            ),
            (
                "sandbox.calls_per_organization",
                u64::from(sandbox.calls_per_organization),
                1..=u64::from(MAX_CALLS),
            ),
            (
                "sandbox.queue_length",
                u64::from(sandbox.queue_length),
                1..=100_000,
            ),
            (
                "sandbox.concurrent_calls",
                u64::from(sandbox.concurrent_calls),
                1..=u64::from(MAX_CALLS),
            ),
            (
                "sandbox.log_lines",
                u64::from(sandbox.log_lines),
                0..=u64::from(MAX_COUNT),
            ),
            (
                "sandbox.log_line_bytes",
                sandbox.log_line_bytes as u64,
                1..=MAX_LOG_LINE_BYTES,
            ),
            ("sandbox.handles", sandbox.handles as u64, 1..=MAX_HANDLES),
            (
                "sandbox.component_bytes",
                sandbox.component_bytes as u64,
                1..=GIB,
            ),
            (
                "server.max_plugin_bytes",
                self.server.max_plugin_bytes as u64,
                1..=GIB,
            ),
        ] {
            if !range.contains(&value) {
                let (min, max) = (range.start(), range.end());
                return Err(invalid(key, format!("must be between {min} and {max}")));
            }
        }
        Ok(())
    }

    fn check_lease(&self) -> Result<(), ConfigError> {
        if LEASE_SECONDS.contains(&self.storage.lease_seconds) {
            return Ok(());
        }
        let (min, max) = (LEASE_SECONDS.start(), LEASE_SECONDS.end());
        let rule = format!("must be between {min} and {max}");
        Err(invalid("storage.lease_seconds", rule))
    }

    /// The master keys, from the configuration or their files.
    pub fn master_keys(&self) -> Result<MasterKeys, ConfigError> {
        MasterKeys::read(&self.secrets)
    }

    /// What the sandbox is set up with.
    pub fn sandbox(&self) -> SandboxConfig {
        let section = &self.sandbox;
        let defaults = SandboxConfig::default();
        SandboxConfig {
            concurrent_calls: section.concurrent_calls,
            calls_per_plugin: section.calls_per_plugin,
            calls_per_organization: section.calls_per_organization,
            queue_timeout: Duration::from_millis(section.queue_timeout_ms),
            queue_length: section.queue_length,
            guest_threads: NonZeroUsize::new(section.guest_threads)
                .map_or(defaults.guest_threads, NonZeroUsize::get),
            epoch_tick: defaults.epoch_tick,
            component_bytes: section.component_bytes,
            limits: Limits {
                memory_bytes: section.memory_bytes,
                table_elements: section.table_elements,
                stack_bytes: section.stack_bytes,
                cpu_time: Duration::from_millis(section.cpu_time_ms),
                deadline: Duration::from_millis(section.deadline_ms),
                host_call_bytes: section.host_call_bytes,
                result_bytes: section.result_bytes,
                http_requests: section.http_requests,
                log_lines: section.log_lines,
                log_line_bytes: section.log_line_bytes,
                handles: section.handles,
            },
            large: section.large.slots(),
            own_limits: plugin_limits::own_limits(&self.plugins.limits),
        }
    }

    /// What plugins' requests may use.
    pub fn egress(&self) -> EgressLimits {
        self.egress.limits()
    }
}

/// Reads a file and makes sure that it is TOML. The parser's own report would
/// repeat the line it stumbled over.
fn read(file: &Path) -> Result<String, ConfigError> {
    let refuse = |message: String| ConfigError::File {
        file: file.to_owned(),
        message,
    };
    let text = std::fs::read_to_string(file).map_err(|error| refuse(error.to_string()))?;
    if let Err(error) = toml::from_str::<toml::Table>(&text) {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|b| *b == b'\n').count() + 1;
        return Err(refuse(format!("line {line}: {}", error.message())));
    }
    Ok(text)
}

/// The variable of the environment that sets a key.
fn variable(key: &str) -> String {
    let name = key.to_uppercase().replace('.', ENVIRONMENT_SEPARATOR);
    format!("{ENVIRONMENT_PREFIX}{ENVIRONMENT_SEPARATOR}{name}")
}

fn invalid(key: &'static str, rule: impl Into<String>) -> ConfigError {
    ConfigError::Invalid {
        key,
        rule: rule.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn with_secrets(extra: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let mut overrides = vec![
            ("auth.operator_key", "o".repeat(32)),
            ("auth.token_secret", "t".repeat(32)),
            ("secrets.master_key", "ab".repeat(32)),
        ];
        overrides.extend(extra.iter().map(|(key, value)| (*key, (*value).to_owned())));
        overrides
    }

    pub(super) fn error_of(overrides: &[(&'static str, String)]) -> String {
        Config::load(None, overrides).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_those_of_the_crates() {
        let config = Config::load(None, &with_secrets(&[])).unwrap();
        assert_eq!(config.sandbox(), SandboxConfig::default());
        assert_eq!(config.egress(), EgressLimits::default());
    }

    #[test]
    fn no_gateway_starts_without_its_secrets() {
        for key in [
            "auth.operator_key",
            "auth.token_secret",
            "secrets.master_key",
        ] {
            let error = error_of(&with_secrets(&[(key, "")]));
            assert!(error.starts_with(key), "{error}");
        }
    }

    #[test]
    fn the_password_of_a_database_is_not_shown() {
        let url = "postgres://gate:s3cret@db.internal/portcullis";
        let config = Config::load(None, &with_secrets(&[("storage.url", url)])).unwrap();
        assert_eq!(config.storage.url, url);
        let shown = format!("{config:?}");
        assert!(shown.contains("postgres:…"), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_named() {
        let error = error_of(&with_secrets(&[("server.lisen", "127.0.0.1:1")]));
        assert!(error.contains("lisen"), "{error}");
        let error = error_of(&with_secrets(&[("sandbox.deadline_ms", "soon")]));
        assert!(error.contains("soon"), "{error}");
    }

    #[test]
    fn numbers_may_be_given_as_text() {
        let config = Config::load(None, &with_secrets(&[("sandbox.deadline_ms", "1500")])).unwrap();
        assert_eq!(
            config.sandbox().limits.deadline,
            Duration::from_millis(1500)
        );
    }

    #[test]
    fn origins_may_be_a_list_or_text() {
        let origins = |text: &str| {
            let overrides = with_secrets(&[("server.allowed_origins", text)]);
            Config::load(None, &overrides).map(|config| config.server.allowed_origins)
        };
        assert_eq!(origins("").unwrap(), Origins::default());
        let both = origins("https://a.example, http://localhost:5173").unwrap();
        for origin in ["https://a.example", "http://localhost:5173"] {
            assert!(both.contains(&origin.parse().unwrap()), "{origin}");
        }
        assert!(!both.contains(&"http://a.example".parse().unwrap()));
        for wrong in ["*", "a.example", "https://a.example/path"] {
            let error = origins(wrong).unwrap_err().to_string();
            assert!(error.contains("is no origin"), "{error}");
            assert!(error.contains("allowed_origins"), "{error}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[server]\nallowed_origins = [\"https://a.example\"]";
        std::fs::write(file.path(), text).unwrap();
        let config = Config::load(Some(file.path()), &with_secrets(&[])).unwrap();
        let origin = "https://a.example".parse().unwrap();
        assert!(config.server.allowed_origins.contains(&origin));
    }

    #[test]
    fn a_broken_file_is_reported_without_its_lines() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[auth]\noperator_key = \"hunter2").unwrap();
        let error = Config::load(Some(file.path()), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        for (key, value) in [
            ("sandbox.deadline_ms", "0"),
            ("sandbox.deadline_ms", "99999999999"),
            ("sandbox.result_bytes", "99999999"),
            ("results.max_bytes", "10239"),
            ("results.max_bytes", "99999999"),
            ("results.keep_hours", "8785"),
            ("sandbox.large.concurrent_calls", "0"),
            ("sandbox.large.memory_bytes", "4294967297"),
            ("sandbox.http_requests", "10001"),
            ("sandbox.log_lines", "10001"),
            ("sandbox.log_line_bytes", "0"),
            ("sandbox.log_line_bytes", "65537"),
            ("sandbox.handles", "0"),
            ("sandbox.handles", "1025"),
            ("sandbox.component_bytes", "0"),
            ("server.max_plugin_bytes", "0"),
        ] {
            let error = error_of(&with_secrets(&[(key, value)]));
            assert!(error.starts_with(key), "{error}");
        }
    }

    #[test]
    fn results_may_be_kept_for_no_time() {
        let keep = |hours| {
            let overrides = with_secrets(&[("results.keep_hours", hours)]);
            Config::load(None, &overrides).unwrap().results.keep()
        };
        assert_eq!(keep("0"), None);
        assert_eq!(keep("24"), Some(Duration::from_hours(24)));
    }

    #[test]
    fn trusted_keys_are_checked_and_uploads_need_one_unless_told_otherwise() {
        let config = Config::load(None, &with_secrets(&[])).unwrap();
        assert_eq!(config.plugins.require_signed, RequireSigned::Uploads);
        assert!(config.trusted_keys().unwrap().is_empty());
        let key = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        let trusting = [
            ("plugins.trusted_keys.ci", key),
            ("plugins.require_signed", "all"),
        ];
        let config = Config::load(None, &with_secrets(&trusting)).unwrap();
        assert_eq!(config.plugins.require_signed, RequireSigned::All);
        let keys = config.trusted_keys().unwrap();
        let (name, key) = keys.iter().next().unwrap();
        assert_eq!((name, key.id().to_string().len()), ("ci", 16));
        for (key, value, word) in [
            ("plugins.trusted_keys.ci", "hunter2", "trusted_keys: `ci`"),
            ("plugins.require_signed", "sometimes", "sometimes"),
        ] {
            let error = error_of(&with_secrets(&[(key, value)]));
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let config = Config::load(None, &with_secrets(&[])).unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("oooo") && !shown.contains("tttt") && !shown.contains("abab"));
    }
}
