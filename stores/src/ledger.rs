//! The durable record of jobs and uploads in the blob store. Redis may be lost; this may not.
//!
//! | key | is |
//! |---|---|
//! | `jobs/<id>/job.json` | the accepted request, written before the 202 |
//! | `jobs/<id>/manifest/…` | its documents, see [`crate::manifest`] |
//! | `jobs/<id>/report.json` | the outcome, written once |
//! | `uploads/<id>/upload.json` | the files of an upload, written after the last of them |
//! | `uploads/<id>/files/<n>` | their bytes |

use crate::{Blobs, Result, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::job::JobSpec;
use uuid::Uuid;

/// An upload: what `POST /uploads` stored. Without this record an upload does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Upload {
    /// The upload's id.
    pub id: Uuid,
    /// Its files in the order in which they came.
    pub files: Vec<UploadedFile>,
}

/// One file of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UploadedFile {
    /// The name the client gave, shown to people; never used as a path.
    pub name: String,
    /// The key of its bytes in the blob store.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
}

/// The key of the `n`-th file of an upload.
pub fn upload_key(upload: Uuid, n: usize) -> String {
    format!("uploads/{upload}/files/{n}")
}

impl Blobs {
    /// Records an accepted job. Writing the same job twice is fine; another body under the same
    /// id is `StoreError::AlreadyExists`.
    pub async fn write_job(&self, job: &JobSpec) -> Result<()> {
        match self.put_new(&job_key(job.id), serde_json::to_vec(job)?).await {
            Err(StoreError::AlreadyExists(key)) => match self.read_job(job.id).await? {
                Some(stored) if stored.request_hash == job.request_hash => Ok(()),
                _ => Err(StoreError::AlreadyExists(key)),
            },
            result => result,
        }
    }

    /// The record of a job, or `None` when it was never accepted.
    pub async fn read_job(&self, job: Uuid) -> Result<Option<JobSpec>> {
        read_json(self, &job_key(job)).await
    }

    /// Forgets a job that was refused after its record had been written (the queue was full).
    pub async fn forget_job(&self, job: Uuid) -> Result<()> {
        self.delete_folder(&format!("jobs/{job}")).await.map(|_| ())
    }

    /// All recorded jobs, in the order of their ids.
    pub async fn job_ids(&self) -> Result<Vec<Uuid>> {
        let names = self.folders("jobs").await?;
        Ok(names.iter().filter_map(|name| Uuid::parse_str(name).ok()).collect())
    }

    /// Jobs that were accepted and have no report: those to submit again after a loss of Redis.
    pub async fn jobs_without_report(&self) -> Result<Vec<JobSpec>> {
        let mut open = Vec::new();
        for id in self.job_ids().await? {
            if self.has_report(id).await? {
                continue;
            }
            // A folder without a record is a job whose acceptance was never finished.
            open.extend(self.read_job(id).await?);
        }
        Ok(open)
    }

    /// Writes the job's report, once. `false` when there already is one, which then stands.
    pub async fn write_report(&self, job: Uuid, report: &Value) -> Result<bool> {
        match self.put_new(&report_key(job), serde_json::to_vec(report)?).await {
            Ok(()) => Ok(true),
            Err(StoreError::AlreadyExists(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The job's report, or `None` while there is none.
    pub async fn read_report(&self, job: Uuid) -> Result<Option<Value>> {
        read_json(self, &report_key(job)).await
    }

    /// Whether the job has its report.
    pub async fn has_report(&self, job: Uuid) -> Result<bool> {
        match self.size(&report_key(job)).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes an upload exist, after all of its files have been written.
    pub async fn write_upload(&self, upload: &Upload) -> Result<()> {
        self.put_new(&upload_record_key(upload.id), serde_json::to_vec(upload)?).await
    }

    /// An upload, or `None`.
    pub async fn read_upload(&self, upload: Uuid) -> Result<Option<Upload>> {
        read_json(self, &upload_record_key(upload)).await
    }
}

fn job_key(job: Uuid) -> String {
    format!("jobs/{job}/job.json")
}

fn report_key(job: Uuid) -> String {
    format!("jobs/{job}/report.json")
}

fn upload_record_key(upload: Uuid) -> String {
    format!("uploads/{upload}/upload.json")
}

async fn read_json<T: serde::de::DeserializeOwned>(blobs: &Blobs, key: &str) -> Result<Option<T>> {
    let Some(bytes) = blobs.find(key).await? else { return Ok(None) };
    let value = serde_json::from_slice(&bytes)
        .map_err(|error| StoreError::Damaged(format!("{key}: {error}")))?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use crate::{Blobs, StoreError};
    use shared::job::{JobSpec, Priority, Source};
    use time::OffsetDateTime;
    use uuid::Uuid;

    fn job(id: Uuid, hash: &str) -> JobSpec {
        JobSpec {
            id,
            sources: vec![Source::Path("/documents".to_owned())],
            collection: "default".to_owned(),
            force: false,
            priority: Priority::Normal,
            max_files: None,
            max_failed: None,
            max_inflight: None,
            include: vec![],
            tags: vec![],
            retry_of: None,
            request_hash: hash.to_owned(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            traceparent: None,
        }
    }

    #[tokio::test]
    async fn a_job_is_open_until_its_report_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let (first, second) = (job(Uuid::from_u128(1), "a"), job(Uuid::from_u128(2), "b"));
        blobs.write_job(&first).await.unwrap();
        blobs.write_job(&first).await.unwrap();
        blobs.write_job(&second).await.unwrap();
        let other = JobSpec { request_hash: "x".to_owned(), ..first.clone() };
        assert!(matches!(blobs.write_job(&other).await, Err(StoreError::AlreadyExists(_))));
        assert_eq!(blobs.jobs_without_report().await.unwrap(), [first.clone(), second.clone()]);

        assert!(blobs.write_report(first.id, &serde_json::json!({"n": 1})).await.unwrap());
        assert!(!blobs.write_report(first.id, &serde_json::json!({"n": 2})).await.unwrap());
        assert_eq!(blobs.read_report(first.id).await.unwrap().unwrap()["n"], 1);
        assert_eq!(blobs.jobs_without_report().await.unwrap(), std::slice::from_ref(&second));

        blobs.forget_job(second.id).await.unwrap();
        assert_eq!(blobs.job_ids().await.unwrap(), [first.id]);
    }
}
