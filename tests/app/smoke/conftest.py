from ..gateway.conftest import gateway, model

__all__ = ["gateway", "model"]
