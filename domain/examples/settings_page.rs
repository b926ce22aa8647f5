//! Prints `docs/settings.md`: `cargo run -p tandem-domain --example settings_page > docs/settings.md`.

fn main() {
    print!("{}", tandem_domain::agent_settings::page());
}
