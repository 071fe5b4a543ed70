//! The file itself: what is in it, how much of it, and what is done with a bad one.

use crate::client::run;
use crate::service::Version;
use crate::{count, recorded, records, replayed};
use base64::Engine as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

#[tokio::test]
async fn the_file_is_for_its_owner_and_holds_no_secrets() {
    let (folder, _) = recorded(&["a"], &["--parameters-redacted"]).await;
    let file = folder.path().join("r");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let records = records(&file);
    let kinds: Vec<&str> = records
        .iter()
        .map(|r| r["record"].as_str().unwrap())
        .collect();
    let expected = [
        "recording",
        "load",
        "loaded",
        "session",
        "call",
        "reply",
        "call",
        "reply",
        "call",
        "reply",
        "stopped",
    ];
    assert_eq!(kinds, expected);
    let load = base64::engine::general_purpose::STANDARD
        .decode(records[1]["message"].as_str().unwrap())
        .unwrap();
    let load = String::from_utf8_lossy(&load);
    assert!(load.contains("versions"), "{load}");
    assert!(
        !load.contains("api-token") && !load.contains("geheim"),
        "{load}"
    );

    let (code, _, log) = replayed(&file, Version::One, &[]).await;
    assert_eq!(code, 64, "{log}");
    assert!(log.contains("--parameters gives some"), "{log}");
    let (code, text, log) = replayed(&file, Version::One, &["--parameters", "{}"]).await;
    assert_eq!(code, 0, "{text}{log}");
}

#[tokio::test]
async fn after_the_limit_calls_pass_and_are_not_recorded() {
    let (folder, summary) = recorded(&["a", "b", "c"], &["--max-calls", "4"]).await;
    assert!(summary.contains("4 calls, "), "{summary}");
    let kept = records(&folder.path().join("r"));
    assert_eq!((count(&kept, "call"), count(&kept, "reply")), (4, 4));
    let (folder, _) = recorded(&["a", "b"], &["--max-bytes", "1"]).await;
    assert_eq!(count(&records(&folder.path().join("r")), "call"), 1);
}

#[tokio::test]
async fn a_cut_recording_is_played_up_to_the_cut_and_a_damaged_one_is_named() {
    let (folder, _) = recorded(&["a", "b"], &[]).await;
    let file = folder.path().join("r");
    let whole = fs::read(&file).unwrap();
    let cut = folder.path().join("cut");
    fs::write(&cut, &whole[..whole.len() * 3 / 4]).unwrap();
    let (code, text, log) = replayed(&cut, Version::One, &[]).await;
    assert_eq!(code, 0, "{text}{log}");
    assert!(text.contains("the recording was cut off"), "{text}");

    type Edit = fn(&str) -> String;
    let damaged = |edit: Edit| {
        let text = String::from_utf8(whole.clone()).unwrap();
        let path: PathBuf = folder.path().join("damaged");
        fs::write(&path, edit(&text)).unwrap();
        path
    };
    let cases: [(Edit, &str); 4] = [
        (
            |text| text.replace("\"message\":\"", "\"message\":\"?"),
            "line 2: ",
        ),
        (
            |text| text.replacen("\"protocol\":1", "\"protocol\":2", 1),
            "version 2 of the hook protocol",
        ),
        (|_| "hello\n".to_owned(), "no recording"),
        (
            |text| text.replace("\"record\":\"load\"", "\"record\":\"x\""),
            "before its Load",
        ),
    ];
    for (edit, part) in cases {
        let (code, text, log) = replayed(&damaged(edit), Version::One, &[]).await;
        assert_eq!(code, 65, "{text}{log}");
        assert!(log.contains(part), "{log}");
    }
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let (folder, _) = recorded(&["a"], &[]).await;
    let file = folder.path().join("r");
    let file = file.to_str().unwrap();
    let nobody = format!("unix:{}", folder.path().join("nobody").display());
    let (code, _, log) = run(&["replay", file, &nobody]).await;
    assert_eq!(code, 69, "{log}");
    assert!(log.contains("nobody answers there"), "{log}");
    let (code, _, log) = run(&["replay", "/nonexistent/file", &nobody]).await;
    assert_eq!(code, 64, "{log}");
    let (code, _, log) = run(&["record", "--listen", &nobody, "--to", &nobody, "x"]).await;
    assert_eq!(code, 64, "{log}");
    let service = format!("unix:{}", folder.path().join("s").display());
    let (code, _, log) = run(&["record", "--listen", &nobody, "--to", &service, file]).await;
    assert_eq!(code, 64, "{log}");
    assert!(log.contains("never written over"), "{log}");
    let open = "http://0.0.0.0:0";
    let (code, _, log) = run(&["record", "--listen", open, "--to", &service, "x"]).await;
    assert_eq!(code, 64, "{log}");
    assert!(log.contains("on loopback"), "{log}");
}
