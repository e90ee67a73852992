"""The gateway: one OpenAI-compatible URL in front of all models.

It never imports ray: it must start in a second from a small image, and outlive the Ray clusters behind it.
A request's way through the modules: `front` (request id, key, which handler) -> `proxy` (body, model) -> `upstream`
(attempts until the first byte) -> `proxy` (bytes through). `app` puts them together.
"""
