//! `portcullis:provider/types`: nothing but types.

use crate::bindings::imports::types;
use crate::state::CallState;

impl types::Host for CallState {}
