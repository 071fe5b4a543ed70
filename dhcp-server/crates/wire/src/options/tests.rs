use super::*;

fn list(of: &[(u16, &[u8])]) -> Options {
    let mut options = Options::new();
    for (code, payload) in of {
        options.push(*code, payload);
    }
    options
}

fn contents(options: &Options) -> Vec<(u16, Vec<u8>)> {
    options
        .iter()
        .map(|(code, payload)| (code, payload.to_vec()))
        .collect()
}

#[test]
fn options_keep_their_order_and_their_duplicates() {
    let options = list(&[(61, b"a"), (12, b""), (61, b"bc"), (300, b"d")]);
    assert_eq!(options.len(), 4);
    assert_eq!(options.get(61), Some(&b"a"[..]));
    assert_eq!(options.get_all(61).collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
    assert_eq!(options.get(12), Some(&b""[..]));
    assert_eq!(contents(&options)[3], (300, b"d".to_vec()));
}

#[test]
fn presence_is_right_for_every_code_whatever_is_removed() {
    for code in [0, 1, 63, 64, 255, 256, 300, 65_535] {
        let mut options = list(&[(code, b"x"), (7, b"y"), (code, b"z")]);
        assert!(options.contains(code) && options.contains(7));
        assert!(!options.contains(code ^ 2), "{code}");
        assert!(options.remove_instance(code, 1));
        assert!(options.contains(code), "one instance of {code} is left");
        assert!(!options.remove_instance(code, 1));
        assert!(options.remove_instance(code, 0));
        assert!(!options.contains(code));
        assert_eq!(options.get(code), None);
        assert!(!options.remove(code));
        assert_eq!(contents(&options), [(7, b"y".to_vec())]);
    }
}

#[test]
fn set_replaces_in_place_and_leaves_one_instance() {
    for payload in [&b""[..], b"z", b"much longer than before"] {
        let mut options = list(&[
            (1, b"before"),
            (2, b"ab"),
            (3, b"between"),
            (2, b"cd"),
            (4, b"after"),
        ]);
        options.set(2, payload);
        let expected = [
            (1, b"before".to_vec()),
            (2, payload.to_vec()),
            (3, b"between".to_vec()),
            (4, b"after".to_vec()),
        ];
        assert_eq!(contents(&options), expected);
    }
}

#[test]
fn set_appends_what_was_not_there() {
    let mut options = list(&[(1, b"a")]);
    options.set(2, b"b");
    assert_eq!(contents(&options), [(1, b"a".to_vec()), (2, b"b".to_vec())]);
}

#[test]
fn one_instance_can_be_replaced_alone() {
    let mut options = list(&[(3, b"a"), (5, b"x"), (3, b"b")]);
    assert!(options.set_instance(3, 1, b"new and longer"));
    assert!(!options.set_instance(3, 2, b"none"));
    assert!(!options.set_instance(4, 0, b"none"));
    assert_eq!(
        contents(&options),
        [
            (3, b"a".to_vec()),
            (5, b"x".to_vec()),
            (3, b"new and longer".to_vec())
        ]
    );
}

#[test]
fn an_empty_payload_at_the_end_of_the_buffer_can_grow_and_shrink() {
    let mut options = list(&[(1, b"")]);
    options.set(1, b"");
    options.set(1, b"ab");
    options.set(1, b"c");
    options.push(2, b"d");
    assert_eq!(contents(&options), [(1, b"c".to_vec()), (2, b"d".to_vec())]);
}

#[test]
fn joining_puts_all_pieces_at_the_place_of_the_first() {
    let mut options = list(&[
        (1, b"a"),
        (2, b"x"),
        (1, b"b"),
        (3, b""),
        (2, b"y"),
        (1, b"c"),
    ]);
    options.join_repeated();
    assert_eq!(
        contents(&options),
        [(1, b"abc".to_vec()), (2, b"xy".to_vec()), (3, b"".to_vec())]
    );
}

#[test]
fn equality_is_about_contents_and_debug_shows_them() {
    let mut changed = list(&[(1, b"long"), (2, &[0x0a, 0xff])]);
    changed.set(1, b"s");
    assert_eq!(changed, list(&[(1, b"s"), (2, &[0x0a, 0xff])]));
    assert_ne!(changed, list(&[(2, &[0x0a, 0xff]), (1, b"s")]));
    assert_eq!(format!("{changed:?}"), "{1: 73, 2: 0a:ff}");
}
