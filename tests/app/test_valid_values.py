"""Values that the schema must take: it is closed, and a rule that is too narrow would stop a user who is right."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from serve_app.settings.schema import values_schema

DEFAULTS = Path(__file__).parents[2] / "charts" / "ray-vllm-stack" / "values.yaml"

ACCEPTED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "least model": {"models": {"a": {"source": "hf://Qwen/Qwen3-8B", "accelerator": "l4"}}},
    "every source": {
        "models": {
            "a": {
                "source": "hf://meta-llama/Llama-3.1-8B-Instruct",
                "revision": "0e9e39f249a16976918f6564b8830bc894c89659",
            },
            "b": {"source": "s3://bucket/a/b"},
            "c": {"source": "gs://bucket"},
            "c1": {"source": "s3://anonymous@bucket/a"},
            "c2": {"source": "azure://container@account.blob.core.windows.net/a/b"},
            "c3": {"source": "abfss://container@account.dfs.core.windows.net/a"},
            "d": {"source": "pvc://claim/a/b.gguf"},
            "e": {"source": "/opt/models/e"},
            "f": {"source": ""},
        }
    },
    "model ids": {"models": {"a": {}, "qwen3-8b": {}, "llama-3.1-8b": {}, "9b": {}, "a" * 63: {}}},
    "further names of models": {
        "models": {"a": {"servedNames": ["meta-llama/Llama-3.1-8B-Instruct", "gpt-4o", "org:m_1"]}}
    },
    "engine arguments of every type": {
        "models": {
            "a": {
                "engine": {
                    "max_model_len": 8192,
                    "gpu_memory_utilization": 0.9,
                    "cpu_offload_gb": 4,
                    "enforce_eager": True,
                    "dtype": "bfloat16",
                    "quantization": "fp8",
                    "tool_call_parser": "hermes",
                    "speculative_config": {"method": "ngram", "num_speculative_tokens": 3},
                    "ignore_patterns": ["original/**"],
                    "max_num_seqs": None,
                }
            }
        }
    },
    "deleted by a later file": {
        "models": {"a": None, "b": {"env": {"A": None}, "engine": {"dtype": None}}},
        "routes": {"r": None, "s": {"backends": {"a": None, "b": {}}, "sticky": None}},
        "accelerators": {"l4": None, "cpu": {"resources": {"limits": None}, "nodeSelector": {"x": None}}},
        "clusters": {"main": {"head": {"rayStartParams": {"num-cpus": None}}}},
        "extraObjects": {"x": None},
        "auth": {"apiKeys": {"default": None}},
    },
    "route names": {"routes": {"gpt-4o": {"backends": {"a": {}}}, "Qwen/Qwen3-8B": {}, "org:model_1": {}}},
    "everything of a route": {
        "routes": {
            "chat": {
                "backends": {"a": {"weight": 90}, "b": {}},
                "sticky": {"by": "header", "header": "x-session"},
                "matches": {
                    "beta": {"order": 1, "headers": {"x-beta": "1"}, "teams": ["search"], "backends": {"b": {}}},
                    "gone": None,
                },
                "shadow": {"c": {"percent": 0.5}},
                "fallback": {"far": {"order": 2}, "b": None},
            }
        },
        "providers": {
            "far": {
                "baseUrl": "https://api.example.com/llm/v1",
                "query": {"api-version": "2024-10-21"},
                "headers": {"x-title": "stack"},
                "apis": ["chat_completions"],
                "fields": {"top_k": None, "max_tokens": "max_completion_tokens"},
                "model": "org/large-1",
                "task": "generate",
                "apiKey": {"existingSecret": "far", "key": "token", "header": "api-key"},
                "maxConcurrentRequests": 10,
                "price": {"promptPerMillion": 0.5, "cachedPerMillion": None, "completionPerMillion": 1},
            },
            "near": {"baseUrl": "http://other.llm.svc:8000"},
            "gone": None,
        },
    },
    "teams, keys and tokens": {
        "auth": {
            "teams": {
                "search": {
                    "models": ["chat", "org/model"],
                    "requestsPerMinute": 600,
                    "tokensPerMinute": 100000000,
                    "concurrentRequests": 1,
                    "monthlyTokens": None,
                    "priority": "high",
                },
                "everybody": {},
                "gone": None,
            },
            "apiKeys": {
                "ci": {"hash": f"sha256:{'0a' * 32}", "team": "search", "requestsPerMinute": 1},
                "rotated": {"hash": f"sha256:{'0b' * 32}", "previousHash": f"sha256:{'0c' * 32}", "monthlyCost": 0.5},
                "day": {"expires": "2027-01-31"},
                "moment": {"expires": "2027-01-31T12:00:00+02:00"},
                "made.by_the-chart": {"hash": "", "priority": None},
            },
            "oidc": {"enabled": True, "issuer": "https://idp.example.com/realms/llm", "requireTeam": True},
            "smokeTest": {"existingSecret": "probe"},
        }
    },
    "what a model is for, and costs": {
        "models": {
            "a": {"task": "embed", "private": True, "ownedBy": "birds", "price": {"promptPerMillion": 0.06}},
            "b": {"task": "score", "maxConcurrentRequests": 0, "price": {"cachedPerMillion": None}},
            "c": {"task": "transcribe", "maxConcurrentRequests": None},
        }
    },
    "fractional seconds and targets": {
        "models": {"a": {"replicas": {"targetOngoingRequests": 1.5, "upscaleDelaySeconds": 0.5}}}
    },
    "quantities": {
        "gateway": {"resources": {"requests": {"cpu": 1.5, "memory": "1e9"}, "limits": {"cpu": 2, "memory": "1.5Gi"}}}
    },
    "class of one's own": {
        "accelerators": {
            "mi300x": {
                "platform": "rocm",
                "perDevice": {"cpu": 12, "memory": "200Gi"},
                "resources": {"claims": [{"name": "gpu"}]},
                "nodeRequirements": {"node.kubernetes.io/instance-type": ["ND96isr_MI300X_v5"]},
                "tolerations": [{"key": "amd.com/gpu", "operator": "Exists"}],
                "instance": {"gpuName": "mi300x"},
                "pod": {"spec": {"nodeSelector": {"x": "y"}, "containers": [{"name": "ray-worker", "tty": True}]}},
            }
        }
    },
    "platform and topologies of one's own": {
        "platforms": {
            "npu": {"resource": "example.com/npu", "rayResource": "NPU", "imageHint": "ask for one"},
            "tpu": None,
        },
        "accelerators": {
            "v7x": {"platform": "tpu", "topologies": {"4": "2x2x1", "8": None}, "multiHost": {"devicesPerHost": 4}},
            "h100": {"multiHost": {"resources": {"limits": {"rdma/ib": 1}}}},
            "gb200": {"architecture": "arm64", "multiHost": {"devicesPerHost": None}},
        },
    },
    "second cluster": {
        "clusters": {"team-b": {"faultTolerance": {"enabled": True, "address": "rediss://redis.x.svc:6380"}}}
    },
    "registry with a port and a path": {
        "clusterDefaults": {"image": {"registry": "registry.example.com:5000/mirror", "repository": "a/b_c/d-e"}}
    },
    "digest": {"clusters": {"main": {"image": {"digest": f"sha256:{'0a' * 32}"}}}},
    "gateway pods by load": {
        "gateway": {
            "autoscaling": {
                "enabled": True,
                "targetCPUUtilizationPercentage": None,
                "targetConcurrentRequests": 200,
                "spec": {"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}},
            }
        }
    },
    "ways in": {
        "gateway": {
            "ingress": {"enabled": True, "hosts": {"*.example.com": {"tlsSecret": "x"}, "a-b.c": {}, "gone.c": None}},
            "httpRoute": {
                "enabled": True,
                "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
                "hostnames": ["llm.example.com"],
                "timeout": "1h30m",
            },
        }
    },
    "limits shared elsewhere": {
        "gateway": {"redis": {"enabled": True, "url": "rediss://limits@cache.example.com:6380/3", "timeoutSeconds": 1}}
    },
    "node port": {"gateway": {"service": {"type": "NodePort", "nodePort": 30080}}},
    "disruption in percent": {"gateway": {"podDisruptionBudget": {"maxUnavailable": "50%"}}},
    "node pools": {"capacity": {"nodePools": {"l4": {"spot": "prefer", "maxDevices": None, "maxCpus": 64}}}},
    "fields of all providers": {"providerDefaults": {"fields": {"top_k": None, "max_tokens": "max_completion_tokens"}}},
    "peers": {
        "networkPolicy": {
            "gatewayEgress": [{"ports": [{"port": 3128}], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
            "clients": [{"namespaceSelector": {}, "podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}],
        }
    },
    "what Helm and the operator's chart bring": {"global": {"x": 1}, "kuberay-operator": {"image": {"tag": "v1.6.2"}}},
}


def merged(base: Any, over: Any) -> Any:
    """As Helm merges: maps by key; a null takes a default away, and stays where there is none."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    result = {key: value for key, value in base.items() if value is not None and over.get(key, value) is not None}
    for key, value in over.items():
        if value is not None or key not in base:
            result[key] = merged(base.get(key), value)
    return result


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(values_schema(DEFAULTS))


@pytest.mark.parametrize("values", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(validator: Draft202012Validator, values: dict[str, Any]) -> None:
    defaults = merged(yaml.safe_load(DEFAULTS.read_text()), {})
    errors = validator.iter_errors(merged(defaults, deepcopy(values)))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
