//! The store: in memory, in SQLite on its own threads, in SQLite on the caller, and in SQLite with
//! nothing left for the index to catch up with.

use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    testing::repository_contract::Fixture,
};

mod memory {
    use std::sync::Arc;

    use tidings::{adapters::memory::MemoryRepository, testing::repository_contract::Fixture};

    fn make() -> Fixture {
        Fixture::new(Arc::new(MemoryRepository::new()))
    }

    tidings::repository_contract!(make);
}

mod sqlite_thread {
    use super::{Executor, Fixture};

    fn make() -> Fixture {
        super::sqlite(Executor::Thread)
    }

    tidings::repository_contract!(make);
}

mod sqlite_inline {
    use super::{Executor, Fixture};

    fn make() -> Fixture {
        super::sqlite(Executor::Inline)
    }

    tidings::repository_contract!(make);
}

mod sqlite_indexed {
    use super::{Executor, Fixture, SqliteRepository};

    fn make() -> Fixture {
        super::sqlite_with(Executor::Inline, SqliteRepository::index_at_once)
    }

    tidings::repository_contract!(make);
}

fn sqlite(executor: Executor) -> Fixture {
    sqlite_with(executor, |_| ())
}

fn sqlite_with(executor: Executor, set: impl FnOnce(&SqliteRepository)) -> Fixture {
    let home = tempfile::tempdir().expect("a directory");
    let options = SqliteOptions {
        executor,
        ..SqliteOptions::new(home.path().join("chat.db"))
    };
    let store = SqliteRepository::open(options).expect("a store");
    set(&store);
    Fixture::with(store, home)
}
