//! What the demo says when it is ready: a line for programs, or a tour for people.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

/// Everything a caller needs. Field names and their order are part of the
/// demo's interface.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Announcement {
    /// The gateway, without a slash at the end.
    pub(crate) url: String,
    /// Bearer token of the operator.
    pub(crate) operator_key: String,
    /// The organization.
    pub(crate) org_id: String,
    /// The agent's session.
    pub(crate) session_id: String,
    /// Bearer token of the agent in that session.
    pub(crate) sandbox_token: String,
    /// Bearer token of an admin of the organization.
    pub(crate) admin_token: String,
    /// Bearer token of a member of the organization.
    pub(crate) member_token: String,
    /// The fakes.
    pub(crate) upstreams: UpstreamUrls,
}

/// Where the fakes listen.
#[derive(Debug, Serialize)]
pub(crate) struct UpstreamUrls {
    /// Linear.
    pub(crate) linear: String,
    /// Sentry.
    pub(crate) sentry: String,
    /// Slack.
    pub(crate) slack: String,
}

/// Prints one line of JSON.
pub(crate) fn print_json(announcement: &Announcement) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string(announcement)?))
}

/// Prints what to try.
pub(crate) fn print_tour(announcement: &Announcement) -> anyhow::Result<()> {
    print(&tour(announcement, &command_line()?))
}

/// The gateway's own program, which is built into the same folder.
fn command_line() -> anyhow::Result<PathBuf> {
    let demo = std::env::current_exe().context("cannot tell where the demo is")?;
    Ok(demo.with_file_name("portcullis"))
}

/// A path as a word of a shell's command.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Writes and flushes: whoever waits for the line reads from a pipe.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("nobody reads our stdout")
}

/// The tour. Its tokens are of URL-safe characters, so single quotes hold them.
fn tour(announcement: &Announcement, command_line: &Path) -> String {
    let Announcement {
        url,
        operator_key,
        session_id,
        sandbox_token,
        admin_token,
        ..
    } = announcement;
    let command_line = quoted(command_line);
    let UpstreamUrls {
        linear,
        sentry,
        slack,
    } = &announcement.upstreams;
    format!(
        r#"
Portcullis is ready at {url}, with a fake Linear, Sentry and Slack behind it.

You are an agent in a session. Paste this first:

  ACTIONS='{url}/{session_id}/actions'
  TOKEN='{sandbox_token}'
  JSON='Content-Type: application/json'

What may I do?

  curl -sS "$ACTIONS/available" -H "Authorization: Bearer $TOKEN"

List issues in Linear, look at one, create one:

  curl -sS "$ACTIONS/invoke" -H "Authorization: Bearer $TOKEN" -H "$JSON" \
    -d '{{"integration":"linear","action":"list_issues","params":{{"first":3}}}}'

  curl -sS "$ACTIONS/invoke" -H "Authorization: Bearer $TOKEN" -H "$JSON" \
    -d '{{"integration":"linear","action":"get_issue","params":{{"issueId":"ENG-1"}}}}'

  curl -sS "$ACTIONS/invoke" -H "Authorization: Bearer $TOKEN" -H "$JSON" \
    -d '{{"integration":"linear","action":"create_issue","params":{{"teamId":"ENG","title":"Hello from an agent"}}}}'

What goes wrong, as Sentry tells it:

  curl -sS "$ACTIONS/invoke" -H "Authorization: Bearer $TOKEN" -H "$JSON" \
    -d '{{"integration":"sentry","action":"list_issues","params":{{"organization_slug":"acme","query":"is:unresolved"}}}}'

By default an action that writes waits for a person's approval. This demo lets
linear.create_issue through, and only that: changing one is answered with 202 and
stays pending.

  curl -sS "$ACTIONS/invoke" -H "Authorization: Bearer $TOKEN" -H "$JSON" \
    -d '{{"integration":"linear","action":"update_issue","params":{{"issueId":"ENG-1","priority":1}}}}'

You are also the admin who decides. Paste this first, here or in another terminal:

  export PORTCULLIS_URL='{url}' PORTCULLIS_TOKEN='{admin_token}'
  portcullis() {{ {command_line} "$@"; }}

Approve the one request that waits:

  portcullis approve "$(portcullis inbox --json | cut -d'"' -f4)"

Have the agent say something in Slack, which waits as well:

  curl -sS "$ACTIONS/invoke" -H "Authorization: Bearer $TOKEN" -H "$JSON" \
    -d '{{"integration":"slack","action":"send_message","params":{{"channel":"C1","text":"Hello from an agent"}}}}'

And sit at the inbox, where requests are announced as they come. Type the number of
one to see all about it, then a to approve it:

  portcullis inbox

What reached Linear, Sentry and Slack, and whether the credential was right:

  curl -sS '{linear}/__requests'
  curl -sS '{sentry}/__requests'
  curl -sS '{slack}/__requests'

The operator's key is {operator_key}

Press Ctrl-C to stop. Nothing is kept.
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement() -> Announcement {
        let text = str::to_owned;
        Announcement {
            url: text("http://127.0.0.1:8480"),
            operator_key: text("operator-key"),
            org_id: text("demo"),
            session_id: text("the-session"),
            sandbox_token: text("sandbox-token"),
            admin_token: text("admin-token"),
            member_token: text("member-token"),
            upstreams: UpstreamUrls {
                linear: text("http://127.0.0.1:9101"),
                sentry: text("http://127.0.0.1:9102"),
                slack: text("http://127.0.0.1:9103"),
            },
        }
    }

    #[test]
    fn the_line_has_the_documented_fields_in_order() {
        assert_eq!(
            serde_json::to_string(&announcement()).unwrap(),
            concat!(
                r#"{"url":"http://127.0.0.1:8480","operatorKey":"operator-key","orgId":"demo","#,
                r#""sessionId":"the-session","sandboxToken":"sandbox-token","#,
                r#""adminToken":"admin-token","memberToken":"member-token","#,
                r#""upstreams":{"linear":"http://127.0.0.1:9101","#,
                r#""sentry":"http://127.0.0.1:9102","slack":"http://127.0.0.1:9103"}}"#,
            ),
        );
    }

    #[test]
    fn the_tour_has_the_real_values_and_bodies_that_are_json() {
        let tour = tour(&announcement(), Path::new("/it's here/portcullis"));
        for part in [
            "ACTIONS='http://127.0.0.1:8480/the-session/actions'",
            "TOKEN='sandbox-token'",
            "'http://127.0.0.1:9101/__requests'",
            "'http://127.0.0.1:9102/__requests'",
            "'http://127.0.0.1:9103/__requests'",
            "operator-key",
            "export PORTCULLIS_URL='http://127.0.0.1:8480' PORTCULLIS_TOKEN='admin-token'\n",
            r#"portcullis() { '/it'\''s here/portcullis' "$@"; }"#,
        ] {
            assert!(tour.contains(part), "{part} is missing");
        }
        let bodies = tour.lines().filter_map(|line| line.split_once("-d '"));
        let parsed = bodies.map(|(_, body)| {
            serde_json::from_str::<serde_json::Value>(body.trim_end_matches('\'')).unwrap()
        });
        assert_eq!(parsed.count(), 6);
    }
}
