//! The arguments of a tool call, read so that a wrong one is named.

use rmcp::ErrorData;
use rmcp::handler::server::common::FromContextPart;
use rmcp::handler::server::tool::ToolCallContext;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Stands in for rmcp's type of the same name, whose errors do not say which argument they are about. The `tool` macro
/// finds the input schema by this name.
#[derive(Debug)]
pub(crate) struct Parameters<T>(pub(crate) T);

impl<S, T: DeserializeOwned> FromContextPart<ToolCallContext<'_, S>> for Parameters<T> {
    fn from_context_part(context: &mut ToolCallContext<'_, S>) -> Result<Self, ErrorData> {
        let arguments = Value::Object(context.arguments.take().unwrap_or_default());
        let read = serde_path_to_error::deserialize(arguments).map(Self);
        read.map_err(|error| ErrorData::invalid_params(described(&error), None))
    }
}

fn described(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    match error.path().iter().next() {
        Some(_) => format!("{}: {}", error.path(), error.inner()),
        // What is missing or unknown is named by the message itself.
        None => error.inner().to_string(),
    }
}

impl<T: JsonSchema> JsonSchema for Parameters<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
