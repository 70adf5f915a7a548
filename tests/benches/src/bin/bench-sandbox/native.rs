//! The provider as a library of this program, in the SDK's test kit.
//!
//! The kit is a host like the sandbox's: it checks the request against the
//! declared routes, keeps it, and hands the reply over. The result is parsed as
//! the sandbox's host parses it.

use portcullis_benches::latency::Latencies;
use portcullis_plugin_linear::PROVIDER;
use portcullis_sdk::http::Method;
use portcullis_sdk::testing::{Reply, TestProvider};

use crate::reply;

/// Times the action.
pub(crate) fn list_issues(calls: u64) -> Latencies {
    let empty = Reply::text(200, &reply::body());
    let canned = reply::HEADERS
        .iter()
        .fold(empty, |reply, (name, value)| reply.header(name, value));
    let params = reply::params();
    Latencies::of(calls, || {
        let provider = TestProvider::new(PROVIDER);
        provider.expect(Method::Post, "/graphql", canned.clone());
        provider
            .run(reply::ACTION, params.clone())
            .expect("the reply is one that the action understands")
    })
}
