//! How long: as people type it, and as they read it.

use std::time::Duration;

/// Seconds of each unit that can be typed.
const UNITS: &[(char, u32)] = &[('s', 1), ('m', 60), ('h', 3600), ('d', 24 * 3600)];

/// Reads a whole number and its unit, such as `90s`, `10m`, `24h` or `7d`, as
/// seconds.
pub(super) fn parse_seconds(text: &str) -> Result<u32, String> {
    let wrong = || "must be a whole number and its unit, such as 90s, 10m or 24h".to_owned();
    let unit = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)));
    let (count, unit) = unit.ok_or_else(wrong)?;
    if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = count.parse().ok().and_then(|n: u32| n.checked_mul(unit));
    seconds.ok_or_else(|| "is longer than anybody waits".to_owned())
}

/// Seconds as [`parse_seconds`] reads them, in the largest unit up to hours that
/// leaves nothing over.
pub(super) fn in_units(seconds: u64) -> String {
    match seconds {
        0 => "0s".to_owned(),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// `4:59`, or `23:59:59`.
pub(super) fn clock_face(left: Duration) -> String {
    let seconds = left.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read_and_shown_again() {
        for (text, seconds, shown) in [
            ("90s", 90, "90s"),
            ("10m", 600, "10m"),
            ("60m", 3600, "1h"),
            ("24h", 86_400, "24h"),
            ("7d", 604_800, "168h"),
            ("0s", 0, "0s"),
        ] {
            assert_eq!(parse_seconds(text), Ok(seconds), "{text}");
            assert_eq!(in_units(u64::from(seconds)), shown);
        }
    }

    #[test]
    fn a_number_without_a_unit_and_everything_else_is_refused() {
        for text in [
            "", "s", "10", "-1s", "+1s", "1.5h", "1h30m", "10 m", "10M", "ten",
        ] {
            assert!(parse_seconds(text).unwrap_err().contains("24h"), "{text}");
        }
        assert!(parse_seconds("4294967295m").is_err());
        assert!(parse_seconds("99999999999s").is_err());
    }

    #[test]
    fn time_is_shown_as_on_a_clock() {
        for (seconds, shown) in [(0, "0:00"), (299, "4:59"), (86_399, "23:59:59")] {
            assert_eq!(clock_face(Duration::from_secs(seconds)), shown);
        }
    }
}
