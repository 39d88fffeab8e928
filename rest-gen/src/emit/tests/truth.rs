//! Truth as far as it is known: the set of values that a condition may still have.
//!
//! SQL has three (TRUE, FALSE, NULL). What a scene doesn't tell – the moment of a write, a key that the database counts
//! up – leaves several possible, so a truth here is a set, and every operator works on all members of it.

/// A set of SQL's truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truth(u8);

/// SQL's truth values, each a set of one.
const ONES: [Truth; 3] = [Truth::FALSE, Truth::NULL, Truth::TRUE];

impl Truth {
    /// Surely FALSE.
    pub(super) const FALSE: Self = Self(1);
    /// Surely NULL.
    pub(super) const NULL: Self = Self(2);
    /// Surely TRUE.
    pub(super) const TRUE: Self = Self(4);
    /// TRUE or FALSE.
    pub(super) const EITHER: Self = Self(5);
    /// Nothing is known.
    pub(super) const ANY: Self = Self(7);

    /// A decided one.
    pub(super) fn of(value: bool) -> Self {
        if value { Self::TRUE } else { Self::FALSE }
    }

    /// Whether it grants: surely TRUE.
    pub(super) fn grants(self) -> bool {
        self == Self::TRUE
    }

    /// Whether it surely doesn't grant.
    pub(super) fn refuses(self) -> bool {
        self.0 & Self::TRUE.0 == 0
    }

    /// Whether it surely isn't FALSE, as a check asks.
    pub(super) fn passes(self) -> bool {
        self.0 & Self::FALSE.0 == 0
    }

    /// Whether all of it is in another set.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// NOT.
    pub(super) fn not(self) -> Self {
        let swapped = (self.0 & 1) << 2 | (self.0 & 4) >> 2;
        Self(swapped | self.0 & 2)
    }

    /// AND.
    pub(super) fn and(self, other: Self) -> Self {
        // As numbers FALSE < NULL < TRUE, so AND is the less of two.
        self.each(other, |one, two| if one.0 < two.0 { one } else { two })
    }

    /// OR.
    pub(super) fn or(self, other: Self) -> Self {
        self.each(other, |one, two| if one.0 > two.0 { one } else { two })
    }

    fn each(self, other: Self, of: impl Fn(Self, Self) -> Self) -> Self {
        let mut result = 0;
        for one in ONES.into_iter().filter(|one| one.is_within(self)) {
            for two in ONES.into_iter().filter(|two| two.is_within(other)) {
                result |= of(one, two).0;
            }
        }
        Self(result)
    }
}

#[cfg(test)]
mod test {
    use super::Truth;

    #[test]
    fn it_follows_sql() {
        assert_eq!(Truth::NULL.and(Truth::FALSE), Truth::FALSE);
        assert_eq!(Truth::NULL.and(Truth::TRUE), Truth::NULL);
        assert_eq!(Truth::NULL.or(Truth::TRUE), Truth::TRUE);
        assert_eq!(Truth::NULL.not(), Truth::NULL);
        assert_eq!(Truth::TRUE.not(), Truth::FALSE);
    }

    #[test]
    fn what_is_unknown_may_still_be_decided() {
        assert_eq!(Truth::ANY.and(Truth::FALSE), Truth::FALSE);
        assert_eq!(Truth::ANY.or(Truth::TRUE), Truth::TRUE);
        assert!(Truth::ANY.and(Truth::NULL).refuses());
        assert!(!Truth::EITHER.and(Truth::TRUE).refuses());
        assert!(!Truth::EITHER.grants());
    }
}
