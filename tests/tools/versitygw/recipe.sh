go_build versitygw github.com/versity/versitygw/cmd/versitygw
