//! A listener to which nobody should connect.

use std::io;
use std::net::TcpListener;

/// A listener that nobody serves. The kernel completes connections to it by itself, so
/// one that was made is there to be accepted at once.
pub(crate) struct Untouched(TcpListener);

impl Untouched {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    /// `http://127.0.0.1:<port>`
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    #[track_caller]
    pub(crate) fn assert_untouched(&self, after: &str) {
        let accepted = self.0.accept().map_err(|error| error.kind());
        let peer = accepted.map(|(_, peer)| peer);
        assert_eq!(
            peer,
            Err(io::ErrorKind::WouldBlock),
            "somebody connected: {after}"
        );
    }
}
