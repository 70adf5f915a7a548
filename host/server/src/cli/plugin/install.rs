//! `portcullis plugin install`.

use std::path::{Path, PathBuf};

use clap::Args;
use portcullis_core::signature::Signature;
use serde_json::Value;

use super::super::caller::Server;
use super::super::client::Reply;
use super::super::console::Console;
use super::super::failure::Failure;
use super::super::output::{Report, field};
use super::shown::{approve_command, flagged, name};
use super::{files, oci, verify};
use crate::plugins::read_component;

/// Bytes that are read of a file: what a gateway takes at most, by default.
const MAX_COMPONENT_BYTES: usize = 64 << 20;

/// `plugin install`
#[derive(Debug, Args)]
pub(in crate::cli) struct Install {
    #[command(flatten)]
    server: Server,
    /// The component, a file or `oci://REGISTRY/REPOSITORY@sha256:…`; signatures are
    /// looked for in it and beside it.
    #[arg(value_name = "FILE|REFERENCE")]
    plugin: String,
    /// A file with detached signatures [default: FILE.sig, if there is one].
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Ask a registry on this machine, which speaks no TLS.
    #[arg(long)]
    plain_http: bool,
}

pub(super) const HELP: &str = "\
The first version of a plugin serves at once, and so does one that asks for
nothing new and changes nothing that people rely on. Any other is staged: what is
new is shown, and the active version goes on serving until somebody approves.

Examples:
  portcullis plugin install target/plugins/linear.wasm
  portcullis plugin install linear.wasm --signature linear.wasm.sig
  portcullis plugin install linear.wasm --json | jq -r .state
  portcullis plugin install oci://ghcr.io/acme/linear@sha256:…
  portcullis plugin install oci://ghcr.io/acme/linear:1.4

What is pulled from a registry is hashed here and has to be what the digest says; a
tag is asked for once, and its digest shown. An artifact has one layer of the type
application/wasm, and perhaps others with signatures, as this makes it:

  oras push ghcr.io/acme/linear:1.4 linear.wasm:application/wasm \\
    linear.wasm.sig:application/vnd.portcullis.signature.v1+text

A registry that asks who pulls is told PORTCULLIS_REGISTRY_USER and
PORTCULLIS_REGISTRY_PASSWORD.";

/// A component and the signatures beside it.
struct Found {
    bytes: Vec<u8>,
    signatures: Vec<Signature>,
}

impl Install {
    pub(super) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        let client = self.server.as_manager(console)?;
        let found = if self.plugin.starts_with(oci::SCHEME) {
            self.pull(console).await?
        } else {
            self.read().await?
        };
        let path = ["v1", "plugins"];
        let reply = client.upload(&path, found.bytes, &found.signatures).await?;
        installed(reply)
    }

    async fn read(&self) -> Result<Found, Failure> {
        let file = Path::new(&self.plugin);
        let signatures = verify::detached(file, self.signature.as_deref())?;
        let bytes = read_component(file.to_owned(), MAX_COMPONENT_BYTES).await;
        Ok(Found {
            bytes: bytes.map_err(|reason| files::failed(file, reason))?,
            signatures,
        })
    }

    async fn pull(&self, console: &mut Console) -> Result<Found, Failure> {
        let named = self.signature.as_deref().map(files::signatures);
        let reference = &self.plugin;
        let pulled = oci::pull(reference, MAX_COMPONENT_BYTES, self.plain_http, console).await?;
        let mut signatures = pulled.signatures;
        signatures.extend(named.transpose()?.into_iter().flatten());
        Ok(Found {
            bytes: pulled.bytes,
            signatures,
        })
    }
}

fn installed(reply: Reply) -> Result<Report, Failure> {
    let status = reply.status;
    let version = reply.success()?;
    let told = match (status, field(&version, "state").as_str()) {
        (201, _) => format!(
            "{} serves.\n{}",
            name(&version),
            field(&version, "sentence")
        ),
        (202, _) => staged(&version),
        (_, "staged") => format!(
            "{} is staged already; approve with: {}",
            name(&version),
            approve_command(&version)
        ),
        (_, state) => format!("{} is {state} already.", name(&version)),
    };
    let digest = format!("digest  {}", field(&version, "digest"));
    let report = Report::new(version.clone()).text(digest).text(told);
    Ok(flagged(report, [&version]))
}

/// What is new, what it can do, and how to go on.
fn staged(version: &Value) -> String {
    let difference = version.get("difference").unwrap_or(&Value::Null);
    format!(
        "{}\n\n{}\nstaged: {}; approve with: {}",
        field(difference, "text"),
        field(version, "sentence"),
        asked(&field(difference, "summary")),
        approve_command(version)
    )
}

/// What is asked for; what it can do stands above.
fn asked(summary: &str) -> &str {
    let parts = summary.split_once("; it can only: ");
    parts.map_or(summary, |(asked, _)| asked)
}
