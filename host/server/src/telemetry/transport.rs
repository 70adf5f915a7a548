//! The way to the collector.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use opentelemetry_http::{HttpClient, HttpError};
use portcullis_runtime::egress::OperatorClient;
use tokio::runtime::Handle;
use url::Url;

/// How long one request to the collector may take, and all attempts at a batch.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends what the exporter has put together.
#[derive(Debug)]
pub(super) struct Transport {
    client: OperatorClient,
    /// Values are marked as sensitive, so that nothing shows them.
    headers: HeaderMap,
    /// The exporter's thread is none of tokio's.
    runtime: Handle,
    failing: AtomicBool,
    /// For messages.
    endpoint: String,
}

impl Transport {
    pub(super) fn new(
        endpoint: &Url,
        headers: &HeaderMap,
        runtime: Handle,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            client: OperatorClient::new(TIMEOUT)?,
            headers: headers.clone(),
            runtime,
            failing: AtomicBool::new(false),
            endpoint: endpoint.to_string(),
        })
    }

    /// Adds our headers, and removes all others but the body's type: the exporter
    /// takes some from the environment, and the configuration is in one place.
    fn dress(&self, request: &mut Request<Bytes>) {
        let content_type = request.headers_mut().remove(header::CONTENT_TYPE);
        let mut headers = self.headers.clone();
        headers.extend(content_type.map(|value| (header::CONTENT_TYPE, value)));
        *request.headers_mut() = headers;
    }

    /// Logs when sending begins to fail and when it works again, not each time.
    fn tell(&self, failure: Option<&str>) {
        let failed_before = self.failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) if !failed_before => tracing::warn!(
                endpoint = self.endpoint,
                reason,
                "traces cannot be sent (telemetry.otlp_endpoint); calls are not affected"
            ),
            None if failed_before => {
                tracing::info!(endpoint = self.endpoint, "traces can be sent again");
            }
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.dress(&mut request);
        let client = self.client.clone();
        let sending = self
            .runtime
            .spawn(async move { client.send(request).await });
        let answer = match sending.await {
            Ok(answer) => answer.map_err(HttpError::from),
            Err(stopped) => Err(HttpError::from(stopped)),
        };
        match &answer {
            Ok(response) if response.status().is_success() => self.tell(None),
            Ok(response) => self.tell(Some(&format!("the answer is {}", response.status()))),
            Err(error) => self.tell(Some(&error.to_string())),
        }
        answer
    }
}
