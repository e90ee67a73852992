go_build pause .
