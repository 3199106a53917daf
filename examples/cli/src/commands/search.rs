//! `search`: stored messages that have all words of a query; no network is needed.

use tidings::{
    domain::{message::Message, search::snippet::Snippet},
    usecases::search_messages::{SearchCursor, SearchHit, SearchMessages, SearchOrder},
};

use super::shared;
use crate::{
    args::SearchArgs,
    context::{Context, conversation_id},
    failure::Failure,
    output::records::{MessageRecord, Record},
    setup::Access,
};

/// Searches.
pub(crate) async fn run(context: &Context, args: SearchArgs) -> Result<(), Failure> {
    let search = request(args)?;
    let client = context.client(Access::Store).await?;
    let page = client.search(search).await?;
    let rows: Vec<Message> = page.hits.iter().map(|hit| hit.message.clone()).collect();
    let places = shared::positions(client, &rows).await?;
    let last = page.hits.len().saturating_sub(1);
    for (at, hit) in page.hits.iter().enumerate() {
        let next = page.next.filter(|_| at == last);
        let place = places.get(&hit.message.id).copied();
        let record = line(hit, place, next.map(|cursor| cursor.encode()));
        context.out.print(&Record::Message(record));
    }
    Ok(())
}

fn request(args: SearchArgs) -> Result<SearchMessages, Failure> {
    let conversation = args.conversation.as_deref().map(conversation_id);
    Ok(SearchMessages {
        query: args.query,
        conversation: conversation.transpose()?,
        order: match args.best {
            true => SearchOrder::Best,
            false => SearchOrder::Newest,
        },
        after: args.after.as_deref().map(cursor).transpose()?,
        limit: args.limit as usize,
    })
}

fn cursor(text: &str) -> Result<SearchCursor, Failure> {
    let unreadable = || {
        let text = "this is no cursor: take the `cursor` of an earlier page's last hit";
        Failure::usage(text).field("after")
    };
    SearchCursor::decode(text).ok_or_else(unreadable)
}

fn line(hit: &SearchHit, place: Option<u64>, cursor: Option<String>) -> MessageRecord {
    let (snippet, marks) = shown(&hit.snippet);
    MessageRecord {
        snippet: Some(snippet),
        marks,
        cursor,
        ..MessageRecord::new(place, &hit.message)
    }
}

/// The snippet with dots where text was left out, and its marks counted in characters.
fn shown(snippet: &Snippet) -> (String, Vec<(usize, usize)>) {
    let dots = |cut| if cut { "…" } else { "" };
    let (before, after) = (dots(snippet.cut_before), dots(snippet.cut_after));
    let characters = |byte: usize| {
        let text = snippet.text.get(..byte).unwrap_or_default();
        text.chars().count() + usize::from(snippet.cut_before)
    };
    let marks = snippet.marks.iter();
    let marks = marks.map(|mark| (characters(mark.start), characters(mark.end)));
    (format!("{before}{}{after}", snippet.text), marks.collect())
}

#[cfg(test)]
mod tests {
    use tidings::domain::search::query::Query;

    use super::*;

    #[test]
    fn marks_are_counted_in_characters_of_what_is_shown() {
        let text = format!("{}, Nädel, {}", "ö".repeat(200), "b".repeat(200));
        let (shown, marks) = shown(&Snippet::of(&text, &Query::parse("nadel")));
        let characters: Vec<char> = shown.chars().collect();
        let [(start, end)] = marks[..] else {
            panic!("{marks:?}")
        };
        assert!(shown.starts_with('…'), "{shown}");
        assert_eq!(characters[start..end].iter().collect::<String>(), "Nädel");
    }
}
