go_build hostpath-provisioner .
