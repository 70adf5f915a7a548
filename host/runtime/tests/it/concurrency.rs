//! How the places are shared: no plugin, no organization and no queue takes all.

use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use portcullis_core::time::Timestamp;
use portcullis_runtime::{OwnLimits, SandboxConfig};
use serde_json::json;

use crate::harness::{Expect as _, Guest, Held};

/// The probe in a sandbox with four places, where nobody waits and requests are held.
async fn guest(held: &Held, change: impl FnOnce(&mut SandboxConfig)) -> Guest {
    let guest = Guest::probe_with(|config| {
        config.concurrent_calls = 4;
        config.queue_timeout = Duration::ZERO;
        change(config);
    });
    guest.await.outbound(held.clone())
}

/// The sentence with which a call is turned away.
async fn busy(guest: &Guest) -> String {
    let (code, message) = guest.call("echo", json!({})).await.stopped();
    assert_eq!(code, FailureCode::Busy);
    message
}

#[tokio::test]
async fn a_plugin_leaves_places_to_the_others() {
    let held = Held::new();
    let guest = guest(&held, |config| config.calls_per_plugin = 2).await;
    let other = guest.another_probe().await;
    let calls = [guest.fetch(), guest.fetch()];
    held.arrivals(2).await;
    let message = busy(&guest).await;
    for part in [
        "2 calls of `probe`",
        "sandbox.calls_per_plugin",
        "plugins.limits.probe.calls_per_plugin",
    ] {
        assert!(message.contains(part), "{message}");
    }
    other.result("echo", json!({})).await;
    held.release(2);
    for call in calls {
        call.await.unwrap().completed();
    }
    guest.result("echo", json!({})).await;
}

#[tokio::test]
async fn a_plugin_has_as_many_places_as_an_operator_gives_it() {
    let held = Held::new();
    let guest = guest(&held, |config| {
        config.calls_per_plugin = 2;
        let own = OwnLimits {
            calls_per_plugin: Some(1),
            ..OwnLimits::default()
        };
        config.own_limits.insert("probf".parse().unwrap(), own);
    })
    .await;
    let other = guest.another_probe().await;
    let call = other.fetch();
    held.arrivals(1).await;
    assert!(busy(&other).await.contains("1 calls of `probf`"));
    let usual = [guest.fetch(), guest.fetch()];
    held.arrivals(2).await;
    held.release(3);
    for call in usual.into_iter().chain([call]) {
        call.await.unwrap().completed();
    }
}

#[tokio::test]
async fn an_organization_leaves_places_to_the_others() {
    let held = Held::new();
    let guest = guest(&held, |config| config.calls_per_organization = 2).await;
    let calls = [guest.fetch(), guest.fetch()];
    held.arrivals(2).await;
    let message = busy(&guest).await;
    assert!(
        message.contains("2 calls of the organization")
            && message.contains("sandbox.calls_per_organization"),
        "{message}"
    );
    let same = guest.another_probe().await;
    busy(&same).await;
    guest.of("globex").result("echo", json!({})).await;
    held.release(2);
    for call in calls {
        call.await.unwrap().completed();
    }
    guest.result("echo", json!({})).await;
}

#[tokio::test]
async fn who_waits_for_its_own_organization_keeps_nobody_else_from_anything() {
    let held = Held::new();
    let guest = guest(&held, |config| {
        config.calls_per_organization = 1;
        config.calls_per_plugin = 2;
        config.queue_timeout = Duration::from_mins(1);
    })
    .await;
    let calls = [guest.fetch(), guest.fetch(), guest.fetch()];
    held.arrivals(1).await;
    guest.until(|load| load.waiting == 2).await;
    guest.of("globex").result("echo", json!({})).await;
    for _ in 1..calls.len() {
        held.release(1);
        held.arrivals(1).await;
    }
    held.release(1);
    for call in calls {
        call.await.unwrap().completed();
    }
}

#[tokio::test]
async fn as_many_wait_as_may_and_no_more() {
    let held = Held::new();
    let guest = guest(&held, |config| {
        config.concurrent_calls = 1;
        config.queue_length = 2;
        config.queue_timeout = Duration::from_mins(1);
    })
    .await;
    let calls = [guest.fetch(), guest.fetch(), guest.fetch()];
    held.arrivals(1).await;
    guest.until(|load| load.waiting == 2).await;
    assert_eq!(guest.sandbox.load().queue_overflows, 0);
    let message = busy(&guest).await;
    assert!(
        message.contains("sandbox.concurrent_calls") && message.contains("sandbox.queue_length"),
        "{message}"
    );
    assert_eq!(guest.sandbox.load().queue_overflows, 1);
    held.release(3);
    for call in calls {
        call.await.unwrap().completed();
    }
}

/// Time stands still, and with it what is remembered of who computed.
#[tokio::test]
async fn who_computed_much_lately_begins_on_slow_threads() {
    let (sender, threads) = std::sync::mpsc::channel();
    let guest = Guest::probe_with(|config| config.limits.cpu_time = Duration::from_millis(300));
    let guest = guest.await.clock(move || {
        let thread = std::thread::current();
        sender.send(thread.name().map(str::to_owned)).unwrap();
        Timestamp::from_micros(0)
    });
    let other = guest.another_probe().await;
    tokio::time::pause();
    let began_on = async |guest: &Guest| {
        guest.result("now", json!({})).await;
        threads.recv().unwrap().unwrap()
    };
    assert_eq!(began_on(&guest).await, "guest");
    let code = guest.stop_code("spin", json!({})).await;
    assert_eq!(code, FailureCode::CpuExceeded);
    assert_eq!(began_on(&guest).await, "guest-slow");
    assert_eq!(began_on(&other).await, "guest");
    assert_eq!(began_on(&guest.of("globex")).await, "guest");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(began_on(&guest).await, "guest");
}
