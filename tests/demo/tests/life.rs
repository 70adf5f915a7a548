//! The demo as a process: what it prints, how it ends, what it leaves.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first surprise, in its helpers too"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

use portcullis_test_canary::{Place, canaries};
use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

/// The folder that `cargo xtask test` fills.
const PLUGINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/plugins");

/// A demo whose temporary folder we can look into.
struct Demo {
    process: Child,
    stdout: BufReader<ChildStdout>,
    stderr: NamedTempFile,
    temporary: TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        assert!(
            Path::new(PLUGINS).is_dir(),
            "run `cargo xtask plugins` first"
        );
        let temporary = tempfile::tempdir().unwrap();
        let stderr = NamedTempFile::new().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_portcullis-demo"))
            .args(["--plugins", PLUGINS, "--port", "0"])
            .args(arguments)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr.reopen().unwrap())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Self {
            process,
            stdout,
            stderr,
            temporary,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        expect_no_credential("stdout", &line);
        line
    }

    fn lines_until(&mut self, last: &str) -> String {
        let mut text = String::new();
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "there is no line with {last} in {text}");
            text.push_str(&line);
            if line.contains(last) {
                return text;
            }
        }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} {}", self.process.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end; the status and what else was printed.
    fn end(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        expect_no_credential("stdout", &rest);
        let status = self.process.wait().unwrap();
        let log = std::fs::read_to_string(self.stderr.path()).unwrap();
        expect_no_credential("stderr", &log);
        let left = std::fs::read_dir(self.temporary.path()).unwrap().count();
        assert_eq!(left, 0, "files were left behind");
        (status, rest)
    }
}

/// Those of the demo's connections can be recognised.
#[track_caller]
fn expect_no_credential(name: &str, printed: &str) {
    canaries().look_and_expect_nothing(Place::Output, name, printed.as_bytes());
}

/// A test that fails leaves no process behind.
impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn json_is_one_line_and_the_demo_ends_cleanly_on_a_signal() {
    for signal in ["INT", "TERM"] {
        let mut demo = Demo::start(&["--json"]);
        let ready = serde_json::from_str::<Value>(&demo.line()).unwrap();
        for field in ["url", "operatorKey", "orgId", "sessionId"] {
            assert!(ready[field].is_string(), "{field} is missing in {ready}");
        }
        for field in ["sandboxToken", "adminToken", "memberToken"] {
            assert!(ready[field].is_string(), "{field} is missing in {ready}");
        }
        let upstreams = ready["upstreams"].as_object().unwrap();
        assert!(upstreams.keys().eq(["linear", "sentry", "slack"]));
        for url in upstreams.values() {
            assert!(url.as_str().unwrap().starts_with("http://127.0.0.1:"));
        }
        demo.signal(signal);
        let (status, rest) = demo.end();
        assert_eq!((status.code(), rest.as_str()), (Some(0), ""), "SIG{signal}");
    }
}

#[tokio::test]
async fn the_calls_of_the_tour_work() {
    let mut demo = Demo::start(&[]);
    let tour = demo.lines_until("Press Ctrl-C");
    let (before, after) = tour.split_once("Approve the one request").unwrap();
    let agent = Agent::of(&tour);
    let answers = agent.walk(before, &["update_issue"]).await;
    assert_eq!(answers.len(), 5);
    assert!(answers[2].contains("Hello from an agent"), "{}", answers[2]);
    assert!(answers[3].contains("WEB-1"), "{}", answers[3]);
    // What waits since the last of them is approved as the tour says.
    let approved = serde_json::from_str::<Value>(&paste_commands(&tour)).unwrap();
    assert_eq!(approved["invocation"]["action"], "update_issue");
    assert_eq!(approved["result"]["issue"]["priority"], 1);
    assert_eq!(agent.walk(after, &["send_message"]).await.len(), 1);
    // Creating an issue asks for its team first; nobody has approved the message.
    for (url, received) in quoted(&tour, "curl -sS 'http").zip([5, 1, 0]) {
        let answer = agent.client.get(format!("http{url}")).send().await;
        let text = answer.unwrap().text().await.unwrap();
        let requests = serde_json::from_str::<Vec<Value>>(&text).unwrap();
        assert_eq!(requests.len(), received, "{text}");
        assert!(requests.iter().all(|request| request["authorized"] == true));
    }
    demo.signal("INT");
    assert_eq!(demo.end().0.code(), Some(0));
}

/// Whoever pastes the tour's calls.
struct Agent<'a> {
    client: reqwest::Client,
    actions: &'a str,
    token: &'a str,
}

impl<'a> Agent<'a> {
    fn of(tour: &'a str) -> Self {
        Self {
            client: client(),
            actions: quoted(tour, "ACTIONS='").next().unwrap(),
            token: quoted(tour, "TOKEN='").next().unwrap(),
        }
    }

    /// Makes every call of a part of the tour; those of these actions wait for a person.
    async fn walk(&self, tour: &str, waiting: &[&str]) -> Vec<String> {
        let mut answers = Vec::new();
        for body in quoted(tour, "-d '") {
            let request = self.client.post(format!("{}/invoke", self.actions));
            let request = request.bearer_auth(self.token);
            let request = request.header("content-type", "application/json");
            let response = request.body(body.to_owned()).send().await.unwrap();
            let (status, text) = (response.status(), response.text().await.unwrap());
            let waits = waiting.iter().any(|action| body.contains(action));
            let expected = if waits { 202 } else { 200 };
            assert_eq!(status, expected, "{body} is answered {text}");
            canaries().look_and_expect_nothing(Place::Answer, "an answer", text.as_bytes());
            answers.push(text);
        }
        answers
    }
}

/// Pastes the tour's commands of the gateway's own program into a shell, but for
/// the one that asks questions; what they print.
fn paste_commands(tour: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_portcullis-demo")).with_file_name("portcullis");
    let hint = "run `cargo build --workspace --bin portcullis` first";
    assert!(program.is_file(), "{hint}");
    let lines = tour.lines().map(str::trim).filter(|line| {
        let is_ours = line.starts_with("portcullis") || line.starts_with("export PORTCULLIS_");
        is_ours && *line != "portcullis inbox"
    });
    let script = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(script.lines().count(), 3, "{script}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What stands between a prefix and the next single quote, for every line that has the prefix.
fn quoted<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .filter_map(move |line| line.split_once(prefix)?.1.split_once('\''))
        .map(|(value, _)| value)
}

fn client() -> reqwest::Client {
    // Another test of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis-demo"))
        .args(["--plugins", PLUGINS, "--port", &port])
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains(&format!("port {port} is taken")), "{error}");
    assert!(error.contains("--port 0"), "{error}");
}
