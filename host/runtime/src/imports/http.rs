//! `portcullis:provider/http`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use portcullis_core::plugin::Method;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use crate::bindings::imports::http::{self, Error, ErrorKind, Request, Response};
use crate::egress::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use crate::state::CallState;

/// How many requests `send-all` runs at once; `http.wit` promises it.
const SEND_ALL_LIMIT: usize = 8;

impl http::Host for CallState {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        let admitted = self.admit(request);
        self.begin_waiting();
        let answer = answer(admitted).await;
        self.end_waiting();
        Ok(answer)
    }

    async fn send_all(
        &mut self,
        requests: Vec<Request>,
    ) -> wasmtime::Result<Vec<Result<Response, Error>>> {
        let admitted: Vec<_> = requests
            .into_iter()
            .enumerate()
            .map(|(index, request)| {
                if index < SEND_ALL_LIMIT {
                    self.admit(request)
                } else {
                    Err(too_many(format!(
                        "send-all takes at most {SEND_ALL_LIMIT} requests"
                    )))
                }
            })
            .collect();
        self.begin_waiting();
        let answers = join_all(admitted.into_iter().map(answer)).await;
        self.end_waiting();
        Ok(answers)
    }
}

impl CallState {
    /// The guest waits for HTTP: its CPU time stands still, and the time of its
    /// upstreams runs, once for however many requests.
    fn begin_waiting(&mut self) {
        self.meter.pause();
        self.upstream.start();
    }

    fn end_waiting(&mut self) {
        self.upstream.stop();
        self.meter.resume();
    }

    /// Counts a request, and refuses it where no request is allowed at all.
    fn admit(&mut self, request: Request) -> Result<Prepared, Error> {
        let Some(capabilities) = &self.capabilities else {
            return Err(Error {
                kind: ErrorKind::Denied,
                message: "requests are refused while a plugin describes itself".to_owned(),
                request_sent: false,
            });
        };
        if self.http_requests >= self.limits.http_requests {
            return Err(too_many(format!(
                "a call may send {} requests ({})",
                self.limits.http_requests,
                self.keys("http_requests")
            )));
        }
        self.http_requests += 1;
        Ok(Prepared {
            request: from_guest(request),
            outbound: Arc::clone(&capabilities.outbound),
            io: capabilities.io.clone(),
            deadline: capabilities.request_deadline,
        })
    }
}

/// A request that has been counted.
struct Prepared {
    request: HttpRequest,
    outbound: Arc<dyn crate::invoke::Outbound>,
    io: tokio::runtime::Handle,
    deadline: tokio::time::Instant,
}

impl Prepared {
    /// Sends on the gateway's threads; dropping the future ends the request.
    async fn send(self) -> Result<Response, Error> {
        let Self {
            request,
            outbound,
            io,
            deadline,
        } = self;
        let sending = async move { outbound.send(request, deadline).await };
        let task = io.spawn(sending.in_current_span());
        match AbortOnDropHandle::new(task).await {
            Ok(Ok(response)) => Ok(to_guest(response)),
            Ok(Err(error)) => Err(error_to_guest(error)),
            Err(join_error) => {
                tracing::error!(error = %join_error, "an outbound request panicked");
                Err(Error {
                    kind: ErrorKind::Protocol,
                    message: "the gateway failed to send the request".to_owned(),
                    request_sent: true,
                })
            }
        }
    }
}

async fn answer(admitted: Result<Prepared, Error>) -> Result<Response, Error> {
    match admitted {
        Ok(prepared) => prepared.send().await,
        Err(error) => Err(error),
    }
}

fn too_many(message: String) -> Error {
    Error {
        kind: ErrorKind::TooManyRequests,
        message,
        request_sent: false,
    }
}

fn from_guest(request: Request) -> HttpRequest {
    HttpRequest {
        endpoint: request.endpoint,
        method: method_from_guest(request.method),
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body,
        timeout: request
            .timeout_ms
            .map(|millis| Duration::from_millis(u64::from(millis))),
    }
}

pub(crate) fn method_from_guest(method: http::Method) -> Method {
    match method {
        http::Method::Get => Method::Get,
        http::Method::Head => Method::Head,
        http::Method::Post => Method::Post,
        http::Method::Put => Method::Put,
        http::Method::Patch => Method::Patch,
        http::Method::Delete => Method::Delete,
    }
}

fn to_guest(response: HttpResponse) -> Response {
    Response {
        status: response.status,
        headers: response.headers,
        body: response.body,
    }
}

fn error_to_guest(error: HttpError) -> Error {
    Error {
        kind: match error.kind {
            HttpErrorKind::Denied => ErrorKind::Denied,
            HttpErrorKind::InvalidRequest => ErrorKind::InvalidRequest,
            HttpErrorKind::ConnectionMissing => ErrorKind::ConnectionMissing,
            HttpErrorKind::Dns => ErrorKind::Dns,
            HttpErrorKind::Connect => ErrorKind::Connect,
            HttpErrorKind::Tls => ErrorKind::Tls,
            HttpErrorKind::Timeout => ErrorKind::Timeout,
            HttpErrorKind::TooLarge => ErrorKind::TooLarge,
            HttpErrorKind::TooManyRequests => ErrorKind::TooManyRequests,
            HttpErrorKind::Protocol => ErrorKind::Protocol,
        },
        message: error.message,
        request_sent: error.request_sent,
    }
}
