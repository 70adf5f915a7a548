//! Actions on events, and what is kept of an event.

mod exception;
mod get;
mod list;
mod model;

pub use self::{get::get_event, list::list_issue_events};
