//! Recordings: the file of a call, in parts if a player asks for parts, its outline for whoever draws it, and a pause while something is said
//! that shall be in no file.
//!
//! A recording is there when its call has ended and the record says `recording_saved`; its digest is the validator, so a part that was fetched
//! earlier is never joined to another file's. Behind the gate like everything that holds what callers said.

use std::io::{ErrorKind, SeekFrom};
use std::path::{Path as FilePath, PathBuf};

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tandem_access::audit::{self, Action};
use tandem_actors::RecordingFormat;
use tandem_codecs::peaks::{Peak, Peaks};
use tandem_codecs::wav::HEADER_BYTES;
use tandem_domain::ids::CallId;
use tandem_domain::port::store::{RowKey, StoredEvent};
use tandem_domain::record::RECORDING_SAVED;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::asking::Asking;
use super::guard::Tenant;
use super::problem::Problem;
use super::range::{self, Part};
use super::{Surface, gate};

/// Of one read from the disk.
const PIECE_BYTES: usize = 64 * 1024;
/// Of a pair of samples.
const PAIR_BYTES: u64 = 4;
/// Samples a second of every recording.
const SAMPLE_RATE: u32 = 8_000;
/// Points of an outline, at most: more than any screen is wide.
const MOST_POINTS: u32 = 10_000;
const POINTS: u32 = 1_000;

/// The bytes of a recording.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
struct Wave(#[expect(dead_code, reason = "described, never made")] Vec<u8>);

/// The recording of one call: WAV or Ogg Opus, the caller left, the agent right.
///
/// As long as the call, to a frame; what the agent said and the caller did not hear is not in it. `Range` fetches a part, `If-Range` with the
/// `ETag` of another part makes sure that both are of one file. The UUID of a talk in the browser names its recording too.
#[utoipa::path(
    get, path = "/api/calls/{id}/recording", operation_id = "get_call_recording", tag = "calls",
    params(
        ("id" = String, Path, description = "number or UUID of the call, or the carrier's id of it; or the UUID of a talk in the browser"),
        ("range" = Option<String>, Header, description = "one range of bytes; several are answered with the whole"),
        ("if-range" = Option<String>, Header, description = "the whole is sent unless this is its `ETag`"),
    ),
    responses(
        (status = OK, content((inline(Wave) = "audio/wav"), (inline(Wave) = "audio/ogg"))),
        (status = PARTIAL_CONTENT, content((inline(Wave) = "audio/wav"), (inline(Wave) = "audio/ogg")), description = "the range that was asked for"),
        (status = NOT_MODIFIED, description = "the file that the client has"),
        (status = RANGE_NOT_SATISFIABLE, body = inline(super::problem::Body), content_type = "application/problem+json", description = "the range lies outside; `Content-Range` has the length"),
    ),
)]
pub(super) async fn file(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let saved = find(&surface, id).await?;
    let mut file = saved.open().await?;
    let length = file.metadata().await.map_err(unreadable)?.len();
    if is_known(&headers, &saved.tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, saved.tag)]).into_response());
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // A validator that is not ours, or a date, which is a weak one here: the whole (RFC 9110 section 13.1.5).
    let of_this_file = text(header::IF_RANGE).is_none_or(|validator| validator == saved.tag);
    let part = text(header::RANGE).filter(|_| of_this_file).map_or(Part::Whole, |asked| range::asked(asked, length));
    let (status, bytes) = match part {
        Part::Whole => (StatusCode::OK, 0..length),
        Part::Bytes(bytes) => (StatusCode::PARTIAL_CONTENT, bytes),
        Part::Outside => {
            let headers = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            let detail = format!("range: the recording has {length} bytes");
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers, detail).into_response());
        }
    };
    file.seek(SeekFrom::Start(bytes.start)).await.map_err(unreadable)?;
    let sent = file.take(bytes.end - bytes.start);
    let headers = [
        (header::CONTENT_TYPE, saved.media_type().to_owned()),
        (header::CONTENT_LENGTH, (bytes.end - bytes.start).to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, saved.tag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{}.{}\"", saved.call, saved.format.ending())),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let body = Body::from_stream(ReaderStream::with_capacity(sent, PIECE_BYTES));
    let mut response = (status, headers, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{length}", bytes.start, bytes.end - 1);
        response.headers_mut().insert(header::CONTENT_RANGE, range.parse().map_err(|_| Problem::internal())?);
    }
    Ok(response)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OutlineQuery {
    /// Points of each side.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 10_000, default = 1_000)]
    points: Option<String>,
}

/// The outline of a recording.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Outline {
    /// The call's UUID.
    call_id: Uuid,
    /// Length of the recording.
    seconds: f64,
    sample_rate: u32,
    /// Points of each side; fewer than were asked for if there are fewer samples.
    points: usize,
    /// For each point the lowest and the highest sample of its stretch, -32768 to 32767.
    #[schema(value_type = Vec<[i16; 2]>)]
    caller: Vec<Peak>,
    /// The same of the agent.
    #[schema(value_type = Vec<[i16; 2]>)]
    agent: Vec<Peak>,
}

/// The outline of a recording, to draw it without decoding it.
#[utoipa::path(
    get, path = "/api/calls/{id}/recording/peaks", operation_id = "get_call_recording_peaks", tag = "calls",
    params(
        ("id" = String, Path, description = "number or UUID of the call, or the carrier's id of it; or the UUID of a talk in the browser"),
        OutlineQuery,
    ),
    responses((status = OK, body = Outline), (status = NOT_MODIFIED, description = "the outline that the client has")),
)]
pub(super) async fn outline(
    Tenant(surface): Tenant,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<OutlineQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| Problem::invalid("query", error.body_text()))?;
    let points = match query.points.as_deref() {
        None => POINTS,
        Some(text) => {
            let points = text.parse().ok().filter(|points| (1..=MOST_POINTS).contains(points));
            points
                .ok_or_else(|| Problem::invalid("points", format!("must be a whole number from 1 to {MOST_POINTS}")))?
        }
    };
    let saved = find(&surface, id).await?;
    let tag = format!("{}-{points}\"", saved.tag.trim_end_matches('"'));
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let (path, format) = (saved.path.clone(), saved.format);
    let read =
        tokio::task::spawn_blocking(move || peaks(&path, format, points)).await.map_err(|_| Problem::internal())?;
    let (pairs, [caller, agent]) = read.map_err(unreadable)?;
    let outline = Outline {
        call_id: saved.call.0,
        seconds: pairs as f64 / f64::from(SAMPLE_RATE),
        sample_rate: SAMPLE_RATE,
        points: caller.len(),
        caller,
        agent,
    };
    let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    Ok((headers, Json(outline)).into_response())
}

/// Whether a call is recorded at this moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordingState {
    /// The call's UUID.
    call_id: Uuid,
    /// `paused` or `recording`.
    recording: &'static str,
}

/// Makes the recording of a live call silent on both sides until it is resumed. It stays as long as the call.
#[utoipa::path(
    post, path = "/api/calls/{id}/recording/pause", operation_id = "pause_call_recording", tag = "calls",
    params(("id" = String, Path, description = "number or UUID of the call, or the carrier's id of it; or the UUID of a talk in the browser")),
    responses((status = OK, body = RecordingState, description = "silent from now on")),
)]
pub(super) async fn pause(
    Tenant(surface): Tenant,
    asking: Asking,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<RecordingState>, Problem> {
    set_paused(&surface, &asking, id, &headers, true).await
}

/// Lets the recording of a live call go on.
#[utoipa::path(
    post, path = "/api/calls/{id}/recording/resume", operation_id = "resume_call_recording", tag = "calls",
    params(("id" = String, Path, description = "number or UUID of the call, or the carrier's id of it; or the UUID of a talk in the browser")),
    responses((status = OK, body = RecordingState, description = "recorded again from now on")),
)]
pub(super) async fn resume(
    Tenant(surface): Tenant,
    asking: Asking,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<RecordingState>, Problem> {
    set_paused(&surface, &asking, id, &headers, false).await
}

async fn set_paused(
    surface: &Surface,
    asking: &Asking,
    id: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
    paused: bool,
) -> Result<Json<RecordingState>, Problem> {
    if gate::is_of_another_page(headers) {
        return Err(Problem::closed("the request was sent by a page of another host"));
    }
    let (call, _) = look_up(surface, id).await?;
    match surface.switch.pause_recording(call, paused).await {
        Some(true) => {
            let state = |paused| if paused { "paused" } else { "recording" };
            let (before, after) = (json!({ "recording": state(!paused) }), json!({ "recording": state(paused) }));
            let changes = audit::changes(Some(&before), Some(&after));
            let record = asking.record(Action::Updated, "recording", call.0.to_string(), changes);
            // It is silent already, which is what counts: a database that is away makes no failure of that.
            if let Err(error) = surface.guard.accounts().record(record).await {
                tracing::warn!(%error, call_id = %call, "that a recording was paused or resumed is not on record");
            }
            Ok(Json(RecordingState { call_id: call.0, recording: state(paused) }))
        }
        Some(false) => Err(Problem::not_found("this call is not recorded: set RECORD_CALLS before it begins")),
        None => Err(Problem::not_found("this call is over")),
    }
}

/// A recording that was saved.
struct Saved {
    call: CallId,
    path: PathBuf,
    format: RecordingFormat,
    /// Strong validator: the digest of the file, in quotes.
    tag: String,
}

impl Saved {
    fn media_type(&self) -> &'static str {
        match self.format {
            RecordingFormat::Wav => "audio/wav",
            RecordingFormat::Opus => "audio/ogg", // RFC 7845 section 9
        }
    }

    async fn open(&self) -> Result<tokio::fs::File, Problem> {
        tokio::fs::File::open(&self.path).await.map_err(unreadable)
    }
}

/// The recording of the call that a path names.
async fn find(surface: &Surface, id: Result<Path<String>, PathRejection>) -> Result<Saved, Problem> {
    let (call, events) = look_up(surface, id).await?;
    let saved = events.iter().rev().find(|event| event.kind == RECORDING_SAVED);
    let digest = saved.and_then(|event| event.data["sha256"].as_str());
    let digest = digest.ok_or_else(|| {
        Problem::not_found(if surface.switch.recordings().are_on() {
            "this call has no recording, or none yet: it is saved when the call has ended"
        } else {
            "this call was not recorded: set RECORD_CALLS to record those that come"
        })
    })?;
    // The name is made from the id and not taken from the row: no row leads out of the folder.
    let opus = saved.is_some_and(|event| event.data["format"] == RecordingFormat::Opus.ending());
    let format = if opus { RecordingFormat::Opus } else { RecordingFormat::Wav };
    let path = surface.recordings.join(format!("{call}.{}", format.ending()));
    Ok(Saved { call, path, format, tag: format!("\"{digest}\"") })
}

/// The call that a path names, or the talk in the browser, and its timeline.
async fn look_up(
    surface: &Surface,
    id: Result<Path<String>, PathRejection>,
) -> Result<(CallId, Vec<StoredEvent>), Problem> {
    let Path(id) = id.map_err(|error| Problem::invalid("id", error.body_text()))?;
    let (rows, business, key) = (&surface.rows, surface.business, RowKey::parse(&id));
    if let Some(call) = rows.call(business, key.clone()).await? {
        return Ok((CallId(call.uuid), rows.events(business, call.id).await?));
    }
    let talk = match key {
        RowKey::Uuid(_) => rows.conversation(business, key).await?.filter(|talk| talk.call_session_id.is_none()),
        RowKey::Number(_) | RowKey::Name(_) => None,
    };
    let talk = talk.ok_or_else(|| Problem::not_found("there is no such call"))?;
    Ok((CallId(talk.uuid), rows.talk_events(business, talk.id).await?))
}

/// Reads a whole file, and keeps its outline alone. Returns its length in pairs too.
fn peaks(path: &FilePath, format: RecordingFormat, points: u32) -> std::io::Result<(u64, [Vec<Peak>; 2])> {
    match format {
        RecordingFormat::Wav => peaks_of_wav(path, points),
        RecordingFormat::Opus => peaks_of_opus(path, points),
    }
}

#[cfg(feature = "opus")]
fn peaks_of_opus(path: &FilePath, points: u32) -> std::io::Result<(u64, [Vec<Peak>; 2])> {
    use tandem_codecs::ogg_opus;
    let open = || std::fs::File::open(path).map(std::io::BufReader::new);
    let pairs = ogg_opus::pairs(open()?).map_err(std::io::Error::other)?;
    let mut peaks = Peaks::new(pairs, points);
    ogg_opus::read(open()?, |piece| peaks.push(piece)).map_err(std::io::Error::other)?;
    Ok((pairs, peaks.finish()))
}

#[cfg(not(feature = "opus"))]
fn peaks_of_opus(_: &FilePath, _: u32) -> std::io::Result<(u64, [Vec<Peak>; 2])> {
    Err(std::io::Error::other("this program was built without the feature opus"))
}

fn peaks_of_wav(path: &FilePath, points: u32) -> std::io::Result<(u64, [Vec<Peak>; 2])> {
    use std::io::{Read, Seek};
    let mut file = std::fs::File::open(path)?;
    let pairs = file.metadata()?.len().saturating_sub(HEADER_BYTES) / PAIR_BYTES;
    file.seek(SeekFrom::Start(HEADER_BYTES))?;
    let (mut file, mut peaks) = (file.take(pairs * PAIR_BYTES), Peaks::new(pairs, points));
    let (mut bytes, mut samples) = (Vec::with_capacity(PIECE_BYTES), Vec::with_capacity(PIECE_BYTES / 2));
    loop {
        bytes.clear();
        if file.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut bytes)? == 0 {
            return Ok((pairs, peaks.finish()));
        }
        samples.clear();
        samples.extend(bytes.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])));
        peaks.push(&samples);
    }
}

/// Whether the client has what it asks for (RFC 9110 section 13.1.2, by weak comparison).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known
        .flat_map(|list| list.split(','))
        .any(|known| matches!(known.trim(), "*") || known.trim().trim_start_matches("W/") == tag)
}

fn unreadable(error: std::io::Error) -> Problem {
    match error.kind() {
        ErrorKind::NotFound => {
            Problem::not_found("the file of this recording is gone: it was removed from DATA_DIR/recordings")
        }
        _ => {
            tracing::error!(%error, "recording not readable");
            Problem::internal()
        }
    }
}
