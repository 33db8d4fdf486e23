//! `token`: the tokens of the instance, shown to their owner and replaced.

use std::process::ExitCode;

use cwts_config::Sources;
use cwts_credentials::{Scope, TokenStore, Tokens};
use cwts_domain::Problem;
use cwts_runtime::{Actor, AuditEntry};
use serde_json::json;

use crate::args::TokenCommand;
use crate::audit::tell;
use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, command: &TokenCommand, as_json: bool) -> Result<ExitCode, Failure> {
    let store = TokenStore::new(&sources.data());
    match command {
        TokenCommand::Show { scope } => show(sources, &store, (*scope).into(), as_json),
        TokenCommand::Rotate { scope } => {
            let scopes = scope.map_or(Scope::ALL.to_vec(), |scope| vec![scope.into()]);
            rotate(sources, &store, &scopes, as_json)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The bare token, so that `$(cwts-ultra token show)` is one.
fn show(sources: &Sources, store: &TokenStore, scope: Scope, as_json: bool) -> Result<(), Failure> {
    let tokens = open_or_make(sources, store)?;
    let token = tokens.get(scope);
    match as_json {
        true => print_json(&json!({
            "scope": scope,
            "token": token.secret.expose(),
            "file": store.file(scope),
            "made_at": token.made_at.to_string(),
        })),
        false => print(token.secret.expose()),
    }
}

/// The tokens. Those that are missing are made, and that is told.
fn open_or_make(sources: &Sources, store: &TokenStore) -> Result<Tokens, Problem> {
    let missing: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| !store.file(*scope).exists()).collect();
    let tokens = store.open_or_make()?;
    for scope in missing {
        tell(sources, &AuditEntry::token_made(Actor::CommandLine, scope, tokens.get(scope).made_at));
    }
    Ok(tokens)
}

/// Says which tokens are new, not what they are: what a person asked for here is that old ones end.
fn rotate(sources: &Sources, store: &TokenStore, scopes: &[Scope], as_json: bool) -> Result<(), Failure> {
    let before = open_or_make(sources, store).ok();
    // First what was asked for: it is also the way out of a file that others could read.
    store.rotate(scopes).map_err(Problem::from)?;
    let after = store.open_or_make().map_err(Problem::from)?;
    for &scope in scopes {
        let before = before.as_ref().map(|tokens| tokens.get(scope).made_at);
        tell(sources, &AuditEntry::token_replaced(Actor::CommandLine, scope, before, after.get(scope).made_at));
    }
    if as_json {
        return print_json(&json!({ "rotated": scopes }));
    }
    let names: Vec<&str> = scopes.iter().map(|scope| scope.id()).collect();
    let what = match scopes {
        [_] => format!("The {} token", names.concat()),
        _ => format!("The tokens {}", names.join(", ")),
    };
    print(format!(
        "{what} of {} {} new. A running instance ends the connections that use the old ones within a second. Show one \
         with `cwts-ultra token show --scope SCOPE`.",
        sources.instance(),
        if scopes.len() == 1 { "is" } else { "are" },
    ))
}
