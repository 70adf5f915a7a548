//! The life of the demo, from start to signal.

use std::{convert::Infallible, io, net::Ipv4Addr};

use anyhow::{Context as _, anyhow};
use tokio::net::TcpListener;

use crate::{
    announce::{self, Announcement, UpstreamUrls},
    gateway::Gateway,
    operator::Operator,
    options::Options,
    seed, signals,
    upstreams::Upstreams,
};

/// Runs until a signal, or until something fails.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let stop = signals::stop_token()?;
    let listener = listen(options.port).await?;
    let upstreams = Upstreams::start().await?;
    let mut gateway = Gateway::start(listener, &options.plugins)?;
    let visit = Visit {
        url: gateway.url.clone(),
        operator: Operator::new(&gateway.url, &gateway.operator_key)?,
        operator_key: gateway.operator_key.clone(),
    };
    let outcome = tokio::select! {
        () = stop.cancelled() => Ok(()),
        error = gateway.failure() => Err(error),
        outcome = visit.open(options.json, &upstreams) => outcome.map(|never| match never {}),
    };
    let stopped = gateway.stop().await;
    upstreams.stop().await;
    outcome.and(stopped)
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("port {port} is taken\nhint: choose another, or a free one with `--port 0`")
        }
        _ => anyhow!(error).context(format!("cannot listen on port {port}")),
    })
}

/// What is done with a gateway that has started.
struct Visit {
    url: String,
    operator: Operator,
    operator_key: String,
}

impl Visit {
    /// Prepares the gateway, tells the caller, and stays.
    async fn open(&self, json: bool, upstreams: &Upstreams) -> anyhow::Result<Infallible> {
        self.operator.wait_until_ready().await?;
        let announcement = self
            .prepare(upstreams)
            .await
            .context("cannot prepare the gateway")?;
        if json {
            announce::print_json(&announcement)?;
        } else {
            // Programs expect the default modes; people want to see an issue made.
            seed::allow(&self.operator, "linear", "create_issue").await?;
            announce::print_tour(&announcement)?;
        }
        std::future::pending().await
    }

    async fn prepare(&self, upstreams: &Upstreams) -> anyhow::Result<Announcement> {
        let seeded = seed::seed(&self.operator, upstreams).await?;
        Ok(Announcement {
            url: self.url.clone(),
            operator_key: self.operator_key.clone(),
            org_id: seed::ORGANIZATION.to_owned(),
            session_id: seeded.session_id,
            sandbox_token: seeded.sandbox_token,
            admin_token: seeded.admin_token,
            member_token: seeded.member_token,
            upstreams: UpstreamUrls {
                linear: upstreams.linear.url.clone(),
                sentry: upstreams.sentry.url.clone(),
                slack: upstreams.slack.url.clone(),
            },
        })
    }
}
