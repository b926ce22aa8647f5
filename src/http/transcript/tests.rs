//! Each format read back by a reader that is not ours, or by one that is strict: what went in comes out.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn started() -> DateTime<Utc> {
    DateTime::from_timestamp(1_770_000_000, 0).unwrap()
}

fn line(role: Role, ms: i64, text: &str) -> TranscriptLine {
    TranscriptLine {
        role,
        text: text.to_owned(),
        intended_text: None,
        interrupted: false,
        language: Some("en".to_owned()),
        confidence: None,
        latency_ms: None,
        stages: None,
        created_at: started() + TimeDelta::milliseconds(ms),
    }
}

/// What strangers say.
const NASTY: &str = "</v><b>=cmd|'/C calc'!A0</b> & \"two\"\r\n\r\n00:00:01.000 --> 00:00:02.000\n{\\an8}नमस्ते";

fn transcript() -> Transcript {
    let answer = TranscriptLine { latency_ms: Some(700), ..line(Role::Agent, 5_000, "Which budget?") };
    let cut = TranscriptLine {
        interrupted: true,
        intended_text: Some("-1 is what I meant".to_owned()),
        ..line(Role::Agent, 40, "Hello, how can")
    };
    let unheard = TranscriptLine { interrupted: true, ..line(Role::Agent, 9_100, "") };
    Transcript {
        call_sid: "CA1\nCA2".to_owned(),
        agent: Some("front-desk".to_owned()),
        started_at: started(),
        ended_at: Some(started() + TimeDelta::milliseconds(3_600_000)),
        ended_reason: Some("completed".to_owned()),
        lines: vec![
            cut,
            line(Role::User, 1_500, "=SUM(A1)"),
            answer,
            line(Role::User, 8_000, NASTY),
            unheard,
            line(Role::User, 9_200, "+919876543210"),
        ],
    }
}

/// `(from, to, text)` in ms, of a file of blocks: number, times, text; strict about all three.
fn read_blocks(blocks: &str, sign: char) -> Vec<(u64, u64, String)> {
    let ms = |text: &str| {
        let (clock, thousandths) = text.split_once(sign).unwrap();
        let parts: Vec<u64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
        assert!(parts.len() == 3 && thousandths.len() == 3 && parts[1] < 60 && parts[2] < 60, "{text}");
        (parts[0] * 3_600 + parts[1] * 60 + parts[2]) * 1_000 + thousandths.parse::<u64>().unwrap()
    };
    let blocks = blocks.strip_suffix('\n').unwrap().split("\n\n").enumerate();
    blocks
        .map(|(index, block)| {
            let lines: Vec<&str> = block.lines().collect();
            let [number, times, text] = lines[..] else { panic!("{block:?}") };
            assert_eq!(number, (index + 1).to_string());
            let (from, to) = times.split_once(" --> ").unwrap();
            (ms(from), ms(to), text.to_owned())
        })
        .collect()
}

const EXPECTED_TIMES: [(u64, u64); 5] = [
    (40, 1_096),    // by its length: 16 characters with the dash
    (1_500, 4_300), // the answer's first sound, less its latency
    (5_000, 6_000), // the shortest guess
    (8_000, 9_100), // by its length, and then the next line began
    (9_200, 10_200),
];

#[test]
fn vtt_has_a_voice_a_cue_and_no_markup_of_strangers() {
    let text = vtt::write(&transcript());
    let blocks = text.strip_prefix("WEBVTT\n\n").unwrap();
    let read = read_blocks(blocks, '.');
    assert_eq!(read.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), EXPECTED_TIMES);
    let unescape = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    assert_eq!(read[0].2, "<v Agent>Hello, how can —");
    assert_eq!(read[2].2, "<v Agent>Which budget?");
    let nasty = read[3].2.strip_prefix("<v Caller>").unwrap();
    assert!(!nasty.contains(['<', '>']));
    assert_eq!(unescape(nasty), one_line(NASTY));
}

#[test]
fn srt_has_commas_speakers_and_no_styling_of_strangers() {
    let read = read_blocks(&srt::write(&transcript()), ',');
    assert_eq!(read.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), EXPECTED_TIMES);
    assert_eq!(read[1].2, "Caller: =SUM(A1)");
    assert!(!read[3].2.contains(['<', '>', '{', '}']) && read[3].2.ends_with("नमस्ते"), "{}", read[3].2);
}

#[test]
fn txt_is_read_from_top_to_bottom() {
    let text = txt::write(&transcript());
    let expected = "Call CA1 CA2 with front-desk\nBegan 2026-02-02T02:40:00Z\nEnded 2026-02-02T03:40:00Z, completed\n\n\
        [00:00:00] Agent: Hello, how can —\n[00:00:01] Caller: =SUM(A1)\n[00:00:05] Agent: Which budget?\n";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(text.lines().count(), 9, "a stranger's line break is none of ours");
}

#[test]
fn csv_comes_back_exact_and_guarded() {
    for exact in [true, false] {
        let transcript = transcript();
        let text = csv::write(&transcript, exact);
        assert_eq!(text.starts_with('\u{FEFF}'), !exact);
        let mut reader = ::csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().iter().nth(4), Some("text"));
        let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), transcript.lines.len());
        for (row, line) in rows.iter().zip(&transcript.lines) {
            let guard = if !exact && line.text.starts_with('=') { "'" } else { "" };
            assert_eq!(row[4], format!("{guard}{}", line.text));
            assert_eq!(row[9].parse::<DateTime<Utc>>().unwrap(), line.created_at);
        }
        assert_eq!(&rows[0][5], if exact { "-1 is what I meant" } else { "'-1 is what I meant" });
        assert_eq!([&rows[1][2], &rows[1][3], &rows[2][8]], ["1500", "4300", "700"]);
        assert_eq!([&rows[4][2], &rows[4][6]], ["", "true"], "of a line unheard there is no time");
    }
}

#[test]
fn an_empty_conversation_is_an_empty_file() {
    let empty = Transcript { lines: Vec::new(), ended_at: None, agent: None, ..transcript() };
    assert_eq!(vtt::write(&empty), "WEBVTT\n");
    assert_eq!(srt::write(&empty), "");
    assert_eq!(csv::write(&empty, true).lines().count(), 1);
    assert!(txt::write(&empty).ends_with("Z\n\n"));
}

#[test]
fn cues_have_a_length_and_go_forwards_whatever_the_clock_did() {
    let mut odd = transcript();
    odd.ended_at = Some(started() - TimeDelta::seconds(9));
    odd.lines = vec![
        TranscriptLine { latency_ms: Some(i64::MAX), ..line(Role::User, 5_000, "a") },
        TranscriptLine { latency_ms: Some(i64::MIN), ..line(Role::Agent, -99_000, "b") },
        line(Role::User, 5_000, "c"),
    ];
    let cues = cue::cues(&odd);
    assert!(cues.iter().all(|cue| cue.to >= cue.from + Duration::from_millis(300)), "{cues:?}");
    assert!(cues.windows(2).all(|pair| pair[0].from <= pair[1].from), "{cues:?}");
    assert_eq!(cue::clock(Duration::from_millis(360_000_001), '.'), "100:00:00.001");
}

/// Lines of anything, said at any time.
fn anything() -> impl Strategy<Value = Vec<TranscriptLine>> {
    let text = prop_oneof![any::<String>(), "[-=+@<>{}&\\r\\n\\t\",' a1:.]{0,40}"];
    let said = (any::<bool>(), -10_000_i64..10_000_000, text, any::<bool>(), proptest::option::of(any::<i64>()));
    let line = said.prop_map(|(user, ms, text, interrupted, latency_ms)| TranscriptLine {
        interrupted,
        latency_ms,
        ..line(if user { Role::User } else { Role::Agent }, ms, &text)
    });
    proptest::collection::vec(line, 0..12)
}

proptest! {
    #[test]
    fn whatever_is_said_stays_in_its_cue_and_its_cell(lines in anything()) {
        let transcript = Transcript { lines, ..transcript() };
        let heard: Vec<String> = transcript.lines.iter().map(heard).filter(|text| !text.is_empty()).collect();
        let vtt = vtt::write(&transcript);
        let srt = srt::write(&transcript);
        if heard.is_empty() {
            prop_assert_eq!((vtt.as_str(), srt.as_str()), ("WEBVTT\n", ""));
        } else {
            let cues = read_blocks(vtt.strip_prefix("WEBVTT\n\n").unwrap(), '.');
            prop_assert_eq!(cues.len(), heard.len());
            prop_assert_eq!(read_blocks(&srt, ',').len(), heard.len());
            for ((from, to, text), words) in cues.iter().zip(&heard) {
                prop_assert!(to > from);
                let text = text.split_once('>').unwrap().1;
                prop_assert_eq!(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), words);
            }
        }
        for exact in [true, false] {
            let text = csv::write(&transcript, exact);
            let mut reader = ::csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
            let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), transcript.lines.len());
            for (row, line) in rows.iter().zip(&transcript.lines) {
                let cell = &row[4];
                let unguarded = if exact || cell == line.text { cell } else { cell.strip_prefix('\'').unwrap() };
                prop_assert_eq!(unguarded, &line.text);
            }
        }
    }
}
