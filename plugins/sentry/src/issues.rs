//! Actions on issues.

mod get;
mod list;
mod update;

pub use self::{get::get_issue, list::list_issues, update::update_issue};
