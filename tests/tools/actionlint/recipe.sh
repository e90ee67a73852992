go_build actionlint github.com/rhysd/actionlint/cmd/actionlint
