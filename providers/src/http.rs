//! The pooled HTTP client of one vendor: connections are kept between requests, and given up when they do not come about.
//!
//! Not here: limits for the answer, which are the vendor's, and retries, which are nobody's below the order of vendors.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, Url, redirect};

/// How long a connection may take.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long an unused connection is kept.
const KEPT: Duration = Duration::from_secs(90);
/// Unused connections that are kept: one for each call of a busy server would be a flood at the vendor.
const MOST_KEPT: usize = 64;
/// Between two signs of life on a connection that several requests share.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The base is no address.
    #[error("{base:?} is no base URL: write one such as https://api.openai.com/v1")]
    Base {
        /// What was set.
        base: String,
    },
    /// The client cannot be made.
    #[error("no HTTP client can be made")]
    Client(#[from] reqwest::Error),
}

/// A base URL, without a slash at its end. One without a path gets `default_path`.
///
/// # Errors
/// The text is no `http(s)://` address, or holds a query.
pub fn base(text: &str, default_path: &str) -> Result<Url, HttpError> {
    let refused = || HttpError::Base { base: text.to_owned() };
    let mut url = Url::parse(text.trim()).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() || url.fragment().is_some()
    {
        return Err(refused());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(if path.is_empty() { default_path } else { &path });
    Ok(url)
}

/// A client for the vendor behind `base`. Proxies of the environment are used, but not to this machine.
///
/// # Errors
/// The machine's certificates cannot be read.
pub fn client(base: &Url) -> Result<Client, HttpError> {
    // The first who comes decides for the process; whoever was first is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .pool_idle_timeout(KEPT)
        .pool_max_idle_per_host(MOST_KEPT)
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_while_idle(true)
        .redirect(redirect::Policy::none()) // a key is not carried elsewhere
        .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")));
    let builder = if local(base) { builder.no_proxy() } else { builder };
    Ok(builder.build()?)
}

fn local(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_base_is_read_as_users_of_the_sdk_write_it() {
        for (text, url) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1"),
            (" https://api.openai.com/v1/ ", "https://api.openai.com/v1"),
            ("https://api.openai.com", "https://api.openai.com/v1"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"),
            ("https://example.test/azure/openai", "https://example.test/azure/openai"),
        ] {
            assert_eq!(base(text, "/v1").unwrap().as_str(), url);
        }
        for text in ["", "api.openai.com", "wss://api.openai.com/v1", "https://x.test/v1?key=1"] {
            assert!(base(text, "/v1").is_err(), "{text}");
        }
    }
}
