//! The fake vendors that the demo's connections lead to.

use std::io;

use anyhow::Context as _;
use portcullis_test_canary::canary;
use portcullis_upstreams::{FakeLinear, FakeOptions, FakeSentry, FakeSlack, FakeUpstream};

use crate::secret;

/// A fake and the credential it accepts.
pub(crate) struct Upstream {
    /// The provider that calls it.
    pub(crate) provider: &'static str,
    /// Where it listens, without a slash at the end.
    pub(crate) url: String,
    /// What a connection must present.
    pub(crate) token: String,
    server: FakeUpstream,
}

/// All fakes.
pub(crate) struct Upstreams {
    /// Linear.
    pub(crate) linear: Upstream,
    /// Sentry.
    pub(crate) sentry: Upstream,
    /// Slack.
    pub(crate) slack: Upstream,
}

impl Upstreams {
    /// Starts every fake on a free port.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Ok(Self {
            linear: start("linear", "lin_api_", FakeLinear::start).await?,
            sentry: start("sentry", "sntryu_", FakeSentry::start).await?,
            slack: start("slack", "xoxb-", FakeSlack::start).await?,
        })
    }

    /// All of them.
    pub(crate) fn all(&self) -> [&Upstream; 3] {
        [&self.linear, &self.sentry, &self.slack]
    }

    /// Stops them and frees their ports.
    pub(crate) async fn stop(self) {
        for upstream in [self.linear, self.sentry, self.slack] {
            upstream.server.shutdown().await;
        }
    }
}

/// Starts a fake that accepts a new token, which begins as its vendor's do and can be
/// recognised wherever it turns up.
async fn start(
    provider: &'static str,
    prefix: &str,
    fake: impl AsyncFnOnce(FakeOptions) -> io::Result<FakeUpstream>,
) -> anyhow::Result<Upstream> {
    let token = canary(&format!("{prefix}{}", secret::random()?));
    let server = fake(FakeOptions::new(&token))
        .await
        .with_context(|| format!("cannot start the fake of {provider}"))?;
    Ok(Upstream {
        provider,
        url: server.url().to_owned(),
        token,
        server,
    })
}
