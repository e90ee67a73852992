"""What ray-vllm-stack's images run: model apps for Ray Serve and vLLM, and the gateway in front of them."""

__version__ = "0.1.0"
