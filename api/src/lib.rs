//! HTTP, WebSocket, SSE, search: everything a client talks to.
//!
//! [`serve`] is the whole service; `ragtrain-api` and `ragtrain up` call it.

mod problem;
mod extract;
mod origin;
mod listener;
mod sockets;
mod drain;
mod metrics;
mod state;
mod live;
mod recover;
mod routes;
mod dashboard;
mod openapi;
mod router;
mod pages;
mod painter;

pub use live::RelayTimes;
pub use recover::recover;

use crate::drain::DrainTimes;
use crate::listener::{Impatient, Peer};
use crate::live::Hub;
use crate::metrics::Metrics;
use crate::origin::OriginRule;
use crate::painter::Painter;
use crate::sockets::Sockets;
use crate::state::{App, Server, Stores};
use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use shared::queue::{Queue, QueueError};
use shared::settings::{
    ApiSettings, DocumentSettings, ModelSettings, ParserSettings, QueueSettings, RedisSettings,
    StorageSettings,
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use stores::{Blobs, Database, ModelFolder, StoreError};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Everything the api can be told.
#[derive(clap::Args, Clone, Debug)]
#[expect(missing_docs, reason = "each group is described where it is defined")]
pub struct Settings {
    #[command(flatten)]
    pub storage: StorageSettings,
    #[command(flatten)]
    pub model: ModelSettings,
    #[command(flatten)]
    pub redis: RedisSettings,
    #[command(flatten)]
    pub queue: QueueSettings,
    #[command(flatten)]
    pub api: ApiSettings,
    #[command(flatten)]
    pub document: DocumentSettings,
    #[command(flatten)]
    pub parser: ParserSettings,
    /// The program that opens documents; by default the one beside this program.
    #[arg(skip)]
    pub extractor: Option<PathBuf>,
    /// Periods of the relay; the sweep is that of `api`.
    #[arg(skip)]
    pub relay: RelayTimes,
}

/// Serves on a bound listener until `shutdown` is ready, then drains: `/readyz` turns 503, a little
/// later new sockets are refused and the open ones get `bye` and 1012, a few at a time; then open
/// requests end. Waits for Redis and the stores as long as it takes;
/// only a wrong eviction policy, an address that is not allowed without keys or a setting that
/// cannot work end it with an error.
pub async fn serve(
    settings: Settings,
    model: ModelFolder,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    let trusted_network = settings.api.trusted_network;
    check_address(address, trusted_network)?;
    let queue = Queue::open(&settings.redis.redis_url, settings.queue.times())
        .context("REDIS_URL is not usable")?;
    if let Ok(Err(error @ QueueError::EvictionPolicy(_))) =
        timeout(Duration::from_secs(3), queue.check_policy()).await
    {
        bail!(error);
    }
    let roots = resolved_roots(&settings.api.docs_roots)?;
    raise_file_limit(settings.api.max_sockets);
    let draining = CancellationToken::new();
    let stopped = CancellationToken::new();
    let metrics = Arc::new(Metrics::default());
    let times = RelayTimes { sweep: settings.api.sweep_s, ..settings.relay.clone() };
    let hub = Hub::start(queue.clone(), times, Arc::clone(&metrics), stopped.clone());
    let app = App(Arc::new(Server {
        origins: OriginRule { allowed: settings.api.origins.clone(), any_host: trusted_network },
        painter: Painter::new(&settings),
        sockets: Sockets::new(settings.api.max_sockets, settings.api.max_sockets_per_address),
        settings,
        queue,
        stores: OnceLock::new(),
        trouble: std::sync::Mutex::default(),
        embedder: OnceLock::new(),
        hub,
        metrics,
        roots,
        draining: draining.clone(),
        tasks: TaskTracker::new(),
        keyed_submissions: tokio::sync::Mutex::new(()),
    }));
    open_stores(&app).await;
    let background = TaskTracker::new();
    background.spawn(open_stores_for_ever(app.clone()));
    background.spawn(recover::recover_for_ever(app.clone()));
    background.spawn(load_model_for_ever(app.clone(), model));
    tracing::info!(listen = %address, "api listens on http://{address}");

    let times = DrainTimes {
        notice: app.settings.api.drain_notice(),
        limit: app.settings.api.drain_limit_s,
    };
    let drained = {
        let app = app.clone();
        async move {
            shutdown.await;
            tracing::info!("api is draining");
            app.draining.cancel();
            sleep(times.notice).await;
            // The listener answers all the while: who comes now is told 503, not cut off.
            drain::say_goodbye(&app.sockets, times).await;
            app.tasks.close();
            app.tasks.wait().await;
        }
    };
    let router = router::router(app.clone());
    let service = router.into_make_service_with_connect_info::<Peer>();
    let unanswered = app.hub.times.unanswered;
    let listener = Impatient { listener, unanswered };
    let serving = axum::serve(listener, service).with_graceful_shutdown(drained);
    // A task, so that the threads that accept connections are those that serve them: the main one
    // has a heap of its own, where what every connection leaves behind would be of no use to them.
    let serving = AbortOnDropHandle::new(tokio::spawn(serving.into_future()));
    let hard_stop = async {
        draining.cancelled().await;
        sleep(times.limit).await;
    };
    tokio::select! {
        served = serving => served.context("the http server ended")?.context("the http server failed")?,
        () = hard_stop => {
            tracing::warn!(open = app.sockets.open(), "the drain took too long: the rest is cut off");
        }
    }
    stopped.cancel();
    background.close();
    background.wait().await;
    Ok(())
}

/// Every socket is an open file, and the usual limit of a shell is 1,024.
fn raise_file_limit(max_sockets: u32) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    // Proxied requests and connections of our own need as many again.
    if let Some(files) = limit.current.filter(|files| *files < 2 * u64::from(max_sockets)) {
        tracing::warn!(
            "{max_sockets} sockets (RAGTRAIN_MAX_SOCKETS) need more than {files} open files: \
             raise the limit (ulimit -Hn, LimitNOFILE)"
        );
    }
}

/// Without keys the server answers this machine only.
fn check_address(address: SocketAddr, trusted_network: bool) -> anyhow::Result<()> {
    match (address.ip().is_loopback(), trusted_network) {
        (true, _) => {
            tracing::info!("no keys are configured: only this machine is answered");
        }
        (false, true) => {
            tracing::warn!(
                "RAGTRAIN_TRUSTED_NETWORK=1: {address} is served without keys to everyone who \
                 reaches it"
            );
        }
        (false, false) => bail!(
            "refusing to listen on {address} without keys: use a loopback address, or set \
             RAGTRAIN_TRUSTED_NETWORK=1 when the network in front is trusted"
        ),
    }
    Ok(())
}

/// The configured roots with symlinks resolved; a root that does not exist is a broken setting.
fn resolved_roots(roots: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    roots
        .iter()
        .map(|root| {
            let resolved = root
                .canonicalize()
                .with_context(|| format!("RAGTRAIN_DOCS_ROOT: {}", root.display()))?;
            if !resolved.is_dir() {
                bail!("RAGTRAIN_DOCS_ROOT: {} is not a folder", root.display());
            }
            Ok(resolved)
        })
        .collect()
}

/// Opens blobs and knowledge base once; notes why when they cannot be opened.
async fn open_stores(app: &App) {
    if app.stores.get().is_some() {
        return;
    }
    let storage = app.settings.storage.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let blobs = Blobs::in_folder(&storage.data.join("blobs"))?;
        let database = Database::open(&storage.data)?;
        Ok::<_, StoreError>(Stores { blobs, database })
    });
    let trouble = match opened.await {
        Ok(Ok(stores)) => {
            app.stores.get_or_init(|| stores);
            None
        }
        Ok(Err(error)) => Some(error.to_string()),
        Err(panic) => Some(panic.to_string()),
    };
    if let Some(reason) = &trouble {
        tracing::warn!(reason, "the stores cannot be opened yet");
    }
    *app.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = trouble;
}

async fn open_stores_for_ever(app: App) {
    let mut pause = Duration::from_millis(500);
    while app.stores.get().is_none() {
        tokio::select! {
            () = sleep(pause) => {}
            () = app.draining.cancelled() => return,
        }
        pause = (pause * 2).min(Duration::from_secs(30));
        open_stores(&app).await;
    }
}

/// Loads the model as soon as there is one; `ragtrain model fetch` may come later.
async fn load_model_for_ever(app: App, model: ModelFolder) {
    let mut told = false;
    loop {
        let model = model.clone();
        match tokio::task::spawn_blocking(move || model.load()).await {
            Ok(Ok(embedder)) => {
                app.embedder.get_or_init(|| embedder);
                return;
            }
            Ok(Err(StoreError::ModelMissing(_))) if !told => {
                told = true;
                tracing::info!("no embedding model: search uses words only (ragtrain model fetch)");
            }
            Ok(Err(StoreError::ModelMissing(_))) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the embedding model cannot be loaded"),
            Err(panic) => tracing::error!(%panic, "loading the embedding model panicked"),
        }
        tokio::select! {
            () = sleep(Duration::from_secs(30)) => {}
            () = app.draining.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check_address;

    #[test]
    fn only_loopback_without_keys() {
        for (address, trusted, allowed) in [
            ("127.0.0.1:8000", false, true),
            ("[::1]:8000", false, true),
            ("0.0.0.0:8000", false, false),
            ("192.168.1.5:8000", false, false),
            ("0.0.0.0:8000", true, true),
        ] {
            let checked = check_address(address.parse().unwrap(), trusted);
            assert_eq!(checked.is_ok(), allowed, "{address}");
        }
    }
}
