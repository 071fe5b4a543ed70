//! What a DHCP server and its hook services agree on: the protocol and the table of hook points.
