"""The sources of an agent's tools, as its settings have them."""

from pydantic_ai import RunUsage

from serve_app.pipelines.agent.http_tools import HttpSource
from serve_app.pipelines.agent.mcp_tools import McpSource
from serve_app.pipelines.agent.retrieval_tools import Find, RetrievalSource
from serve_app.pipelines.agent.toolbox import Source
from serve_app.pipelines.measures import Measures
from serve_app.settings.agent import AgentSettings


class Sources:
    """Makes the sources of each answer."""

    def __init__(self, settings: AgentSettings, find: Find, measures: Measures) -> None:
        """Begins.

        Args:
            settings: The agent's.
            find: Asks a pipeline for documents.
            measures: Notes the tokens of searches.
        """
        self._settings = settings
        self._find = find
        self._measures = measures

    def of(self, branch: str, counted: RunUsage) -> list[Source]:
        """Those of a branch, empty for none.

        Args:
            branch: Its name.
            counted: Is told the tokens that searches take.
        """
        tools, limits = self._settings.tools, self._settings.limits
        taken = self._settings.branches.get(branch)
        wanted = None if taken is None else taken.tools

        def count(tokens: int) -> None:
            counted.input_tokens += tokens
            self._measures.tokens("search", tokens)

        sources: list[Source] = [
            *(RetrievalSource(name, each, self._find, count) for name, each in tools.pipelines.items()),
            *(McpSource(name, each, seconds=limits.tool_seconds) for name, each in tools.mcp.items()),
            *(HttpSource(name, each, characters=limits.result_characters) for name, each in tools.http.items()),
        ]
        return [source for source in sources if wanted is None or source.label in wanted]
