//! `Pattern`: what stands behind LIKE.

use crate::value::collation::Collation;

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Exactly(char),
    AnyOne,
    AnyNumber,
}

/// A pattern of characters, `_` for any one and `%` for any number of them.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    collation: Collation,
}

impl Pattern {
    /// Reads a pattern; `\` before a character stands for that character. `None` when it ends in
    /// one.
    pub(super) fn new(text: &str, collation: Collation) -> Option<Self> {
        let mut parts = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '_' => Part::AnyOne,
                '%' => Part::AnyNumber,
                '\\' => Part::Exactly(characters.next()?),
                other => Part::Exactly(other),
            });
        }
        parts.dedup_by(|a, b| *a == Part::AnyNumber && *b == Part::AnyNumber);
        Some(Self { parts, collation })
    }

    /// Whether the whole of `text` fits. Takes steps as the product of both lengths at most.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut part) = (0, 0);
        // Where the last `%` stood, and up to where it reaches.
        let mut wild: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.parts.get(part) {
                Some(Part::AnyNumber) => {
                    wild = Some((part, at));
                    part += 1;
                }
                Some(Part::AnyOne) => (at, part) = (at + 1, part + 1),
                Some(Part::Exactly(wanted)) if self.collation.same(*wanted, text[at]) => {
                    (at, part) = (at + 1, part + 1);
                }
                _ => match wild {
                    Some((start, reach)) => {
                        wild = Some((start, reach + 1));
                        (at, part) = (reach + 1, start + 1);
                    }
                    None => return false,
                },
            }
        }
        self.parts
            .get(part..)
            .unwrap_or_default()
            .iter()
            .all(|part| *part == Part::AnyNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("a%", "a", true),
            ("a%", "ba", false),
            ("%b%c", "abxbc", true),
            ("%b%c", "abxb", false),
            ("a_c", "aéc", true),
            ("a_c", "ac", false),
            ("%", "", true),
            (r"50\%", "50%", true),
            (r"50\%", "505", false),
            (r"a\\", r"a\", true),
            ("%%a%%", "bab", true),
            ("A%", "a", false),
        ] {
            let read = Pattern::new(pattern, Collation::default()).expect(pattern);
            assert_eq!(read.matches(text), fits, "{text:?} LIKE {pattern:?}");
        }
        assert!(Pattern::new(r"a\", Collation::default()).is_none());
        let any_case = Collation::named("utf8mb4_0900_ai_ci").expect("a collation");
        let read = Pattern::new("É%x", any_case).expect("a pattern");
        assert!(read.matches("eaX") && !read.matches("fx"));
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let pattern = Pattern::new(&"%a".repeat(2000), Collation::default()).expect("a pattern");
        assert!(!pattern.matches(&"a".repeat(1999)));
        assert!(pattern.matches(&"a".repeat(2000)));
    }
}
