//! Examples of values of every standard option, made and read with the server's own codec.
//!
//! One JSON object per line: `hex` is the payload, `text` what the server makes of it, `data` the configured value that
//! it was encoded from (where it was). Where `text` is null the payload must be refused, for the reason in `problem`.

use crate::{UNIVERSES, family, spaces};
use outrigger_wire::options::codec::{encode, typed_text};
use outrigger_wire::options::defs::{Definition, OptionType};
use outrigger_wire::options::spaces::{Definitions, Universe, append_sub_option};
use std::collections::HashSet;
use std::error::Error;
use std::fmt::Write;

/// An option of one space.
struct Place {
    universe: Universe,
    space: &'static str,
    definition: &'static Definition,
}

/// Lines of the file, and what is in it already.
#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    seen: HashSet<String>,
}

pub(crate) fn file() -> Result<String, Box<dyn Error>> {
    let mut lines = Lines::default();
    for universe in UNIVERSES {
        for (space, rows) in spaces(universe) {
            for definition in rows {
                let place = Place {
                    universe,
                    space,
                    definition,
                };
                let before = lines.lines.len();
                well_formed(&place, &mut lines)?;
                if lines.lines.len() == before {
                    return Err(format!("{space} {}: no example", definition.name).into());
                }
                malformed(&place, &mut lines)?;
            }
        }
    }
    Ok(format!("[\n{}\n]\n", lines.lines.join(",\n")))
}

fn well_formed(place: &Place, lines: &mut Lines) -> Result<(), Box<dyn Error>> {
    for data in configured(place.universe, place.definition) {
        let encoded = encode(place.universe, place.definition, &data)
            .map_err(|error| format!("{} {data:?}: {error}", place.definition.name))?;
        lines.value(place, Some(&data), &encoded.payload)?;
    }
    let definition = place.definition;
    let own = match definition.kind {
        OptionType::Record => single(&definition.record),
        OptionType::String | OptionType::Binary => String::new(),
        kind => samples(kind)
            .first()
            .copied()
            .unwrap_or_default()
            .to_owned(),
    };
    match definition.kind {
        // Text is whatever bytes a client sends, and may be missing.
        OptionType::String => {
            lines.value(place, None, b"")?;
            lines.value(place, None, b"caf\xc3\xa9")?;
            lines.value(place, None, b"a\0\xff\n\"\\")?;
        }
        OptionType::Binary => lines.value(place, None, b"")?,
        OptionType::Boolean => lines.value(place, None, &[2])?,
        _ => {}
    }
    for sub_options in carried(place) {
        let mut payload = match own.is_empty() {
            true => Vec::new(),
            false => encode(place.universe, definition, &own)?.payload,
        };
        payload.extend(sub_options);
        lines.value(place, None, &payload)?;
    }
    Ok(())
}

/// Values as a user would configure them.
fn configured(universe: Universe, definition: &Definition) -> Vec<String> {
    let texts: &[&str] = match (universe, definition.name.as_str()) {
        (Universe::V4, "vivco-suboptions") => {
            &["4491, 03616263", "9, 0161026263", "4294967295, 00"]
        }
        (Universe::V6, "vendor-class") => &["4491, 0003616263", "9, 00016100026263"],
        (Universe::V4, "classless-static-route") => &[
            "0.0.0.0/0 - 192.0.2.1",
            "10.229.0.128/25 - 10.229.0.1, 198.51.100.0/24 - 192.0.2.1, 192.0.2.7/32 - 0.0.0.0",
        ],
        (Universe::V4, "v4-dnr") => &[
            "2, resolver.example., 192.0.2.5 192.0.2.6, port=8530 alpn=dot\\,h2 dohpath=/q",
            "1, a.example. | 2, b.example., 192.0.2.5, alpn=dot",
        ],
        (Universe::V6, "v6-dnr") => &[
            "2, resolver.example., 2001:db8::5 2001:db8::6, port=8530 alpn=dot\\,h2 dohpath=/q",
            "1, a.example.",
        ],
        _ => &[],
    };
    if !texts.is_empty() {
        return texts.iter().map(|text| (*text).to_owned()).collect();
    }
    match (definition.kind, definition.array) {
        (OptionType::Record, array) => records(&definition.record, array),
        (kind, true) => {
            let samples = samples(kind);
            let mut values = vec![String::new(), samples.join(", ")];
            values.extend(samples.iter().map(|text| (*text).to_owned()));
            values
        }
        (kind, false) => samples(kind)
            .iter()
            .map(|text| (*text).to_owned())
            .collect(),
    }
}

fn records(types: &[OptionType], array: bool) -> Vec<String> {
    let of = |pick: fn(&[&'static str]) -> &'static str| {
        let fields: Vec<_> = types.iter().map(|kind| pick(samples(*kind))).collect();
        fields.join(", ")
    };
    let mut values = vec![
        single(types),
        of(|samples| samples.last().copied().unwrap_or_default()),
    ];
    if let (true, Some(last)) = (array, types.last()) {
        values.push(format!("{}, {}", single(types), samples(*last).join(", ")));
    }
    values
}

/// A record with the first example of each type.
fn single(types: &[OptionType]) -> String {
    let firsts = types.iter().filter_map(|kind| samples(*kind).first());
    firsts.copied().collect::<Vec<_>>().join(", ")
}

/// Ordinary values first, then those at the ends of the range.
fn samples(kind: OptionType) -> &'static [&'static str] {
    match kind {
        OptionType::Empty => &[""],
        OptionType::Binary => &["0a0b", "00", "ffffffffffffffffffff"],
        OptionType::Boolean => &["true", "false"],
        OptionType::Int8 => &["-1", "-128", "127"],
        OptionType::Int16 => &["-2", "-32768", "32767"],
        OptionType::Int32 => &["-3600", "-2147483648", "2147483647"],
        OptionType::Uint8 => &["7", "0", "255"],
        OptionType::Uint16 => &["1500", "0", "65535"],
        OptionType::Uint32 => &["4491", "0", "4294967295"],
        OptionType::Ipv4Address => &["192.0.2.1", "0.0.0.0", "255.255.255.255"],
        OptionType::Ipv6Address => &[
            "2001:db8::1",
            "::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ],
        OptionType::Ipv6Prefix => &[
            "2001:db8:ff00::/36",
            "::/0",
            "2001:db8::1/128",
            "2001:db8:1:2::/63",
        ],
        OptionType::Psid => &["3/4", "0/0", "65535/16", "255/8"],
        OptionType::String => &["example", "a\\, b"],
        OptionType::Tuple => &["first", "b"],
        OptionType::Fqdn => &[
            "www.example.",
            ".",
            "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwxy.example.",
        ],
        OptionType::Internal | OptionType::Record => &[],
    }
}

/// Payloads of sub-options for options that carry some: of their space, or behind an enterprise number.
fn carried(place: &Place) -> Vec<Vec<u8>> {
    let universe = place.universe;
    let vendor = match (universe, place.space, place.definition.name.as_str()) {
        (Universe::V4, "dhcp4", "vivso-suboptions") | (Universe::V6, "dhcp6", "vendor-opts") => {
            true
        }
        _ if place.definition.encapsulates.is_empty() => return Vec::new(),
        _ => false,
    };
    let space = if vendor {
        "vendor-4491"
    } else {
        &place.definition.encapsulates
    };
    let mut inside: Vec<_> = Definitions::standard(universe).in_space(space).collect();
    inside.sort_by_key(|definition| definition.code);
    // The options of a whole family that may stand in a container: two of them will do.
    inside.retain(|definition| space != "dhcp6" || matches!(definition.code, 8 | 23));
    let mut payloads: Vec<Vec<u8>> = Vec::new();
    for definition in inside {
        let value = configured(universe, definition)
            .into_iter()
            .rfind(|text| !text.is_empty());
        let payload = encode(universe, definition, &value.unwrap_or_default())
            .expect("the examples of values encode")
            .payload;
        let mut option = Vec::new();
        append_sub_option(universe, definition.code, &payload, &mut option)
            .expect("the examples of values are short");
        payloads.push(option);
    }
    // A code that nothing defines, without and with a payload.
    for payload in [&[][..], &[1, 2, 3][..]] {
        let mut option = Vec::new();
        append_sub_option(universe, 200, payload, &mut option).expect("three bytes fit");
        payloads.push(option);
    }
    payloads.push(payloads.concat());
    if vendor && universe == Universe::V4 {
        // RFC 3925 §4: the length of what belongs to the enterprise stands behind its number.
        for payload in &mut payloads {
            let len = u8::try_from(payload.len()).expect("the examples of values are short");
            payload.insert(0, len);
        }
    }
    payloads
}

fn malformed(place: &Place, lines: &mut Lines) -> Result<(), Box<dyn Error>> {
    let definition = place.definition;
    let broken = |kind: OptionType| -> Vec<(Vec<u8>, String)> {
        let mut cases: Vec<_> = match kind {
            OptionType::Fqdn => vec![
                (b"\x03ww".to_vec(), "a label is cut short"),
                (b"\x03www\x07example".to_vec(), "the name does not end"),
                (b"\xc0\x0c".to_vec(), "the name is compressed"),
            ],
            OptionType::Tuple => vec![(b"\x7f\x7fa".to_vec(), "the text is cut short")],
            OptionType::Ipv6Prefix => vec![
                (vec![64, 0x20, 1], "the prefix is cut short"),
                (vec![129; 18], "the prefix is longer than an address"),
            ],
            _ => Vec::new(),
        };
        if let Some(len @ 1..) = kind.fixed_len() {
            cases.push((vec![1; len - 1], "the value is cut short"));
        }
        let named = |(payload, problem): (Vec<u8>, &str)| (payload, format!("{kind}: {problem}"));
        cases.into_iter().map(named).collect()
    };
    match definition.kind {
        OptionType::Record => {
            let mut before = Vec::new();
            for (index, kind) in definition.record.iter().enumerate() {
                for (payload, problem) in broken(*kind) {
                    let payload = [&before[..], &payload].concat();
                    lines.refused(place, &payload, &format!("field {} ({problem})", index + 1))?;
                }
                let field = Definition {
                    kind: *kind,
                    array: false,
                    record: Vec::new(),
                    ..definition.clone()
                };
                let value = samples(*kind).first().copied().unwrap_or_default();
                let encoded = match kind {
                    // The chunks of a vendor class are of no interest here.
                    OptionType::Binary => Vec::new(),
                    _ => encode(place.universe, &field, value)?.payload,
                };
                before.extend(encoded);
            }
        }
        OptionType::Internal => {
            for (payload, problem) in broken_internal(&definition.name) {
                lines.push(place, payload, &[("problem", problem)], None)?;
            }
        }
        kind if definition.array => {
            let first = encode(place.universe, definition, samples(kind)[0])?.payload;
            for (payload, problem) in broken(kind).into_iter().filter(|case| !case.0.is_empty()) {
                lines.refused(place, &payload, &problem)?;
                lines.refused(
                    place,
                    &[&first[..], &payload].concat(),
                    &format!("value 2 ({problem})"),
                )?;
            }
        }
        kind => {
            for (payload, problem) in broken(kind) {
                lines.refused(place, &payload, &problem)?;
            }
        }
    }
    Ok(())
}

/// The server sends these forms and never reads them, so that it has no opinion of its own.
fn broken_internal(name: &str) -> &'static [(&'static [u8], &'static str)] {
    match name {
        // RFC 3442: a length above 32, a prefix and a router that are not all there.
        "classless-static-route" => &[
            (
                &[33, 1, 2, 3, 4, 5, 6, 7, 8, 9],
                "the prefix is longer than an address",
            ),
            (&[24, 192, 0], "the prefix is cut short"),
            (&[0, 192, 0, 2], "the router is cut short"),
        ],
        // RFC 9463 §5.1: instances behind their length, a name behind its own.
        "v4-dnr" => &[
            (&[0], "the length is cut short"),
            (&[0, 9, 0, 1], "the resolver is cut short"),
            (&[0, 5, 0, 1, 9, 1, b'r'], "the name is cut short"),
            (
                &[0, 10, 0, 1, 3, 1, b'r', 0, 3, 1, 2, 3],
                "the addresses are not whole",
            ),
        ],
        // RFC 9463 §4.1: the same with lengths of two bytes, and one resolver.
        "v6-dnr" => &[
            (&[0], "the priority is cut short"),
            (&[0, 1, 0, 9, 1, b'r'], "the name is cut short"),
            (
                &[0, 1, 0, 3, 1, b'r', 0, 0, 2, 1, 2],
                "the addresses are not whole",
            ),
        ],
        _ => &[],
    }
}

impl Lines {
    /// A payload that has the form of the definition.
    fn value(
        &mut self,
        place: &Place,
        data: Option<&str>,
        payload: &[u8],
    ) -> Result<(), Box<dyn Error>> {
        let text = typed_text(place.universe, place.definition, payload)
            .ok_or_else(|| format!("{}: {payload:02x?} is refused", place.definition.name))?;
        let data = data.map(|data| ("data", data));
        self.push(place, payload, data.as_slice(), Some(&text))
    }

    /// A payload that has not.
    fn refused(
        &mut self,
        place: &Place,
        payload: &[u8],
        problem: &str,
    ) -> Result<(), Box<dyn Error>> {
        if let Some(text) = typed_text(place.universe, place.definition, payload) {
            return Err(format!(
                "{}: {payload:02x?} is read as {text}",
                place.definition.name
            )
            .into());
        }
        self.push(place, payload, &[("problem", problem)], None)
    }

    /// Every text is printable ASCII, which Rust quotes as JSON does.
    fn push(
        &mut self,
        place: &Place,
        payload: &[u8],
        more: &[(&str, &str)],
        text: Option<&str>,
    ) -> Result<(), Box<dyn Error>> {
        let mut line = format!(
            "{{\"family\":{},\"space\":{:?},\"code\":{},\"name\":{:?},\"hex\":\"",
            family(place.universe),
            place.space,
            place.definition.code,
            place.definition.name,
        );
        for byte in payload {
            write!(line, "{byte:02x}")?;
        }
        line.push('"');
        match text {
            Some(text) => write!(line, ",\"text\":{text:?}")?,
            None => line.push_str(",\"text\":null"),
        }
        for (key, value) in more {
            write!(line, ",\"{key}\":{value:?}")?;
        }
        line.push('}');
        if self.seen.insert(line.clone()) {
            self.lines.push(line);
        }
        Ok(())
    }
}
