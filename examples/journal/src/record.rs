//! The format of the file: a magic number, then one record for each entry.
//!
//! A record is a head of twelve bytes and the text in UTF-8. The head holds three numbers of four bytes, little endian: the
//! length of the text, the checksum of the text, and the checksum of the eight bytes before it. The head has a checksum of its
//! own so that a damaged length is told from a file that ends too early: the one must not be repaired by cutting, the other
//! may.

use std::io::{ErrorKind, Read};

use crate::error::{JournalError, Result};

/// The first bytes of every journal.
pub(crate) const MAGIC: [u8; 8] = *b"journal1";

/// The length of a record's head.
pub(crate) const HEAD: u64 = 12;

/// What a head says.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub(crate) length: u32,
    checksum: u32,
}

/// Appends a record to a buffer. The caller has seen to it that the length fits.
pub(crate) fn write_record(buffer: &mut Vec<u8>, text: &str, length: u32) {
    let start = buffer.len();
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(&checksum(text.as_bytes()).to_le_bytes());
    let head_checksum = checksum(&buffer[start..]);
    buffer.extend_from_slice(&head_checksum.to_le_bytes());
    buffer.extend_from_slice(text.as_bytes());
}

/// Reads the head of entry `number`.
pub(crate) fn read_head(file: &mut impl Read, number: u64) -> Result<Head> {
    let mut bytes = [0; HEAD as usize];
    read_exactly(file, &mut bytes, number)?;
    let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
    if checksum(&[a, b, c, d, e, f, g, h]) != u32::from_le_bytes([i, j, k, l]) {
        return Err(JournalError::Corrupt { number });
    }
    Ok(Head {
        length: u32::from_le_bytes([a, b, c, d]),
        checksum: u32::from_le_bytes([e, f, g, h]),
    })
}

/// Reads the text behind a head.
pub(crate) fn read_text(file: &mut impl Read, head: Head, number: u64) -> Result<String> {
    let mut bytes = vec![0; head.length as usize];
    read_exactly(file, &mut bytes, number)?;
    if checksum(&bytes) != head.checksum {
        return Err(JournalError::Corrupt { number });
    }
    String::from_utf8(bytes).map_err(|_| JournalError::Corrupt { number })
}

fn read_exactly(file: &mut impl Read, bytes: &mut [u8], number: u64) -> Result<()> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => JournalError::Truncated { number },
        _ => JournalError::file(format!("reading entry {number}"))(error),
    })
}

/// CRC-32 as in zlib and PNG.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = checksum_table();
    !bytes.iter().fold(!0, |sum, byte| {
        TABLE[((sum ^ u32::from(*byte)) & 0xff) as usize] ^ (sum >> 8)
    })
}

const fn checksum_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                0xedb8_8320 ^ (value >> 1)
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32() {
        // The check value that the catalogue of checksums gives for "123456789".
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut buffer = Vec::new();
        write_record(&mut buffer, "wal", 3);
        let mut file = buffer.as_slice();
        let head = read_head(&mut file, 0).unwrap();
        assert_eq!(read_text(&mut file, head, 0).unwrap(), "wal");
        assert!(file.is_empty());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut record = Vec::new();
        write_record(&mut record, "whale", 5);
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut file = damaged.as_slice();
            let read = read_head(&mut file, 7).and_then(|head| read_text(&mut file, head, 7));
            assert!(
                matches!(read, Err(JournalError::Corrupt { number: 7 })),
                "bit {bit}: {read:?}"
            );
        }
    }

    #[test]
    fn a_record_that_ends_early_is_truncated_and_not_corrupt() {
        let mut record = Vec::new();
        write_record(&mut record, "whale", 5);
        for length in 0..record.len() {
            let mut file = &record[..length];
            let read = read_head(&mut file, 7).and_then(|head| read_text(&mut file, head, 7));
            assert!(
                matches!(read, Err(JournalError::Truncated { number: 7 })),
                "{length} bytes: {read:?}"
            );
        }
    }
}
