//! End-to-end tests, one file for each capability.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

/// Makes two tests of each function, which takes the builder of a host: one on
/// SQLite, and one on Postgres where there is a server.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    super::$test(portcullis_tests::TestHost::builder()).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    let builder = portcullis_tests::TestHost::builder();
                    if let Some(builder) = builder.postgres().await {
                        super::$test(builder).await;
                    }
                }
            )+
        }
    };
}

mod admission;
mod audit;
mod bad_input;
mod balanced;
mod callers;
mod cargo_component;
mod command_line;
mod conformance;
mod decisions;
mod drift;
mod events;
mod full_results;
mod guides;
mod invoking;
mod keys;
mod layers;
mod lifecycle;
mod limits;
mod managing;
mod metrics;
mod modes;
mod odd_json;
mod openapi;
mod other_languages;
mod outages;
mod pins;
mod plugin_routes;
mod plugins;
mod proofs;
mod reauthentication;
mod registry;
mod secrets;
mod supply_chain;
mod threats;
mod two_gateways;
mod whose_token;
