//! The use cases around actions.
//!
//! [`invoke`] is the heart: validate, decide, admit, then execute, wait or
//! refuse; [`decide`] goes on with what waited. Every way in calls it, so that permission decisions have one home.

pub mod admission;
pub mod catalog;
pub mod decide;
mod execution;
pub mod explain;
pub mod full_result;
pub mod guide;
pub mod history;
pub mod invoke;
pub mod leases;
mod observed;
pub mod upkeep;
