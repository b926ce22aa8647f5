//! Who may ask what, as long as there is no administrator (api-inventory R9, design.md section 11).
//!
//! | listening on | health checks, files of the talk page | everything else                    |
//! |--------------|---------------------------------------|------------------------------------|
//! | loopback     | open                                  | open to programs of this machine   |
//! | elsewhere    | open                                  | closed: 403 that names the remedy  |
//!
//! "Of this machine" is more than "over loopback": a tunnel or a reverse proxy in front of us arrives over loopback too, and so does a
//! web page whose name was re-pointed at 127.0.0.1 after it was loaded (DNS rebinding). Both betray themselves: by the `Host` they ask
//! for, or by the headers that a proxy adds. Media sockets have a rule of their own (`media_ws::access`).

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header, uri::Authority};

/// Whether the interface is open, decided once when the program starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Open to programs of this machine.
    Local,
    /// Closed.
    Closed,
}

impl Gate {
    pub(crate) fn listening_on(host: IpAddr) -> Self {
        if host.to_canonical().is_loopback() { Self::Local } else { Self::Closed }
    }

    /// Whether a request is of a program of this machine, and of no web page from elsewhere: a browser opens sockets to any host.
    pub(crate) fn admits(self, uri: &Uri, headers: &HeaderMap) -> bool {
        self.verdict(uri, headers).is_none() && !is_of_another_page(headers)
    }

    /// Whether a request is of a program of this machine, though it may be a page's.
    pub(super) fn is_of_this_machine(self, uri: &Uri, headers: &HeaderMap) -> bool {
        self.verdict(uri, headers).is_none()
    }

    /// Why a request is turned away; `None` if it may pass.
    fn verdict(self, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
        match self {
            Self::Closed => Some(
                "the server listens beyond this machine and access control is not set up, so only health checks \
                 and media sockets with credentials are answered; start it with HOST=127.0.0.1 to use the rest from this machine",
            ),
            Self::Local if FORWARDED.iter().any(|name| headers.contains_key(*name)) => Some(
                "the request came through a proxy, and access control is not set up; ask http://localhost on the machine itself",
            ),
            Self::Local if !asks_for_this_machine(uri, headers) => Some(
                "the request asks for a host that is not this machine, and access control is not set up; ask http://localhost",
            ),
            Self::Local => None,
        }
    }
}

/// What proxies and tunnels add.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-forwarded-host"];

/// Whether a browser sent it for a page that did not come from the host asked for.
pub(super) fn is_of_another_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let page = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    page.is_none_or(|(_, authority)| host.is_none_or(|host| !host.eq_ignore_ascii_case(authority)))
}

/// Whether the host asked for is a name of loopback. A request without one (HTTP/1.0) comes from no browser.
fn asks_for_this_machine(uri: &Uri, headers: &HeaderMap) -> bool {
    let authority = match (uri.authority(), headers.get(header::HOST)) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => match Authority::try_from(host.as_bytes()) {
            Ok(authority) => Some(authority),
            Err(_) => return false,
        },
        (None, None) => None,
    };
    let Some(authority) = authority else { return true };
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(gate: Gate, pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().expect("a header value"));
        }
        gate.verdict(&Uri::from_static("/api/conversations"), &headers).is_none()
    }

    #[test]
    fn only_loopback_is_open() {
        let gate = |host: &str| Gate::listening_on(host.parse().expect("an address"));
        assert_eq!(gate("127.0.0.1"), Gate::Local);
        assert_eq!(gate("127.8.9.10"), Gate::Local);
        assert_eq!(gate("::1"), Gate::Local);
        assert_eq!(gate("0.0.0.0"), Gate::Closed);
        assert_eq!(gate("::"), Gate::Closed);
        assert_eq!(gate("192.168.1.7"), Gate::Closed);
        assert!(!passes(Gate::Closed, &[("host", "localhost:8000")]));
    }

    #[test]
    fn a_rebound_name_a_tunnel_and_a_proxy_are_not_this_machine() {
        for host in [
            "localhost",
            "LOCALHOST:8000",
            "localhost.",
            "x.localhost:1",
            "127.0.0.1:8000",
            "[::1]:8000",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(passes(Gate::Local, &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example.test:8000",
            "abc.tunnel.example.test",
            "192.168.1.7:8000",
            "localhost.example.test",
            "0.0.0.0:8000",
            "a b",
        ] {
            assert!(!passes(Gate::Local, &[("host", host)]), "{host}");
        }
        assert!(passes(Gate::Local, &[]));
        assert!(!passes(Gate::Local, &[("host", "127.0.0.1:8000"), ("x-forwarded-for", "203.0.113.9")]));
    }
}
