//! A registry that is honest, or not.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, LOCATION, WWW_AUTHENTICATE};
use axum::response::{IntoResponse as _, Response};
use hex::ToHex as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

pub(super) const WASM: &str = "application/wasm";
pub(super) const SIGNATURES: &str = "application/vnd.portcullis.signature.v1+text";

/// `sha256:` and 64 digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).encode_hex::<String>())
}

/// What the registry does before it answers.
#[derive(Debug, Clone)]
pub(super) enum Manner {
    Honest,
    /// Every content is answered with this one.
    Exchanges(Vec<u8>),
    /// Layers are cut to this many bytes.
    CutsLayers(usize),
    /// Answers never end.
    NeverEnds,
    /// It knows only who has a token, and gives one to whoever asks.
    WantsToken,
    /// It gives a token only to this `Authorization`.
    WantsTokenFor(String),
    /// It knows only this `Authorization`.
    WantsBasic(String),
    /// Layers lie elsewhere.
    SendsAway(String),
    /// It knows only this `Authorization`, and layers lie elsewhere.
    KnowsAndSendsAway(String, String),
    Fails,
}

/// What it holds, and what it was asked.
struct Shelf {
    address: SocketAddr,
    manner: Mutex<Manner>,
    content: Mutex<BTreeMap<String, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
}

/// A registry with the repository `acme/probe`, whose tag `1.0` is one artifact.
pub(super) struct FakeRegistry {
    shelf: Arc<Shelf>,
    pub(super) manifest: String,
}

impl FakeRegistry {
    /// One that holds an artifact of these layers.
    pub(super) async fn start(layers: &[(&str, &[u8])]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let shelf = Arc::new(Shelf {
            address: listener.local_addr().unwrap(),
            manner: Mutex::new(Manner::Honest),
            content: Mutex::default(),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shelf));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut registry = Self {
            shelf,
            manifest: String::new(),
        };
        registry.put(layers);
        registry
    }

    fn put(&mut self, layers: &[(&str, &[u8])]) {
        let described = layers.iter().map(|(kind, bytes)| {
            self.hold(&format!("blobs/{}", digest(bytes)), bytes);
            json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() })
        });
        let layers: Vec<_> = described.collect();
        self.tag(&json!({ "schemaVersion": 2, "layers": layers }));
    }

    /// Lets the tag mean another manifest.
    pub(super) fn tag(&mut self, manifest: &Value) {
        let bytes = manifest.to_string().into_bytes();
        self.manifest = digest(&bytes);
        self.hold(&format!("manifests/{}", self.manifest), &bytes);
        self.hold("manifests/1.0", &bytes);
    }

    fn hold(&self, name: &str, bytes: &[u8]) {
        let mut content = self.shelf.content.lock().unwrap();
        content.insert(format!("/v2/acme/probe/{name}"), bytes.to_vec());
    }

    pub(super) fn behaves(&self, manner: Manner) {
        *self.shelf.manner.lock().unwrap() = manner;
    }

    pub(super) fn by_tag(&self) -> String {
        format!("oci://{}/acme/probe:1.0", self.shelf.address)
    }

    pub(super) fn by_digest(&self) -> String {
        format!("oci://{}/acme/probe@{}", self.shelf.address, self.manifest)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.shelf.address)
    }

    /// Everything it was asked, with what stood in `Authorization`.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shelf.asked.lock().unwrap())
    }
}

async fn answer(State(shelf): State<Arc<Shelf>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let authorization = request.headers().get(AUTHORIZATION);
    let authorization = authorization.map_or("", |value| value.to_str().unwrap());
    let query = request.uri().query().unwrap_or_default();
    let asked = format!("{path}?{query} {authorization}");
    shelf.asked.lock().unwrap().push(asked);
    let manner = shelf.manner.lock().unwrap().clone();
    let content = shelf.content.lock().unwrap().get(&path).cloned();
    let content = content.unwrap_or_default();
    let challenge = |text: String| {
        (
            axum::http::StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, text)],
        )
    };
    let bearer = || {
        let realm = format!("http://{}/token", shelf.address);
        challenge(format!(
            r#"Bearer realm="{realm}",service="fake",scope="x""#
        ))
        .into_response()
    };
    match manner {
        Manner::WantsToken | Manner::WantsTokenFor(_) if path == "/token" => match manner {
            Manner::WantsTokenFor(login) if login != authorization => {
                challenge("Basic".to_owned()).into_response()
            }
            _ => axum::Json(json!({ "token": "t0ken" })).into_response(),
        },
        Manner::WantsToken | Manner::WantsTokenFor(_) if authorization != "Bearer t0ken" => {
            bearer()
        }
        Manner::WantsBasic(login) | Manner::KnowsAndSendsAway(login, _)
            if authorization != login =>
        {
            challenge(r#"Basic realm="fake""#.to_owned()).into_response()
        }
        Manner::Exchanges(other) => other.into_response(),
        Manner::CutsLayers(bytes) if path.contains("/blobs/") => {
            content[..bytes.min(content.len())].to_vec().into_response()
        }
        Manner::NeverEnds => endless(),
        Manner::SendsAway(elsewhere) | Manner::KnowsAndSendsAway(_, elsewhere)
            if path.contains("/blobs/") =>
        {
            let location = [(LOCATION, format!("{elsewhere}{path}"))];
            (axum::http::StatusCode::TEMPORARY_REDIRECT, location).into_response()
        }
        Manner::Fails => {
            let body = json!({ "errors": [{ "message": "the disk\u{1b}[31m is full" }] });
            (
                axum::http::StatusCode::INTERNAL_SERVER_ERROR,
                axum::Json(body),
            )
                .into_response()
        }
        _ if content.is_empty() => axum::http::StatusCode::NOT_FOUND.into_response(),
        _ => content.into_response(),
    }
}

fn endless() -> Response {
    let part = Bytes::from(vec![b' '; 1 << 16]);
    let parts = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(part.clone()));
    Body::from_stream(parts).into_response()
}
