//! Actions on issues.

mod create;
mod get;
mod list;
mod update;

pub use self::{create::create_issue, get::get_issue, list::list_issues, update::update_issue};
