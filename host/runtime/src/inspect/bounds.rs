//! How large each part of a component may be.
//!
//! Measured were ours, a JavaScript guest of 1.7 MB, and a Python guest of 18.4 MB,
//! which brings an interpreter and its libraries. What the largest of them has is
//! named beside each bound, which is a multiple of it.

/// One respect in which components are bounded.
pub(super) struct Bound {
    /// In the plural, for the error.
    pub(super) what: &'static str,
    pub(super) limit: u64,
}

const fn bound(what: &'static str, limit: u64) -> Bound {
    Bound { what, limit }
}

/// How deep modules and components lie in each other. What wit-component makes
/// is two deep; each composition adds one. Every level is a recursion in what
/// reads it.
pub(super) const NESTING: Bound = bound("levels of nested components", 8);

/// Ours hold 3; a Python guest 14, one for each of its shared libraries.
pub(super) const CORE_MODULES: Bound = bound("core modules", 64);

/// Components within the component: 5.
pub(super) const COMPONENTS: Bound = bound("nested components", 64);

/// Instances of core modules, real ones and bundles of exports: 67.
pub(super) const CORE_INSTANCES: Bound = bound("core instances", 512);

/// Instances of components, one for each interface that is exported: 5.
pub(super) const INSTANCES: Bound = bound("component instances", 512);

/// Functions with a body, over all modules: 13,365, which take 22 s of CPU time.
pub(super) const FUNCTIONS: Bound = bound("functions", 100_000);

/// Of one function, declared beside its parameters: 271. Building the data flow of
/// a function takes their number times that of its blocks.
pub(super) const LOCALS: Bound = bound("locals in a function", 10_000);

/// Of one function. The loop of Python's interpreter, unusually large, has 426,843;
/// allocating registers takes more than linear time.
pub(super) const BODY_BYTES: Bound = bound("bytes in a function", 1 << 20);

/// Over all modules: 2, as many as a call's pool has room for. The rest is for what
/// is never instantiated.
pub(super) const MEMORIES: Bound = bound("memories", 16);

/// The sum of what they start with: all that a module can address, and so more
/// than any limit on a call.
pub(super) const INITIAL_MEMORY_BYTES: Bound = bound("bytes of memory at the start", 4 << 30);

/// Over all modules: 2, one for indirect calls and one of a shim.
pub(super) const TABLES: Bound = bound("tables", 64);

/// The sum of what they start with: 5,766. Initial values of a table are compiled
/// into a list of this length.
pub(super) const TABLE_ELEMENTS: Bound = bound("table elements at the start", 1_000_000);

/// Over all element segments, with one for each segment, for the same reason.
pub(super) const ELEMENTS: Bound = bound("elements in segments", 1_000_000);

/// Pieces of initial memory: 6,293.
pub(super) const DATA_SEGMENTS: Bound = bound("data segments", 50_000);

/// Their sum: twice the largest file of the default limit on files, so that it
/// stands also where that limit is raised.
pub(super) const DATA_BYTES: Bound = bound("bytes of data", 64 << 20);

/// Types of core modules and of components together: 1,317.
pub(super) const TYPES: Bound = bound("types", 50_000);

/// Of modules and components: 2,331, since libraries import what others export.
pub(super) const IMPORTS: Bound = bound("imports", 100_000);

/// Of modules and components: 4,238, since libraries export each function.
pub(super) const EXPORTS: Bound = bound("exports", 100_000);

/// Over all modules: 874, one for each address that a library imports.
pub(super) const GLOBALS: Bound = bound("globals", 100_000);

/// Aliases, lowerings and liftings, which join instances: 1,486.
pub(super) const JOINTS: Bound = bound("aliases and canonical functions", 100_000);
