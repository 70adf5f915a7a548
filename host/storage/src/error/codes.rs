//! SQLite's codes, as far as they are told apart.

/// The part of an extended code that is its primary one.
pub(crate) const PRIMARY: i32 = 0xff;
/// Another connection has the lock.
pub(crate) const BUSY: i32 = 5;
/// This process has the lock.
pub(crate) const LOCKED: i32 = 6;
/// No memory.
pub(crate) const NOMEM: i32 = 7;
/// The file cannot be written.
pub(crate) const READONLY: i32 = 8;
/// The disk fails.
pub(crate) const IOERR: i32 = 10;
/// The file is damaged.
pub(crate) const CORRUPT: i32 = 11;
/// The disk, or the file's quota, is full.
pub(crate) const FULL: i32 = 13;
/// The file cannot be opened.
pub(crate) const CANTOPEN: i32 = 14;
/// Too many contended for the log at once.
pub(crate) const PROTOCOL: i32 = 15;
/// The file is something else.
pub(crate) const NOTADB: i32 = 26;
