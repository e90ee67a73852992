"""A program as users of LangChain write it. Prints as JSON what came back; the environment says where the API is."""

import json
import sys
from typing import Literal

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


@tool
def weather(city: Literal["Rome", "Oslo"]) -> str:
    """Says what the weather is like."""
    return f"rain in {city}"


class Sky(BaseModel):
    """What the sky is like."""

    clear: bool


chat = ChatOpenAI(model="sparrow", temperature=0, max_retries=0, max_completion_tokens=200, stream_usage=True)
claude = ChatAnthropic(model="sparrow", temperature=0, max_retries=0, max_tokens=100)
endless = ChatOpenAI(model="sparrow", max_retries=0, max_completion_tokens=1000, extra_body={"ignore_eos": True})
embeddings = OpenAIEmbeddings(model="embedder", check_embedding_ctx_length=False, max_retries=0)
question = HumanMessage("What is Ray?")

answer = chat.invoke([question])
chunks = list(chat.stream([question]))
whole = chunks[0]
for chunk in chunks[1:]:
    whole += chunk
calling = chat.bind_tools([weather], tool_choice="weather").invoke([question])
call = calling.tool_calls[0]
after = chat.invoke([question, calling, ToolMessage("rain", tool_call_id=call["id"]), HumanMessage("What is vLLM?")])
responses = ChatOpenAI(model="sparrow", temperature=0, max_retries=0, use_responses_api=True).invoke([question])
printed = {
    "invoke": answer.text,
    "usage": answer.usage_metadata,
    "stream": [chunk.text for chunk in chunks if chunk.text],
    "long stream": [chunk.text for chunk in endless.stream([question]) if chunk.text],
    "stream usage": whole.usage_metadata,
    "tool": {"name": call["name"], "args": call["args"]},
    "after the tool": after.text,
    "structured": chat.with_structured_output(Sky, method="json_schema").invoke([question]).model_dump(),
    "responses": responses.text,
    "anthropic": claude.invoke([question]).text,
    "anthropic stream": [chunk.text for chunk in claude.stream([question]) if chunk.text],
    "embeddings": embeddings.embed_documents(["a bird", "a plane"]),
    "query": embeddings.embed_query("a bird"),
}
json.dump(printed, sys.stdout)
