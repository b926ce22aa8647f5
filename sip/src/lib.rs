//! SIP and RTP trunks: dialogs, SDP, registration, media sessions.
//!
//! Empty today: the first call comes over a media WebSocket. The crate stands so that its place in the tree is fixed: `sip -> codecs`, sans-IO
//! but for `net/`, and one file that names a third-party SIP stack.
