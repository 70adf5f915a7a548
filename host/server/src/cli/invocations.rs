//! `portcullis invocations`, and the arguments of every list of invocations.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use portcullis_core::invocation::InvocationStatus;
use serde_json::Value;

use super::caller::OfOrg;
use super::console::Console;
use super::failure::Failure;
use super::output::{Column, Report};

/// `invocations`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Invocations {
    #[command(flatten)]
    of: OfOrg,
    #[command(subcommand)]
    act: Act,
}

const HELP: &str = "\
Examples:
  portcullis invocations list --org acme
  portcullis invocations list --org acme --status pending

PORTCULLIS_OPERATOR_KEY is used where it is set, else the user token in
PORTCULLIS_TOKEN.";

#[derive(Debug, Subcommand)]
enum Act {
    /// What the organization's agents asked for, newest first.
    #[command(after_help = "\
Example:
  portcullis invocations list --org acme --status pending --limit 20")]
    List(Page),
}

/// Which part of a list.
#[derive(Debug, Args)]
pub(super) struct Page {
    /// Only those that stand so.
    #[arg(long, value_name = "STATUS", value_parser = statuses())]
    status: Option<String>,
    /// How many, 1 to 100 [default: 50].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: Option<u32>,
    /// How many to skip.
    #[arg(long, value_name = "N")]
    offset: Option<u32>,
}

fn statuses() -> PossibleValuesParser {
    PossibleValuesParser::new(InvocationStatus::ALL.iter().map(|status| status.as_str()))
}

impl Page {
    /// As the query of a request.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        [
            ("status", self.status.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("offset", self.offset.map(|offset| offset.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// The columns of a list of invocations.
pub(super) const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("SOURCE", "integration"),
    ("ACTION", "action"),
    ("STATUS", "status"),
    ("CREATED", "createdAt"),
];

/// A list of invocations, and how many more there are.
pub(super) fn page(answer: Value, columns: &[Column]) -> Report {
    let shown = answer.get("invocations").and_then(Value::as_array);
    let shown = shown.map_or(0, Vec::len);
    let total = answer.get("total").and_then(Value::as_u64).unwrap_or(0);
    let report = Report::list(answer, "invocations", columns, "There is no such request.");
    if total > shown as u64 {
        return report.text(format!(
            "\n{shown} of {total}; --limit and --offset show others."
        ));
    }
    report
}

impl Invocations {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let (client, org) = self.of.manager(console)?;
        let Act::List(list) = self.act;
        let path = ["v1", "orgs", &org, "invocations"];
        let answer = client.get(&path, &list.query()).await?;
        let mut columns = COLUMNS.to_vec();
        columns.push(("SESSION", "sessionTitle"));
        Ok(page(answer, &columns))
    }
}
