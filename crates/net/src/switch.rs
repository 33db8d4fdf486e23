//! The step from the old sockets to the new ones, and back when it fails.
//!
//! Only a socket that had to be bound beside one that it overlaps can fail here: it cannot listen before the old one has
//! stopped. The old one keeps its port until the new one listens, so that it can listen again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use cwts_domain::Step;
use tokio::net::TcpListener;

use crate::bind::{BindError, listen, listen_again, stop_listening};
use crate::listeners::{Drain, Listeners, NewSocket, PrepareError, Prepared, in_the_way};
use crate::serve::{Paused, Served};

/// The switch failed, and the old sockets are served as before, but for the lost ones.
#[derive(Debug, thiserror::Error)]
#[error("{failed}")]
pub struct SwitchError<K: std::fmt::Debug> {
    /// The new socket that could not listen.
    pub failed: PrepareError<K>,
    /// Old sockets that could not listen again, each with the reason. Their keys are served nowhere until a plan is
    /// prepared and committed anew.
    pub lost: Vec<PrepareError<K>>,
    /// The connections of the lost sockets.
    pub drain: Drain,
}

type Sockets<K> = BTreeMap<K, (SocketAddr, Arc<TcpListener>)>;

impl<K: Copy + Ord + std::fmt::Debug> Listeners<K> {
    /// Switches over: when it returns, the new sockets are served and the old ones refuse. Not cancel safe: run it to its
    /// end.
    ///
    /// # Errors
    /// Somebody took the address of a socket that overlaps an old one of ours in the moment between the two.
    pub async fn commit(&mut self, prepared: Prepared<K>) -> Result<Drain, SwitchError<K>> {
        let Prepared { changed, removed } = prepared;
        let mut old = BTreeMap::new();
        for key in changed.keys().chain(&removed) {
            if let Some(served) = self.running.remove(key) {
                old.insert(*key, served.pause().await);
            }
        }
        let mut stopped = Vec::new();
        match self.take_over(changed, &old, &mut stopped) {
            Ok(sockets) => {
                for (key, (address, socket)) in sockets {
                    if let Some(endpoint) = self.endpoints.get(&key) {
                        self.running.insert(key, Served::start(address, socket, endpoint.clone()));
                    }
                }
                Ok(Drain { closed: old.into_values().map(Paused::close).collect() })
            }
            Err(failed) => Err(self.go_back(failed, old, &stopped)),
        }
    }

    /// Makes every new socket listen. `stopped` gets the keys whose old socket had to stop for that.
    fn take_over(
        &self,
        changed: BTreeMap<K, NewSocket>,
        old: &BTreeMap<K, Paused>,
        stopped: &mut Vec<K>,
    ) -> Result<Sockets<K>, PrepareError<K>> {
        let mut sockets = BTreeMap::new();
        for (key, new) in changed {
            let (address, socket) = match new {
                NewSocket::Listening(address, socket) => (address, socket),
                NewSocket::Reserved(address, socket) => {
                    for (key, paused) in old.iter().filter(|(_, paused)| in_the_way(paused.address, address)) {
                        stopped.push(*key);
                        // One that cannot stop is in the way of the next line, which then fails.
                        stop_listening(&paused.socket).ok();
                    }
                    let listening = self.checkpoints.pass(Step::Listen).and_then(|()| listen(socket));
                    let failed = |source| PrepareError { key, error: BindError::from_io(address, source) };
                    (address, listening.map_err(failed)?)
                }
            };
            sockets.insert(key, (address, socket));
        }
        Ok(sockets)
    }

    /// Serves the old sockets again.
    fn go_back(&mut self, failed: PrepareError<K>, old: BTreeMap<K, Paused>, stopped: &[K]) -> SwitchError<K> {
        let mut back = SwitchError { failed, lost: Vec::new(), drain: Drain { closed: Vec::new() } };
        for (key, paused) in old {
            let socket = if stopped.contains(&key) {
                self.checkpoints.pass(Step::ListenAgain).and_then(|()| listen_again(&paused.socket))
            } else {
                Ok(Arc::clone(&paused.socket))
            };
            match (socket, self.endpoints.get(&key)) {
                (Ok(socket), Some(endpoint)) => {
                    self.running.insert(key, paused.resume(socket, endpoint.clone()));
                }
                (Ok(_), None) => back.drain.closed.push(paused.close()),
                (Err(source), _) => {
                    back.lost.push(PrepareError { key, error: BindError::from_io(paused.address, source) });
                    back.drain.closed.push(paused.close());
                }
            }
        }
        back
    }
}
