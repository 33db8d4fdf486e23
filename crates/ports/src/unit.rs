//! The systemd unit behind a control group.
//!
//! The kernel tells the control group of any user's socket by number, the inode of the group's folder, whose path names
//! the unit. Where no cgroup2 file system is mounted, only the units of visible processes are known.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A systemd unit that has processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// With its type, for example `grafana-server.service`.
    pub name: String,
    /// Who runs it.
    pub manager: Manager,
}

/// An instance of systemd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// That of the system: `systemctl`.
    System,
    /// That of a logged-in user: `systemctl --user`, for this user only.
    User {
        /// The user.
        uid: u32,
    },
}

impl Unit {
    /// Whether its manager can stop and start it. Not so for scopes, which others started, and for `user@UID.service`,
    /// which is everything that a user runs.
    pub fn can_be_stopped(&self) -> bool {
        !self.name.ends_with(".scope") && user_manager(&self.name).is_none()
    }
}

/// Units by the number of their control group.
#[derive(Debug, Default)]
pub(crate) struct Units(HashMap<u64, Option<Unit>>);

impl Units {
    /// Looks up the groups that are new, and forgets all others. Walks the groups of the system, if there is a new one.
    pub(crate) fn update(&mut self, groups: impl Iterator<Item = u64>) {
        let groups: HashSet<u64> = groups.collect();
        self.0.retain(|group, _| groups.contains(group));
        let mut new: HashSet<u64> = groups.into_iter().filter(|group| !self.0.contains_key(group)).collect();
        if !new.is_empty() {
            // Groups that are gone, or outside of this container, have no folder. They never get one.
            self.0.extend(new.iter().map(|group| (*group, None)));
            if let Some(root) = mount_point() {
                self.walk(&root, &mut new);
            }
        }
    }

    pub(crate) fn get(&self, group: u64) -> Option<&Unit> {
        self.0.get(&group)?.as_ref()
    }

    fn walk(&mut self, root: &Path, wanted: &mut HashSet<u64>) {
        // The root belongs to no unit.
        if let Ok(root) = fs::metadata(root) {
            wanted.remove(&root.ino());
        }
        let mut folders = vec![root.to_owned()];
        while !wanted.is_empty() {
            let Some(folder) = folders.pop() else { return };
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|it| it.is_dir()) {
                    continue;
                }
                let path = entry.path();
                if wanted.remove(&entry.ino()) {
                    let below = path.strip_prefix(root).unwrap_or(&path);
                    self.0.insert(entry.ino(), parse_path(&below.to_string_lossy()));
                }
                folders.push(path);
            }
        }
    }
}

/// The unit of proc_pid_cgroup(5).
pub(crate) fn parse_cgroup(text: &str) -> Option<Unit> {
    let unified = text.lines().filter_map(|line| line.strip_prefix("0::"));
    let legacy = text.lines().filter_map(|line| line.split_once(":name=systemd:").map(|(_, path)| path));
    unified.chain(legacy).find_map(parse_path)
}

/// The last part of the path that is a unit with processes.
fn parse_path(path: &str) -> Option<Unit> {
    let is_unit = |part: &&str| {
        let parts = part.rsplit_once('.');
        parts.is_some_and(|(name, kind)| !name.is_empty() && matches!(kind, "service" | "socket" | "scope"))
    };
    let name = path.rsplit('/').find(is_unit)?;
    let above = path.split('/').take_while(|part| *part != name);
    let manager = above.filter_map(user_manager).last().map_or(Manager::System, |uid| Manager::User { uid });
    Some(Unit { name: name.to_owned(), manager })
}

/// The user whose manager the unit is.
fn user_manager(unit: &str) -> Option<u32> {
    unit.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok()
}

/// Where the control groups of version 2 are mounted.
pub(crate) fn mount_point() -> Option<PathBuf> {
    parse_mounts(&fs::read_to_string("/proc/self/mounts").ok()?)
}

/// The mount point is the second field, the type the third, as in fstab(5).
fn parse_mounts(text: &str) -> Option<PathBuf> {
    text.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let folder = fields.next()?;
        (fields.next()? == "cgroup2").then(|| unescaped(folder).into())
    })
}

/// getmntent(3): blanks and backslashes are written in octal.
fn unescaped(field: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(field.to_owned(), |text, (escape, blank)| text.replace(escape, blank))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_the_last_one_of_the_path() {
        let user = Manager::User { uid: 1000 };
        let cases = [
            ("0::/system.slice/cockpit.service\n", Some(("cockpit.service", Manager::System))),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-node-7.scope\n",
                Some(("app-node-7.scope", user)),
            ),
            ("0::/user.slice/user-1000.slice/user@1000.service/syncthing.service\n", Some(("syncthing.service", user))),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice\n",
                Some(("user@1000.service", Manager::System)),
            ),
            ("0::/user.slice/user-1000.slice/session-2.scope\n", Some(("session-2.scope", Manager::System))),
            ("0::/system.slice/docker.service/payload\n", Some(("docker.service", Manager::System))),
            (
                "4:memory:/x.service\n1:name=systemd:/system.slice/cron.service\n0::/\n",
                Some(("cron.service", Manager::System)),
            ),
            ("0::/system.slice\n", None),
            ("0::/\n", None),
            ("0::/.service\n", None),
        ];
        for (cgroup, expected) in cases {
            let expected = expected.map(|(name, manager)| Unit { name: name.to_owned(), manager });
            assert_eq!(parse_cgroup(cgroup), expected, "{cgroup:?}");
        }
    }

    #[test]
    fn only_services_and_sockets_can_be_stopped() {
        let cases = [
            ("cockpit.service", true),
            ("cockpit.socket", true),
            ("app-node-7.scope", false),
            ("session-2.scope", false),
            ("user@1000.service", false),
            ("getty@tty1.service", true),
        ];
        for (name, expected) in cases {
            let unit = Unit { name: name.to_owned(), manager: Manager::System };
            assert_eq!(unit.can_be_stopped(), expected, "{name}: an offer must not end a whole session");
        }
    }

    #[test]
    fn the_groups_are_found_wherever_they_are_mounted() {
        let hybrid = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(parse_mounts(hybrid), Some("/sys/fs/cgroup/unified".into()), "there is no fixed place");
        assert_eq!(parse_mounts("none /a\\040b\\134c cgroup2 rw 0 0\n"), Some("/a b\\c".into()), "the kernel escapes");
        assert_eq!(parse_mounts("cgroup2 /x tmpfs rw 0 0\n"), None, "the type counts, not the name");
    }

    #[test]
    fn a_group_without_a_folder_is_looked_up_once() {
        let mut units = Units::default();
        let gone = u64::MAX;
        units.update([gone].into_iter());
        assert_eq!(units.get(gone), None, "no folder, no unit");
        assert!(units.0.contains_key(&gone), "the next poll must not walk all groups for it again");
        units.update([].into_iter());
        assert!(units.0.is_empty(), "a long run must not collect what is gone");
    }
}
