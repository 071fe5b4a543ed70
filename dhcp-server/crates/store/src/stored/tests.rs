use super::*;
use crate::battery::Sample;
use proptest::prelude::*;

fn bytes_of<F: Sample>(lease: &Lease<F>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_lease(lease, &mut bytes);
    bytes
}

fn reads_back<F: Sample>(lease: &Lease<F>) {
    let bytes = bytes_of(lease);
    let mut rest = bytes.as_slice();
    assert_eq!(read_lease(&mut rest).as_ref(), Some(lease));
    assert!(rest.is_empty());
    for len in 0..bytes.len() {
        assert_eq!(
            read_lease::<F>(&mut &bytes[..len]),
            None,
            "cut to {len} bytes"
        );
    }
}

#[test]
fn leases_at_their_limits_read_back() {
    let long = ClientId::new(&[7; 255]);
    reads_back(&Lease {
        owner: Owner4 {
            hw_address: HwAddress::EMPTY,
            client_id: long,
        },
        ..V4::lease(1)
    });
    let widest = HwAddress::new(u16::MAX, &[9; HwAddress::MAX]).unwrap();
    reads_back(&Lease {
        owner: Owner4 {
            hw_address: widest,
            client_id: None,
        },
        ..V4::lease(1)
    });
    let duid = Duid::new(&[7; Duid::MAX]).unwrap();
    reads_back(&Lease {
        owner: Owner6 {
            duid,
            iaid: Iaid(u32::MAX),
        },
        hw_address: HwAddress::EMPTY,
        ..V6::lease(1)
    });
    let numbers = Lease {
        subnet_id: u32::MAX,
        pool_id: 128,
        cltt: u64::MAX,
        valid_lifetime: u32::MAX,
        ..V6::lease(2)
    };
    reads_back(&Lease {
        state: LeaseState::Registered,
        user_context: "ü".repeat(300).into(),
        ..numbers
    });
}

#[test]
fn a_lease_as_most_are_takes_few_bytes() {
    let lease = Lease {
        user_context: "".into(),
        ..V4::lease(1)
    };
    assert!(
        bytes_of(&lease).len() < 70,
        "{} bytes",
        bytes_of(&lease).len()
    );
}

proptest! {
    #[test]
    fn numbers_read_back(value in any::<u32>()) {
        let mut bytes = Vec::new();
        write_varint(value, &mut bytes);
        prop_assert_eq!(read_varint(&mut bytes.as_slice()), Some(value));
    }

    /// Whatever reads, writes back to the same lease.
    #[test]
    fn any_bytes_are_a_lease_or_none(
        at in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 1..4),
        n in 0_u32..9,
    ) {
        let mut bytes4 = bytes_of(&V4::lease(n));
        let start = at.index(bytes4.len());
        bytes4.splice(start..(start + noise.len()).min(bytes4.len()), noise.clone());
        if let Some(lease) = read_lease::<V4>(&mut bytes4.as_slice()) {
            reads_back(&lease);
        }
        let mut bytes6 = bytes_of(&V6::lease(n));
        let start = at.index(bytes6.len());
        bytes6.splice(start..(start + noise.len()).min(bytes6.len()), noise);
        if let Some(lease) = read_lease::<V6>(&mut bytes6.as_slice()) {
            reads_back(&lease);
        }
    }
}
