//! `Members`: the texts that an ENUM or a SET is made of.

use super::collation::Collation;

/// Members that a message lists.
const LISTED_MAX: usize = 8;

/// The members of an ENUM or a SET, and the collation by which a text is one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// In the order of their numbers.
    pub names: Vec<String>,
    /// The collation's name; empty for the default.
    pub collation: String,
}

impl Members {
    /// The position of the member that `text` names: the one that is spelt so, else one that the
    /// collation takes for the same. Where the collation is not known here, only the spelling
    /// counts.
    #[must_use]
    pub fn position(&self, text: &str) -> Option<usize> {
        let spelt = self.names.iter().position(|member| member == text);
        spelt.or_else(|| {
            let collation = Collation::named(&self.collation)?;
            let mut members = self.names.iter();
            members.position(|member| collation.equal(member, text))
        })
    }

    /// The first ones, for a message.
    pub(crate) fn listed(&self) -> String {
        let first = self.names.iter().take(LISTED_MAX);
        let mut names: Vec<String> = first.map(|member| format!("{member:?}")).collect();
        if self.names.len() > names.len() {
            names.push("…".to_owned());
        }
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_their_collation() {
        let found = |collation: &str, text: &str| {
            let names = ["a", "B", "É", "e", "x y"].map(str::to_owned).to_vec();
            let collation = collation.to_owned();
            Members { names, collation }.position(text)
        };
        for (text, exact, folded) in [
            ("a", Some(0), Some(0)),
            ("A", None, Some(0)),
            ("á", None, Some(0)),
            ("b", None, Some(1)),
            // The spelling comes before the collation.
            ("e", Some(3), Some(3)),
            ("E", None, Some(2)),
            ("X Y", None, Some(4)),
            ("a ", None, None),
            ("aa", None, None),
            ("", None, None),
        ] {
            assert_eq!(found("", text), exact, "{text:?}");
            assert_eq!(found("utf8mb4_es_0900_ai_ci", text), exact, "{text:?}");
            assert_eq!(found("utf8mb4_0900_ai_ci", text), folded, "{text:?}");
        }
        assert_eq!(found("utf8mb4_0900_as_ci", "A"), Some(0));
        assert_eq!(found("utf8mb4_0900_as_ci", "á"), None);
    }
}
