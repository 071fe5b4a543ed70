//! Leases in memory, in front of a journal on stable storage.
