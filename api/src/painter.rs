//! Paints pages of originals. Documents are strangers: a limited child opens them.

use crate::Settings;
use crate::problem::{Problem, problem};
use axum::http::StatusCode;
use extractor::client::{ExtractError, ExtractLimits, Tools, paint};
use extractor::picture::Picture;
use extractor::request::PageLook;
use sha2::{Digest, Sha256};
use shared::settings::search_path;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Pages painted at once; a child may take a core and as much memory as a parser.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What painting needs; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Painter {
    tools: Tools,
    limits: ExtractLimits,
    places: Arc<Semaphore>,
}

impl Painter {
    /// The extractor beside this program, under the limits of the parsers.
    pub(crate) fn new(settings: &Settings) -> Painter {
        let mut tools = Tools::find(&search_path(), &[], 1);
        if let Some(program) = &settings.extractor {
            tools.extractor.clone_from(program);
        }
        let limits = ExtractLimits {
            file_bytes: settings.document.max_file_bytes(),
            memory_bytes: settings.parser.parser_mb * 1024 * 1024,
            page_wait: settings.parser.parser_idle_s,
            ..ExtractLimits::default()
        };
        Painter { tools, limits, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The page as PNG, with whatever `mark` draws on it. `sha256` is that of the bytes that were
    /// read: on other bytes the marks would be lies.
    pub(crate) async fn png(
        &self,
        file: File,
        sha256: String,
        look: PageLook,
        mark: impl FnOnce(&mut Picture) + Send + 'static,
    ) -> Result<Vec<u8>, Problem> {
        let place = timeout(LONGEST_WAIT, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "painter_busy",
                "слишком много страниц рисуется сейчас; повторите позже",
            )
            .retry_after(5));
        };
        // A client that goes away takes this future with it, and so the child.
        let gone = CancellationToken::new();
        let _gone_on_drop = gone.clone().drop_guard();
        let Painter { tools, limits, .. } = self.clone();
        let painted = tokio::task::spawn_blocking(move || {
            let _place = place;
            if hash(&file).map_err(Problem::internal)? != sha256 {
                return Err(problem(
                    StatusCode::CONFLICT,
                    "original_changed",
                    "исходный файл изменился после обучения; обучите его снова",
                ));
            }
            let cancelled = || gone.is_cancelled();
            let mut picture = paint(&file, &look, &limits, &tools, &cancelled).map_err(refusal)?;
            mark(&mut picture);
            picture.png().map_err(Problem::internal)
        });
        painted.await.map_err(Problem::internal)?
    }
}

fn refusal(error: ExtractError) -> Problem {
    match error {
        ExtractError::Failed(failure) => {
            problem(StatusCode::UNPROCESSABLE_ENTITY, failure.code.name(), failure.message)
        }
        ExtractError::Unavailable(_) | ExtractError::Cancelled => Problem::internal(error),
    }
}

/// SHA-256 of an open file, lower-case hex.
fn hash(mut file: &File) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hash.update(&piece[..read]),
        }
    }
}
