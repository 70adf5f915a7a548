//! The HTTP clients of one plugin.

use std::fmt;
use std::sync::Arc;

use reqwest::{Client, ClientBuilder, redirect, retry};

use super::limits::EgressLimits;
use super::resolver::{Filter, FilteredResolver, Resolve};

/// Idle connections that are kept to one upstream: as many as `send-all` uses.
const IDLE_CONNECTIONS: usize = 8;

/// What every client calls itself.
const USER_AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// Makes the requests of one plugin.
///
/// One for each plugin, so that neither connections nor TLS sessions are shared
/// between plugins. Cheap to clone; a clone is the same client.
#[derive(Clone)]
pub struct EgressClient {
    guarded: Client,
    granted: Client,
    limits: Arc<EgressLimits>,
}

/// An HTTP client cannot be set up, for lack of the system's root certificates
/// for example.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up")]
pub struct ClientError(#[source] pub(super) reqwest::Error);

impl EgressClient {
    /// Sets up the clients. Nothing is resolved or connected yet.
    pub fn new(limits: EgressLimits, resolver: Arc<dyn Resolve>) -> Result<Self, ClientError> {
        Self::with(limits, resolver, |builder| builder)
    }

    /// Trusts this authority in place of the system's: tests have certificates of
    /// their own.
    #[cfg(test)]
    pub(super) fn trusting(
        authority: &reqwest::Certificate,
        limits: EgressLimits,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, ClientError> {
        Self::with(limits, resolver, |builder| {
            builder.tls_certs_only([authority.clone()])
        })
    }

    fn with(
        limits: EgressLimits,
        resolver: Arc<dyn Resolve>,
        trust: impl Fn(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ClientError> {
        install_tls();
        let guarded =
            builder(&limits, Arc::clone(&resolver), Filter::GloballyRoutable).https_only(true);
        let granted = builder(&limits, resolver, Filter::Nothing);
        let build = |builder| trust(builder).build().map_err(ClientError);
        let (guarded, granted) = (build(guarded)?, build(granted)?);
        Ok(Self {
            guarded,
            granted,
            limits: Arc::new(limits),
        })
    }

    /// The same client with other limits on bodies. Those on headers and on the
    /// time to connect are part of the clients that were set up.
    #[must_use]
    pub(crate) fn with_body_limits(self, limits: EgressLimits) -> Self {
        Self {
            limits: Arc::new(limits),
            ..self
        }
    }

    /// The limits of every exchange.
    pub fn limits(&self) -> &EgressLimits {
        &self.limits
    }

    /// The client for an origin. Two clients rather than one, because a
    /// connection that was made under a grant must not serve a request without.
    pub(super) fn for_origin(&self, granted: bool) -> &Client {
        if granted {
            &self.granted
        } else {
            &self.guarded
        }
    }
}

impl fmt::Debug for EgressClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressClient")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Chooses the cryptography of TLS for this process.
fn install_tls() {
    // The error says that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The client for what the gateway itself has to say.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the module that the lint points to"
)]
pub(super) fn operator_builder() -> ClientBuilder {
    install_tls();
    Client::builder()
        .user_agent(USER_AGENT)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the module that the lint points to"
)]
fn builder(limits: &EgressLimits, resolver: Arc<dyn Resolve>, filter: Filter) -> ClientBuilder {
    let max_header_bytes = u32::try_from(limits.max_response_header_bytes).unwrap_or(u32::MAX);
    Client::builder()
        .user_agent(USER_AGENT)
        .dns_resolver(FilteredResolver { resolver, filter })
        // A proxy would resolve the name itself, past the filter.
        .no_proxy()
        // The next hop would get neither the checks nor only what it may see.
        .redirect(redirect::Policy::none())
        // What is sent twice is done twice.
        .retry(retry::never())
        .referer(false)
        // Decompressed under our own limit, whatever features reqwest was
        // built with.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .connect_timeout(limits.connect_timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .http1_max_headers(limits.max_response_headers)
        .http2_max_header_list_size(max_header_bytes)
}
