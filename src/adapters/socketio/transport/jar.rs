//! The cookies of one session by requests: by them a balancer knows on which node it is.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use http::header::{COOKIE, HeaderMap, HeaderValue};

use crate::adapters::http::HttpReply;

/// Balancers set one or two.
const MOST: usize = 20;

/// The longest cookie that browsers keep.
const LONGEST: usize = 4096;

/// Gone with the session. What else a cookie says of itself, where it is for and until when, means
/// nothing between one session and one address.
#[derive(Default)]
pub(super) struct Jar(Mutex<BTreeMap<String, String>>);

/// Prints no cookie.
impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jar")
    }
}

impl Jar {
    /// Keeps what a reply sets; a name again replaces what it had.
    pub(super) fn take(&self, reply: &HttpReply) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for cookie in reply
            .cookies
            .iter()
            .filter(|cookie| cookie.len() <= LONGEST)
        {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let name = name.trim();
            if kept.len() < MOST || kept.contains_key(name) {
                kept.insert(name.to_owned(), value.trim().to_owned());
            }
        }
    }

    /// Puts them on a request.
    pub(super) fn put(&self, headers: &mut HeaderMap) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = kept.iter().map(|(name, value)| format!("{name}={value}"));
        let all = pairs.collect::<Vec<_>>().join("; ");
        if let Ok(mut value) = HeaderValue::from_str(&all)
            && !all.is_empty()
        {
            value.set_sensitive(true);
            headers.insert(COOKIE, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(jar: &Jar) -> Option<String> {
        let mut headers = HeaderMap::new();
        jar.put(&mut headers);
        let value = headers.get(COOKIE)?;
        assert!(value.is_sensitive());
        Some(value.to_str().expect("text").to_owned())
    }

    fn reply(cookies: &[&str]) -> HttpReply {
        HttpReply {
            cookies: cookies.iter().map(|&cookie| cookie.to_owned()).collect(),
            ..HttpReply::default()
        }
    }

    #[test]
    fn cookies_are_kept_by_name_and_given_back_without_their_attributes() {
        let jar = Jar::default();
        assert_eq!(shown(&jar), None);
        jar.take(&reply(&["node=a; Path=/; HttpOnly", "odd", "b=1"]));
        assert_eq!(shown(&jar).as_deref(), Some("b=1; node=a"));
        jar.take(&reply(&["node=c"]));
        assert_eq!(shown(&jar).as_deref(), Some("b=1; node=c"));
    }

    #[test]
    fn what_a_server_may_make_us_keep_is_bounded() {
        let jar = Jar::default();
        let long = format!("long={}", "x".repeat(LONGEST));
        let many: Vec<String> = (0..100).map(|number| format!("c{number}=1")).collect();
        let all: Vec<&str> = many
            .iter()
            .map(String::as_str)
            .chain([long.as_str()])
            .collect();
        jar.take(&reply(&all));
        assert_eq!(shown(&jar).expect("cookies").split("; ").count(), MOST);
        jar.take(&reply(&["c0=a\nb"]));
        assert_eq!(shown(&jar), None, "what no header can hold is not sent");
    }
}
