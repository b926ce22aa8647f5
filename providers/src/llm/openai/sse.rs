//! Server-sent events as bytes come: the values of their `data:` lines. Pure.
//!
//! Source: WHATWG HTML 9.2.6. Chunks may be cut anywhere, also within a character. `event`, `id`, `retry` and comments are skipped: nobody
//! in this trade gives them a meaning.

/// Bytes of one event: a model's longest line is far below.
const MOST_BYTES: usize = 256 * 1_024;

/// An event that is too long, or no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no event stream: {0}")]
pub(super) struct NoEvents(&'static str);

/// The reader of one stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Of the line that is not over.
    line: Vec<u8>,
    /// The lines of the event that is not over.
    data: Option<String>,
    /// The last byte was a carriage return: a line feed after it belongs to it.
    returned: bool,
}

impl Events {
    /// Takes the next bytes; adds the data of the events that are over.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<String>) -> Result<(), NoEvents> {
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.returned, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => self.line_over(out)?,
                _ if self.line.len() < MOST_BYTES => self.line.push(byte),
                _ => return Err(NoEvents("a line without an end")),
            }
        }
        Ok(())
    }

    fn line_over(&mut self, out: &mut Vec<String>) -> Result<(), NoEvents> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line).map_err(|_| NoEvents("a line that is no text"))?;
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        if line.is_empty() {
            out.extend(self.data.take());
            return Ok(());
        }
        let Some(value) = line.strip_prefix("data") else { return Ok(()) };
        let value = match value.strip_prefix(':') {
            Some(value) => value.strip_prefix(' ').unwrap_or(value),
            None if value.is_empty() => "",
            None => return Ok(()), // a field whose name only begins like it
        };
        match &mut self.data {
            Some(data) if data.len() + value.len() > MOST_BYTES => return Err(NoEvents("an event without an end")),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn read(chunks: &[&[u8]]) -> Result<Vec<String>, NoEvents> {
        let (mut events, mut found) = (Events::default(), Vec::new());
        for chunk in chunks {
            events.push(chunk, &mut found)?;
        }
        Ok(found)
    }

    const STREAM: &str = "\u{feff}: hello\r\ndata: {\"a\":\"डॉ\"}\r\n\r\nevent: x\ndata:one\ndata: two\ndatabase: no\nid: 7\n\ndata\n\n\rdata: cut";

    #[test]
    fn events_are_their_data_lines() {
        assert_eq!(read(&[STREAM.as_bytes()]).unwrap(), ["{\"a\":\"डॉ\"}", "one\ntwo", ""]);
        assert_eq!(read(&[&[b'x'; MOST_BYTES], b"x"]), Err(NoEvents("a line without an end")));
        assert_eq!(read(&[b"data: \xff\n"]), Err(NoEvents("a line that is no text")));
        let line = [b"data: ".as_slice(), &[b'x'; MOST_BYTES / 2], b"\n"].concat();
        assert_eq!(read(&[&line, &line, &line]), Err(NoEvents("an event without an end")));
    }

    proptest! {
        #[test]
        fn chunks_may_be_cut_anywhere(cuts in prop::collection::vec(0..STREAM.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &STREAM.as_bytes()[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&chunks).unwrap(), read(&[STREAM.as_bytes()]).unwrap());
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&[&bytes]);
        }
    }
}
