//! Truncation: a result of any size becomes one that an agent can read.
//!
//! What is measured and stored is compact serialized UTF-8. Within the limit a
//! value passes unchanged. Over it, structure is pruned: small values stay, the
//! largest subtrees shrink first, objects keep their keys, arrays their head,
//! strings are cut between characters, and not within `[REDACTED]`.
//!
//! An object that is not whole, at any level below it, carries
//! `"_truncated": true`; one without the marker is complete. The root also
//! carries `"_omitted"`: JSON Pointer into the *whole* value → what was left out
//! there, largest first, bounded. So the root must be an object: an array
//! becomes `{"_truncated":true,"items":[…]}`, text `{"_truncated":true,"value":…}`.
//! Where the payload has members of these names, ours replace them.
//!
//! How it works: one pass measures every subtree bottom-up (`measure`), then
//! each container divides its bytes among its children top-down (`share`), and
//! the children that do not fit are cut within their share (`prune`). Nothing is
//! serialized on the way.

mod measure;
mod omitted;
mod prune;
mod share;
#[cfg(test)]
mod tests;
mod work;

use serde_json::{Map, Value};

use self::measure::Measured;
use self::prune::{MARK_BYTES, Pruner};
use crate::json;

/// The size of a result in compact serialized bytes: what is stored, sent, and
/// fits into an agent's context without crowding out its work.
pub const MAX_RESULT_BYTES: usize = 10_240;

/// The marker of an object that is not whole.
const TRUNCATED: &str = "_truncated";

/// The root's map of what was left out.
const OMITTED: &str = "_omitted";

/// `{"_truncated":true}`: the least there is to say.
const MIN_BYTES: usize = 2 + MARK_BYTES;

/// A value within its limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Truncated {
    /// The value, whole or cut.
    pub value: Value,
    /// True when it was cut. Unlike a marker in the value, which a payload may
    /// carry as well, this says so beyond doubt.
    pub truncated: bool,
}

/// Whether [`truncate`] would leave `value` as it is.
pub fn is_within(value: &Value, max_bytes: usize) -> bool {
    json::serialized_len(value) <= max_bytes
}

/// Cuts `value` down to at most `max_bytes` of compact serialized UTF-8; a limit
/// under 19 bytes counts as 19, the size of `{"_truncated":true}`.
///
/// Time and memory are linear in the value, but for sorting the members of an
/// object by size. Cutting what has been cut changes nothing.
pub fn truncate(value: Value, max_bytes: usize) -> Truncated {
    let measured = Measured::of(&value);
    if measured.root_bytes() <= max_bytes {
        return Truncated {
            value,
            truncated: false,
        };
    }
    let max_bytes = max_bytes.max(MIN_BYTES);
    let reserved = omitted::reserve(max_bytes);
    let mut pruner = Pruner::new(&measured);
    let mut root = cut_root(value, max_bytes - reserved, &mut pruner);
    if reserved > 0 {
        root.insert(
            OMITTED.to_owned(),
            pruner.into_omitted().into_value(reserved),
        );
    }
    Truncated {
        value: Value::Object(root),
        truncated: true,
    }
}

/// What fits of `value` into `max_bytes`, of the same kind: some of the members,
/// the first items, the head of a text. Objects that are not whole are marked as
/// in [`truncate`]; there is no `_omitted`. `None` when the limit is too low to
/// show anything.
pub(crate) fn shortened(value: &Value, max_bytes: usize) -> Option<Value> {
    if max_bytes < measure::MIN_SHARE {
        return None;
    }
    let measured = Measured::of(value);
    Some(Pruner::new(&measured).cut_root_value(value.clone(), max_bytes))
}

fn cut_root(value: Value, budget: usize, pruner: &mut Pruner<'_>) -> Map<String, Value> {
    match value {
        Value::Object(members) => pruner.cut_root_object(members, budget),
        Value::Array(_) => wrap("items", value, budget, pruner),
        _ => wrap("value", value, budget, pruner),
    }
}

/// `{"_truncated":true,"<key>":<what fits of value>}`.
fn wrap(key: &str, value: Value, budget: usize, pruner: &mut Pruner<'_>) -> Map<String, Value> {
    let mut root = Map::from_iter([(TRUNCATED.to_owned(), Value::Bool(true))]);
    let frame = MIN_BYTES + 1 + json::string_len(key) + 1;
    match budget.checked_sub(frame) {
        Some(budget) if budget >= measure::MIN_SHARE => {
            root.insert(key.to_owned(), pruner.cut_root_value(value, budget));
        }
        _ => json::discard(value),
    }
    root
}
