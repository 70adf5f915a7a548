//! `portcullis connection`.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use portcullis_core::plugin::ConnectionType;
use serde_json::{Map, Value, json};

use super::caller::OfOrg;
use super::console::{Console, read_bounded};
use super::failure::Failure;
use super::output::Report;
use crate::config::Secret;

/// Bytes of a credential. The longest we know, JWTs, have a few KB.
const MAX_TOKEN_BYTES: usize = 64 << 10;

/// `connection`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Connections {
    #[command(flatten)]
    of: OfOrg,
    #[command(subcommand)]
    act: Act,
}

const HELP: &str = "\
A connection is a credential for a provider: the organization's, or one user's.
The gateway encrypts it and shows it to nobody.

The credential is read from standard input, from --token-file, or typed at a
prompt without echo. It is never an argument: arguments show in the process list
and stay in the shell's history.

Examples:
  portcullis connection create --org acme --provider linear < token.txt
  portcullis connection list --org acme
  portcullis connection rotate ID --org acme --token-file new-token.txt
  portcullis connection remove ID --org acme

PORTCULLIS_OPERATOR_KEY is used where it is set, else the user token in
PORTCULLIS_TOKEN.";

#[derive(Debug, Subcommand)]
enum Act {
    /// Store a credential.
    #[command(after_help = "\
Examples:
  portcullis connection create --org acme --provider linear < token.txt
  portcullis connection create --org acme --provider linear --user ada --token-file ada.txt")]
    Create(Create),
    /// List the connections, without their credentials.
    #[command(after_help = "\
Example:
  portcullis connection list --org acme")]
    List,
    /// Replace a connection's credential.
    #[command(after_help = "\
Example:
  portcullis connection rotate ID --org acme < new-token.txt")]
    Rotate(Rotate),
    /// Forget a connection.
    #[command(after_help = "\
Example:
  portcullis connection remove ID --org acme")]
    Remove {
        /// The connection.
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// The provider, as `portcullis plugin list` shows it.
    #[arg(long, value_name = "PROVIDER")]
    provider: String,
    /// The person it belongs to [default: it is the organization's].
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// What kind of credential it is [default: the provider's likeliest].
    #[arg(long = "type", value_name = "TYPE", value_parser = connection_types())]
    kind: Option<String>,
    #[command(flatten)]
    credential: CredentialArgs,
}

#[derive(Debug, Args)]
struct Rotate {
    /// The connection.
    id: String,
    #[command(flatten)]
    credential: CredentialArgs,
}

#[derive(Debug, Args)]
struct CredentialArgs {
    /// A file that holds the credential and nothing else.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where an endpoint of the provider is, if elsewhere than usual.
    #[arg(long = "base-url", value_name = "ENDPOINT=URL", value_parser = parse_base_url)]
    base_urls: Vec<(String, String)>,
}

fn connection_types() -> clap::builder::PossibleValuesParser {
    let usable = ConnectionType::ALL
        .iter()
        .filter(|kind| **kind != ConnectionType::None);
    clap::builder::PossibleValuesParser::new(usable.map(|kind| kind.as_str()))
}

fn parse_base_url(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, url)) if !name.is_empty() && !url.is_empty() => {
            Ok((name.to_owned(), url.to_owned()))
        }
        _ => Err("must be the endpoint's name and its URL, such as api=https://…".to_owned()),
    }
}

impl Connections {
    pub(super) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        let (client, org) = self.of.manager(console)?;
        let path = ["v1", "orgs", &org, "connections"];
        match self.act {
            Act::Create(create) => {
                let body = create.body(console)?;
                Ok(Report::object(client.post(&path, &body).await?))
            }
            Act::List => {
                let columns = [
                    ("ID", "id"),
                    ("PROVIDER", "provider"),
                    ("USER", "userId"),
                    ("TYPE", "connectionType"),
                    ("STATUS", "status"),
                    ("UPDATED", "updatedAt"),
                ];
                let empty = "There is no connection yet; `portcullis connection create` makes one.";
                let answer = client.get(&path, &[]).await?;
                Ok(Report::list(answer, "connections", &columns, empty))
            }
            Act::Rotate(rotate) => {
                let credential = rotate.credential.read(console)?;
                let body = match rotate.credential.base_urls() {
                    Some(urls) => json!({ "credential": credential, "baseUrls": urls }),
                    None => json!({ "credential": credential }),
                };
                let path = ["v1", "orgs", &org, "connections", &rotate.id];
                Ok(Report::object(client.put(&path, &body).await?))
            }
            Act::Remove { id } => {
                let path = ["v1", "orgs", &org, "connections", &id];
                client.delete(&path).await?;
                Ok(Report::done(format!("The connection {id} is forgotten.")))
            }
        }
    }
}

impl Create {
    fn body(self, console: &mut Console) -> Result<Value, Failure> {
        let mut credential = self.credential.read(console)?;
        if let (Some(kind), Some(fields)) = (self.kind, credential.as_object_mut()) {
            fields.insert("connectionType".to_owned(), kind.into());
        }
        let urls = self.credential.base_urls();
        Ok(json!({
            "provider": self.provider,
            "userId": self.user,
            "credential": credential,
            "baseUrls": urls.unwrap_or_else(|| json!({})),
        }))
    }
}

impl CredentialArgs {
    fn read(&self, console: &mut Console) -> Result<Value, Failure> {
        let token = Secret::new(match &self.token_file {
            Some(file) => read_file(file)?,
            None => console.read_hidden("Token", MAX_TOKEN_BYTES)?,
        });
        let token = token.expose().trim();
        if token.is_empty() {
            return Err(Failure::usage("the token is empty").hint(
                "pipe it in, name a file with --token-file, or type it at the prompt of a terminal",
            ));
        }
        Ok(json!({ "type": "token", "token": token }))
    }

    /// `None` when nothing was said about them.
    fn base_urls(&self) -> Option<Value> {
        if self.base_urls.is_empty() {
            return None;
        }
        let urls = self.base_urls.iter();
        let urls: Map<_, _> = urls
            .map(|(name, url)| (name.clone(), Value::from(url.as_str())))
            .collect();
        Some(Value::Object(urls))
    }
}

fn read_file(path: &Path) -> Result<String, Failure> {
    let what = format!("--token-file {}", path.display());
    let mut file = File::open(path)
        .map_err(|error| Failure::usage(format!("{what} cannot be read: {error}")))?;
    read_bounded(&mut file, &what, MAX_TOKEN_BYTES)
}
