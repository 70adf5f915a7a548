//! What every provider has to do alike: the same tests for each that is shipped, with
//! the real component in the real sandbox, and a fake of its vendor on a real socket.
//!
//! `case` is the table of providers: to hold one more against all of this, add it
//! there and in [`on_each`]'s lists. `site` is a gateway with one provider under test,
//! `trouble` what its vendor may do wrong.
//! `sentry` and `slack` have what only those do.

/// Makes a test for each of these providers of each function, which takes what is
/// known of one.
macro_rules! on_each {
    ([$($provider:ident),+], $tests:tt) => {
        $( on_each! { @provider $provider $tests } )+
    };
    (@provider $provider:ident { $($test:ident),+ $(,)? }) => {
        mod $provider {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    let case = crate::conformance::case::$provider();
                    super::$test(case).await;
                }
            )+
        }
    };
}

mod calls;
mod case;
mod catalog;
mod credentials;
mod egress;
mod reads;
mod sentry;
mod site;
mod slack;
mod trouble;
mod writes;
