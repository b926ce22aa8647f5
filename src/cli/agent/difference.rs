//! A difference between two versions of an agent, for people: `+` what is set now, `-` what no longer is, `~` what is set otherwise.

use std::fmt::Write;

use serde_json::Value;
use tandem_domain::agent_version::{Difference, LineDiff};

/// Characters of a value that are shown on a line.
const MOST_SHOWN: usize = 160;

/// All of them, a line or more each.
pub(super) fn text(differences: &[Difference]) -> String {
    differences.iter().map(one).collect()
}

fn one(difference: &Difference) -> String {
    let name = match &difference.entry {
        Some(entry) => format!("{}.{entry}", difference.field),
        None => difference.field.to_owned(),
    };
    let sign = match (&difference.from, &difference.to) {
        (None, _) => '+',
        (_, None) => '-',
        (Some(_), Some(_)) => '~',
    };
    match (&difference.lines, &difference.from, &difference.to) {
        (Some(lines), ..) => {
            format!("{sign} {name}: {} added, {} removed\n{}", count(lines.added), count(lines.removed), hunks(lines))
        }
        (None, Some(from), Some(to)) => format!("{sign} {name}: {} -> {}\n", shown(from), shown(to)),
        (None, from, to) => {
            format!("{sign} {name}: {}\n", from.as_ref().or(to.as_ref()).map(shown).unwrap_or_default())
        }
    }
}

fn count(lines: usize) -> String {
    format!("{lines} {}", if lines == 1 { "line" } else { "lines" })
}

fn hunks(lines: &LineDiff) -> String {
    let mut text = String::new();
    let mut last = (0, 0);
    for line in &lines.shown {
        let here = (line.before.unwrap_or(last.0), line.after.unwrap_or(last.1));
        if here.0 > last.0 + 1 || here.1 > last.1 + 1 {
            text.push_str("    ...\n"); // lines that stayed
        }
        let _ = writeln!(text, "    {}{}", line.sign, line.text);
        last = here;
    }
    if lines.cut {
        text.push_str("    ... and more\n");
    }
    text
}

/// A value on one line, cut.
fn shown(value: &Value) -> String {
    let whole = value.to_string();
    let mut letters = whole.chars();
    let mut shown: String = letters.by_ref().take(MOST_SHOWN).collect();
    if letters.next().is_some() {
        shown.push_str("...");
    }
    shown
}
