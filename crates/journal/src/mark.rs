//! How far the journal was acknowledged, in a small file beside it.
//!
//! SQLite takes a damaged frame of its write-ahead log for the end of it, and drops without a word what comes after. The
//! mark is written once a commit is on the disk, and not synchronised itself: it survives the end of the process, and after
//! that of the computer it is at worst behind. So a journal that ends before its mark has lost something.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::checksum::checksum;

#[derive(Debug)]
pub(crate) struct Mark(File);

impl Mark {
    pub(crate) fn open(journal: &Path) -> io::Result<Self> {
        let options = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path(journal));
        options.map(Self)
    }

    /// Everything up to `sequence` is on the disk.
    pub(crate) fn set(&self, sequence: u64) -> io::Result<()> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&sequence.to_le_bytes());
        bytes[8..].copy_from_slice(&checksum(sequence, b"mark").to_le_bytes());
        self.0.write_all_at(&bytes, 0)
    }
}

/// What the mark says; 0 where there is none that is whole.
pub(crate) fn read(journal: &Path) -> u64 {
    let Ok(bytes) = std::fs::read(path(journal)) else { return 0 };
    let Some((sequence, sum)) = bytes.split_first_chunk::<8>() else { return 0 };
    let sequence = u64::from_le_bytes(*sequence);
    if sum == checksum(sequence, b"mark").to_le_bytes() { sequence } else { 0 }
}

fn path(journal: &Path) -> PathBuf {
    journal.with_extension("mark")
}
