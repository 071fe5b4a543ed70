//! The DHCPv4 and DHCPv6 server.
