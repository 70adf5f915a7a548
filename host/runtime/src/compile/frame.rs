//! The form in which a worker answers and in which files are kept: eight bytes that
//! name the form, the length of a head, the head as JSON, and bytes.

use portcullis_core::plugin::PluginDigest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::engine_key::EngineKey;
use crate::inspect::{InspectError, Inspection};

/// How an answer of a worker begins.
pub(crate) const ANSWER: Form = *b"PCWORK\0\x01";

/// Names a form and, in its last byte, the version of it.
pub(crate) type Form = [u8; 8];

/// Far more than the head of a component with hundreds of imports.
const MAX_HEAD_BYTES: usize = 256 << 10;

/// What is known of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompiledHead {
    /// For which engine it is.
    pub(crate) engine: EngineKey,
    /// Of what it was made: `sha256:…`.
    pub(crate) component: String,
    pub(crate) artifact_bytes: u64,
    pub(crate) inspection: Inspection,
}

impl CompiledHead {
    /// Of the component; `None` when it is none.
    pub(crate) fn digest(&self) -> Option<PluginDigest> {
        self.component.parse().ok()
    }
}

/// What a worker answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Answer {
    /// It compiles; the artifact follows.
    Compiled(CompiledHead),
    /// It is no component that is hosted.
    Refused(InspectError),
    /// It does not compile.
    Failed(String),
    /// There was not enough memory.
    OutOfMemory,
}

/// Everything before the bytes.
pub(crate) fn begin(form: Form, head: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let head = serde_json::to_vec(head)?;
    let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
    let mut frame = form.to_vec();
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&head);
    Ok(frame)
}

/// The head, and the bytes after it. `None` for what is of another form or ends
/// within the head.
pub(crate) fn split<H: DeserializeOwned>(form: Form, frame: &[u8]) -> Option<(H, &[u8])> {
    let rest = frame.strip_prefix(form.as_slice())?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if length > MAX_HEAD_BYTES {
        return None;
    }
    let (head, bytes) = rest.split_at_checked(length)?;
    Some((serde_json::from_slice(head).ok()?, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_is_written_and_cut_nowhere() {
        let mut frame = begin(ANSWER, &Answer::Failed("no".to_owned())).unwrap();
        let head = frame.len();
        frame.extend_from_slice(b"bytes");
        let (answer, bytes): (Answer, _) = split(ANSWER, &frame).unwrap();
        assert_eq!(answer, Answer::Failed("no".to_owned()));
        assert_eq!(bytes, b"bytes");
        for end in 0..head {
            assert!(split::<Answer>(ANSWER, &frame[..end]).is_none(), "{end}");
        }
        assert!(split::<Answer>(*b"anything", &frame).is_none());
    }

    #[test]
    fn a_head_is_bounded_before_it_is_read() {
        let frame = begin(ANSWER, &"a".repeat(MAX_HEAD_BYTES)).unwrap();
        assert!(split::<String>(ANSWER, &frame).is_none());
    }
}
