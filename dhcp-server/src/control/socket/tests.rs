use super::super::tests::{Fixture, fixture4};
use super::{MAX_REQUEST, Sockets, Wish};
use crate::control::ControlError;
use outrigger_wire::V4;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::LocalSet;

async fn ask(path: &Path, parts: &[&[u8]]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    for part in parts {
        // The server may answer before it has read everything.
        if stream.write_all(part).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Runs a test with an open socket.
async fn with_socket(test: impl AsyncFnOnce(PathBuf, Fixture<V4>)) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("control.sock");
    let local = LocalSet::new();
    local
        .run_until(async {
            let fixture = fixture4();
            let control = fixture.share();
            let open = Sockets::default().open_further(std::slice::from_ref(&path), &control);
            let sockets = open.unwrap();
            test(path.clone(), fixture).await;
            drop(sockets);
            assert!(!path.exists(), "its file goes with the socket");
        })
        .await;
}

#[tokio::test]
async fn a_command_in_parts_is_answered_when_it_is_complete_and_the_connection_closed() {
    with_socket(async |path, _| {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let answer = ask(&path, &[b" {\"command\": \"versi", b"on-get\"}"]).await;
        assert!(answer.contains("\"result\":0"), "{answer}");
        let trailing = ask(&path, &[b"{\"command\":\"version-get\"} {\"command\":"]).await;
        assert!(trailing.contains("\"result\":0"), "{trailing}");
        assert!(ask(&path, &[b"\"x\" "]).await.contains("\"result\":1"));
    })
    .await;
}

#[tokio::test]
async fn a_command_that_never_ends_is_refused_at_a_bound() {
    with_socket(async |path, _| {
        let part = vec![b' '; 1 << 20];
        let mut parts: Vec<&[u8]> = vec![b"{\"command\": \""];
        parts.extend((0..=MAX_REQUEST >> 20).map(|_| part.as_slice()));
        let answer = ask(&path, &parts).await;
        assert!(answer.contains("is longer than"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn shutdown_is_ordered_after_its_answer() {
    with_socket(async |path, mut fixture| {
        let command = b"{\"command\": \"shutdown\", \"arguments\": {\"exit-value\": 3}}";
        let answer = ask(&path, &[command]).await;
        assert!(answer.contains("Shutting down."), "{answer}");
        let order = fixture.orders.recv().await.unwrap();
        assert!(matches!(order.wish, Wish::Stop(3)));
    })
    .await;
}

#[tokio::test]
async fn stale_sockets_are_replaced_and_live_ones_and_files_are_not() {
    with_socket(async |path, fixture| {
        let control = fixture.share();
        let open = |path: &Path| Sockets::default().open_further(&[path.to_owned()], &control);
        assert!(matches!(open(&path), Err(ControlError::InUse(_))));
        let stale = path.with_extension("stale");
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        let replaced = open(&stale).unwrap();
        assert!(
            ask(&stale, &[b"{\"command\":\"version-get\"}"])
                .await
                .contains("\"result\":0")
        );
        drop(replaced);
        let file = path.with_extension("file");
        std::fs::write(&file, "kept").unwrap();
        assert!(matches!(open(&file), Err(ControlError::NoSocket(_))));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        let nowhere = path.join("below").join("it");
        assert!(matches!(open(&nowhere), Err(ControlError::Refused { .. })));
    })
    .await;
}

#[tokio::test]
async fn sockets_of_a_new_configuration_open_and_those_it_lacks_close() {
    with_socket(async |path, fixture| {
        let control = fixture.share();
        let [first, second] = ["first", "second"].map(|name| path.with_extension(name));
        let mut sockets = Sockets::default();
        let fresh = sockets
            .open_further(std::slice::from_ref(&first), &control)
            .unwrap();
        sockets.become_all(std::slice::from_ref(&first), fresh);
        let wanted = [second.clone()];
        let fresh = sockets.open_further(&wanted, &control).unwrap();
        sockets.become_all(&wanted, fresh);
        assert!(!first.exists());
        assert!(
            ask(&second, &[b"{\"command\":\"version-get\"}"])
                .await
                .contains("\"result\":0")
        );
    })
    .await;
}
