//! Where the embedded server's configuration is, and by which name a second launch finds this panel.

use std::path::Path;

use cwts_config::{ConfigError, Environment, LogLevel, Sources};

use crate::cli::Arguments;

/// The configuration that the command line and the environment name.
///
/// # Errors
/// The instance id or the home folder is unusable, or the named file does not exist.
pub(crate) fn sources(arguments: &Arguments) -> Result<Sources, ConfigError> {
    let environment = Environment::from_process();
    let home = match &arguments.home {
        Some(home) => home.clone(),
        None => environment.home_folder()?,
    };
    let instance = arguments.instance.as_deref().map(str::parse).transpose()?;
    Sources::find(&home, instance, arguments.config.as_deref(), environment)
}

/// How much the configuration wants logged. The default where it is invalid, which the window shows.
pub(crate) fn log_level(sources: &Sources) -> LogLevel {
    cwts_config::load(sources).map(|loaded| loaded.settings.log_level.value).unwrap_or_default()
}

/// The bus name under which the panel of this home is found by a second launch. Panels of different homes have different
/// names.
pub(crate) fn bus_name(identifier: &str, home: &Path) -> String {
    format!("{identifier}.i{:016x}", fnv1a(home.as_os_str().as_encoded_bytes()))
}

/// FNV-1a, 64 bits (draft-eastlake-fnv): stable over versions of the program, which the standard hasher is not.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(home: &str) -> String {
        bus_name("io.github.example", Path::new(home))
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(
            fnv1a(b"foobar"),
            0x8594_4171_f739_67e8,
            "test vector of the draft; an update must find the old one"
        );
    }

    #[test]
    fn each_home_has_a_name_of_its_own() {
        assert_eq!(name("/srv/a"), name("/srv/a"), "a second launch must find the first");
        assert_ne!(name("/srv/a"), name("/srv/b"), "two homes run two panels");
    }

    #[test]
    fn the_name_is_one_that_the_bus_takes() {
        let found = name("/srv/ä b/c");
        let element = found.rsplit('.').next().unwrap();
        assert!(element.starts_with('i') && element.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{found}");
    }
}
