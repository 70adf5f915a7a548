//! `provider!`: one constant, checked, and the exports of a component.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Error, Expr, ExprArray, Ident, Path, Token, bracketed,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

const REQUIRED: [&str; 5] = ["id", "name", "description", "guide", "actions"];

pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    let fields: Fields = syn::parse2(input)?;
    let fields = fields.0.iter().map(Field::expand);
    Ok(quote! {
        /// What this provider is and does.
        #[allow(unreachable_pub, dead_code, reason = "how far it reaches is up to the module it stands in")]
        pub const PROVIDER: ::portcullis_sdk::provider::Provider = ::portcullis_sdk::provider::Provider {
            #(#fields,)*
            ..::portcullis_sdk::provider::Provider::unnamed(::core::env!("CARGO_PKG_VERSION"))
        }
        .checked();

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            enum Plugin {}

            impl ::portcullis_sdk::__private::Plugin for Plugin {
                fn provider() -> &'static ::portcullis_sdk::provider::Provider {
                    &PROVIDER
                }
            }

            type Component = ::portcullis_sdk::__private::Exports<Plugin>;

            ::portcullis_sdk::__private::bindings::export!(
                Component with_types_in ::portcullis_sdk::__private::bindings
            );
        };
    })
}

struct Fields(Vec<Field>);

struct Field {
    name: Ident,
    value: Value,
}

enum Value {
    Plain(Box<Expr>),
    /// An icon or a limit, which may be absent.
    Optional(Box<Expr>),
    /// An array that is kept by reference.
    List(ExprArray),
    /// The paths of functions with `#[action]`.
    Actions(Punctuated<Path, Token![,]>),
}

impl Parse for Fields {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let fields: Vec<Field> = Punctuated::<Field, Token![,]>::parse_terminated(input)?
            .into_iter()
            .collect();
        for required in REQUIRED {
            if !fields.iter().any(|field| field.name == required) {
                return Err(Error::new(
                    Span::call_site(),
                    format!("a provider needs `{required}`"),
                ));
            }
        }
        Ok(Self(fields))
    }
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let value = match name.to_string().as_str() {
            "id" | "name" | "description" | "version" | "guide" => Value::Plain(input.parse()?),
            "icon" | "memory_mib" => Value::Optional(input.parse()?),
            "connections" | "endpoints" => Value::List(input.parse()?),
            "actions" => Value::Actions(paths(input)?),
            other => return Err(Error::new(name.span(), unknown(other))),
        };
        Ok(Self { name, value })
    }
}

impl Field {
    fn expand(&self) -> TokenStream {
        let name = &self.name;
        match &self.value {
            Value::Plain(value) => quote!(#name: #value),
            Value::Optional(value) => quote!(#name: ::core::option::Option::Some(#value)),
            Value::List(items) => quote!(#name: &#items),
            Value::Actions(paths) => {
                let paths = paths.iter();
                quote!(#name: &[#(::portcullis_sdk::action::Action::of::<#paths>()),*])
            }
        }
    }
}

fn paths(input: ParseStream<'_>) -> syn::Result<Punctuated<Path, Token![,]>> {
    let content;
    bracketed!(content in input);
    Punctuated::parse_terminated(&content)
}

fn unknown(name: &str) -> String {
    format!(
        "unknown field `{name}`; a provider has `id`, `name`, `description`, `icon`, `version`, `connections`, \
         `endpoints`, `guide`, `actions` and `memory_mib`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: TokenStream) -> String {
        expand(input).unwrap_err().to_string()
    }

    #[test]
    fn fields_may_stand_in_any_order() {
        let input = quote! {
            actions: [read, issues::write],
            guide: "…",
            endpoints: [Endpoint::new("api", "https://api.example.com")],
            memory_mib: 128,
            id: "example",
            name: "Example",
            description: "…",
        };

        let expanded = expand(input).unwrap().to_string();
        assert!(
            expanded.contains("Action :: of :: < issues :: write > ()"),
            "{expanded}"
        );
        assert!(expanded.contains("endpoints : & [Endpoint"), "{expanded}");
        let memory = "memory_mib : :: core :: option :: Option :: Some (128)";
        assert!(expanded.contains(memory), "{expanded}");
    }

    #[test]
    fn required_fields_are_named_when_missing() {
        assert_eq!(
            refusal(quote! { id: "example", name: "Example" }),
            "a provider needs `description`"
        );
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(refusal(quote! { title: "Example" }).starts_with("unknown field `title`"));
    }
}
