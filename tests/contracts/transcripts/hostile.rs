//! Documents that somebody has been at: an error with its code, or a conversation that is one.

use proptest::prelude::*;
use serde_json::{Value, json};
use tidings::{domain::ports::RepositoryError, usecases::document};

use super::*;
use super::{
    assert_nothing_leaves, assert_true_to_its_rows, export, filled, random, random::stored, run,
    seen,
};

/// Something that no field expects.
fn odd() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1_i64 << 60),
        json!(1_i64 << 61),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("\u{1}end"),
        json!("local:x"),
        json!("c1"),
        json!("s-1"),
        json!("queued"),
        json!("sending"),
        json!("read"),
        json!("9999-12-31T23:59:59Z"),
        json!([]),
        json!({}),
        json!([[[{}]]]),
        json!({"place": i64::MIN}),
        json!({"message": i64::MAX}),
        json!({"before": "\u{1}end"}),
    ])
}

/// The leaf, or branch, that is the `n`th of a walk through a value.
fn nth<'v>(value: &'v mut Value, n: &mut usize) -> Option<&'v mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, n)),
        Value::Object(fields) => fields.values_mut().find_map(|field| nth(field, n)),
        _ => None,
    }
}

fn swapped(text: &str, mut at: usize, with: Value) -> String {
    let mut value: Value = serde_json::from_str(text).expect("a document");
    let size = count(&value);
    at %= size;
    if let Some(found) = nth(&mut value, &mut at) {
        *found = with;
    }
    value.to_string()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// A message of the list once more, at another place of it.
fn repeated(text: &str, from: usize, to: usize) -> String {
    let mut value: Value = serde_json::from_str(text).expect("a document");
    if let Some(list) = value["messages"].as_array_mut()
        && !list.is_empty()
    {
        let row = list[from % list.len()].clone();
        list.insert(to % list.len(), row);
    }
    value.to_string()
}

fn cut(text: &str, at: usize) -> String {
    let mut at = at % text.len();
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.get(..at).unwrap_or_default().to_owned()
}

fn flipped(text: &str, at: usize, bits: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = at % bytes.len();
    bytes[at] ^= bits.max(1);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Read, and stored where it can be read: all of it or nothing, and the store is a store after it.
async fn survives(store: &Store, text: &str) {
    let before = seen(store).await;
    let read = match document::read(text) {
        Ok(read) => read,
        Err(error) => {
            let code = error.code().to_owned();
            assert!(
                ["import.malformed", "import.version"].contains(&code.as_str()),
                "{code}"
            );
            assert_eq!(before, seen(store).await);
            return;
        }
    };
    let id = read.conversation.id.clone();
    let job = move |rows: &mut dyn Rows| restore(rows, read, NOW);
    let done = store.transact(Durability::Normal, job).await;
    assert!(
        !matches!(done, Err(RepositoryError::Internal(_))),
        "{done:?}"
    );
    let waiting = |seen: &Seen| seen.outbox.iter().filter(|entry| entry.blocks()).count();
    assert_eq!(
        waiting(&before),
        waiting(&seen(store).await),
        "something waits to leave"
    );
    random::assert_no_doubles(&seen(store).await.rows);
    let again = store.view(move |rows| transcript::take(rows, &id)).await;
    let again = again.expect("a view").expect("the conversation");
    document::read(&document::write(again).expect("a document")).expect("it reads");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn f36_a_document_with_odd_values_is_refused_or_stored_whole(
        whole in stored(),
        kept in prop::collection::vec(any::<bool>(), random::MOST),
        (at, with) in (any::<usize>(), odd()),
        (from, to) in (any::<usize>(), any::<usize>()),
    ) {
        run(async {
            let text = export(&filled(&whole).await).await;
            for text in [swapped(&text, at, with.clone()), repeated(&text, from, to)] {
                let part = filled(&whole.part(&kept, &[])).await;
                survives(&part, &text).await;
                let home = tempfile::tempdir().expect("a directory");
                let fresh = sqlite(&home);
                if let Ok(read) = document::read(&text)
                    && read.conversation.id == chat()
                {
                    import(&fresh, &text).await.expect("stored");
                    assert_nothing_leaves(&fresh).await;
                    assert_true_to_its_rows(&fresh).await;
                }
                fresh.close().await;
            }
        });
    }

    #[test]
    fn f37_a_document_cut_or_flipped_is_refused_or_stored_whole(
        whole in stored(),
        at in any::<usize>(),
        bits in any::<u8>(),
    ) {
        run(async {
            let store = filled(&whole).await;
            let text = export(&store).await;
            prop_assert!(document::read(&cut(&text, at)).is_err());
            survives(&store, &flipped(&text, at, bits)).await;
            Ok(())
        })?;
    }
}

#[test]
fn f37_what_is_too_large_too_deep_too_many_or_of_a_later_version_has_its_own_code() {
    let code = |text: &str| document::read(text).expect_err("refused").code().to_owned();
    let whole = |rest: &str| format!(r#"{{"format":"tidings.conversation",{rest}}}"#);
    assert_eq!(code(&" ".repeat(document::LONGEST + 1)), "import.too_large");
    assert_eq!(code(&whole(r#""version":2"#)), "import.version");
    for bad in ["", "[", "null", "[]", "{}", "7", "\u{feff}{}"] {
        assert_eq!(code(bad), "import.malformed", "{bad}");
    }
    let deep = format!("{}{}", "[".repeat(300_000), "]".repeat(300_000));
    let chat = r#""conversation":{"id":"c1","local":{},"server":{}}"#;
    let unknown = whole(&format!(
        r#""version":1,"messages":[],{chat},"later":{deep}"#
    ));
    assert!(
        document::read(&unknown).is_ok(),
        "unknown fields are passed over"
    );
    let known = whole(&format!(r#""version":1,{chat},"messages":{deep}"#));
    assert_eq!(code(&known), "import.malformed");
    let row = |n: u32| {
        let id = samples::key(n);
        format!(r#"{{"id":"{id}","role":"user","text":"","state":"sent"}}"#)
    };
    let many = u32::try_from(document::MOST_MESSAGES).expect("a number") + 1;
    let rows: Vec<_> = (0..many).map(row).collect();
    let many = whole(&format!(
        r#""version":1,{chat},"messages":[{}]"#,
        rows.join(",")
    ));
    assert_eq!(code(&many), "import.malformed");
}

#[test]
fn inv20_what_is_wrong_is_told_without_any_words_of_the_document() {
    let secret = "the words of a message";
    for spoiled in [
        format!(r#"{{"format":"tidings.conversation","version":"{secret}"}}"#),
        format!(r#"{{"format":"{secret}","version":1}}"#),
        format!(r#"{{"format":"tidings.conversation","version":1,"conversation":"{secret}"}}"#),
        format!(r#"{{"{secret}"#),
    ] {
        let error = document::read(&spoiled).expect_err("refused");
        let told = format!("{error} {error:?}");
        assert!(!told.contains("words"), "{told}");
    }
}
