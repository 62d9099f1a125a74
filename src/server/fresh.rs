//! New ids, in the order of their making.

use uuid::{Builder, Uuid};

use super::clock;

/// A new id: by its form one of version 4 (RFC 9562, section 5.4), as the API documents, that begins with the time in
/// milliseconds. 74 of its bits are random.
///
/// What was made together stands together in an index, so that a write of many rows changes few pages.
pub(super) fn uuid() -> Uuid {
    let mut bytes = *Uuid::new_v4().as_bytes();
    // A time before 1970 or after 10889 only makes the order worse.
    let millis = u64::try_from(clock::now() / 1000).unwrap_or_default().to_be_bytes();
    bytes[..6].copy_from_slice(&millis[2..]);
    Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_id_has_the_form_of_version_4_and_begins_with_the_time() {
        let before = clock::now() / 1000;
        let id = uuid();
        let after = clock::now() / 1000;
        assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
        let millis = i64::try_from(id.as_u128() >> 80).expect("48 bits");
        assert!((before..=after).contains(&millis), "{before} {millis} {after}");
    }

    #[test]
    fn ids_of_one_moment_differ() {
        assert_eq!((0..10_000).map(|_| uuid()).collect::<BTreeSet<_>>().len(), 10_000);
    }
}
