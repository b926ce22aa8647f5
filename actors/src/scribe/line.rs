//! One record as one line of a journal: eight hexadecimal digits of CRC-32 (as in zip), a space, the record as JSON, a line feed.
//!
//! JSON holds no raw line feed, so lines need no length; the sum tells a line that was torn by a crash, or rotted, from a whole one. A person
//! reads a journal with `cut -c10-`.

use tandem_domain::record::Record;

/// Digits of the sum, and the space.
const HEAD: usize = 9;

/// Writes a line.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    let json = serde_json::to_vec(record).expect("a record has string keys and no failing parts");
    let mut line = Vec::with_capacity(HEAD + json.len() + 1);
    line.extend_from_slice(format!("{:08x} ", crc32fast::hash(&json)).as_bytes());
    line.extend_from_slice(&json);
    line.push(b'\n');
    line
}

/// Reads the lines of a file, in order, and counts those that are damaged. The last line of a file may be torn: a crash came in the middle of it.
pub(super) fn decode(file: &[u8]) -> (Vec<Record>, usize) {
    let (mut records, mut damaged) = (Vec::new(), 0);
    for line in file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match one(line) {
            Some(record) => records.push(record),
            None => damaged += 1,
        }
    }
    (records, damaged)
}

fn one(line: &[u8]) -> Option<Record> {
    let (head, json) = line.split_at_checked(HEAD)?;
    let sum = u32::from_str_radix(std::str::from_utf8(head).ok()?.trim_end(), 16).ok()?;
    if crc32fast::hash(json) != sum {
        return None;
    }
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::one_of_each;
    use super::*;

    #[test]
    fn every_kind_of_record_comes_back_as_it_was() {
        let records = one_of_each();
        let file: Vec<u8> = records.iter().flat_map(encode).collect();
        assert_eq!(decode(&file), (records, 0));
    }

    #[test]
    fn a_file_cut_anywhere_gives_every_whole_line() {
        let lines: Vec<Vec<u8>> = one_of_each().iter().map(encode).collect();
        let file = lines.concat();
        for end in 0..=file.len() {
            let (read, damaged) = decode(&file[..end]);
            // The line feed is the last byte of a line; without it the record is whole all the same.
            let whole = (1..=lines.len()).take_while(|count| lines[..*count].concat().len() <= end + 1).count();
            assert_eq!(read.len(), whole, "cut at {end}");
            assert!(damaged <= 1, "cut at {end}");
        }
    }

    #[test]
    fn a_damaged_line_costs_only_itself() {
        let lines: Vec<Vec<u8>> = one_of_each().iter().map(encode).collect();
        let mut file = lines.concat();
        let middle = lines[0].len() + lines[1].len() / 2;
        file[middle] ^= 1;
        assert_eq!(decode(&file).0.len(), lines.len() - 1);
        assert_eq!(decode(&file).1, 1);
    }
}
