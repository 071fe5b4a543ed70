//! When a packet joins which class.

use super::common::{Asked, query4, query6};
use outrigger_classify::{BoolExpression, Class, ClassTable, Membership, StringExpression};
use outrigger_wire::Classes;
use outrigger_wire::options::spaces::{Definitions, Universe};
use outrigger_wire::v4::Packet4;
use std::sync::Arc;

enum Kind {
    Plain,
    Test(&'static str),
    Template(&'static str),
    Late(&'static str),
}

fn table(universe: Universe, classes: &[(&str, Kind)], mentioned: &[&str]) -> ClassTable<usize> {
    let definitions = Definitions::standard(universe);
    let test = |text: &str| Membership::Test(BoolExpression::parse(text, definitions).unwrap());
    let classes = classes
        .iter()
        .enumerate()
        .map(|(index, (name, kind))| Class {
            name: (*name).into(),
            membership: match kind {
                Kind::Plain => Membership::Assigned,
                Kind::Test(text) | Kind::Late(text) => test(text),
                Kind::Template(text) => {
                    Membership::Template(StringExpression::parse(text, definitions).unwrap())
                }
            },
            only_in_additional_list: matches!(kind, Kind::Late(_)),
            content: index,
        });
    let mentioned = mentioned.iter().map(|name| Arc::from(*name));
    ClassTable::new(classes.collect(), mentioned, false)
}

fn names(classes: &Classes) -> Vec<String> {
    classes.iter().map(str::to_owned).collect()
}

fn client() -> Asked<Packet4> {
    query4(&[(60, b"MSFT 5.0\0"), (12, b"gold")])
}

#[test]
fn the_first_pass_keeps_the_order_of_the_configuration() {
    let table = table(
        Universe::V4,
        &[
            ("b", Kind::Test("option[12].exists")),
            ("plain", Kind::Plain),
            ("late", Kind::Late("option[12].exists")),
            (
                "a",
                Kind::Test("member('b') and member('VENDOR_CLASS_MSFT%205.0')"),
            ),
            ("not", Kind::Test("not member('a')")),
            ("fails", Kind::Test("addrtotext('x') == ''")),
            ("known", Kind::Test("member('KNOWN')")),
            ("unlike-known", Kind::Test("not member('known')")),
        ],
        &[],
    );
    let mut query = client();
    query.classes.join("from-a-hook".into());
    table.first_pass(&query.packet, &query.link, &mut query.classes);
    assert_eq!(
        names(&query.classes),
        ["ALL", "from-a-hook", "VENDOR_CLASS_MSFT%205.0", "b", "a"]
    );
    let contents: Vec<_> = table
        .joined(&query.classes)
        .map(|class| class.content)
        .collect();
    assert_eq!(contents, [0, 3]);
}

#[test]
fn a_name_of_older_versions_is_joined_where_it_is_asked_about() {
    let table = table(Universe::V4, &[], &["VENDOR_CLASS_MSFT 5.0"]);
    let mut query = client();
    table.first_pass(&query.packet, &query.link, &mut query.classes);
    assert_eq!(
        names(&query.classes),
        ["ALL", "VENDOR_CLASS_MSFT%205.0", "VENDOR_CLASS_MSFT 5.0"]
    );
}

#[test]
fn the_vendor_class_of_dhcpv6_is_its_first_piece() {
    let table = table(Universe::V6, &[("x", Kind::Plain)], &[]);
    let mut query = query6(&[(16, &[0, 0, 0, 9, 0, 2, b'a', b'b', 0, 1, b'c'])], &[]);
    table.first_pass(&query.packet, &query.link, &mut query.classes);
    assert_eq!(names(&query.classes), ["ALL", "VENDOR_CLASS_ab"]);
}

#[test]
fn without_classes_nothing_is_joined() {
    let table = ClassTable::<()>::default();
    let mut query = client();
    table.first_pass(&query.packet, &query.link, &mut query.classes);
    table.second_pass(&query.packet, &query.link, &mut query.classes, None);
    assert_eq!(names(&query.classes), ["ALL"]);
    table.second_pass(
        &query.packet,
        &query.link,
        &mut query.classes,
        Some(&["DROP".into()]),
    );
    assert!(query.classes.contains("DROP"));
}

#[test]
fn a_template_makes_a_class_of_each_value() {
    let table = table(
        Universe::V4,
        &[
            ("SPAWN_host_gold", Kind::Plain),
            ("host", Kind::Template("option[12].hex")),
            ("none", Kind::Template("option[13].hex")),
        ],
        &[],
    );
    let mut query = query4(&[(12, b"gold")]);
    table.first_pass(&query.packet, &query.link, &mut query.classes);
    assert_eq!(names(&query.classes), ["ALL", "SPAWN_host_gold", "host"]);
    let contents: Vec<_> = table
        .joined(&query.classes)
        .map(|class| class.content)
        .collect();
    assert_eq!(contents, [0, 1]);
}

fn reserving() -> ClassTable<usize> {
    table(
        Universe::V4,
        &[
            ("known", Kind::Test("member('KNOWN')")),
            ("stranger", Kind::Test("not member('known')")),
            ("gold", Kind::Plain),
            ("shiny", Kind::Test("member('gold')")),
            ("dull", Kind::Test("not member('gold')")),
            ("host", Kind::Template("ifelse(member('gold'), 'a', 'b')")),
        ],
        &[],
    )
}

#[test]
fn the_second_pass_knows_the_reservation() {
    let table = reserving();
    let mut query = query4(&[]);
    query.classes.join("from-a-hook".into());
    table.first_pass(&query.packet, &query.link, &mut query.classes);
    assert_eq!(
        names(&query.classes),
        ["ALL", "from-a-hook", "dull", "SPAWN_host_b", "host"]
    );
    table.second_pass(
        &query.packet,
        &query.link,
        &mut query.classes,
        Some(&["gold".into()]),
    );
    assert_eq!(
        names(&query.classes),
        [
            "ALL",
            "from-a-hook",
            "gold",
            "shiny",
            "SPAWN_host_a",
            "host",
            "KNOWN",
            "known"
        ]
    );
}

#[test]
fn without_reserved_classes_nothing_is_forgotten() {
    let table = reserving();
    let first = ["ALL", "dull", "SPAWN_host_b", "host"];
    for (reserved, behind) in [
        (None, ["UNKNOWN", "stranger"]),
        (Some(&[][..]), ["KNOWN", "known"]),
    ] {
        let mut query = query4(&[]);
        table.first_pass(&query.packet, &query.link, &mut query.classes);
        table.second_pass(&query.packet, &query.link, &mut query.classes, reserved);
        assert_eq!(names(&query.classes), [&first[..], &behind].concat());
    }
}

#[test]
fn another_reservation_replaces_the_first() {
    let table = reserving();
    let mut query = query4(&[]);
    table.first_pass(&query.packet, &query.link, &mut query.classes);
    table.second_pass(&query.packet, &query.link, &mut query.classes, None);
    table.second_pass(
        &query.packet,
        &query.link,
        &mut query.classes,
        Some(&["gold".into()]),
    );
    assert!(query.classes.contains("KNOWN") && !query.classes.contains("UNKNOWN"));
    assert!(query.classes.contains("shiny") && !query.classes.contains("stranger"));
}

#[test]
fn additional_classes_are_joined_in_the_order_of_the_lists() {
    let table = table(
        Universe::V4,
        &[
            ("late", Kind::Late("option[12].exists")),
            ("never", Kind::Late("option[13].exists")),
            ("plain", Kind::Plain),
        ],
        &[],
    );
    let mut query = client();
    table.first_pass(&query.packet, &query.link, &mut query.classes);
    let lists: [Arc<str>; 4] = [
        "plain".into(),
        "never".into(),
        "nowhere".into(),
        "late".into(),
    ];
    table.additional(&query.packet, &query.link, &mut query.classes, &lists);
    assert_eq!(
        names(&query.classes),
        ["ALL", "VENDOR_CLASS_MSFT%205.0", "plain", "late"]
    );
}
