//! One round: a life, its end, a damage, and what must be there afterwards.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    domain::{
        ports::{ChatRepository, Durability, RepositoryError},
        rules::salvage,
    },
    engine::draw::Draw,
};

use crate::{
    damage::{self, Kind, Part, below},
    life,
    promised::{self, Promised, read_everything},
};

type Store = Arc<dyn ChatRepository>;

/// What a round met.
pub(crate) struct Met {
    part: Part,
    kind: Kind,
    told: bool,
}

/// What all rounds met.
#[derive(Default)]
pub(crate) struct Sums(BTreeMap<(Part, Kind), (u64, u64)>);

impl Sums {
    pub(crate) fn add(&mut self, met: Met) {
        let sum = self.0.entry((met.part, met.kind)).or_default();
        sum.0 += 1;
        sum.1 += u64::from(met.told);
    }

    pub(crate) fn print(&self) {
        println!(
            "{:<10} {:<10} {:>7} {:>9}",
            "file", "damage", "rounds", "salvaged"
        );
        for ((part, kind), (rounds, told)) in &self.0 {
            let (part, kind) = (format!("{part:?}"), format!("{kind:?}"));
            println!("{part:<10} {kind:<10} {rounds:>7} {told:>9}");
        }
    }

    /// Kinds of damage that no round met, or after which nothing ever had to be saved.
    pub(crate) fn unmet(&self) -> Vec<String> {
        let parts = [Part::Database, Part::Log, Part::Spare];
        let kinds = [
            Kind::Blank,
            Kind::Noise,
            Kind::Misplaced,
            Kind::Flipped,
            Kind::Cut,
        ];
        let all = parts
            .into_iter()
            .flat_map(|part| kinds.map(|kind| (part, kind)));
        let met = |key: &(Part, Kind)| {
            let (rounds, told) = self.0.get(key).copied().unwrap_or_default();
            rounds > 0 && (told > 0 || key.0 == Part::Spare)
        };
        let unmet = all.filter(|key| !met(key));
        unmet.map(|key| format!("{key:?}")).collect()
    }
}

pub(crate) fn run(seed: u64) -> Result<Met, String> {
    let draw = &mut Draw::new(seed);
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("chat.db");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let promised = runtime.block_on(live(draw, &store));
    let (part, kind) = damage::inflict(draw, &store);
    let told = runtime
        .block_on(judge(&store, &promised))
        .map_err(|complaint| format!("{complaint} ({kind:?} in the {part:?})"))?;
    if part == Part::Spare && told {
        return Err("the database was whole, and the app was told otherwise".to_owned());
    }
    Ok(Met { part, kind, told })
}

fn options(path: &Path) -> SqliteOptions {
    SqliteOptions {
        executor: Executor::Inline,
        ..SqliteOptions::new(path)
    }
}

/// Lives a while; the end is a close, or a kill that leaves the log as it is.
async fn live(draw: &mut Draw, path: &Path) -> Promised {
    let lives = 1 + below(draw, 2);
    let mut promised = Promised::default();
    for life in 0..lives {
        let store: Store = SqliteRepository::open(options(path)).unwrap();
        for step in 0..20 + below(draw, 60) {
            let number = u32::try_from(life * 1_000 + step).unwrap();
            life::act(draw, &store, number).await;
        }
        promised = promised::look(&store).await.unwrap();
        if life + 1 < lives || below(draw, 3) == 0 {
            store.close().await;
        } else {
            killed(path, store).await;
        }
    }
    promised
}

/// Puts the files as they were at the kill: a close would fold the log in.
async fn killed(path: &Path, store: Store) {
    let parts = [Part::Database, Part::Log, Part::Spare].map(|part| damage::file(path, part));
    let bytes = parts.clone().map(|file| std::fs::read(file).unwrap());
    store.close().await;
    for (file, bytes) in parts.iter().zip(bytes) {
        std::fs::write(file, bytes).unwrap();
    }
}

/// Opens, uses and closes the store as an app would; then looks at what is left.
async fn judge(path: &Path, promised: &Promised) -> Result<bool, String> {
    let failed = |error: RepositoryError| error.to_string();
    let sqlite = SqliteRepository::open(options(path)).map_err(|e| format!("open: {e}"))?;
    let store: Store = sqlite.clone();
    // Whatever is damaged is met here: told once, and found whole at the next call.
    let mut met = match store.view(read_everything).await {
        Ok(()) => 0,
        Err(RepositoryError::Corrupt) => 1,
        Err(error) => return Err(format!("not to be read: {error}")),
    };
    while let Err(error) = sqlite.verify().await {
        met += 1;
        if error != RepositoryError::Corrupt || met > 1 {
            return Err(format!("still not whole: {error}"));
        }
    }
    store
        .view(read_everything)
        .await
        .map_err(|error| format!("not to be read yet: {error}"))?;
    promised::check(&store, promised).await?;
    let told = words(&store).await?;
    if words(&store).await? {
        return Err("told twice".to_owned());
    }
    store.close().await;
    let kept = files(path, ".damaged-")
        .filter(|name| !name.contains("-wal"))
        .count();
    if kept > 1 || (kept == 1 && !told) {
        return Err(format!("{kept} files moved aside, told: {told}"));
    }
    let again: Store = SqliteRepository::open(options(path)).map_err(failed)?;
    promised::check(&again, promised).await?;
    if words(&again).await? {
        return Err("told again at the next start".to_owned());
    }
    life::goes_on(&again).await?;
    again.close().await;
    Ok(told)
}

fn files<'a>(path: &Path, part: &'a str) -> impl Iterator<Item = String> + use<'a> {
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(move |name| name.contains(part) && !name.ends_with("-shm"))
}

/// Takes the word that was left for the app, as the client does.
async fn words(store: &Store) -> Result<bool, String> {
    let take = store.transact(Durability::Normal, |rows| {
        let word = salvage::word(rows)?;
        salvage::told(rows)?;
        Ok(word)
    });
    match take.await.map_err(|error| error.to_string())? {
        Some(word) if word.lost > 0 => Err(format!("{} actions lost", word.lost)),
        word => Ok(word.is_some()),
    }
}
