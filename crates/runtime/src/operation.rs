//! What is done to an instance one at a time, and who asks for it.

use std::net::IpAddr;

use crate::audit::Actor;
use crate::edit::SettingsEdit;
use crate::security::ReachEdit;

/// What excludes each other.
pub(crate) enum Operation {
    Arm(bool, Actor),
    FollowAddresses(Vec<IpAddr>),
    Reach(ReachEdit),
    Start,
    Stop,
    Change(SettingsEdit, Actor),
    Restore,
    ShowAgain,
}

impl Operation {
    /// Who asks for it.
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Self::Arm(_, by) | Self::Change(_, by) => *by,
            // By a person in the panel; a file that is edited is followed.
            Self::Reach(_) | Self::Restore => Actor::Panel,
            Self::Start | Self::Stop | Self::ShowAgain | Self::FollowAddresses(_) => Actor::Program,
        }
    }
}
