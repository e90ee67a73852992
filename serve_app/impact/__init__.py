"""What an edit does to what runs, said before it is made.

Two states of a release are compared object by object and model by model. Nothing is asked of Ray, and of Kubernetes
only what the caller has read. The rules are those of the pinned KubeRay and Ray Serve; tests hold them against both.
"""
