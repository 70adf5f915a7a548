//! Every route.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{delete, get, post, put};

use super::error::{method_not_allowed, not_found, panicked};
use super::{
    actions, automations, connections, egress_grants, health, invocations, members, metrics, modes,
    orgs, plugins, request, sessions, tokens,
};
use crate::gateway::Gateway;
use tower_http::catch_panic::CatchPanicLayer;

/// The gateway's routes.
pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::show))
        .nest("/{session_id}/actions", agent_routes())
        .nest("/v1/orgs/{org_id}", organization_routes())
        .nest("/v1", operator_routes())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&gateway),
            metrics::measured,
        ))
        .layer(middleware::from_fn(request::with_request_id))
        .with_state(gateway)
}

/// Agents act; members of the session's organization look on.
fn agent_routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/available", get(actions::available))
        .route("/bootstrap", get(actions::bootstrap))
        .route("/guide/{source_id}", get(actions::guide))
        .route("/invoke", post(actions::invoke))
        .route("/invocations", get(invocations::list_of_session))
        .route("/invocations/{id}", get(invocations::show))
}

/// Owners, admins and operators manage; members read.
fn organization_routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/members", get(members::list))
        .route(
            "/members/{user_id}",
            put(members::put).delete(members::remove),
        )
        .route(
            "/connections",
            get(connections::list).post(connections::create),
        )
        .route(
            "/connections/{id}",
            put(connections::rotate).delete(connections::remove),
        )
        .route("/sessions", get(sessions::list).post(sessions::create))
        .route("/sessions/{id}/close", post(sessions::close))
        .route(
            "/automations",
            get(automations::list).post(automations::create),
        )
        .route("/automations/{id}/modes", get(modes::list_of_automation))
        .route(
            "/automations/{id}/modes/{source_id}/{action_id}",
            put(modes::put_of_automation).delete(modes::remove_of_automation),
        )
        .route("/modes", get(modes::list))
        .route(
            "/modes/{source_id}/{action_id}",
            put(modes::put).delete(modes::remove),
        )
        .route("/invocations", get(invocations::list_of_organization))
}

/// Operators only.
fn operator_routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/orgs", get(orgs::list).post(orgs::create))
        .route("/tokens", post(tokens::create))
        .route(
            "/egress-grants",
            get(egress_grants::list).post(egress_grants::create),
        )
        .route("/egress-grants/{id}", delete(egress_grants::remove))
        .route("/plugins", get(plugins::list))
}
