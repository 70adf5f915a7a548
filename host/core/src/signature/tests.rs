use proptest::prelude::*;

use super::*;

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_random(&[seed; 32]).unwrap()
}

fn trusted(names: &[(&str, u8)]) -> TrustedKeys {
    let mut keys = TrustedKeys::default();
    for (name, seed) in names {
        keys.add(name, *key(*seed).public()).unwrap();
    }
    keys
}

fn digest(text: &str) -> SignedDigest {
    SignedDigest::of([text.as_bytes()])
}

#[test]
fn what_a_trusted_key_signed_is_vouched_for_by_name() {
    let signature = key(1).sign(digest("plugin"));
    let signed_by = verify(digest("plugin"), &[signature], &trusted(&[("ci", 1)])).unwrap();
    assert_eq!(signed_by.names().collect::<Vec<_>>(), ["ci"]);
    let signed = signed_by.satisfies(Requirement::All, Arrival::Uploaded);
    assert_eq!(signed, Ok(()));
}

#[test]
fn a_signature_of_an_unknown_key_is_as_good_as_none_and_says_whose() {
    let signature = key(2).sign(digest("plugin"));
    let signed_by = verify(digest("plugin"), &[signature], &trusted(&[("ci", 1)])).unwrap();
    let error = signed_by
        .satisfies(Requirement::Uploads, Arrival::Uploaded)
        .unwrap_err();
    assert_eq!(error, Unsigned::Unknown(vec![key(2).public().id()]));
    let text = error.to_string();
    assert!(text.contains(&key(2).public().id().to_string()), "{text}");
    assert!(text.contains("plugins.trusted_keys"), "{text}");
}

#[test]
fn nobody_is_told_how_to_sign() {
    let error = SignedBy::default()
        .satisfies(Requirement::Uploads, Arrival::Uploaded)
        .unwrap_err();
    assert!(error.to_string().contains("portcullis plugin sign"));
}

#[test]
fn a_signature_that_does_not_fit_is_refused_whoever_else_signed() {
    for forger in [1, 2] {
        let signatures = [
            key(1).sign(digest("plugin")),
            key(forger).sign(digest("other")),
        ];
        let result = verify(digest("plugin"), &signatures, &trusted(&[("ci", 1)]));
        assert_eq!(result.unwrap_err().0.key, *key(forger).public());
        let verdicts = judge(digest("plugin"), &signatures, &trusted(&[("ci", 1)]));
        let valid: Vec<_> = verdicts.iter().map(|verdict| verdict.valid).collect();
        assert_eq!(valid, [true, false]);
    }
}

#[test]
fn who_signs_twice_is_named_once() {
    let signature = key(1).sign(digest("plugin"));
    let signatures = [signature, signature, key(2).sign(digest("plugin"))];
    let signed_by = verify(digest("plugin"), &signatures, &TrustedKeys::default()).unwrap();
    assert_eq!(signed_by.signers().len(), 2);
    assert!(!signed_by.is_trusted());
}

#[test]
fn what_needs_a_signature_depends_on_the_way_it_came() {
    use Arrival::{Uploaded, Watched};
    for (requirement, arrival, needed) in [
        (Requirement::Uploads, Uploaded, true),
        (Requirement::Uploads, Watched, false),
        (Requirement::All, Uploaded, true),
        (Requirement::All, Watched, true),
        (Requirement::None, Uploaded, false),
        (Requirement::None, Watched, false),
    ] {
        let unsigned = SignedBy::default().satisfies(requirement, arrival);
        assert_eq!(unsigned.is_err(), needed, "{requirement} {arrival:?}");
    }
}

#[test]
fn a_signature_for_another_purpose_is_none_for_a_plugin() {
    use ed25519_dalek::Signer as _;
    let raw = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let hash = hex::encode(Sha256::digest(b"plugin"));
    let signature = Signature {
        key: *key(1).public(),
        bytes: raw.sign(hash.as_bytes()).to_bytes(),
    };
    assert!(!signature.fits(digest("plugin")));
}

#[test]
fn keys_and_signatures_survive_being_written() {
    let written = key(1).to_pem().unwrap();
    assert!(written.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let read = PrivateKey::from_pem(&written).unwrap();
    assert_eq!(read.public(), key(1).public());
    let public = key(1).public().to_string();
    assert_eq!(public.len(), PublicKey::TEXT_CHARS);
    assert_eq!(public.parse(), Ok(*key(1).public()));
    let signature = key(1).sign(digest("plugin"));
    assert_eq!(signature.to_string().len(), Signature::TEXT_CHARS);
    assert_eq!(signature.to_string().parse(), Ok(signature));
}

/// The test of RFC 8410, section 10.3, with the public key that section 10.1
/// gives for it.
#[test]
fn a_key_that_another_tool_made_is_read() {
    let pem = "-----BEGIN PRIVATE KEY-----\n\
               MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
               -----END PRIVATE KEY-----\n";
    let key = PrivateKey::from_pem(pem).unwrap();
    let public = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    assert_eq!(key.public().to_string(), public);
    assert_eq!(key.to_pem().unwrap().as_str(), pem);
}

#[test]
fn what_is_no_private_key_is_refused_without_repeating_it() {
    for text in [
        "",
        "hunter2",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ] {
        let error = PrivateKey::from_pem(text).unwrap_err().to_string();
        assert!(error.contains("plugin keygen"), "{error}");
        assert!(!error.contains("hunter2"));
    }
    assert!(!format!("{:?}", key(1)).contains("BEGIN"));
}

#[test]
fn keys_that_anybody_can_sign_for_are_no_keys() {
    // The neutral element, a point of order two, and one that is spelled in
    // another way than it would be written.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut order_two = [0xff; 32];
    (order_two[0], order_two[31]) = (0xec, 0x7f);
    let mut uncanonical = [0xff; 32];
    (uncanonical[0], uncanonical[31]) = (0xee, 0x7f);
    for bytes in [[0; 32], identity, order_two, uncanonical] {
        let text = format!("ed25519:{}", STANDARD.encode(bytes));
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
    }
}

#[test]
fn texts_that_are_no_signature_are_refused() {
    let good = key(1).sign(digest("plugin")).to_string();
    for bad in [
        String::new(),
        "ed25519:".to_owned(),
        good.replace("ed25519", "rsa4096"),
        format!("{good}A"),
        good.chars().skip(1).collect(),
        "é".repeat(Signature::TEXT_CHARS / 2),
    ] {
        assert!(bad.parse::<Signature>().is_err(), "{bad}");
    }
}

#[test]
fn a_list_may_be_lines_or_a_repeated_header() {
    let (one, two) = (key(1).sign(digest("a")), key(2).sign(digest("a")));
    let file = format!("{one}\n{two}\n");
    assert_eq!(parse_list([file.as_str()]), Ok(vec![one, two]));
    let header = format!("{one}, {two}");
    let third = two.to_string();
    let all = parse_list([header.as_str(), third.as_str()]);
    assert_eq!(all, Ok(vec![one, two, two]));
    assert_eq!(parse_list([""]), Ok(Vec::new()));
    assert!(parse_list(["hello"]).is_err());
    let many = vec![third.as_str(); MAX_SIGNATURES + 1];
    assert_eq!(parse_list(many), Err(UnusableSignatures::TooMany));
}

#[test]
fn trusted_keys_have_one_name_each() {
    let one = key(1).public().to_string();
    let parse = |texts: &[(&str, &str)]| TrustedKeys::parse(texts.iter().copied());
    assert!(parse(&[("ci", &one)]).is_ok());
    for (texts, word) in [
        (vec![("ci", "ed25519:AAAA")], "`ci`: public key must be"),
        (vec![("", one.as_str())], "no name of a key"),
        (vec![("a b", one.as_str())], "no name of a key"),
        (
            vec![("a", one.as_str()), ("b", one.as_str())],
            "the same key",
        ),
    ] {
        let error = parse(&texts).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let mut keys = TrustedKeys::default();
    for seed in 0..=MAX_TRUSTED_KEYS {
        let seed = u8::try_from(seed).unwrap();
        let added = keys.add(&format!("k{seed}"), *key(seed).public());
        assert_eq!(added.is_ok(), usize::from(seed) < MAX_TRUSTED_KEYS);
    }
}

proptest! {
    /// Whichever character of a signature is changed: it no longer is one, or no
    /// longer fits.
    #[test]
    fn no_changed_signature_fits(at in 0..Signature::TEXT_CHARS, flip in 1_u8..0x80) {
        let text = key(1).sign(digest("plugin")).to_string();
        let mut bytes = text.into_bytes();
        bytes[at] ^= flip;
        let changed = String::from_utf8(bytes).unwrap();
        if let Ok(signature) = changed.parse::<Signature>() {
            prop_assert!(!signature.fits(digest("plugin")), "{changed}");
        }
    }

    #[test]
    fn no_text_makes_parsing_panic(text in ".{0,200}") {
        let _ = text.parse::<Signature>();
        let _ = text.parse::<PublicKey>();
        let _ = PrivateKey::from_pem(&text);
        let _ = parse_list([text.as_str()]);
    }
}
