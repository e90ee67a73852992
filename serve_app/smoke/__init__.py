"""The checks that `helm test` runs against a gateway."""
