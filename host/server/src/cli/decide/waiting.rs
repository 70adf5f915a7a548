//! What waits, and which of it somebody means.

use serde_json::Value;

use super::super::client::Client;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::field;

/// As many as a gateway hands out at once.
const PAGE: usize = 100;

/// Pages that are read. Nobody decides about more requests than these hold.
const MAX_PAGES: usize = 10;

/// Characters of a whole id.
const ID_CHARS: usize = 36;

/// As many characters as the list of what waits shows.
pub(in crate::cli) const SHORT_CHARS: usize = 8;

/// As many ids as a hint names.
const MAX_NAMED: usize = 5;

/// The requests below this list of invocations that wait, oldest first.
pub(in crate::cli) async fn waiting(client: &Client, list: &[&str]) -> Result<Vec<Value>, Failure> {
    let mut found: Vec<Value> = Vec::new();
    for number in 0..MAX_PAGES {
        let page = page(client, list, Some("pending"), number * PAGE).await?;
        let is_last = page.len() < PAGE;
        found.extend(page);
        if is_last {
            break;
        }
    }
    // Those whose time is over may be in the list until somebody tidies.
    found.retain(|invocation| field(invocation, "status") == "pending");
    found.reverse();
    Ok(found)
}

async fn page(
    client: &Client,
    list: &[&str],
    status: Option<&str>,
    offset: usize,
) -> Result<Vec<Value>, Failure> {
    let mut query = vec![("limit", PAGE.to_string()), ("offset", offset.to_string())];
    query.extend(status.map(|status| ("status", status.to_owned())));
    match client.get(list, &query).await? {
        Value::Object(mut answer) => match answer.remove("invocations") {
            Some(Value::Array(invocations)) => Ok(invocations),
            _ => Ok(Vec::new()),
        },
        _ => Ok(Vec::new()),
    }
}

/// One invocation of a session, without its result.
pub(in crate::cli) async fn find_in_session(
    client: &Client,
    session: &str,
    id: &str,
) -> Result<Value, Failure> {
    let path = [session, "actions", "invocations", id];
    let invocation = match client.get(&path, &[]).await? {
        Value::Object(mut answer) => answer.remove("invocation"),
        _ => None,
    };
    let mut invocation =
        invocation.ok_or_else(|| Failure::other("the answer holds no invocation"))?;
    if let Some(fields) = invocation.as_object_mut() {
        fields.shift_remove("result");
    }
    Ok(invocation)
}

/// Reads an id, or how one begins.
pub(in crate::cli) fn parse_id(text: &str) -> Result<String, String> {
    let is_of_an_id = |c: char| c.is_ascii_hexdigit() || c == '-';
    if (SHORT_CHARS..=ID_CHARS).contains(&text.len()) && text.chars().all(is_of_an_id) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(format!(
        "must be the id of a request, or its first {SHORT_CHARS} characters at least"
    ))
}

/// The one invocation that somebody means by its id, or by how that begins.
///
/// What waits comes first. Of what does not wait any more the newest are looked
/// through, so that the gateway can tell what became of it.
pub(in crate::cli) async fn find(
    client: &Client,
    org: &str,
    session: Option<&str>,
    id: &str,
) -> Result<Value, Failure> {
    let list = match session {
        Some(session) if id.len() == ID_CHARS => {
            return find_in_session(client, session, id).await;
        }
        Some(session) => vec![session, "actions", "invocations"],
        None => vec!["v1", "orgs", org, "invocations"],
    };
    let waiting = waiting(client, &list).await?;
    if let Some(found) = the_one(waiting, id)? {
        return Ok(found);
    }
    let newest = page(client, &list, None, 0).await?;
    the_one(newest, id)?.ok_or_else(|| {
        Failure::new(
            Exit::Refused,
            "not_found",
            format!("no request that waits has the id {id}"),
        )
        .hint("`portcullis inbox --once` lists what waits")
    })
}

fn the_one(invocations: Vec<Value>, id: &str) -> Result<Option<Value>, Failure> {
    let begins = |invocation: &Value| field(invocation, "id").starts_with(id);
    let mut found: Vec<_> = invocations.into_iter().filter(begins).collect();
    if found.len() > 1 {
        return Err(ambiguous(id, &found));
    }
    Ok(found.pop())
}

fn ambiguous(id: &str, found: &[Value]) -> Failure {
    let ids: Vec<_> = found
        .iter()
        .take(MAX_NAMED)
        .map(|invocation| field(invocation, "id"))
        .collect();
    Failure::new(
        Exit::Refused,
        "ambiguous",
        format!("{} requests have an id that begins with {id}", found.len()),
    )
    .hint(format!("give more of it: {}", ids.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "81ee3a0c-0a3b-46df-97ed-e7896052fa0f";

    #[test]
    fn an_id_may_be_cut_but_not_too_short() {
        for text in [ID, "81ee3a0c", "81EE3A0C", "81ee3a0c-0a3"] {
            assert_eq!(parse_id(text), Ok(text.to_lowercase()));
        }
        for text in ["", "81ee3a0", "81ee3a0x", "../../../..", &format!("{ID}0")] {
            assert!(parse_id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_begins_so_must_be_one() {
        let other = "81ee3a0c-0000-4000-8000-000000000000";
        let both = || vec![json!({ "id": ID }), json!({ "id": other })];
        assert_eq!(the_one(both(), ID).unwrap().unwrap()["id"], ID);
        assert_eq!(the_one(both(), "00000000").unwrap(), None);
        let told = the_one(both(), "81ee3a0c").unwrap_err();
        assert_eq!(told.exit, Exit::Refused);
        for id in [ID, other] {
            assert!(told.text().contains(id), "{}", told.text());
        }
    }
}
