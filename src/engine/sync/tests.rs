//! The synchronisation, input by input.

use super::*;

fn at(newest: &str, oldest: Option<&str>) -> SyncPosition {
    SyncPosition {
        newest: Some(SyncCursor::new(newest)),
        oldest: oldest.map(SyncCursor::new),
        listed: None,
    }
}

fn stored(position: SyncPosition, more: bool, length: usize) -> Input {
    Input::Stored {
        position,
        gap: None,
        tail: None,
        more,
        fresh: length,
        length,
    }
}

fn drain(sync: &mut Sync) -> Vec<Output> {
    std::iter::from_fn(|| sync.poll_output()).collect()
}

fn request(ticket: Ticket, wanted: Wanted) -> Input {
    Input::Request {
        ticket,
        wanted,
        quiet: true,
    }
}

fn after(cursor: &str) -> Output {
    Output::Fetch(HistoryRange::After(SyncCursor::new(cursor)))
}

#[test]
fn l42_a_request_during_a_read_is_answered_by_a_later_read() {
    let mut sync = Sync::new(at("5", None), None);
    sync.handle(request(1, Wanted::News));
    sync.handle(request(2, Wanted::News));
    assert_eq!(drain(&mut sync), [after("5")]);
    sync.handle(stored(at("6", None), false, 3));
    let outputs = drain(&mut sync);
    assert!(outputs.contains(&Output::Finished {
        ticket: 1,
        result: Ok(3)
    }));
    assert_eq!(outputs.last(), Some(&after("6")));
}

#[test]
fn l70_forward_pages_are_read_to_the_end() {
    let mut sync = Sync::new(at("0", None), None);
    sync.handle(request(1, Wanted::News));
    sync.handle(stored(at("100", None), true, 100));
    assert_eq!(drain(&mut sync), [after("0"), after("100")]);
}

#[test]
fn f33_a_server_that_never_ends_its_pages_is_cut_off() {
    let mut sync = Sync::new(at("5", None), None);
    sync.handle(request(1, Wanted::News));
    sync.handle(stored(at("5", None), true, 2));
    assert!(!sync.is_running());
}

#[test]
fn the_whole_goes_back_to_the_beginning() {
    let mut sync = Sync::default();
    sync.handle(request(1, Wanted::Whole));
    sync.handle(stored(at("250", Some("150")), false, 100));
    sync.handle(stored(at("250", Some("50")), true, 100));
    sync.handle(stored(at("250", None), false, 50));
    let outputs = drain(&mut sync);
    assert!(outputs.contains(&Output::Finished {
        ticket: 1,
        result: Ok(250)
    }));
    assert!(outputs.contains(&Output::Phase {
        phase: SyncPhase::Synced,
        fetched: 250
    }));
}

#[test]
fn a_refused_cursor_is_a_discontinuity_and_a_fresh_look_never_a_wipe() {
    let mut sync = Sync::new(at("5", None), None);
    sync.handle(request(1, Wanted::News));
    sync.handle(refused());
    let outputs = drain(&mut sync);
    assert!(outputs.contains(&Output::Phase {
        phase: SyncPhase::Discontinuity,
        fetched: 0
    }));
    assert_eq!(outputs.last(), Some(&Output::Fetch(HistoryRange::Newest)));
}

fn refused() -> Input {
    Input::Failed(failure(FailureKind::CursorRefused, "shrunk"))
}

fn forgotten(gap: Option<&str>) -> Input {
    Input::Forgotten {
        position: at("900", Some("end")),
        gap: gap.map(SyncCursor::new),
    }
}

#[test]
fn f31_a_refused_cursor_of_a_gap_is_forgotten_once_and_the_gap_filled_all_the_same() {
    let mut sync = Sync::new(at("900", Some("0")), Some(SyncCursor::new("800")));
    sync.handle(request(1, Wanted::Complete));
    sync.handle(gapped(at("900", Some("0")), Some("800"), None, false));
    drain(&mut sync);
    sync.handle(refused());
    assert_eq!(drain(&mut sync), [Output::Forget]);
    sync.handle(forgotten(Some("end")));
    assert_eq!(drain(&mut sync), [before("end")]);
    sync.handle(refused());
    let outputs = drain(&mut sync);
    assert_eq!(answers(&outputs), [1], "this server is broken");
    assert!(!outputs.contains(&Output::Forget) && !sync.is_running());
}

#[test]
fn f31_older_history_is_read_though_its_cursor_is_refused() {
    let mut sync = Sync::new(at("900", Some("700")), None);
    sync.handle(request(1, Wanted::OlderPage));
    sync.handle(stored(at("900", Some("700")), false, 0));
    assert_eq!(drain(&mut sync), [after("900"), before("700")]);
    sync.handle(refused());
    sync.handle(forgotten(None));
    assert_eq!(drain(&mut sync), [Output::Forget, before("end")]);
    // All of the newest page is stored: the page before what is stored is still to come.
    sync.handle(Input::Stored {
        position: at("900", Some("850")),
        gap: None,
        tail: None,
        more: true,
        fresh: 0,
        length: 50,
    });
    assert_eq!(drain(&mut sync), [before("850")]);
}

fn gapped(position: SyncPosition, gap: Option<&str>, tail: Option<&str>, more: bool) -> Input {
    Input::Stored {
        position,
        gap: gap.map(SyncCursor::new),
        tail: tail.map(SyncCursor::new),
        more,
        fresh: 100,
        length: 100,
    }
}

fn before(cursor: &str) -> Output {
    Output::Fetch(HistoryRange::Before(SyncCursor::new(cursor)))
}

fn tail(cursor: &str) -> Output {
    Output::Fetch(HistoryRange::Tail(SyncCursor::new(cursor)))
}

fn answers(outputs: &[Output]) -> Vec<Ticket> {
    let answered = |output: &Output| match output {
        Output::Finished { ticket, .. } => Some(*ticket),
        _ => None,
    };
    outputs.iter().filter_map(answered).collect()
}

// covers: G9
#[test]
fn f32_the_newest_page_comes_first_then_the_gap_from_its_upper_edge() {
    let mut sync = Sync::new(at("100", None), None);
    sync.handle(request(1, Wanted::Complete));
    sync.handle(gapped(at("200", None), None, Some("900"), true));
    assert_eq!(drain(&mut sync), [after("100"), tail("900")]);
    sync.handle(gapped(at("900", None), Some("800"), None, false));
    let told = Output::Phase {
        phase: SyncPhase::Gap,
        fetched: 200,
    };
    assert_eq!(drain(&mut sync), [told, before("800")]);
    sync.handle(gapped(at("900", None), Some("700"), None, true));
    assert_eq!(drain(&mut sync), [before("700")]);
    sync.handle(gapped(at("900", None), None, None, true));
    let outputs = drain(&mut sync);
    assert_eq!(answers(&outputs), [1]);
    assert!(matches!(
        outputs[0],
        Output::Phase {
            phase: SyncPhase::Synced,
            ..
        }
    ));
}

#[test]
fn who_wants_only_the_news_does_not_wait_for_the_gap() {
    let mut sync = Sync::new(at("100", None), None);
    sync.handle(request(1, Wanted::News));
    sync.handle(gapped(at("200", None), None, Some("900"), true));
    sync.handle(gapped(at("900", None), Some("800"), None, false));
    assert_eq!(answers(&drain(&mut sync)), [1]);
    assert!(sync.is_running(), "the gap is filled all the same");
}

#[test]
fn news_asked_for_during_a_backfill_come_between_two_of_its_pages() {
    let mut sync = Sync::new(at("900", None), Some(SyncCursor::new("800")));
    sync.handle(request(1, Wanted::Complete));
    sync.handle(gapped(at("900", None), Some("800"), None, false));
    sync.handle(request(2, Wanted::News));
    drain(&mut sync);
    sync.handle(gapped(at("900", None), Some("700"), None, true));
    assert_eq!(drain(&mut sync), [after("900")]);
    sync.handle(gapped(at("905", None), Some("700"), None, false));
    let outputs = drain(&mut sync);
    assert_eq!(answers(&outputs), [2]);
    assert_eq!(outputs.last(), Some(&before("700")));
}

#[test]
fn a_gap_that_a_page_does_not_move_is_not_called_synced() {
    let mut sync = Sync::new(at("900", None), Some(SyncCursor::new("800")));
    sync.handle(request(1, Wanted::Complete));
    for _ in 0..2 {
        sync.handle(gapped(at("900", None), Some("800"), None, false));
    }
    let outputs = drain(&mut sync);
    assert!(!sync.is_running());
    assert!(matches!(
        outputs.last(),
        Some(Output::Finished { result: Err(_), .. })
    ));
}

#[test]
fn a_backfill_that_nobody_waits_for_says_that_it_broke_off() {
    let mut sync = Sync::new(at("900", None), Some(SyncCursor::new("800")));
    sync.handle(request(1, Wanted::News));
    sync.handle(gapped(at("900", None), Some("800"), None, false));
    drain(&mut sync);
    sync.handle(Input::Failed(gap_left()));
    assert_eq!(drain(&mut sync), [Output::BrokeOff]);
}

#[test]
fn an_end_foretold_wrongly_is_reached_step_by_step() {
    let mut sync = Sync::new(at("100", None), None);
    sync.handle(request(1, Wanted::Complete));
    sync.handle(gapped(at("200", None), None, Some("100000"), true));
    drain(&mut sync);
    sync.handle(refused());
    assert_eq!(drain(&mut sync), [after("200")]);
}
