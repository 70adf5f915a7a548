//! `plugin keygen`, `plugin sign` and `plugin verify`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use portcullis_tests::linear_component;
use tempfile::TempDir;

use super::terminal::{Ended, Terminal};

/// A folder with a plugin and two keys.
struct Desk(TempDir);

impl Desk {
    async fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::write(desk.path("linear.wasm"), linear_component()).unwrap();
        for key in ["ci", "eve"] {
            let out = desk.path(key);
            Terminal::new()
                .types(&["plugin", "keygen", "--out", &out])
                .await
                .assert_exit(0);
        }
        desk
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name))
            .unwrap()
            .trim()
            .to_owned()
    }

    async fn sign(&self, key: &str, how: &str) -> Ended {
        let (file, key) = (self.path("linear.wasm"), self.path(key));
        let typed = ["plugin", "sign", &file, "--key", &key, how];
        Terminal::new().types(&typed).await
    }

    async fn verify(&self, key: &str) -> Ended {
        let (file, key) = (self.path("linear.wasm"), self.path(key));
        let typed = ["plugin", "verify", &file, "--key", &key];
        Terminal::new().types(&typed).await
    }

    /// Changes a byte of a file.
    fn damage(&self, name: &str, at: usize) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        bytes[at] ^= 1;
        fs::write(self.path(name), bytes).unwrap();
    }
}

#[tokio::test]
async fn what_is_signed_is_verified_and_nothing_else() {
    for how in ["--detached", "--embed"] {
        let desk = Desk::new().await;
        let unsigned = desk.verify("ci.pub").await;
        unsigned
            .assert_exit(1)
            .assert_told(&["portcullis plugin sign"]);

        desk.sign("ci", how).await.assert_exit(0);
        let verified = desk.verify("ci.pub").await.json();
        assert_eq!(verified["trusted"], true);
        assert_eq!(verified["signatures"][0]["valid"], true);
        assert_eq!(verified["signatures"][0]["publicKey"], desk.text("ci.pub"));

        let foreign = desk.verify("eve.pub").await;
        foreign.assert_exit(1).assert_told(&["by no trusted key"]);

        // In the middle of its code.
        desk.damage("linear.wasm", 100_000);
        let changed = desk.verify("ci.pub").await;
        changed.assert_exit(1).assert_told(&["does not fit"]);
    }
}

#[tokio::test]
async fn a_private_key_is_its_owners_alone_and_not_overwritten() {
    let desk = Desk::new().await;
    let mode = fs::metadata(desk.path("ci")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = desk.text("ci");
    let out = desk.path("ci");
    let again = Terminal::new()
        .types(&["plugin", "keygen", "--out", &out])
        .await;
    again.assert_exit(1).assert_told(&["exists"]);
    assert_eq!(desk.text("ci"), before);

    let folder = desk.path("");
    let typed = ["plugin", "keygen", "--out", &folder];
    let document = Terminal::new().types(&typed).await.json();
    assert_eq!(document["publicKey"], desk.text("plugin-signing.key.pub"));
    assert_ne!(document["publicKey"], desk.text("ci.pub"));
}

#[tokio::test]
async fn several_sign_the_same_and_nobody_signs_twice() {
    let desk = Desk::new().await;
    for (key, how) in [
        ("eve", "--embed"),
        ("ci", "--embed"),
        ("ci", "--detached"),
        ("eve", "--detached"),
    ] {
        let first = desk.sign(key, how).await.json();
        assert_eq!(first["new"], true, "{key} {how}");
        let second = desk.sign(key, how).await.json();
        assert_eq!(second["new"], false, "{key} {how}");
        assert_eq!(second["signature"], first["signature"]);
    }
    let verified = desk.verify("ci.pub").await.json();
    let signatures = verified["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 2, "{verified}");
    assert_eq!(desk.text("linear.wasm.sig").lines().count(), 2);
}

#[tokio::test]
async fn nothing_is_signed_over_a_signature_that_does_not_fit() {
    let desk = Desk::new().await;
    desk.sign("ci", "--detached").await.assert_exit(0);
    desk.damage("linear.wasm", 100_000);
    let refused = desk.sign("eve", "--detached").await;
    refused
        .assert_exit(1)
        .assert_told(&["does not fit", "linear.wasm.sig"]);
    assert_eq!(desk.text("linear.wasm.sig").lines().count(), 1);

    fs::remove_file(desk.path("linear.wasm.sig")).unwrap();
    desk.sign("ci", "--embed").await.assert_exit(0);
    desk.damage("linear.wasm", 100_001);
    let before = fs::read(desk.path("linear.wasm")).unwrap();
    let refused = desk.sign("eve", "--embed").await;
    refused.assert_exit(1).assert_told(&["does not fit"]);
    assert_eq!(fs::read(desk.path("linear.wasm")).unwrap(), before);
}

#[tokio::test]
async fn a_configuration_says_whose_a_signature_is() {
    let desk = Desk::new().await;
    let config = desk.path("gateway.toml");
    let text = format!("[plugins.trusted_keys]\nada = {:?}\n", desk.text("ci.pub"));
    fs::write(&config, text).unwrap();
    desk.sign("ci", "--embed").await.assert_exit(0);
    let file = desk.path("linear.wasm");
    let typed = ["plugin", "verify", &file, "--config", &config];
    let verified = Terminal::new().types(&typed).await.json();
    assert_eq!(verified["signatures"][0]["name"], "ada");

    let typed = ["plugin", "inspect", &file, "--config", &config];
    let page = Terminal::new().watched().types(&typed).await;
    assert!(
        page.assert_exit(0).stdout.contains("signed by  ada (key "),
        "{page:?}"
    );
    let typed = ["plugin", "inspect", &file];
    let page = Terminal::new().watched().types(&typed).await;
    assert!(page.stdout.contains("(not trusted)"), "{page:?}");

    desk.damage("linear.wasm", linear_component().len() + 100);
    let page = Terminal::new().watched().types(&typed).await;
    assert!(
        page.assert_exit(0).stdout.contains("signed by  nobody"),
        "{page:?}"
    );
    page.assert_told(&["warning: "]);
}

#[tokio::test]
async fn what_is_no_key_signature_or_plugin_is_told_with_the_rule() {
    let desk = Desk::new().await;
    let write = |name: &str, text: &str| {
        fs::write(desk.path(name), text).unwrap();
        desk.path(name)
    };
    let (plugin, ci) = (desk.path("linear.wasm"), desk.path("ci"));
    let (text, nothing) = (write("text", "hunter2"), desk.path("nothing"));
    for (typed, exit, told) in [
        (vec!["sign", &plugin, "--key", &text], 1, "plugin keygen"),
        (vec!["sign", &plugin, "--key", &nothing], 1, "No such file"),
        (
            vec!["sign", &text, "--key", &ci],
            1,
            "not a WebAssembly component",
        ),
        (vec!["sign", &plugin], 2, "--key"),
        (
            vec!["sign", &plugin, "--key", &ci, "--embed", "--detached"],
            2,
            "cannot be used",
        ),
        (vec!["verify", &plugin], 2, "plugins.trusted_keys"),
        (
            vec!["verify", &plugin, "--key", "ed25519:AAAA"],
            2,
            "32 bytes",
        ),
        (vec!["verify", &plugin, "--key", &text], 1, "32 bytes"),
        (
            vec!["verify", &plugin, "--key", &ci, "--signature", &text],
            1,
            "32 bytes",
        ),
        (vec!["keygen"], 2, "--out"),
    ] {
        let typed: Vec<_> = ["plugin"].into_iter().chain(typed).collect();
        let ended = Terminal::new().types(&typed).await;
        ended.assert_exit(exit).assert_told(&[told]);
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
    let public = desk.path("ci.pub");
    let typed = [
        "plugin",
        "verify",
        &plugin,
        "--key",
        &public,
        "--signature",
        &text,
    ];
    let ended = Terminal::new().types(&typed).await;
    ended.assert_exit(1).assert_told(&["signature must be"]);
}
