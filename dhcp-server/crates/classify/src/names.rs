//! Names of classes that exist without being defined.

/// Beginning of the name that a DHCPv4 option 60 or a DHCPv6 vendor class makes.
pub const VENDOR_CLASS: &str = "VENDOR_CLASS_";
/// Clients with a reservation.
pub const KNOWN: &str = "KNOWN";
/// Clients without a reservation.
pub const UNKNOWN: &str = "UNKNOWN";
/// Members get no answer.
pub const DROP: &str = "DROP";

/// Whether a condition may ask about this class although it is defined nowhere: `ALL`, `KNOWN`, `UNKNOWN`, `BOOTP`, and
/// those that the server, its partners or hook services name.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    const PREFIXES: [&str; 4] = [VENDOR_CLASS, "HA_", "AFTER_", "EXTERNAL_"];
    matches!(name, "ALL" | KNOWN | UNKNOWN | "BOOTP")
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Appends what a client sent, as Kea writes it in the name of a class since 3.3: a byte other than letters, digits and
/// `!#$&*+-./:?@^_|~` as `%` and two hexadecimal digits, `%` as `%%`.
pub(crate) fn push_escaped(name: &mut impl Extend<u8>, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in value {
        match byte {
            b'%' => name.extend(*b"%%"),
            _ if byte.is_ascii_alphanumeric() || b"!#$&*+-./:?@^_|~".contains(byte) => {
                name.extend([*byte]);
            }
            _ => name.extend([
                b'%',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sends_is_printable_in_the_name_of_a_class() {
        let cases: [(&[u8], &str); 4] = [
            (b"MSFT 5.0", "MSFT%205.0"),
            (b"a%b", "a%%b"),
            (b"PXEClient:Arch:00000", "PXEClient:Arch:00000"),
            (&[0, 0xff, b'\''], "%00%ff%27"),
        ];
        for (value, expected) in cases {
            let mut name = Vec::new();
            push_escaped(&mut name, value);
            assert_eq!(name, expected.as_bytes());
        }
    }

    #[test]
    fn built_in_are_exact_names_and_beginnings() {
        for name in [
            "ALL",
            "KNOWN",
            "UNKNOWN",
            "BOOTP",
            "VENDOR_CLASS_x",
            "HA_a",
            "AFTER_b",
            "EXTERNAL_c",
        ] {
            assert!(is_built_in(name), "{name}");
        }
        for name in ["all", "KNOWNS", "DROP", "SKIP_DDNS", "SPAWN_a_b", "REJECT"] {
            assert!(!is_built_in(name), "{name}");
        }
    }
}
