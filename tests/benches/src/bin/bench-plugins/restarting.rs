//! A gateway with twenty plugins starts: on what was compiled before, and without.

use anyhow::ensure;
use portcullis_benches::gateway::Launch;
use portcullis_benches::latency::Latencies;
use portcullis_benches::operator::{Operator, Session};
use portcullis_benches::table::{Table, bytes, time};
use portcullis_benches::wire::Connection;
use serde_json::Value;

use crate::caller::Caller;
use crate::components::{Probe, bundled};
use crate::options::{Options, Place};

/// Plugins that there are in all.
const PLUGINS: usize = 20;

const COLD_STARTS: usize = 2;
const WARM_STARTS: usize = 5;

const COLUMNS: [&str; 6] = [
    "start",
    "ready p50",
    "ready max",
    "first call p50",
    "first call max",
    "starts",
];

/// One table: from the start of the process until it is ready, and until it has
/// answered a call.
pub(crate) async fn measure(options: &Options, place: &Place) -> anyhow::Result<Vec<Table>> {
    let title = format!("plugins: a gateway with {PLUGINS} of them starts");
    let mut table = place.table(&title, &COLUMNS)?;
    let launch = place.launch(options)?;
    let filled = fill(options, &launch).await?;
    table.fact(
        "components",
        format!("{} together", bytes(filled.component_bytes)),
    );
    let mut cold = Starts::default();
    for _ in 0..COLD_STARTS {
        std::fs::remove_dir_all(place.path("cache"))?;
        cold.start(&launch, &filled).await?;
    }
    let mut warm = Starts::default();
    for _ in 0..WARM_STARTS {
        warm.start(&launch, &filled).await?;
    }
    cold.row(&mut table, "cold: everything is compiled");
    warm.row(&mut table, "warm: everything is in the cache");
    Ok(vec![table])
}

/// What there is in the database.
struct Filled {
    /// One of the plugins that need no connection.
    plugin: String,
    session: Session,
    component_bytes: u64,
}

/// Installs all plugins, and ends the gateway that has compiled them.
async fn fill(options: &Options, launch: &Launch) -> anyhow::Result<Filled> {
    let target = &options.program.target;
    let mut components = bundled(target)?;
    let probe = Probe::read(target)?;
    for number in components.len()..PLUGINS {
        let id = format!("probe-{number}");
        let component = probe.called(&id)?;
        components.push((id, component));
    }
    let gateway = launch.start().await?;
    let mut operator = Operator::at(&gateway).await?;
    operator.organize().await?;
    let mut filled = Filled {
        plugin: String::new(),
        session: operator.open_session(&[]).await?,
        component_bytes: 0,
    };
    for (id, component) in components {
        filled.component_bytes += component.len() as u64;
        filled.plugin = id;
        operator.install(component).await?;
    }
    gateway.stop().await?;
    Ok(filled)
}

/// Starts of one kind.
#[derive(Default)]
struct Starts {
    ready: Latencies,
    first_call: Latencies,
}

impl Starts {
    async fn start(&mut self, launch: &Launch, filled: &Filled) -> anyhow::Result<()> {
        let gateway = launch.start().await?;
        let mut connection = Connection::open(gateway.address).await?;
        let caller = Caller::new(&filled.plugin, &filled.session);
        caller.call(&mut connection).await?;
        self.first_call.record(gateway.started.elapsed());
        self.ready.record(gateway.ready_after);
        let listed = Operator::at(&gateway).await?.get("/v1/plugins").await?;
        let active = active(&listed);
        ensure!(active == PLUGINS, "{active} plugins are active: {listed}");
        gateway.stop().await
    }

    fn row(&self, table: &mut Table, name: &str) {
        let times = |latencies: &Latencies| [latencies.p50(), latencies.max()];
        let [ready, first_call] = [times(&self.ready), times(&self.first_call)];
        let cells = ready.into_iter().chain(first_call).map(time);
        table.row(
            std::iter::once(name.to_owned())
                .chain(cells)
                .chain([self.ready.count().to_string()]),
        );
    }
}

/// Versions that are active, of a list of plugins.
fn active(listed: &Value) -> usize {
    let plugins = listed.get("plugins").and_then(Value::as_array);
    let state = |version: &&Value| version.get("state").and_then(Value::as_str) == Some("active");
    plugins.map_or(0, |plugins| plugins.iter().filter(state).count())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_active_versions_are_counted() {
        let states = ["active", "staged", "failed", "active"];
        let plugins = states.map(|state| json!({ "state": state }));
        assert_eq!(active(&json!({ "plugins": plugins })), 2);
    }
}
