//! The process, the user and the systemd unit behind a socket.
//!
//! A socket is known by its inode: `/proc/PID/fd/N` is a link to `socket:[INODE]`. An ordinary user sees only the
//! descriptors of own processes, so the process of another user stays unknown; its unit does not.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::slice;

use rustix::fs::{Dir, Mode, OFlags, open, readlinkat_raw};
use rustix::io::Errno;
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, test_kill_process};

use crate::sockets::Socket;
use crate::unit::{Units, parse_cgroup};
use crate::{Holder, Unit};

/// The length of `socket:[4294967295]`. The links to other files may be longer.
const LONGEST_SOCKET: usize = 19;

/// The kernel cuts the name of a process at this many bytes (proc_pid_comm(5)).
pub(crate) const LONGEST_COMM: usize = 15;

/// When a process started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Started {
    /// Clock ticks after boot.
    ticks: u64,
}

impl Started {
    /// A process whose start is unknown counts as the youngest.
    const UNKNOWN: Self = Self { ticks: u64::MAX };

    /// Milliseconds since the epoch; `None` where the system does not tell when it was booted.
    pub(crate) fn since_epoch(self) -> Option<i64> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let boot: i64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        let ticks = i64::try_from(self.ticks).ok()?;
        let per_second = i64::try_from(clock_ticks_per_second()).ok()?;
        Some(boot * 1000 + ticks.checked_mul(1000)? / per_second)
    }
}

/// A process that has a socket open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pid: u32,
    name: Option<String>,
    unit: Option<Unit>,
    started: Started,
}

/// Who owns which socket, as far as it was looked up.
#[derive(Default)]
pub(crate) struct Owners {
    /// By inode; `None` where the process is hidden.
    processes: HashMap<u32, Option<Process>>,
    /// Those of `processes`.
    pids: BTreeSet<u32>,
    units: Units,
    users: HashMap<u32, String>,
}

impl Owners {
    /// Looks up the owner of one socket.
    pub(crate) fn of(socket: &Socket) -> Self {
        let mut owners = Self::default();
        owners.update(slice::from_ref(socket));
        owners
    }

    /// Looks up the owners of the sockets that are new, and forgets those of all others. Walks the descriptors of all
    /// processes once, if there is a new one.
    pub(crate) fn update(&mut self, sockets: &[Socket]) {
        let inodes: HashSet<u32> = sockets.iter().map(|it| it.inode).filter(|inode| *inode != 0).collect();
        self.processes.retain(|inode, _| inodes.contains(inode));
        let new = inodes.iter().filter(|inode| !self.processes.contains_key(inode));
        let mut candidates: HashMap<u32, Vec<Process>> = new.map(|inode| (*inode, Vec::new())).collect();
        if !candidates.is_empty() {
            for pid in numbered_folders(Path::new("/proc")) {
                collect_sockets_of(pid, &mut candidates);
            }
        }
        self.processes.extend(candidates.into_iter().map(|(inode, found)| (inode, main_process(found))));
        self.pids = self.processes.values().flatten().map(|it| it.pid).collect();
        self.units.update(sockets.iter().filter_map(|it| it.cgroup));
        if sockets.iter().any(|it| !self.users.contains_key(&it.uid)) {
            self.users = parse_passwd(&fs::read_to_string("/etc/passwd").unwrap_or_default());
        }
    }

    /// Forgets the processes that have ended: their sockets may live on in a child. Says whether there was one.
    pub(crate) fn forget_ended(&mut self) -> bool {
        let ended: HashSet<u32> = self.pids.iter().copied().filter(|pid| has_ended(*pid)).collect();
        self.processes.retain(|_, process| process.as_ref().is_none_or(|it| !ended.contains(&it.pid)));
        !ended.is_empty()
    }

    /// Who holds the socket, as far as this user may know.
    pub(crate) fn holder(&self, socket: &Socket) -> Holder {
        let process = self.process(socket);
        Holder {
            pid: process.map(|it| it.pid),
            process: process.and_then(|it| it.name.clone()),
            user: Some(self.users.get(&socket.uid).cloned().unwrap_or_else(|| socket.uid.to_string())),
            unit: self.unit(socket).map(|unit| unit.name.clone()),
            address: socket.address,
        }
    }

    /// The unit of the process before that of the socket: systemd itself makes the sockets of some services.
    pub(crate) fn unit(&self, socket: &Socket) -> Option<&Unit> {
        let of_process = self.process(socket).and_then(|it| it.unit.as_ref());
        of_process.or_else(|| self.units.get(socket.cgroup?))
    }

    /// How many sockets were looked up.
    #[cfg(test)]
    pub(crate) fn known(&self) -> usize {
        self.processes.len()
    }

    fn process(&self, socket: &Socket) -> Option<&Process> {
        self.processes.get(&socket.inode)?.as_ref()
    }
}

fn has_ended(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_none_or(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}

/// Adds the process to every candidate that it has open.
fn collect_sockets_of(pid: u32, candidates: &mut HashMap<u32, Vec<Process>>) {
    let folder = Path::new("/proc").join(pid.to_string());
    // One process may have thousands, so no path is put together for each.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(descriptors) = open(folder.join("fd"), flags, Mode::empty()) else {
        return;
    };
    let mut process = None;
    for descriptor in Dir::read_from(&descriptors).into_iter().flatten().flatten() {
        let mut target = [0; LONGEST_SOCKET];
        let Ok(length) = readlinkat_raw(&descriptors, descriptor.file_name(), &mut target) else {
            continue;
        };
        let Some(found) = socket_inode(&target[..length]).and_then(|inode| candidates.get_mut(&inode)) else {
            continue;
        };
        // The same socket under two descriptors is one holder.
        if found.last().is_none_or(|it| it.pid != pid) {
            found.push(process.get_or_insert_with(|| read_process(pid, &folder)).clone());
        }
    }
}

fn read_process(pid: u32, folder: &Path) -> Process {
    let read = |name| fs::read_to_string(folder.join(name)).ok();
    Process {
        pid,
        name: read("comm").map(|name| whole_name(name.trim_end(), folder)).filter(|name| !name.is_empty()),
        unit: read("cgroup").and_then(|text| parse_cgroup(&text)),
        started: started(folder).unwrap_or(Started::UNKNOWN),
    }
}

/// When the process of this folder of proc started.
pub(crate) fn started(folder: &Path) -> Option<Started> {
    parse_start(&fs::read_to_string(folder.join("stat")).ok()?)
}

/// The inodes of the sockets that a process has open; none where this user may not look.
pub(crate) fn sockets_of(pid: u32) -> HashSet<u32> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
    links.filter_map(|link| socket_inode(link.as_os_str().as_bytes())).collect()
}

/// The name of a process. What the kernel cut off is completed from the program's file.
fn whole_name(name: &str, folder: &Path) -> String {
    let program = (name.len() >= LONGEST_COMM).then(|| fs::read_link(folder.join("exe")).ok()).flatten();
    let file = program.as_deref().and_then(Path::file_name).and_then(OsStr::to_str);
    file.filter(|file| file.starts_with(name)).unwrap_or(name).to_owned()
}

/// The one to name of several processes that share a socket: the oldest, since workers are forked later. systemd keeps
/// the sockets that it passed to a service open; the service is the one to name.
fn main_process(sharing: Vec<Process>) -> Option<Process> {
    sharing.into_iter().min_by_key(|it| (it.name.as_deref() == Some("systemd"), it.started, it.pid))
}

fn numbered_folders(folder: &Path) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn socket_inode(target: &[u8]) -> Option<u32> {
    str::from_utf8(target).ok()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// `starttime` of proc_pid_stat(5), field 22. The name in field 2 may hold blanks and parentheses.
fn parse_start(stat: &str) -> Option<Started> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let ticks = after_name.split_whitespace().nth(19)?.parse().ok()?;
    Some(Started { ticks })
}

/// Names by uid, as in passwd(5). The first entry of a uid counts, as it does for the system.
fn parse_passwd(text: &str) -> HashMap<u32, String> {
    let mut users = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(uid))) = (fields.next(), fields.nth(1).map(str::parse)) {
            users.entry(uid).or_insert_with(|| name.to_owned());
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::fixture::{self, ControlGroup, ForeignListener, fresh_port, skip};
    use crate::{Manager, occupant};

    fn process(pid: u32, name: &str, started: u64) -> Process {
        Process { pid, name: Some(name.to_owned()), unit: None, started: Started { ticks: started } }
    }

    #[test]
    fn the_oldest_process_of_a_shared_socket_is_named() {
        let sharing = vec![process(40, "nginx", 900), process(7000, "nginx", 500)];
        assert_eq!(main_process(sharing).unwrap().pid, 7000, "pids wrap around; the master started first");
        assert_eq!(main_process(Vec::new()), None, "no process that this user may see");
    }

    #[test]
    fn a_service_is_named_rather_than_the_systemd_that_started_it() {
        let sharing = vec![process(1, "systemd", 0), process(300, "sshd", 500)];
        assert_eq!(main_process(sharing).unwrap().pid, 300, "stopping pid 1 is no way out of a conflict");
        assert_eq!(
            main_process(vec![process(1, "systemd", 0)]).unwrap().pid,
            1,
            "until the service runs, it is systemd"
        );
    }

    #[test]
    fn the_unit_of_a_socket_is_known_although_its_process_is_hidden() {
        let port = fresh_port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let unit = format!("cwts-test-{port}.service");
        let group = match ControlGroup::new(&unit) {
            Ok(group) => group,
            Err(reason) => return skip(&format!("a control group of the test: {reason}")),
        };
        let root = ForeignListener::in_group(address, &group);
        let seen = |by_nobody| fixture::look_up(address, by_nobody);
        let expected = format!("Some({}) Some(\"root\") Some({unit:?}): ", root.pid());
        let found = seen(false).unwrap();
        assert!(found.starts_with(&expected), "root sees everything: {found}");
        match seen(true) {
            Ok(found) => {
                let expected = format!("None Some(\"root\") Some({unit:?}): root, unit {unit}; details need root");
                assert_eq!(found, expected, "who may not see the process may still stop the unit");
            }
            Err(reason) => skip(&format!("a look as another user: {reason}")),
        }
        let found = occupant(address, &[]).unwrap().unwrap().unit.unwrap();
        assert!(found.can_be_stopped(), "a service can be stopped");
        assert_eq!(found, Unit { name: unit, manager: Manager::System }, "by the system's manager");
    }

    #[test]
    fn the_process_of_another_user_is_told_by_that_user_and_what_is_missing() {
        let address = SocketAddr::from(([127, 0, 0, 1], fresh_port()));
        let _root = ForeignListener::on(address);
        match fixture::look_up(address, true) {
            Ok(found) => {
                assert!(
                    found.starts_with("None Some(\"root\") "),
                    "the kernel tells the owner, not the process: {found}"
                );
                assert!(found.ends_with("; details need root"), "a blank would hide why nothing is said: {found}");
            }
            Err(reason) => skip(&format!("a look as another user: {reason}")),
        }
    }

    #[test]
    fn the_start_is_found_behind_any_process_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 98765 1000 10";
        assert_eq!(parse_start(stat), Some(Started { ticks: 98765 }), "a name may hold parentheses");
    }

    #[test]
    fn the_first_name_of_a_uid_counts() {
        let users = parse_passwd("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nalice:x:1000:1000::/:\nbroken\n");
        assert_eq!(users.get(&0).map(String::as_str), Some("root"), "toor is an alias");
        assert_eq!(users.get(&1000).map(String::as_str), Some("alice"), "ordinary users have names");
    }

    #[test]
    fn only_links_to_sockets_count() {
        assert_eq!(socket_inode(b"socket:[4711]"), Some(4711), "the kernel's spelling");
        assert_eq!(socket_inode(b"socket:[4294967295]"), Some(u32::MAX), "the longest one");
        assert_eq!(socket_inode(b"pipe:[4711]"), None, "a pipe has an inode too");
    }
}
