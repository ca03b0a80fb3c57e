//! Which names Dolt takes for branches.

/// Why Dolt refuses `name` for a branch; `None` when it takes it.
#[must_use]
pub fn branch_name_error(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a branch name is not empty".to_owned());
    }
    if !name.is_ascii() {
        return Some("a branch name has ASCII characters only".to_owned());
    }
    if name == "@" || name == "HEAD" || name == "-" {
        return Some(format!("{name:?} means something else to Dolt"));
    }
    if name.len() == 32 && name.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'v')) {
        return Some("it looks like the address of a commit".to_owned());
    }
    if name.ends_with('.') {
        return Some("a branch name does not end with a dot".to_owned());
    }
    if name.contains("@{") {
        return Some("a branch name does not contain \"@{\"".to_owned());
    }
    let refused = |c: char| c.is_ascii_control() || " :?[\\^~*".contains(c);
    if let Some(character) = name.chars().find(|c| refused(*c)) {
        return Some(format!("a branch name does not contain {character:?}"));
    }
    for component in name.split('/') {
        if component.is_empty() {
            return Some("a branch name has no leading, trailing or double slash".to_owned());
        }
        if component.starts_with('.') {
            return Some("no part of a branch name starts with a dot".to_owned());
        }
        if component.contains("..") {
            return Some("a branch name does not contain two dots in a row".to_owned());
        }
        if component.as_bytes().ends_with(b".lock") {
            return Some("no part of a branch name ends with \".lock\"".to_owned());
        }
    }
    None
}
