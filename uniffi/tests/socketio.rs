//! Socket.IO across the boundary: a library that has it takes its settings and names a wrong one; one
//! that has it not says so.

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use tidings_ffi::{
    ChatClient, ChatError, ErrorKind,
    records::{
        options::{Backend, ClientOptions, SettingValue, Store, Tokens},
        socketio::SocketIoOptions,
    },
};

async fn start(name: &str, value: &str) -> Result<(), ErrorKind> {
    let options = SocketIoOptions {
        // Nobody is there; the client starts all the same.
        origin: "http://127.0.0.1:9".to_owned(),
        socket_origin: None,
        api_key: Some("a secret".to_owned()),
        account: Some("u1".to_owned()),
        trust: None,
        settings: vec![SettingValue {
            name: name.to_owned(),
            value: value.to_owned(),
        }],
    };
    assert!(!format!("{options:?}").contains("secret"));
    let options = ClientOptions {
        backend: Backend::SocketIo { options },
        store: Store::Memory,
        tokens: Tokens::None,
        settings: Vec::new(),
    };
    let kind = |error: ChatError| error.problem().kind;
    let client = ChatClient::start(options).await.map_err(kind)?;
    client.shutdown().await.map_err(kind)
}

#[tokio::test]
async fn settings_are_taken_and_a_wrong_one_is_named_where_there_is_the_adapter() {
    if cfg!(feature = "socketio") {
        assert_eq!(start("socketio.namespace", "/chat").await, Ok(()));
        let wrong = start("socketio.nothing", "1").await;
        assert_eq!(wrong, Err(ErrorKind::InvalidInput));
    } else {
        let absent = start("socketio.namespace", "/chat").await;
        assert_eq!(absent, Err(ErrorKind::Unsupported));
    }
}
