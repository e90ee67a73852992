"""What names and addresses look like. Written so that Python's and Go's regular expressions agree on them."""

# A model id is what clients say, a Serve application, and a part of a URL's path.
MODEL_ID = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
# Clients send any name of the OpenAI kind, such as gpt-4o or Qwen/Qwen3-8B.
ROUTE = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"
# A cluster's name is a part of its RayService's, which KubeRay wants short.
CLUSTER = r"^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$"
# A class is a worker group's name and a part of a Ray resource's.
ACCELERATOR_CLASS = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
PLATFORM = r"^[a-z][a-z0-9-]{0,23}$"
# KubeRay takes 50 characters.
WORKER_GROUP = r"^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$"
# Of disruption budgets.
BUDGET = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
TAINT = r"^([a-z0-9][a-z0-9.-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*$"
DEVICES = r"^[1-9][0-9]{0,4}$"
ENV_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
# Of API keys, teams, matches: a file's name, a label's value.
NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
# A vector store's id is vs_ and this, a part of a URL's path and of a table's name.
JOB = r"^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$"
PLACE = r"^(s3://|gs://|pvc://)[a-z0-9][a-z0-9._-]*(/[^ ?#]*)?$"
SCHEDULE = r"^\S+( \S+){4}$|^@(hourly|daily|weekly|monthly)$"
VECTOR_STORE = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
# A Serve deployment: what Ray makes of a class's name.
DEPLOYMENT = r"^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$"
# A function's, as OpenAI has it.
TOOL = r"^[A-Za-z0-9_-]{1,64}$"
HEADER = r"^[A-Za-z0-9_-]+$"
# Of serve_app.impact: an effect, or one effect on one model or cluster; and what stands for a verdict.
EFFECT = (
    r"^(in-place|created|gateway-reload|removed|rolls|pools-drift|new-cluster|downtime|no-room)(:[a-z0-9][a-z0-9.-]*)?$"
)
DIGEST = r"^(v[0-9a-f]{12})?$"
# RFC 3339: a day, or a moment.
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2}))?$"
HASH = r"^(sha256:[0-9a-f]{64})?$"
HTTP_URL = r"^(http://[^\s/?#@]+/?)?$"
ORIGIN = r"^(\*|https?://[^\s/?#]+)$"
URL = r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$"
REDIS_URL = r"^(rediss?://([A-Za-z0-9._-]+@)?[^\s/:@]+:[0-9]+(/[0-9]+)?)?$"
HOST = r"^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"

# The same in words, for the keys of maps.
WORDS = {
    MODEL_ID: "lower-case letters, digits, . and -, at most 63; for other names see servedNames and routes",
    ROUTE: "letters, digits, ., _, :, / and -, at most 128",
    CLUSTER: "lower-case letters, digits and -, a letter first, at most 24",
    ACCELERATOR_CLASS: "lower-case letters, digits and -, a letter first, at most 40",
    PLATFORM: "lower-case letters, digits and -, a letter first, at most 24",
    WORKER_GROUP: "lower-case letters, digits and -, a letter first, at most 50",
    BUDGET: "lower-case letters, digits and -, at most 63",
    TAINT: "a taint's key, such as node.cilium.io/agent-not-ready",
    DEVICES: "a number of devices",
    ENV_NAME: "letters, digits and _, no digit first",
    NAME: "letters, digits, ., _ and -, at most 63",
    JOB: "lower-case letters, digits and -, at most 24",
    VECTOR_STORE: "lower-case letters, digits and -, at most 40",
    DEPLOYMENT: "letters, digits, _, ., : and -, a letter first, at most 128",
    TOOL: "letters, digits, _ and -, at most 64",
    HEADER: "letters, digits, _ and -",
    HOST: "a host name in lower case, whose first label may be *",
}

HUGGING_FACE = r"hf://[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*"
BUCKET = r"(s3|gs)://(anonymous@)?[A-Za-z0-9][A-Za-z0-9._-]*(/[^ ]*)?"
AZURE = r"(azure://[a-z0-9-]+@[a-z0-9]+\.(blob|dfs)|abfss://[a-z0-9-]+@[a-z0-9]+\.dfs)\.core\.windows\.net(/[^ ]*)?"
CLAIM = r"pvc://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[^ ]*)?"
FOLDER = r"/[^ ]+"
SOURCE = f"^({HUGGING_FACE}|{BUCKET}|{AZURE}|{CLAIM}|{FOLDER})$"
SOURCE_FORMS = (
    "hf://ORG/NAME, s3://BUCKET/PATH, gs://BUCKET/PATH, azure://CONTAINER@ACCOUNT.blob.core.windows.net/PATH, "
    "pvc://CLAIM/PATH or an absolute path"
)


def or_empty(pattern: str) -> str:
    """The same, or nothing at all."""
    return f"^({pattern.removeprefix('^').removesuffix('$')})?$"
