//! The fake vendors that the demo's connections lead to.

use anyhow::Context as _;
use portcullis_upstreams::{FakeLinear, FakeOptions, FakeUpstream};

use crate::secret;

/// A fake and the credential it accepts.
pub(crate) struct Upstream {
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
}

impl Upstreams {
    /// Starts every fake on a free port.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let token = format!("lin_api_{}", secret::random()?);
        let server = FakeLinear::start(FakeOptions::new(&token))
            .await
            .context("cannot start the fake Linear")?;
        let linear = Upstream {
            url: server.url().to_owned(),
            token,
            server,
        };
        Ok(Self { linear })
    }

    /// Stops them and frees their ports.
    pub(crate) async fn stop(self) {
        self.linear.server.shutdown().await;
    }
}
