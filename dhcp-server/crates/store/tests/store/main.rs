//! Whole stores, on real disks, on disks that forget and on disks that fail.

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod battery;
#[cfg(test)]
mod common;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod recovery;
