//! Whether a request is of a program of this machine, to whom an interface without an administrator is open (api-inventory R9). Pure.
//!
//! "Of this machine" is more than "over loopback": a tunnel or a reverse proxy in front of us arrives over loopback too, and so does a
//! web page whose name was re-pointed at 127.0.0.1 after it was loaded (DNS rebinding). Both betray themselves: by the `Host` they ask
//! for, or by the headers that a proxy adds. Whether that matters is decided elsewhere: for the interface by [`tandem_access::setup`], for media
//! sockets by `media_ws::access`.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header, uri::Authority};

/// What proxies and tunnels add.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-forwarded-host"];

/// Whether the host asked for is this machine, and nothing in between forwarded it. It may be a page's all the same: see [`is_of_another_page`].
pub(crate) fn is_of_this_machine(uri: &Uri, headers: &HeaderMap) -> bool {
    !FORWARDED.iter().any(|name| headers.contains_key(*name)) && asks_for_this_machine(uri, headers)
}

/// Whether a browser sent it for a page that did not come from the host asked for.
pub(crate) fn is_of_another_page(headers: &HeaderMap) -> bool {
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

    fn is_here(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().expect("a header value"));
        }
        is_of_this_machine(&Uri::from_static("/api/conversations"), &headers)
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
            assert!(is_here(&[("host", host)]), "{host}");
        }
        for host in [
            "evil.example.test:8000",
            "abc.tunnel.example.test",
            "192.168.1.7:8000",
            "localhost.example.test",
            "0.0.0.0:8000",
            "a b",
        ] {
            assert!(!is_here(&[("host", host)]), "{host}");
        }
        assert!(is_here(&[]));
        for forwarded in FORWARDED {
            assert!(!is_here(&[("host", "127.0.0.1:8000"), (forwarded, "203.0.113.9")]), "{forwarded}");
        }
    }
}
