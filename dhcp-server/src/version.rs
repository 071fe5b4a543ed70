//! What this program is.

/// The version alone.
pub const SHORT: &str = env!("CARGO_PKG_VERSION");

/// The version and what belongs to it.
#[must_use]
pub fn extended() -> String {
    let protocol = outrigger_proto::PROTOCOL_VERSION;
    format!("{SHORT}\nOutrigger DHCP server, hook protocol {protocol}")
}

/// How it was built.
#[must_use]
pub fn build() -> String {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{SHORT}\n{profile} build for {arch}-{os}\nlease stores: memfile (journal)")
}
