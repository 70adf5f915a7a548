//! Every route.
//!
//! A route is a handler with `#[utoipa::path]`: its method, path and description
//! stand there, and nothing can be served that is not described.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{method_not_allowed, not_found, panicked};
use super::{
    actions, approvals, automations, connections, decisions, drift, egress_grants, events, explain,
    health, invocations, invoke, members, metrics, modes, openapi, orgs, plugins, request, results,
    reviews, sessions, tokens,
};
use crate::gateway::Gateway;

/// The gateway's routes.
pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::from(described_routes())
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

/// Every route with its description.
pub(super) fn described_routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::with_openapi(openapi::preface())
        .routes(routes!(health::get_health))
        .routes(routes!(health::get_readiness))
        .routes(routes!(openapi::get_openapi))
        .routes(routes!(metrics::get_metrics))
        .nest("/{session_id}/actions", agent_routes())
        .merge(event_routes())
        .nest("/v1/orgs/{org_id}", organization_routes())
        .nest("/v1", operator_routes())
}

/// Agents act; members of the session's organization look on, and some decide.
fn agent_routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default()
        .routes(routes!(actions::list_actions))
        .routes(routes!(actions::get_bootstrap))
        .routes(routes!(actions::get_session_guide))
        .routes(routes!(actions::get_guide))
        .routes(routes!(explain::explain_action))
        .routes(routes!(invoke::invoke_action))
        .routes(routes!(invocations::list_session_invocations))
        .routes(routes!(invocations::get_invocation))
        .routes(routes!(results::get_result))
        .routes(routes!(decisions::approve_invocation))
        .routes(routes!(decisions::deny_invocation))
        .routes(routes!(decisions::cancel_invocation))
}

/// Whoever may look on hears what happens.
fn event_routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default()
        .routes(routes!(events::stream_events))
        .routes(routes!(events::create_ticket))
}

/// Owners, admins and operators manage; members read.
fn organization_routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default()
        .routes(routes!(members::list_members))
        .routes(routes!(members::put_member, members::remove_member))
        .routes(routes!(
            connections::list_connections,
            connections::create_connection
        ))
        .routes(routes!(
            connections::rotate_connection,
            connections::remove_connection
        ))
        .routes(routes!(sessions::list_sessions, sessions::create_session))
        .routes(routes!(sessions::close_session))
        .routes(routes!(
            automations::list_automations,
            automations::create_automation
        ))
        .routes(routes!(modes::list_automation_modes))
        .routes(routes!(
            modes::put_automation_mode,
            modes::remove_automation_mode
        ))
        .routes(routes!(modes::list_modes))
        .routes(routes!(modes::put_mode, modes::remove_mode))
        .routes(routes!(
            approvals::get_approval_times,
            approvals::put_approval_times
        ))
        .routes(routes!(drift::get_drift_policy, drift::put_drift_policy))
        .routes(routes!(reviews::get_review, reviews::confirm_review))
        .routes(routes!(invocations::list_organization_invocations))
}

/// Operators only.
fn operator_routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default()
        .routes(routes!(orgs::list_organizations, orgs::create_organization))
        .routes(routes!(tokens::create_token))
        .routes(routes!(
            egress_grants::list_egress_grants,
            egress_grants::create_egress_grant
        ))
        .routes(routes!(egress_grants::remove_egress_grant))
        .routes(routes!(plugins::list_plugins, plugins::install_plugin))
        .routes(routes!(plugins::get_plugin, plugins::remove_plugin))
        .routes(routes!(plugins::diff_plugin))
        .routes(routes!(plugins::approve_plugin))
        .routes(routes!(plugins::reject_plugin))
        .routes(routes!(plugins::roll_back_plugin))
}
