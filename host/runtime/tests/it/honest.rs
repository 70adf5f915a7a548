//! Every behaviour in one sandbox, and an honest call beside and after each.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use portcullis_core::invocation::FailureCode;
use portcullis_core::plugin::{ConnectionType, CredentialForm, CredentialRule, Endpoint};
use portcullis_runtime::{CallReport, Compiled, Compiler, Outcome, Plugin, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::behaviours::{self, Behaviour, Ends, Made};
use crate::harness::{Answers, Guest, Untouched, egress_client, ok_response, probe_that};

/// What the requests of [`Made::Requests`] would go out with.
pub(crate) const TOKEN: &str = "sk_live_7Qx2Zk9vTq4LmW8sRb3";

/// The limits under which behaviours are made: the usual ones, where reaching them
/// takes no time.
fn limits(config: &mut SandboxConfig) {
    config.queue_timeout = Duration::from_mins(1);
    config.limits.cpu_time = Duration::from_millis(50);
    config.limits.memory_bytes = 32 << 20;
}

/// For guests that use up their deadline. A wait is refused that leaves less than a
/// second of it, so it is a little more than that.
fn short_deadline(config: &mut SandboxConfig) {
    config.limits.deadline = Duration::from_millis(1_100);
    config.limits.cpu_time = Duration::from_mins(10);
}

#[tokio::test]
async fn after_every_behaviour_an_honest_call_works() {
    let stage = Stage::set().await;
    let mut ends = Vec::new();
    for behaviour in behaviours::all() {
        ends.push(stage.perform(&behaviour).await);
        stage.assert_honest_call_works(behaviour.name).await;
    }
    assert_as_told(ends);
}

#[tokio::test]
async fn beside_every_behaviour_at_full_capacity_an_honest_call_works() {
    let stage = Stage::set().await;
    let mut ends = Vec::new();
    for behaviour in behaviours::all() {
        let attacks = (0..stage.places()).map(|_| stage.perform(&behaviour));
        let honest = stage.assert_honest_call_works(behaviour.name);
        let (some_ends, ()) = tokio::join!(join_all(attacks), honest);
        ends.extend(some_ends);
    }
    assert_as_told(ends);
}

#[tokio::test]
async fn beside_all_behaviours_at_once_honest_calls_work() {
    let stage = Stage::set().await;
    let all = behaviours::all();
    let attacks = all.iter().map(|behaviour| stage.perform(behaviour));
    let honest = (0..20).map(|_| stage.assert_honest_call_works("all at once"));
    let (ends, _) = tokio::join!(join_all(attacks), join_all(honest));
    assert_as_told(ends);
}

/// All that ended otherwise, at once.
#[track_caller]
fn assert_as_told(ends: Vec<End>) {
    let surprises: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// The end that the row of a behaviour tells, or what happened instead.
type End = Result<(), String>;

/// One sandbox and those who perform in it.
struct Stage {
    /// The probe, whose requests are answered at once.
    probe: Guest,
    /// The probe, whose requests would reach a listener.
    sender: Guest,
    /// The probe in a sandbox with a deadline that tests can wait for.
    hasty: Guest,
    listener: Untouched,
}

impl Stage {
    async fn set() -> Self {
        let answers = || Answers(|_| Ok(ok_response("")));
        let probe = Guest::probe_with(limits).await.outbound(answers());
        let hasty = Guest::probe_with(short_deadline).await.outbound(answers());
        let listener = Untouched::new();
        let sender = probe.clone();
        let sender = sender.through_egress(&listener.origin(), TOKEN, set_credential_forms);
        Self {
            probe,
            sender,
            hasty,
            listener,
        }
    }

    fn places(&self) -> u32 {
        self.probe.sandbox.config().concurrent_calls
    }

    async fn assert_honest_call_works(&self, after: &str) {
        let params = json!({ "after": after });
        assert_eq!(self.probe.result("echo", params.clone()).await, params);
    }

    /// Makes a behaviour and expects the end that its row tells.
    async fn perform(&self, behaviour: &Behaviour) -> End {
        let Behaviour { name, tries, .. } = behaviour;
        let end = self.end_of(behaviour).await;
        end.map_err(|found| format!("`{name}`, which {tries}: {found:.600}"))
    }

    async fn end_of(&self, behaviour: &Behaviour) -> End {
        let ends = behaviour.ends;
        match behaviour.made {
            Made::Attack => {
                let guest = self.guest_for(ends);
                let (action, params) = attack(&guest.plugin, behaviour.name);
                end(ends, &guest.call(&action, params).await)
            }
            Made::Manner(phrase) => {
                let bytes = probe_that(phrase);
                self.load_and_call(behaviour, bytes, "echo").await
            }
            Made::Component(make) => self.load_and_call(behaviour, make(), "anything").await,
            Made::Requests(make) => {
                for request in make() {
                    self.send(request, ends).await?;
                }
                Ok(())
            }
            Made::InTests => Ok(()),
        }
    }

    fn guest_for(&self, ends: Ends) -> &Guest {
        match ends {
            Ends::Stopped(FailureCode::DeadlineExceeded, _) => &self.hasty,
            _ => &self.probe,
        }
    }

    async fn load_and_call(&self, behaviour: &Behaviour, bytes: Vec<u8>, action: &str) -> End {
        match (self.load(behaviour.name, bytes).await, behaviour.ends) {
            (Err(text), Ends::NotLoaded(words)) => told(text.contains(words), &text),
            (Err(text), _) => Err(text),
            (Ok(_), Ends::NotLoaded(_)) => Err("it was loaded".to_owned()),
            (Ok(plugin), ends) => {
                let guest = self.probe.beside(plugin);
                end(ends, &guest.call(action, json!({})).await)
            }
        }
    }

    async fn load(&self, name: &'static str, bytes: Vec<u8>) -> Result<Plugin, String> {
        let sandbox = &self.probe.sandbox;
        let compiled = compiled(sandbox, name, bytes).await?;
        let plugin = Plugin::from_compiled(sandbox, compiled, egress_client());
        plugin.await.map_err(|error| error.to_string())
    }

    async fn send(&self, request: Value, ends: Ends) -> End {
        let shown = request.to_string();
        let answer = match self.sender.call("fetch", request).await.outcome {
            Outcome::Completed(answer) => answer,
            other => return Err(format!("{other:?} for {shown:.300}")),
        };
        let kind = match ends {
            Ends::NotSent(kind) => format!("ErrorKind::{kind}"),
            _ => "a row of requests that are not sent".to_owned(),
        };
        let error = &answer["error"];
        let is_told = error["kind"] == kind && error["request_sent"] == false;
        let shows_token = answer.to_string().contains(TOKEN);
        self.listener.assert_untouched(&shown);
        told(
            is_told && !shows_token,
            &format!("{answer:.300} for {shown:.300}"),
        )
    }
}

/// Compiles the component of a behaviour, once for all tests: that is most of what they
/// take.
async fn compiled(
    sandbox: &Sandbox,
    name: &'static str,
    bytes: Vec<u8>,
) -> Result<Compiled, String> {
    static CELLS: LazyLock<Mutex<HashMap<&str, Arc<CompiledOnce>>>> = LazyLock::new(Mutex::default);
    let cell = Arc::clone(CELLS.lock().unwrap().entry(name).or_default());
    let compiling = async {
        let compiled = Compiler::in_process().compile(sandbox, bytes).await;
        compiled.map_err(|error| error.to_string())
    };
    cell.get_or_init(|| compiling).await.clone()
}

type CompiledOnce = OnceCell<Result<Compiled, String>>;

fn told(is_told: bool, found: &str) -> End {
    is_told.then_some(()).ok_or_else(|| found.to_owned())
}

/// `api` gets it as a parameter, `open` as a header.
fn set_credential_forms(endpoints: &mut [Endpoint]) {
    let forms = [
        CredentialForm::Query("api_key".to_owned()),
        CredentialForm::Header {
            name: "x-api-key".to_owned(),
            prefix: String::new(),
        },
    ];
    for (endpoint, form) in endpoints.iter_mut().zip(forms) {
        endpoint.credentials = vec![CredentialRule {
            connection: ConnectionType::ApiKey,
            form,
        }];
    }
}

/// The action and the params of an attack.
fn attack(probe: &Plugin, name: &str) -> (String, Value) {
    let mut actions = probe.actions().iter();
    let found = actions.find_map(|action| {
        let mut examples = action.definition.examples.iter();
        let example = examples.find(|example| example.title == name)?;
        Some((action.definition.id.to_string(), example.params.clone()))
    });
    found.unwrap_or_else(|| panic!("the probe has no attack `{name}`"))
}

/// Whether a call has ended as a row tells.
fn end(ends: Ends, report: &CallReport) -> End {
    let is_told = match (ends, &report.outcome) {
        (Ends::Completed, Outcome::Completed(_)) => true,
        (Ends::Failed(expected), Outcome::Failed(error)) => {
            error.code == expected && error.message.len() <= 4096
        }
        (Ends::Stopped(expected, words), Outcome::Stopped { code, message }) => {
            *code == expected && message.contains(words)
        }
        _ => false,
    };
    told(is_told, &format!("{:?}", report.outcome))
}
