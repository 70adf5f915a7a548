//! Ids of what a fresh fake Linear holds. All are valid `UUIDv4` texts.
//!
//! Issues are found by their identifiers: ENG-1 to ENG-5 and OPS-1 to OPS-3.

/// The first digits of an id say what kind of thing it names; the last ones count.
macro_rules! fixed_ids {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $id;)*
    };
}

fixed_ids! {
    /// Team ENG, "Engineering".
    TEAM_ENG = "7ea00000-0000-4000-8000-000000000001";
    /// Team OPS, "Operations".
    TEAM_OPS = "7ea00000-0000-4000-8000-000000000002";

    /// Ada Okafor, whose token it is: `viewer`, and the author of everything that is created.
    USER_ADA = "05e00000-0000-4000-8000-000000000001";
    /// Bruno Lindqvist.
    USER_BRUNO = "05e00000-0000-4000-8000-000000000002";
    /// Chiyo Tanaka.
    USER_CHIYO = "05e00000-0000-4000-8000-000000000003";

    /// ENG's "Backlog", where its new issues start.
    STATE_ENG_BACKLOG = "57a00000-0000-4000-8000-000000000001";
    /// ENG's "Todo".
    STATE_ENG_TODO = "57a00000-0000-4000-8000-000000000002";
    /// ENG's "In Progress".
    STATE_ENG_IN_PROGRESS = "57a00000-0000-4000-8000-000000000003";
    /// ENG's "Done".
    STATE_ENG_DONE = "57a00000-0000-4000-8000-000000000004";
    /// ENG's "Canceled".
    STATE_ENG_CANCELED = "57a00000-0000-4000-8000-000000000005";
    /// OPS's "Backlog", where its new issues start.
    STATE_OPS_BACKLOG = "57a00000-0000-4000-8000-000000000006";
    /// OPS's "Todo".
    STATE_OPS_TODO = "57a00000-0000-4000-8000-000000000007";
    /// OPS's "In Progress".
    STATE_OPS_IN_PROGRESS = "57a00000-0000-4000-8000-000000000008";
    /// OPS's "Done".
    STATE_OPS_DONE = "57a00000-0000-4000-8000-000000000009";
    /// OPS's "Canceled".
    STATE_OPS_CANCELED = "57a00000-0000-4000-8000-00000000000a";

    /// Label "Bug" of the whole workspace.
    LABEL_BUG = "1abe0000-0000-4000-8000-000000000001";
    /// Label "Feature" of the whole workspace.
    LABEL_FEATURE = "1abe0000-0000-4000-8000-000000000002";
    /// Label "Improvement" of the whole workspace.
    LABEL_IMPROVEMENT = "1abe0000-0000-4000-8000-000000000003";
    /// Label "On-call" of team OPS.
    LABEL_OPS_ON_CALL = "1abe0000-0000-4000-8000-000000000004";

    /// ENG's project "Checkout rewrite".
    PROJECT_CHECKOUT = "b1000000-0000-4000-8000-000000000001";
    /// OPS's project "Quieter nights".
    PROJECT_QUIETER_NIGHTS = "b1000000-0000-4000-8000-000000000002";
}

/// First digits of the ids of issues whose id nobody chose.
pub(crate) const ISSUE: &str = "155e";

/// First digits of the ids of comments whose id nobody chose.
pub(crate) const COMMENT: &str = "c033";

/// The id of the `count`th thing of a kind. The count also stands in the first eight digits, because
/// those alone appear in the addresses of comments.
pub(crate) fn numbered(kind: &str, count: usize) -> String {
    format!("{kind}{:04x}-0000-4000-8000-{count:012x}", count & 0xffff)
}
