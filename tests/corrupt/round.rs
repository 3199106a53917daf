//! One round: a life, its end, a damage, and what must be there afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    domain::{
        conversation::{Conversation, ServerConversation},
        ids::{ClientMessageId, ConversationId},
        message::Message,
        outbox::SendMode,
        ports::{
            ChatRepository, Durability, RepositoryError, Rows,
            chat_repository::{ConversationFilter, RowResult},
        },
        rules::{accept, conversations, salvage, user},
        time::WallTime,
    },
    engine::draw::Draw,
    testing::repository_contract::samples,
};

use crate::damage::{self, Kind, Part, below, pick};

type Store = Arc<dyn ChatRepository>;

/// What must survive: text by key, draft by conversation.
#[derive(Default)]
struct Promised {
    unsent: BTreeMap<ClientMessageId, String>,
    drafts: BTreeMap<ConversationId, String>,
    /// Taken back by the user: must not come again.
    taken_back: BTreeSet<ClientMessageId>,
}

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
    let mut promised = Promised::default();
    let lives = 1 + below(draw, 2);
    for life in 0..lives {
        let store: Store = SqliteRepository::open(options(path)).unwrap();
        for step in 0..20 + below(draw, 60) {
            let number = u32::try_from(life * 1_000 + step).unwrap();
            act(draw, &store, number, &mut promised).await;
        }
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

async fn act(draw: &mut Draw, store: &Store, number: u32, promised: &mut Promised) {
    let conversation = samples::conversation_id(&format!("c{}", below(draw, 4)));
    let size = pick(draw, &[10, 80, 400, 6_000]);
    let text = format!("{number} {}", "wörds 🦀 ".repeat(size / 10));
    match below(draw, 10) {
        0..=4 => {
            let id = samples::key(number);
            let request = accept_of(id, &conversation, &text);
            write(store, Durability::Full, move |rows| {
                accept::accept(rows, request)
            })
            .await;
            promised.unsent.insert(id, text);
        }
        5 | 6 => {
            let id = conversation.clone();
            let draft = (below(draw, 4) > 0).then_some(text);
            match &draft {
                Some(draft) => promised.drafts.insert(id.clone(), draft.clone()),
                None => promised.drafts.remove(&id),
            };
            write(store, Durability::Normal, move |rows| {
                set_draft(rows, &id, draft)
            })
            .await;
        }
        7 => {
            if let Some((id, _)) = promised.unsent.pop_first() {
                let now = WallTime::from_millis(1);
                write(store, Durability::Normal, move |rows| {
                    user::cancel(rows, id, now)
                })
                .await;
                promised.taken_back.insert(id);
            }
        }
        // History, which the server has.
        _ => {
            let row = Message {
                text,
                ..samples::message(conversation.as_str(), 500_000 + number)
            };
            write(store, Durability::Normal, move |rows| history(rows, &row)).await;
        }
    }
}

fn accept_of(id: ClientMessageId, conversation: &ConversationId, text: &str) -> accept::Accept {
    accept::Accept {
        id,
        conversation: conversation.clone(),
        text: text.to_owned(),
        mode: SendMode::Durable,
        now: WallTime::from_millis(1),
        expiry: Duration::from_secs(3_600),
    }
}

fn set_draft(rows: &mut dyn Rows, id: &ConversationId, draft: Option<String>) -> RowResult<()> {
    if rows.conversation(id)?.is_none() {
        rows.put_conversation(&Conversation::new(ServerConversation::bare(id.clone())))?;
    }
    conversations::overlay(rows, id, |row| row.draft = draft).map(drop)
}

fn history(rows: &mut dyn Rows, message: &Message) -> RowResult<()> {
    if rows.conversation(&message.conversation)?.is_none() {
        let id = message.conversation.clone();
        rows.put_conversation(&Conversation::new(ServerConversation::bare(id)))?;
    }
    rows.insert_message(message)
}

async fn write<T: Send + 'static>(
    store: &Store,
    durability: Durability,
    job: impl FnOnce(&mut dyn Rows) -> RowResult<T> + Send + 'static,
) {
    store.transact(durability, job).await.unwrap();
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
    check(&store, promised).await?;
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
    check(&again, promised).await?;
    if words(&again).await? {
        return Err("told again at the next start".to_owned());
    }
    goes_on(&again).await?;
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
        Ok(word.is_some())
    });
    take.await.map_err(|error| error.to_string())
}

const ALL: ConversationFilter = ConversationFilter {
    include_archived: true,
    limit: 0,
};

fn read_everything(rows: &mut dyn Rows) -> RowResult<()> {
    for conversation in rows.conversations(ALL)? {
        for message in rows.page(&conversation.id, None, usize::MAX, true)? {
            rows.message(message.id)?;
            rows.outbox_entry(message.id)?;
            rows.journal_of(message.id)?;
        }
    }
    rows.outbox_heads()?;
    rows.outbox(None)?;
    rows.journal_after(0, usize::MAX).map(drop)
}

async fn check(store: &Store, promised: &Promised) -> Result<(), String> {
    let found = store.view(|rows| {
        let mut unsent = Vec::new();
        for entry in rows.outbox(None)? {
            let row = rows.message(entry.message)?;
            unsent.push((entry, row));
        }
        Ok((unsent, rows.conversations(ALL)?))
    });
    let (unsent, conversations) = found.await.map_err(|error| error.to_string())?;
    for (entry, row) in &unsent {
        let row = row.as_ref().ok_or("an entry without its row")?;
        if row.text != entry.text || row.state != entry.state {
            return Err("entry and row differ".to_owned());
        }
        if promised.taken_back.contains(&entry.message) {
            return Err("a message that was taken back is queued again".to_owned());
        }
    }
    let texts: BTreeMap<_, _> = unsent
        .iter()
        .map(|(entry, _)| (entry.message, entry.text.clone()))
        .collect();
    if texts != promised.unsent {
        let lost = promised
            .unsent
            .iter()
            .filter(|(id, text)| texts.get(id) != Some(text));
        let (lost, of) = (lost.count(), promised.unsent.len());
        return Err(format!(
            "{lost} of {of} unsent messages lost, {} there",
            texts.len()
        ));
    }
    let drafts = conversations.into_iter();
    let drafts: BTreeMap<_, _> = drafts
        .filter_map(|row| Some((row.id, row.draft?)))
        .collect();
    if drafts != promised.drafts {
        return Err(format!(
            "{} drafts of {}",
            drafts.len(),
            promised.drafts.len()
        ));
    }
    Ok(())
}

/// The store takes and keeps messages as any other.
async fn goes_on(store: &Store) -> Result<(), String> {
    let (id, conversation) = (samples::key(900_000), samples::conversation_id("c0"));
    let request = accept_of(id, &conversation, "afterwards");
    let taken = store.transact(Durability::Full, move |rows| accept::accept(rows, request));
    taken.await.map_err(|error| error.to_string())?;
    let entries = store.view(|rows| rows.outbox(None)).await;
    let entries = entries.map_err(|error| error.to_string())?;
    match entries.last() {
        Some(last) if last.message == id => Ok(()),
        _ => Err("a new message does not come last".to_owned()),
    }
}
