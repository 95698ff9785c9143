//! The worker's settings: flags and environment variables of one process.

use clap::Args;
use extractor::client::{ExtractLimits, Tools};
use shared::settings::{
    DocumentSettings, ModelSettings, ParserSettings, QueueSettings, RedisSettings, StorageSettings,
    WorkerSettings, search_path,
};

/// Everything a worker process can be told.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Where things are kept.
    #[command(flatten)]
    pub storage: StorageSettings,
    /// The Redis.
    #[command(flatten)]
    pub redis: RedisSettings,
    /// Periods of the queue.
    #[command(flatten)]
    pub queue: QueueSettings,
    /// The model.
    #[command(flatten)]
    pub model: ModelSettings,
    /// Limits of a document.
    #[command(flatten)]
    pub document: DocumentSettings,
    /// Limits of the parsers.
    #[command(flatten)]
    pub parser: ParserSettings,
    /// The process.
    #[command(flatten)]
    pub worker: WorkerSettings,
}

impl Settings {
    /// What one document may cost.
    pub fn limits(&self) -> ExtractLimits {
        ExtractLimits {
            file_bytes: self.document.max_file_bytes(),
            memory_bytes: self.parser.parser_mb * 1024 * 1024,
            page_wait: self.parser.parser_idle_s,
            // Held in memory, decoded, once per slot: a hostile workbook must not take a gigabyte.
            output_bytes: 128 << 20,
            ..ExtractLimits::default()
        }
    }

    /// The extractor beside this program and the tools on the search path.
    pub fn tools(&self) -> Tools {
        let languages: Vec<&str> = self.document.ocr_languages.split('+').collect();
        let parallel = self.worker.ocr_parallel.unwrap_or(self.worker.workers) as usize;
        Tools::find(&search_path(), &languages, parallel)
    }
}
