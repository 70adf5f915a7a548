//! The macros of `portcullis-sdk`. Use them through that crate, whose documentation has the
//! examples.
//!
//! * `shapes`: `#[params]`, `#[result]` and `#[answer]`, derives with the contract's conventions;
//! * `action`: `#[action]`, which makes a type of a function's name, attribute and documentation;
//! * `provider`: `provider!`, which puts a constant together, checks it, and exports it from a
//!   component.
//!
//! They write code against `portcullis_sdk::__private` and decide nothing that the SDK could
//! decide.

mod action;
mod docs;
mod provider;
mod shapes;

use proc_macro::TokenStream;

/// Makes a struct or enum fit to be an action's params, or a part of them.
///
/// Names are camelCase (or what `rename_all = "…"` says), objects are closed, and the documentation
/// of a field is its description in the schema. A field of type `Option` may be left out; its
/// schema does not admit `null`. The attributes of serde and schemars work on fields:
/// `#[schemars(range(min = 1, max = 50))]`, `#[schemars(length(max = 255))]`, `#[serde(default)]`.
///
/// ```
/// use portcullis_sdk::prelude::*;
///
/// #[params]
/// struct ListIssues {
///     /// How many issues to answer.
///     #[schemars(range(min = 1, max = 50))]
///     first: Option<u32>,
/// }
/// # fn main() {}
/// ```
#[proc_macro_attribute]
pub fn params(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(shapes::params(arguments.into(), item.into()))
}

/// Makes a struct or enum fit to be an action's result, or a part of one.
///
/// It can be written as JSON, described by a schema, and read from an upstream's answer. Names are
/// camelCase, or what `rename_all = "…"` says. Optional fields are read leniently: one that is
/// missing or is not what it should be is `None`, unless its own serde attribute says how to read
/// it.
#[proc_macro_attribute]
pub fn result(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(shapes::result(arguments.into(), item.into()))
}

/// Makes a struct fit to be read from an upstream's answer, where that is not the result yet.
///
/// As for [`macro@result`], names are camelCase or what `rename_all = "…"` says, and optional fields
/// are read leniently. It is not written, and has no schema.
#[proc_macro_attribute]
pub fn answer(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(shapes::answer(arguments.into(), item.into()))
}

/// Makes an action of a function `fn name(ctx: &Context, params: Params) -> Result<Output>`.
///
/// The function's name is the action's id, its documentation the description; the params may be
/// left out. The output is a type with `#[result]`, or `Value`.
///
/// * `title = "…"`: at most 80 characters; required.
/// * `risk = read | write | danger`: how much harm it can do; required.
/// * `credential = org | user | prefer_user`: whose connection is used; `prefer_user` unless said
///   otherwise.
/// * `example("title", { … })`: a call an agent could make, in JSON; any number of them.
///
/// The function stays what it was. List it in `provider!`.
#[proc_macro_attribute]
pub fn action(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(action::expand(arguments.into(), item.into()))
}

/// Declares the crate's provider: the constant `PROVIDER`, and in a WebAssembly build the
/// component's exports.
///
/// Fields, in any order: `id`, `name`, `description`, `guide`, `actions` (required); `icon`,
/// `version` (else the crate's), `connections`, `endpoints`, `memory_mib`. What breaks a rule of the
/// contract does not compile.
///
/// ```
/// use portcullis_sdk::prelude::*;
///
/// /// Does nothing.
/// #[action(title = "Nothing", risk = read)]
/// fn nothing(_: &Context) -> Result<Value> {
///     Ok(json!({}))
/// }
///
/// provider! {
///     id: "nothing",
///     name: "Nothing",
///     description: "Does nothing.",
///     guide: "There is nothing to know.",
///     actions: [nothing],
/// }
/// # fn main() {}
/// ```
///
/// The same with an id that the contract does not allow:
///
/// ```compile_fail,E0080
/// # use portcullis_sdk::prelude::*;
/// # /// Does nothing.
/// # #[action(title = "Nothing", risk = read)]
/// # fn nothing(_: &Context) -> Result<Value> {
/// #     Ok(json!({}))
/// # }
/// provider! {
///     id: "Not An Id",
///     name: "Nothing",
///     description: "Does nothing.",
///     guide: "There is nothing to know.",
///     actions: [nothing],
/// }
/// # fn main() {}
/// ```
#[proc_macro]
pub fn provider(input: TokenStream) -> TokenStream {
    expand(provider::expand(input.into()))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}
