//! What the API needs to know of a family, and leases as its messages have them.

use crate::served::Served;
use outrigger_config::model::Subnet;
use outrigger_hooks::callouts::{lease4, lease6};
use outrigger_proto::server_v1::{LeaseKey, ListLeasesRequest};
use outrigger_proto::v1;
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::family::{LeaseOwner, Owner4, Owner6, OwnerKey4, Resource6};
use outrigger_wire::{ClientId, Duid, Family, HwAddress, Iaid, Prefix6, V4, V6};
use std::net::{Ipv4Addr, Ipv6Addr};

/// One name of a lease holder.
type Key<F> = <<F as Family>::Owner as LeaseOwner>::Key;

/// What the API needs to know of a family. Nouns only.
pub trait ApiFamily: Served {
    /// Member of the configuration that holds it.
    const TOP: &'static str;
    /// Member that holds the subnets.
    const SUBNETS: &'static str;

    /// A lease as its message.
    fn message(lease: &Lease<Self>) -> v1::Lease;

    /// What is leased.
    ///
    /// # Errors
    /// It is nothing of this family.
    fn resource(address: &[u8], prefix_length: u32) -> Result<Self::Resource, &'static str>;

    /// Whether it is a delegated prefix.
    fn is_prefix(resource: &Self::Resource) -> bool;

    /// Who is to hold a lease, and the hardware address that is known of a holder beside that.
    ///
    /// # Errors
    /// There is no such holder.
    fn owner(lease: &v1::Lease) -> Result<(Self::Owner, HwAddress), &'static str>;

    /// The preferred lifetime of a lease with this valid one, of those wished; 0 is no wish.
    ///
    /// # Errors
    /// There is none, or it is too long.
    fn preferred(subnet: &Subnet<Self>, wish: u32, valid: u32) -> Result<u32, &'static str>;

    /// Whether the holder is one of those.
    fn is_held_by(lease: &Lease<Self>, wanted: &Wanted) -> bool;

    /// A name that all holders have who are wanted.
    fn key(wanted: &Wanted) -> Option<Key<Self>>;
}

/// Which leases are wanted: those that have all of it.
#[derive(Debug, Default)]
pub struct Wanted {
    client_id: Option<ClientId>,
    hw_address: Option<HwAddress>,
    duid: Option<Duid>,
    iaid: Option<Iaid>,
    hostname: Option<String>,
    subnet_id: Option<u32>,
    state: Option<LeaseState>,
}

impl Wanted {
    /// What a request asks for.
    ///
    /// # Errors
    /// The text names the member that cannot be.
    pub(super) fn of(request: &ListLeasesRequest) -> Result<Self, &'static str> {
        let client_id = request
            .client_id
            .as_ref()
            .map(|bytes| ClientId::new(bytes).ok_or("client_id: 2 to 255 bytes"));
        let duid = request
            .duid
            .as_ref()
            .map(|bytes| Duid::new(bytes).ok_or("duid: 3 to 130 bytes"));
        let state = request
            .state
            .map(|number| state(number).ok_or("state: there is none with this number"));
        Ok(Self {
            client_id: client_id.transpose()?,
            hw_address: hw_address(request.hw_address.as_ref())?,
            duid: duid.transpose()?,
            iaid: request.iaid.map(Iaid),
            hostname: request.hostname.as_ref().map(|name| name.to_lowercase()),
            subnet_id: request.subnet_id,
            state: state.transpose()?,
        })
    }

    /// Whether a lease is one of them.
    pub(super) fn has<F: ApiFamily>(&self, lease: &Lease<F>) -> bool {
        self.subnet_id.is_none_or(|id| id == lease.subnet_id)
            && self.state.is_none_or(|state| state == lease.state)
            && self
                .hostname
                .as_ref()
                .is_none_or(|name| **name == *lease.hostname)
            && F::is_held_by(lease, self)
    }
}

impl ApiFamily for V4 {
    const TOP: &'static str = "Dhcp4";
    const SUBNETS: &'static str = "subnet4";

    fn message(lease: &Lease<Self>) -> v1::Lease {
        lease4(lease)
    }

    fn resource(address: &[u8], prefix_length: u32) -> Result<Ipv4Addr, &'static str> {
        let octets = <[u8; 4]>::try_from(address).map_err(|_| "address: 4 bytes in DHCPv4")?;
        match prefix_length {
            0 | 32 => Ok(octets.into()),
            _ => Err("prefix_length: DHCPv4 leases no prefixes"),
        }
    }

    fn is_prefix(_: &Ipv4Addr) -> bool {
        false
    }

    fn owner(lease: &v1::Lease) -> Result<(Owner4, HwAddress), &'static str> {
        if !matches!(
            lease.r#type(),
            v1::LeaseType::Unspecified | v1::LeaseType::V4
        ) {
            return Err("type: LEASE_TYPE_V4 in DHCPv4");
        }
        if !lease.duid.is_empty() || lease.iaid != 0 {
            return Err("duid, iaid: of DHCPv6 only");
        }
        let hw_address = hw_address(lease.hw_address.as_ref())?.ok_or("hw_address: missing")?;
        let client_id = match &lease.client_id[..] {
            [] => None,
            bytes => Some(ClientId::new(bytes).ok_or("client_id: 2 to 255 bytes")?),
        };
        let owner = Owner4 {
            hw_address,
            client_id,
        };
        Ok((owner, HwAddress::EMPTY))
    }

    fn preferred(_: &Subnet<Self>, wish: u32, _: u32) -> Result<u32, &'static str> {
        match wish {
            0 => Ok(0),
            _ => Err("preferred_lifetime: of DHCPv6 only"),
        }
    }

    fn is_held_by(lease: &Lease<Self>, wanted: &Wanted) -> bool {
        let owner = &lease.owner;
        wanted.client_id.is_none_or_eq(owner.client_id.as_ref())
            && wanted.hw_address.is_none_or_eq(Some(&owner.hw_address))
            && wanted.duid.is_none()
            && wanted.iaid.is_none()
    }

    fn key(wanted: &Wanted) -> Option<OwnerKey4> {
        let client_id = wanted.client_id.clone().map(OwnerKey4::ClientId);
        client_id.or_else(|| wanted.hw_address.map(OwnerKey4::HwAddress))
    }
}

impl ApiFamily for V6 {
    const TOP: &'static str = "Dhcp6";
    const SUBNETS: &'static str = "subnet6";

    fn message(lease: &Lease<Self>) -> v1::Lease {
        lease6(lease)
    }

    fn resource(address: &[u8], prefix_length: u32) -> Result<Resource6, &'static str> {
        let octets = <[u8; 16]>::try_from(address).map_err(|_| "address: 16 bytes in DHCPv6")?;
        let address = Ipv6Addr::from(octets);
        match prefix_length {
            0 => Ok(Resource6::Address(address)),
            len => {
                let len = u8::try_from(len).map_err(|_| "prefix_length: at most 128")?;
                let prefix = Prefix6::new(address, len).ok_or("prefix_length: at most 128")?;
                let whole = prefix.addr == address;
                whole
                    .then_some(Resource6::Prefix(prefix))
                    .ok_or("address: bits behind prefix_length are set")
            }
        }
    }

    fn is_prefix(resource: &Resource6) -> bool {
        matches!(resource, Resource6::Prefix(_))
    }

    fn owner(lease: &v1::Lease) -> Result<(Owner6, HwAddress), &'static str> {
        if !lease.client_id.is_empty() {
            return Err("client_id: of DHCPv4 only");
        }
        let owner = Owner6 {
            duid: Duid::new(&lease.duid).ok_or("duid: 3 to 130 bytes")?,
            iaid: Iaid(lease.iaid),
        };
        Ok((
            owner,
            hw_address(lease.hw_address.as_ref())?.unwrap_or_default(),
        ))
    }

    fn preferred(subnet: &Subnet<Self>, wish: u32, valid: u32) -> Result<u32, &'static str> {
        match wish {
            0 => Ok(subnet.own.preferred_lifetime.default.min(valid)),
            wish if wish <= valid => Ok(wish),
            _ => Err("preferred_lifetime: longer than the valid one"),
        }
    }

    fn is_held_by(lease: &Lease<Self>, wanted: &Wanted) -> bool {
        wanted.duid.is_none_or_eq(Some(&lease.owner.duid))
            && wanted.iaid.is_none_or_eq(Some(&lease.owner.iaid))
            && wanted.hw_address.is_none_or_eq(Some(&lease.hw_address))
            && wanted.client_id.is_none()
    }

    fn key(wanted: &Wanted) -> Option<Owner6> {
        Some(Owner6 {
            duid: wanted.duid.clone()?,
            iaid: wanted.iaid?,
        })
    }
}

/// Whether something wanted is there.
trait IsNoneOrEq<T> {
    fn is_none_or_eq(&self, there: Option<&T>) -> bool;
}

impl<T: PartialEq> IsNoneOrEq<T> for Option<T> {
    fn is_none_or_eq(&self, there: Option<&T>) -> bool {
        self.as_ref().is_none_or(|wanted| Some(wanted) == there)
    }
}

/// The resource that a key names.
///
/// # Errors
/// The text names the member that cannot be.
pub(super) fn resource<F: ApiFamily>(key: Option<&LeaseKey>) -> Result<F::Resource, &'static str> {
    let key = key.ok_or("key: missing")?;
    F::resource(&key.address, key.prefix_length)
}

/// The resource that a lease is of. In a message of a lease an address has a length as well.
///
/// # Errors
/// The text names the member that cannot be.
pub(super) fn resource_of<F: ApiFamily>(lease: &v1::Lease) -> Result<F::Resource, &'static str> {
    match (lease.r#type(), lease.prefix_length) {
        (v1::LeaseType::Pd, 0) => Err("prefix_length: missing"),
        (v1::LeaseType::Pd, length) => F::resource(&lease.address, length),
        (_, 0 | 32 | 128) => F::resource(&lease.address, 0),
        _ => Err("prefix_length: of LEASE_TYPE_PD only"),
    }
}

fn hw_address(message: Option<&v1::HwAddress>) -> Result<Option<HwAddress>, &'static str> {
    const WANTED: &str = "hw_address: htype up to 65535 and 1 to 20 bytes";
    let Some(message) = message else {
        return Ok(None);
    };
    let htype = u16::try_from(message.htype).map_err(|_| WANTED)?;
    let address = HwAddress::new(htype, &message.address).filter(|address| !address.is_empty());
    address.map(Some).ok_or(WANTED)
}

/// The state of this number.
pub(super) fn state(number: i32) -> Option<LeaseState> {
    u8::try_from(number)
        .ok()
        .and_then(|number| LeaseState::try_from(number).ok())
}
