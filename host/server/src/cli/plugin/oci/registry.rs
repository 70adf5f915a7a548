//! Asking one registry for one repository.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::super::super::console::variables;
use super::super::super::exit::Exit;
use super::super::super::failure::Failure;
use super::challenge::{self, Challenge};
use super::digest::Digest;
use super::manifest::{Layer, MEDIA_TYPE};
use super::reference::Reference;
use super::transport::{Answer, Get, Transport, origin, refused};

/// Bytes of a manifest, by the distribution specification.
const MAX_MANIFEST_BYTES: usize = 4 << 20;

/// Bytes of an answer that holds a token.
const MAX_TOKEN_BYTES: usize = 64 << 10;

/// Bytes of an answer that is an error, when a layer was asked for that is smaller.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// Characters of a registry's own words that are shown.
const SHOWN_CHARS: usize = 200;

/// Who asks.
pub(super) struct Login(Zeroizing<String>);

impl Login {
    pub(super) fn new(user: &str, password: &str) -> Self {
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Self(Zeroizing::new(format!("Basic {}", *encoded)))
    }
}

/// A repository of a registry, and what it takes to be answered.
pub(super) struct Registry {
    transport: Transport,
    base: Url,
    repository: String,
    login: Option<Login>,
    /// What the registry accepted, once it has asked for something.
    authorization: Option<Zeroizing<String>>,
}

impl Registry {
    pub(super) fn new(
        transport: Transport,
        reference: &Reference,
        login: Option<Login>,
    ) -> Result<Self, Failure> {
        let base = format!("{}://{}/", transport.scheme(), reference.registry);
        let base: Url = base
            .parse()
            .map_err(|error| Failure::usage(format!("{:?}: {error}", reference.registry)))?;
        transport.check(&base)?;
        Ok(Self {
            transport,
            base,
            repository: reference.repository.clone(),
            login,
            authorization: None,
        })
    }

    /// The manifest of an artifact and its digest, which is the one that was named
    /// if one was.
    pub(super) async fn manifest(
        &mut self,
        reference: &Reference,
    ) -> Result<(Digest, Vec<u8>), Failure> {
        let wanted = reference.wanted();
        let bytes = self
            .content("manifests", &wanted, MAX_MANIFEST_BYTES)
            .await?;
        let digest = Digest::of(&bytes);
        match reference.digest {
            Some(named) if named != digest => Err(lie("manifest", named, digest)),
            _ => Ok((digest, bytes)),
        }
    }

    /// The content of a layer, which has the digest and the size that the manifest
    /// tells.
    pub(super) async fn blob(&mut self, layer: &Layer) -> Result<Vec<u8>, Failure> {
        let wanted = layer.digest.to_string();
        let bytes = self.content("blobs", &wanted, layer.size).await?;
        let digest = Digest::of(&bytes);
        if digest != layer.digest {
            return Err(lie("layer", layer.digest, digest));
        }
        if bytes.len() != layer.size {
            return Err(refused(&format!(
                "layer {digest} has {} bytes, and its manifest says {}",
                bytes.len(),
                layer.size
            )));
        }
        Ok(bytes)
    }

    async fn content(
        &mut self,
        kind: &str,
        wanted: &str,
        limit: usize,
    ) -> Result<Vec<u8>, Failure> {
        let path = format!("v2/{}/{kind}/{wanted}", self.repository);
        let url = self.base.join(&path);
        let url = url.map_err(|error| refused(&format!("no address: {error}")))?;
        let mut answer = self.ask(&url, limit).await?;
        if answer.status == 401 && self.authorization.is_none() {
            self.authorization = Some(self.authorize(&answer).await?);
            answer = self.ask(&url, limit).await?;
        }
        if answer.status == 200 && answer.body.len() <= limit {
            return Ok(answer.body);
        }
        Err(self.unsuccessful(&answer, wanted, limit))
    }

    async fn ask(&self, url: &Url, limit: usize) -> Result<Answer, Failure> {
        let get = Get {
            url: url.clone(),
            accept: MEDIA_TYPE,
            authorization: self.authorization.as_ref().map(|value| value.as_str()),
            limit: limit.max(MAX_ERROR_BYTES),
        };
        self.transport.get(get).await
    }

    /// What proves who asks, in the way the registry wants it.
    async fn authorize(&self, answer: &Answer) -> Result<Zeroizing<String>, Failure> {
        let challenge = answer
            .challenges
            .iter()
            .find_map(|one| challenge::parse(one));
        match (challenge, &self.login) {
            (Some(Challenge::Bearer { realm, service }), _) => self.token(&realm, service).await,
            (Some(Challenge::Basic), Some(login)) => Ok(login.0.clone()),
            (Some(Challenge::Basic), None) => Err(self.unauthorized()),
            (None, _) => Err(refused("it asks for a proof of a kind that nobody knows")),
        }
    }

    /// A token to pull from this repository, for whoever asks.
    async fn token(
        &self,
        realm: &str,
        service: Option<String>,
    ) -> Result<Zeroizing<String>, Failure> {
        let mut url: Url = realm
            .parse()
            .map_err(|_| refused("it names no address that gives out tokens"))?;
        let scope = format!("repository:{}:pull", self.repository);
        url.query_pairs_mut()
            .extend_pairs(service.map(|service| ("service", service)))
            .append_pair("scope", &scope);
        let get = Get {
            url,
            accept: "application/json",
            authorization: self.login.as_ref().map(|login| login.0.as_str()),
            limit: MAX_TOKEN_BYTES,
        };
        let answer = self.transport.get(get).await?;
        if matches!(answer.status, 401 | 403) {
            return Err(self.unauthorized());
        }
        let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = ["token", "access_token"]
            .iter()
            .find_map(|name| document.get(name)?.as_str());
        let token = token.filter(|_| answer.status == 200);
        let token = token.ok_or_else(|| refused("it gives out no token"))?;
        Ok(Zeroizing::new(format!("Bearer {token}")))
    }

    fn unauthorized(&self) -> Failure {
        let message = format!(
            "{} gives {} only to those it knows",
            origin(&self.base),
            self.repository
        );
        Failure::new(Exit::Unauthorized, "registry_unauthorized", message).hint(format!(
            "set {} and {}, and make sure that the repository exists",
            variables::REGISTRY_USER,
            variables::REGISTRY_PASSWORD
        ))
    }

    fn unsuccessful(&self, answer: &Answer, wanted: &str, limit: usize) -> Failure {
        match answer.status {
            200 => refused(&format!(
                "{wanted} has {} bytes, and may have {limit}",
                answer.body.len()
            )),
            401 | 403 => self.unauthorized(),
            404 => refused(&format!("{} has no {wanted}", self.repository))
                .hint("check the repository, and that the tag or digest was pushed"),
            status => refused(&format!("it answers {status}{}", told(&answer.body))),
        }
    }
}

/// The registry's own words, if it has some.
fn told(body: &[u8]) -> String {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = document
        .pointer("/errors/0/message")
        .and_then(Value::as_str);
    message.map_or_else(String::new, |message| {
        let message: String = message.chars().take(SHOWN_CHARS).collect();
        format!(": {}", message.escape_debug())
    })
}

fn lie(what: &str, named: Digest, digest: Digest) -> Failure {
    let reason = format!("it was asked for the {what} {named}, and answered with {digest}");
    refused(&reason).hint("nothing was installed; this content was changed, or is another one's")
}
