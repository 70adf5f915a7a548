//! Where a chain stood, noted by somebody and kept elsewhere.

use std::fmt;
use std::str::FromStr;

use portcullis_core::audit::AuditChain;

/// The bytes of a code.
const MAC_BYTES: usize = 32;

/// The code of a place, by which a chain is recognized: whoever keeps one outside of
/// the database notices when an older state of it, or a record begun anew, has taken
/// its place.
///
/// As text `<organization>@<place>:<code in hex>`; the gateway's own chain has no
/// name: `@7:9f86d0…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The chain, as its rows name it.
    pub chain: String,
    /// The place.
    pub position: i64,
    /// Its code.
    pub mac: Vec<u8>,
}

/// Why a text is no anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it must read ORGANIZATION@PLACE:CODE, as `audit verify` shows it; the gateway's own chain \
     has no name: @PLACE:CODE"
)]
pub struct NoAnchor;

impl FromStr for Anchor {
    type Err = NoAnchor;

    fn from_str(text: &str) -> Result<Self, NoAnchor> {
        // From the end, since the id of an organization may hold anything.
        let (place, mac) = text.rsplit_once(':').ok_or(NoAnchor)?;
        let (chain, position) = place.rsplit_once('@').ok_or(NoAnchor)?;
        let position: i64 = position.parse().map_err(|_| NoAnchor)?;
        let mac = hex::decode(mac).map_err(|_| NoAnchor)?;
        let is_known = AuditChain::from_text(chain).is_some();
        if !is_known || position < 1 || mac.len() != MAC_BYTES {
            return Err(NoAnchor);
        }
        Ok(Self {
            chain: chain.to_owned(),
            position,
            mac,
        })
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}@{}:{}",
            self.chain,
            self.position,
            hex::encode(&self.mac)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_reads_back_as_it_was_written() {
        for chain in ["", "acme", "a@b:c"] {
            let anchor = Anchor {
                chain: chain.to_owned(),
                position: 7,
                mac: vec![0xab; MAC_BYTES],
            };
            assert_eq!(anchor.to_string().parse(), Ok(anchor));
        }
    }

    #[test]
    fn what_is_no_anchor_is_refused() {
        let mac = "ab".repeat(MAC_BYTES);
        for text in [
            String::new(),
            mac.clone(),
            format!("acme:{mac}"),
            format!("acme@0:{mac}"),
            format!("acme@-1:{mac}"),
            format!("acme@one:{mac}"),
            format!("acme@1:{}", &mac[2..]),
            format!("acme@1:{}", "xy".repeat(MAC_BYTES)),
        ] {
            assert_eq!(text.parse::<Anchor>(), Err(NoAnchor), "{text}");
        }
    }
}
