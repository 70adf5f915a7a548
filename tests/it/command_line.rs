//! The command line as its users meet it: what they type, what they read, and
//! what the process ends with.

mod agents;
mod audit;
mod balanced;
mod configuration;
mod deciding;
mod help;
mod inbox;
mod keys;
mod operators;
mod plugin_files;
mod plugins;
mod refusals;
mod registries;
mod results;
mod reviewing;
mod signing;
mod terminal;
mod waiting;
