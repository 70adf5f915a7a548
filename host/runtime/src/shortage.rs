//! More memory than granted: what was found, what there is, and what to do.

use std::fmt;

use portcullis_core::id::SourceId;

use crate::config::SandboxConfig;

const MIB: usize = 1 << 20;

/// A plugin needs more memory than it was granted, so it is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryShortage {
    /// `None` where it cannot even say who it is.
    pub provider: Option<SourceId>,
    /// How this was found.
    pub need: MemoryNeed,
    /// Bytes a call of it may have, by the key `granted_by`.
    pub granted_bytes: usize,
    /// Whether that is a grant of its own, and not the default.
    pub has_grant: bool,
    /// Bytes of the larger places: the most that can be granted.
    pub most_bytes: usize,
}

/// How a need for memory was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryNeed {
    /// Bytes of its memories before anything runs.
    Starts(usize),
    /// Bytes its description asks for.
    Asks(usize),
    /// Bytes it had taken when it had described itself.
    Describes(usize),
    /// More than it may have, while this export ran.
    Exceeds(&'static str),
}

impl MemoryNeed {
    /// What has to be granted, in whole MiB; twice of what there is where nobody
    /// knows how much would have been enough.
    fn bytes(self, granted_bytes: usize) -> usize {
        let bytes = match self {
            Self::Starts(bytes) | Self::Asks(bytes) | Self::Describes(bytes) => bytes,
            Self::Exceeds(_) => granted_bytes.saturating_mul(2),
        };
        bytes.div_ceil(MIB).saturating_mul(MIB)
    }
}

impl MemoryShortage {
    pub(crate) fn of(config: &SandboxConfig, provider: Option<SourceId>, need: MemoryNeed) -> Self {
        let grant = provider.as_ref().and_then(|id| config.granted_memory(id));
        Self {
            provider,
            need,
            granted_bytes: grant.unwrap_or(config.limits.memory_bytes),
            has_grant: grant.is_some(),
            most_bytes: config.large.memory_bytes,
        }
    }
}

impl fmt::Display for MemoryShortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.provider.as_ref().map_or("<id>", SourceId::as_str);
        match self.need {
            MemoryNeed::Starts(bytes) => write!(f, "it starts with {}", mib(bytes))?,
            MemoryNeed::Asks(bytes) => write!(f, "it asks for {}", mib(bytes))?,
            MemoryNeed::Describes(bytes) => write!(f, "describing itself took {}", mib(bytes))?,
            MemoryNeed::Exceeds(function) => write!(f, "`{function}` takes more than it may")?,
        }
        write!(
            f,
            " of memory and a call may have {} ",
            mib(self.granted_bytes)
        )?;
        if self.has_grant {
            write!(f, "(plugins.limits.{id}.memory_bytes)")?;
        } else {
            f.write_str("(sandbox.memory_bytes)")?;
        }
        let needed = self.need.bytes(self.granted_bytes);
        write!(
            f,
            "; to grant it more, add `[plugins.limits.{id}]` with `memory_bytes = {needed}` to \
             the configuration"
        )?;
        if self.provider.is_none() {
            f.write_str(", <id> being the provider's")?;
        }
        if needed > self.most_bytes {
            let most = mib(self.most_bytes);
            write!(
                f,
                ", and raise sandbox.large.memory_bytes, which is {most}, to as much"
            )?;
        }
        Ok(())
    }
}

/// Rounded up: what does not fit must not look as if it did.
fn mib(bytes: usize) -> String {
    format!("{} MiB", bytes.div_ceil(MIB))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OwnLimits;

    fn says(granted: Option<usize>, provider: Option<&str>, need: MemoryNeed) -> String {
        let mut config = SandboxConfig::default();
        let id: SourceId = "notes".parse().unwrap();
        let own = OwnLimits {
            memory_bytes: granted,
            ..OwnLimits::default()
        };
        config.own_limits = [(id, own)].into();
        let provider = provider.map(|id| id.parse().unwrap());
        MemoryShortage::of(&config, provider, need).to_string()
    }

    #[test]
    fn the_text_names_found_granted_the_key_and_the_line_to_add() {
        assert_eq!(
            says(None, Some("notes"), MemoryNeed::Asks(96 * MIB)),
            "it asks for 96 MiB of memory and a call may have 64 MiB (sandbox.memory_bytes); to \
             grant it more, add `[plugins.limits.notes]` with `memory_bytes = 100663296` to the \
             configuration"
        );
    }

    #[test]
    fn a_grant_that_is_too_small_is_the_one_to_raise() {
        let text = says(
            Some(80 * MIB),
            Some("notes"),
            MemoryNeed::Starts(80 * MIB + 1),
        );
        assert!(
            text.starts_with(
                "it starts with 81 MiB of memory and a call may have 80 MiB \
                 (plugins.limits.notes.memory_bytes)"
            ),
            "{text}"
        );
        assert!(text.contains("`memory_bytes = 84934656`"), "{text}");
    }

    #[test]
    fn who_cannot_say_its_id_is_told_where_it_goes() {
        let text = says(None, None, MemoryNeed::Exceeds("provider.describe"));
        for part in [
            "`provider.describe` takes more than it may of memory",
            "[plugins.limits.<id>]",
            "134217728",
            "<id> being the provider's",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn more_than_the_larger_places_have_needs_larger_ones() {
        let fits = says(None, Some("notes"), MemoryNeed::Asks(512 * MIB));
        assert!(!fits.contains("sandbox.large"), "{fits}");
        let does_not = says(None, Some("notes"), MemoryNeed::Asks(513 * MIB));
        assert!(
            does_not.contains("raise sandbox.large.memory_bytes, which is 512 MiB"),
            "{does_not}"
        );
    }
}
