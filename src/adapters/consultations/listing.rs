//! Listing: each status by name, because no filter means active only, and each to its end.

use crate::{
    adapters::{
        consultations::{envelope::Envelope, service::ConsultationsService, wire},
        http::{Effect, HttpReply, HttpRequest, status},
        json::Object,
    },
    domain::{
        conversation::ServerConversation,
        cursor::SyncCursor,
        ports::{ConversationPage, ListScope},
        retry::{FailureKind, ServiceError},
    },
};

/// The status that most servers do not have.
const NOT_EVERYWHERE: &str = "pending_approval";

/// Every status the server has had. One that it refuses is skipped.
const ALL: [&str; 6] = [
    "active",
    "pending",
    NOT_EVERYWHERE,
    "completed",
    "abandoned",
    "archived",
];

/// No account has more conversations of one status; a list beyond it is a loop.
const FURTHEST: usize = 100_000;

/// Where a listing goes on: which status, how far into it, and what the last page began with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    status: usize,
    offset: usize,
    began_with: String,
}

impl Place {
    fn parse(cursor: &SyncCursor) -> Option<Self> {
        let mut parts = cursor.as_str().splitn(3, ':');
        Some(Self {
            status: parts.next()?.parse().ok()?,
            offset: parts.next()?.parse().ok()?,
            began_with: parts.next()?.to_owned(),
        })
    }

    fn cursor(&self) -> SyncCursor {
        let Self {
            status,
            offset,
            began_with,
        } = self;
        SyncCursor::new(format!("{status}:{offset}:{began_with}"))
    }

    fn next_status(&self, statuses: &[&str]) -> Option<Self> {
        let status = self.status + 1;
        (status < statuses.len()).then(|| Self {
            status,
            ..Self::default()
        })
    }
}

/// A page as the server gave it.
struct Listed {
    conversations: Vec<ServerConversation>,
    returned: usize,
    skipped: usize,
    total: Option<usize>,
    more: Option<bool>,
}

impl ConsultationsService {
    pub(super) async fn list_page(
        &self,
        scope: &ListScope,
        cursor: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        let statuses: &[&str] = match scope {
            ListScope::All => &ALL,
            ListScope::Active => &["active"],
        };
        let place = cursor.map_or_else(|| Some(Place::default()), Place::parse);
        let known = place.and_then(|p| Some((*statuses.get(p.status)?, p)));
        let Some((status, place)) = known else {
            return Ok(empty(None));
        };
        match self.list_status(status, place.offset).await {
            Ok(listed) => Ok(page(listed, &place, statuses)),
            Err(error) if is_unknown_status(&error, status, place.offset) => {
                // What is stored under a status that cannot be listed may well be there still.
                let unseen = usize::from(status != NOT_EVERYWHERE);
                Ok(ConversationPage {
                    skipped: unseen,
                    ..empty(place.next_status(statuses))
                })
            }
            Err(error) => Err(error),
        }
    }

    async fn list_status(&self, status: &str, offset: usize) -> Result<Listed, ServiceError> {
        let mut url = self.collection()?;
        url.query_pairs_mut()
            .append_pair("status", status)
            .append_pair("limit", &self.config.page.to_string())
            .append_pair("offset", &offset.to_string());
        let reply = self.succeed(HttpRequest::get(url)).await?;
        listed(&reply).ok_or_else(|| status::unreadable(&reply, Effect::Read))
    }
}

/// Whether a refusal only says that this server does not have the status. Every server has active
/// conversations: where it refuses to list those, it refuses to list.
fn is_unknown_status(error: &ServiceError, status: &str, offset: usize) -> bool {
    let refused = error.status == Some(400) && error.kind == FailureKind::Invalid;
    refused && status != "active" && offset == 0
}

fn empty(next: Option<Place>) -> ConversationPage {
    ConversationPage {
        conversations: Vec::new(),
        next: next.map(|place| place.cursor()),
        skipped: 0,
    }
}

fn page(listed: Listed, place: &Place, statuses: &[&str]) -> ConversationPage {
    let next = further(&listed, place).or_else(|| place.next_status(statuses));
    ConversationPage {
        conversations: listed.conversations,
        next: next.map(|place| place.cursor()),
        skipped: listed.skipped,
    }
}

/// The next page of the same status. A page that is empty, or the same again, ends it: so does a
/// list whose server tells nothing of paging.
fn further(listed: &Listed, place: &Place) -> Option<Place> {
    let offset = place.offset + listed.returned;
    let first = listed.conversations.first();
    let began_with = first.map(|c| c.id.as_str().to_owned()).unwrap_or_default();
    let repeats = place.offset > 0 && !began_with.is_empty() && began_with == place.began_with;
    let promised = match (listed.total, listed.more) {
        (Some(total), _) => offset < total,
        (None, more) => more.unwrap_or(true),
    };
    (promised && !repeats && listed.returned > 0 && offset < FURTHEST).then_some(Place {
        status: place.status,
        offset,
        began_with,
    })
}

/// Reads a list, item by item: one that cannot be read spoils no other.
fn listed(reply: &HttpReply) -> Option<Listed> {
    let envelope = Envelope::open(&reply.body)?;
    let data = &envelope.data;
    let items = data.list(&["consultations", "conversations", "items"]);
    // A list of nobody may be written as null.
    let items = items.or_else(|| data.has("consultations").then(Default::default))?;
    let read = |raw: &&str| wire::conversation(&Object::parse(raw)?);
    let conversations: Vec<_> = items.items.iter().filter_map(read).collect();
    let nested = data.object(&["pagination"]).unwrap_or_default();
    let totals = ["total_count", "total", "totalCount"];
    Some(Listed {
        skipped: items.items.len() - conversations.len() + items.beyond,
        returned: items.items.len() + items.beyond,
        conversations,
        total: data.count(&totals).or_else(|| nested.count(&totals)),
        more: data
            .flag(&["has_more"])
            .or_else(|| nested.flag(&["has_more"])),
    })
}
