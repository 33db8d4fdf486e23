//! Completes what a person types into an argument of a resource template.

use cwts_runtime::Instance;
use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use crate::mcp::resources;

/// The values that begin with what was typed.
///
/// # Errors
/// There is no such template, or it has no such argument.
pub(crate) fn complete(instance: &Instance, request: &CompleteRequestParams) -> Result<CompleteResult, ErrorData> {
    let argument = &request.argument;
    let known = match &request.r#ref {
        Reference::Resource(template) => resources::is_template(&template.uri) && argument.name == "symbol",
        _ => false,
    };
    if !known {
        return Err(ErrorData::invalid_params("ref and argument name nothing here that can be completed", None));
    }
    let typed = argument.value.to_ascii_uppercase();
    let symbols = instance.exchange().instruments().iter().map(|instrument| instrument.symbol.clone());
    let values = symbols.filter(|symbol| symbol.starts_with(&typed)).collect();
    let completion = CompletionInfo::with_all_values(values).map_err(|error| ErrorData::internal_error(error, None))?;
    Ok(CompleteResult::new(completion))
}
