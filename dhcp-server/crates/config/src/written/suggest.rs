//! Did you mean?

/// The candidate nearest to what was written, if one is near enough to be meant.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer words may hold more slips. Whoever writes a whole sentence means no keyword.
    let allowed = match written.len() {
        0..=3 => 1,
        4..=9 => 2,
        10..=60 => 3,
        _ => return None,
    };
    candidates
        .map(|candidate| (distance(&simple(written), &simple(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `-` and `_` and case are mixed up most.
fn simple(text: &str) -> Vec<char> {
    text.to_ascii_lowercase()
        .replace('_', "-")
        .chars()
        .collect()
}

/// Letters to insert, remove or replace (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = || ["valid-lifetime", "pools", "subnet4", "id"].into_iter();
        assert_eq!(nearest("valid_lifetime", known()), Some("valid-lifetime"));
        assert_eq!(nearest("valid-liftime", known()), Some("valid-lifetime"));
        assert_eq!(nearest("pool", known()), Some("pools"));
        assert_eq!(nearest("Subnet4", known()), Some("subnet4"));
        assert_eq!(nearest("gateway", known()), None);
        assert_eq!(nearest("", known()), None);
    }
}
