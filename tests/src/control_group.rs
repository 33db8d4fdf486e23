//! A control group that looks like a systemd unit.

use std::fs;
use std::path::PathBuf;

/// A group below the root of the control groups of version 2. Removed when it is dropped; its processes go back to the root.
#[derive(Debug)]
pub struct ControlGroup {
    root: PathBuf,
    folders: Vec<PathBuf>,
}

impl ControlGroup {
    /// A group of that name, which may be a path of several.
    ///
    /// # Errors
    /// The reason why it cannot be made here.
    pub fn new(name: &str) -> Result<Self, String> {
        let mounts = fs::read_to_string("/proc/self/mounts").map_err(|error| error.to_string())?;
        let root = mounts.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            (fields.get(2) == Some(&"cgroup2")).then(|| PathBuf::from(fields[1]))
        });
        let root = root.ok_or("no control groups of version 2 are mounted")?;
        let mut folder = root.clone();
        let mut group = Self { root, folders: Vec::new() };
        for part in name.split('/') {
            folder.push(part);
            fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            group.folders.push(folder.clone());
        }
        Ok(group)
    }

    /// Moves a process into the group.
    ///
    /// # Panics
    /// The kernel refuses.
    pub fn take(&self, pid: u32) {
        let group = self.folders.last().expect("a group has a folder");
        fs::write(group.join("cgroup.procs"), pid.to_string()).expect("who makes a group may fill it");
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        for folder in self.folders.iter().rev() {
            for process in fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default().lines() {
                // Fails for one that has just ended, which is in nobody's way.
                fs::write(self.root.join("cgroup.procs"), process).ok();
            }
            fs::remove_dir(folder).ok();
        }
    }
}
