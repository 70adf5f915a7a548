//! A response's body, read and decompressed under a limit each.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http::{HeaderMap, HeaderValue, header};

use super::failure;
use super::limits::EgressLimits;
use super::message::{HttpError, HttpErrorKind};

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
        decoder.write(&chunk)?;
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

/// Undoes the one encoding that is asked for.
enum Decoder {
    Identity(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

impl Decoder {
    fn new(headers: &HeaderMap, limit: usize) -> Result<Self, HttpError> {
        let sink = Capped {
            bytes: Vec::new(),
            limit,
            exceeded: false,
        };
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let (first, second) = (encodings.next(), encodings.next());
        let encoding = first.map_or(b"".as_slice(), HeaderValue::as_bytes);
        match encoding.to_ascii_lowercase().as_slice() {
            _ if second.is_some() => Err(unknown_encoding()),
            b"" | b"identity" => Ok(Self::Identity(sink)),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(sink)))),
            _ => Err(unknown_encoding()),
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), HttpError> {
        let written = match self {
            Self::Identity(sink) => sink.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|_| self.error())
    }

    fn finish(mut self) -> Result<Vec<u8>, HttpError> {
        let finished = match &mut self {
            Self::Identity(_) => Ok(()),
            Self::Gzip(decoder) => decoder.try_finish(),
        };
        finished.map_err(|_| self.error())?;
        Ok(match self {
            Self::Identity(sink) => sink.bytes,
            Self::Gzip(mut decoder) => std::mem::take(&mut decoder.get_mut().bytes),
        })
    }

    /// Either the sink is full, or the bytes are not gzip.
    fn error(&self) -> HttpError {
        let sink = match self {
            Self::Identity(sink) => sink,
            Self::Gzip(decoder) => decoder.get_ref(),
        };
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
        let decode = || {
            let mut decoder = Decoder::new(&headers(&[encoding]), limit)?;
            chunks.iter().try_for_each(|chunk| decoder.write(chunk))?;
            decoder.finish()
        };
        decode().map_err(|error| error.kind)
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
