"""The APIs of a RAG pipeline, by their paths."""

from functools import partial

from serve_app.pipelines.app import Api
from serve_app.pipelines.rag import chat, responses
from serve_app.pipelines.rag.answering import Answering


def apis(answering: Answering) -> dict[str, Api]:
    """What `create_app` serves."""
    return {
        "/v1/chat/completions": Api(partial(chat.whole, answering), partial(chat.streamed, answering)),
        "/v1/responses": Api(partial(responses.whole, answering), partial(responses.streamed, answering)),
    }
