//! Strings in the encodings that the component model knows besides UTF-8.

use portcullis_core::invocation::FailureCode;
use serde_json::json;

use crate::harness::{Expect as _, Guest, OddGuest, StringEncoding};

/// A guest that answers what these words of memory are as text.
async fn answering(encoding: StringEncoding, words: [u32; 2], length: u32) -> Guest {
    let [first, second] = words;
    let odd = OddGuest {
        encoding,
        execute: &format!(
            "(i32.store (i32.const 3000) (i32.const {first}))
             (i32.store (i32.const 3004) (i32.const {second}))
             (i32.store (i32.const 1032) (i32.const 3000))
             (i32.store (i32.const 1036) (i32.const {length})) i32.const 1024"
        ),
        ..OddGuest::default()
    };
    Guest::load(odd.component(), |_| {}).await.unwrap()
}

/// Says that what follows a length is UTF-16, in a string that may be Latin-1.
const IS_UTF_16: u32 = 1 << 31;

#[tokio::test]
async fn a_guest_may_speak_any_of_the_three_encodings() {
    use StringEncoding::{CompactUTF16, UTF8, UTF16};
    // `"é"`, and `"😀"` where four bytes are not enough.
    for (encoding, words, length, expected) in [
        (UTF8, [0x22a9_c322, 0], 4, "é"),
        (UTF16, [0x00e9_0022, 0x22], 3, "é"),
        (UTF16, [0xd83d_0022, 0x0022_de00], 4, "😀"),
        (CompactUTF16, [0x0022_e922, 0], 3, "é"),
        (
            CompactUTF16,
            [0xd83d_0022, 0x0022_de00],
            4 | IS_UTF_16,
            "😀",
        ),
    ] {
        let guest = answering(encoding, words, length).await;
        assert_eq!(guest.plugin.descriptor().id.as_str(), "odd");
        assert_eq!(guest.plugin.descriptor().version, "1.0.0");
        assert_eq!(guest.result("anything", json!({})).await, json!(expected));
    }
}

#[tokio::test]
async fn what_is_no_text_in_its_encoding_traps() {
    use StringEncoding::{CompactUTF16, UTF8, UTF16};
    for (encoding, words, length) in [
        (UTF8, [0x22a9_2222, 0], 4),
        (UTF8, [0x2280_a0ed, 0], 4),
        (UTF16, [0xd83d_0022, 0x22], 3),
        (UTF16, [0xde00_0022, 0xd83d], 3),
        (CompactUTF16, [0xd83d_0022, 0x22], 3 | IS_UTF_16),
        (CompactUTF16, [0, 0], 0x7fff_ffff),
        (CompactUTF16, [0, 0], u32::MAX),
        (UTF16, [0, 0], u32::MAX),
    ] {
        let guest = answering(encoding, words, length).await;
        let (code, message) = guest.call("anything", json!({})).await.stopped();
        assert_eq!(code, FailureCode::Trapped, "{words:x?} {message}");
    }
}
