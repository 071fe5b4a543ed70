use super::*;
use crate::LeaseState;
use crate::lease::INFINITE;
use outrigger_wire::family::Resource6;
use outrigger_wire::{V4, V6};
use tempfile::TempDir;

const HEADER4: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,\
                       user_context,pool_id";
const HEADER6: &str = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,\
                       fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id";

fn directory(files: &[(&str, &[&str])]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    for (name, lines) in files {
        fs::write(directory.path().join(name), lines.join("\n") + "\n").unwrap();
    }
    let path = directory.path().join("kea-leases.csv");
    (directory, path)
}

fn import4(lines: &[&str]) -> Result<Vec<Lease<V4>>, ImportError> {
    let (_directory, path) = directory(&[("kea-leases.csv", lines)]);
    import(&path)
}

fn import6(lines: &[&str]) -> Result<Vec<Lease<V6>>, ImportError> {
    let (_directory, path) = directory(&[("kea-leases.csv", lines)]);
    import(&path)
}

#[test]
fn every_column_of_a_dhcp4_row_is_taken() {
    let row = "192.0.2.7,02:00:00:00:00:07,01:02:03,3600,1700003600,5,1,0,Host&#x2cA,1,{\"a\": 1&#x2c\"b\": \"&#x26\"},9";
    let leases = import4(&[HEADER4, row]).unwrap();
    let lease = &leases[0];
    assert_eq!(lease.resource.to_string(), "192.0.2.7");
    assert_eq!(
        lease.owner.to_string(),
        "[hwtype=1 02:00:00:00:00:07], cid=[01:02:03]"
    );
    assert_eq!(
        (
            lease.cltt,
            lease.valid_lifetime,
            lease.subnet_id,
            lease.pool_id
        ),
        (1_700_000_000, 3600, 5, 9)
    );
    assert_eq!(
        (lease.fqdn_fwd, lease.fqdn_rev, lease.state),
        (true, false, LeaseState::Declined)
    );
    assert_eq!(
        (&*lease.hostname, &*lease.user_context),
        ("host,a", r#"{"a": 1,"b": "&"}"#)
    );
}

#[test]
fn every_column_of_a_dhcp6_row_is_taken() {
    let rows = [
        HEADER6,
        "2001:db8::7,00:03:00:01:02:00,4294967295,4294967294,5,1800,0,17,128,0,1,h,02:00:00:00:00:07,2,,6,1,3",
        "2001:db8:1::,00:03:00:01:02:00,60,1700000060,6,30,2,18,56,0,0,,,0,,,,",
    ];
    let leases = import6(&rows).unwrap();
    assert_eq!(
        leases[0].resource,
        Resource6::Address("2001:db8::7".parse().unwrap())
    );
    assert_eq!(
        leases[0].owner.to_string(),
        "duid=[00:03:00:01:02:00], iaid=17"
    );
    assert_eq!(
        (leases[0].valid_lifetime, leases[0].preferred_lifetime),
        (INFINITE, 1800)
    );
    assert_eq!(
        (leases[0].hw_address.htype(), leases[0].state),
        (6, LeaseState::ExpiredReclaimed)
    );
    assert_eq!(leases[1].resource.to_string(), "2001:db8:1::/56");
    assert_eq!((leases[1].cltt, leases[1].pool_id), (1_700_000_000, 0));
}

#[test]
fn files_of_older_versions_have_fewer_columns() {
    let header =
        "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname";
    let leases = import4(&[header, "192.0.2.7,02:00,,60,1700000060,5,0,0,h"]).unwrap();
    assert_eq!(
        (leases[0].state, leases[0].pool_id),
        (LeaseState::Default, 0)
    );
    let newer = format!("{HEADER4},colour");
    assert_eq!(
        import4(&[&newer, "192.0.2.7,02:00,,60,1700000060,5,0,0,h,0,,0,blue"])
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn declined_leases_without_a_holder_are_taken() {
    assert_eq!(
        import4(&[HEADER4, "192.0.2.7,,,60,1700000060,5,0,0,,1,,0"])
            .unwrap()
            .len(),
        1
    );
    for duid in ["00", "00:00:00"] {
        let row = format!("2001:db8::7,{duid},60,1700000060,5,30,0,17,128,0,0,,,1,,,,0");
        assert_eq!(
            import6(&[HEADER6, &row]).unwrap()[0].owner.duid.bytes(),
            [0, 0, 0]
        );
    }
}

#[test]
fn a_row_that_makes_no_sense_is_named_by_file_and_line() {
    let good = "192.0.2.7,02:00,,60,1700000060,5,0,0,h,0,,0";
    for bad in [
        "192.0.2.777,02:00,,60,1700000060,5,0,0,h,0,,0",
        "192.0.2.7,02:0g,,60,1700000060,5,0,0,h,0,,0",
        "192.0.2.7,02:00,01,60,1700000060,5,0,0,h,0,,0",
        "192.0.2.7,02:00,,60,59,5,0,0,h,0,,0",
        "192.0.2.7,02:00,,60,1700000060,5,0,0,h,9,,0",
        "192.0.2.7,02:00,,60,17000",
        ",,,,,,,,,,,",
    ] {
        let error = import4(&[HEADER4, good, bad]).unwrap_err();
        assert!(
            matches!(error, ImportError::Line { line: 3, .. }),
            "{bad}: {error}"
        );
        assert!(error.to_string().contains("kea-leases.csv:3: "), "{error}");
    }
    let temporary = "2001:db8::7,00:03:00,60,1700000060,5,30,1,17,128,0,0,,,0,,,,0";
    let unmasked = "2001:db8::7,00:03:00,60,1700000060,5,30,2,17,64,0,0,,,0,,,,0";
    let too_long = "2001:db8::,00:03:00,60,1700000060,5,30,2,17,129,0,0,,,0,,,,0";
    for bad in [temporary, unmasked, too_long] {
        assert!(
            matches!(
                import6(&[HEADER6, bad]),
                Err(ImportError::Line { line: 2, .. })
            ),
            "{bad}"
        );
    }
}

#[test]
fn columns_of_the_other_protocol_are_refused() {
    assert!(matches!(
        import4(&[HEADER6]),
        Err(ImportError::Line { line: 1, .. })
    ));
    assert!(matches!(
        import6(&[HEADER4]),
        Err(ImportError::Line { line: 1, .. })
    ));
}

#[test]
fn escapes_that_are_none_stay_as_they_are() {
    for (text, plain) in [
        ("&#x2", "&#x2"),
        ("a&#xzz&#x2c", "a&#xzz,"),
        ("&#x+5", "&#x+5"),
        ("&#xé", "&#xé"),
        ("&", "&"),
    ] {
        let row = format!("192.0.2.7,02:00,,60,1700000060,5,0,0,{text},0,,0");
        assert_eq!(&*import4(&[HEADER4, &row]).unwrap()[0].hostname, plain);
    }
}

fn row(address: &str, lifetime: u32) -> String {
    format!("{address},02:00,,{lifetime},1700000060,5,0,0,,0,,0")
}

#[test]
fn the_last_row_of_an_address_counts_across_all_files() {
    let (a, b, c) = (
        row("192.0.2.1", 60),
        row("192.0.2.2", 60),
        row("192.0.2.3", 60),
    );
    let (gone, longer) = (row("192.0.2.1", 0), row("192.0.2.2", 90));
    let old: (&str, &[&str]) = ("kea-leases.csv.2", &[HEADER4, &a, &b]);
    let copied: (&str, &[&str]) = ("kea-leases.csv.1", &[HEADER4, &gone, &c]);
    let current: (&str, &[&str]) = ("kea-leases.csv", &[HEADER4, &longer]);
    let (_directory, path) = directory(&[old, copied, current]);
    let leases = import::<V4>(&path).unwrap();
    let found: Vec<(String, u32)> = leases
        .iter()
        .map(|lease| (lease.resource.to_string(), lease.valid_lifetime))
        .collect();
    assert_eq!(
        found,
        [("192.0.2.2".to_owned(), 90), ("192.0.2.3".to_owned(), 60)]
    );
    assert_eq!(kea_lease_file_has_leases(&path).unwrap(), Some(2));
    // A finished cleanup holds everything that the two older files held.
    fs::write(companion(&path, ".completed"), format!("{HEADER4}\n{c}\n")).unwrap();
    fs::write(companion(&path, ".1"), "half a li").unwrap();
    assert_eq!(import::<V4>(&path).unwrap().len(), 2);
    assert_eq!(kea_lease_file_has_leases(&path).unwrap(), Some(2));
}

#[test]
fn a_file_without_leases_differs_from_no_file() {
    let (_empty, path) = directory(&[("kea-leases.csv", &[HEADER6])]);
    assert_eq!(kea_lease_file_has_leases(&path).unwrap(), Some(0));
    let (_none, path) = directory(&[]);
    assert_eq!(kea_lease_file_has_leases(&path).unwrap(), None);
    assert!(matches!(
        import::<V4>(&path),
        Err(ImportError::Unreadable { .. })
    ));
}

#[test]
fn a_cleanup_at_work_is_waited_for() {
    let (_directory, path) = directory(&[("kea-leases.csv", &[HEADER4])]);
    fs::write(companion(&path, ".pid"), std::process::id().to_string()).unwrap();
    assert!(matches!(import::<V4>(&path), Err(ImportError::Busy { .. })));
    fs::write(companion(&path, ".pid"), "4194399").unwrap();
    assert_eq!(import::<V4>(&path).unwrap().len(), 0);
}
