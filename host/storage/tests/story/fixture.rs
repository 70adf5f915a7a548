//! Records to tell stories with, and storages that hold some of them.

use std::{collections::BTreeMap, fmt::Debug, str::FromStr, sync::Arc};

use portcullis_core::{
    action::{ActionDefinition, CredentialChoice, Risk},
    audit::{AuditChain, AuditEvent, AuditKind, AuditSubject},
    canonical::JsonDigest,
    definition::{DefinitionDigests, DefinitionDocument},
    id::{ConnectionId, InvocationId, OrganizationId, SessionId},
    invocation::{Invocation, InvocationStatus},
    modes::{Mode, ModeSource, PinnedMode, StoredMode, TextChanges},
    plugin::ConnectionType,
    time::Timestamp,
};
use portcullis_storage::{
    ApprovalTimes, AuditEntry, Connection, ConnectionStatus, Constraint, Error, NewInvocation,
    Organization, Sealed, Session, Storage,
};
use serde_json::json;

/// The node that executes, unless a story says otherwise.
pub(crate) const NODE: &str = "node-1";

/// A moment, in seconds after the stories begin.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_790_000_000 + seconds) * 1_000_000)
}

/// A name with a grammar.
pub(crate) fn name<T: FromStr>(text: &str) -> T {
    text.parse().ok().expect("a well-formed name")
}

/// The id with this number.
pub(crate) fn id<T: FromStr>(number: u32) -> T {
    name(&format!("00000000-0000-4000-8000-{number:012}"))
}

pub(crate) fn acme() -> OrganizationId {
    name("acme")
}

pub(crate) fn globex() -> OrganizationId {
    name("globex")
}

pub(crate) fn organization(id: &str) -> Organization {
    Organization {
        id: name(id),
        name: format!("The {id} company"),
        approval_times: ApprovalTimes::default(),
        text_changes: TextChanges::Flag,
        created_at: at(0),
    }
}

/// A session of acme.
pub(crate) fn session(number: u32) -> Session {
    Session {
        id: id(number),
        organization_id: acme(),
        user_id: None,
        automation_id: None,
        title: None,
        connection_ids: Vec::new(),
        created_at: at(0),
        closed_at: None,
    }
}

/// A connection of acme.
pub(crate) fn connection(number: u32) -> Connection {
    Connection {
        id: id(number),
        organization_id: acme(),
        user_id: None,
        provider: name("linear"),
        credential_type: ConnectionType::ApiKey,
        sealed_credential: sealed(b"credential"),
        base_urls: BTreeMap::new(),
        status: ConnectionStatus::Active,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn sealed(bytes: &[u8]) -> Sealed {
    Sealed {
        key_id: "key-1".to_owned(),
        bytes: bytes.to_owned(),
    }
}

/// The digests of a definition.
pub(crate) fn digests(definition: &str) -> DefinitionDigests {
    DefinitionDigests {
        interface: JsonDigest::of(&json!({ "interface": definition })),
        contract: JsonDigest::of(&json!({ "contract": definition })),
    }
}

/// The definition of an action with this title.
pub(crate) fn document(action: &str, title: &str) -> DefinitionDocument {
    DefinitionDocument::of(&ActionDefinition {
        id: name(action),
        title: title.to_owned(),
        description: String::new(),
        risk: Risk::Write,
        credential: CredentialChoice::Org,
        params_schema: json!({ "type": "object" }),
        result_schema: None,
        examples: Vec::new(),
    })
}

/// A mode that was set for this definition.
pub(crate) fn pinned(mode: Mode, definition: &str) -> PinnedMode {
    PinnedMode {
        mode: StoredMode::Known(mode),
        pin: Some(digests(definition)),
    }
}

/// A mode that was set for an action nobody saw.
pub(crate) fn unpinned(mode: Mode) -> PinnedMode {
    PinnedMode {
        mode: StoredMode::Known(mode),
        pin: None,
    }
}

/// An invocation of session 1 of acme with this status and whatever the status
/// needs: pending ones expire at 300, executing ones have a lease until 30.
pub(crate) fn invocation(number: u32, status: InvocationStatus) -> NewInvocation {
    let executing = status == InvocationStatus::Executing;
    NewInvocation {
        invocation: Invocation {
            id: id(number),
            session_id: id(1),
            organization_id: acme(),
            connection_id: None,
            source: name("linear"),
            action: name("create_issue"),
            risk: Risk::Write,
            mode: Mode::Allow,
            mode_source: ModeSource::OrgDefault,
            drifted: false,
            params: json!({}),
            definition_digest: None,
            plugin_digest: None,
            status,
            result: None,
            result_truncated: false,
            full_result: None,
            error: None,
            denied_reason: None,
            decision_reason: None,
            duration_ms: None,
            approved_by: None,
            approved_at: None,
            completed_at: status.is_final().then(|| at(1)),
            expires_at: (status == InvocationStatus::Pending).then(|| at(300)),
            created_at: at(0),
        },
        params_digest: "sha256:00".to_owned(),
        connection_version: None,
        sealed_params: (!status.is_final()).then(|| sealed(b"params")),
        node: executing.then(|| NODE.to_owned()),
        lease_expires_at: executing.then(|| at(30)),
    }
}

/// The event with which an invocation is added, in a record of its own.
pub(crate) fn request(new: &NewInvocation) -> AuditEntry {
    let entry = event(0);
    AuditEntry {
        event: AuditEvent {
            id: *new.invocation.id.as_uuid(),
            chain: AuditChain::Gateway,
            kind: AuditKind::InvocationRequested,
            ..entry.event
        },
        ..entry
    }
}

/// An event of acme, in second 7.
pub(crate) fn event(number: u32) -> AuditEntry {
    AuditEntry {
        event: AuditEvent {
            id: *invocation_id(number).as_uuid(),
            chain: AuditChain::Organization(acme()),
            kind: AuditKind::InvocationCompleted,
            actor: "gateway".to_owned(),
            subject: AuditSubject::from(&invocation_id(7)),
            details: json!({}),
            at: at(7),
        },
        details: "{}".to_owned(),
        mac: vec![1, 2, 3],
    }
}

/// Adds acme and globex.
pub(crate) async fn add_organizations(storage: &dyn Storage) -> Result<(), Error> {
    let mut work = storage.write().await?;
    for id in ["acme", "globex"] {
        work.organizations().add(&organization(id)).await?;
    }
    work.save().await
}

/// Adds the organizations, and sessions 1 and 2 of acme.
pub(crate) async fn add_sessions(storage: &dyn Storage) -> Result<(), Error> {
    add_organizations(storage).await?;
    let mut work = storage.write().await?;
    for number in [1, 2] {
        work.sessions().add(&session(number)).await?;
    }
    work.save().await
}

/// Adds connections in one unit of work.
pub(crate) async fn add_connections(
    storage: &dyn Storage,
    connections: &[Connection],
) -> Result<(), Error> {
    let mut work = storage.write().await?;
    for connection in connections {
        work.connections().add(connection).await?;
    }
    work.save().await
}

/// Adds invocations in one unit of work.
pub(crate) async fn add_invocations(
    storage: &dyn Storage,
    invocations: &[NewInvocation],
) -> Result<(), Error> {
    let mut work = storage.write().await?;
    for new in invocations {
        work.invocations().add(new, &request(new)).await?;
    }
    work.save().await
}

/// The invocation of session 1 with this number, which must exist.
pub(crate) async fn read_invocation(
    storage: &dyn Storage,
    number: u32,
) -> Result<Invocation, Error> {
    let mut work = storage.read().await?;
    let found = work.invocations().find(id(number), id(1)).await?;
    work.cancel().await?;
    Ok(found.expect("the invocation was added"))
}

pub(crate) fn session_id(number: u32) -> SessionId {
    id(number)
}

pub(crate) fn connection_id(number: u32) -> ConnectionId {
    id(number)
}

pub(crate) fn invocation_id(number: u32) -> InvocationId {
    id(number)
}

/// Fails unless the write was refused for this reason.
pub(crate) fn assert_conflict<T: Debug>(refused: &Result<T, Error>, expected: Constraint) {
    let as_expected = matches!(
        refused,
        Err(Error::Conflict { constraint }) if *constraint == expected
    );
    assert!(as_expected, "expected {expected:?}, got {refused:?}");
}

/// A storage to tell a story to.
pub(crate) type Shared = Arc<dyn Storage>;
