//! The built-in coach: friendly, deterministic, and it repeats what it was told, so that a test can
//! tell whose answer it sees.

use super::Prompt;

/// Longest part of the user's text that an answer repeats.
const ECHO_CHARS: usize = 200;

/// The answer to a message. The same message always gets the same answer.
///
/// `short` in the message asks for one word or two, `long` for a long one.
pub(super) fn answer(prompt: &Prompt) -> String {
    let text = prompt.text.trim();
    let echo: String = text.chars().take(ECHO_CHARS).collect();
    let wants = |word: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .any(|given| given.eq_ignore_ascii_case(word))
    };
    if wants("short") {
        format!("Got it: {echo}")
    } else if wants("long") {
        long(&echo)
    } else {
        friendly(&echo)
    }
}

fn friendly(echo: &str) -> String {
    let closings = [
        "Small steps count. What would make tomorrow a little easier?",
        "Thank you for telling me. Shall we make a plan for it together?",
        "That is a good thing to notice. How did it feel?",
        "Let us keep it simple: pick one thing and do it today.",
    ];
    let choice = echo.chars().count() % closings.len();
    format!(
        "You said \"{echo}\". {}",
        closings.get(choice).copied().unwrap_or_default()
    )
}

fn long(echo: &str) -> String {
    let mut text = format!("You said \"{echo}\". Here is a longer plan. ");
    for step in 1..=20 {
        text.push_str(&format!(
            "Step {step}: keep it small, write it down, and look back at it in the evening. "
        ));
    }
    text.push_str("That is all for now.");
    text
}

#[cfg(test)]
mod tests {
    use super::{Prompt, answer};

    fn ask(text: &str) -> String {
        answer(&Prompt {
            text: text.to_owned(),
            history: Vec::new(),
        })
    }

    #[test]
    fn the_answer_repeats_the_question() {
        assert!(ask("ping 42").contains("ping 42"));
        assert!(ask("something short 7").contains("7"));
    }

    #[test]
    fn the_same_question_gets_the_same_answer() {
        assert_eq!(ask("hello"), ask("hello"));
    }

    #[test]
    fn a_long_answer_is_long_and_a_short_one_short() {
        assert!(ask("a long one please").split_whitespace().count() > 200);
        assert!(ask("short").split_whitespace().count() < 5);
    }
}
