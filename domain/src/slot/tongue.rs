//! The languages in which a value can be read back. A caller may answer in either at any time; this is about our own words alone.

/// A language that values are spoken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tongue {
    /// English, as India speaks it.
    #[default]
    English,
    /// Hindi, in Devanagari.
    Hindi,
}

impl Tongue {
    /// That of a BCP 47 tag; English for languages that we cannot count in.
    pub fn of(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("hi") { Self::Hindi } else { Self::English }
    }

    /// What ends a sentence.
    pub(crate) fn full_stop(self) -> &'static str {
        match self {
            Self::English => ".",
            Self::Hindi => "।",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_either_kind() {
        for tag in ["hi", "hi-IN", "HI_in"] {
            assert_eq!(Tongue::of(tag), Tongue::Hindi, "{tag}");
        }
        for tag in ["en", "en-IN", "", "hil", "ta"] {
            assert_eq!(Tongue::of(tag), Tongue::English, "{tag}");
        }
    }
}
