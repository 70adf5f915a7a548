//! The program is killed without warning, and keeps what it promised. Killed more
//! often by `cargo xtask soak`; what is compared is told in `tests/crash`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says what led to it"
)]

use std::path::Path;

use portcullis_crash::{Place, Program, Scenario, Victim};

/// The folder that `cargo xtask test` fills.
const PLUGINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/plugins");

/// As many kills as there are kinds of moments.
const KILLS: u64 = 5;

async fn check(place: Place, victim: Victim, kills: u64, seed: u64) {
    assert!(
        Path::new(PLUGINS).is_dir(),
        "run `cargo xtask plugins` first"
    );
    let program = Program {
        gateway: env!("CARGO_BIN_EXE_portcullis").into(),
        plugins: PLUGINS.into(),
    };
    let scenario = Scenario {
        place,
        victim,
        kills,
        seed,
    };
    let ran = portcullis_crash::run(&scenario, &program, |line| println!("{line}")).await;
    if let Some(report) = ran.unwrap() {
        println!("{report}");
        assert!(report.violations.is_empty(), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_keeps_its_promises() {
    check(Place::Sqlite, Victim::Gateway, KILLS, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_gateways_is_killed_and_both_keep_their_promises() {
    let place = Place::Postgres { gateways: 2 };
    check(place, Victim::Gateway, KILLS, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_keeps_its_promises_when_its_database_is_killed() {
    let place = Place::Postgres { gateways: 1 };
    check(place, Victim::Server, 4, 3).await;
}
