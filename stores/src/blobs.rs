//! Blobs: job records, manifests, uploads and reports, in a folder (S3 comes with `BLOBS_URL`).

use crate::{Result, StoreError};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, WriteMultipart};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The blob store. Cheap to clone. A key is a relative path with `/` (`jobs/<id>/job.json`).
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// `Some` for the folder backend.
    folder: Option<LocalFileSystem>,
}

/// A blob and its size in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// The key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
}

impl Blobs {
    /// Blobs in a folder, which is made when missing. Every write is synced to the disk before
    /// it returns, because a 202 promises that the job is not lost.
    pub fn in_folder(folder: &Path) -> Result<Blobs> {
        std::fs::create_dir_all(folder)
            .map_err(StoreError::io(format!("make blob folder {}", folder.display())))?;
        let local =
            LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true).with_fsync(true);
        Ok(Blobs { store: Arc::new(local.clone()), folder: Some(local) })
    }

    /// Writes a blob, replacing an older one; readers see the old or the new one, never a part.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<()> {
        self.store.put(&parse(key)?, PutPayload::from(bytes.into())).await?;
        Ok(())
    }

    /// Writes a blob only when there is none yet; otherwise `StoreError::AlreadyExists`.
    pub async fn put_new(&self, key: &str, bytes: impl Into<Bytes>) -> Result<()> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        self.store.put_opts(&parse(key)?, PutPayload::from(bytes.into()), options).await?;
        Ok(())
    }

    /// The whole blob; `StoreError::NotFound` when there is none.
    pub async fn get(&self, key: &str) -> Result<Bytes> {
        Ok(self.store.get(&parse(key)?).await?.bytes().await?)
    }

    /// The whole blob, or `None`.
    pub async fn find(&self, key: &str) -> Result<Option<Bytes>> {
        match self.get(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The blob piece by piece, for large files.
    pub async fn stream(
        &self,
        key: &str,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + 'static> {
        let answer = self.store.get(&parse(key)?).await?;
        Ok(answer.into_stream().map_err(StoreError::from))
    }

    /// Size in bytes; `StoreError::NotFound` when there is none.
    pub async fn size(&self, key: &str) -> Result<u64> {
        Ok(self.store.head(&parse(key)?).await?.size)
    }

    /// Deletes a blob; a missing one is no error.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&parse(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// All blobs below a folder, in the order of their keys.
    pub async fn list(&self, folder: &str) -> Result<Vec<BlobInfo>> {
        let prefix = parse(folder)?;
        let mut found: Vec<BlobInfo> = self
            .store
            .list(Some(&prefix))
            .map_ok(|meta| BlobInfo { key: meta.location.to_string(), size: meta.size })
            .try_collect()
            .await?;
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// Names of the folders directly below a folder, sorted.
    pub async fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let listing = self.store.list_with_delimiter(Some(&parse(folder)?)).await?;
        let mut names: Vec<String> = listing
            .common_prefixes
            .iter()
            .filter_map(|prefix| prefix.filename().map(str::to_owned))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Deletes everything below a folder and answers how many blobs there were.
    pub async fn delete_folder(&self, folder: &str) -> Result<usize> {
        let found = self.list(folder).await?;
        for blob in &found {
            self.delete(&blob.key).await?;
        }
        Ok(found.len())
    }

    /// A writer for a blob of unknown size (an upload). Nothing is visible before `finish`.
    pub async fn writer(&self, key: &str) -> Result<BlobWriter> {
        let upload = self.store.put_multipart(&parse(key)?).await?;
        Ok(BlobWriter { upload: WriteMultipart::new(upload), size: 0 })
    }

    /// Where the blob lies on this machine; `None` when the store is not a folder.
    pub fn local_path(&self, key: &str) -> Result<Option<PathBuf>> {
        match &self.folder {
            Some(local) => Ok(Some(local.path_to_filesystem(&parse(key)?)?)),
            None => Ok(None),
        }
    }

    /// Copies a blob into a file of this machine, for backends without `local_path`.
    pub async fn download(&self, key: &str, file: &Path) -> Result<u64> {
        use tokio::io::AsyncWriteExt;
        let named = || StoreError::io(format!("write {}", file.display()));
        let mut stream = Box::pin(self.stream(key).await?);
        let mut target = tokio::fs::File::create(file).await.map_err(named())?;
        let mut size = 0_u64;
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            size += piece.len() as u64;
            target.write_all(&piece).await.map_err(named())?;
        }
        target.flush().await.map_err(named())?;
        Ok(size)
    }
}

/// Writes one blob in pieces; see [`Blobs::writer`].
#[derive(Debug)]
pub struct BlobWriter {
    upload: WriteMultipart,
    size: u64,
}

impl BlobWriter {
    /// Adds a piece, waiting when the store is slower than the sender.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        // One part in flight bounds the memory of an upload to about two parts of 5 MiB.
        self.upload.wait_for_capacity(1).await?;
        self.size += bytes.len() as u64;
        self.upload.put(bytes);
        Ok(())
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes the blob visible and answers its size in bytes.
    pub async fn finish(self) -> Result<u64> {
        self.upload.finish().await?;
        Ok(self.size)
    }

    /// Gives up; nothing is left behind.
    pub async fn abort(self) -> Result<()> {
        Ok(self.upload.abort().await?)
    }
}

fn parse(key: &str) -> Result<Key> {
    Key::parse(key).map_err(|error| StoreError::Invalid(format!("blob key {key:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::Blobs;
    use crate::StoreError;
    use bytes::Bytes;

    #[tokio::test]
    async fn put_get_list_delete() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        blobs.put("a/b.json", "1").await.unwrap();
        blobs.put("a/b.json", "22").await.unwrap();
        assert_eq!(blobs.get("a/b.json").await.unwrap(), Bytes::from("22"));
        assert!(matches!(blobs.put_new("a/b.json", "3").await, Err(StoreError::AlreadyExists(_))));
        blobs.put_new("a/c/d", "xyz").await.unwrap();
        assert_eq!(blobs.list("a").await.unwrap().len(), 2);
        assert_eq!(blobs.folders("a").await.unwrap(), ["c"]);
        assert_eq!(blobs.size("a/c/d").await.unwrap(), 3);
        blobs.delete("a/b.json").await.unwrap();
        blobs.delete("a/b.json").await.unwrap();
        assert_eq!(blobs.find("a/b.json").await.unwrap(), None);
        assert_eq!(blobs.delete_folder("a").await.unwrap(), 1);
    }

    #[tokio::test]
    async fn keys_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        for key in ["../x", "/../x", "a/../../x", "a//b"] {
            assert!(blobs.put(key, "1").await.is_err(), "{key}");
        }
    }

    #[tokio::test]
    async fn an_upload_is_invisible_until_finished_and_an_aborted_one_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let mut writer = blobs.writer("uploads/1/0").await.unwrap();
        for _ in 0..40 {
            writer.write(Bytes::from(vec![7; 300_000])).await.unwrap();
        }
        assert!(blobs.find("uploads/1/0").await.unwrap().is_none());
        assert_eq!(writer.finish().await.unwrap(), 12_000_000);
        assert_eq!(blobs.size("uploads/1/0").await.unwrap(), 12_000_000);

        let mut writer = blobs.writer("uploads/1/1").await.unwrap();
        writer.write(Bytes::from(vec![7; 6_000_000])).await.unwrap();
        writer.abort().await.unwrap();
        assert_eq!(blobs.list("uploads").await.unwrap().len(), 1);
        let copy = folder.path().join("copy");
        assert_eq!(blobs.download("uploads/1/0", &copy).await.unwrap(), 12_000_000);
    }
}
