"""A program as users of LlamaIndex write it. Prints as JSON what came back; the environment says where the API is."""

import asyncio
import json
import os
import sys
from typing import Literal

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike


def weather(city: Literal["Rome", "Oslo"]) -> str:
    """Says what the weather is like."""
    return f"rain in {city}"


place = {"api_base": os.environ["OPENAI_BASE_URL"], "api_key": os.environ["OPENAI_API_KEY"], "max_retries": 0}
llm = OpenAILike(
    model="sparrow",
    temperature=0,
    max_tokens=200,
    context_window=2048,
    is_chat_model=True,
    is_function_calling_model=True,
    **place,
)
plain = OpenAILike(model="sparrow", temperature=0, max_tokens=40, is_chat_model=False, **place)
endless = {"max_tokens": 1000, "extra_body": {"ignore_eos": True}}
embedding = OpenAILikeEmbedding(model_name="embedder", **place)
question = ChatMessage(role="user", content="What is Ray?")
tool = FunctionTool.from_defaults(weather)

called = llm.chat_with_tools([tool], chat_history=[question], tool_choice="weather")
call = llm.get_tool_calls_from_response(called)[0]
printed = {
    "chat": llm.chat([question]).message.content,
    "stream": [chunk.delta for chunk in llm.stream_chat([question]) if chunk.delta],
    "long stream": [chunk.delta for chunk in llm.stream_chat([question], **endless) if chunk.delta],
    "async": asyncio.run(llm.achat([question])).message.content,
    "complete": plain.complete("Question: What is Ray?\nAnswer:").text,
    "stream of a completion": [chunk.delta for chunk in plain.stream_complete("Question: What is Ray?\nAnswer:")],
    "long stream of a completion": [chunk.delta for chunk in plain.stream_complete("What is Ray?", **endless)],
    "tool": {"name": call.tool_name, "args": call.tool_kwargs},
    "embeddings": embedding.get_text_embedding_batch(["a bird", "a plane"]),
    "query": embedding.get_query_embedding("a bird"),
}
json.dump(printed, sys.stdout)
