//! Which language models answer agents without a playbook, in which order, and how they are reached.

use tandem_providers::llm::openai::{Limits, OpenAiConfig, Vendor};

use super::error::Problem;
use super::read::{self, Reader};

/// Words of `LLM_PROVIDER`. The last two are no model: what is said without one comes last in any case, so they may stand there.
const NAMES: [&str; 4] = ["openai", "homeai", "local", "rules"];
/// Services, in the order in which they are asked where nobody said otherwise.
const VENDORS: [Vendor; 2] = [Vendor::OPENAI, Vendor::HOMEAI];

/// The models, best first; none where no key is set.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<OpenAiConfig> {
    match reader.value("LLM_PROVIDER", order) {
        None => VENDORS.into_iter().filter_map(|vendor| account(reader, vendor)).collect(),
        Some(named) => {
            let vendors = named.into_iter().filter_map(|name| VENDORS.into_iter().find(|vendor| vendor.name == name));
            let mut accounts = Vec::new();
            for vendor in vendors {
                match account(reader, vendor) {
                    Some(account) => accounts.push(account),
                    None => {
                        let detail = format!("names {}, whose key is not set: set {}", vendor.name, vendor.key_setting);
                        let (subject, source) = ("LLM_PROVIDER".to_owned(), reader.source("LLM_PROVIDER"));
                        reader.problems.push(Problem { subject, source, detail });
                    }
                }
            }
            accounts
        }
    }
}

/// How a service is reached, if its key is set.
fn account(reader: &mut Reader<'_>, vendor: Vendor) -> Option<OpenAiConfig> {
    let key = reader.text(vendor.key_setting).filter(|key| !key.trim().is_empty())?;
    let base = reader.value(vendor.base_setting, |text| {
        tandem_providers::http::base(text, "/v1").map(|url| url.to_string()).map_err(|error| error.to_string())
    });
    let model = reader.text(vendor.model_setting).unwrap_or_default();
    Some(OpenAiConfig { vendor, base: base.unwrap_or_default(), key, model, limits: Limits::default() })
}

/// Names with commas between, any case, each once.
fn order(text: &str) -> Result<Vec<&'static str>, String> {
    let mut order = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let name = read::one_of(name, &NAMES)?;
        if order.contains(&name) {
            return Err(format!("{name} is named twice"));
        }
        order.push(name);
    }
    Ok(order)
}
