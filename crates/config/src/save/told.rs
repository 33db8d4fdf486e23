//! What is wrong with a configuration that edits would leave, in terms of the files as they are.

use cwts_domain::Service;

use crate::{ConfigError, Edit, Key, Origin, Revision, SaveLayer, Sources};

/// The same error, with each value where it stands in `current`. What an edit asks for stands nowhere yet.
pub(super) fn as_it_stands(
    mut error: ConfigError,
    sources: &Sources,
    files: &[(SaveLayer, &[Edit])],
    current: &Revision,
) -> ConfigError {
    let put_right = |key: Key, origin: &mut Origin| {
        let Some((layer, edits)) = files.iter().find(|(layer, _)| layer.layer() == origin.layer) else { return };
        if edits.iter().any(|edit| edit.key() == key) {
            *origin = Origin::edit(origin.layer);
        } else if let Some(text) = layer.text(current)
            && let Ok(Some((_, found))) = layer.entry(layer.path(sources), text, key)
        {
            *origin = found;
        }
    };
    match &mut error {
        ConfigError::InvalidValue { key, origin, .. } => put_right(*key, origin),
        ConfigError::SharedPort { services, .. } => {
            services.iter_mut().for_each(|(service, origin): &mut (Service, Origin)| {
                put_right(Key::Port(*service), origin);
            });
        }
        ConfigError::OpenBeyondLoopback { group, origins, .. } => {
            let [auth, address] = origins.as_mut();
            put_right(Key::Auth, auth);
            put_right(Key::BindAddr(*group), address);
        }
        _ => {}
    }
    error
}
