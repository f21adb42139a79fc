//! A SQLite file of one test's own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use tempfile::TempDir;
use tokio::sync::Mutex;

/// The files that were prepared in this process, by key. Their bytes, and not
/// their folders, because nothing would remove those: a static is never dropped.
static PREPARED: LazyLock<Mutex<HashMap<String, Arc<[u8]>>>> = LazyLock::new(Mutex::default);

/// A SQLite database in a temporary folder; dropping it removes the folder.
#[derive(Debug)]
pub struct ScratchSqlite {
    path: PathBuf,
    url: String,
    /// Last, so that nothing above outlives it.
    _folder: TempDir,
}

impl ScratchSqlite {
    /// Makes a place for a database. The file itself appears when something
    /// connects to it.
    ///
    /// # Panics
    ///
    /// Panics if there is no temporary folder.
    pub fn create() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("roadstead-sqlite-")
            .tempdir()
            .expect("a temporary folder can be made");
        let path = folder.path().join("test.db");
        let url = format!("sqlite://{}", path.display());
        Self {
            path,
            url,
            _folder: folder,
        }
    }

    /// Copies a database that `prepare` has filled, once per process and key.
    ///
    /// # Panics
    ///
    /// Panics if `prepare` does, or if it is still connected when it returns:
    /// the copy would lack what stands in the write-ahead log.
    pub async fn create_prepared<F, R>(key: &str, prepare: F) -> Self
    where
        F: FnOnce(String) -> R,
        R: Future<Output = ()>,
    {
        let mut prepared = PREPARED.lock().await;
        let bytes = match prepared.get(key) {
            Some(bytes) => Arc::clone(bytes),
            None => {
                let template = Self::create();
                prepare(template.url.clone()).await;
                let bytes: Arc<[u8]> = template.read().into();
                prepared.insert(key.to_owned(), Arc::clone(&bytes));
                bytes
            }
        };
        drop(prepared);
        let scratch = Self::create();
        std::fs::write(&scratch.path, bytes).expect("a prepared file can be copied");
        scratch
    }

    fn read(&self) -> Vec<u8> {
        let log = self.path.with_extension("db-wal");
        let pending = std::fs::metadata(&log).map_or(0, |it| it.len());
        assert_eq!(pending, 0, "`prepare` has to disconnect before it returns");
        std::fs::read(&self.path).expect("`prepare` has made the file")
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the URL, `sqlite://` and the path.
    pub fn url(&self) -> &str {
        &self.url
    }
}
