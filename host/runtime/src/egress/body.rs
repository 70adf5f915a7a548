//! A response's body, read and decompressed under a limit each.

use std::io::{self, Write};
use std::slice::Chunks;

use flate2::write::GzDecoder;
use http::{HeaderMap, HeaderValue, header};

use super::failure;
use super::limits::EgressLimits;
use super::message::{HttpError, HttpErrorKind};
use super::turns::turn_at;

/// Members of a gzip stream. Each sets a decoder up, which takes a thousand times as
/// long as reading the twenty bytes of the smallest one: without a limit, a body
/// would keep a processor busy for seconds. One is usual; bgzip writes one for each
/// 64 KiB.
const MAX_MEMBERS: usize = 1024;

/// Bytes that are decompressed at once: what comes of them is a thousand times as much
/// at most.
const PIECE_BYTES: usize = 4 << 10;

/// A body, and how much of it there was before it was decompressed.
pub(super) struct Received {
    pub(super) body: Vec<u8>,
    pub(super) wire_bytes: usize,
}

/// Reads a body to its end, under a limit on the wire and one after decompression.
pub(super) async fn receive_body(
    mut response: reqwest::Response,
    headers: &HeaderMap,
    limits: &EgressLimits,
) -> Result<Received, HttpError> {
    let mut decoder = Decoder::new(headers, limits.max_response_body_bytes)?;
    let mut wire_bytes = 0_usize;
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        wire_bytes = wire_bytes.saturating_add(chunk.len());
        // First, since a body that is not compressed is over both limits at once, and
        // this is the one to be told of.
        for piece in decoder.pieces(&chunk) {
            let _turn = turn_at(wire_bytes.max(decoder.taken())).await;
            decoder.write(piece)?;
        }
        check_wire(wire_bytes, limits.max_response_wire_bytes)?;
    }
    let body = if wire_bytes > 0 {
        decoder.finish()?
    } else {
        // Nothing is not a gzip stream, but it is what HEAD and 304 answer.
        Vec::new()
    };
    Ok(Received { body, wire_bytes })
}

fn check_wire(bytes: usize, limit: usize) -> Result<(), HttpError> {
    if bytes <= limit {
        return Ok(());
    }
    Err(HttpError::sent(
        HttpErrorKind::TooLarge,
        format!(
            "the response's body has more than {limit} bytes before it is decompressed \
             (egress.max_response_wire_bytes)"
        ),
    ))
}

/// Decodes a body that is there as a whole, in portions.
pub(super) fn decode(
    headers: &HeaderMap,
    chunks: &[&[u8]],
    limit: usize,
) -> Result<Vec<u8>, HttpError> {
    let mut decoder = Decoder::new(headers, limit)?;
    chunks.iter().try_for_each(|chunk| decoder.write(chunk))?;
    decoder.finish()
}

/// Undoes the one encoding that is asked for.
enum Decoder {
    Identity(Capped),
    Gzip(Box<Members>),
}

impl Decoder {
    fn new(headers: &HeaderMap, limit: usize) -> Result<Self, HttpError> {
        let sink = Capped::new(limit);
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let (first, second) = (encodings.next(), encodings.next());
        let encoding = first.map_or(b"".as_slice(), HeaderValue::as_bytes);
        match encoding.to_ascii_lowercase().as_slice() {
            _ if second.is_some() => Err(unknown_encoding()),
            b"" | b"identity" => Ok(Self::Identity(sink)),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip(Box::new(Members::new(sink)))),
            _ => Err(unknown_encoding()),
        }
    }

    /// What is to be written at once.
    fn pieces<'c>(&self, chunk: &'c [u8]) -> Chunks<'c, u8> {
        chunk.chunks(match self {
            Self::Identity(_) => usize::MAX,
            Self::Gzip(_) => PIECE_BYTES,
        })
    }

    /// Bytes that have come of it so far.
    fn taken(&self) -> usize {
        match self {
            Self::Identity(sink) => sink.bytes.len(),
            Self::Gzip(members) => members.taken(),
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), HttpError> {
        match self {
            Self::Identity(sink) => sink.write_all(chunk).map_err(|_| too_large(sink.limit)),
            Self::Gzip(members) => members.write(chunk),
        }
    }

    fn finish(self) -> Result<Vec<u8>, HttpError> {
        match self {
            Self::Identity(sink) => Ok(sink.bytes),
            Self::Gzip(members) => members.finish(),
        }
    }
}

/// Undoes gzip, member after member.
struct Members {
    current: GzDecoder<Capped>,
    begun: usize,
}

impl Members {
    fn new(sink: Capped) -> Self {
        Self {
            current: GzDecoder::new(sink),
            begun: 1,
        }
    }

    fn write(&mut self, mut chunk: &[u8]) -> Result<(), HttpError> {
        while !chunk.is_empty() {
            let taken = self.current.write(chunk).map_err(|_| self.error())?;
            if taken == 0 {
                self.next()?;
            }
            chunk = chunk.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends a member, behind which there is more.
    fn next(&mut self) -> Result<(), HttpError> {
        if self.begun == MAX_MEMBERS {
            return Err(HttpError::sent(
                HttpErrorKind::TooLarge,
                format!("the response's body has more than {MAX_MEMBERS} members of gzip"),
            ));
        }
        let sink = self.take()?;
        self.current = GzDecoder::new(sink);
        self.begun += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, HttpError> {
        Ok(self.take()?.bytes)
    }

    /// Bytes that have been decoded so far.
    fn taken(&self) -> usize {
        self.current.get_ref().bytes.len()
    }

    /// What was decoded, once the member is complete.
    fn take(&mut self) -> Result<Capped, HttpError> {
        self.current.try_finish().map_err(|_| self.error())?;
        let nothing = Capped::new(0);
        Ok(std::mem::replace(self.current.get_mut(), nothing))
    }

    /// Either the sink is full, or the bytes are not gzip.
    fn error(&self) -> HttpError {
        let sink = self.current.get_ref();
        if sink.exceeded {
            too_large(sink.limit)
        } else {
            protocol("the response's body is not complete gzip")
        }
    }
}

/// Takes bytes up to a limit.
struct Capped {
    bytes: Vec<u8>,
    limit: usize,
    exceeded: bool,
}

impl Capped {
    const fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            exceeded: false,
        }
    }
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            self.exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn broken(error: &reqwest::Error) -> HttpError {
    tracing::debug!(error = failure::describe(error), "a response broke off");
    protocol("the response broke off before its end")
}

fn protocol(message: &str) -> HttpError {
    HttpError::sent(HttpErrorKind::Protocol, message)
}

fn unknown_encoding() -> HttpError {
    protocol("the response has a content encoding other than gzip")
}

fn too_large(limit: usize) -> HttpError {
    HttpError::sent(
        HttpErrorKind::TooLarge,
        format!("the response's body has more than {limit} bytes (egress.max_response_body_bytes)"),
    )
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn headers(encodings: &[&'static str]) -> HeaderMap {
        encodings
            .iter()
            .map(|encoding| (header::CONTENT_ENCODING, HeaderValue::from_static(encoding)))
            .collect()
    }

    fn decode(
        encoding: &'static str,
        limit: usize,
        chunks: &[&[u8]],
    ) -> Result<Vec<u8>, HttpErrorKind> {
        super::decode(&headers(&[encoding]), chunks, limit).map_err(|error| error.kind)
    }

    #[test]
    fn gzip_is_decoded_in_any_portions() {
        let packed = gzip(b"hello hello hello");
        for size in 1..=packed.len() {
            let chunks: Vec<_> = packed.chunks(size).collect();
            assert_eq!(decode("gzip", 100, &chunks).unwrap(), b"hello hello hello");
        }
        let twice = [packed.clone(), packed].concat();
        assert_eq!(decode("X-GZIP", 100, &[&twice]).unwrap().len(), 34);
    }

    #[test]
    fn both_encodings_stop_exactly_at_the_limit() {
        let bytes = vec![0; 1000];
        let packed = gzip(&bytes);
        assert!(packed.len() < 100);
        for (encoding, wire) in [("identity", &bytes), ("gzip", &packed)] {
            assert_eq!(decode(encoding, 1000, &[wire]).unwrap().len(), 1000);
            assert_eq!(decode(encoding, 999, &[wire]), Err(HttpErrorKind::TooLarge));
        }
    }

    #[test]
    fn members_are_counted() {
        let members = |count| gzip(b"x").repeat(count);
        let most = decode("gzip", 2000, &[&members(MAX_MEMBERS)]);
        assert_eq!(most, Ok(vec![b'x'; MAX_MEMBERS]));
        let more = decode("gzip", 2000, &[&members(MAX_MEMBERS + 1)]);
        assert_eq!(more, Err(HttpErrorKind::TooLarge));
    }

    #[test]
    fn the_limit_counts_all_members() {
        let packed = gzip(&[0; 600]).repeat(2);
        assert_eq!(decode("gzip", 1200, &[&packed]).unwrap().len(), 1200);
        assert_eq!(
            decode("gzip", 1199, &[&packed]),
            Err(HttpErrorKind::TooLarge)
        );
    }

    #[test]
    fn damaged_gzip_is_a_protocol_error() {
        let packed = gzip(b"hello hello hello");
        let half = &packed[..packed.len() / 2];
        let mut flipped = packed.clone();
        flipped[packed.len() - 6] ^= 1;
        let trailing = [&packed, b"garbage".as_slice()].concat();
        for wire in [half, &packed[..5], &flipped, &trailing, b"not gzip at all"] {
            assert_eq!(
                decode("gzip", 100, &[wire]),
                Err(HttpErrorKind::Protocol),
                "{wire:?}"
            );
        }
    }

    #[test]
    fn encodings_that_were_not_asked_for_are_refused() {
        for encoding in ["br", "zstd", "deflate", "gzip, gzip", "identity, br"] {
            assert_eq!(
                decode(encoding, 100, &[]),
                Err(HttpErrorKind::Protocol),
                "{encoding}"
            );
        }
        let doubled = headers(&["gzip", "gzip"]);
        assert!(Decoder::new(&doubled, 100).is_err());
    }
}
