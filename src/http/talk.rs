//! The page on which a browser talks with an agent: `/talk` and its files, built into the binary.
//!
//! Place:   files of `src/talk/`, hand-written, as they are: no build step, no Node, nothing from elsewhere. They meet the switch
//!          only through the socket of the browser's dialect.
//! Open to everybody once the server is set up, unlike the rest: the files are the same for all, and on a plain `http://` address of the network somebody
//! must be able to say why there is no microphone. The socket and the API behind the page are as closed as ever: where they ask who it is,
//! so does the page.
//! Not here: compression (90 kB in all, cached), and the console.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// What the page may load and do: its own files and its own server, nothing inline. One text for us and for the tests' server.
const POLICY: &str = include_str!("../talk/policy.txt");

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
/// RFC 9239.
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// One file of the page.
struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
    /// Strong validator: the digest of the body, in quotes (RFC 9110 section 8.8.3).
    tag: String,
}

/// Every file; the first is the page itself.
static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    macro_rules! assets {
        ($($kind:ident $name:literal),+ $(,)?) => {
            vec![$(Asset::new($name, $kind, include_str!(concat!("../talk/", $name)))),+]
        };
    }
    assets![
        HTML "index.html",
        CSS "talk.css",
        SVG "icon.svg",
        SCRIPT "talk.js",
        SCRIPT "account.js",
        SCRIPT "choices.js",
        SCRIPT "conversation.js",
        SCRIPT "duplex.worklet.js",
        SCRIPT "failures.js",
        SCRIPT "line.js",
        SCRIPT "play-queue.js",
        SCRIPT "recording.js",
        SCRIPT "resample.js",
        SCRIPT "saving.js",
        SCRIPT "stage.js",
        SCRIPT "strings.js",
        SCRIPT "transcript.js",
        SCRIPT "turns.js",
        SCRIPT "voices.js",
    ]
});

/// Sent with every file.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY.trim_ascii_end()),
    (header::CACHE_CONTROL, "no-cache"), // keep it, but ask: a newer binary has newer files under the same names
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

impl Asset {
    fn new(name: &'static str, kind: &'static str, body: &'static str) -> Self {
        let mut tag = String::from("\"");
        for byte in &Sha256::digest(body)[..16] {
            write!(tag, "{byte:02x}").expect("a string takes every text");
        }
        tag.push('"');
        Self { name, kind, body, tag }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        // Weak comparison, as section 13.1.2 wants it for `If-None-Match`.
        let mut tags = known.flat_map(|list| list.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
        let tag = [(header::ETAG, self.tag.as_str())];
        if tags.any(|known| known == self.tag || known == "*") {
            return (StatusCode::NOT_MODIFIED, HEADERS, tag).into_response();
        }
        (HEADERS, tag, [(header::CONTENT_TYPE, self.kind)], self.body).into_response()
    }
}

/// The page on which a browser talks with an agent. `?agent=` is read by the page itself.
#[utoipa::path(
    get, path = "/talk", operation_id = "get_talk_page", tag = "talks",
    responses((status = OK, body = String, content_type = "text/html")),
)]
pub(super) async fn page(headers: HeaderMap) -> Response {
    ASSETS[0].answer(&headers)
}

/// What that page loads.
#[utoipa::path(
    get, path = "/talk/{file}", operation_id = "get_talk_file", tag = "talks",
    params(("file" = String, Path, description = "a style sheet, script or picture of the talk page")),
    responses((status = OK, content((String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml")))),
)]
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS[1..].iter().find(|asset| asset.name == name) {
        Some(asset) => asset.answer(&headers),
        None => Problem::not_found("the talk page has no such file").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the files ask for under /talk/ is among them, and every file is asked for: no 404, nothing dead.
    #[test]
    fn the_files_ask_for_each_other_and_for_nothing_else() {
        let mut wanted: Vec<&str> = ASSETS
            .iter()
            .flat_map(|asset| asset.body.split("\"/talk/").skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut there: Vec<&str> = ASSETS[1..].iter().map(|asset| asset.name).collect();
        there.sort_unstable();
        assert_eq!(wanted, there);
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_nothing_is_inline() {
        for asset in ASSETS.iter() {
            let body = asset.body.replace("http://www.w3.org/2000/svg", "").replace("http://localhost", "");
            assert!(!body.contains("http://") && !body.contains("https://"), "{}", asset.name);
        }
        let page = ASSETS[0].body;
        for inline in ["<style", "style=\"", " onclick", "<script>", "javascript:"] {
            assert!(!page.contains(inline), "{inline}");
        }
        assert!(!POLICY.contains("unsafe") && POLICY.starts_with("default-src 'none';"));
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let asset = &ASSETS[0];
        let status = |value: &str| {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, value.parse().expect("a header value"))]);
            asset.answer(&headers).status()
        };
        assert_eq!(status(&asset.tag), StatusCode::NOT_MODIFIED);
        assert_eq!(status(&format!("\"old\", W/{}", asset.tag)), StatusCode::NOT_MODIFIED);
        assert_eq!(status("\"old\""), StatusCode::OK);
    }
}
