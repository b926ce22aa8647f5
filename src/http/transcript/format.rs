//! Which format a request asks for: `format` in the query, or else `Accept`, or else JSON.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::problem::Problem;

/// How a transcript is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Format {
    /// The rows.
    Json,
    /// A file of their text.
    File(File),
}

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum File {
    /// For spreadsheets, or exact, for programs.
    Csv {
        /// Cells as they are, without what keeps a spreadsheet from taking them for formulas.
        exact: bool,
    },
    /// Plain text, to read.
    Txt,
    /// WebVTT.
    Vtt,
    /// SubRip.
    Srt,
}

/// The formats by their names, with the media types that ask for them, the preferred first.
const FORMATS: [(&str, &[&str], Format); 5] = [
    ("json", &["application/json"], Format::Json),
    ("csv", &["text/csv"], Format::File(File::Csv { exact: false })),
    ("txt", &["text/plain"], Format::File(File::Txt)),
    ("vtt", &["text/vtt"], Format::File(File::Vtt)),
    ("srt", &["application/x-subrip", "text/srt"], Format::File(File::Srt)),
];

/// As it stands in the query.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct FormatQuery {
    /// `json`, `csv`, `txt`, `vtt` or `srt`.
    #[param(default = "json")]
    format: Option<String>,
    /// With `csv`: `true` writes cells as they are, for programs. Otherwise a cell that a spreadsheet would take for a formula begins with
    /// an apostrophe, and the file with a byte order mark.
    #[param(value_type = Option<bool>, default = false)]
    exact: Option<String>,
}

impl Format {
    /// Reads a request.
    pub(in crate::http) fn asked(
        query: Result<Query<FormatQuery>, QueryRejection>,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
        let format = match query.format.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => Self::named(name)?,
            None => {
                let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
                Self::accepted(&lines.collect::<Vec<_>>().join(","))
            }
        };
        let exact = match query.exact.as_deref() {
            None | Some("" | "false" | "0") => return Ok(format),
            Some("true" | "1") => true,
            Some(_) => return Err(Problem::invalid("exact", "must be true or false")),
        };
        match format {
            Self::File(File::Csv { .. }) => Ok(Self::File(File::Csv { exact })),
            Self::Json | Self::File(File::Txt | File::Vtt | File::Srt) => {
                Err(Problem::invalid("exact", "has a meaning with format=csv alone"))
            }
        }
    }

    fn named(name: &str) -> Result<Self, Problem> {
        let found = FORMATS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
        found.map(|(.., format)| *format).ok_or_else(|| {
            let names = FORMATS.map(|(name, ..)| name).join(", ");
            Problem::invalid("format", format!("must be one of {names}"))
        })
    }

    /// The format that an `Accept` header likes best (RFC 9110 12.5.1), the earlier in our table among equals. A header that none of them
    /// fits is disregarded, as that section allows: a client that asked for a picture learns more from JSON than from 406.
    fn accepted(accept: &str) -> Self {
        let mut best = (0, Self::Json);
        for (_, types, format) in FORMATS {
            let quality = types.iter().map(|media_type| quality(accept, media_type)).max().unwrap_or_default();
            if quality > best.0 {
                best = (quality, format);
            }
        }
        best.1
    }
}

impl File {
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Csv { .. } => "csv",
            Self::Txt => "txt",
            Self::Vtt => "vtt",
            Self::Srt => "srt",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Csv { .. } => "text/csv; charset=utf-8; header=present",
            Self::Txt => "text/plain; charset=utf-8",
            Self::Vtt => "text/vtt; charset=utf-8",
            Self::Srt => "application/x-subrip; charset=utf-8",
        }
    }
}

/// How much an `Accept` header likes a media type, in thousandths. The most specific range that fits decides; 0 is "not at all".
fn quality(accept: &str, media_type: &str) -> u32 {
    let (family, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    let mut found = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specific = match name.as_str() {
            "*/*" => 1,
            name if name.strip_suffix("/*") == Some(family) => 2,
            name if name == media_type => 3,
            _ => continue,
        };
        let weight = parts.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
        let weight: f32 = weight.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0));
        if specific >= found.0 {
            found = (specific, (weight.clamp(0.0, 1.0) * 1_000.0) as u32);
        }
    }
    found.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_chooses_the_format_it_likes_best() {
        let csv = Format::File(File::Csv { exact: false });
        for (accept, expected) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Json),
            ("text/csv", csv),
            ("TEXT/CSV; charset=utf-8", csv),
            ("text/vtt, application/json;q=0.5", Format::File(File::Vtt)),
            ("text/vtt;q=0.2, application/json;q=0.5", Format::Json),
            ("text/*, text/csv;q=0", Format::File(File::Txt)),
            ("application/json;q=0, */*", csv),
            ("application/x-subrip", Format::File(File::Srt)),
            ("text/srt", Format::File(File::Srt)),
            ("image/png", Format::Json),
            ("text/csv;q=nonsense", Format::Json),
            (";;,,=,/", Format::Json),
        ] {
            assert_eq!(Format::accepted(accept), expected, "{accept}");
        }
    }
}
