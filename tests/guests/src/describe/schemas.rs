//! Schemas of params, most of them made to hurt whoever compiles or follows them.

use std::hint::black_box;

use super::manner_is;

/// Where a schema refers to: `elsewhere: `, a reference, and spaces. What a test replaces
/// to see whether anybody goes there.
static ELSEWHERE: [u8; 64] = *b"elsewhere: https://schemas.example/params.json                  ";

fn elsewhere() -> String {
    // Opaque to the compiler, which otherwise would know the answer.
    let elsewhere = black_box(&ELSEWHERE);
    let reference = elsewhere.strip_prefix(b"elsewhere: ").unwrap_or_default();
    String::from_utf8_lossy(reference.trim_ascii_end()).into_owned()
}

/// One action has the schema that the manner asks for, the others a plain one.
pub(super) fn params_schema(id: &str) -> String {
    let plain = r#"{"type":"object"}"#.to_owned();
    if id != "echo" {
        return plain;
    }
    if manner_is("refers elsewhere") {
        return property(&format!(r#"{{"$ref":"{}"}}"#, elsewhere()));
    }
    if manner_is("multiplies references") {
        return multiplying();
    }
    if let Some(pattern) = pattern() {
        return property(&format!(r#"{{"type":"string","pattern":"{pattern}"}}"#));
    }
    if manner_is("has a deep schema") {
        return format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    }
    if manner_is("has a schema of 100 KB") {
        return titled(100 << 10);
    }
    if manner_is("has a schema of 10 MB") {
        return titled(10 << 20);
    }
    plain
}

fn pattern() -> Option<String> {
    if manner_is("has a slow pattern") {
        return Some("^(a+)+$".to_owned());
    }
    if manner_is("refers back in a pattern") {
        return Some(r"^(a+)+\\1$".to_owned());
    }
    if manner_is("looks ahead in a pattern") {
        return Some("^(?=a)a".to_owned());
    }
    if manner_is("has a huge pattern") {
        return Some("a{999}{999}".to_owned());
    }
    if manner_is("has a deep pattern") {
        return Some(format!("{}a{}", "(".repeat(5_000), ")".repeat(5_000)));
    }
    None
}

fn property(schema: &str) -> String {
    format!(r#"{{"type":"object","properties":{{"text":{schema}}}}}"#)
}

fn titled(bytes: usize) -> String {
    [r#"{"type":"object","title":""#, &"t".repeat(bytes), r#""}"#].concat()
}

/// Each of thirty definitions refers twice to the next: a billion parts.
fn multiplying() -> String {
    let definitions: Vec<_> = (0..30)
        .map(|n| {
            let next = format!(r##"{{"$ref":"#/$defs/d{}"}}"##, n + 1);
            format!(r#""d{n}":{{"allOf":[{next},{next}]}}"#)
        })
        .collect();
    format!(
        r##"{{"type":"object","$ref":"#/$defs/d0","$defs":{{{},"d30":true}}}}"##,
        definitions.join(",")
    )
}
