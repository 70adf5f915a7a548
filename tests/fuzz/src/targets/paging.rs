//! Reading a value page by page.

use portcullis_core::paging::{Gathering, Slice, page};
use portcullis_core::pointer::Pointer;

use crate::json::Bytes;

pub(super) fn check(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let max_bytes = 64 + bytes.below(2_000);
    // At least so many that long texts do not take thousands of pages.
    let limit = (64 + bytes.below(300)).try_into().unwrap();
    let text: Vec<u8> = (0..bytes.next() % 12)
        .map(|_| b"/~01ab"[usize::from(bytes.next() % 6)])
        .collect();
    let value = bytes.value();
    if let Ok(pointer) = String::from_utf8_lossy(&text).parse::<Pointer>() {
        assert_eq!(pointer.find(&value).ok(), value.pointer(pointer.as_str()));
    }
    let mut gathering = Gathering::of(Pointer::default());
    while let Some(wanted) = gathering.wanted() {
        let slice = Slice {
            offset: wanted.offset,
            limit,
            max_bytes,
        };
        let here = wanted.pointer.find(&value).unwrap();
        let page = page(here, wanted.pointer, slice);
        assert!(page.value.to_string().len() <= max_bytes, "{}", page.value);
        assert!(page.next_offset.is_none_or(|next| next > wanted.offset));
        gathering.take(page).unwrap();
    }
    assert_eq!(
        gathering.into_value().unwrap().to_string(),
        value.to_string()
    );
}
