//! Plugins of a running gateway: installing, looking, deciding.

use std::path::PathBuf;

use portcullis_core::plugin::PluginDigest;
use portcullis_tests::{LinearVersion, Served, TestHost, linear_component};
use serde_json::Value;
use tempfile::TempDir;

use super::terminal::{Ended, Terminal};

/// A gateway that takes what nobody signed, and files to be installed.
struct Shop {
    host: TestHost,
    served: Served,
    files: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let host = TestHost::builder().set("plugins.require_signed", "none");
        let host = host.start().await;
        Self {
            served: Served::start(&host).await,
            host,
            files: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, component: &[u8]) -> PathBuf {
        let file = self.files.path().join(name);
        std::fs::write(&file, component).unwrap();
        file
    }

    async fn install(&self, component: &[u8]) -> Ended {
        let file = self.file("linear.wasm", component);
        let install = ["plugin", "install", file.to_str().unwrap()];
        self.operator().types(&install).await
    }

    /// Types a command behind `plugin`, for a person to read.
    async fn types(&self, arguments: &[&str]) -> Ended {
        let arguments = [&["plugin"], arguments].concat();
        self.operator().watched().types(&arguments).await
    }

    fn operator(&self) -> Terminal {
        Terminal::operator(&self.served)
    }
}

fn digest(component: &[u8]) -> String {
    PluginDigest::of(component).to_string()
}

fn changed() -> Vec<u8> {
    LinearVersion::OtherParams.component()
}

#[tokio::test]
async fn what_is_installed_is_told_in_a_sentence() {
    let shop = Shop::open().await;
    let file = shop.file("linear.wasm", &linear_component());
    let install = ["install", file.to_str().unwrap()];
    let told = shop.types(&install).await.assert_exit(0).stdout.clone();
    assert_eq!(
        told,
        format!(
            "digest  {}\nlinear 0.1.0 serves.\nIt can only: call https://api.linear.app POST \
             /graphql; log; read the clock.\n",
            digest(&linear_component())
        )
    );
    let again = shop.types(&install).await;
    let told = &again.assert_exit(0).stdout;
    assert!(
        told.ends_with("linear 0.1.0 is active already.\n"),
        "{told}"
    );
    let piped = shop.install(&linear_component()).await;
    assert_eq!(piped.assert_exit(0).json()["state"], "active");
}

#[tokio::test]
async fn what_waits_is_shown_and_approved_by_its_digest() {
    let shop = Shop::open().await;
    shop.install(&linear_component()).await.assert_exit(0);
    let file = shop.file("changed.wasm", &changed());
    let staged = shop.types(&["install", file.to_str().unwrap()]).await;
    let told = &staged.assert_exit(0).stdout;
    let approve = format!(
        "approve with: portcullis plugin approve linear {}\n",
        digest(&changed())
    );
    assert!(told.contains("\nstaged: changes 2 actions; "), "{told}");
    assert!(told.ends_with(&approve), "{told}");
    assert!(told.contains("~ action list_issues:"), "{told}");
    assert!(told.contains("It can only: call"), "{told}");

    let diff = shop.types(&["diff", "linear"]).await;
    let text = &diff.assert_exit(0).stdout;
    assert!(
        text.contains("Asks for more, or changes what was reviewed:"),
        "{text}"
    );
    diff.assert_told(&["portcullis plugin approve linear sha256:"]);
    let json = shop.operator().types(&["plugin", "diff", "linear"]).await;
    assert_eq!(json.assert_exit(0).json()["requiresApproval"], true);
    let list = shop.types(&["list"]).await;
    let states: Vec<_> = list.assert_exit(0).stdout.lines().skip(1).collect();
    assert!(
        states[0].contains("active") && states[1].contains("staged"),
        "{list:?}"
    );

    let stale = digest(b"another");
    let refused = shop.types(&["approve", "linear", &stale]).await;
    refused
        .assert_exit(7)
        .assert_told(&["is not staged", "portcullis plugin show linear"]);
    let approved = shop
        .types(&["approve", "linear", &digest(&changed())])
        .await;
    assert_eq!(approved.assert_exit(0).stdout, "linear 0.1.0 serves.\n");
    approved.assert_told(&["portcullis plugin rollback linear"]);
    let back = shop.types(&["rollback", "linear"]).await;
    assert!(
        back.assert_exit(0)
            .stdout
            .starts_with("linear 0.1.0 serves again.\n")
    );
    let told = shop.operator().types(&["plugin", "show", "linear"]).await;
    let versions = told.assert_exit(0).json()["versions"].clone();
    assert_eq!(versions[0]["digest"], digest(&linear_component()));
    let told = shop.types(&["show", "linear"]).await;
    let text = &told.assert_exit(0).stdout;
    assert!(
        text.starts_with("linear 0.1.0 serves. It can only: call"),
        "{text}"
    );
    assert!(text.contains("rolled back"), "{text}");
}

#[tokio::test]
async fn approving_without_a_digest_shows_and_asks() {
    let shop = Shop::open().await;
    shop.install(&linear_component()).await.assert_exit(0);
    shop.install(&changed()).await.assert_exit(0);
    let approve = ["plugin", "approve", "linear"];
    for mut terminal in [shop.operator(), shop.operator().watched()] {
        let unseen = terminal.types(&approve).await;
        unseen
            .assert_exit(2)
            .assert_told(&["portcullis plugin diff linear"]);
    }
    for (answer, is_approved) in [("", false), ("n", false), ("yes, all", false), ("y", true)] {
        let mut sitting = shop.operator().sits_at(&approve);
        let seen = sitting.reads("Let linear 0.1.0 serve? [y/N] ").await;
        assert!(seen.contains("/params/properties/programId"), "{seen}");
        sitting.types(answer);
        let ended = sitting.ended().await;
        ended.assert_exit(0);
        let told = if is_approved {
            "linear 0.1.0 serves.\n"
        } else {
            "Nothing has changed; it waits on.\n"
        };
        assert!(ended.stdout.ends_with(told), "{answer}: {ended:?}");
    }
    let active = shop.host.operator("GET", "/v1/plugins", Value::Null).await;
    assert_eq!(active.json["plugins"][0]["digest"], digest(&changed()));
    let mut sitting = shop.operator().sits_at(&approve);
    sitting.hangs_up();
    sitting
        .ended()
        .await
        .assert_exit(7)
        .assert_told(&["staged"]);
}

#[tokio::test]
async fn what_is_rejected_or_removed_is_told() {
    let shop = Shop::open().await;
    shop.install(&linear_component()).await.assert_exit(0);
    shop.install(&changed()).await.assert_exit(0);
    let reject = ["reject", "linear", "--reason", "Not now."];
    let rejected = shop.types(&reject).await;
    assert_eq!(
        rejected.assert_exit(0).stdout,
        "linear 0.1.0 is rejected.\n"
    );
    shop.types(&reject).await.assert_exit(7);
    shop.install(&changed()).await.assert_exit(0);
    let rejected = shop.types(&["reject", "linear", &digest(&changed())]).await;
    rejected.assert_exit(0);

    shop.host.set_mode("update_issue", "require_approval").await;
    let params = serde_json::json!({ "issueId": "ENG-1", "priority": 1 });
    shop.host.ask("update_issue", params).await;
    let refused = shop.types(&["remove", "linear"]).await;
    refused.assert_exit(7).assert_told(&["is in use"]);
    let removed = shop.types(&["remove", "linear", "--force"]).await;
    assert_eq!(removed.assert_exit(0).stdout, "linear serves no longer.\n");
    let empty = shop.types(&["list"]).await;
    assert!(
        empty
            .assert_exit(0)
            .stdout
            .contains("portcullis plugin install"),
        "{empty:?}"
    );
    shop.types(&["rollback", "linear"]).await.assert_exit(0);
}

#[tokio::test]
async fn what_cannot_be_installed_is_told_with_the_reason() {
    let shop = Shop::open().await;
    for (name, component, reason) in [
        ("empty.wasm", Vec::new(), "it is empty"),
        ("text.wasm", b"this is text".to_vec(), "no WebAssembly"),
        ("core.wasm", b"\0asm\x01\0\0\0".to_vec(), "core module"),
    ] {
        let file = shop.file(name, &component);
        let refused = shop.types(&["install", file.to_str().unwrap()]).await;
        assert_eq!(refused.assert_exit(7).stdout, "");
        refused.assert_told(&[reason]);
    }
    let missing = shop.types(&["install", "/nothing.wasm"]).await;
    missing
        .assert_exit(1)
        .assert_told(&["/nothing.wasm: No such file"]);
    let file = shop.file("linear.wasm", &linear_component());
    shop.file("linear.wasm.sig", b"no signature");
    let odd = shop.types(&["install", file.to_str().unwrap()]).await;
    odd.assert_exit(1).assert_told(&["linear.wasm.sig"]);
    let mut member = Terminal::with_token(&shop.served, &shop.host.member_token);
    let refused = member.types(&["plugin", "list"]).await;
    refused
        .assert_exit(8)
        .assert_told(&["PORTCULLIS_OPERATOR_KEY"]);
}
