//! Redaction: no secret in results, params shown to people, errors and logs.
//!
//! Two rules, both in [`Redactor`]: **by key**, a member whose name says that it
//! is a secret (the name rule and its exceptions are in `names`); **by value**,
//! any spelling of a credential that was injected in this call, wherever it
//! stands (the spellings are in `forms`). Deciding which values are known
//! secrets is the caller's.

mod forms;
mod names;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde_json::{Map, Number, Value};

use crate::json;
pub use forms::spellings;
pub(crate) use names::{NameRule, name_rule};

/// What stands where a secret stood.
pub const REDACTED: &str = "[REDACTED]";

/// Secrets shorter than this are not searched for.
///
/// A short one, such as a PIN of four digits, occurs by chance in ids, times
/// and words, and scrubbing it would tell more about it than leaving it. No
/// service issues credentials of fewer than 8 bytes. The rule by key covers
/// them still.
pub const MIN_SECRET_BYTES: usize = 8;

/// Removes secrets; built once for a credential, and shared by its calls.
///
/// The search holds copies of the secrets in memory that is not wiped: it should
/// live no longer than the credential is in use. `Debug` shows nothing of them.
#[derive(Clone)]
pub struct Redactor {
    /// `None` without secrets.
    known: Option<Known>,
}

/// Every spelling of every known secret.
#[derive(Clone)]
struct Known {
    /// Finds all places, also those that overlap.
    all: AhoCorasick,
    /// Finds the first place many times faster, where the processor can: nearly
    /// every text has none.
    first: Option<Searcher>,
}

/// For a shorter text the fast search takes longer to set up than to find
/// nothing.
const MIN_FAST_BYTES: usize = 64;

impl Known {
    fn new(spellings: &[String]) -> Self {
        let all = AhoCorasick::builder()
            // Built for the calls of half a minute: a DFA would search faster, and
            // take far longer to build and far more memory.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(spellings)
            .expect("credentials are kilobytes; the automaton's limit is gigabytes");
        let first = Searcher::new(spellings);
        Self { all, first }
    }

    fn is_in(&self, text: &str) -> bool {
        match &self.first {
            Some(first) if text.len() >= MIN_FAST_BYTES => first.find(text).is_some(),
            _ => self.all.is_match(text),
        }
    }
}

impl Redactor {
    /// Knows these secrets: credentials as they were injected, without a scheme
    /// such as `Bearer`. Surrounding white space is not part of a secret; one of
    /// fewer than [`MIN_SECRET_BYTES`] bytes is left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let spellings: Vec<String> = secrets
            .into_iter()
            .map(str::trim)
            .filter(|secret| secret.len() >= MIN_SECRET_BYTES)
            .flat_map(forms::spellings)
            .collect();
        if spellings.is_empty() {
            return Self::keys_only();
        }
        Self {
            known: Some(Known::new(&spellings)),
        }
    }

    /// Knows no secrets: for what was stored or shown before a credential was
    /// chosen, such as the params of a pending invocation.
    pub const fn keys_only() -> Self {
        Self { known: None }
    }

    /// Redacts a JSON value by key and by value, keeping the order of keys.
    ///
    /// A secret by key becomes [`REDACTED`] as a whole, whether text, number or
    /// container; `null` and booleans stay, since "there is none" and "there is
    /// one" tell no secret. Keys are searched by value as well.
    pub fn redact_value(&self, mut value: Value) -> Value {
        let mut pending = vec![&mut value];
        while let Some(value) = pending.pop() {
            match value {
                Value::String(text) => self.redact_string(text),
                Value::Number(number) if self.knows_number(number) => {
                    *value = REDACTED.into();
                }
                Value::Array(items) => pending.extend(items),
                Value::Object(members) => {
                    redact_by_key(members);
                    self.redact_keys(members);
                    pending.extend(members.values_mut());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        value
    }

    /// Redacts plain text, such as a log line or an error, by value.
    pub fn redact_text(&self, text: &str) -> String {
        self.scrub(text).into_owned()
    }

    fn redact_string(&self, text: &mut String) {
        if let Cow::Owned(scrubbed) = self.scrub(text) {
            *text = scrubbed;
        }
    }

    /// Redacts what is a known secret in the keys themselves.
    fn redact_keys(&self, members: &mut Map<String, Value>) {
        if !members.keys().any(|key| self.knows(key)) {
            return;
        }
        let mut copies = 0_usize;
        let mut redacted = Map::with_capacity(members.len());
        for (key, value) in std::mem::take(members) {
            let mut name = self.redact_text(&key);
            // Two keys may now be one: no value may push out another.
            while redacted.contains_key(&name) {
                copies += 1;
                name = format!("{} ({copies})", self.scrub(&key));
            }
            redacted.insert(name, value);
        }
        *members = redacted;
    }

    fn knows(&self, text: &str) -> bool {
        self.known.as_ref().is_some_and(|known| known.is_in(text))
    }

    fn knows_number(&self, number: &Number) -> bool {
        self.known.is_some() && self.knows(&number.to_string())
    }

    /// Replaces every byte that is part of a known secret.
    fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let ranges = self.secret_ranges(text);
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut scrubbed = String::with_capacity(text.len());
        let mut end = 0;
        for range in ranges {
            scrubbed.push_str(text.get(end..range.start).unwrap_or_default());
            scrubbed.push_str(REDACTED);
            end = range.end;
        }
        scrubbed.push_str(text.get(end..).unwrap_or_default());
        Cow::Owned(scrubbed)
    }

    /// Where secrets stand: ordered, disjoint, together covering every
    /// occurrence. Overlapping ones matter: of a secret that begins inside
    /// another's end nothing may stay.
    fn secret_ranges(&self, text: &str) -> Vec<Range<usize>> {
        let Some(known) = self.known.as_ref().filter(|known| known.is_in(text)) else {
            return Vec::new();
        };
        let mut ranges: Vec<Range<usize>> = Vec::new();
        // Matches come ordered by their end, so a match can only swallow the
        // last ranges.
        for found in known.all.find_overlapping_iter(text) {
            let mut start = found.start();
            while let Some(last) = ranges.pop_if(|last| last.end >= found.start()) {
                start = start.min(last.start);
            }
            ranges.push(start..found.end());
        }
        ranges
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// Replaces the members whose names say that they are secrets.
fn redact_by_key(members: &mut Map<String, Value>) {
    for (key, value) in members {
        if is_secret(name_rule(key), value) {
            json::discard(std::mem::replace(value, REDACTED.into()));
        }
    }
}

fn is_secret(rule: NameRule, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(_) => rule == NameRule::Secret,
        Value::String(_) => matches!(rule, NameRule::Secret | NameRule::Secrets),
        Value::Array(_) | Value::Object(_) => rule != NameRule::Open,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arbitrary::{json_value, nested_arrays, nested_objects};

    const TOKEN: &str = "lin_api_7f+9q/x~k?2\"é";

    #[track_caller]
    fn check(value: Value, expected: &Value) {
        assert_eq!(&Redactor::new([TOKEN]).redact_value(value), expected);
    }

    #[track_caller]
    fn check_scrubbed(text: &str) {
        let scrubbed = Redactor::new([TOKEN]).redact_text(text);
        assert!(scrubbed.contains(REDACTED), "{text} became {scrubbed}");
        assert!(!scrubbed.contains("api"), "{text} became {scrubbed}");
    }

    #[test]
    fn a_secret_by_key_is_replaced_whole() {
        check(
            json!({"accessToken": "x", "client_secret": {"a": [1]}, "password": 1234,
                   "api_keys": ["k"], "title": "t"}),
            &json!({"accessToken": REDACTED, "client_secret": REDACTED, "password": REDACTED,
                    "api_keys": REDACTED, "title": "t"}),
        );
    }

    #[test]
    fn what_tells_no_secret_stays() {
        let harmless = json!({
            "token": null, "secret": false, "hasPassword": true,
            "nextPageToken": "abc", "secretary": "Ann", "max_tokens": 4096,
            "usage": {"prompt_tokens": 12, "completionTokens": 3},
            "token_type": "Bearer", "tokenExpiresAt": "2026-11-21T00:00:00Z", "secretsCount": 2
        });
        check(harmless.clone(), &harmless);
    }

    #[test]
    fn a_name_that_counts_hides_what_is_no_number() {
        check(
            json!({"tokens": ["a"], "secrets": "s", "token_count": {"x": "y"}}),
            &json!({"tokens": REDACTED, "secrets": REDACTED, "token_count": REDACTED}),
        );
    }

    #[test]
    fn the_order_of_keys_stays() {
        let value = json!({"z": 1, "token": "t", "a": TOKEN, "m": {"y": 1, "b": 2}});
        let redacted = Redactor::new([TOKEN]).redact_value(value).to_string();
        let expected = r#"{"z":1,"token":"[REDACTED]","a":"[REDACTED]","m":{"y":1,"b":2}}"#;
        assert_eq!(redacted, expected);
    }

    #[test]
    fn a_known_secret_is_found_wherever_it_stands() {
        check(
            json!({"url": format!("https://x/?k={TOKEN}&y=1"), "list": [[TOKEN]]}),
            &json!({"url": "https://x/?k=[REDACTED]&y=1", "list": [[REDACTED]]}),
        );
    }

    #[test]
    fn a_known_secret_is_found_in_keys_and_pushes_nothing_out() {
        check(
            json!({TOKEN: 1, format!("a{TOKEN}"): 2, "[REDACTED]": 3, "b": 4}),
            &json!({"[REDACTED]": 1, "a[REDACTED]": 2, "[REDACTED] (1)": 3, "b": 4}),
        );
    }

    #[test]
    fn a_number_that_is_a_known_secret_is_redacted() {
        let redactor = Redactor::new(["8675309867"]);
        assert_eq!(
            redactor.redact_value(json!([8_675_309_867_u64, 86_753])),
            json!([REDACTED, 86_753])
        );
    }

    #[test]
    fn every_spelling_of_a_known_secret_is_found() {
        let bytes = TOKEN.as_bytes();
        for text in [
            TOKEN.to_owned(),
            format!("Bearer {TOKEN}."),
            serde_json::to_string(TOKEN).unwrap(),
            json!({ "a": TOKEN }).to_string(),
            hex::encode(bytes),
            hex::encode_upper(bytes),
            url::form_urlencoded::byte_serialize(bytes).collect(),
            percent_encoding::utf8_percent_encode(TOKEN, percent_encoding::NON_ALPHANUMERIC)
                .to_string(),
            percent_encoding::utf8_percent_encode(TOKEN, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
                .to_ascii_lowercase(),
            STANDARD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
        ] {
            check_scrubbed(&text);
        }
    }

    #[test]
    fn a_known_secret_is_found_wherever_it_stands_in_a_long_text() {
        for before in 0..3 * MIN_FAST_BYTES {
            for after in [0, 1, MIN_FAST_BYTES] {
                let (before, after) = ("a".repeat(before), "z".repeat(after));
                check_scrubbed(&format!("{before}{TOKEN}{after}"));
                check_scrubbed(&format!("{before}{}{after}", hex::encode(TOKEN)));
            }
        }
    }

    #[test]
    fn nothing_of_overlapping_secrets_stays() {
        let redactor = Redactor::new(["abcdefgh1234", "1234ijklmnop", "efgh1234"]);
        assert_eq!(
            redactor.redact_text("<abcdefgh1234ijklmnop>"),
            "<[REDACTED]>"
        );
        assert_eq!(
            redactor.redact_text("1234ijklmnop efgh1234"),
            "[REDACTED] [REDACTED]"
        );
    }

    #[test]
    fn short_and_empty_secrets_scrub_nothing() {
        let redactor = Redactor::new(["", " ", "1234567", "   a   "]);
        assert_eq!(redactor.redact_text("a 1234567 b"), "a 1234567 b");
        assert_eq!(
            Redactor::new(["12345678"]).redact_text("12345678"),
            REDACTED
        );
    }

    #[test]
    fn white_space_around_a_secret_is_not_part_of_it() {
        let redactor = Redactor::new([" tokentoken\n"]);
        assert_eq!(redactor.redact_text("<tokentoken>"), "<[REDACTED]>");
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", Redactor::new([TOKEN])), "Redactor { .. }");
    }

    #[test]
    fn deep_values_do_not_overflow_the_stack() {
        for deep in [nested_arrays(10_000), nested_objects(10_000)] {
            json::discard(Redactor::new([TOKEN]).redact_value(deep));
        }
        let hidden = json!({ "token": null });
        let Value::Object(mut members) = hidden else {
            unreachable!("built as an object")
        };
        members.insert("token".to_owned(), nested_arrays(10_000));
        let redacted = Redactor::keys_only().redact_value(Value::Object(members));
        assert_eq!(redacted, json!({ "token": REDACTED }));
    }

    /// Puts a secret into a text of a value, into a name, or in place of something.
    fn plant(value: &mut Value, place: prop::sample::Index, secret: &str) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                let index = place.index(items.len());
                plant(&mut items[index], place, secret);
            }
            Value::Object(members) => match place.index(members.len() + 1) {
                0 => {
                    members.insert(format!("<{secret}>"), Value::Null);
                }
                index => {
                    let member = members.values_mut().nth(index - 1);
                    plant(member.unwrap(), place, secret);
                }
            },
            Value::String(text) => {
                let at = text.floor_char_boundary(place.index(text.len() + 1));
                text.insert_str(at, secret);
            }
            other => *other = secret.into(),
        }
    }

    proptest! {
        #[test]
        fn no_base64_around_a_secret_keeps_it(
            before in prop::collection::vec(any::<u8>(), 0..7),
            after in prop::collection::vec(any::<u8>(), 0..7),
            secret in "[a-zA-Z0-9_+/-]{12,40}",
        ) {
            let bytes = [before.as_slice(), secret.as_bytes(), after.as_slice()].concat();
            let redactor = Redactor::new([secret.as_str()]);
            for text in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                let scrubbed = redactor.redact_text(&text);
                prop_assert!(scrubbed.contains(REDACTED), "{} became {}", text, scrubbed);
                // At most the two characters that the secret shares with its
                // neighbours are left of it.
                let around = (before.len() + after.len()) * 4 / 3 + 4 + 2;
                prop_assert!(scrubbed.len() <= around + REDACTED.len(), "{}", scrubbed);
            }
        }

        #[test]
        fn a_planted_secret_is_never_left(value in json_value(), secret in "[a-zA-Z0-9_]{8,30}") {
            let planted = json!({ "a": value, &secret: [format!("<{secret}>"), value] });
            let redacted = Redactor::new([secret.as_str()]).redact_value(planted);
            prop_assert!(!redacted.to_string().contains(&secret));
        }

        #[test]
        fn no_spelling_of_a_secret_is_left_anywhere(
            value in json_value(),
            secret in "[a-zA-Z0-9+/=_-]{12,40}",
            place in any::<prop::sample::Index>(),
            spelling in any::<prop::sample::Index>(),
        ) {
            let spellings: Vec<_> = forms::spellings(&secret).into_iter().collect();
            let spelled = &spellings[spelling.index(spellings.len())];
            let mut value = json!([value]);
            plant(&mut value, place, spelled);
            let text = Redactor::new([secret.as_str()]).redact_value(value).to_string();
            prop_assert!(!text.contains(spelled) && !text.contains(&secret), "{}", text);
        }

        #[test]
        fn what_is_cut_after_redacting_has_no_part_of_a_secret(
            secret in "[g-z]{12,40}",
            before in 0_usize..400,
            max_bytes in 64_usize..600,
            in_base64: bool,
        ) {
            // Nothing else has small letters beyond f, or letters at all.
            let planted = if in_base64 { STANDARD.encode(&secret) } else { secret.clone() };
            let text = format!("{}{planted}{}", "1".repeat(before), "2".repeat(600));
            let redactor = Redactor::new([secret.as_str()]);
            let redacted = redactor.redact_value(json!([text]));
            let cut = crate::truncate::truncate(redacted, max_bytes).value;
            let mut pending = vec![&cut];
            while let Some(value) = pending.pop() {
                match value {
                    Value::Array(items) => pending.extend(items),
                    Value::Object(members) => pending.extend(members.get("items")),
                    Value::String(text) => {
                        let rest: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
                        prop_assert!(rest.is_empty() || rest == REDACTED, "{}", text);
                    }
                    _ => {}
                }
            }
        }

        #[test]
        fn redacting_again_changes_nothing(value in json_value(), secret in "[a-z0-9]{8,12}") {
            let redactor = Redactor::new([secret.as_str()]);
            let once = redactor.redact_value(json!({ "token": secret, "v": value }));
            prop_assert_eq!(redactor.redact_value(once.clone()), once);
        }

        #[test]
        fn text_without_secrets_stays(text in "\\PC*") {
            prop_assert_eq!(Redactor::new(["\u{1}unprintable"]).redact_text(&text), text);
        }
    }
}
