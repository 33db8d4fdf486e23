//! `config`: settings with their origin, and edits of the files.

use std::collections::BTreeSet;
use std::process::ExitCode;

use cwts_config::{Edit, Key, Loaded, Revision, SaveLayer, Sourced, Sources};
use cwts_domain::Service;
use cwts_runtime::{Actor, AuditEntry, PortCheckState, PortSurvey};

use crate::args::{ConfigCommand, LayerName};
use crate::audit::{tell, tell_settings};
use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, command: &ConfigCommand, as_json: bool) -> Result<ExitCode, Failure> {
    if let ConfigCommand::Restore { layer } = command {
        restore(sources, layer.map(SaveLayer::from))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let ConfigCommand::Set { key, value, layer } = command {
        set(sources, key.parse()?, value, *layer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let loaded = cwts_config::load(sources)?;
    match command {
        ConfigCommand::Show => show(&loaded, as_json)?,
        ConfigCommand::Get { key } => get(&loaded, key.parse()?, as_json)?,
        // Needs no valid configuration, since it may mend it.
        ConfigCommand::Set { .. } => {}
        // Done before anything is read.
        ConfigCommand::Restore { .. } => {}
        ConfigCommand::Check => {
            let warnings = loaded.warnings.iter().map(|warning| format!("warning: {warning}\n"));
            print(warnings.collect::<String>() + "The configuration is valid.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn restore(sources: &Sources, layer: Option<SaveLayer>) -> Result<(), Failure> {
    let restored = cwts_config::restore(sources, layer)?;
    tell(sources, &AuditEntry::restored(Actor::CommandLine, &restored));
    print(format!("{} is its last good copy again.", restored.file.display()))?;
    match restored.aside {
        Some(aside) => print(format!("The damaged file is kept as {}.", aside.display())),
        None => Ok(()),
    }
}

fn show(loaded: &Loaded, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print_json(&loaded.settings);
    }
    let mut lines = Vec::new();
    for key in Key::ALL {
        let setting = loaded.settings.get(key);
        lines.push(format!("{:<30} {:<16} {}", key.id(), setting.value, setting.origin));
        let hidden = setting.shadowed.iter();
        lines.extend(hidden.map(|hidden| format!("{:<30} {:<16} {} (hidden)", "", hidden.value, hidden.origin)));
    }
    print(lines.join("\n"))
}

fn get(loaded: &Loaded, key: Key, as_json: bool) -> Result<(), Failure> {
    let setting = loaded.settings.get(key);
    if as_json { print_json(&setting) } else { print(setting.value) }
}

fn set(sources: &Sources, key: Key, value: &str, layer: Option<LayerName>) -> Result<(), Failure> {
    let layer = layer.unwrap_or(if key.variable().is_some() { LayerName::EnvFile } else { LayerName::Toml });
    let edit = Edit::set(key, value)?;
    let before = cwts_config::load(sources).ok();
    let saved = cwts_config::save(sources, layer.into(), &[edit], &Revision::read(sources)?)?;
    if let Some(before) = before {
        tell_settings(sources, &before.settings, &saved.loaded.settings);
    }
    let file = SaveLayer::from(layer).path(sources);
    let setting = saved.loaded.settings.get(key);
    let shown = if value.trim().is_empty() { "empty" } else { value };
    print(format!("{} is {shown} in {}.", key.id(), file.display()))?;
    match stronger_than(&setting, file) {
        Some(stronger) => print(format!("It has no effect: {stronger} sets it to {} and hides it.", setting.value))?,
        None => warn_of_ports(sources, &saved.loaded, key),
    }
    Ok(())
}

/// What a start would meet there. It is saved all the same: it may be meant for later.
fn warn_of_ports(sources: &Sources, loaded: &Loaded, key: Key) {
    let concerns = |service: &Service| [Key::Port(*service), Key::BindAddr(service.group())].contains(&key);
    let survey = PortSurvey::new(sources, loaded);
    let warnings = Service::ALL.into_iter().filter(concerns).filter_map(|service| {
        let address = loaded.settings.socket_addr(service);
        let standing = survey.standing(service, address.port());
        let is_free = matches!(standing.state(), PortCheckState::Free | PortCheckState::Ours);
        (!is_free).then(|| standing.sentence(&format!("Port {} of {service}", address.port()), address.ip()))
    });
    // That an address is none of this computer is the same for both services on it.
    for warning in warnings.collect::<BTreeSet<String>>() {
        eprintln!("warning: {warning}");
    }
}

/// What hides the value that was just written to `file`.
fn stronger_than(setting: &Sourced<String>, file: &std::path::Path) -> Option<String> {
    (setting.origin.file.as_deref() != Some(file)).then(|| setting.origin.to_string())
}
