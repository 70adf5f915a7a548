//! `plugin install oci://…`: what a registry answers is believed only as far as a
//! digest goes.

mod fake;

use portcullis::cli::variables;
use portcullis_core::signature::PrivateKey;
use portcullis_runtime::signature;
use portcullis_tests::{Served, TestHost, probe_component};
use serde_json::json;

use super::terminal::{Ended, Terminal};
use fake::{FakeRegistry, Manner, SIGNATURES, WASM, digest};

/// A gateway that trusts one key, and its operator.
struct Gateway {
    host: TestHost,
    served: Served,
}

impl Gateway {
    async fn start() -> Self {
        let public = key().public().to_string();
        let host = TestHost::builder()
            .set("plugins.trusted_keys.ci", public)
            .start()
            .await;
        let served = Served::start(&host).await;
        Self { host, served }
    }

    async fn install(&self, reference: &str) -> Ended {
        let mut operator = Terminal::operator(&self.served);
        let typed = ["plugin", "install", reference, "--plain-http"];
        operator.types(&typed).await
    }

    async fn install_as(&self, user: &str, password: &str, reference: &str) -> Ended {
        let operator = Terminal::operator(&self.served);
        let typed = ["plugin", "install", reference, "--plain-http"];
        operator
            .set(variables::REGISTRY_USER, user)
            .set(variables::REGISTRY_PASSWORD, password)
            .types(&typed)
            .await
    }

    /// Whether the gateway knows the plugin.
    fn has_probe(&self) -> bool {
        let plugin = self.host.gateway.sources.plugin(&"probe".parse().unwrap());
        plugin.is_some()
    }
}

fn key() -> PrivateKey {
    PrivateKey::from_random(&[7; 32]).unwrap()
}

fn detached(component: &[u8]) -> Vec<u8> {
    let signed = signature::read(component).unwrap();
    format!("{}\n", key().sign(signed.digest)).into_bytes()
}

/// The probe and its signature.
async fn registry() -> FakeRegistry {
    let component = probe_component(&[]);
    let signature = detached(&component);
    FakeRegistry::start(&[(WASM, &component), (SIGNATURES, &signature)]).await
}

#[tokio::test]
async fn a_plugin_is_pulled_by_digest_with_its_signature() {
    let (gateway, registry) = (Gateway::start().await, registry().await);
    let installed = gateway.install(&registry.by_digest()).await;
    assert_eq!(installed.assert_exit(0).stderr, "");
    let document = installed.json();
    assert_eq!(document["digest"], digest(&probe_component(&[])));
    assert!(gateway.has_probe());
    let paths = registry.asked();
    assert!(paths[0].contains(&registry.manifest), "{paths:?}");
    assert_eq!(paths.len(), 3, "{paths:?}");
}

#[tokio::test]
async fn a_tag_is_asked_for_once_and_its_digest_told() {
    let (gateway, registry) = (Gateway::start().await, registry().await);
    let installed = gateway.install(&registry.by_tag()).await;
    let resolved = format!("is resolved to {}", registry.by_digest());
    installed.assert_exit(0).assert_told(&[&resolved]);
    let asked = registry.asked();
    let manifests = asked.iter().filter(|path| path.contains("/manifests/"));
    assert_eq!(manifests.count(), 1);
}

#[tokio::test]
async fn what_nobody_signed_is_refused_by_the_gateway() {
    let gateway = Gateway::start().await;
    let component = probe_component(&[]);
    let registry = FakeRegistry::start(&[(WASM, &component)]).await;
    let refused = gateway.install(&registry.by_digest()).await;
    refused
        .assert_exit(8)
        .assert_told(&["plugins.require_signed"]);

    let other = detached(&portcullis_tests::linear_component());
    let registry = FakeRegistry::start(&[(WASM, &component), (SIGNATURES, &other)]).await;
    let refused = gateway.install(&registry.by_digest()).await;
    refused.assert_exit(7).assert_told(&["does not fit"]);
    assert!(!gateway.has_probe());
}

#[tokio::test]
async fn a_registry_that_lies_is_told_and_nothing_is_installed() {
    let gateway = Gateway::start().await;
    let other = probe_component(&[("edition: first ", "edition: second")]);
    let manifest = json!({ "layers": [{
        "mediaType": WASM, "digest": digest(&other), "size": other.len(),
    }] });
    for (manner, by_tag, told) in [
        // The manifest is another one than was named.
        (
            Manner::Exchanges(manifest.to_string().into_bytes()),
            false,
            "asked for the manifest",
        ),
        // The tag's manifest is what it is, and then the layer is another one.
        (
            Manner::Exchanges(manifest.to_string().into_bytes()),
            true,
            "asked for the layer",
        ),
        (Manner::CutsLayers(1000), false, "asked for the layer"),
        (Manner::CutsLayers(0), false, "asked for the layer"),
        (
            Manner::NeverEnds,
            false,
            "answers with more than the 4194304 bytes",
        ),
        (
            Manner::Fails,
            false,
            r"it answers 500: the disk\u{1b}[31m is full",
        ),
        (Manner::Exchanges(b"<html>".to_vec()), true, "no JSON"),
    ] {
        let registry = registry().await;
        registry.behaves(manner.clone());
        let reference = if by_tag {
            registry.by_tag()
        } else {
            registry.by_digest()
        };
        let refused = gateway.install(&reference).await;
        refused.assert_exit(1).assert_told(&[told]);
        assert!(!gateway.has_probe(), "{manner:?}");
    }
}

#[tokio::test]
async fn sizes_are_those_of_the_manifest() {
    let gateway = Gateway::start().await;
    let component = probe_component(&[]);
    for (size, told) in [
        (component.len() - 1, "may have"),
        (component.len() + 1, "and its manifest says"),
        (1 << 30, "at most 67108864 are pulled"),
        (usize::MAX, "at most 67108864 are pulled"),
    ] {
        let mut registry = registry().await;
        let layer = json!({ "mediaType": WASM, "digest": digest(&component), "size": size });
        registry.tag(&json!({ "layers": [layer] }));
        let refused = gateway.install(&registry.by_digest()).await;
        refused.assert_exit(1).assert_told(&[told]);
    }
    assert!(!gateway.has_probe());
}

#[tokio::test]
async fn what_is_no_plugin_is_told_with_what_there_is() {
    let gateway = Gateway::start().await;
    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let registry = FakeRegistry::start(&[(layer, b"an image")]).await;
    let refused = gateway.install(&registry.by_tag()).await;
    refused
        .assert_exit(1)
        .assert_told(&[layer, "application/wasm"]);

    let missing = registry.by_tag().replace("1.0", "2.0");
    let refused = gateway.install(&missing).await;
    refused
        .assert_exit(1)
        .assert_told(&["has no 2.0", "was pushed"]);
}

#[tokio::test]
async fn a_registry_that_asks_who_pulls_is_told() {
    let gateway = Gateway::start().await;
    let basic = "Basic YWRhOnMzY3JldA==";
    for (manner, needs_login) in [
        (Manner::WantsToken, false),
        (Manner::WantsTokenFor(basic.to_owned()), true),
        (Manner::WantsBasic(basic.to_owned()), true),
    ] {
        let registry = registry().await;
        registry.behaves(manner);
        let reference = registry.by_digest();
        let anonymous = gateway.install(&reference).await;
        if needs_login {
            anonymous
                .assert_exit(8)
                .assert_told(&["PORTCULLIS_REGISTRY_USER"]);
        } else {
            anonymous.assert_exit(0);
            let asked = registry.asked();
            let token = "/token?service=fake&scope=repository%3Aacme%2Fprobe%3Apull ";
            assert!(asked.iter().any(|one| one == token), "{asked:?}");
        }
        let known = gateway.install_as("ada", "s3cret", &reference).await;
        known.assert_exit(0);
        let wrong = gateway.install_as("ada", "wrong", &reference).await;
        assert_eq!(wrong.exit, if needs_login { 8 } else { 0 }, "{wrong:?}");
        assert!(!wrong.stderr.contains("wrong"), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_and_takes_no_credential_along() {
    let gateway = Gateway::start().await;
    let (registry, elsewhere) = (registry().await, registry().await);
    registry.behaves(Manner::SendsAway(elsewhere.url()));
    let reference = registry.by_digest();
    gateway.install(&reference).await.assert_exit(0);

    let basic = "Basic YWRhOnMzY3JldA==";
    let manner = Manner::KnowsAndSendsAway(basic.to_owned(), elsewhere.url());
    registry.behaves(manner);
    let _ = (registry.asked(), elsewhere.asked());
    let known = gateway.install_as("ada", "s3cret", &reference).await;
    known.assert_exit(0);
    assert!(registry.asked().iter().any(|one| one.ends_with(basic)));
    let taken = elsewhere.asked();
    assert!(!taken.is_empty());
    assert!(taken.iter().all(|one| one.ends_with("? ")), "{taken:?}");

    // In circles, to another machine, and to another scheme.
    for (target, told) in [
        (registry.url(), "redirects more than"),
        ("http://192.0.2.1".to_owned(), "not this machine"),
        ("ftp://127.0.0.1".to_owned(), "no https"),
        ("http://ada:s3cret@127.0.0.1".to_owned(), "user name"),
    ] {
        registry.behaves(Manner::SendsAway(target));
        let refused = gateway.install(&reference).await;
        refused.assert_exit(1).assert_told(&[told]);
    }
}

#[tokio::test]
async fn plain_http_is_for_this_machine_alone() {
    let gateway = Gateway::start().await;
    let far = "oci://192.0.2.1:5000/acme/probe:1.0";
    let refused = gateway.install(far).await;
    refused.assert_exit(1).assert_told(&["--plain-http"]);

    // Without the flag TLS is spoken, which this registry does not.
    let registry = registry().await;
    let mut operator = Terminal::operator(&gateway.served);
    let refused = operator
        .types(&["plugin", "install", &registry.by_tag()])
        .await;
    refused.assert_exit(1).assert_told(&["https://127.0.0.1"]);
    assert_eq!(registry.asked(), Vec::<String>::new());

    let half = Terminal::operator(&gateway.served)
        .set(variables::REGISTRY_USER, "ada")
        .types(&["plugin", "install", far, "--plain-http"])
        .await;
    half.assert_exit(2).assert_told(&["belong together"]);
    let wrong = gateway.install("oci://127.0.0.1/acme").await;
    wrong.assert_exit(2).assert_told(&["say which one"]);
}
