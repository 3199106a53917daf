//! `search`: stored messages that contain a text, newest first; no network is needed.

use tidings::domain::message::Message;

use super::shared;
use crate::{
    context::Context,
    failure::Failure,
    output::records::{MessageRecord, Record},
    setup::Access,
};

/// Characters shown before and behind a match.
const AROUND: usize = 40;

/// Searches.
pub(crate) async fn run(context: &Context, query: String, limit: usize) -> Result<(), Failure> {
    let client = context.client(Access::Store).await?;
    let found = client.search(query.clone(), limit).await?;
    let places = shared::positions(client, &found).await?;
    for row in &found {
        let place = places.get(&row.id).copied();
        context
            .out
            .print(&Record::Message(line(row, place, &query)));
    }
    Ok(())
}

fn line(row: &Message, place: Option<u64>, query: &str) -> MessageRecord {
    MessageRecord {
        snippet: Some(snippet(&row.text, query)),
        ..MessageRecord::new(place, row)
    }
}

/// The match with what stands around it.
fn snippet(text: &str, query: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let wanted: Vec<char> = query.trim().chars().flat_map(char::to_lowercase).collect();
    let folded: Vec<char> = chars
        .iter()
        .map(|c| c.to_lowercase().next().unwrap_or(*c))
        .collect();
    let width = wanted.len().max(1);
    let at = folded.windows(width).position(|window| window == wanted);
    let at = at.unwrap_or(0);
    let start = at.saturating_sub(AROUND);
    let end = (at + width + AROUND).min(chars.len());
    let inner: String = chars.get(start..end).unwrap_or(&[]).iter().collect();
    let open = if start > 0 { "…" } else { "" };
    let close = if end < chars.len() { "…" } else { "" };
    format!("{open}{inner}{close}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_the_match_with_what_stands_around_it() {
        let long = format!("{}Needle{}", "a".repeat(100), "b".repeat(100));
        let shown = snippet(&long, "nEEdle");
        assert_eq!(
            shown,
            format!("…{}Needle{}…", "a".repeat(40), "b".repeat(40))
        );
        assert_eq!(snippet("short", "or"), "short");
        assert_eq!(snippet("", "x"), "");
        assert_eq!(snippet("🦀🦀", "🦀🦀🦀"), "🦀🦀");
    }
}
