//! `#[action]`: a type beside the function, with the same name.
//!
//! Functions and types live in different namespaces, so `provider!` can name the type by the
//! function's path, and `use` brings both. The type is an enum without variants: nobody can make
//! one, and one that no provider lists is reported by the compiler as never used.

mod arguments;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Error, FnArg, GenericArgument, Ident, ItemFn, PathArguments, ReturnType, Type, ext::IdentExt,
    spanned::Spanned,
};

use self::arguments::{Arguments, Example};
use crate::docs;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: ItemFn = syn::parse2(item)?;
    let arguments: Arguments = syn::parse2(arguments)?;
    let signature = Signature::of(&function)?;
    let implementation = implementation(&function, &arguments, &signature)?;
    let (name, visibility) = (&function.sig.ident, &function.vis);
    Ok(quote! {
        #[allow(
            clippy::needless_pass_by_value,
            clippy::unnecessary_wraps,
            reason = "all actions have this shape"
        )]
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "it is named after the function")]
        #visibility enum #name {}

        #implementation
    })
}

fn implementation(
    function: &ItemFn,
    arguments: &Arguments,
    signature: &Signature,
) -> syn::Result<TokenStream> {
    let name = &function.sig.ident;
    let id = name.unraw().to_string();
    let description = description(function)?;
    let Arguments {
        title,
        risk,
        credential,
        examples,
    } = arguments;
    let examples = examples.iter().map(example);
    let Signature {
        params,
        output,
        takes_params,
    } = signature;
    let call = if *takes_params {
        quote!(#name(ctx, params))
    } else {
        quote!(#name(ctx))
    };
    let unused = if *takes_params {
        quote!()
    } else {
        quote!(let _ = params;)
    };
    Ok(quote! {
        impl ::portcullis_sdk::__private::ActionFn for #name {
            const INFO: ::portcullis_sdk::__private::Info = ::portcullis_sdk::__private::Info {
                id: #id,
                title: #title,
                description: #description,
                risk: ::portcullis_sdk::provider::Risk::#risk,
                credential: ::portcullis_sdk::provider::Credential::#credential,
                examples: &[#(#examples),*],
            };
            type Params = #params;
            type Output = #output;

            fn call(
                ctx: &::portcullis_sdk::Context,
                params: Self::Params,
            ) -> ::portcullis_sdk::Result<Self::Output> {
                #unused
                #call
            }
        }
    })
}

fn description(function: &ItemFn) -> syn::Result<String> {
    let text = docs::text(&function.attrs);
    if text.is_empty() {
        let message = "an action needs documentation: it is the description that agents read";
        return Err(Error::new(function.sig.ident.span(), message));
    }
    Ok(text)
}

fn example(example: &Example) -> TokenStream {
    let Example { title, params } = example;
    quote! {
        ::portcullis_sdk::action::Example {
            title: #title,
            params: || ::portcullis_sdk::__private::json!(#params),
        }
    }
}

/// What the function takes and answers.
struct Signature {
    params: Type,
    output: Type,
    takes_params: bool,
}

impl Signature {
    fn of(function: &ItemFn) -> syn::Result<Self> {
        let signature = &function.sig;
        let plain = signature.asyncness.is_none() && signature.generics.params.is_empty();
        if !plain {
            return Err(Error::new(
                signature.span(),
                "an action is a plain function: not async, not generic",
            ));
        }
        let inputs: Vec<&FnArg> = signature.inputs.iter().collect();
        let output = output(&signature.ident, &signature.output)?;
        match inputs.as_slice() {
            [_] => Ok(Self {
                params: syn::parse_quote!(::portcullis_sdk::NoParams),
                output,
                takes_params: false,
            }),
            [_, FnArg::Typed(params)] => Ok(Self {
                params: (*params.ty).clone(),
                output,
                takes_params: true,
            }),
            _ => Err(Error::new(
                signature.inputs.span(),
                "an action takes `ctx: &Context` and at most its params",
            )),
        }
    }
}

/// The `T` of `Result<T>`.
fn output(function: &Ident, declared: &ReturnType) -> syn::Result<Type> {
    let message = "an action returns `Result<T>`, where T is a type with `#[result]`, or `Value`";
    let ReturnType::Type(_, declared) = declared else {
        return Err(Error::new(function.span(), message));
    };
    match first_argument(declared) {
        Some(Type::ImplTrait(output)) => Err(Error::new(output.span(), message)),
        Some(output) => Ok(output.clone()),
        None => Err(Error::new(declared.span(), message)),
    }
}

fn first_argument(result: &Type) -> Option<&Type> {
    let Type::Path(path) = result else {
        return None;
    };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(output) => Some(output),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
