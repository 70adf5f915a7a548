//! What `wit-bindgen` makes of `wit/`: the only place in the SDK that names it.
//!
//! Provider authors see the enums that the SDK's modules re-export and nothing else of it: a
//! change of generator is a change of this file, `host.rs` and `exports.rs`. It is hidden rather
//! than private because `provider!` expands to its export macro in another crate.

wit_bindgen::generate!({
    path: "../wit",
    world: "action-source",
    pub_export_macro: true,
});
