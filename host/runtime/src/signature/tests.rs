use portcullis_core::signature::{Arrival, PrivateKey, Requirement};
use proptest::prelude::*;

use super::*;

fn component() -> Vec<u8> {
    wat::parse_str(
        r#"(component
            (core module (func (export "f") (result i32) (i32.const 7)))
            (@custom "notes" "anything"))"#,
    )
    .unwrap()
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_random(&[seed; 32]).unwrap()
}

fn trusted() -> TrustedKeys {
    let mut keys = TrustedKeys::default();
    keys.add("ci", *key(1).public()).unwrap();
    keys
}

fn sign(bytes: &[u8], seed: u8) -> Signature {
    key(seed).sign(read(bytes).unwrap().digest)
}

fn signed(seed: u8) -> Vec<u8> {
    embed(component(), &sign(&component(), seed))
}

/// Whether a gateway that asks for signatures takes it.
fn is_taken(bytes: &[u8], detached: &[Signature]) -> bool {
    check(bytes, detached, &trusted()).is_ok_and(|by| {
        by.satisfies(Requirement::Uploads, Arrival::Uploaded)
            .is_ok()
    })
}

#[test]
fn what_a_trusted_key_signed_is_taken_with_the_signature_inside_or_beside() {
    assert!(!is_taken(&component(), &[]));
    assert!(is_taken(&signed(1), &[]));
    assert!(is_taken(&component(), &[sign(&component(), 1)]));
    assert!(!is_taken(&signed(2), &[]));
    assert!(!is_taken(&component(), &[sign(&component(), 2)]));
}

#[test]
fn a_second_signature_leaves_the_first_one_valid() {
    let twice = embed(signed(2), &sign(&signed(2), 1));
    let by = check(&twice, &[sign(&twice, 3)], &trusted()).unwrap();
    let keys: Vec<_> = by.signers().iter().map(|signer| signer.key).collect();
    assert_eq!(keys, [2, 1, 3].map(|seed| *key(seed).public()));
    assert_eq!(by.names().collect::<Vec<_>>(), ["ci"]);
    // The same key once more says nothing new.
    let thrice = embed(twice, &sign(&component(), 1));
    assert_eq!(check(&thrice, &[], &trusted()).unwrap().signers().len(), 2);
}

#[test]
fn a_signature_may_lie_between_other_sections() {
    let signature = sign(&component(), 1);
    let mut section = Vec::new();
    sections::append(&mut section, SECTION, signature.to_string().as_bytes());
    let whole = component();
    let middle = sections::custom(&whole).unwrap()[0].range.start;
    let (before, after) = whole.split_at(middle);
    let bytes = [before, &section, after].concat();
    assert!(is_taken(&bytes, &[]));
}

#[test]
fn what_comes_behind_the_signature_is_signed_as_well() {
    let mut more = signed(1);
    sections::append(&mut more, "notes", b"afterwards");
    assert!(matches!(
        check(&more, &[], &trusted()),
        Err(SignatureError::Invalid(_))
    ));
    let tail = [signed(1).as_slice(), b"tail"].concat();
    assert!(matches!(
        check(&tail, &[], &trusted()),
        Err(SignatureError::NotAComponent(_))
    ));
}

#[test]
fn a_section_of_something_nested_is_no_signature() {
    let text = sign(&component(), 1).to_string();
    let wat = format!(
        r#"(component
            (core module (@custom "{SECTION}" "{text}"))
            (component (@custom "{SECTION}" "{text}")))"#
    );
    let bytes = wat::parse_str(wat).unwrap();
    assert_eq!(check(&bytes, &[], &trusted()), Ok(SignedBy::default()));
    assert!(!is_taken(&bytes, &[]));
}

#[test]
fn a_signature_of_something_else_is_refused_also_of_an_unknown_key() {
    let other = wat::parse_str("(component)").unwrap();
    for seed in [1, 2] {
        let stolen = sign(&other, seed);
        for (bytes, detached) in [
            (embed(component(), &stolen), vec![]),
            (component(), vec![stolen]),
            // A good one beside it does not help.
            (signed(1), vec![stolen]),
        ] {
            let error = check(&bytes, &detached, &trusted()).unwrap_err();
            assert!(matches!(&error, SignatureError::Invalid(_)), "{error}");
            let verdicts = judge(&bytes, &detached, &trusted()).unwrap();
            assert!(!verdicts.last().unwrap().valid);
        }
    }
}

#[test]
fn a_section_that_holds_no_signature_is_refused() {
    let good = sign(&component(), 1).to_string();
    let longer = format!("{good}\n");
    for data in [
        &b""[..],
        b"\xff",
        b"hello",
        longer.as_bytes(),
        &[b'a'; 10_000],
    ] {
        let mut bytes = component();
        sections::append(&mut bytes, SECTION, data);
        let error = check(&bytes, &[], &trusted()).unwrap_err();
        assert!(matches!(error, SignatureError::Malformed(_)), "{error}");
    }
}

#[test]
fn the_number_of_signatures_is_bounded() {
    let signature = sign(&component(), 1);
    let mut bytes = component();
    for _ in 0..MAX_SIGNATURES {
        bytes = embed(bytes, &signature);
    }
    assert!(is_taken(&bytes, &[]));
    for (bytes, detached) in [
        (bytes.clone(), vec![signature]),
        (embed(bytes, &signature), vec![]),
    ] {
        let result = check(&bytes, &detached, &trusted());
        assert_eq!(result, Err(SignatureError::TooMany));
    }
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    let (inside, beside) = (signed(1), component());
    let detached = [sign(&component(), 1)];
    for (bytes, detached) in [(&inside, &[][..]), (&beside, &detached[..])] {
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(!is_taken(&changed, detached), "byte {at}");
        }
    }
}

#[test]
fn no_shortened_component_is_taken() {
    let bytes = signed(1);
    for length in 0..bytes.len() {
        assert!(!is_taken(&bytes[..length], &[]), "{length}");
    }
}

proptest! {
    #[test]
    fn nothing_put_anywhere_goes_unnoticed(
        at in any::<prop::sample::Index>(),
        extra in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let mut bytes = signed(1);
        let at = at.index(bytes.len() + 1);
        bytes.splice(at..at, extra);
        prop_assert!(!is_taken(&bytes, &[]));
    }

    #[test]
    fn no_bytes_make_reading_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&b"\0asm\x0d\0\x01\0"[..], &tail].concat();
        let _ = read(&bytes);
        let _ = read(&tail);
    }
}
