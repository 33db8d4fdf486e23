//! The process, the user and the systemd unit behind a socket.
//!
//! A socket is known by its inode: `/proc/PID/fd/N` is a link to `socket:[INODE]`. An ordinary user sees only the
//! descriptors of own processes, so the process of another user stays unknown.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::Holder;
use crate::sockets::Socket;

/// A process that has a socket open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pid: u32,
    name: Option<String>,
    unit: Option<String>,
    /// Clock ticks after boot.
    started: u64,
}

/// Who owns which socket. Looks up only the sockets that it is made for.
pub(crate) struct Owners {
    processes: HashMap<u32, Process>,
    users: HashMap<u32, String>,
}

impl Owners {
    /// Walks the descriptors of all processes once.
    pub(crate) fn of<'a>(sockets: impl IntoIterator<Item = &'a Socket>) -> Self {
        let mut candidates: HashMap<u32, Vec<Process>> =
            sockets.into_iter().filter(|it| it.inode != 0).map(|it| (it.inode, Vec::new())).collect();
        if !candidates.is_empty() {
            for pid in numbered_folders(Path::new("/proc")) {
                collect_sockets_of(pid, &mut candidates);
            }
        }
        let processes = candidates.into_iter().filter_map(|(inode, found)| Some((inode, main_process(found)?)));
        let users = parse_passwd(&fs::read_to_string("/etc/passwd").unwrap_or_default());
        Self { processes: processes.collect(), users }
    }

    /// Who holds the socket, as far as this user may know.
    pub(crate) fn holder(&self, socket: &Socket) -> Holder {
        let process = self.processes.get(&socket.inode);
        Holder {
            pid: process.map(|it| it.pid),
            process: process.and_then(|it| it.name.clone()),
            user: Some(self.users.get(&socket.uid).cloned().unwrap_or_else(|| socket.uid.to_string())),
            unit: process.and_then(|it| it.unit.clone()),
            address: socket.address,
        }
    }
}

/// Adds the process to every candidate that it has open.
fn collect_sockets_of(pid: u32, candidates: &mut HashMap<u32, Vec<Process>>) {
    let folder = Path::new("/proc").join(pid.to_string());
    let Ok(descriptors) = fs::read_dir(folder.join("fd")) else {
        return;
    };
    let mut process = None;
    for descriptor in descriptors.flatten() {
        let Ok(target) = fs::read_link(descriptor.path()) else {
            continue;
        };
        let Some(found) = socket_inode(&target).and_then(|inode| candidates.get_mut(&inode)) else {
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
        name: read("comm").map(|name| name.trim_end().to_owned()).filter(|name| !name.is_empty()),
        unit: read("cgroup").and_then(|text| parse_unit(&text)),
        started: read("stat").and_then(|text| parse_start(&text)).unwrap_or(u64::MAX),
    }
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

fn socket_inode(target: &Path) -> Option<u32> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The unit of proc_pid_cgroup(5): the last part of the path that is a unit with processes.
fn parse_unit(cgroup: &str) -> Option<String> {
    let unified = cgroup.lines().filter_map(|line| line.strip_prefix("0::"));
    let legacy = cgroup.lines().filter_map(|line| line.split_once(":name=systemd:").map(|(_, path)| path));
    let is_unit = |part: &&str| {
        let parts = part.rsplit_once('.');
        parts.is_some_and(|(name, kind)| !name.is_empty() && matches!(kind, "service" | "socket" | "scope"))
    };
    unified.chain(legacy).find_map(|path| path.rsplit('/').find(is_unit)).map(str::to_owned)
}

/// `starttime` of proc_pid_stat(5), field 22. The name in field 2 may hold blanks and parentheses.
fn parse_start(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)?.parse().ok()
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
    use super::*;

    fn process(pid: u32, name: &str, started: u64) -> Process {
        Process { pid, name: Some(name.to_owned()), unit: None, started }
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
    fn the_unit_is_the_last_one_of_the_path() {
        let cases = [
            ("0::/system.slice/cockpit.service\n", Some("cockpit.service")),
            ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-node-7.scope\n", Some("app-node-7.scope")),
            ("0::/user.slice/user-1000.slice/user@1000.service/app.slice\n", Some("user@1000.service")),
            ("0::/system.slice/docker.service/payload\n", Some("docker.service")),
            ("4:memory:/x.service\n1:name=systemd:/system.slice/cron.service\n0::/\n", Some("cron.service")),
            ("0::/system.slice\n", None),
            ("0::/\n", None),
            ("0::/.service\n", None),
        ];
        for (cgroup, unit) in cases {
            assert_eq!(parse_unit(cgroup).as_deref(), unit, "{cgroup:?}");
        }
    }

    #[test]
    fn the_start_is_found_behind_any_process_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 98765 1000 10";
        assert_eq!(parse_start(stat), Some(98765), "a name may hold parentheses");
    }

    #[test]
    fn the_first_name_of_a_uid_counts() {
        let users = parse_passwd("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nalice:x:1000:1000::/:\nbroken\n");
        assert_eq!(users.get(&0).map(String::as_str), Some("root"), "toor is an alias");
        assert_eq!(users.get(&1000).map(String::as_str), Some("alice"), "ordinary users have names");
    }

    #[test]
    fn only_links_to_sockets_count() {
        assert_eq!(socket_inode(Path::new("socket:[4711]")), Some(4711), "the kernel's spelling");
        assert_eq!(socket_inode(Path::new("pipe:[4711]")), None, "a pipe has an inode too");
    }
}
