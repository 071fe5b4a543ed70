use super::*;
use crate::identifier::IdentifierType;

const GOOD: &str = r#"{"type":"HW_ADDR","id":"01:02:03"}"#;

struct Fixture {
    folder: tempfile::TempDir,
    registry: Registry,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::new(folder.path().join("reg.txt"), Arc::default());
        Self { folder, registry }
    }

    fn write(&self, content: &str) {
        std::fs::write(self.folder.path().join("reg.txt"), content).unwrap();
    }

    fn knows(&self, bytes: &[u8]) -> bool {
        let version = self.registry.current().expect("a version in force");
        version.users.find(IdentifierType::HwAddr, bytes).is_some()
    }
}

#[test]
fn a_missing_registry_is_named_and_becomes_ready_when_it_appears() {
    let fixture = Fixture::new();
    let ready = fixture.registry.readiness();
    assert_eq!(fixture.registry.refresh(), Refresh::Refused);
    let problem = fixture.registry.problem().unwrap();
    assert!(problem.contains("reg.txt: No such file"), "{problem}");
    assert!(!*ready.borrow());

    fixture.write(GOOD);
    assert_eq!(fixture.registry.refresh(), Refresh::Loaded);
    assert_eq!(fixture.registry.problem(), None);
    assert!(*ready.borrow());
    assert!(fixture.knows(&[1, 2, 3]));
}

#[test]
fn a_registry_that_is_broken_at_the_start_names_its_lines() {
    let fixture = Fixture::new();
    fixture.write(&format!("{GOOD}\n{{\"type\":\"OTHER\",\"id\":\"01\"}}\n"));
    assert_eq!(fixture.registry.refresh(), Refresh::Refused);
    let problem = fixture.registry.problem().unwrap();
    assert!(
        problem.contains("reg.txt: line 2: type \"OTHER\""),
        "{problem}"
    );
    assert!(
        fixture.registry.current().is_none(),
        "line 1 does not count"
    );
    assert!(!*fixture.registry.readiness().borrow());
}

#[test]
fn a_bad_new_version_leaves_the_last_good_one_in_force() {
    let fixture = Fixture::new();
    fixture.write(GOOD);
    fixture.registry.refresh();
    let newcomer = r#"{"type":"HW_ADDR","id":"0a0b0c"}"#;
    for broken in [
        format!("{newcomer}\n{{\"type\":\"HW_ADDR\",\"id\":\"0102"),
        format!("{newcomer}\n{newcomer}\n"),
        format!("{newcomer}\n{{\"type\":\"OTHER\",\"id\":\"01\"}}"),
    ] {
        fixture.write(&broken);
        assert_eq!(fixture.registry.refresh(), Refresh::Refused);
        assert!(
            fixture
                .registry
                .problem()
                .is_some_and(|p| p.contains("line 2"))
        );
        assert!(fixture.knows(&[1, 2, 3]));
        assert!(
            !fixture.knows(&[0x0a, 0x0b, 0x0c]),
            "line 1 does not leak in"
        );
        assert!(*fixture.registry.readiness().borrow(), "it still decides");
    }
    fixture.write(newcomer);
    assert_eq!(fixture.registry.refresh(), Refresh::Loaded);
    assert!(fixture.knows(&[0x0a, 0x0b, 0x0c]));
    assert!(!fixture.knows(&[1, 2, 3]));
}

#[test]
fn a_registry_that_was_removed_stays_in_force() {
    let fixture = Fixture::new();
    fixture.write(GOOD);
    fixture.registry.refresh();
    std::fs::remove_file(fixture.registry.path()).unwrap();
    assert_eq!(fixture.registry.refresh(), Refresh::Refused);
    assert!(fixture.knows(&[1, 2, 3]));
}

#[test]
fn one_change_is_one_reload_or_one_alarm() {
    let fixture = Fixture::new();
    fixture.write(GOOD);
    assert_eq!(fixture.registry.refresh(), Refresh::Loaded);
    fixture.write(GOOD);
    assert_eq!(fixture.registry.refresh(), Refresh::Unchanged);
    fixture.write("nonsense");
    assert_eq!(fixture.registry.refresh(), Refresh::Refused);
    assert_eq!(fixture.registry.refresh(), Refresh::Unchanged);
    fixture.write(GOOD);
    assert_eq!(fixture.registry.refresh(), Refresh::Loaded);
    let counters = &fixture.registry.counters;
    assert_eq!(Counters::value(&counters.reloads), 2);
    assert_eq!(Counters::value(&counters.refused_reloads), 1);
}

#[test]
fn a_folder_is_no_registry() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(folder.path(), Arc::default());
    assert_eq!(registry.refresh(), Refresh::Refused);
    let problem = registry.problem().unwrap();
    assert!(problem.contains("not an ordinary file"), "{problem}");
}

#[test]
fn a_version_that_is_looked_at_survives_a_reload() {
    let fixture = Fixture::new();
    fixture.write(GOOD);
    fixture.registry.refresh();
    let before = fixture.registry.current().unwrap();
    fixture.write("");
    fixture.registry.refresh();
    assert!(
        before
            .users
            .find(IdentifierType::HwAddr, &[1, 2, 3])
            .is_some()
    );
    let after = fixture.registry.current().unwrap();
    assert_eq!((before.number, after.number), (1, 2));
    assert!(after.users.is_empty());
}
