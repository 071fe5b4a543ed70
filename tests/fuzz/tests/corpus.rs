//! The committed corpus: seeds that this file describes, and findings; all of it passes through the targets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

type Seeds = BTreeMap<&'static str, Vec<u8>>;

fn packet4(options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 236];
    bytes[..8].copy_from_slice(&[1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78]);
    bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    bytes.extend_from_slice(&[99, 130, 83, 99]);
    bytes.extend_from_slice(options);
    bytes
}

fn decode4() -> Seeds {
    let mut relayed = packet4(&[
        53, 1, 3, 82, 12, 1, 4, b'e', b't', b'h', b'0', 5, 4, 192, 0, 2, 0, 255,
    ]);
    relayed[24..28].copy_from_slice(&[192, 0, 2, 254]);
    let mut overload = packet4(&[53, 1, 1, 52, 1, 3, 255]);
    overload[108..114].copy_from_slice(&[66, 3, b'a', b'b', b'c', 255]);
    overload[44..48].copy_from_slice(&[67, 1, b'f', 255]);
    let vendor = [
        53, 1, 8, 43, 4, 1, 1, 7, 255, 125, 8, 0, 0, 0x11, 0x8b, 3, 1, 1, 5, 60, 2, b'd', b'o', 255,
    ];
    Seeds::from([
        ("seed-bootp", packet4(&[255, 0, 0])),
        (
            "seed-discover",
            packet4(&[
                53, 1, 1, 61, 7, 1, 2, 0, 0, 0, 0, 1, 55, 4, 1, 3, 6, 15, 12, 1, b'h', 255,
            ]),
        ),
        ("seed-overload", overload),
        (
            "seed-pieces",
            packet4(&[53, 1, 1, 12, 1, b'a', 50, 4, 192, 0, 2, 1, 12, 1, b'b', 255]),
        ),
        ("seed-relayed", relayed),
        ("seed-vendor", packet4(&vendor)),
    ])
}

fn option6(code: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).expect("a short payload");
    [&code.to_be_bytes()[..], &len.to_be_bytes(), payload].concat()
}

fn decode6() -> Seeds {
    let id = option6(1, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]);
    let address = option6(
        5,
        &[&[0x20; 16][..], &[0, 0, 14, 16, 0, 0, 28, 32]].concat(),
    );
    let prefix = option6(
        26,
        &[&[0, 0, 14, 16, 0, 0, 28, 32, 56][..], &[0x20; 16]].concat(),
    );
    let na = option6(3, &[&[0; 12][..], &address].concat());
    let pd = option6(25, &[&[0; 12][..], &prefix].concat());
    let vendor = option6(17, &[&[0, 0, 0x11, 0x8b][..], &option6(33, b"x")].concat());
    let oro = option6(6, &[0, 23, 0, 24]);
    let solicit = [
        vec![1, 1, 2, 3],
        id.clone(),
        oro,
        na.clone(),
        pd,
        option6(14, &[]),
        vendor,
    ]
    .concat();
    let relay = |hop_count, inner: &[u8]| {
        [
            vec![12, hop_count],
            vec![0xfe; 32],
            option6(18, b"eth0"),
            option6(9, inner),
        ]
        .concat()
    };
    Seeds::from([
        (
            "seed-information",
            [vec![11, 1, 2, 3], option6(8, &[0, 0])].concat(),
        ),
        ("seed-relayed", relay(0, &solicit)),
        ("seed-relayed-twice", relay(1, &relay(0, &solicit))),
        (
            "seed-request",
            [vec![3, 1, 2, 3], id, option6(2, &[9, 9, 9]), na].concat(),
        ),
        ("seed-solicit", solicit),
    ])
}

fn edit_nested() -> Seeds {
    Seeds::from([
        (
            "seed-enterprise",
            vec![3, 0, 1, 9, 1, 7, 0, 0, 0, 9, 3, 1, 1, 5],
        ),
        (
            "seed-option-43",
            vec![1, 2, 1, 1, 0, 0, 1, 1, 9, 2, 0, 255, 77],
        ),
        (
            "seed-option-82",
            vec![0, 0, 1, 1, 2, 7, 8, 1, 1, 10, 2, 1, 20],
        ),
        (
            "seed-two-levels",
            vec![2, 1, 2, 7, 1, 9, 0, 7, 0, 4, 0, 7, 0, 0],
        ),
    ])
}

/// Compares the committed seeds of a target with those described here; `UPDATE=1` writes them.
fn seeds_are_committed(target: &str, seeds: &Seeds) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    for (name, bytes) in seeds {
        let path = folder.join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(&folder).expect("the corpus can be written");
            fs::write(&path, bytes).expect("the corpus can be written");
        }
        let committed = fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; UPDATE=1 writes it", path.display()));
        assert_eq!(
            &committed,
            bytes,
            "{}: UPDATE=1 rewrites it",
            path.display()
        );
    }
    folder
}

fn replay(folder: &Path, target: fn(&[u8])) -> usize {
    let files = fs::read_dir(folder).expect("a corpus");
    files
        .map(|file| target(&fs::read(file.expect("a file").path()).expect("a readable file")))
        .count()
}

#[test]
fn the_corpus_of_decode4_is_complete_and_passes() {
    let seeds = decode4();
    let folder = seeds_are_committed("decode4", &seeds);
    assert!(replay(&folder, outrigger_fuzz::decode4) >= seeds.len());
}

#[test]
fn the_corpus_of_decode6_is_complete_and_passes() {
    let seeds = decode6();
    let folder = seeds_are_committed("decode6", &seeds);
    assert!(replay(&folder, outrigger_fuzz::decode6) >= seeds.len());
}

#[test]
fn the_corpus_of_edit_nested_is_complete_and_passes() {
    let seeds = edit_nested();
    let folder = seeds_are_committed("edit_nested", &seeds);
    assert!(replay(&folder, outrigger_fuzz::edit_nested) >= seeds.len());
}
