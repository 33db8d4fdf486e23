//! The system's port table, kept up to date at little cost.
//!
//! Each poll asks the kernel for its sockets. Only when one is new are the descriptors of all processes walked.

use std::mem;

use crate::owner::Owners;
use crate::sockets::{Socket, offered};
use crate::table::rows;
use crate::{ListenerRow, PortsError};

/// Every listening port of the system, from one poll to the next. Empty before the first.
#[derive(Default)]
pub struct Watcher {
    sockets: Vec<Socket>,
    /// Room for the next answer of the kernel.
    spare: Vec<Socket>,
    owners: Owners,
    rows: Vec<ListenerRow>,
}

impl Watcher {
    /// Brings the table up to date. Says whether it changed.
    ///
    /// A process that takes over a socket while the former holder lives on, or that changes its name, goes unnoticed
    /// until [`forget`](Self::forget).
    ///
    /// # Errors
    /// The kernel does not list its sockets. The table stays as it was.
    pub fn poll(&mut self) -> Result<bool, PortsError> {
        self.spare.clear();
        offered(&mut self.spare)?;
        let ended = self.owners.forget_ended();
        if self.spare == self.sockets && !ended {
            return Ok(false);
        }
        mem::swap(&mut self.sockets, &mut self.spare);
        self.owners.update(&self.sockets);
        let rows = rows(&self.sockets, &self.owners);
        let changed = rows != self.rows;
        self.rows = rows;
        Ok(changed)
    }

    /// All listening TCP sockets and all bound UDP sockets without a peer, as [`system_table`](crate::system_table) has
    /// them, at the last poll.
    pub fn rows(&self) -> &[ListenerRow] {
        &self.rows
    }

    /// The rows, without a copy.
    pub fn into_rows(self) -> Vec<ListenerRow> {
        self.rows
    }

    /// Makes the next poll look up the holder of every socket anew. The rows stay until then.
    pub fn forget(&mut self) {
        self.owners = Owners::default();
        self.sockets.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::os::fd::OwnedFd;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::fixture::{Child, ForeignListener, fresh_port};

    fn row(watcher: &Watcher, address: SocketAddr) -> Option<&ListenerRow> {
        watcher.rows().iter().find(|row| row.holder.address == address)
    }

    /// Polls until the watcher is as expected. A process that another test starts holds a copy of every socket for a
    /// moment, so that one poll may be too early.
    fn poll_until(watcher: &mut Watcher, what: &str, holds: impl Fn(&Watcher) -> bool) {
        let start = Instant::now();
        let mut changed = false;
        while !holds(watcher) {
            assert!(start.elapsed() < Duration::from_secs(10), "awaited in vain: {what}");
            changed = watcher.poll().unwrap();
        }
        assert!(changed, "the poll that brings the news must say so: {what}");
    }

    #[test]
    fn a_socket_comes_and_goes_with_the_polls() {
        let mut watcher = Watcher::default();
        assert!(watcher.rows().is_empty(), "nothing was asked yet");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(watcher.poll().unwrap(), "the first poll brings at least this one");
        assert!(row(&watcher, address).unwrap().ours, "its process is looked up");
        drop(listener);
        poll_until(&mut watcher, "a person sees that the port is free", |it| row(it, address).is_none());
    }

    #[test]
    fn a_new_socket_is_looked_up_next_to_known_ones() {
        let mut watcher = Watcher::default();
        watcher.poll().unwrap();
        let address = format!("127.0.0.1:{}", fresh_port()).parse().unwrap();
        let foreign = ForeignListener::on(address);
        assert!(watcher.poll().unwrap(), "a port was taken");
        assert_eq!(row(&watcher, address).unwrap().holder.pid, Some(foreign.pid()), "and this is by whom");
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let mut watcher = Watcher::default();
        let listeners: Vec<_> = (0..50).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        watcher.poll().unwrap();
        let known = watcher.owners.known();
        assert!(known >= listeners.len(), "all of them were looked up");
        drop(listeners);
        poll_until(&mut watcher, "a panel that runs for weeks does not grow", |it| it.owners.known() + 25 < known);
    }

    #[test]
    fn a_poll_without_news_leaves_the_rows_alone() {
        let mut watcher = Watcher::default();
        watcher.poll().unwrap();
        // Other tests open sockets meanwhile.
        let quiet = (0..1_000).find(|_| {
            let before = watcher.rows().as_ptr();
            !watcher.poll().unwrap() && watcher.rows().as_ptr() == before
        });
        assert!(quiet.is_some(), "a poll without news must not build the table again");
    }

    /// A process that holds the listener open and does nothing else.
    fn holder_of(listener: &TcpListener) -> Child {
        let standard_input = OwnedFd::from(listener.try_clone().unwrap());
        Child(Command::new("sleep").arg("60").stdin(standard_input).spawn().unwrap())
    }

    #[test]
    fn a_socket_that_outlives_its_first_process_names_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (first, second) = (holder_of(&listener), holder_of(&listener));
        drop(listener);
        let mut watcher = Watcher::default();
        let held_by = |pid: u32| move |it: &Watcher| row(it, address).is_some_and(|row| row.holder.pid == Some(pid));
        poll_until(&mut watcher, "the older one is the main process", held_by(first.pid()));
        drop(first);
        poll_until(&mut watcher, "ending the first is no way out, the second is named", held_by(second.pid()));
    }

    #[test]
    fn a_forgotten_table_is_looked_up_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut watcher = Watcher::default();
        watcher.poll().unwrap();
        watcher.forget();
        assert!(row(&watcher, address).is_some(), "the screen keeps its rows until there are new ones");
        watcher.poll().unwrap();
        assert!(row(&watcher, address).unwrap().ours, "the holder is found again");
    }
}
