//! What every handler may use.

use crate::Settings;
use crate::live::Hub;
use crate::metrics::Metrics;
use crate::origin::OriginRule;
use crate::painter::Painter;
use crate::problem::{Problem, problem};
use crate::sockets::Sockets;
use axum::http::StatusCode;
use shared::queue::{Queue, QueueError};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use stores::{Blobs, Database, Embedder, StoreError};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The state of the server; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(pub(crate) Arc<Server>);

/// The parts of [`App`].
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) queue: Queue,
    /// Empty until the stores could be opened.
    pub(crate) stores: OnceLock<Stores>,
    /// Why the stores could not be opened, or why Redis may not be used.
    pub(crate) trouble: std::sync::Mutex<Option<String>>,
    /// Empty until a model was found.
    pub(crate) embedder: OnceLock<Arc<Embedder>>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) origins: OriginRule,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) painter: Painter,
    /// Folders below which sources may lie, symlinks resolved.
    pub(crate) roots: Vec<PathBuf>,
    /// The server is to end: `/readyz` answers 503.
    pub(crate) draining: CancellationToken,
    /// Sockets that are open.
    pub(crate) tasks: TaskTracker,
    /// One submission with an idempotency key at a time.
    pub(crate) keyed_submissions: Mutex<()>,
}

/// Blobs and knowledge base.
#[derive(Clone, Debug)]
pub(crate) struct Stores {
    /// Job records, manifests, reports, uploads.
    pub(crate) blobs: Blobs,
    /// Documents, chunks, graphs, norms.
    pub(crate) database: Database,
}

impl Deref for App {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl App {
    /// The stores, or the 503 that says they are not there yet.
    pub(crate) fn stores(&self) -> Result<&Stores, Problem> {
        self.stores.get().ok_or_else(|| Problem::store_unavailable("not opened yet"))
    }

    /// Runs blocking work on the knowledge base.
    pub(crate) async fn database<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> stores::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.stores()?.database.call(work).await?)
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Problem {
        match error {
            QueueError::KeyReused => idempotency_conflict(),
            QueueError::QueueFull => problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "queue_full",
                "очередь заданий заполнена; повторите позже",
            )
            .retry_after(30),
            QueueError::NoSuchJob => Problem::job_not_found("с этим номером"),
            QueueError::Misuse(reason) if reason.contains("cursor") => {
                Problem::invalid_field("cursor", "такого курсора сервер не выдавал")
            }
            QueueError::Redis(_) | QueueError::Pool(_) | QueueError::EvictionPolicy(_) => {
                Problem::queue_unavailable(error)
            }
            QueueError::Misuse(_) | QueueError::Reply(_) => Problem::internal(error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Invalid(reason) if reason.contains("cursor") => {
                Problem::invalid_field("cursor", "такого курсора сервер не выдавал")
            }
            StoreError::Invalid(reason) => problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_field",
                format!("недопустимое значение: {reason}"),
            ),
            StoreError::ModelMissing(_) => problem(
                StatusCode::CONFLICT,
                "model_missing",
                "нет модели для векторного поиска; её готовит команда «ragtrain model fetch»",
            ),
            error if error.is_transient() => Problem::store_unavailable(error),
            error => Problem::internal(error),
        }
    }
}

/// 409: the key was used for another request.
pub(crate) fn idempotency_conflict() -> Problem {
    problem(
        StatusCode::CONFLICT,
        "idempotency_conflict",
        "этот Idempotency-Key уже использован с другим телом запроса",
    )
}
