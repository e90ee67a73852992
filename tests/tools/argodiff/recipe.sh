# Argo CD's differ with its normalizers. Large, and for the campaign only, so not among the tools that are built by default.
go_build argodiff .
