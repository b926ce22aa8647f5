//! Settings: whether they can be read, and those whose form nothing else checks before a carrier does.

use reqwest::Url;

use super::Finding;
use crate::config::{Config, ConfigError, Source};
use crate::wiring;

const SETTINGS: &str = "settings";
const PLAYBOOKS: &str = "playbooks";
const LEXICONS: &str = "lexicons";
const BASE_URL: &str = "base url";

pub(super) fn all(config: &Config) -> Vec<Finding> {
    let set = config.settings.iter().filter(|setting| setting.source != Source::Default).count();
    let mut findings = vec![Finding::ok(SETTINGS, format!("usable; {set} set, the others at their defaults"))];
    findings.extend(config.notices.iter().map(|notice| {
        Finding::warn(SETTINGS, notice.clone(), "`tandem config print` shows each setting and where it came from")
    }));
    findings.push(match wiring::check_playbooks(config) {
        Ok(()) => Finding::ok(PLAYBOOKS, "can run"),
        Err(error) => {
            Finding::fail(PLAYBOOKS, super::in_one_line(&error), "correct the file, or leave PLAYBOOKS_DIR empty")
        }
    });
    findings.push(match wiring::check_lexicons(config) {
        Ok(()) => Finding::ok(LEXICONS, "can be heard by"),
        Err(error) => {
            Finding::fail(LEXICONS, super::in_one_line(&error), "correct the file, or leave LEXICONS_DIR empty")
        }
    });
    findings.push(base_url(config.settings.setting("OUR_BASE_URL").text.as_deref().unwrap_or_default().trim()));
    findings
}

/// What is wrong with settings that cannot be read.
pub(super) fn problems(error: &ConfigError) -> Vec<Finding> {
    let told = error.problems.iter().map(|problem| {
        let detail = format!("{} ({}): {}", problem.subject, problem.source, problem.detail);
        Finding::fail(SETTINGS, detail, "correct it there; nothing else was looked at that depends on settings")
    });
    told.collect()
}

/// `OUR_BASE_URL`: what carriers are told to call back.
fn base_url(text: &str) -> Finding {
    const REMEDY: &str = "write the address at which carriers reach this server, such as https://voice.example.com";
    if text.is_empty() {
        return Finding::ok(BASE_URL, "OUR_BASE_URL is not set: for calls from this machine none is needed");
    }
    let Ok(url) = Url::parse(text) else {
        return Finding::fail(BASE_URL, format!("OUR_BASE_URL {text:?} is no URL"), REMEDY);
    };
    let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else {
        return Finding::fail(BASE_URL, format!("OUR_BASE_URL {text:?} is not an http(s):// address"), REMEDY);
    };
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Finding::fail(
            BASE_URL,
            "OUR_BASE_URL holds more than an address: a user, a query or a fragment",
            REMEDY,
        );
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let local = bare == "localhost"
        || bare.ends_with(".localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified());
    if local {
        return Finding::warn(BASE_URL, format!("OUR_BASE_URL names this machine alone: {host}"), REMEDY);
    }
    if url.scheme() == "http" {
        let remedy = "use https://: carriers send callers' numbers and voices there, and most refuse plain sockets";
        return Finding::warn(BASE_URL, format!("OUR_BASE_URL is not encrypted: {text}"), remedy);
    }
    Finding::ok(BASE_URL, text)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_base_url_is_a_public_encrypted_address() {
        for (text, verdict) in [
            ("", Verdict::Ok),
            ("https://voice.example.com", Verdict::Ok),
            ("https://voice.example.com:8443/tandem/", Verdict::Ok),
            ("http://voice.example.com", Verdict::Warn),
            ("https://localhost:8000", Verdict::Warn),
            ("https://127.0.0.1", Verdict::Warn),
            ("https://[::1]/", Verdict::Warn),
            ("voice.example.com", Verdict::Fail),
            ("wss://voice.example.com", Verdict::Fail),
            ("https://", Verdict::Fail),
            ("https://voice.example.com/?token=1", Verdict::Fail),
            ("https://user:secret@voice.example.com", Verdict::Fail),
        ] {
            let finding = base_url(text);
            assert_eq!(finding.verdict, verdict, "{text}: {finding:?}");
            assert_eq!(finding.remedy.is_none(), verdict == Verdict::Ok, "{text}");
            assert!(!finding.detail.contains("secret"));
        }
    }
}
