//! `ragtrain up`: its own Redis, the api and the workers in one process.

use crate::redis_child::OwnRedis;
use anyhow::Context;
use shared::settings::{
    ApiSettings, DocumentSettings, ModelSettings, ParserSettings, QueueSettings, RedisSettings,
    StorageSettings, WorkerSettings,
};
use std::convert::Infallible;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use stores::ModelFolder;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Settings of the whole system on one machine.
#[derive(clap::Args, Debug)]
pub(crate) struct UpArguments {
    #[command(flatten)]
    storage: StorageSettings,
    #[command(flatten)]
    model: ModelSettings,
    /// Redis with the queue and the event log [default: an own redis-server]
    #[arg(long, env = "REDIS_URL", value_name = "REDIS_URL")]
    redis_url: Option<String>,
    #[command(flatten)]
    queue: QueueSettings,
    #[command(flatten)]
    api: ApiSettings,
    #[command(flatten)]
    document: DocumentSettings,
    #[command(flatten)]
    parser: ParserSettings,
    #[command(flatten)]
    worker: WorkerSettings,
}

/// Runs until Ctrl-C or SIGTERM.
///
/// # Errors
/// A setting that cannot work: an address in use, a data folder that another `up` uses.
pub(crate) async fn up(arguments: UpArguments) -> anyhow::Result<ExitCode> {
    shared::telemetry::start();
    let data = &arguments.storage.data;
    std::fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    let _only_one = lock(data)?;
    let listener = TcpListener::bind(arguments.api.listen)
        .await
        .with_context(|| format!("RAGTRAIN_LISTEN: {}", arguments.api.listen))?;
    let mut own = match arguments.redis_url.as_deref().map(str::trim).filter(|url| !url.is_empty())
    {
        Some(_) => None,
        None => Some(OwnRedis::start(data).await?),
    };
    let redis_url = match (&own, &arguments.redis_url) {
        (Some(own), _) => own.url(),
        (None, Some(given)) => given.clone(),
        (None, None) => anyhow::bail!("REDIS_URL"),
    };
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    // Redis is kept alive while the services drain: what they finish must still be counted.
    let result = tokio::select! {
        result = services(&arguments, redis_url, listener, &stop) => result,
        never = supervise(own.as_mut()) => match never {},
    };
    if let Some(own) = own {
        own.stop().await;
    }
    result.map(|()| ExitCode::SUCCESS)
}

/// The api and the workers; when one of them ends, the other one is stopped.
async fn services(
    arguments: &UpArguments,
    redis_url: String,
    listener: TcpListener,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let redis = RedisSettings { redis_url };
    let api_settings = api::Settings {
        storage: arguments.storage.clone(),
        model: arguments.model.clone(),
        redis: redis.clone(),
        queue: arguments.queue.clone(),
        api: arguments.api.clone(),
        document: arguments.document.clone(),
        parser: arguments.parser.clone(),
        extractor: None,
        relay: api::RelayTimes::default(),
    };
    let worker_settings = worker::settings::Settings {
        storage: arguments.storage.clone(),
        redis,
        queue: arguments.queue.clone(),
        model: arguments.model.clone(),
        document: arguments.document.clone(),
        parser: arguments.parser.clone(),
        worker: arguments.worker.clone(),
    };
    let model = ModelFolder::new(&arguments.model.model, arguments.worker.workers as usize);
    let api = async {
        let result =
            api::serve(api_settings, model.clone(), listener, stop.clone().cancelled_owned()).await;
        stop.cancel();
        result.context("api")
    };
    let worker = async {
        let stopped = stop.clone().cancelled_owned();
        let result = worker::service::run(worker_settings, model.clone(), stopped).await;
        stop.cancel();
        result.context("worker")
    };
    let (api, worker) = tokio::join!(api, worker);
    api.and(worker)
}

/// Never returns; without an own server there is nothing to watch.
async fn supervise(own: Option<&mut OwnRedis>) -> Infallible {
    match own {
        Some(own) => own.supervise().await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C and SIGTERM ask for an orderly end; the second one ends at once.
fn stop_on_signals(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                std::process::exit(130);
            }
            stop.cancel();
        }
    });
    Ok(())
}

/// Two of these on one data folder would each start a Redis over the same files.
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("up.lock");
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    file.try_lock().map_err(|error| {
        anyhow::anyhow!(
            "RAGTRAIN_DATA: {} is used by another ragtrain up ({error})",
            data.display()
        )
    })?;
    Ok(file)
}
