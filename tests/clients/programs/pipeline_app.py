"""A program as users of LangChain and LlamaIndex write it, for whom a pipeline is a model: MODEL is its name.

Prints as JSON what came back; the environment says where the API is.
"""

import json
import os
import sys

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

model, asked = os.environ["MODEL"], os.environ["QUESTION"]
place = {"api_base": os.environ["OPENAI_BASE_URL"], "api_key": os.environ["OPENAI_API_KEY"], "max_retries": 0}
chat = ChatOpenAI(model=model, temperature=0, max_retries=0, max_completion_tokens=64, stream_usage=True)
responses = ChatOpenAI(model=model, temperature=0, max_retries=0, max_completion_tokens=64, use_responses_api=True)
llm = OpenAILike(model=model, temperature=0, max_tokens=64, context_window=2048, is_chat_model=True, **place)
question, message = HumanMessage(asked), ChatMessage(role="user", content=asked)

answer, response = chat.invoke([question]), responses.invoke([question])
pieces = list(chat.stream([question]))
printed = {
    "langchain": answer.text,
    "langchain usage": answer.usage_metadata,
    "langchain stream": "".join(piece.text for piece in pieces),
    "langchain responses": response.text,
    "llama_index": llm.chat([message]).message.content,
    "llama_index stream": "".join(chunk.delta or "" for chunk in llm.stream_chat([message])),
}
json.dump(printed, sys.stdout)
