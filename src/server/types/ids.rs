//! New ids, in order of creation.

use uuid::{Builder, Uuid};

use super::clock;

/// Returns a new id in the form of version 4 (RFC 9562, section 5.4), as the API documents. It begins with 32 bits of the
/// time in units of 16 microseconds, which wrap after 19 hours; 90 of its bits are random.
///
/// Ids of one moment are neighbours in an index, so a write of many rows changes few pages. Ids of different moments differ
/// in their first eight digits, which people compare.
pub fn uuid() -> Uuid {
    let mut bytes = *Uuid::new_v4().as_bytes();
    let ticks = (clock::now() >> 4).to_be_bytes();
    bytes[..4].copy_from_slice(&ticks[4..]);
    Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_id_has_the_form_of_version_4_and_begins_with_the_time() {
        let ticks = || u32::try_from(clock::now() >> 4 & i64::from(u32::MAX)).expect("32 bits");
        let before = ticks();
        let id = uuid();
        let passed = ticks().wrapping_sub(before);
        assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
        let begins = u32::try_from(id.as_u128() >> 96).expect("32 bits");
        assert!(begins.wrapping_sub(before) <= passed, "{before:x} {begins:x} {passed:x}");
    }

    #[test]
    fn ids_of_one_moment_differ() {
        assert_eq!((0..10_000).map(|_| uuid()).collect::<BTreeSet<_>>().len(), 10_000);
    }
}
