go_build argolua .
