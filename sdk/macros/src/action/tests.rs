//! What `#[action]` takes and what it refuses.

use quote::quote;

use super::*;

fn function() -> TokenStream {
    quote! {
        /// Does it.
        fn act(ctx: &Context, params: Params) -> Result<Value> { todo!() }
    }
}

fn refusal(arguments: TokenStream, function: TokenStream) -> String {
    expand(arguments, function).unwrap_err().to_string()
}

#[test]
fn a_type_with_the_functions_name_stands_beside_it() {
    let expanded = expand(quote!(title = "Act", risk = danger), function())
        .unwrap()
        .to_string();

    assert!(expanded.contains("enum act { }"));
    assert!(expanded.contains("Risk :: Danger"));
    assert!(expanded.contains("Credential :: PreferUser"));
    assert!(expanded.contains("description : \"Does it.\""));
}

#[test]
fn title_and_risk_are_required() {
    assert_eq!(
        refusal(quote!(risk = read), function()),
        "`title` is missing: title = \"Create issue\""
    );
    assert_eq!(
        refusal(quote!(title = "Act"), function()),
        "`risk` is missing: risk = read | write | danger"
    );
}

#[test]
fn unknown_words_are_refused() {
    assert_eq!(
        refusal(quote!(title = "Act", risk = harmless), function()),
        "`harmless` is not one of `read`, `write`, `danger`",
    );
    assert_eq!(
        refusal(
            quote!(title = "Act", risk = read, credential = admin),
            function()
        ),
        "`admin` is not one of `org`, `user`, `prefer_user`",
    );
    assert!(refusal(quote!(name = "Act"), function()).starts_with("unknown argument `name`"));
    assert_eq!(
        refusal(quote!(title = "A", title = "B"), function()),
        "`title` is given twice"
    );
}

#[test]
fn examples_are_objects() {
    let refusal = refusal(
        quote!(title = "Act", risk = read, example("One", [1])),
        function(),
    );

    assert!(refusal.contains("JSON object"), "{refusal}");
}

#[test]
fn the_documentation_is_required() {
    let function = quote! { fn act(ctx: &Context) -> Result<Value> { todo!() } };

    assert!(refusal(quote!(title = "Act", risk = read), function).contains("needs documentation"));
}

#[test]
fn the_signature_is_checked() {
    let refused = |function: TokenStream| refusal(quote!(title = "Act", risk = read), function);

    assert!(
        refused(quote! { #[doc = "x"] fn act() -> Result<Value> {} })
            .contains("takes `ctx: &Context`")
    );
    assert!(
        refused(quote! { #[doc = "x"] async fn act(c: &Context) -> Result<Value> {} })
            .contains("not async")
    );
    assert!(
        refused(quote! { #[doc = "x"] fn act(c: &Context) -> Value {} })
            .contains("returns `Result<T>`")
    );
    assert!(
        refused(quote! { #[doc = "x"] fn act(c: &Context) {} }).contains("returns `Result<T>`")
    );
    assert!(
        refused(quote! { #[doc = "x"] fn act(c: &Context) -> Result<impl Serialize> {} })
            .contains("returns `Result<T>`")
    );
}
