//! Where in a file stands what a pointer names, for people who have to mend it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line of a file, from 1, that a fault's pointer is about. What is not there (a setting that is missing) is told by the line of what should
/// hold it; `None` where that is the whole file, or the file is no TOML.
pub fn line(file: &str, pointer: &str) -> Option<usize> {
    let parts: Vec<String> =
        pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let document = DeTable::parse(file).ok()?;
    let start = in_table(document.get_ref(), &parts)?;
    Some(1 + file.get(..start)?.matches('\n').count())
}

/// Where the deepest of `parts` begins that is in the table.
fn in_table(table: &DeTable<'_>, parts: &[String]) -> Option<usize> {
    let (name, rest) = parts.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| is_named(key.get_ref(), name))?;
    Some(in_value(value, rest).unwrap_or(key.span().start))
}

fn in_value(value: &Spanned<DeValue<'_>>, parts: &[String]) -> Option<usize> {
    match value.get_ref() {
        DeValue::Table(table) => in_table(table, parts),
        DeValue::Array(items) => {
            let (place, rest) = parts.split_first()?;
            let item = items.get(place.parse::<usize>().ok()?)?;
            Some(in_value(item, rest).unwrap_or(item.span().start))
        }
        _ => None,
    }
}

/// A pointer has the beginning of a key that is too long to be shown.
fn is_named(key: &str, name: &str) -> bool {
    key == name || name.strip_suffix('…').is_some_and(|beginning| key.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# an agent\n[identity]\nname = \"a\"\n\n[script.business_info]\n\"a/b\" = 1\nsites = [\n  { city = 7 },\n]\n\
                        [voice]\neagerness = \"low\"\n";

    #[test]
    fn each_place_has_its_line() {
        for (pointer, expected) in [
            ("/identity/name", Some(3)),
            ("/identity", Some(2)),
            ("/identity/language", Some(2)),
            ("/script/business_info/a~1b", Some(6)),
            ("/script/business_info/sites/0/city", Some(8)),
            ("/script/business_info/sites/9", Some(7)),
            ("/voice/eagerness", Some(11)),
            ("/voice/eager…", Some(11)),
            ("/behaviour/eagerness", None),
            ("", None),
        ] {
            assert_eq!(line(FILE, pointer), expected, "{pointer}");
        }
        assert_eq!(line("[", "/identity"), None);
    }
}
