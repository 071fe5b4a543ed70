//! `server-api` of a hook service: what it may ask of the server.

macro_rules! grants {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What a hook service may ask of the server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Grant {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Grant {
            /// Each with its name, by name.
            pub const ALL: &[(&str, Self)] = &[$(($name, Self::$variant),)+];

            /// As in the configuration.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

grants! {
    /// The running configuration and its revisions.
    ConfigurationRead = "configuration:read",
    /// Reservations of the running configuration.
    HostsRead = "hosts:read",
    /// To add, change and remove them.
    HostsWrite = "hosts:write",
    /// Leases.
    LeasesRead = "leases:read",
    /// To add, change and remove them.
    LeasesWrite = "leases:write",
    /// Whether the server serves.
    ServiceStateRead = "service-state:read",
    /// To disable and enable it.
    ServiceStateWrite = "service-state:write",
    /// Counters of services.
    StatisticsRead = "statistics:read",
    /// To count.
    StatisticsWrite = "statistics:write",
}
