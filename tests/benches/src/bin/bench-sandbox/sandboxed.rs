//! The provider as a component, through [`Plugin::execute`]: what a gateway
//! does, from the moment it hands over params to the parsed result.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use portcullis_benches::latency::Latencies;
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use portcullis_runtime::egress::{
    EgressClient, EgressLimits, HttpError, HttpRequest, HttpResponse, SystemResolver,
};
use portcullis_runtime::{
    Call, CallReport, Compiler, Outbound, Outcome, Plugin, Sandbox, SandboxConfig,
};
use tokio::time::Instant;

use crate::reply;

const KEY: &str = "7b0c8a1e-3f52-4d6a-9c1b-2e4f6a8b0c1d";

/// An action that no plugin has: the call ends before it has done anything.
const NO_ACTION: &str = "nothing";

/// The plugins, loaded, and what every call is given.
pub(crate) struct Sandboxed {
    linear: Caller,
    probe: Caller,
}

impl Sandboxed {
    /// Loads both components into sandboxes with the default limits.
    pub(crate) async fn load(linear: Vec<u8>, probe: Vec<u8>) -> anyhow::Result<Self> {
        let sandbox = Sandbox::new(SandboxConfig::default())?;
        Ok(Self {
            linear: Caller::load(&sandbox, linear, Arc::new(Canned::new())).await?,
            probe: Caller::load(&sandbox, probe, Arc::new(Canned::new())).await?,
        })
    }

    /// Times the action that is also run natively.
    pub(crate) async fn list_issues(&self, calls: u64) -> Latencies {
        let params = reply::params().to_string();
        Latencies::of_async(calls, async || {
            let report = self.linear.call(reply::ACTION, &params).await;
            completed(&report);
            report
        })
        .await
    }

    /// What the same action counts as the guest's CPU time, instantiation
    /// included.
    pub(crate) async fn list_issues_cpu(&self, calls: u64) -> Latencies {
        let params = reply::params().to_string();
        let mut times = Latencies::default();
        for _ in 0..calls {
            let report = self.linear.call(reply::ACTION, &params).await;
            times.record(report.usage.cpu_time);
        }
        times
    }

    /// Times a call that finds no such action.
    pub(crate) async fn empty(&self, calls: u64) -> Latencies {
        Latencies::of_async(calls, async || {
            let report = self.linear.call(NO_ACTION, "{}").await;
            assert!(matches!(report.outcome, Outcome::Failed(_)));
            report
        })
        .await
    }

    /// Times an echo of 1 KiB.
    pub(crate) async fn echo(&self, calls: u64) -> Latencies {
        let params = format!("\"{}\"", "x".repeat(1_022));
        Latencies::of_async(calls, async || {
            let report = self.probe.call("echo", &params).await;
            completed(&report);
            report
        })
        .await
    }
}

fn completed(report: &CallReport) {
    assert!(
        matches!(report.outcome, Outcome::Completed(_)),
        "the call ended as {:?}",
        report.outcome
    );
}

/// A plugin and where its requests go.
#[derive(Clone)]
pub(crate) struct Caller {
    plugin: Plugin,
    outbound: Arc<dyn Outbound>,
    redactor: Arc<Redactor>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Caller {
    pub(crate) async fn load(
        sandbox: &Sandbox,
        component: Vec<u8>,
        outbound: Arc<dyn Outbound>,
    ) -> anyhow::Result<Self> {
        // Never used: requests go to `outbound`.
        let egress = EgressClient::new(EgressLimits::default(), Arc::new(SystemResolver))?;
        let plugin = Plugin::load(sandbox, &Compiler::in_process(), component, egress)
            .await
            .context("the component cannot be loaded")?;
        Ok(Self {
            plugin,
            outbound,
            redactor: Arc::new(Redactor::keys_only()),
            clock: Arc::new(|| Timestamp::from_micros(1_795_253_400_000_000)),
        })
    }

    pub(crate) async fn call(&self, action: &str, params: &str) -> CallReport {
        let call = Call {
            organization: "bench".parse().expect("an id"),
            action: action.parse().expect("the actions are constants"),
            params: params.to_owned(),
            idempotency_key: KEY.to_owned(),
            outbound: Arc::clone(&self.outbound),
            clock: Arc::clone(&self.clock),
            redactor: Arc::clone(&self.redactor),
        };
        self.plugin.execute(call).await
    }
}

/// Answers at once with the reply.
struct Canned(HttpResponse);

impl Canned {
    fn new() -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self(HttpResponse {
            status: 200,
            headers: reply::HEADERS.map(own).to_vec(),
            body: reply::body().into_bytes(),
        })
    }
}

#[async_trait]
impl Outbound for Canned {
    async fn send(
        &self,
        _request: HttpRequest,
        _deadline: Instant,
    ) -> Result<HttpResponse, HttpError> {
        Ok(self.0.clone())
    }
}
