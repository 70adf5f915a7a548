//! What is refused, and that what serves does not notice.

use portcullis::plugins::{self, Approve, PluginError, RollBack};
use portcullis_core::plugin::{PluginDigest, PluginState};
use portcullis_tests::{LinearVersion, TestHost, TestHostBuilder};

use super::*;

on_both!(
    what_cannot_be_loaded_leaves_what_serves,
    a_component_that_is_another_plugin_is_refused,
    what_nobody_trusts_signed_is_refused,
    a_difference_that_is_not_the_difference_any_more_is_not_approved,
    of_many_installs_at_once_one_counts,
    of_an_approval_and_a_rejection_one_counts,
    what_does_not_exist_is_not_found,
);

async fn what_cannot_be_loaded_leaves_what_serves(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    let active = activate(&host, first()).await;
    let mut truncated = first();
    truncated.truncate(truncated.len() / 2);
    let mut with_tail = first();
    with_tail.extend_from_slice(b"tail");
    let mannered = |manner: &str| {
        let padded = format!("{manner:<24}");
        probe_component(&[(
            "manner: well                    ",
            &format!("manner: {padded}"),
        )])
    };
    for broken in [
        Vec::new(),
        b"text".to_vec(),
        b"(component)".to_vec(),
        b"\0asm\x01\0\0\0".to_vec(),
        vec![0; 1 << 20],
        truncated,
        with_tail,
        mannered("traps"),
        mannered("repeats an action"),
        mannered("reads the clock"),
        mannered("talks too long"),
    ] {
        let refused = refusal(install(&host, broken).await);
        assert!(
            matches!(refused, PluginError::Invalid(_) | PluginError::Signature(_)),
            "{refused:?}"
        );
    }
    assert_eq!(serving(&host, &probe()), Some(active.digest));
    assert_eq!(states(&host, &probe()).await.len(), 1);
    assert_eq!(edition(&agent(&host).await).await, "edition: first");
}

async fn a_component_that_is_another_plugin_is_refused(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    for known in [false, true] {
        let new = NewPlugin {
            expected: Some(linear()),
            ..upload(first())
        };
        let refused = plugins::install(&host.gateway, OPERATOR, new).await;
        let refused = refusal(refused).to_string();
        assert_eq!(refused, "the component is the plugin `probe`, not `linear`");
        if !known {
            activate(&host, first()).await;
        }
    }
    assert_eq!(serving(&host, &probe()), Some(PluginDigest::of(&first())));
}

async fn what_nobody_trusts_signed_is_refused(builder: TestHostBuilder) {
    let host = builder.start().await;
    let refused = refusal(install(&host, first()).await);
    assert!(matches!(refused, PluginError::Unsigned(_)), "{refused:?}");
    assert!(refused.to_string().contains("portcullis plugin sign"));
    // The directory is the operator's own.
    let new = NewPlugin {
        origin: Origin::Directory("file probe.wasm".to_owned()),
        ..upload(first())
    };
    let installed = plugins::install(&host.gateway, "gateway", new).await;
    assert!(matches!(installed.unwrap(), Installed::Activated(_)));
}

async fn a_difference_that_is_not_the_difference_any_more_is_not_approved(
    builder: TestHostBuilder,
) {
    let host = unsigned(builder).start().await;
    activate(&host, first()).await;
    activate(&host, second()).await;
    let waiting = stage(&host, later()).await;
    plugins::roll_back(&host.gateway, OPERATOR, &probe(), RollBack::default())
        .await
        .unwrap();
    let refused = approve(&host, &probe(), waiting.digest).await;
    assert!(matches!(
        refusal(refused),
        PluginError::ActiveChanged { .. }
    ));
    let seen = |component: &[u8]| Approve {
        digest: waiting.digest,
        active: Some(PluginDigest::of(component)),
    };
    let stale = plugins::approve(&host.gateway, OPERATOR, &probe(), seen(&second())).await;
    assert!(matches!(refusal(stale), PluginError::ActiveChanged { .. }));
    assert_eq!(serving(&host, &probe()), Some(PluginDigest::of(&first())));
    plugins::approve(&host.gateway, OPERATOR, &probe(), seen(&first()))
        .await
        .unwrap();
}

async fn of_many_installs_at_once_one_counts(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    let installing: Vec<_> = (0..8)
        .map(|_| {
            let gateway = gateway(&host);
            tokio::spawn(async move {
                plugins::install(&gateway, OPERATOR, upload(first()))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut activated = 0;
    for installed in installing {
        match installed.await.unwrap() {
            Installed::Activated(_) => activated += 1,
            Installed::Known(_) => {}
            staged @ Installed::Staged(..) => panic!("{staged:?}"),
        }
    }
    assert_eq!(activated, 1);
    assert_eq!(recorded(&host).await, ["plugin.activated"]);
}

async fn of_an_approval_and_a_rejection_one_counts(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, first()).await;
    let waiting = stage(&host, later()).await;
    let (rejecting, approving) = (gateway(&host), gateway(&host));
    let rejected = tokio::spawn(async move {
        plugins::reject(&rejecting, "ann", &probe(), waiting.digest, None).await
    });
    let approved = tokio::spawn(async move {
        let seen = Approve {
            digest: waiting.digest,
            active: None,
        };
        plugins::approve(&approving, "bob", &probe(), seen).await
    });
    let (rejected, approved) = (rejected.await.unwrap(), approved.await.unwrap());
    assert_ne!(rejected.is_ok(), approved.is_ok());
    let expected = if approved.is_ok() {
        PluginState::Active
    } else {
        PluginState::Retired
    };
    assert_eq!(state(&host, &probe(), &later()).await, expected);
    let serves_later = serving(&host, &probe()) == Some(waiting.digest);
    assert_eq!(serves_later, approved.is_ok());
}

async fn what_does_not_exist_is_not_found(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    let digest = PluginDigest::of(b"nothing");
    let gateway = &host.gateway;
    let outcomes = [
        approve(&host, &probe(), digest).await.map(drop),
        plugins::reject(gateway, OPERATOR, &probe(), digest, None)
            .await
            .map(drop),
        plugins::roll_back(gateway, OPERATOR, &probe(), RollBack::default())
            .await
            .map(drop),
        plugins::remove(gateway, OPERATOR, &probe(), plugins::Removal::default()).await,
        plugins::history(gateway, &probe()).await.map(drop),
        plugins::compare(gateway, &probe(), None).await.map(drop),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(Error::NotFound(_))), "{outcome:?}");
    }
    assert_known_plugin(&host).await;
}

/// Of a plugin that exists, other things do not.
async fn assert_known_plugin(host: &TestHost) {
    activate(host, LinearVersion::Built.component()).await;
    let digest = PluginDigest::of(b"nothing");
    let unstaged = approve(host, &linear(), digest).await;
    assert!(matches!(refusal(unstaged), PluginError::NotStaged { .. }));
    let nothing = plugins::compare(&host.gateway, &linear(), None).await;
    assert!(matches!(nothing, Err(Error::NotFound(_))), "{nothing:?}");
    let to = RollBack {
        digest: Some(digest),
    };
    let unknown = plugins::roll_back(&host.gateway, OPERATOR, &linear(), to).await;
    assert!(matches!(
        refusal(unknown),
        PluginError::NoEarlierVersion { .. }
    ));
}
