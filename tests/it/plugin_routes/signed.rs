//! Who vouches for what is installed.

use portcullis_core::signature::{PrivateKey, Signature, SignedDigest};
use portcullis_runtime::signature;
use portcullis_tests::{Answer, TestHost, linear_component};

use super::upload;

fn key(number: u8) -> PrivateKey {
    PrivateKey::from_random(&[number; 32]).unwrap()
}

/// A host that trusts the first key, under the name `ci`.
async fn trusting() -> TestHost {
    TestHost::builder()
        .set("plugins.require_signed", "uploads")
        .set("plugins.trusted_keys.ci", key(1).public())
        .start()
        .await
}

fn signed(component: &[u8], key: &PrivateKey) -> Signature {
    key.sign(SignedDigest::of([component]))
}

/// Installs a component with these values of the header.
async fn install(host: &TestHost, component: Vec<u8>, signatures: &[&str]) -> Answer {
    let mut request = upload(component);
    for signature in signatures {
        let value = signature.parse().unwrap();
        request.headers_mut().append("portcullis-signature", value);
    }
    host.send(request).await
}

#[tokio::test]
async fn what_nobody_trusted_has_signed_is_refused() {
    let host = trusting().await;
    let unsigned = install(&host, linear_component(), &[]).await;
    unsigned.assert_error(403, "signature_required");
    let told = unsigned.message();
    assert!(told.contains("plugins.trusted_keys"), "{told}");
    let stranger = signed(&linear_component(), &key(2)).to_string();
    let unknown = install(&host, linear_component(), &[&stranger]).await;
    unknown.assert_error(403, "signature_required");
    let elsewhere = signed(b"another component", &key(1)).to_string();
    let wrong = install(&host, linear_component(), &[&elsewhere]).await;
    wrong.assert_error(400, "invalid_signature");
    for no_signature in ["x", "ed25519:", "ed25519:AAAA:AAAA"] {
        let malformed = install(&host, linear_component(), &[no_signature]).await;
        malformed.assert_error(400, "invalid_signature");
    }
    // A signature that is wrong is not made good by one that is right.
    let right = signed(&linear_component(), &key(1)).to_string();
    let both = install(&host, linear_component(), &[&right, &elsewhere]).await;
    both.assert_error(400, "invalid_signature");
}

#[tokio::test]
async fn whoever_signed_is_shown() {
    let host = trusting().await;
    let ours = signed(&linear_component(), &key(1)).to_string();
    let theirs = signed(&linear_component(), &key(2)).to_string();
    let joined = format!("{theirs}, {ours}");
    let installed = install(&host, linear_component(), &[&joined]).await;
    installed.assert_status(201);
    assert_eq!(installed.json["signedBy"], serde_json::json!(["ci"]));
    let embedded = signature::embed(linear_component(), &signed(&linear_component(), &key(1)));
    let again = install(&host, embedded, &[]).await;
    again.assert_status(201);
    assert_eq!(again.json["signedBy"], serde_json::json!(["ci"]));
}
