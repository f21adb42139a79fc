//! One test, two databases.

use std::fmt;

use crate::{ScratchPostgres, ScratchSqlite};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// The server.
    Postgres,
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A database of one test's own; it is gone when the value is dropped.
#[derive(Debug)]
pub enum Scratch {
    /// A file in a folder of its own.
    Sqlite(ScratchSqlite),
    /// A database in the server that the tests were given.
    Postgres(ScratchPostgres),
}

impl Scratch {
    /// Makes an empty database.
    ///
    /// # Panics
    ///
    /// Panics as [`ScratchSqlite::create`] and [`ScratchPostgres::create`] do.
    pub async fn create(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::Sqlite(ScratchSqlite::create()),
            Backend::Postgres => Self::Postgres(ScratchPostgres::create().await),
        }
    }

    /// Makes a copy of a database that `prepare` has filled, once per key.
    ///
    /// # Panics
    ///
    /// Panics as [`ScratchSqlite::create_prepared`] and
    /// [`ScratchPostgres::create_prepared`] do.
    pub async fn create_prepared<F, R>(backend: Backend, key: &str, prepare: F) -> Self
    where
        F: FnOnce(String) -> R,
        R: Future<Output = ()>,
    {
        match backend {
            Backend::Sqlite => Self::Sqlite(ScratchSqlite::create_prepared(key, prepare).await),
            Backend::Postgres => {
                Self::Postgres(ScratchPostgres::create_prepared(key, prepare).await)
            }
        }
    }

    /// Returns the URL to connect to.
    pub fn url(&self) -> &str {
        match self {
            Self::Sqlite(it) => it.url(),
            Self::Postgres(it) => it.url(),
        }
    }

    /// Returns which database it is, for the few tests that must know.
    pub fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }
}

/// Runs a test's future on a runtime of its own, with two workers.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts")
        .block_on(future)
}

/// Makes two tests of each function: `name::sqlite` and `name::postgres`.
///
/// Each gets an empty database of its own. With `prepared(key, prepare);` first,
/// it gets a copy of one that `async fn prepare(url: String)` has filled once
/// for this key; `prepare` has to have disconnected when it returns.
#[macro_export]
macro_rules! on_both_databases {
    (prepared($key:expr, $prepare:expr); $($tests:tt)*) => {
        $crate::on_both_databases! { @tests [$key, $prepare] $($tests)* }
    };
    (@tests [$($prepared:tt)*]) => {};
    (@tests [$($prepared:tt)*]
        $(#[$attribute:meta])*
        async fn $name:ident($database:ident: $kind:ty) $body:block
        $($rest:tt)*
    ) => {
        async fn $name(backend: $crate::Backend) {
            $(#[$attribute])*
            async fn test($database: $kind) $body

            let scratch = $crate::on_both_databases!(@scratch backend, [$($prepared)*]);
            test(&scratch).await;
        }

        mod $name {
            #[test]
            fn sqlite() {
                $crate::block_on(super::$name($crate::Backend::Sqlite));
            }

            #[test]
            fn postgres() {
                if $crate::ScratchPostgres::is_left_out(concat!(module_path!(), "::postgres")) {
                    return;
                }
                $crate::block_on(super::$name($crate::Backend::Postgres));
            }
        }

        $crate::on_both_databases! { @tests [$($prepared)*] $($rest)* }
    };
    (@scratch $backend:ident, []) => {
        $crate::Scratch::create($backend).await
    };
    (@scratch $backend:ident, [$key:expr, $prepare:expr]) => {
        $crate::Scratch::create_prepared($backend, $key, $prepare).await
    };
    ($($tests:tt)+) => {
        $crate::on_both_databases! { @tests [] $($tests)+ }
    };
}
