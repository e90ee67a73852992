//! A program as users of async-openai write it. Prints as JSON: API -> check -> what came of it; the environment says
//! where the API is.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::{CreateChatCompletionRequest, CreateChatCompletionStreamResponse};
use async_openai::types::responses::{CreateResponse, ResponseStreamEvent};
use futures::StreamExt;
use serde_json::{Value, from_str, from_value, json};
use std::pin::Pin;

const QUESTION: &str = "What is Ray?";
const ENOUGH: usize = 10; // pieces that are read of a stream before it is left

type Failure = Box<dyn std::error::Error>;

fn long() -> String {
    "What is Ray? ".repeat(900) // more than the model's 2048 tokens
}

/// The request, with some fields changed.
fn chat(changes: Value) -> Value {
    let mut request = json!({
        "model": "sparrow",
        "temperature": 0.0,
        "max_completion_tokens": 200,
        "messages": [{"role": "user", "content": QUESTION}],
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    request
}

/// The variant of an error, with the status and the code that it carries.
fn kind<T>(result: Result<T, OpenAIError>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(OpenAIError::ApiError(error)) => {
            let code = error.api_error.code.unwrap_or_default();
            format!("ApiError {} {code}", error.status_code.as_u16())
                .trim_end()
                .into()
        }
        Err(OpenAIError::JSONDeserialize(error, _)) => format!("JSONDeserialize {error}"),
        Err(other) => other.to_string(),
    }
}

async fn completions(client: &Client<OpenAIConfig>) -> Result<Value, Failure> {
    let create = async |changes: Value| {
        let request: CreateChatCompletionRequest = from_value(chat(changes)).expect("a request");
        client.chat().create(request).await
    };
    let answer = create(json!({})).await?;
    let usage = answer.usage.ok_or("no usage")?;

    let request: CreateChatCompletionRequest = from_value(chat(json!({"stream": true})))?;
    let mut stream = client.chat().create_stream(request).await?;
    let mut pieces = vec![];
    while let Some(event) = stream.next().await {
        pieces.extend(
            event?
                .choices
                .into_iter()
                .filter_map(|choice| choice.delta.content),
        );
    }
    pieces.retain(|piece| !piece.is_empty());

    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Rome", "Oslo"]}},
        "required": ["city"],
        "additionalProperties": false,
    });
    let function = json!({"name": "weather", "parameters": schema});
    let named = json!({"type": "function", "function": {"name": "weather"}});
    let tools = json!([{"type": "function", "function": function}]);
    let calling =
        serde_json::to_value(create(json!({"tools": tools, "tool_choice": named})).await?)?;
    let call = &calling["choices"][0]["message"]["tool_calls"][0]["function"];
    let format = json!({"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": true}});
    let structured = create(json!({"response_format": format})).await?;

    type Events = Pin<
        Box<
            dyn futures::Stream<Item = Result<CreateChatCompletionStreamResponse, OpenAIError>>
                + Send,
        >,
    >;
    let endless = chat(json!({"stream": true, "ignore_eos": true, "max_completion_tokens": 2000}));
    let left: Events = client.chat().create_stream_byot(endless).await?;
    let read = left.take(ENOUGH).count().await;

    let wrong = client.config().clone().with_api_key("wrong");
    let refused: CreateChatCompletionRequest = from_value(chat(json!({})))?;
    Ok(json!({
        "plain": answer.choices[0].message.content,
        "usage": [usage.prompt_tokens, usage.completion_tokens],
        "stream": pieces,
        "tool": {"name": call["name"], "args": from_str::<Value>(call["arguments"].as_str().ok_or("no call")?)?},
        "structured": from_str::<Value>(structured.choices[0].message.content.as_deref().ok_or("no answer")?)?,
        "unknown model": kind(create(json!({"model": "swan"})).await),
        "bad key": kind(Client::with_config(wrong).chat().create(refused).await),
        "too long": kind(create(json!({"messages": [{"role": "user", "content": long()}]})).await),
        "five stops": kind(
            client.chat().create_byot::<_, Value>(chat(json!({"stop": ["a", "b", "c", "d", "e"]}))).await
        ),
        "left": read,
    }))
}

async fn responses(client: &Client<OpenAIConfig>) -> Result<Value, Failure> {
    let request = |model: &str, input: &str, stream: bool| -> CreateResponse {
        let fields = json!({"model": model, "input": input, "temperature": 0.0, "stream": stream});
        from_value(fields).expect("a request")
    };
    let answer = client
        .responses()
        .create(request("sparrow", QUESTION, false))
        .await?;
    let mut stream = client
        .responses()
        .create_stream(request("sparrow", QUESTION, true))
        .await?;
    let mut pieces = vec![];
    while let Some(event) = stream.next().await {
        if let ResponseStreamEvent::ResponseOutputTextDelta(delta) = event? {
            pieces.push(delta.delta);
        }
    }
    let usage = answer.usage.as_ref().ok_or("no usage")?;
    Ok(json!({
        "plain": answer.output_text(),
        "usage": [usage.input_tokens, usage.output_tokens],
        "stream": pieces,
        "unknown model": kind(client.responses().create(request("swan", QUESTION, false)).await),
        "too long": kind(client.responses().create(request("sparrow", &long(), false)).await),
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let base = std::env::var("OPENAI_BASE_URL")?;
    let key = std::env::var("OPENAI_API_KEY")?;
    let client = Client::with_config(OpenAIConfig::new().with_api_base(base).with_api_key(key));
    println!(
        "{}",
        json!({"chat": completions(&client).await?, "responses": responses(&client).await?})
    );
    Ok(())
}
