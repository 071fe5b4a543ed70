use super::super::What;
use super::*;

const V4: TlvKind = TlvKind::V4;
const V6: TlvKind = TlvKind::V6;

fn edited(kind: TlvKind, payload: &[u8], code: u32, edit: Edit<'_>) -> (bool, Vec<u8>) {
    let mut out = Vec::new();
    let found = edit_nested(kind, payload, code, edit, &mut out).expect("a well-formed container");
    (found, out)
}

#[test]
fn an_edit_leaves_everything_else_where_it_was() {
    let info = [1, 1, 10, 2, 1, 20, 1, 1, 30, 9, 0];
    let cases: [(Edit<'_>, bool, &[u8]); 5] = [
        (Edit::Set(&[7, 8]), true, &[1, 2, 7, 8, 2, 1, 20, 9, 0]),
        (Edit::Set(&[]), true, &[1, 0, 2, 1, 20, 9, 0]),
        (
            Edit::Add(&[7]),
            true,
            &[1, 1, 10, 2, 1, 20, 1, 1, 30, 9, 0, 1, 1, 7],
        ),
        (Edit::Remove, true, &[2, 1, 20, 9, 0]),
        (
            Edit::Add(&[]),
            true,
            &[1, 1, 10, 2, 1, 20, 1, 1, 30, 9, 0, 1, 0],
        ),
    ];
    for (edit, found, expected) in cases {
        assert_eq!(
            edited(V4, &info, 1, edit),
            (found, expected.to_vec()),
            "{edit:?}"
        );
    }
}

#[test]
fn what_is_absent_is_appended_or_nothing_to_remove() {
    assert_eq!(
        edited(V6, &[], 33, Edit::Set(&[5])),
        (true, vec![0, 33, 0, 1, 5])
    );
    assert_eq!(
        edited(V6, &[0, 1, 0, 0], 33, Edit::Add(&[5])),
        (true, vec![0, 1, 0, 0, 0, 33, 0, 1, 5])
    );
    assert_eq!(
        edited(V6, &[0, 1, 0, 0], 33, Edit::Remove),
        (false, vec![0, 1, 0, 0])
    );
}

#[test]
fn option_43_keeps_its_pads_and_what_follows_its_end() {
    let payload = [0, 1, 1, 9, 0, 255, 77];
    let set = edited(TlvKind::V4WithEnd, &payload, 5, Edit::Set(&[6]));
    assert_eq!(set, (true, vec![0, 1, 1, 9, 0, 5, 1, 6, 255, 77]));
    let removed = edited(TlvKind::V4WithEnd, &payload, 1, Edit::Remove);
    assert_eq!(removed, (true, vec![0, 0, 255, 77]));
}

#[test]
fn a_vendor_option_is_edited_behind_the_enterprise_number() {
    let option_17 = [0, 0, 0x11, 0x8b, 0, 1, 0, 1, 7, 0, 33, 0, 1, 8];
    let mut out = vec![0xee];
    let found = edit_path(
        &option_17,
        &[Level::of_vendor6(33)],
        Edit::Set(b"ab"),
        &mut out,
    );
    assert_eq!(found, Ok(true));
    assert_eq!(
        out,
        [
            0xee, 0, 0, 0x11, 0x8b, 0, 1, 0, 1, 7, 0, 33, 0, 2, b'a', b'b'
        ]
    );
}

#[test]
fn lengths_of_all_containers_on_the_way_are_adjusted() {
    let option_125 = [0, 0, 0, 9, 3, 1, 1, 5, 0, 0, 0x11, 0x8b, 3, 33, 1, 6];
    let path = [Level::of(TlvKind::Enterprise4, 4491), Level::of(V4, 33)];
    let mut out = Vec::new();
    assert_eq!(
        edit_path(&option_125, &path, Edit::Set(&[1, 2, 3]), &mut out),
        Ok(true)
    );
    assert_eq!(
        out,
        [0, 0, 0, 9, 3, 1, 1, 5, 0, 0, 0x11, 0x8b, 5, 33, 3, 1, 2, 3]
    );
}

#[test]
fn missing_containers_are_made_when_they_are_nothing_but_records() {
    let path = [Level::of(TlvKind::Enterprise4, 4491), Level::of(V4, 33)];
    let mut out = Vec::new();
    assert_eq!(edit_path(&[], &path, Edit::Set(&[6]), &mut out), Ok(true));
    assert_eq!(out, [0, 0, 0x11, 0x8b, 3, 33, 1, 6]);
    out.clear();
    assert_eq!(edit_path(&[], &path, Edit::Remove, &mut out), Ok(false));
    assert_eq!(out, []);
}

#[test]
fn only_the_first_container_is_entered_and_the_others_stay() {
    let outer = [0, 7, 0, 5, 0, 1, 0, 1, 9, 0, 7, 0, 0];
    let path = [Level::of(V6, 7), Level::of(V6, 1)];
    let mut out = Vec::new();
    assert_eq!(edit_path(&outer, &path, Edit::Remove, &mut out), Ok(true));
    assert_eq!(out, [0, 7, 0, 0, 0, 7, 0, 0]);
}

#[test]
fn an_edit_that_cannot_be_made_changes_nothing() {
    let malformed = |code, offset| EditError::Malformed {
        code,
        source: Malformed { offset },
    };
    let too_long = |code, len, limit| {
        EditError::TooLong(TooLong {
            what: What::Option(code),
            len,
            limit,
        })
    };
    let big = [0; 70_000];
    let ia_addr = [
        Level {
            skip: 12,
            kind: V6,
            code: 5,
        },
        Level {
            skip: 24,
            kind: V6,
            code: 13,
        },
    ];
    let nested = [Level::of(V4, 1), Level::of(V4, 2)];
    let cases: [(&[u8], &[Level], Edit<'_>, EditError); 9] = [
        (
            &[0, 1, 0, 9, 1],
            &[Level::of(V6, 1)],
            Edit::Remove,
            malformed(1, 0),
        ),
        (
            &[1, 0, 5],
            &[Level::of(V4, 1)],
            Edit::Set(&[]),
            malformed(1, 2),
        ),
        (&[1, 1, 5], &nested, Edit::Set(&[]), malformed(2, 0)),
        (
            &[0, 0, 1],
            &[Level::of_vendor6(1)],
            Edit::Set(&[]),
            EditError::NoContainer { code: 1 },
        ),
        (
            &[0; 12],
            &ia_addr,
            Edit::Set(&[]),
            EditError::NoContainer { code: 13 },
        ),
        (
            &[],
            &[Level::of(V4, 1)],
            Edit::Set(&big[..256]),
            too_long(1, 256, 255),
        ),
        (&[], &nested, Edit::Set(&big[..254]), too_long(1, 256, 255)),
        (
            &[],
            &[Level::of(V6, 1)],
            Edit::Add(&big),
            too_long(1, 70_000, 65_535),
        ),
        (&[], &[], Edit::Remove, EditError::EmptyPath),
    ];
    for (payload, path, edit, expected) in cases {
        let mut out = vec![1, 2, 3];
        assert_eq!(
            edit_path(payload, path, edit, &mut out),
            Err(expected),
            "{path:?}"
        );
        assert_eq!(out, [1, 2, 3]);
    }
}

#[test]
fn a_code_that_the_form_cannot_hold_is_refused() {
    for (kind, code) in [
        (V4, 256),
        (V6, 65_536),
        (TlvKind::V4WithEnd, 0),
        (TlvKind::V4WithEnd, 255),
    ] {
        let mut out = Vec::new();
        let refused = edit_nested(kind, &[], code, Edit::Set(&[1]), &mut out);
        let expected = TooLong {
            what: What::Option(code),
            len: 1,
            limit: 0,
        };
        assert_eq!(
            refused,
            Err(EditError::TooLong(expected)),
            "{kind:?} {code}"
        );
        assert_eq!(out, []);
    }
}
