//! What `wit-bindgen` makes of `wit/`.

#![expect(clippy::same_length_and_capacity, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "action-source",
});
