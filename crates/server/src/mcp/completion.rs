//! Completes what a person types into an argument of a resource template or a prompt.

use cwts_runtime::Instance;
use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use crate::mcp::{prompts, resources};

/// The values that begin with what was typed.
///
/// # Errors
/// There is no such template or prompt, or it has no such argument.
pub(crate) fn complete(instance: &Instance, request: &CompleteRequestParams) -> Result<CompleteResult, ErrorData> {
    let argument = &request.argument;
    let values = match &request.r#ref {
        Reference::Resource(template) if resources::is_template(&template.uri) && argument.name == "symbol" => {
            Some(instance.exchange().instruments().iter().map(|instrument| instrument.symbol.clone()).collect())
        }
        Reference::Prompt(prompt) => prompts::values(instance, &prompt.name, &argument.name),
        _ => None,
    };
    let values: Vec<String> = values
        .ok_or_else(|| ErrorData::invalid_params("ref and argument name nothing here that can be completed", None))?;
    let typed = argument.value.to_ascii_lowercase();
    let fitting = values.into_iter().filter(|value| value.to_ascii_lowercase().starts_with(&typed)).collect();
    let completion =
        CompletionInfo::with_all_values(fitting).map_err(|error| ErrorData::internal_error(error, None))?;
    Ok(CompleteResult::new(completion))
}
