//! What is read from a token: when it says it expires, and whom it says it is for. Nothing is
//! verified, nothing trusted.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use crate::domain::{ports::Token, time::WallTime};

/// Longer tokens are not looked into.
const MAX_TOKEN: usize = 16 * 1024;

#[derive(Deserialize)]
struct Claims {
    exp: serde_json::Number,
}

/// When the token expires by its own word; `None` for anything that is not a JWT with an `exp`.
#[must_use]
pub fn expiry(token: &Token) -> Option<WallTime> {
    let claims: Claims = serde_json::from_str(&payload(token)?).ok()?;
    seconds(&claims.exp).map(|at| WallTime::from_millis(at.saturating_mul(1000)))
}

/// What the token says under this name, where that is text.
#[must_use]
pub fn claim(token: &Token, name: &str) -> Option<String> {
    let claims: serde_json::Value = serde_json::from_str(&payload(token)?).ok()?;
    Some(claims.get(name)?.as_str()?.to_owned())
}

/// As text: of two readers of JSON, one for bytes and one for text, the app carries one.
fn payload(token: &Token) -> Option<String> {
    let text = token.expose();
    if text.len() > MAX_TOKEN {
        return None;
    }
    let payload = text.split('.').nth(1)?.trim_end_matches('=');
    let bytes = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Some issuers write a fraction.
fn seconds(number: &serde_json::Number) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    let whole = |float: f64| float as i64;
    number.as_i64().or_else(|| number.as_f64().map(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> Token {
        Token::new(format!(
            "e30.{}.sig",
            BASE64URL_NOPAD.encode(claims.as_bytes())
        ))
    }

    #[test]
    fn l53_expiry_is_read_from_an_unpadded_base64url_payload() {
        let expected = Some(WallTime::from_millis(1_763_629_200_000));
        assert_eq!(expiry(&jwt(r#"{"exp":1763629200}"#)), expected);
        assert_eq!(
            expiry(&jwt(r#"{"sub":"é?>","exp":1763629200.0}"#)),
            expected
        );
    }

    #[test]
    fn a_claim_is_read_where_it_is_text() {
        let token = jwt(r#"{"userId":"u1","exp":1}"#);
        assert_eq!(claim(&token, "userId").as_deref(), Some("u1"));
        assert_eq!(claim(&token, "exp"), None);
        assert_eq!(claim(&Token::new("opaque"), "userId"), None);
    }

    #[test]
    fn l53_a_token_that_is_no_jwt_has_no_expiry() {
        for other in ["", "opaque", "a.b.c", "..", "a.e30.c"] {
            assert_eq!(expiry(&Token::new(other)), None, "{other}");
        }
        assert_eq!(expiry(&jwt(r#"{"exp":"soon"}"#)), None);
        let vast = jwt(r#"{"exp":1e300}"#);
        assert_eq!(expiry(&vast), Some(WallTime::from_millis(i64::MAX)));
    }
}
