use super::*;
use bytes::Bytes;

fn options(list: &[(u16, &[u8])]) -> Options {
    let mut options = Options::new();
    for (code, payload) in list {
        options.push(*code, payload);
    }
    options
}

fn edit(action: Action, path: &[u32], data: &[u8]) -> OptionEdit {
    OptionEdit {
        action: action.into(),
        path: path.to_vec(),
        enterprise: 0,
        data: Bytes::copy_from_slice(data),
    }
}

fn of_enterprise(enterprise: u32, edit: OptionEdit) -> OptionEdit {
    OptionEdit { enterprise, ..edit }
}

/// Enterprise 4491 with sub-option 2 = `ab`.
const CABLE: &[u8] = &[0, 0, 0x11, 0x8b, 0, 2, 0, 2, b'a', b'b'];

#[test]
fn plain_options_are_set_added_and_removed_in_order() {
    let before = options(&[(53, &[1]), (6, &[1]), (6, &[2]), (12, b"x")]);
    let edits = [
        edit(Action::Set, &[6], &[9]),
        edit(Action::Add, &[6], &[8]),
        edit(Action::Remove, &[12], &[]),
        edit(Action::Remove, &[99], &[]),
        edit(Action::Set, &[67], b""),
    ];
    let after = edited4("response", &before, &edits).unwrap();
    assert_eq!(
        after,
        options(&[(53, &[1]), (6, &[9]), (6, &[8]), (67, b"")])
    );
}

#[test]
fn sub_options_of_dhcpv4_options_keep_their_neighbours() {
    let relay_info: &[u8] = &[1, 2, b'e', b'1', 2, 1, b'r'];
    let vendor: &[u8] = &[1, 1, b'a', 255];
    let block: &[u8] = &[0, 0, 0x11, 0x8b, 3, 5, 1, b'z'];
    let before = options(&[(82, relay_info), (43, vendor), (125, block)]);
    let edits = [
        edit(Action::Set, &[82, 1], b"eth"),
        edit(Action::Add, &[43, 2], b"b"),
        of_enterprise(4491, edit(Action::Set, &[125, 5], b"y")),
        edit(Action::Add, &[125, 6], b""),
    ];
    let after = edited4("query", &before, &edits).unwrap();
    assert_eq!(
        after.get(82),
        Some(&[1, 3, b'e', b't', b'h', 2, 1, b'r'][..])
    );
    assert_eq!(after.get(43), Some(&[1, 1, b'a', 2, 1, b'b', 255][..]));
    assert_eq!(
        after.get(125),
        Some(&[0, 0, 0x11, 0x8b, 5, 5, 1, b'y', 6, 0][..])
    );
}

#[test]
fn vendor_options_of_dhcpv6_are_found_by_enterprise() {
    let other: &[u8] = &[0, 0, 0, 9, 0, 1, 0, 0];
    let before = options(&[(17, other), (17, CABLE)]);
    let edits = [of_enterprise(4491, edit(Action::Set, &[17, 2], b"c"))];
    let after = edited6("response", &before, &edits).unwrap();
    let payloads: Vec<_> = after.get_all(17).collect();
    assert_eq!(payloads, [other, &[0, 0, 0x11, 0x8b, 0, 2, 0, 1, b'c'][..]]);
    let first = edited6("response", &before, &[edit(Action::Remove, &[17, 1], b"")]).unwrap();
    assert_eq!(first.get(17), Some(&[0, 0, 0, 9][..]));
}

#[test]
fn an_option_of_an_address_inside_an_ia_is_reached() {
    let mut ia = vec![0; 12];
    ia.extend_from_slice(&[0, 5, 0, 24]);
    ia.extend_from_slice(&[7; 24]);
    let before = options(&[(3, &ia)]);
    let after = edited6(
        "response",
        &before,
        &[edit(Action::Set, &[3, 5, 13], &[0, 0])],
    )
    .unwrap();
    let address = &after.get(3).unwrap()[16..];
    assert_eq!(&address[24..], [0, 13, 0, 2, 0, 0]);
    assert_eq!(&after.get(3).unwrap()[12..16], [0, 5, 0, 30]);
}

#[test]
fn paths_into_what_is_not_there_are_refused_with_the_path() {
    let before = options(&[(17, CABLE), (3, &[0; 12]), (1, b"duid"), (18, b"")]);
    let refused = |path: &[u32], enterprise| {
        let edit = of_enterprise(enterprise, edit(Action::Set, path, b"x"));
        edited6("response", &before, &[edit])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(&[25, 13], 0),
        "response.options.25.13: there is no such option to enter"
    );
    assert_eq!(
        refused(&[17, 2], 9),
        "response.options.17.2: there is no option 17 of enterprise 9"
    );
    assert_eq!(
        refused(&[3, 5, 13], 0),
        "response.options.3.5.13: there is no option 5 to enter"
    );
    assert_eq!(
        refused(&[1, 1], 0),
        "response.options.1.1: option 1 has no options inside"
    );
    let missing4 = edited4(
        "query",
        &options(&[]),
        &[edit(Action::Remove, &[82, 1], b"")],
    );
    assert!(missing4.is_err());
}

#[test]
fn malformed_containers_are_refused_and_never_panic() {
    let cut: [&[u8]; 5] = [
        &[],
        &[0],
        &[0, 0, 0],
        &[0, 0, 0, 1, 0],
        &[0, 0, 0, 1, 0, 1, 0, 9, 0],
    ];
    for payload in cut {
        for code in [17, 3, 25, 4, 82, 43, 125] {
            let before = options(&[(code, payload)]);
            for path in [vec![u32::from(code), 1], vec![u32::from(code), 5, 13]] {
                for action in [Action::Set, Action::Add, Action::Remove] {
                    let edits = [edit(action, &path, b"x")];
                    let outcomes = [
                        edited4("query", &before, &edits),
                        edited6("query", &before, &edits),
                    ];
                    for after in outcomes.into_iter().flatten() {
                        assert!(after.contains(code), "only its inside may change");
                    }
                }
            }
        }
    }
}
