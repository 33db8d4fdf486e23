//! Tells when a file of the configuration may have changed: inotify on the folders that hold them.
//!
//! Knows names, not contents. Who hears of a change reads the files again and compares.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use crate::{Sources, file};

/// An editor that renames, or a program that closes the file, is done; it may do the next file at once.
const WRITTEN: Duration = Duration::from_millis(150);
/// An editor may move the old file away before it writes the new one.
const GONE: Duration = Duration::from_secs(1);
/// A writer has the file open, which is cut short or half written: that it closes it will be told. Only what writes without
/// opening, truncate(2) for one, never closes.
const BEING_WRITTEN: Duration = Duration::from_secs(30);

/// Watches the files of an instance. Make a new one after each change: folders and links may be others by then.
#[derive(Debug)]
pub struct Watch {
    inotify: OwnedFd,
    /// The names that matter, by folder.
    names: BTreeMap<i32, Vec<OsString>>,
}

impl Watch {
    /// Watches from now on. Of a file whose folder does not exist yet, the folder is awaited.
    ///
    /// # Errors
    /// The system gives no more watches.
    pub fn new(sources: &Sources) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let mut names: BTreeMap<i32, Vec<OsString>> = BTreeMap::new();
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        for (folder, name) in places(sources) {
            let watch = inotify::add_watch(&inotify, &folder, flags)?;
            names.entry(watch).or_default().push(name);
        }
        Ok(Self { inotify, names })
    }

    /// Reads what happened, without waiting. `Some` when a file may have changed: how long to wait for more before it is
    /// read.
    ///
    /// # Errors
    /// The kernel's queue cannot be read.
    pub fn read(&self) -> io::Result<Option<Duration>> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut settle = None;
        loop {
            match reader.next() {
                Ok(event) => {
                    let named = event.file_name().is_some_and(|name| {
                        let names = self.names.get(&event.wd());
                        names.is_some_and(|names| names.iter().any(|it| it.as_bytes() == name.to_bytes()))
                    });
                    // Without a name it is about the folder itself, or events were lost.
                    if named || event.file_name().is_none() {
                        settle = Some(settle_after(event.events()));
                    }
                }
                Err(rustix::io::Errno::AGAIN) => return Ok(settle),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.inotify.as_raw_fd()
    }
}

fn settle_after(events: ReadFlags) -> Duration {
    if events.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::MOVED_TO | ReadFlags::QUEUE_OVERFLOW) {
        WRITTEN
    } else if events.contains(ReadFlags::MODIFY) {
        BEING_WRITTEN
    } else {
        // A file that is new holds nothing yet; a link is made, and never closed.
        GONE
    }
}

/// The folders to watch, each with the name to look for in it. A link is watched at both ends.
fn places(sources: &Sources) -> Vec<(PathBuf, OsString)> {
    let files = [sources.env_file(), sources.toml_file(), sources.port_table_file()];
    let both_ends = files.into_iter().flat_map(|path| [path.to_owned(), file::target(path)]);
    both_ends.filter_map(|path| place(&path)).collect()
}

/// The deepest folder that exists on the way to a file, and what is looked for in it.
fn place(path: &Path) -> Option<(PathBuf, OsString)> {
    let mut path = path;
    loop {
        let (folder, name) = (path.parent()?, path.file_name()?);
        if folder.is_dir() {
            return Some((folder.to_owned(), name.to_owned()));
        }
        path = folder;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Environment, InstanceId};

    fn watched() -> (tempfile::TempDir, Sources, Watch) {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("config")).unwrap();
        let sources = Sources::new(home.path(), InstanceId::default(), None, Environment::empty()).unwrap();
        let watch = Watch::new(&sources).unwrap();
        (home, sources, watch)
    }

    #[test]
    fn each_way_of_editing_is_noticed() {
        let (home, sources, watch) = watched();
        assert_eq!(watch.read().unwrap(), None, "nothing happened yet");
        fs::write(sources.env_file(), "A=1\n").unwrap();
        assert_eq!(watch.read().unwrap(), Some(WRITTEN), "written and closed");
        let beside = home.path().join("config/ports.env.new");
        fs::write(&beside, "A=2\n").unwrap();
        assert_eq!(watch.read().unwrap(), None, "another name is none of our business");
        fs::rename(&beside, sources.env_file()).unwrap();
        assert_eq!(watch.read().unwrap(), Some(WRITTEN), "replaced by a rename");
        let open = fs::File::create(sources.env_file()).unwrap();
        assert_eq!(watch.read().unwrap(), Some(BEING_WRITTEN), "cut short: the writer is not done");
        drop(open);
        assert_eq!(watch.read().unwrap(), Some(WRITTEN), "now it is");
        fs::remove_file(sources.env_file()).unwrap();
        assert_eq!(watch.read().unwrap(), Some(GONE), "an editor may write it anew in a moment");
        fs::write(sources.port_table_file(), "").unwrap();
        assert_eq!(watch.read().unwrap(), Some(WRITTEN), "the table of ports counts too");
    }

    #[test]
    fn a_file_behind_a_link_is_noticed() {
        let (home, sources, _) = watched();
        let real = home.path().join("dotfiles/ports.env");
        fs::create_dir(home.path().join("dotfiles")).unwrap();
        fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, sources.env_file()).unwrap();
        let watch = Watch::new(&sources).unwrap();
        fs::write(&real, "A=1\n").unwrap();
        assert_eq!(watch.read().unwrap(), Some(WRITTEN), "the folder of the link does not change then");
    }

    #[test]
    fn a_folder_that_does_not_exist_yet_is_awaited() {
        let home = tempfile::tempdir().unwrap();
        let sources = Sources::new(home.path(), InstanceId::default(), None, Environment::empty()).unwrap();
        let watch = Watch::new(&sources).unwrap();
        fs::create_dir(home.path().join("config")).unwrap();
        assert!(watch.read().unwrap().is_some(), "a fresh home has no config folder");
    }
}
