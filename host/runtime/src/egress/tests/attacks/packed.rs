//! Bodies that are compressed to harm. What decides is in `body`; here it meets
//! the wire.

use super::*;

fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    ok(&format!("content-encoding: {encoding}\r\n"), body)
}

#[test]
fn bombs_are_too_large() {
    let zeros = vec![0; 16 << 20];
    let bomb = gzip(&zeros);
    let members = gzip(&zeros[..MAX_BODY / 2]).repeat(3);
    let nothings = gzip(b"").repeat(MAX_BODY / 20 + 1);
    for (name, body) in [
        ("one that grows a thousandfold", &bomb),
        ("one in several members", &members),
        ("nothing, in more members than fit", &nothings),
    ] {
        let bytes = encoded("gzip", body);
        check(name, bytes, &sent(HttpErrorKind::TooLarge));
    }
}

/// What is inside of what is inside is the guest's to unpack, in its own memory.
#[test]
fn only_the_outer_layer_is_unpacked() {
    let inner = gzip(&vec![0; 16 << 20]);
    let expected = Outcome::Answer(200, inner.clone());
    check("nested", encoded("gzip", &gzip(&inner)), &expected);
}

/// Each member costs far more than its bytes.
#[test]
fn members_are_bounded() {
    let letters = |count| encoded("gzip", &gzip(b"x").repeat(count));
    check("letters", letters(1000), &answer(200, &"x".repeat(1000)));
    check(
        "more letters",
        letters(1100),
        &sent(HttpErrorKind::TooLarge),
    );
    let nothings = encoded("gzip", &gzip(b"").repeat(MAX_BODY / 20 - 1));
    check("nothings", nothings, &sent(HttpErrorKind::TooLarge));
}

#[test]
fn encodings_that_nobody_asked_for_yield_no_answer() {
    let packed = gzip(b"hello");
    for encoding in [
        "br",
        "zstd",
        "deflate",
        "compress",
        "gzip, gzip",
        "br, gzip",
        "gzip;q=1",
        "none",
        "*",
    ] {
        let bytes = encoded(encoding, &packed);
        check(encoding, bytes, &sent(HttpErrorKind::Protocol));
    }
    let twice = ok(
        "content-encoding: gzip\r\ncontent-encoding: gzip\r\n",
        &gzip(&packed),
    );
    check("twice", twice, &sent(HttpErrorKind::Protocol));
}

#[test]
fn gzip_that_is_damaged_yields_no_answer() {
    let packed = gzip(b"hello hello hello");
    let half = &packed[..packed.len() / 2];
    let more = [&packed, b"more".as_slice()].concat();
    let mut other_sum = packed.clone();
    other_sum[packed.len() - 8] ^= 1;
    let mut other_length = packed.clone();
    other_length[packed.len() - 1] ^= 1;
    for (name, body) in [
        ("half", half),
        ("with something behind it", &more),
        ("with another checksum", &other_sum),
        ("with another length", &other_length),
        ("not gzip at all", b"hello"),
    ] {
        let bytes = encoded("gzip", body);
        check(name, bytes, &sent(HttpErrorKind::Protocol));
    }
}
