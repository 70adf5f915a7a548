//! The only `bindgen!` on the host.
//!
//! The generated module stays private; what the crate uses of it is named here.

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "action-source",
        imports: {
            "portcullis:provider/http": async | trappable,
            "portcullis:provider/clock.wait": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        require_store_data_send: true,
    });
}

pub(crate) use generated::{ActionSource, ActionSourcePre};

/// The imported interfaces: a `Host` trait each.
pub(crate) mod imports {
    pub(crate) use super::generated::portcullis::provider::{clock, http, log, types};
}

/// The exported interfaces: the values a guest answers with.
pub(crate) mod exports {
    pub(crate) use super::generated::exports::portcullis::provider::{actions, provider};
}
