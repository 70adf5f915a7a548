//! Putting JSON together.

use serde_json::Value;

/// An object with the members of another one as well; the other's win.
pub(crate) fn with(object: Value, more: Value) -> Value {
    match (object, more) {
        (Value::Object(mut members), Value::Object(more)) => {
            members.extend(more);
            Value::Object(members)
        }
        (other, _) => other,
    }
}
