//! `portcullis actions result`.

use clap::Args;
use portcullis_core::paging::{Gathering, Page};
use portcullis_core::pointer::Pointer;
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::console::Console;
use super::super::failure::Failure;
use super::super::output::{Report, field, short};
use super::settled::{Reader, result_command};

/// Pages after which somebody who waits is told how far it is.
const PAGES_BETWEEN_TELLING: usize = 25;

/// `actions result`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct ReadResult {
    /// The invocation.
    id: String,
    /// Which part: a JSON Pointer, such as /issues/0/description.
    #[arg(
        long,
        value_name = "POINTER",
        default_value = "",
        hide_default_value = true
    )]
    pointer: Pointer,
    /// How many items, members or characters of it to skip.
    #[arg(long, value_name = "N", conflicts_with = "all")]
    offset: Option<u64>,
    /// How many to show at most [default: as many as fit into 10 KB].
    #[arg(long, value_name = "N", conflicts_with = "all",
        value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Everything, put together from as many pages as it takes.
    #[arg(long)]
    all: bool,
}

const HELP: &str = "\
What an action answers is shortened to 10 KB; for a while the gateway keeps the
whole, which this reads a page at a time. `nextOffset` of a page is the offset of
the next; what `cut` names did not fit, and has pages of its own: ask with it as
the pointer. --all does all that, and prints the value alone.

Examples:
  portcullis actions result 81ee3a0c-0a3b-46df-97ed-e7896052fa0f
  portcullis actions result 81ee3a0c-0a3b-46df-97ed-e7896052fa0f --pointer /issues --offset 20
  portcullis actions result 81ee3a0c-0a3b-46df-97ed-e7896052fa0f --all | jq '.issues | length'";

impl ReadResult {
    pub(super) async fn run(
        self,
        console: &mut Console,
        client: &Client,
        session: &str,
    ) -> Result<Report, Failure> {
        let path = [session, "actions", "invocations", &self.id, "result"];
        if self.all {
            let value = gather(console, client, &path, self.pointer).await?;
            let text = shown(&value);
            return Ok(Report::new(value).text(text));
        }
        let mut query = vec![("pointer", self.pointer.to_string())];
        let numbers = [("offset", self.offset), ("limit", self.limit)];
        let numbers = numbers.map(|(name, number)| Some((name, number?.to_string())));
        query.extend(numbers.into_iter().flatten());
        let answer = client.get(&path, &query).await?;
        let text = shown(answer.get("value").unwrap_or(&Value::Null));
        let more = self.more(&answer);
        let report = Report::new(answer).text(text);
        Ok(match more {
            Some(more) => report.note(more),
            None => report,
        })
    }

    /// Where to read on.
    fn more(&self, answer: &Value) -> Option<String> {
        let invocation = json!({ "id": self.id });
        let command = result_command(Reader::Agent, &invocation);
        if let Some(cut) = answer.pointer("/cut/0").and_then(Value::as_str) {
            return Some(format!(
                "{cut} is not shown as a whole: `{command} --pointer '{cut}'` reads it"
            ));
        }
        let next = answer.get("nextOffset")?.as_u64()?;
        let total = short(answer, "total");
        let pointer = match self.pointer.as_str() {
            "" => String::new(),
            pointer => format!(" --pointer '{pointer}'"),
        };
        Some(format!(
            "{next} of {total} so far: `{command}{pointer} --offset {next}` reads on, --all reads \
             everything"
        ))
    }
}

/// Text as it is, anything else as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => format!("{other:#}"),
    }
}

/// Reads everything that stands there.
async fn gather(
    console: &mut Console,
    client: &Client,
    path: &[&str],
    at: Pointer,
) -> Result<Value, Failure> {
    let mut gathering = Gathering::of(at);
    let mut pages = 0_usize;
    while let Some(wanted) = gathering.wanted() {
        let query = [
            ("pointer", wanted.pointer.to_string()),
            ("offset", wanted.offset.to_string()),
        ];
        let answer = client.get(path, &query).await?;
        if names_nothing(&answer) {
            return Err(Failure::other(format!(
                "a name within `{}` is too long to be asked for",
                wanted.pointer
            ))
            .hint("read the parts beside it with --pointer"));
        }
        let page = page(answer).ok_or_else(no_page)?;
        gathering.take(page).map_err(|_| no_page())?;
        pages += 1;
        if pages.is_multiple_of(PAGES_BETWEEN_TELLING) {
            console.notice(&format!("read {pages} pages\n"));
        }
    }
    gathering.into_value().ok_or_else(no_page)
}

fn no_page() -> Failure {
    Failure::other("the gateway's answers do not make up a result")
        .hint("this command may be older than the gateway")
}

/// Whether a page shows nothing and names nothing, although there is more: of a
/// member whose name is too long.
fn names_nothing(answer: &Value) -> bool {
    let is = |name, value| answer.get(name) == Some(&value);
    is("truncated", true.into()) && is("cut", json!([])) && is("value", json!({}))
}

/// Reads a page; `None` when it is none.
fn page(mut answer: Value) -> Option<Page> {
    let number = |value: &Value| value.as_u64().and_then(|number| number.try_into().ok());
    let next_offset = match answer.get("nextOffset")? {
        Value::Null => None,
        next => Some(number(next)?),
    };
    let cut = match answer.get("cut")?.as_array()?.as_slice() {
        [] => None,
        [cut] => Some(cut.as_str()?.parse().ok()?),
        _ => return None,
    };
    Some(Page {
        total: answer.get("total").and_then(number),
        value: answer.get_mut("value")?.take(),
        next_offset,
        cut,
    })
}

/// Where the whole of a shortened result can be read; `None` of one that is whole,
/// or is not kept. `document` has `fullResult` beside the result.
pub(in crate::cli) fn whereabouts(
    reader: Reader,
    invocation: &Value,
    document: &Value,
) -> Option<String> {
    let full = document.get("fullResult")?;
    let command = result_command(reader, invocation);
    let (bytes, until) = (field(full, "bytes"), short(full, "expiresAt"));
    let what = match full.get("complete") {
        Some(Value::Bool(false)) => "more of it",
        _ => "all of it",
    };
    Some(format!(
        "{what}, {bytes} bytes, can be read until {until}: {command}"
    ))
}
