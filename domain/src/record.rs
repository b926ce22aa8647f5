//! What a call leaves behind: the rows that its life writes, in order, and the closed set of reasons for its end.
//!
//! A record is plain data made by the call core; the store turns it into rows. Nothing on the media path waits for that. Records are written
//! to the spool's journal as JSON and read back after a crash, so all of them are `serde` types; their spelling there is nobody's interface.

pub(crate) mod name;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::admission::Denied;
use crate::agent_version::VersionNumber;
use crate::ids::{AgentId, BusinessId, CallId, ConversationId, TurnId, UtteranceId};
use crate::invitation::Uninvited;
use crate::port::dialect::Breach;
use name::Name;

/// Which side began the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The caller dialled us.
    #[default]
    Inbound,
    /// We dialled.
    Outbound,
}

/// State of a call as the carrier's words have it (api-inventory section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// Waiting for the carrier.
    Queued,
    /// The carrier has taken the call.
    Initiated,
    /// The far end rings.
    Ringing,
    /// Audio flows.
    InProgress,
    /// Ended after it was answered.
    Completed,
    /// The far end was busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// Ended by a fault.
    Failed,
    /// Taken back before it was answered.
    Canceled,
}

impl CallStatus {
    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// Why a call ended. Exactly one a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// The agent's work was done and it said goodbye.
    Completed,
    /// The agent handed the caller over to a person.
    Handover,
    /// The caller hung up.
    CallerHangup,
    /// The caller stayed silent through all reprompts.
    Silence,
    /// The longest call allowed.
    MaxDuration,
    /// We are shutting down and the drain limit was reached.
    Drained,
    /// The stream did not start within its limit.
    StartTimeout,
    /// No message came for the limit of a half-open connection.
    MediaTimeout,
    /// The connection broke.
    LegLost,
    /// The far end broke its protocol.
    Breach(Breach),
    /// No room: the server's limit is reached or the switch is draining.
    Refused,
    /// The business or the agent does not take it: a limit of theirs is reached, or the agent answers nobody.
    Denied(Denied),
    /// No agent answers this call.
    NoAgent,
    /// The socket had no valid invitation.
    NotInvited(Uninvited),
    /// The carrier took the caller on: its call flow moved past us.
    MovedOn,
    /// A part of the call failed more often than may be.
    PartFailed(#[serde(deserialize_with = "name::one")] Name),
    /// The call's own actor died.
    CallCrashed,
    /// The process that held the call died; its machine's next one found the call open.
    ServerRestarted,
    /// The process that held the call gives no sign of life. Said by another one from afar, so the call's own process, should it live after
    /// all, may still tell the true end.
    ServerLost,
}

impl EndReason {
    /// Stable name, stored as `ended_reason` and used as metric label.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Handover => "handover",
            Self::CallerHangup => "caller_hangup",
            Self::Silence => "silence",
            Self::MaxDuration => "max_duration",
            Self::Drained => "drained",
            Self::StartTimeout => "start_timeout",
            Self::MediaTimeout => "media_timeout",
            Self::LegLost => "leg_lost",
            Self::Breach(breach) => breach.reason(),
            Self::Refused => "refused",
            Self::Denied(denied) => denied.as_str(),
            Self::NoAgent => "no_agent",
            Self::NotInvited(_) => "not_invited",
            Self::MovedOn => "moved_on",
            Self::PartFailed(_) => "part_failed",
            Self::CallCrashed => "call_crashed",
            Self::ServerRestarted => "server_restarted",
            Self::ServerLost => "server_lost",
        }
    }

    /// The call's final status.
    pub fn status(&self) -> CallStatus {
        match self {
            Self::Completed
            | Self::Handover
            | Self::CallerHangup
            | Self::Silence
            | Self::MaxDuration
            | Self::MovedOn
            | Self::Drained => CallStatus::Completed,
            Self::Denied(Denied::AtOnce { .. }) => CallStatus::Busy,
            Self::Denied(Denied::Unanswered) => CallStatus::NoAnswer,
            Self::Denied(Denied::Today { .. } | Denied::DayUnknown)
            | Self::Refused
            | Self::StartTimeout
            | Self::MediaTimeout
            | Self::LegLost
            | Self::Breach(_)
            | Self::NoAgent
            | Self::NotInvited(_)
            | Self::PartFailed(_)
            | Self::CallCrashed
            | Self::ServerRestarted
            | Self::ServerLost => CallStatus::Failed,
        }
    }
}

/// One thing to be stored about a call. Records of one call are applied in the order they were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// The call exists: writes the call session and its conversation; of a talk in the browser the conversation alone.
    Started(CallStarted),
    /// The call was let in: counts towards the limits of its day.
    Admitted(Usage),
    /// A turn of the caller was committed.
    UserTurn(UserTurn),
    /// An utterance of the agent ended; holds what was heard.
    AgentResponse(AgentResponse),
    /// What is known so far.
    Progress(Progress),
    /// Something happened that belongs in the timeline: a key, an interruption, a restart.
    Event(TimelineEvent),
    /// The call is over.
    Ended(CallEnded),
}

/// [`CallStarted::provider`] of a talk in the browser.
pub const BROWSER: &str = "browser";

impl CallStarted {
    /// Whether it is a talk in the browser: a conversation without a call session (R5). Its conversation's id is the call's, so that later
    /// records, which name the call, find it.
    pub fn is_talk(&self) -> bool {
        self.provider == BROWSER
    }
}

/// The first record of every call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallStarted {
    /// The call.
    pub call: CallId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Owner.
    pub business: BusinessId,
    /// Who answers; `None` where the call failed before an agent was chosen.
    pub agent: Option<AgentId>,
    /// In which of its versions; records of earlier releases do not tell.
    #[serde(default)]
    pub agent_version: Option<VersionNumber>,
    /// The carrier's id of the call, empty if it never told.
    pub call_sid: String,
    /// The carrier's id of the stream.
    pub stream_sid: String,
    /// Carrier, lower case.
    pub provider: String,
    /// Which side began.
    pub direction: Direction,
    /// Calling number.
    pub from: Option<String>,
    /// Dialled number.
    pub to: Option<String>,
    /// Parameters that came with the stream.
    pub parameters: BTreeMap<String, String>,
    /// When the stream started.
    pub at: DateTime<Utc>,
}

/// A call that was let in, as the limits of its day count it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// The call.
    pub call: CallId,
    /// Owner.
    pub business: BusinessId,
    /// Who takes it.
    pub agent: AgentId,
    /// Which side began.
    pub direction: Direction,
    /// The day that it was where the business is.
    pub day: NaiveDate,
    /// Beyond the business's calls at once, by its agent's leave.
    pub overflow: bool,
    /// When.
    pub at: DateTime<Utc>,
}

/// A committed turn of the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserTurn {
    /// The conversation.
    pub conversation: ConversationId,
    /// Owner.
    pub business: BusinessId,
    /// Place among the caller's turns, from 1.
    pub turn: TurnId,
    /// What was said.
    pub text: String,
    /// Language tag, where the recogniser tells.
    pub language: Option<String>,
    /// Engine that heard it.
    pub stt_provider: String,
    /// 0 to 1.
    pub confidence: Option<f32>,
    /// When the caller began to speak.
    pub at: DateTime<Utc>,
}

/// An utterance of the agent that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentResponse {
    /// The conversation.
    pub conversation: ConversationId,
    /// Owner.
    pub business: BusinessId,
    /// Place among the agent's utterances, from 1.
    pub utterance: UtteranceId,
    /// The turn it answers; `None` for the opening and for reprompts.
    pub turn: Option<TurnId>,
    /// What was meant to be said.
    pub text: String,
    /// What the caller heard.
    pub heard: String,
    /// Cut short by the caller or by the end of the call.
    pub interrupted: bool,
    /// Brain that wrote it.
    pub llm_provider: String,
    /// Engine that spoke it.
    pub tts_provider: String,
    /// Its voice.
    pub voice: String,
    /// Language tag.
    pub language: String,
    /// From the end of the caller's speech to the first sample sent; `None` where it answers nobody.
    pub latency: Option<Duration>,
    /// Parts of the latency, in the order they were spent.
    #[serde(deserialize_with = "name::stages")]
    pub stages: Vec<(Name, Duration)>,
    /// When its first sample was sent.
    pub at: DateTime<Utc>,
}

/// What is known so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The conversation.
    pub conversation: ConversationId,
    /// Owner.
    pub business: BusinessId,
    /// Place among the call's notes, from 1: of two, the one with the higher revision holds, whichever is written last.
    pub revision: u32,
    /// Conversation stage (api-inventory section 7).
    pub stage: String,
    /// The slots, as `extracted_data`.
    pub extracted: serde_json::Map<String, serde_json::Value>,
}

/// One entry of the call's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// The call.
    pub call: CallId,
    /// Owner.
    pub business: BusinessId,
    /// Place among the call's notes, from 1: two events that say the same are two events.
    pub index: u32,
    /// Time since the stream started.
    pub since_start: Duration,
    /// Closed set: `dtmf`, `interruption`, `restart`, `silence`, …
    #[serde(deserialize_with = "name::one")]
    pub kind: Name,
    /// Details.
    pub data: serde_json::Value,
}

/// [`TimelineEvent::kind`] of a call that was not let in: its `data` names the `reason` and the `level`, and how many calls there were (`used`,
/// `most`).
pub const REFUSED: &str = "refused";

/// [`TimelineEvent::kind`] of a recording that is whole: its `data` names the file, with `sha256`, `seconds` and `bytes`.
pub const RECORDING_SAVED: &str = "recording_saved";

/// The last record of every call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallEnded {
    /// The call.
    pub call: CallId,
    /// Owner.
    pub business: BusinessId,
    /// Why.
    pub reason: EndReason,
    /// Details for people; empty if the reason says all.
    pub detail: String,
    /// From start to end.
    pub duration: Duration,
    /// The playbook's last decision, as `final_outcome`; `None` if it never decided.
    pub outcome: Option<crate::playbook::Decision>,
    /// When.
    pub at: DateTime<Utc>,
}
