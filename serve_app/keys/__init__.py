"""Makes, lists and revokes API keys of a running gateway.

Their Secret holds hashes only: the text of a key is printed once, when it is made, and cannot be found out again. Helm
does not know this Secret, so that no upgrade brings a revoked key back.
"""
