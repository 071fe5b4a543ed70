//! DHCPv4 and DHCPv6 packets as bytes: header views, option indexes and option definitions.
