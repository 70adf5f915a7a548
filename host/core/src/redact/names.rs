//! Which names of members say that the value is a secret.
//!
//! Names are compared word by word, whatever the style: `accessToken`,
//! `access_token`, `x-access-token` and `ACCESS_TOKEN` are the same words, while
//! `Secretary` is one other word. To add a secret word, extend a list below.

/// What a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// Nothing.
    Open,
    /// It is a secret.
    Secret,
    /// It is several secrets, unless it is a number: then it counts them.
    /// Language models meter themselves in `max_tokens` and `prompt_tokens`.
    Secrets,
    /// It is a fact about a secret, such as its type or expiry, if it is a
    /// number or text.
    Fact,
}

/// One secret. Those of several words are for names that do not show where a
/// word ends: `apikey`, `ACCESSTOKEN`.
const SECRET_WORDS: &[&str] = &[
    "accesstoken",
    "apikey",
    "apitoken",
    "authorization",
    "authtoken",
    "clientsecret",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "refreshtoken",
    "secret",
    "secretkey",
    "token",
];

/// Two words that are a secret only together.
const SECRET_PAIRS: &[(&str, &str)] = &[("api", "key"), ("private", "key")];

/// What a token is that only continues a listing: without it paging breaks.
const PAGING_WORDS: &[&str] = &[
    "continuation",
    "cursor",
    "next",
    "page",
    "pagination",
    "paging",
    "prev",
    "previous",
    "sync",
];

/// Last words of names that tell something about a secret and not the secret.
const FACT_WORDS: &[&str] = &[
    "count",
    "expiration",
    "expires",
    "expiry",
    "length",
    "limit",
    "ttl",
    "type",
];

/// Of these, every word above and every pair has at least one.
const STEMS: [&str; 5] = ["token", "key", "secret", "pass", "auth"];

/// Decides by the whole words of `name`.
pub(crate) fn name_rule(name: &str) -> NameRule {
    if may_be_secret(name) {
        rule_of_words(&words(name))
    } else {
        NameRule::Open
    }
}

fn rule_of_words(words: &[String]) -> NameRule {
    let mut rule = NameRule::Open;
    for (index, word) in words.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|i| words.get(i));
        match secret_word(before.map_or("", String::as_str), word) {
            NameRule::Secret => rule = NameRule::Secret,
            NameRule::Secrets if rule == NameRule::Open => rule = NameRule::Secrets,
            _ => {}
        }
    }
    if rule != NameRule::Open && ends_as_a_fact(words) {
        return NameRule::Fact;
    }
    rule
}

/// False for nearly all names, at a fraction of the cost of taking them apart.
///
/// The letters of a word stand together in the name. Beyond ASCII a letter may
/// have one of ours as its small one, so such names are always taken apart.
fn may_be_secret(name: &str) -> bool {
    let name = name.as_bytes();
    let begins = |rest: &[u8], stem: &str| {
        rest.get(..stem.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(stem.as_bytes()))
    };
    !name.is_ascii()
        || (0..name.len())
            .filter_map(|at| name.get(at..))
            .any(|rest| STEMS.iter().any(|stem| begins(rest, stem)))
}

/// What `word` means after the word `before`.
fn secret_word(before: &str, word: &str) -> NameRule {
    let singular = word.strip_suffix('s').unwrap_or(word);
    let is = |word: &str| SECRET_WORDS.contains(&word) || SECRET_PAIRS.contains(&(before, word));
    if singular == "token" && PAGING_WORDS.contains(&before) {
        NameRule::Open
    } else if is(word) {
        NameRule::Secret
    } else if is(singular) {
        NameRule::Secrets
    } else {
        NameRule::Open
    }
}

/// True for `token_type`, `secretsCount`, `token_expires_in`, `tokenCreatedAt`.
fn ends_as_a_fact(words: &[String]) -> bool {
    match words {
        [.., before, last] if last == "in" => before == "expires",
        [.., last] => last == "at" || FACT_WORDS.contains(&last.as_str()),
        [] => false,
    }
}

/// Splits a name into its words in lower case: at everything that is neither
/// letter nor digit, between digits and letters, before a capital that follows
/// a small letter, and before the last capital of an acronym (`APIKey`).
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        if before.is_some_and(|before| starts_word(before, c, rest.peek().copied())) {
            words.extend(take_word(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    words.extend(take_word(&mut word));
    words
}

fn take_word(word: &mut String) -> Option<String> {
    (!word.is_empty()).then(|| std::mem::take(word))
}

/// True when a word ends between `before` and `c`.
fn starts_word(before: char, c: char, after: Option<char>) -> bool {
    if !c.is_alphanumeric() || before.is_numeric() != c.is_numeric() {
        return true;
    }
    let ends_acronym = before.is_uppercase() && after.is_some_and(char::is_lowercase);
    c.is_uppercase() && (before.is_lowercase() || ends_acronym)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(rule: NameRule, names: &[&str]) {
        for name in names {
            assert_eq!(name_rule(name), rule, "{name}: {:?}", words(name));
        }
    }

    #[test]
    fn no_secret_word_lacks_a_stem() {
        for word in SECRET_WORDS {
            assert!(may_be_secret(word), "{word}");
            assert!(may_be_secret(&word.to_uppercase()), "{word}");
        }
        for (first, second) in SECRET_PAIRS {
            assert!(may_be_secret(second), "{first} {second}");
        }
        assert!(!may_be_secret("identifier"));
        // Its small letter is an ordinary k.
        check(NameRule::Secret, &["api_\u{212a}ey"]);
    }

    #[test]
    fn names_of_secrets() {
        check(
            NameRule::Secret,
            &[
                "token",
                "Token",
                "TOKEN",
                "accessToken",
                "access_token",
                "ACCESS_TOKEN",
                "accesstoken",
                "x-access-token",
                "idToken",
                "IDToken",
                "oauth2Token",
                "oauth2token",
                "token1",
                "$token",
                "slack.token",
                "csrf token",
                "tokenValue",
                "secret",
                "client_secret",
                "clientSecret",
                "clientsecret",
                "webhookSecretKey",
                "password",
                "userPassword",
                "passwd",
                "new-password",
                "password2",
                "authorization",
                "Authorization",
                "Proxy-Authorization",
                "api_key",
                "apikey",
                "apiKey",
                "APIKey",
                "ApiKEY",
                "API_KEY",
                "x-api-key",
                "X-API-Key",
                "xApiKey",
                "APIKEY",
                "private_key",
                "page_token_secret",
                "nextAccessToken",
                "refresh_token",
                "tokenSecrets",
                "bot_token",
            ],
        );
    }

    #[test]
    fn names_of_several_secrets() {
        check(
            NameRule::Secrets,
            &[
                "tokens",
                "max_tokens",
                "promptTokens",
                "secrets",
                "apiKeys",
                "apikeys",
                "passwords",
            ],
        );
    }

    #[test]
    fn names_of_facts_about_secrets() {
        check(
            NameRule::Fact,
            &[
                "token_type",
                "secretsCount",
                "token_expires_in",
                "accessTokenExpiresAt",
                "passwordLength",
                "tokens_limit",
                "secret_updated_at",
                "tokenTTL",
            ],
        );
    }

    #[test]
    fn names_that_only_look_like_secrets() {
        check(
            NameRule::Open,
            &[
                "",
                "_",
                "name",
                "secretary",
                "Secretary",
                "secretariat",
                "tokenizer",
                "tokenized",
                "passwordless",
                "author",
                "authorized",
                "key",
                "api",
                "keyApi",
                "monkey",
                "apikeyboard",
                "happy_keys",
                "compass",
                "nextPageToken",
                "next_page_token",
                "pageToken",
                "page_token",
                "cursorToken",
                "continuationToken",
                "next_token",
                "nextToken",
                "prevToken",
                "previous_token",
                "syncToken",
                "nextSyncToken",
                "NextToken",
                "next-page-tokens",
            ],
        );
    }

    #[test]
    fn names_are_split_into_words() {
        for (name, expected) in [
            ("APIKey", "api key"),
            ("XMLHttpRequest2Token", "xml http request 2 token"),
            ("__a--b.c", "a b c"),
            ("ÉtatSecret", "état secret"),
            ("ABC", "abc"),
            ("aB", "a b"),
        ] {
            assert_eq!(words(name).join(" "), expected);
        }
    }

    proptest! {
        #[test]
        fn taking_a_name_apart_changes_nothing_where_it_is_not_done(
            name in "[a-zA-Z_]{0,4}(token|Key|PASS|secret|[a-z\u{212a}]{0,5})[a-zA-Zs]{0,4}",
        ) {
            prop_assert_eq!(name_rule(&name), rule_of_words(&words(&name)));
        }
    }
}
