//! What upstreams do wrong, and what agents are told of it.

use portcullis_upstreams::Fault;

/// A fault and what it looks like from the other side.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) fault: Fault,
    /// The code of the call that meets it.
    pub(crate) code: &'static str,
    /// What the message says among other things.
    pub(crate) told: String,
    /// How often a read is sent that meets nothing else.
    pub(crate) reads: usize,
}

/// Everything that is told within the deadline, but for a refused credential.
pub(crate) fn troubles() -> Vec<Trouble> {
    let mut troubles = vec![
        trouble(waiting(37), "rate_limited", "37 s"),
        trouble(waiting(0), "rate_limited", "").read(3),
        trouble(Fault::Garbage, "upstream", ""),
        trouble(Fault::Huge { bytes: 50 << 20 }, "upstream", "8388608 bytes"),
        trouble(redirect("http://169.254.169.254/"), "upstream", "302"),
        trouble(Fault::HalfBody, "upstream", ""),
        trouble(Fault::Disconnect, "upstream", ""),
        trouble(Fault::DisconnectBefore, "upstream", ""),
        unavailable(),
    ];
    let statuses = [
        (403, "forbidden"),
        (404, "not_found"),
        (409, "conflict"),
        (422, "invalid_params"),
        (500, "upstream"),
        (502, "upstream"),
        (504, "timeout"),
    ];
    troubles.extend(statuses.map(|(status, code)| of_status(status, code)));
    troubles
}

/// What an upstream asks for patience with: a read is sent again.
pub(crate) fn momentary() -> [Fault; 2] {
    [waiting(0), unavailable().fault]
}

fn unavailable() -> Trouble {
    of_status(503, "upstream").read(3)
}

fn of_status(status: u16, code: &'static str) -> Trouble {
    trouble(Fault::Status { status }, code, &status.to_string())
}

fn trouble(fault: Fault, code: &'static str, told: &str) -> Trouble {
    Trouble {
        fault,
        code,
        told: told.to_owned(),
        reads: 1,
    }
}

impl Trouble {
    fn read(self, reads: usize) -> Self {
        Self { reads, ..self }
    }
}

fn waiting(retry_after_seconds: u64) -> Fault {
    Fault::RateLimit {
        retry_after_seconds,
    }
}

fn redirect(location: &str) -> Fault {
    Fault::Redirect {
        location: location.to_owned(),
    }
}
