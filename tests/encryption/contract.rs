//! An encrypted store is a store like any other.

use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    testing::repository_contract::Fixture,
};

mod on_threads {
    use super::{Executor, Fixture};

    fn make() -> Fixture {
        super::encrypted(Executor::Thread)
    }

    tidings::repository_contract!(make);
}

mod inline {
    use super::{Executor, Fixture};

    fn make() -> Fixture {
        super::encrypted(Executor::Inline)
    }

    tidings::repository_contract!(make);
}

fn encrypted(executor: Executor) -> Fixture {
    let home = tempfile::tempdir().expect("a directory");
    let options = SqliteOptions {
        executor,
        ..crate::options(&home.path().join("chat.db"), &crate::keys(1))
    };
    let store = SqliteRepository::open(options).expect("a store");
    store.index_at_once();
    Fixture::with(store, home)
}
