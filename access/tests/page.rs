//! The table of roles in `docs/access.md` is that of the code.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use tandem_access::role::{Capability, Role};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/access.md");
const BEGIN: &str = "--test page -->\n";
const END: &str = "<!-- end of roles -->";

fn table() -> String {
    let mut table = "| scope | viewer | operator | admin | owner | key |\n|---|---|---|---|---|---|\n".to_owned();
    let mark = |held: bool| if held { "yes" } else { "–" };
    for capability in Capability::ALL {
        write!(table, "| `{capability}` |").unwrap();
        for role in Role::ALL {
            write!(table, " {} |", mark(role.holds(*capability))).unwrap();
        }
        writeln!(table, " {} |", mark(capability.is_for_keys())).unwrap();
    }
    table
}

#[test]
fn the_page_has_the_roles_of_the_code() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PAGE, &expected).unwrap();
    }
    let now = std::fs::read_to_string(PAGE).unwrap();
    assert!(now == expected, "run UPDATE_GOLDEN=1 cargo test -p tandem-access --test page, and read the difference");
}
