"""The chart's values as pydantic models; `serve_app.settings.schema` makes values.schema.json of them.

The defaults are those of values.yaml and stand nowhere else: a key with a default there is required here, so that
deleting one with `null` is refused by name. The entries of maps (models, clusters, accelerators, node pools) are
`partial` models, where every key may be missing. Whole entries and the keys of free maps (env, engine, labels) may be
null, with which a later values file deletes what an earlier one set.
"""
