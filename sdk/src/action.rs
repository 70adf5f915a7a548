//! Actions: what `#[action]` makes of a function, and how a call finds its way to it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    context::Context,
    error::{Error, Result},
    json,
    provider::{Credential, Provider, Risk},
    schema,
};

/// A function with `#[action]`, as a type. Implemented by the macro.
#[doc(hidden)]
pub trait ActionFn {
    /// What the attribute and the documentation say.
    const INFO: Info;
    /// The type of the params.
    type Params: DeserializeOwned + JsonSchema;
    /// The type of the result.
    type Output: Serialize + JsonSchema;

    /// Calls the function.
    fn call(ctx: &Context, params: Self::Params) -> Result<Self::Output>;
}

/// What `#[action]` knows about a function.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Info {
    pub id: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub risk: Risk,
    pub credential: Credential,
    pub examples: &'static [Example],
}

/// A call an agent could make.
#[derive(Clone, Copy)]
pub struct Example {
    /// What it shows.
    pub title: &'static str,
    /// Its params.
    pub params: fn() -> Value,
}

impl fmt::Debug for Example {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Example")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

/// One operation of a provider. `provider!` makes one from each function it lists.
#[derive(Clone, Copy)]
pub struct Action {
    /// The function's name.
    pub id: &'static str,
    /// At most 80 characters.
    pub title: &'static str,
    /// The function's documentation.
    pub description: &'static str,
    /// How much harm it can do.
    pub risk: Risk,
    /// Whose connection the host uses.
    pub credential: Credential,
    /// Calls an agent could make.
    pub examples: &'static [Example],
    params_schema: fn() -> Value,
    result_schema: fn() -> Option<Value>,
    accepts: fn(&str) -> Result<()>,
    execute: fn(&Context, &str) -> Result<String>,
}

impl Action {
    /// The action that a function with `#[action]` is.
    #[doc(hidden)]
    pub const fn of<F: ActionFn>() -> Self {
        Self {
            id: F::INFO.id,
            title: F::INFO.title,
            description: F::INFO.description,
            risk: F::INFO.risk,
            credential: F::INFO.credential,
            examples: F::INFO.examples,
            params_schema: schema::params::<F::Params>,
            result_schema: schema::result::<F::Output>,
            accepts: |params| read::<F::Params>(params).map(drop),
            execute: execute::<F>,
        }
    }

    /// The JSON Schema (2020-12) of the params.
    pub fn params_schema(&self) -> Value {
        (self.params_schema)()
    }

    /// The JSON Schema of the result. `None`: any JSON.
    pub fn result_schema(&self) -> Option<Value> {
        (self.result_schema)()
    }

    /// Whether the action would take these params, without calling it.
    ///
    /// **Errors**: `invalid_params`, naming the param.
    pub fn accepts(&self, params: &str) -> Result<()> {
        (self.accepts)(params)
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Action")
            .field("id", &self.id)
            .field("risk", &self.risk)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

/// Executes the action with this id: JSON in, JSON out. Both the sandbox and the test kit come in
/// here.
///
/// **Errors**: `internal` for an id that the provider does not list, `invalid_params` for params
/// that are not what the function takes, and the function's own.
pub(crate) fn dispatch(
    provider: &Provider,
    ctx: &Context,
    id: &str,
    params: &str,
) -> Result<String> {
    let action = provider
        .actions
        .iter()
        .find(|action| action.id == id)
        .ok_or_else(|| Error::internal(format!("{} has no action `{id}`.", provider.name)))?;
    (action.execute)(ctx, params)
}

fn execute<F: ActionFn>(ctx: &Context, params: &str) -> Result<String> {
    let result = F::call(ctx, read(params)?)?;
    serde_json::to_string(&result)
        .map_err(|error| Error::internal(format!("The result cannot be written as JSON: {error}.")))
}

fn read<T: DeserializeOwned>(params: &str) -> Result<T> {
    json::from_slice(params.as_bytes())
        .map_err(|mismatch| Error::invalid_params(format!("The params do not fit: {mismatch}.")))
}

#[cfg(test)]
mod tests;
