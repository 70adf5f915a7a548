//! The API's description: whether it is one, and whether it is true.

mod answers;
mod checked;
mod description;
mod refusals;
mod serving;
mod structure;
