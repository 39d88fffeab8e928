//! The nearest spelling: what a client may have meant by a name that doesn't exist.

/// Longer names than this are not compared: strangers choose them, and the comparison takes the product of the lengths.
const LONGEST: usize = 64;

/// The candidate spelled most like `written`, if any is alike enough to be meant by it.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if written.is_empty() || written.len() > LONGEST {
        return None;
    }
    let lower = written.to_ascii_lowercase();
    let allowed = 1 + written.chars().count() / 4;
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_ascii_lowercase()),
                candidate,
            )
        })
        .filter(|&(distance, candidate)| distance <= allowed && distance < candidate.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let names = ["title", "body", "created_at", "id"];
        assert_eq!(nearest("titel", names).as_deref(), Some("title"));
        assert_eq!(nearest("Title", names).as_deref(), Some("title"));
        assert_eq!(nearest("createdat", names).as_deref(), Some("created_at"));
        assert_eq!(nearest("price", names), None);
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"t".repeat(10_000), names), None);
    }
}
