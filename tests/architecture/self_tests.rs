//! Each rule on code that breaks it, and on the nearest code that does not.

use super::code::Source;
use super::rules;

/// The number of violations a rule finds in a file with this text.
fn count(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> usize {
    rule(&Source::new(path, text)).len()
}

#[test]
fn domain_that_imports_outward_is_caught() {
    let outward = [
        "use crate::adapters::sqlite::Store;",
        "use crate::{domain::ids, engine::outbox};",
        "fn f() { crate::runtime::wake(); }",
        "use super::super::usecases::send;",
        "use tokio::sync::mpsc;",
        "use ::hyper::Request;",
    ];
    for text in outward {
        assert_eq!(
            count(rules::layers, "src/domain/message.rs", text),
            1,
            "{text}"
        );
    }
}

#[test]
fn domain_that_imports_itself_is_fine() {
    let inward = "use crate::domain::{ids::{self, MessageId}, order};\nuse super::retry;\n\
                  // crate::adapters\nconst A: &str = \"crate::engine\";\nuse std::fmt;\n\
                  #[cfg(test)]\nmod tests {\n use crate::testing::world;\n}\n";
    assert_eq!(count(rules::layers, "src/domain/message.rs", inward), 0);
}

#[test]
fn layers_see_what_the_law_lets_them() {
    let cases = [
        ("src/engine/outbox.rs", "use crate::domain::ids;", 0),
        ("src/engine/outbox.rs", "use crate::usecases::send;", 1),
        ("src/usecases/send.rs", "use crate::domain::ports;", 0),
        ("src/usecases/send.rs", "use crate::engine::outbox;", 1),
        ("src/adapters/http.rs", "use crate::domain::retry;", 0),
        ("src/adapters/http.rs", "use crate::runtime::driver;", 1),
        (
            "src/runtime/driver.rs",
            "use crate::{domain, engine, usecases};",
            0,
        ),
        ("src/runtime/driver.rs", "use crate::adapters::memory;", 1),
        ("src/client.rs", "use crate::{adapters, runtime};", 0),
    ];
    for (path, text, expected) in cases {
        assert_eq!(count(rules::layers, path, text), expected, "{path}: {text}");
    }
}

#[test]
fn adapter_that_uses_its_neighbour_is_caught() {
    let path = "src/adapters/consultations/service.rs";
    assert_eq!(
        count(rules::adapters, path, "use crate::adapters::sqlite::Store;"),
        1
    );
    assert_eq!(
        count(rules::adapters, path, "use super::super::memory::Rows;"),
        1
    );
    let shared = "use crate::adapters::{http::Call, websocket, consultations::wire};";
    assert_eq!(count(rules::adapters, path, shared), 0);
}

#[test]
fn engine_that_awaits_or_names_a_backend_is_caught() {
    let path = "src/engine/turn.rs";
    assert_eq!(count(rules::engines, path, "async fn f() { g().await }"), 1);
    assert_eq!(
        count(
            rules::engines,
            path,
            "if self.backend == Backend::Consultations {}"
        ),
        1
    );
    assert_eq!(
        count(rules::engines, path, "// as consultations does\nfn f() {}"),
        0
    );
}

#[test]
fn clock_outside_its_home_is_caught() {
    let now = "fn f() { let at = std::time::Instant::now(); }";
    assert_eq!(count(rules::confined, "src/runtime/driver.rs", now), 1);
    assert_eq!(count(rules::confined, "src/adapters/system.rs", now), 0);
    assert_eq!(
        count(rules::confined, "src/adapters/system/clock.rs", now),
        0
    );
}

#[test]
fn task_thread_and_random_id_outside_their_homes_are_caught() {
    let driver = "src/runtime/driver.rs";
    let service = "src/adapters/consultations/service.rs";
    assert_eq!(
        count(rules::confined, service, "fn f() { tokio::spawn(work()); }"),
        1
    );
    assert_eq!(
        count(rules::confined, driver, "fn f() { tokio::spawn(work()); }"),
        0
    );
    assert_eq!(
        count(
            rules::confined,
            service,
            "fn f() { std::thread::spawn(work); }"
        ),
        1
    );
    assert_eq!(
        count(
            rules::confined,
            "src/adapters/sqlite/writer.rs",
            "thread::spawn(w)"
        ),
        0
    );
    assert_eq!(
        count(rules::confined, "src/adapters/system.rs", "Uuid::now_v7()"),
        1
    );
    assert_eq!(count(rules::confined, service, "Uuid::new_v4()"), 1);
    assert_eq!(
        count(rules::confined, service, "tokio::select! { biased; }"),
        1
    );
}

#[test]
fn select_without_a_bias_is_caught() {
    let path = "src/runtime/driver.rs";
    assert_eq!(
        count(rules::biased, path, "tokio::select! { a = b() => {} }"),
        1
    );
    assert_eq!(
        count(
            rules::biased,
            path,
            "tokio::select! {\n  biased;\n a = b() => {} }"
        ),
        0
    );
}

#[test]
fn long_file_is_caught_and_its_tests_are_not_counted() {
    let path = "src/domain/message.rs";
    assert_eq!(
        count(rules::sizes, path, &"const A: u8 = 1;\n".repeat(601)),
        1
    );
    let tests = format!(
        "#[cfg(test)]\nmod tests {{\n{}}}\n",
        "const A: u8 = 1;\n".repeat(601)
    );
    assert_eq!(count(rules::sizes, path, &tests), 0);
}

#[test]
fn long_function_is_caught_unless_it_is_one_match() {
    let path = "src/engine/outbox.rs";
    let body = "    let a = [1; 2];\n".repeat(80);
    let long = format!("fn f(a: [u8; 2]) -> u8 {{\n{body}}}\n");
    assert_eq!(count(rules::sizes, path, &long), 1);
    assert_eq!(
        count(
            rules::sizes,
            path,
            &format!("fn g();\n// one match\n#[rustfmt::skip]\n{long}")
        ),
        0
    );
    assert_eq!(
        count(
            rules::sizes,
            path,
            &format!("fn g() {{}}\n// two matches\n{long}")
        ),
        1
    );
}

#[test]
fn empty_name_is_caught() {
    let path = "src/domain/message.rs";
    for text in [
        "struct SessionManager;",
        "fn send_helper() {}",
        "trait ServiceImpl {}",
        "mod utils;",
    ] {
        assert_eq!(count(rules::names, path, text), 1, "{text}");
    }
    assert_eq!(
        count(rules::names, "src/domain/utils.rs", "struct Message;"),
        1
    );
    assert_eq!(
        count(
            rules::names,
            path,
            "impl Simple for Implied {}\nfn managed() {}"
        ),
        0
    );
}

#[test]
fn module_without_its_job_is_caught() {
    assert_eq!(
        count(rules::module_docs, "src/domain/ids.rs", "use std::fmt;\n"),
        1
    );
    assert_eq!(
        count(
            rules::module_docs,
            "src/domain/ids.rs",
            "\n//! Ids.\nuse std::fmt;\n"
        ),
        0
    );
}

#[test]
fn place_outside_the_repository_is_caught() {
    let outside = [
        concat!("see ..", "/shared/x.md"),
        concat!("`/wo", "rk/a`"),
        concat!("\"/tm", "p/a\""),
    ];
    for text in outside {
        assert_eq!(rules::private_places("README.md", text).len(), 1, "{text}");
    }
    let bundle = concat!("${X:-..", "/shared/advisory-db.bundle}");
    assert!(rules::private_places(".ci/run", bundle).is_empty());
    assert_eq!(rules::private_places("xtask/run", bundle).len(), 1);
    assert!(
        rules::private_places("README.md", concat!("net", "wo", "rk/a and net/wo", "rker"))
            .is_empty()
    );
}

#[test]
fn literals_and_comments_are_not_code() {
    let text =
        "/* a /* b */ fn c() {} */ r#\"fn d() \"{\"# 'x' '\\'' '{' b\"}\" \"\\\"}\" 'a: loop {}";
    let code = Source::new("src/a.rs", text).code;
    assert_eq!(
        code.split_whitespace().collect::<Vec<_>>(),
        ["b", "'a:", "loop", "{}"]
    );
}

#[test]
fn function_length_counts_its_signature_and_braces() {
    let text = "fn a(\n  x: u8,\n) -> u8 {\n  x\n}\n\nfn b() {}\n";
    let source = Source::new("src/a.rs", text);
    let lengths: Vec<_> = source
        .functions()
        .into_iter()
        .map(|f| (f.name, f.first_line, f.lines))
        .collect();
    assert_eq!(lengths, [("a".to_owned(), 0, 5), ("b".to_owned(), 6, 1)]);
}

#[test]
fn file_of_tests_is_left_alone() {
    let source = Source::new("src/engine/turn/tests.rs", "use crate::testing::world;\n");
    assert!(rules::all(&source).is_empty());
}
