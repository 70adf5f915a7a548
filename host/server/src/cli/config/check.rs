//! `portcullis config check`.

use serde_json::json;
use tracing_subscriber::EnvFilter;

use super::super::failure::Failure;
use super::super::output::Report;
use super::super::settings::Settings;
use super::oddities::{Surroundings, oddities};
use super::shown::without_password;
use crate::config::Config;

/// Loads as `serve` does, and goes as far as is possible without starting.
pub(super) fn check(settings: &Settings) -> Result<Report, Failure> {
    let config = settings.load()?;
    EnvFilter::try_new(&config.log.filter).map_err(|error| {
        let filter = &config.log.filter;
        Failure::other(format!("log.filter = {filter:?}: {error}"))
            .hint("give a level, or targets with levels, such as \"info,portcullis=debug\"")
    })?;
    portcullis_storage::exists(&config.storage.url)
        .map_err(|error| Failure::other(format!("storage.url: {error}")))?;
    let around = Surroundings::look(&config, settings.config.as_deref())?;
    let warnings = oddities(&config, &around);
    let mut report = ok(&config, &warnings);
    for warning in warnings {
        report = report.warning(warning);
    }
    Ok(report)
}

fn ok(config: &Config, warnings: &[String]) -> Report {
    let listen = config.server.listen.to_string();
    let storage = without_password(&config.storage.url);
    let plugins = config.plugins.directory.display().to_string();
    let document = json!({
        "ok": true,
        "listen": listen,
        "storage": storage,
        "plugins": plugins,
        "warnings": warnings,
    });
    let fields = [
        ("listen", listen),
        ("storage", storage),
        ("plugins", plugins),
    ];
    Report::new(document).text("ok").fields(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
    )
}
