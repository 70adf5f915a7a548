//! Paging: a part of a JSON value at a time, each small enough for an agent to
//! read.
//!
//! A page shows what stands at a pointer, from an offset on: items of an array,
//! members of an object in their order, characters of a text. As many whole ones
//! follow as fit. If not even the first fits, the page has a shortened form of it
//! alone and names it as cut, so that a reader descends there; everything can be
//! reached in this way. [`Gathering`] is that reader.

mod gathering;

use std::num::NonZeroUsize;

use serde_json::{Map, Value};

use crate::json;
use crate::pointer::Pointer;
use crate::truncate::{MAX_RESULT_BYTES, shortened};

pub use gathering::{Gathering, Inconsistent, Wanted};

/// The bytes of a page's value, as compact JSON: as much as of a result.
pub const MAX_PAGE_BYTES: usize = MAX_RESULT_BYTES;

/// Which part of what stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// So many items, members or characters are left out first.
    pub offset: usize,
    /// At most so many follow.
    pub limit: NonZeroUsize,
    /// The value's bytes as compact JSON; fewer than 64 count as 64, which take
    /// any number and any character.
    pub max_bytes: usize,
}

/// A part of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Of the same kind as what stands there: items of an array as an array, and
    /// so on.
    pub value: Value,
    /// How many items, members or characters stand there; `None` where there is
    /// nothing to count.
    pub total: Option<usize>,
    /// Where the next page begins; `None` on the last.
    pub next_offset: Option<usize>,
    /// What is shown shortened, or not at all because of a very long key. The
    /// page holds nothing else then.
    pub cut: Option<Pointer>,
}

impl Page {
    /// True when the value is not everything that stands there from the offset on.
    pub const fn is_truncated(&self) -> bool {
        self.next_offset.is_some() || self.cut.is_some()
    }
}

/// The slice of `value`, to which `at` leads. Of what has no parts the page is the
/// whole, whatever the offset.
pub fn page(value: &Value, at: &Pointer, slice: Slice) -> Page {
    let slice = Slice {
        max_bytes: slice.max_bytes.max(64),
        ..slice
    };
    match value {
        Value::Array(items) => of_array(items, at, slice),
        Value::Object(members) => of_object(members, at, slice),
        Value::String(text) => of_text(text, slice),
        Value::Null | Value::Bool(_) | Value::Number(_) => Page {
            value: value.clone(),
            total: None,
            next_offset: None,
            cut: None,
        },
    }
}

/// The brackets of a container, or the quotes of a text.
const FRAME_BYTES: usize = 2;

impl Slice {
    /// How many of the parts fit as a whole, which take so many bytes each and a
    /// comma between them.
    fn fitting(self, parts: impl Iterator<Item = usize>) -> usize {
        // Every part takes a comma but the first.
        let mut left = self.max_bytes - FRAME_BYTES + 1;
        parts
            .take(self.limit.get())
            .take_while(|bytes| match left.checked_sub(bytes + 1) {
                Some(rest) => {
                    left = rest;
                    true
                }
                None => false,
            })
            .count()
    }

    fn page(self, value: Value, shown: usize, total: usize, cut: Option<Pointer>) -> Page {
        let end = self.offset.saturating_add(shown);
        Page {
            value,
            total: Some(total),
            next_offset: (end < total).then_some(end),
            cut,
        }
    }
}

fn of_array(items: &[Value], at: &Pointer, slice: Slice) -> Page {
    let rest = items.get(slice.offset..).unwrap_or_default();
    let whole = slice.fitting(rest.iter().map(json::serialized_len));
    if let (0, Some(first)) = (whole, rest.first()) {
        let left = slice.max_bytes - FRAME_BYTES;
        let value = shortened(first, left).into_iter().collect();
        let cut = at.child(&slice.offset.to_string());
        return slice.page(value, 1, items.len(), Some(cut));
    }
    let value = rest.iter().take(whole).cloned().collect();
    slice.page(value, whole, items.len(), None)
}

fn of_object(members: &Map<String, Value>, at: &Pointer, slice: Slice) -> Page {
    let rest = || members.iter().skip(slice.offset);
    let frame = |key: &str| json::string_len(key) + ":".len();
    let whole = slice.fitting(rest().map(|(key, value)| frame(key) + json::serialized_len(value)));
    if let (0, Some((key, first))) = (whole, rest().next()) {
        let left = (slice.max_bytes - FRAME_BYTES).saturating_sub(frame(key));
        let shown = shortened(first, left).map(|value| (key.clone(), value));
        let value = Value::Object(shown.into_iter().collect());
        return slice.page(value, 1, members.len(), Some(at.child(key)));
    }
    let shown = rest().take(whole);
    let value = shown
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    slice.page(Value::Object(value), whole, members.len(), None)
}

fn of_text(text: &str, slice: Slice) -> Page {
    let mut left = slice.max_bytes - FRAME_BYTES;
    let mut shown = 0;
    let part: String = text
        .chars()
        .skip(slice.offset)
        .take(slice.limit.get())
        .map_while(|c| {
            left = left.checked_sub(json::escaped_char_len(c))?;
            shown += 1;
            Some(c)
        })
        .collect();
    slice.page(part.into(), shown, text.chars().count(), None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arbitrary::json_value;

    fn slice(offset: usize, limit: usize, max_bytes: usize) -> Slice {
        Slice {
            offset,
            limit: limit.try_into().unwrap(),
            max_bytes,
        }
    }

    fn get(value: &Value, pointer: &str, slice: Slice) -> Page {
        let at: Pointer = pointer.parse().unwrap();
        page(at.find(value).unwrap(), &at, slice)
    }

    #[track_caller]
    fn check(value: &Value, slice: Slice, expected: &Value, total: usize, next: Option<usize>) {
        let page = get(value, "", slice);
        assert_eq!(&page.value, expected);
        assert_eq!((page.total, page.next_offset), (Some(total), next));
        assert_eq!(page.cut, None);
        assert_eq!(page.is_truncated(), next.is_some());
    }

    #[test]
    fn items_members_and_characters_are_counted() {
        let array = json!([1, 2, 3]);
        check(&array, slice(0, 9, 100), &array, 3, None);
        check(&array, slice(1, 1, 100), &json!([2]), 3, Some(2));
        check(&array, slice(2, 1, 100), &json!([3]), 3, None);
        let object = json!({"z": 1, "a": 2, "m": 3});
        check(&object, slice(1, 1, 100), &json!({"a": 2}), 3, Some(2));
        check(&object, slice(1, 9, 100), &json!({"a": 2, "m": 3}), 3, None);
        let text = json!("aé😀\u{1}");
        check(&text, slice(1, 2, 100), &json!("é😀"), 4, Some(3));
        check(&text, slice(3, 2, 100), &json!("\u{1}"), 4, None);
    }

    #[test]
    fn past_the_end_there_is_nothing() {
        check(&json!([1]), slice(1, 9, 100), &json!([]), 1, None);
        check(
            &json!({"a": 1}),
            slice(usize::MAX, 9, 100),
            &json!({}),
            1,
            None,
        );
        check(&json!("a"), slice(5, 9, 100), &json!(""), 1, None);
        check(&json!([]), slice(0, 9, 100), &json!([]), 0, None);
    }

    #[test]
    fn what_has_no_parts_is_a_page() {
        for value in [json!(null), json!(true), json!(-1.5e300)] {
            let page = get(&value, "", slice(7, 1, 0));
            assert_eq!((&page.value, page.total), (&value, None));
            assert!(!page.is_truncated());
        }
    }

    #[test]
    fn as_many_fit_as_the_bytes_allow() {
        let items = json!(["x".repeat(31), "x".repeat(29), 1]);
        // Brackets, 33, a comma and 31 bytes.
        check(
            &items,
            slice(0, 9, 67),
            &json!([items[0], items[1]]),
            3,
            Some(2),
        );
        check(&items, slice(0, 9, 66), &json!([items[0]]), 3, Some(1));
        let text = json!("\u{1}".repeat(100));
        check(
            &text,
            slice(0, 999, 64),
            &json!("\u{1}".repeat(10)),
            100,
            Some(10),
        );
    }

    #[test]
    fn a_first_part_that_does_not_fit_is_shortened_and_named() {
        let value = json!({"a/b": [{"id": 7, "log": "x".repeat(500)}, 2]});
        let page = get(&value, "/a~1b", slice(0, 9, 100));
        let item = &page.value[0];
        assert_eq!(
            (&item["id"], &item["_truncated"]),
            (&json!(7), &json!(true))
        );
        assert!(item["log"].as_str().unwrap().len() > 20);
        assert_eq!(page.cut.unwrap().as_str(), "/a~1b/0");
        assert_eq!((page.total, page.next_offset), (Some(2), Some(1)));

        let page = get(&value, "", slice(0, 9, 100));
        assert!(page.value["a/b"].is_array());
        assert_eq!(page.cut.unwrap().as_str(), "/a~1b");
        assert_eq!(page.next_offset, None);
    }

    #[test]
    fn a_text_that_does_not_fit_shows_its_head() {
        let value = json!([["é".repeat(500)]]);
        let page = get(&value, "/0", slice(0, 9, 100));
        let head = page.value[0].as_str().unwrap();
        assert!(head.len() > 80 && head.chars().all(|c| c == 'é'), "{head}");
    }

    #[test]
    fn a_member_of_a_very_long_name_is_only_named() {
        let value = json!({"k".repeat(500): 1, "a": 2});
        let page = get(&value, "", slice(0, 9, 100));
        assert_eq!(page.value, json!({}));
        assert_eq!(page.cut.unwrap().as_str().len(), 501);
        assert_eq!(page.next_offset, Some(1));
    }

    /// Reads everything at a pointer by its pages, and checks each of them.
    #[track_caller]
    fn gather(value: &Value, limit: usize, max_bytes: usize) -> Value {
        let mut gathering = Gathering::of(Pointer::default());
        while let Some(wanted) = gathering.wanted() {
            let page = get(
                value,
                wanted.pointer.as_str(),
                slice(wanted.offset, limit, max_bytes),
            );
            assert!(page.value.to_string().len() <= max_bytes, "{}", page.value);
            assert!(page.next_offset.is_none_or(|next| next > wanted.offset));
            gathering.take(page).unwrap();
        }
        gathering.into_value().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_value_is_gathered_from_pages_within_the_limit(
            value in json_value(),
            limit in 1_usize..40,
            max_bytes in 64_usize..600,
        ) {
            let gathered = gather(&value, limit, max_bytes);
            prop_assert_eq!(gathered.to_string(), value.to_string());
        }

        #[test]
        fn following_the_next_offset_shows_every_part_once(
            items in prop::collection::vec(json_value(), 0..30),
            limit in 1_usize..9,
        ) {
            let count = items.len();
            let value = Value::Array(items);
            let (mut offset, mut seen) = (0, 0);
            loop {
                let page = get(&value, "", slice(offset, limit, 500));
                let shown = page.next_offset.unwrap_or(count) - offset;
                prop_assert!(shown <= limit);
                prop_assert_eq!(page.cut.is_some() && shown != 1, false);
                seen += shown;
                match page.next_offset {
                    Some(next) => offset = next,
                    None => break,
                }
            }
            prop_assert_eq!(seen, count);
        }
    }
}
