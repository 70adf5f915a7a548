//! Ids of what a fresh fake Slack holds.

/// The workspace.
pub const TEAM: &str = "T1";
/// The channel #general, without messages.
pub const CHANNEL_GENERAL: &str = "C1";
/// The channel #deploys, with one thread.
pub const CHANNEL_DEPLOYS: &str = "C2";
/// The message in #deploys that began the thread, and its `thread_ts`.
pub const THREAD: &str = "1793610000.000001";
/// Ada, who began the thread.
pub const USER_ADA: &str = "U1";
/// The bot whose token it is: the author of everything that is posted.
pub const USER_BOT: &str = "U2";
/// The same bot by its other id.
pub const BOT: &str = "B1";
/// The app the bot belongs to.
pub const APP: &str = "A1";
