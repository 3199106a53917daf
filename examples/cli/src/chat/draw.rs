//! The screen, drawn from the state alone.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Position, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Borders, List, ListItem, Paragraph},
};
use tidings::domain::{
    connection::Light,
    delivery::DeliveryState,
    message::{Completeness, Message, Role},
};

use super::{
    app::{App, Focus},
    wrap::wrapped,
};

/// Columns of the list, its border included.
const LIST: u16 = 30;

const KEYS: &str =
    "Enter send · Tab switch · PgUp older · ^R retry · ^X cancel · ^S stop · ^N new · Esc quit";

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, app: &App) {
    let rows = [
        Constraint::Length(1),
        Constraint::Min(3),
        Constraint::Length(3),
        Constraint::Length(1),
    ];
    let [top, middle, input, bottom] = Layout::vertical(rows).areas(frame.area());
    let columns = [Constraint::Length(LIST), Constraint::Min(20)];
    let [list, messages] = Layout::horizontal(columns).areas(middle);
    draw_status(frame, app, top);
    draw_list(frame, app, list);
    draw_messages(frame, app, messages);
    draw_input(frame, app, input);
    let footer = app.notice.as_deref().unwrap_or(KEYS);
    let style = Style::new().add_modifier(Modifier::DIM);
    frame.render_widget(Paragraph::new(footer).style(style), bottom);
}

fn draw_status(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let (light, word) = app.light();
    let colour = match light {
        Light::Green => Color::Green,
        Light::Yellow => Color::Yellow,
        Light::Red => Color::Red,
    };
    let mut spans = vec![
        Span::styled("● ", Style::new().fg(colour)),
        Span::styled(word, Style::new().add_modifier(Modifier::BOLD)),
    ];
    if let Some(at) = app.status.retry_at {
        let seconds = app.now.until(at).as_secs();
        spans.push(Span::raw(format!(" · WebSocket again in {seconds} s")));
    }
    if let Some(seconds) = app.quiet_for() {
        let text = format!(" · the server asked to wait {seconds} s");
        spans.push(Span::styled(text, Style::new().fg(Color::Yellow)));
    }
    if app.typing {
        spans.push(Span::raw(" · typing…"));
    }
    frame.render_widget(Line::from(spans), area);
}

fn draw_list(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let items = app.conversations.iter().enumerate().map(|(place, row)| {
        let unread = match row.unread {
            0 => String::new(),
            count => format!(" ({count})"),
        };
        let open = if app.open.as_ref() == Some(&row.id) {
            "▸ "
        } else {
            "  "
        };
        let mut style = Style::new();
        if row.unread > 0 {
            style = style.add_modifier(Modifier::BOLD);
        }
        if app.focus == Focus::List && place == app.marked {
            style = style.add_modifier(Modifier::REVERSED);
        }
        ListItem::new(format!("{open}{}{unread}", row.display_title())).style(style)
    });
    let block = framed("Conversations", app.focus == Focus::List);
    frame.render_widget(List::new(items).block(block), area);
}

fn draw_messages(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let title = app
        .current()
        .map_or_else(String::new, |row| row.display_title());
    let block = framed(&title, app.focus == Focus::Messages);
    let inner = block.inner(area);
    let width = usize::from(inner.width).max(1);
    let mut lines = Vec::new();
    let marked = app.marked_message().map(|row| row.id);
    for row in &app.messages {
        let style = match app.focus == Focus::Messages && marked == Some(row.id) {
            true => Style::new().add_modifier(Modifier::REVERSED),
            false => Style::new(),
        };
        let text = bubble(app, row);
        lines.extend(
            wrapped(&text, width)
                .into_iter()
                .map(|line| Line::styled(line, style)),
        );
    }
    if let Some(live) = &app.live
        && app.messages.iter().all(|row| row.id != live.id)
        && !live.text.is_empty()
    {
        let text = format!("  coach: {}…", live.text);
        lines.extend(wrapped(&text, width).into_iter().map(Line::raw));
    }
    // The newest lines are at the bottom; marking older ones scrolls to them.
    let height = usize::from(inner.height);
    let below = match app.focus {
        Focus::Messages => lines_below(app, width),
        _ => 0,
    };
    let end = lines
        .len()
        .saturating_sub(below.saturating_sub(height / 2))
        .max(height);
    let start = end.saturating_sub(height);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(start).take(height).collect();
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(shown), inner);
}

fn lines_below(app: &App, width: usize) -> usize {
    let below = app.messages.iter().rev().take(app.from_end);
    below
        .map(|row| wrapped(&bubble(app, row), width).len())
        .sum()
}

fn bubble(app: &App, row: &Message) -> String {
    let who = match (&row.role, row.own) {
        (Role::User, true) => "you",
        (Role::Assistant, _) => "coach",
        (role, _) => role.as_str(),
    };
    let text = match row.deleted {
        true => "(deleted)",
        false => app.text_of(row),
    };
    let end = match row.completeness {
        Completeness::Complete => "",
        Completeness::Streaming => "…",
        Completeness::Incomplete => " … (incomplete)",
        Completeness::Failed => " … (failed)",
        Completeness::Stopped => " … (stopped)",
    };
    let mark = if row.own { mark(row.state) } else { " " };
    format!("{mark} {who}: {text}{end}")
}

/// How far an own message came.
fn mark(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "◷",
        DeliveryState::Sending => "↑",
        DeliveryState::Uncertain => "?",
        DeliveryState::Sent => "✓",
        DeliveryState::Delivered | DeliveryState::Read => "✔",
        DeliveryState::Failed => "✗",
        DeliveryState::Cancelled => "–",
    }
}

fn draw_input(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let block = framed("Message", app.focus == Focus::Input);
    let inner = block.inner(area);
    let width = usize::from(inner.width).max(1);
    // The cursor's end of a long text is shown.
    let skip = (app.cursor + 1).saturating_sub(width);
    let shown: String = app.input.chars().skip(skip).take(width).collect();
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(shown), inner);
    if app.focus == Focus::Input {
        let column = u16::try_from(app.cursor - skip.min(app.cursor)).unwrap_or(0);
        frame.set_cursor_position(Position::new(inner.x + column, inner.y));
    }
}

fn framed(title: &str, focused: bool) -> Block<'static> {
    let style = match focused {
        true => Style::new().fg(Color::Cyan),
        false => Style::new(),
    };
    Block::new()
        .borders(Borders::ALL)
        .border_style(style)
        .title(title.to_owned())
}
