//! What stands in the parentheses of `#[action(…)]`.

use proc_macro2::{Span, TokenStream};
use syn::{
    Error, Ident, LitStr, Token, parenthesized,
    parse::{Parse, ParseStream},
    token::Brace,
};

pub(super) struct Arguments {
    pub(super) title: LitStr,
    /// The name of a variant of the SDK's `Risk`.
    pub(super) risk: Ident,
    /// The name of a variant of the SDK's `Credential`.
    pub(super) credential: Ident,
    pub(super) examples: Vec<Example>,
}

pub(super) struct Example {
    pub(super) title: LitStr,
    /// A JSON object in braces.
    pub(super) params: TokenStream,
}

const RISKS: [(&str, &str); 3] = [("read", "Read"), ("write", "Write"), ("danger", "Danger")];
const CREDENTIALS: [(&str, &str); 3] = [
    ("org", "Org"),
    ("user", "User"),
    ("prefer_user", "PreferUser"),
];

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut title, mut risk, mut credential, mut examples) = (None, None, None, Vec::new());
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            match name.to_string().as_str() {
                "title" => set(&mut title, &name, value(input)?)?,
                "risk" => set(&mut risk, &name, word(input, &RISKS)?)?,
                "credential" => set(&mut credential, &name, word(input, &CREDENTIALS)?)?,
                "example" => examples.push(example(input)?),
                other => return Err(Error::new(name.span(), unknown(other))),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Self {
            title: title.ok_or_else(|| missing("title", "title = \"Create issue\""))?,
            risk: risk.ok_or_else(|| missing("risk", "risk = read | write | danger"))?,
            credential: credential.unwrap_or_else(|| Ident::new("PreferUser", Span::call_site())),
            examples,
        })
    }
}

fn set<T>(slot: &mut Option<T>, name: &Ident, value: T) -> syn::Result<()> {
    match slot.replace(value) {
        Some(_) => Err(Error::new(name.span(), format!("`{name}` is given twice"))),
        None => Ok(()),
    }
}

fn value<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// One of a few words, as the variant it stands for.
fn word(input: ParseStream<'_>, known: &[(&str, &str)]) -> syn::Result<Ident> {
    let word: Ident = value(input)?;
    if let Some((_, variant)) = known.iter().find(|(name, _)| word == name) {
        return Ok(Ident::new(variant, word.span()));
    }
    let names: Vec<String> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = format!("`{word}` is not one of {}", names.join(", "));
    Err(Error::new(word.span(), message))
}

fn example(input: ParseStream<'_>) -> syn::Result<Example> {
    let content;
    parenthesized!(content in input);
    let title = content.parse()?;
    content.parse::<Token![,]>()?;
    if !content.peek(Brace) {
        return Err(content.error("expected the example's params as a JSON object, `{ … }`"));
    }
    let params = proc_macro2::TokenTree::parse(&content)?.into();
    if content.peek(Token![,]) {
        content.parse::<Token![,]>()?;
    }
    Ok(Example { title, params })
}

fn unknown(name: &str) -> String {
    format!("unknown argument `{name}`; `title`, `risk`, `credential` and `example` are known")
}

fn missing(name: &str, form: &str) -> Error {
    Error::new(Span::call_site(), format!("`{name}` is missing: {form}"))
}
