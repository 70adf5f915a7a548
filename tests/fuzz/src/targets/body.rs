//! Bodies of responses, in portions of any size.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_runtime::egress::fuzzing::body_of;

use crate::json::Bytes;

pub(super) fn check(bytes: &[u8]) {
    // A body from the wire, as it is.
    in_portions("gzip", bytes, 1_000, 7);

    let mut bytes = Bytes::new(bytes);
    let (limit, portion) = (1 + bytes.below(5_000), 1 + bytes.below(400));
    let members = 1 + bytes.next() % 4;
    let damage = (bytes.next() > 127).then(|| (bytes.below(65_536), bytes.next()));
    let text = bytes.value().to_string();
    let packed = gzip(text.as_bytes()).repeat(members.into());
    let whole = text.repeat(members.into());
    let expected = (whole.len() <= limit).then(|| whole.as_bytes().to_vec());
    for encoding in ["identity", "gzip"] {
        let wire = if encoding == "gzip" {
            packed.as_slice()
        } else {
            whole.as_bytes()
        };
        assert_eq!(
            in_portions(encoding, wire, limit, portion),
            expected,
            "{encoding}"
        );
    }
    if let Some((place, byte)) = damage {
        let mut damaged = packed;
        let at = place % damaged.len();
        damaged[at] = byte;
        in_portions("gzip", &damaged, limit, portion);
    }
    for encoding in ["br", "zstd", "deflate", "gzip, gzip", "\u{1}"] {
        assert!(body_of(encoding, &[whole.as_bytes()], limit).is_err());
    }
}

/// The body, if there is one; it must not depend on how it arrives.
fn in_portions(encoding: &str, wire: &[u8], limit: usize, portion: usize) -> Option<Vec<u8>> {
    let at_once = body_of(encoding, &[wire], limit);
    let chunks: Vec<_> = wire.chunks(portion).collect();
    let bit_by_bit = body_of(encoding, &chunks, limit);
    assert_eq!(
        at_once.is_ok(),
        bit_by_bit.is_ok(),
        "{at_once:?} {bit_by_bit:?}"
    );
    let body = at_once.ok();
    assert_eq!(body, bit_by_bit.ok());
    assert!(body.as_ref().is_none_or(|body| body.len() <= limit));
    body
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
