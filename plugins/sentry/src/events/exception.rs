//! Exceptions and their stack traces.

use portcullis_sdk::prelude::*;

/// A chain of causes is seldom longer, and its ends tell most.
const MAX_EXCEPTIONS: usize = 3;

/// As many calls of a stack trace tell where an error comes from.
const MAX_FRAMES: usize = 8;

/// More than Sentry keeps.
const MAX_SENT: usize = 1_000;

/// An exception.
#[result]
pub(super) struct Exception {
    /// Such as `ValueError`.
    #[serde(rename = "type")]
    kind: Option<Text<200>>,
    /// Its message.
    value: Option<Text<1000>>,
    /// Where its type comes from.
    module: Option<Text<200>>,
    /// Calls in the application's own code, the innermost first; calls in libraries where there is
    /// none.
    frames: Vec<Frame>,
    /// How many calls are not among the frames.
    frames_left_out: usize,
}

/// A call.
#[result]
struct Frame {
    /// The file it is in.
    file: Option<Text<160>>,
    /// The function that makes it.
    function: Option<Text<120>>,
    /// The line of the file.
    line: Option<u64>,
    /// What stands in that line.
    code: Option<Text<160>>,
}

/// The exceptions of an event, the first cause first.
#[answer]
pub(super) struct RawExceptions {
    #[serde(default)]
    values: List<RawException, MAX_SENT>,
}

#[answer]
struct RawException {
    #[serde(rename = "type")]
    kind: Option<Text<200>>,
    value: Option<Text<1000>>,
    module: Option<Text<200>>,
    stacktrace: Option<Stacktrace>,
}

/// Calls, the outermost first.
#[answer]
struct Stacktrace {
    #[serde(default)]
    frames: List<RawFrame, MAX_SENT>,
}

#[answer]
struct RawFrame {
    filename: Option<Text<160>>,
    abs_path: Option<Text<160>>,
    module: Option<Text<160>>,
    function: Option<Text<120>>,
    line_no: Option<u64>,
    in_app: Option<bool>,
    /// Numbered lines around the call.
    #[serde(default)]
    context: List<(u64, Text<160>), MAX_SENT>,
}

impl RawExceptions {
    /// The last that was raised first, then its causes.
    pub(super) fn trimmed(&self) -> Vec<Exception> {
        let latest = self.values.iter().rev().take(MAX_EXCEPTIONS);
        latest.map(Exception::from).collect()
    }
}

impl From<&RawException> for Exception {
    fn from(raw: &RawException) -> Self {
        let all = raw.stacktrace.as_ref().map(|trace| &*trace.frames);
        let frames = all.map(innermost).unwrap_or_default();
        Self {
            kind: raw.kind.clone(),
            value: raw.value.clone(),
            module: raw.module.clone(),
            frames_left_out: all.map_or(0, <[_]>::len) - frames.len(),
            frames,
        }
    }
}

fn innermost(frames: &[RawFrame]) -> Vec<Frame> {
    let own = |frame: &&RawFrame| frame.in_app == Some(true);
    let any_own = frames.iter().any(|frame| own(&frame));
    let told = frames.iter().rev().filter(|frame| !any_own || own(frame));
    told.take(MAX_FRAMES).map(Frame::from).collect()
}

impl From<&RawFrame> for Frame {
    fn from(raw: &RawFrame) -> Self {
        let places = [&raw.filename, &raw.abs_path, &raw.module];
        Self {
            file: places.into_iter().find_map(Clone::clone),
            function: raw.function.clone(),
            line: raw.line_no,
            code: raw.code(),
        }
    }
}

impl RawFrame {
    /// The line of the call, without its indentation.
    fn code(&self) -> Option<Text<160>> {
        let number = self.line_no?;
        let (_, line) = self.context.iter().find(|(line, _)| *line == number)?;
        Some(Text::new(line.trim()))
    }
}
