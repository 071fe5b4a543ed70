//! Whole-system tests: private network namespaces, real DHCP clients, the demo.
