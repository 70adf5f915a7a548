use proptest::prelude::*;
use serde_json::json;

use super::*;

fn with(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = wat::parse_str("(component)").unwrap();
    for (name, data) in sections {
        sections::append(&mut bytes, name, data);
    }
    bytes
}

fn list(components: &Value) -> Vec<u8> {
    let document = json!({ "bomFormat": "CycloneDX", "components": components });
    with(&[(CRATES_SECTION, document.to_string().as_bytes())])
}

#[test]
fn what_it_says_is_read() {
    let document = json!({
        "bomFormat": "CycloneDX",
        "components": [
            {
                "name": "serde",
                "version": "1.0.229",
                "purl": "pkg:cargo/serde@1.0.229",
                "licenses": [{ "expression": "MIT OR Apache-2.0" }],
            },
            { "name": "left-pad", "licenses": [{ "license": { "id": "WTFPL" } }] },
        ],
    });
    let bytes = with(&[
        (CRATES_SECTION, document.to_string().as_bytes()),
        (SOURCE_SECTION, b"0123abcd+changes"),
    ]);
    let provenance = read(&bytes).unwrap();
    assert_eq!(provenance.revision.as_deref(), Some("0123abcd+changes"));
    let crates = provenance.crates.unwrap();
    assert_eq!(crates[0].purl.as_deref(), Some("pkg:cargo/serde@1.0.229"));
    assert_eq!(crates[0].license.as_deref(), Some("MIT OR Apache-2.0"));
    assert_eq!(
        (crates[1].name.as_str(), crates[1].version.as_str()),
        ("left-pad", "")
    );
    assert_eq!(crates[1].license.as_deref(), Some("WTFPL"));
}

#[test]
fn who_says_nothing_is_no_liar() {
    assert_eq!(read(&with(&[])), Ok(Provenance::default()));
}

#[test]
fn what_a_nested_module_says_is_not_about_the_plugin() {
    let wat = format!(r#"(component (core module (@custom "{SOURCE_SECTION}" "mine")))"#);
    let bytes = wat::parse_str(wat).unwrap();
    assert_eq!(read(&bytes).unwrap().revision, None);
}

#[test]
fn what_cannot_be_shown_is_refused_with_the_rule() {
    let long = "a".repeat(MAX_TEXT_CHARS + 1);
    let many = vec![json!({ "name": "a" }); MAX_CRATES + 1];
    let large = vec![b' '; MAX_LIST_BYTES + 1];
    let deep = "[".repeat(100_000);
    for (bytes, rule) in [
        (with(&[(SOURCE_SECTION, b"\xff")]), "UTF-8"),
        (with(&[(SOURCE_SECTION, long.as_bytes())]), "more than 200"),
        (with(&[(SOURCE_SECTION, b"a\x1b[31m")]), "control"),
        (
            with(&[(SOURCE_SECTION, b"a"), (SOURCE_SECTION, b"b")]),
            "twice",
        ),
        (with(&[(CRATES_SECTION, b"hello")]), "no JSON"),
        (with(&[(CRATES_SECTION, deep.as_bytes())]), "no JSON"),
        (with(&[(CRATES_SECTION, b"{}")]), "no CycloneDX"),
        (with(&[(CRATES_SECTION, &large)]), "bytes"),
        (list(&json!({})), "no list"),
        (list(&json!([{}])), "without a name"),
        (list(&json!([{ "name": 7 }])), "/name is no text"),
        (list(&json!([{ "name": "a\u{202e}\n" }])), "control"),
        (list(&json!(many)), "lists more"),
        (b"hello".to_vec(), "not a WebAssembly component"),
    ] {
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.contains(rule), "{error}");
    }
}

proptest! {
    #[test]
    fn no_section_makes_reading_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&with(&[(CRATES_SECTION, &data)]));
        let _ = read(&with(&[(SOURCE_SECTION, &data)]));
    }
}
