//! Where the credential goes.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use portcullis_core::plugin::{ConnectionType, CredentialForm, Endpoint};
use secrecy::{ExposeSecret as _, SecretString};

use super::echo::Echoes;
use super::message::{HttpError, HttpErrorKind};

/// The credential of the connection a call uses. `Debug` hides the secret.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Decides, with the endpoint's rules, where the credential goes.
    connection_type: ConnectionType,
    /// The token or key itself.
    secret: SecretString,
    pub(super) echoes: Arc<Echoes>,
}

impl Credential {
    /// A token or key of this type. Making it costs far more than cloning it.
    pub fn new(connection_type: ConnectionType, secret: SecretString) -> Self {
        Self {
            echoes: Arc::new(Echoes::of(&secret)),
            connection_type,
            secret,
        }
    }
}

/// What is added to one request. `HeaderValue` hides a sensitive value in its
/// `Debug`, and HPACK never indexes it.
#[derive(Debug)]
pub(super) enum Attachment {
    Nothing,
    Header(HeaderName, HeaderValue),
    /// The parameter's name; its value is the credential.
    Query(String, SecretString),
}

/// Decides what to add for this endpoint: `ConnectionMissing` when the endpoint
/// takes a credential and there is none that fits.
pub(super) fn attach(
    endpoint: &Endpoint,
    credential: Option<&Credential>,
    connection_missing: &str,
) -> Result<Attachment, HttpError> {
    if endpoint.credentials.is_empty() {
        return Ok(Attachment::Nothing);
    }
    let Some(credential) = credential else {
        return if works_without(endpoint) {
            Ok(Attachment::Nothing)
        } else {
            Err(missing(connection_missing))
        };
    };
    let form = endpoint
        .credential_form(credential.connection_type)
        .ok_or_else(|| missing(&wrong_type(endpoint, credential.connection_type)))?;
    place(form, &credential.secret)
}

/// A rule for the type `none` says what to do without a connection; otherwise
/// every rule must be content with nothing.
fn works_without(endpoint: &Endpoint) -> bool {
    match endpoint.credential_form(ConnectionType::None) {
        Some(form) => *form == CredentialForm::None,
        None => endpoint
            .credentials
            .iter()
            .all(|rule| rule.form == CredentialForm::None),
    }
}

fn wrong_type(endpoint: &Endpoint, found: ConnectionType) -> String {
    let taken: Vec<_> = endpoint
        .credentials
        .iter()
        .map(|rule| rule.connection.as_str())
        .collect();
    format!(
        "endpoint `{}` takes connections of type {}, not {}",
        endpoint.name,
        taken.join(" or "),
        found.as_str()
    )
}

fn place(form: &CredentialForm, secret: &SecretString) -> Result<Attachment, HttpError> {
    match form {
        CredentialForm::Bearer => header_with(header::AUTHORIZATION, "Bearer ", secret),
        CredentialForm::Raw => header_with(header::AUTHORIZATION, "", secret),
        CredentialForm::Header { name, prefix } => {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| missing("the endpoint's credential header has no valid name"))?;
            header_with(name, prefix, secret)
        }
        CredentialForm::Query(name) => Ok(Attachment::Query(name.clone(), secret.clone())),
        CredentialForm::None => Ok(Attachment::Nothing),
    }
}

fn header_with(
    name: HeaderName,
    prefix: &str,
    secret: &SecretString,
) -> Result<Attachment, HttpError> {
    let mut value = HeaderValue::try_from(format!("{prefix}{}", secret.expose_secret()))
        .map_err(|_| missing("the connection's credential has characters no header can carry"))?;
    value.set_sensitive(true);
    Ok(Attachment::Header(name, value))
}

fn missing(message: &str) -> HttpError {
    HttpError::unsent(HttpErrorKind::ConnectionMissing, message)
}

#[cfg(test)]
mod tests {
    use portcullis_core::plugin::CredentialRule;
    use url::Url;

    use super::*;

    fn endpoint(rules: &[(ConnectionType, CredentialForm)]) -> Endpoint {
        Endpoint {
            name: "api".to_owned(),
            base_url: Url::parse("https://api.example.com").unwrap(),
            routes: Vec::new(),
            credentials: rules
                .iter()
                .map(|(connection, form)| CredentialRule {
                    connection: *connection,
                    form: form.clone(),
                })
                .collect(),
        }
    }

    fn credential(connection_type: ConnectionType) -> Credential {
        Credential::new(connection_type, "lin_api_0123456789".into())
    }

    fn attached(
        rules: &[(ConnectionType, CredentialForm)],
        connection: Option<ConnectionType>,
    ) -> Result<String, String> {
        let credential = connection.map(credential);
        match attach(&endpoint(rules), credential.as_ref(), "connect first") {
            Ok(Attachment::Nothing) => Ok("nothing".to_owned()),
            Ok(Attachment::Header(name, value)) => {
                assert!(value.is_sensitive());
                Ok(format!("{name}: {}", value.to_str().unwrap()))
            }
            Ok(Attachment::Query(name, value)) => Ok(format!("?{name}={}", value.expose_secret())),
            Err(error) => {
                assert_eq!(error.kind, HttpErrorKind::ConnectionMissing);
                Err(error.message)
            }
        }
    }

    #[test]
    fn each_type_of_connection_has_its_form() {
        use ConnectionType::{ApiKey, AppInstallation, BotToken, OAuth2};
        let header = CredentialForm::Header {
            name: "x-api-key".to_owned(),
            prefix: "key=".to_owned(),
        };
        let rules = [
            (OAuth2, CredentialForm::Bearer),
            (ApiKey, CredentialForm::Raw),
            (BotToken, header),
            (AppInstallation, CredentialForm::Query("token".to_owned())),
        ];
        for (connection, expected) in [
            (OAuth2, "authorization: Bearer lin_api_0123456789"),
            (ApiKey, "authorization: lin_api_0123456789"),
            (BotToken, "x-api-key: key=lin_api_0123456789"),
            (AppInstallation, "?token=lin_api_0123456789"),
        ] {
            assert_eq!(attached(&rules, Some(connection)).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_type_without_a_rule_is_refused_and_the_message_names_the_others() {
        use ConnectionType::{ApiKey, BotToken, OAuth2};
        let rules = [
            (OAuth2, CredentialForm::Bearer),
            (ApiKey, CredentialForm::Raw),
        ];
        assert_eq!(
            attached(&rules, Some(BotToken)).unwrap_err(),
            "endpoint `api` takes connections of type oauth2 or api-key, not bot-token"
        );
    }

    #[test]
    fn an_endpoint_without_rules_never_gets_a_credential() {
        let with = attached(&[], Some(ConnectionType::ApiKey));
        assert_eq!(with.as_deref(), Ok("nothing"));
        assert_eq!(attached(&[], None).as_deref(), Ok("nothing"));
    }

    #[test]
    fn without_a_connection_only_a_rule_lets_a_request_out() {
        let bearer = (ConnectionType::OAuth2, CredentialForm::Bearer);
        let nothing = (ConnectionType::OAuth2, CredentialForm::None);
        let anonymous = (ConnectionType::None, CredentialForm::None);
        assert_eq!(
            attached(std::slice::from_ref(&bearer), None).unwrap_err(),
            "connect first"
        );
        assert_eq!(attached(&[nothing], None).as_deref(), Ok("nothing"));
        assert_eq!(
            attached(&[bearer, anonymous], None).as_deref(),
            Ok("nothing")
        );
    }

    #[test]
    fn a_credential_that_breaks_its_line_is_refused_without_being_shown() {
        let credential = Credential::new(ConnectionType::ApiKey, "secret\r\nhost: evil".into());
        let endpoint = endpoint(&[(ConnectionType::ApiKey, CredentialForm::Raw)]);
        let error = attach(&endpoint, Some(&credential), "").unwrap_err();
        assert!(!error.message.contains("secret"), "{}", error.message);
        assert!(!format!("{credential:?}").contains("evil"));
    }
}
