//! End-to-end tests, one file for each capability.

mod invoking;
