"""Responses that a model keeps: which one made them, and requests that name one."""
