//! The providers that are shipped, and the fakes they call.

use std::sync::Arc;

use portcullis::clock::Clock as _;
use portcullis_upstreams::{
    FakeLinear, FakeOptions, FakeSentry, FakeSlack, FakeUpstream, TimeSource,
};
use serde_json::{Value, json};

use crate::clock::ManualClock;
use crate::{LINEAR_TOKEN, canary};

/// A provider that is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Linear.
    Linear,
    /// Sentry.
    Sentry,
    /// Slack.
    Slack,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Sentry, Self::Slack];

    /// The id of the source.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Sentry => "sentry",
            Self::Slack => "slack",
        }
    }

    /// The credential of its connection, which must never show up anywhere.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Linear => LINEAR_TOKEN,
            Self::Sentry => canary!("sntryu_"),
            Self::Slack => canary!("xoxb-"),
        }
    }
}

/// What stands behind the gateway: a fake of each vendor.
#[derive(Debug)]
pub struct Upstreams {
    /// The fake Linear.
    pub linear: FakeUpstream,
    /// The fake Sentry.
    pub sentry: FakeUpstream,
    /// The fake Slack.
    pub slack: FakeUpstream,
}

impl Upstreams {
    /// Starts them; they tell the resets of their quotas by this clock.
    pub(crate) async fn start(clock: &Arc<ManualClock>) -> Self {
        let options = |provider: Provider| FakeOptions {
            clock: told_by(clock),
            ..FakeOptions::new(provider.token())
        };
        let (linear, sentry, slack) = tokio::join!(
            FakeLinear::start(options(Provider::Linear)),
            FakeSentry::start(options(Provider::Sentry)),
            FakeSlack::start(options(Provider::Slack)),
        );
        Self {
            linear: linear.expect("the fake Linear"),
            sentry: sentry.expect("the fake Sentry"),
            slack: slack.expect("the fake Slack"),
        }
    }

    /// The fake that a provider calls.
    pub fn of(&self, provider: Provider) -> &FakeUpstream {
        match provider {
            Provider::Linear => &self.linear,
            Provider::Sentry => &self.sentry,
            Provider::Slack => &self.slack,
        }
    }

    /// The body that connects a provider to its fake.
    pub(crate) fn connection_body(&self, provider: Provider) -> Value {
        json!({
            "provider": provider.id(),
            "credential": { "type": "token", "token": provider.token() },
            "baseUrls": { "api": self.of(provider).url() },
        })
    }
}

fn told_by(clock: &Arc<ManualClock>) -> TimeSource {
    let clock = Arc::clone(clock);
    TimeSource::from_fn(move || {
        let now = clock.now().as_micros();
        jiff::Timestamp::from_microsecond(now).expect("a time of our days")
    })
}
