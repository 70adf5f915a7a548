//! `#[params]`, `#[result]` and `#[answer]`: derives of serde and schemars with the contract's
//! conventions.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Data, DataStruct, DeriveInput, Expr, Field, LitStr, Type, meta::ParseNestedMeta,
    parse::Parser, parse_quote,
};

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
/// answers, where optional fields are read leniently.
pub(crate) fn result(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let item = lenient(syn::parse2(item)?);
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

/// Read only: what a result is made of.
pub(crate) fn answer(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let item = lenient(syn::parse2(item)?);
    let case = rename_all(arguments)?;
    Ok(quote! {
        #[derive(::portcullis_sdk::__private::Deserialize)]
        #[serde(crate = "::portcullis_sdk::__private::serde", rename_all = #case)]
        #item
    })
}

fn lenient(mut item: DeriveInput) -> DeriveInput {
    if let Data::Struct(DataStruct { fields, .. }) = &mut item.data {
        let options = fields.iter_mut().filter(|field| is_plain_option(field));
        options.for_each(read_leniently);
    }
    item
}

fn read_leniently(field: &mut Field) {
    field.attrs.push(parse_quote! {
        #[serde(default, deserialize_with = "::portcullis_sdk::__private::lenient")]
    });
}

/// An `Option` whose own attributes do not say how it is read.
fn is_plain_option(field: &Field) -> bool {
    let is_option = match &field.ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Option"),
        _ => false,
    };
    is_option && field.ident.is_some() && !field.attrs.iter().any(says_how_to_read)
}

fn says_how_to_read(attribute: &Attribute) -> bool {
    let mut says = false;
    if attribute.path().is_ident("serde") {
        // What is wrong with an attribute is serde's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            says |= HOW_TO_READ.iter().any(|word| meta.path.is_ident(word));
            meta.value()
                .map_or(Ok(()), |value| value.parse::<Expr>().map(drop))
        });
    }
    says
}

/// Arguments of serde's that go ill with ours.
const HOW_TO_READ: [&str; 6] = [
    "default",
    "deserialize_with",
    "flatten",
    "skip",
    "skip_deserializing",
    "with",
];

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
    fn optional_fields_of_results_are_read_leniently_unless_they_say_otherwise() {
        let lenient = |field: Field| {
            let item = quote!(struct Thing { #field });
            result(quote!(), item)
                .unwrap()
                .to_string()
                .contains("lenient")
        };

        assert!(lenient(parse_quote!(owner: Option<String>)));
        assert!(lenient(parse_quote!(owner: std::option::Option<String>)));
        assert!(lenient(
            parse_quote!(#[serde(rename = "by", skip_serializing_if = "Option::is_none")] owner: Option<String>)
        ));
        assert!(!lenient(parse_quote!(owner: String)));
        assert!(!lenient(
            parse_quote!(#[serde(rename = "by", deserialize_with = "owner")] owner: Option<String>)
        ));
        assert!(!lenient(
            parse_quote!(#[serde(flatten)] owner: Option<String>)
        ));
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
