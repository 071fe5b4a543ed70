//! The registry follows its file while packets are served.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use user_chk::counters::Counters;
use user_chk::identifier::IdentifierType;
use user_chk::registry::{Registry, Watch, WatchSettings};

/// What every change has: the first packet a second after the write sees it. Doubled, for busy machines.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(2);

struct Fixture {
    registry: Arc<Registry>,
    counters: Arc<Counters>,
    path: PathBuf,
    _watch: Watch,
    folder: tempfile::TempDir,
}

fn start(settings: WatchSettings, content: &str) -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("registry.txt");
    fs::write(&path, content).expect("written");
    let counters = Arc::new(Counters::default());
    let registry = Arc::new(Registry::new(&path, Arc::clone(&counters)));
    registry.refresh();
    let watch = Watch::start(Arc::clone(&registry), settings).expect("a thread");
    Fixture {
        registry,
        counters,
        path,
        _watch: watch,
        folder,
    }
}

fn only_looking() -> WatchSettings {
    WatchSettings {
        notify: false,
        ..Default::default()
    }
}

fn both() -> [WatchSettings; 2] {
    [WatchSettings::default(), only_looking()]
}

fn user(last: u8) -> String {
    format!("{{\"type\":\"HW_ADDR\",\"id\":\"0102{last:02x}\"}}\n")
}

impl Fixture {
    fn knows(&self, last: u8) -> bool {
        let version = self.registry.current().expect("a version in force");
        version
            .users
            .find(IdentifierType::HwAddr, &[1, 2, last])
            .is_some()
    }

    fn wait_until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let limit = Instant::now() + IN_FORCE_WITHIN;
        while !reached(self) {
            assert!(Instant::now() < limit, "not in time: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Writes beside the file and renames, as editors and deployments do.
    fn replace(&self, content: &str) {
        let new = self.folder.path().join("registry.txt.new");
        fs::write(&new, content).expect("written");
        fs::rename(&new, &self.path).expect("renamed");
    }
}

#[test]
fn a_file_that_is_replaced_by_renaming_is_in_force_in_a_second() {
    for settings in both() {
        let fixture = start(settings, &user(1));
        for last in 2..5 {
            fixture.replace(&user(last));
            fixture.wait_until("the new user", |fixture| fixture.knows(last));
            assert!(!fixture.knows(last - 1));
        }
    }
}

#[test]
fn a_file_that_is_written_in_place_is_in_force_in_a_second() {
    for settings in both() {
        let fixture = start(settings, &user(1));
        fs::write(&fixture.path, user(1) + &user(2)).expect("written");
        fixture.wait_until("the second user", |fixture| fixture.knows(2));
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(&fixture.path)
            .expect("opened");
        std::io::Write::write_all(&mut file, user(3).as_bytes()).expect("appended");
        fixture.wait_until("the third user", |fixture| fixture.knows(3));
        assert!(fixture.knows(1));
    }
}

#[test]
fn a_writer_that_pauses_within_a_line_is_let_finish() {
    let fixture = start(WatchSettings::default(), &user(1));
    let (start, rest) = (user(2), user(3));
    let (half, other_half) = rest.split_at(10);
    fs::write(&fixture.path, start + half).expect("written");
    std::thread::sleep(Duration::from_millis(50));
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(&fixture.path)
        .expect("opened");
    std::io::Write::write_all(&mut file, other_half.as_bytes()).expect("appended");
    fixture.wait_until("the whole file", |fixture| fixture.knows(3));
    assert_eq!(Counters::value(&fixture.counters.refused_reloads), 0);
}

#[test]
fn a_removed_file_leaves_the_last_version_until_it_is_back() {
    for settings in both() {
        let fixture = start(settings, &user(1));
        fs::remove_file(&fixture.path).expect("removed");
        fixture.wait_until("the alarm", |fixture| fixture.registry.problem().is_some());
        assert!(fixture.knows(1));
        fs::write(&fixture.path, user(2)).expect("written");
        fixture.wait_until("the file is back", |fixture| fixture.knows(2));
        assert_eq!(fixture.registry.problem(), None);
    }
}

#[test]
fn a_broken_file_leaves_the_last_version_and_raises_one_alarm() {
    let fixture = start(WatchSettings::default(), &user(1));
    fixture.replace(&(user(2) + "{\"type\":\"HW_ADDR\",\"id\":\"01"));
    fixture.wait_until("the alarm", |fixture| fixture.registry.problem().is_some());
    std::thread::sleep(Duration::from_millis(1200));
    assert!(fixture.knows(1) && !fixture.knows(2));
    assert_eq!(Counters::value(&fixture.counters.refused_reloads), 1);
    fixture.replace(&user(2));
    fixture.wait_until("the repaired file", |fixture| fixture.knows(2));
}

#[test]
fn a_registry_whose_folder_appears_later_becomes_ready() {
    for settings in both() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("later/registry.txt");
        let counters = Arc::new(Counters::default());
        let registry = Arc::new(Registry::new(&path, Arc::clone(&counters)));
        registry.refresh();
        let watch = Watch::start(Arc::clone(&registry), settings).expect("a thread");
        assert!(registry.current().is_none());
        fs::create_dir(folder.path().join("later")).expect("made");
        fs::write(&path, user(1)).expect("written");
        let fixture = Fixture {
            registry,
            counters,
            path,
            _watch: watch,
            folder,
        };
        fixture.wait_until("ready", |fixture| fixture.registry.current().is_some());
        fixture.replace(&user(2));
        fixture.wait_until("a change", |fixture| fixture.knows(2));
    }
}

#[test]
fn a_symbolic_link_that_is_turned_is_followed() {
    let fixture = start(WatchSettings::default(), "");
    let elsewhere = tempfile::tempdir().expect("a folder");
    for last in [1, 2] {
        let version = elsewhere.path().join(last.to_string());
        fs::write(&version, user(last)).expect("written");
        let link = fixture.folder.path().join("link");
        std::os::unix::fs::symlink(&version, &link).expect("linked");
        fs::rename(&link, &fixture.path).expect("renamed");
        fixture.wait_until("the link's file", |fixture| fixture.knows(last));
    }
}

#[test]
fn what_happens_beside_the_file_costs_no_reading() {
    let fixture = start(WatchSettings::default(), &user(1));
    let before = fixture.registry.current().expect("in force").number;
    for _ in 0..20 {
        fs::write(fixture.folder.path().join("outcome.txt"), "x").expect("written");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(fixture.registry.current().expect("in force").number, before);
    assert_eq!(Counters::value(&fixture.counters.reloads), 1);
}
