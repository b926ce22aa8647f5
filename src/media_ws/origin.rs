//! Which pages may talk: the browser tells where a page comes from, and only that keeps a foreign page from using its visitor's microphone,
//! or the reach of its visitor's machine, to talk to us. Pure.
//!
//! | `Origin`                                   | may talk                                                                 |
//! |--------------------------------------------|--------------------------------------------------------------------------|
//! | none                                       | yes: no browser asks, and other programs are kept out by other means     |
//! | the host that was asked                    | yes                                                                      |
//! | a name of loopback, while we listen there  | yes: a page under development has a server of its own                    |
//! | in `ALLOWED_ORIGINS`                       | yes                                                                      |
//! | any other, `null` too                      | no                                                                       |

use axum::http::{HeaderMap, Uri, header};

/// The rule of one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    /// `scheme://host[:port]`, as browsers write it.
    pub(crate) allowed: Vec<String>,
    /// We listen on loopback alone.
    pub(crate) local: bool,
}

impl Origins {
    pub(crate) fn admit(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Some(origin) = origin.to_str().ok() else { return false };
        if self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            return true;
        }
        let Some(page) = Place::of_origin(origin) else { return false };
        let host = uri.authority().map(ToString::to_string);
        let host = host.or_else(|| headers.get(header::HOST)?.to_str().ok().map(str::to_owned));
        host.is_some_and(|host| page.is_at(&host)) || self.local && page.is_loopback()
    }
}

/// Where a page comes from.
#[derive(Debug)]
struct Place {
    host: String,
    port: u16,
    /// The port that is not written.
    default_port: u16,
}

impl Place {
    /// Reads `scheme://host[:port]`; `null` and the schemes of extensions and files are no place.
    fn of_origin(origin: &str) -> Option<Self> {
        let (scheme, authority) = origin.split_once("://")?;
        let default_port = match scheme.to_ascii_lowercase().as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let (host, port) = split(authority)?;
        Some(Self { host, port: port.unwrap_or(default_port), default_port })
    }

    /// Whether a `Host` header names it.
    fn is_at(&self, authority: &str) -> bool {
        split(authority).is_some_and(|(host, port)| host == self.host && port.unwrap_or(self.default_port) == self.port)
    }

    fn is_loopback(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || address.is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

/// Host in lower case, and the port if it is written.
fn split(authority: &str) -> Option<(String, Option<u16>)> {
    let authority: axum::http::uri::Authority = authority.parse().ok()?;
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty() && !authority.as_str().contains('@')).then(|| (host, authority.port_u16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(origins: &Origins, host: &str, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a host"));
        headers.insert(header::ORIGIN, origin.parse().expect("an origin"));
        origins.admit(&Uri::from_static("/v1/convai/conversation"), &headers)
    }

    #[test]
    fn a_page_of_this_host_may_talk_and_a_foreign_one_may_not() {
        let origins = Origins { allowed: vec!["https://shop.example.test".into()], local: false };
        assert!(admits(&origins, "voice.example.test", "https://voice.example.test"));
        assert!(admits(&origins, "voice.example.test:443", "https://voice.example.test"));
        assert!(admits(&origins, "VOICE.example.test", "https://voice.example.test"));
        assert!(admits(&origins, "voice.example.test", "https://shop.example.test"));
        for foreign in [
            "https://evil.example.test",
            "https://voice.example.test.evil.example.test",
            "https://voice.example.test:8443",
            "http://shop.example.test",
            "http://localhost:8000",
            "null",
            "",
            "file://",
            "chrome-extension://abc",
            "https://voice.example.test@evil.example.test",
        ] {
            assert!(!admits(&origins, "voice.example.test", foreign), "{foreign}");
        }
        assert!(origins.admit(&Uri::from_static("/"), &HeaderMap::new()), "no browser");
    }

    #[test]
    fn pages_of_this_machine_may_talk_to_a_switch_of_this_machine() {
        let local = Origins { allowed: Vec::new(), local: true };
        for origin in ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:8080", "https://app.localhost"] {
            assert!(admits(&local, "localhost:8000", origin), "{origin}");
        }
        assert!(!admits(&local, "localhost:8000", "https://evil.example.test"));
        assert!(!admits(&local, "localhost:8000", "http://localhost.evil.example.test"));
    }
}
