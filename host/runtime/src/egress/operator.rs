//! Requests of the gateway itself, to a place that its operator configured.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use reqwest::Client;

use super::client::{ClientError, operator_builder};
use super::failure;

/// Bytes of an answer that are read; what is asked for here answers briefly.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Sends what the gateway itself has to say, such as traces.
///
/// The operator named the place, so its address is not checked, and plain HTTP
/// is the operator's choice. No guest has a way to this client. It follows no
/// redirects and uses no proxy.
#[derive(Debug, Clone)]
pub struct OperatorClient(Client);

/// Why a request got no answer; without the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OperatorRequestError(String);

impl OperatorClient {
    /// Sets up the client; an exchange ends after `timeout`.
    pub fn new(timeout: Duration) -> Result<Self, ClientError> {
        operator_builder()
            .timeout(timeout)
            .build()
            .map(Self)
            .map_err(ClientError)
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// Must be called within a tokio runtime.
    pub async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, OperatorRequestError> {
        let request = request.try_into().map_err(describe)?;
        let mut answer = self.0.execute(request).await.map_err(describe)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(describe)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                let rule = format!("the answer has more than {MAX_ANSWER_BYTES} bytes");
                return Err(OperatorRequestError(rule));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is passed to `map_err`, which gives values"
)]
fn describe(error: reqwest::Error) -> OperatorRequestError {
    OperatorRequestError(failure::describe(&error))
}
