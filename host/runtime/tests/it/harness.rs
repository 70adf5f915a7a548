//! A sandbox, the probe in it, and what stands around them.

mod components;
mod log;
mod odd;
mod outbound;
mod server;
mod untouched;

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::id::OrganizationId;
use portcullis_core::invocation::{BaseUrls, FailureCode};
use portcullis_core::plugin::{ConnectionType, Endpoint};
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use portcullis_runtime::egress::{
    CallEgress, Credential, EgressClient, EgressLimits, SystemResolver,
};
use portcullis_runtime::{
    Call, CallReport, Compiler, GuestError, LoadError, Outbound, Outcome, Plugin, Sandbox,
    SandboxConfig, SandboxLoad,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub(crate) use components::{linear, probe, probe_that, probe_that_refers_to, renamed_probe};
pub(crate) use log::{LogLine, lines_with};
pub(crate) use odd::{OddGuest, StringEncoding};
pub(crate) use outbound::{Answers, Ending, Held, Silence, ok_response};
pub(crate) use server::Echo;
pub(crate) use untouched::Untouched;

/// What every call is told to be the time, in microseconds.
pub(crate) const NOW_MICROS: i64 = 1_795_253_400_000_000;

/// The idempotency key of every call.
pub(crate) const KEY: &str = "5f3b6c1e-8a37-4f0e-9d15-1c2b3a4d5e6f";

/// A small sandbox: four calls at a time on one thread.
pub(crate) fn config() -> SandboxConfig {
    SandboxConfig {
        concurrent_calls: 4,
        guest_threads: 1,
        epoch_tick: Duration::from_millis(2),
        ..SandboxConfig::default()
    }
}

/// A component in a sandbox of its own.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) sandbox: Sandbox,
    pub(crate) plugin: Plugin,
    outbound: Arc<dyn Outbound>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    redactor: Arc<Redactor>,
    organization: OrganizationId,
}

impl Guest {
    /// The probe with the usual limits.
    pub(crate) async fn probe() -> Self {
        Self::probe_with(|_| {}).await
    }

    /// The probe with limits of the test's own.
    pub(crate) async fn probe_with(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        Self::load(probe(), change).await.unwrap()
    }

    /// The probe where one call runs at a time, others wait for so long, and
    /// requests are held.
    pub(crate) async fn with_one_place(queue_timeout: Duration, held: &Held) -> Self {
        let guest = Self::probe_with(|config| {
            config.concurrent_calls = 1;
            config.queue_timeout = queue_timeout;
        });
        guest.await.outbound(held.clone())
    }

    /// Any component.
    pub(crate) async fn load(
        component: Vec<u8>,
        change: impl FnOnce(&mut SandboxConfig),
    ) -> Result<Self, LoadError> {
        let mut config = config();
        change(&mut config);
        let sandbox = Sandbox::new(config).unwrap();
        let plugin = Plugin::load(
            &sandbox,
            &Compiler::in_process(),
            component,
            egress_client(),
        )
        .await?;
        Ok(Self {
            sandbox,
            plugin,
            outbound: Arc::new(Silence),
            clock: Arc::new(|| Timestamp::from_micros(NOW_MICROS)),
            redactor: Arc::new(Redactor::keys_only()),
            organization: "acme".parse().unwrap(),
        })
    }

    /// The probe once more in the same sandbox, as another plugin: `probf`.
    pub(crate) async fn another_probe(&self) -> Self {
        let egress = self.plugin.egress().clone();
        let compiler = Compiler::in_process();
        let loaded = Plugin::load(&self.sandbox, &compiler, renamed_probe(), egress);
        self.beside(loaded.await.unwrap())
    }

    /// Another plugin in the same sandbox, with all else the same.
    pub(crate) fn beside(&self, plugin: Plugin) -> Self {
        Self {
            plugin,
            ..self.clone()
        }
    }

    /// The same plugin, called for another organization.
    pub(crate) fn of(&self, organization: &str) -> Self {
        Self {
            organization: organization.parse().unwrap(),
            ..self.clone()
        }
    }

    /// Lets others run until the sandbox is as busy as this.
    pub(crate) async fn until(&self, busy: impl Fn(SandboxLoad) -> bool) {
        while !busy(self.sandbox.load()) {
            tokio::task::yield_now().await;
        }
    }

    /// Sends requests through the real egress: every endpoint at this origin, which is
    /// granted, with a credential in these forms.
    pub(crate) fn through_egress(
        self,
        origin: &str,
        token: &str,
        change: impl FnOnce(&mut [Endpoint]),
    ) -> Self {
        let mut endpoints = self.plugin.descriptor().endpoints.clone();
        change(&mut endpoints);
        let base_urls: BaseUrls = endpoints
            .iter()
            .map(|endpoint| (endpoint.name.clone(), origin.parse().unwrap()))
            .collect();
        let egress = CallEgress::new(
            self.plugin.egress().clone(),
            endpoints.into(),
            base_urls,
            HashSet::from([origin.parse().unwrap()]),
            Some(Credential::new(ConnectionType::ApiKey, token.into())),
            "connect the probe first",
        );
        self.outbound(egress)
    }

    /// Where requests go. Otherwise they are never answered.
    pub(crate) fn outbound(mut self, outbound: impl Outbound) -> Self {
        self.outbound = Arc::new(outbound);
        self
    }

    pub(crate) fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What no log line and no error may contain.
    pub(crate) fn secret(mut self, secret: &str) -> Self {
        self.redactor = Arc::new(Redactor::new([secret]));
        self
    }

    pub(crate) async fn call(&self, action: &str, params: Value) -> CallReport {
        let call = Call {
            organization: self.organization.clone(),
            action: action.parse().unwrap(),
            params: params.to_string(),
            idempotency_key: KEY.to_owned(),
            outbound: Arc::clone(&self.outbound),
            clock: Arc::clone(&self.clock),
            redactor: Arc::clone(&self.redactor),
        };
        self.plugin.execute(call).await
    }

    /// Begins a call that makes a request.
    pub(crate) fn fetch(&self) -> JoinHandle<CallReport> {
        let guest = self.clone();
        let get = json!({ "endpoint": "api", "method": "GET", "path": "/" });
        tokio::spawn(async move { guest.call("fetch", get).await })
    }

    /// The result of a call that must complete.
    pub(crate) async fn result(&self, action: &str, params: Value) -> Value {
        self.call(action, params).await.completed()
    }

    /// The code with which the sandbox must stop the call.
    pub(crate) async fn stop_code(&self, action: &str, params: Value) -> FailureCode {
        self.call(action, params).await.stopped().0
    }
}

/// A client that is never used, where no request is made.
pub(crate) fn egress_client() -> EgressClient {
    EgressClient::new(EgressLimits::default(), Arc::new(SystemResolver)).unwrap()
}

/// The error with which a component must be refused.
pub(crate) async fn refusal(component: Vec<u8>) -> LoadError {
    match Guest::load(component, |_| {}).await {
        Ok(guest) => panic!("{:?} was loaded", guest.plugin),
        Err(error) => error,
    }
}

/// What a test expects of a call's end.
pub(crate) trait Expect {
    fn completed(self) -> Value;
    fn failed(self) -> GuestError;
    fn stopped(self) -> (FailureCode, String);
}

impl Expect for CallReport {
    #[track_caller]
    fn completed(self) -> Value {
        match self.outcome {
            Outcome::Completed(value) => value,
            other => unexpected(&other),
        }
    }

    #[track_caller]
    fn failed(self) -> GuestError {
        match self.outcome {
            Outcome::Failed(error) => error,
            other => unexpected(&other),
        }
    }

    #[track_caller]
    fn stopped(self) -> (FailureCode, String) {
        match self.outcome {
            Outcome::Stopped { code, message } => (code, message),
            other => unexpected(&other),
        }
    }
}

#[track_caller]
fn unexpected(outcome: &impl Debug) -> ! {
    let mut shown = format!("{outcome:?}");
    shown.truncate(shown.floor_char_boundary(1000));
    panic!("the call ended as {shown}")
}
