//! `portcullis org approvals`.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::super::caller::OfOrg;
use super::super::console::Console;
use super::super::failure::Failure;
use super::super::output::Report;
use super::super::times::{in_units, parse_seconds};

/// `org approvals`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Approvals {
    #[command(flatten)]
    of: OfOrg,
    /// The organization, as --org names it.
    #[arg(value_name = "ORG", conflicts_with = "org")]
    named: Option<String>,
    /// How long what agents of people ask for waits, such as 90s, 10m or 24h.
    #[arg(long, value_name = "TIME", value_parser = parse_seconds)]
    interactive: Option<u32>,
    /// How long what runs of automations ask for waits.
    #[arg(long, value_name = "TIME", value_parser = parse_seconds)]
    automation: Option<u32>,
    /// Leave this time to the gateway's configuration again; may be given twice.
    #[arg(long, value_enum, value_name = "WHICH")]
    default: Vec<Which>,
}

/// One of the two times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Interactive,
    Automation,
}

const HELP: &str = "\
What needs a person waits this long, then it expires and nothing is done. What
waits already keeps its end. Without options the times are shown.

Examples:
  portcullis org approvals acme
  portcullis org approvals acme --interactive 10m --automation 24h
  portcullis org approvals acme --default interactive

PORTCULLIS_OPERATOR_KEY is used where it is set, else the user token in
PORTCULLIS_TOKEN; setting takes an owner or admin.";

impl Which {
    /// The field of the gateway's object.
    const fn field(self) -> &'static str {
        match self {
            Self::Interactive => "interactiveSeconds",
            Self::Automation => "automationSeconds",
        }
    }
}

impl Approvals {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let changes = self.changes()?;
        let (client, org) = self.of.manager_of(console, self.named)?;
        let path = ["v1", "orgs", &org, "approvals"];
        let mut times = client.get(&path, &[]).await?;
        if changes.is_empty() {
            return Ok(shown(times));
        }
        // Both are set at once: what is not named stays what it is.
        if let Some(fields) = times.as_object_mut() {
            for (which, seconds) in changes {
                fields.insert(which.field().to_owned(), json!(seconds));
            }
        }
        let times = client.put(&path, &times).await?;
        Ok(shown(times).note("note: what waits already keeps its end"))
    }

    /// Each time that is to be another one; `None` leaves it to the configuration.
    fn changes(&self) -> Result<Vec<(Which, Option<u32>)>, Failure> {
        let mut changes = Vec::new();
        for (which, seconds) in [
            (Which::Interactive, self.interactive),
            (Which::Automation, self.automation),
        ] {
            match (seconds, self.default.contains(&which)) {
                (Some(_), true) => {
                    let message = "a time is either set or left to the configuration, not both";
                    return Err(Failure::usage(message));
                }
                (Some(seconds), false) => changes.push((which, Some(seconds))),
                (None, true) => changes.push((which, None)),
                (None, false) => {}
            }
        }
        Ok(changes)
    }
}

fn shown(times: Value) -> Report {
    let shown = |which: Which| {
        let seconds = times.get(which.field()).and_then(Value::as_u64);
        seconds.map_or_else(
            || "as long as the gateway's configuration says".to_owned(),
            in_units,
        )
    };
    let fields = vec![
        ("interactive sessions".to_owned(), shown(Which::Interactive)),
        ("automation runs".to_owned(), shown(Which::Automation)),
    ];
    Report::new(times).fields(fields)
}
