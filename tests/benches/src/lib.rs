//! What the measurements share: how times are kept, how a table looks, and what
//! there is to say about the machine.
//!
//! | binary | question |
//! | --- | --- |
//! | `bench-sandbox` | what does a call cost in a sandbox, and what natively? |
//! | `bench-invoke` | what does the gateway add to a request, and how many can it take? |
//! | `bench-truncate` | what does cutting a result cost beside parsing it? |
//! | `bench-decisions` | how long do people wait who decide, and do those who watch hear of all? |
//! | `bench-plugins` | what do switching, starting, compiling and agreeing on plugins cost? |
//! | `bench-neighbours` | what does an honest session notice while others attack? |
//!
//! Each prints Markdown tables from one run; `cargo xtask bench` builds and
//! starts them. They are programs of their own and not tests: a time is not a
//! fact that can pass or fail on a machine with other work to do.

pub mod durability;
pub mod fake;
pub mod gateway;
pub mod latency;
pub mod machine;
pub mod open_loop;
pub mod operator;
pub mod table;
pub mod wire;

/// That of the gateway, since what is measured allocates a lot.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
