//! Redirects: the host follows none, so each is an answer like any other.

use super::*;

fn redirect(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
        .into()
}

/// Answers with the redirect, which must arrive at the guest as it is, and lead to
/// nothing else.
async fn check(status: u16, location: &str, elsewhere: &Untouched) {
    let mut attacker = Attacker::keeping(redirect(status, location)).await;
    let mut setup = Setup::granted(attacker.origin()).credential(CredentialForm::Bearer);
    setup
        .granted
        .push(format!("http://127.0.0.1:{}", elsewhere.port()));
    let response = setup.get().await.unwrap();
    assert_eq!(response.status, status);
    assert!(response.headers.contains(&pair("location", location)));
    assert_eq!(attacker.requests(), ["GET /x HTTP/1.1"]);
}

#[tokio::test]
async fn no_redirect_is_followed_wherever_it_leads() {
    let elsewhere = Untouched::new();
    for location in [
        format!("http://127.0.0.1:{}/", elsewhere.port()),
        format!("http://localhost:{}/", elsewhere.port()),
        format!("http://[::ffff:127.0.0.1]:{}/", elsewhere.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://evil.test/".to_owned(),
        "//evil.test/".to_owned(),
        "/x".to_owned(),
        "/../../x".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        check(302, &location, &elsewhere).await;
    }
    let location = format!("http://127.0.0.1:{}/", elsewhere.port());
    for status in [300, 301, 303, 305, 307, 308] {
        check(status, &location, &elsewhere).await;
    }
    elsewhere.assert_untouched();
}

/// A loop ends after one round, and other ways to send a client elsewhere are
/// headers and bodies like any other.
#[tokio::test]
async fn other_ways_to_send_a_client_elsewhere_do_nothing() {
    let elsewhere = Untouched::new();
    let url = format!("http://127.0.0.1:{}/", elsewhere.port());
    for header in [
        format!("refresh: 0; url={url}"),
        format!("content-location: {url}"),
        format!("alt-svc: h2=\"127.0.0.1:{}\"", elsewhere.port()),
        format!("link: <{url}>; rel=preload"),
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{header}\r\ncontent-length: 0\r\n\r\n");
        let attacker = Attacker::keeping(bytes.into()).await;
        let outcome = attacked(&header, &client_of(&attacker)).await;
        assert_eq!(outcome, answer(200, ""), "{header}");
        assert_eq!(attacker.connections(), 1, "{header}");
    }
    elsewhere.assert_untouched();
}

/// A target that carries the credential tells the guest nothing.
#[tokio::test]
async fn a_target_with_the_credential_is_removed() {
    let location = format!("https://evil.test/?token={SECRET}");
    let attacker = Attacker::keeping(redirect(302, &location)).await;
    let setup = Setup::granted(attacker.origin()).credential(CredentialForm::Bearer);
    let response = setup.get().await.unwrap();
    assert_eq!(response.status, 302);
    assert_eq!(response.headers, [pair("content-length", "0")]);
}
