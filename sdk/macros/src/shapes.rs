//! `#[params]` and `#[result]`: derives of serde and schemars with the contract's conventions.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, LitStr, meta::ParseNestedMeta, parse::Parser};

/// Closed, and read only.
pub(crate) fn params(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let case = rename_all(arguments)?;
    Ok(quote! {
        #[derive(::portcullis_sdk::__private::Deserialize, ::portcullis_sdk::__private::JsonSchema)]
        #[serde(crate = "::portcullis_sdk::__private::serde", rename_all = #case, deny_unknown_fields)]
        #[schemars(crate = "::portcullis_sdk::__private::schemars")]
        #item
    })
}

/// Open, because an upstream's answer has more than is of interest; written, and read from such
/// answers.
pub(crate) fn result(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let case = rename_all(arguments)?;
    Ok(quote! {
        #[derive(
            ::portcullis_sdk::__private::Serialize,
            ::portcullis_sdk::__private::Deserialize,
            ::portcullis_sdk::__private::JsonSchema,
        )]
        #[serde(crate = "::portcullis_sdk::__private::serde", rename_all = #case)]
        #[schemars(crate = "::portcullis_sdk::__private::schemars")]
        #item
    })
}

fn rename_all(arguments: TokenStream) -> syn::Result<String> {
    let mut case = "camelCase".to_owned();
    let parser = syn::meta::parser(|meta: ParseNestedMeta<'_>| {
        if !meta.path.is_ident("rename_all") {
            return Err(meta.error(format!(
                "unknown argument `{}`; `rename_all` is known",
                name(&meta)
            )));
        }
        case = meta.value()?.parse::<LitStr>()?.value();
        Ok(())
    });
    parser.parse2(arguments)?;
    Ok(case)
}

fn name(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.to_token_stream().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_camel_case_unless_said_otherwise() {
        assert_eq!(rename_all(quote!()).unwrap(), "camelCase");
        assert_eq!(
            rename_all(quote!(rename_all = "snake_case")).unwrap(),
            "snake_case"
        );
    }

    #[test]
    fn other_arguments_are_refused() {
        let error = rename_all(quote!(open)).unwrap_err();

        assert_eq!(
            error.to_string(),
            "unknown argument `open`; `rename_all` is known"
        );
    }

    #[test]
    fn params_are_closed_and_results_are_not() {
        let item = quote!(
            struct Thing {
                id: String,
            }
        );

        assert!(
            params(quote!(), item.clone())
                .unwrap()
                .to_string()
                .contains("deny_unknown_fields")
        );
        assert!(
            !result(quote!(), item)
                .unwrap()
                .to_string()
                .contains("deny_unknown_fields")
        );
    }
}
