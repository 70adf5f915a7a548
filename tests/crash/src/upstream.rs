//! What the upstream received: the fake lives in this process, which nobody kills.

use anyhow::ensure;
use portcullis_upstreams::{FakeLinear, FakeOptions, FakeUpstream, RecordedRequest};
use serde_json::Value;

use crate::world::LINEAR_TOKEN;

/// A write that reached the upstream, whether or not it was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The id that the new record was to have: the invocation's.
    pub(crate) id: String,
    /// What stood in it.
    pub(crate) marker: String,
}

/// The fake, and what it has received so far.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) linear: FakeUpstream,
    receipts: Vec<Receipt>,
    received: u64,
}

impl Upstream {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Ok(Self {
            linear: FakeLinear::start(FakeOptions::new(LINEAR_TOKEN)).await?,
            receipts: Vec::new(),
            received: 0,
        })
    }

    /// Keeps what has come since the last time: the fake forgets.
    pub(crate) fn collect(&mut self) -> anyhow::Result<()> {
        for request in self.linear.requests() {
            if request.sequence <= self.received {
                continue;
            }
            ensure!(
                request.sequence == self.received + 1,
                "the fake has forgotten requests that were not looked at"
            );
            self.received = request.sequence;
            self.receipts.extend(receipt(&request));
        }
        Ok(())
    }

    pub(crate) fn into_receipts(self) -> Vec<Receipt> {
        self.receipts
    }
}

/// The write in a request, if it is one.
fn receipt(request: &RecordedRequest) -> Option<Receipt> {
    let query = request.body.get("query")?.as_str()?;
    if !query.trim_start().starts_with("mutation") {
        return None;
    }
    let input = request.body.pointer("/variables/input")?;
    let text = |name| input.get(name).and_then(Value::as_str);
    Some(Receipt {
        id: text("id").unwrap_or_default().to_owned(),
        marker: text("title")
            .or(text("body"))
            .unwrap_or_default()
            .to_owned(),
    })
}
