# shellcheck shell=bash disable=SC2154
# Certificates and control plane of a local Kubernetes: for up.sh here, and for the simulation, which has no node.
# Sourced after lib.sh, whose names say where.
pki=$state/pki
openssl_req() { # NAME ARGUMENT...
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout "$pki/$1.key" -out "$pki/$1.crt" \
    -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') "${@:2}" 2> "$pki/.err" || { cat "$pki/.err" >&2; exit 1; }
}
ca() { # NAME
  openssl_req "$1" -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE -addext subjectKeyIdentifier=hash \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
}
cert() { # NAME CA SUBJECT [SAN]
  openssl_req "$1" -subj "$3" -CA "$pki/$2.crt" -CAkey "$pki/$2.key" -addext basicConstraints=critical,CA:FALSE \
    -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=serverAuth,clientAuth \
    ${4:+-addext "subjectAltName=$4"}
}
user() { # NAME SUBJECT: a certificate and a kubeconfig
  cert "$1" ca "$2"
  (umask 077; cat > "$state/$1.kubeconfig" << YAML
apiVersion: v1
kind: Config
current-context: local
contexts: [{name: local, context: {cluster: local, user: $1}}]
clusters:
- name: local
  cluster: {server: "https://$node_ip:$api_port", certificate-authority-data: $(base64 -w0 "$pki/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$pki/$1.crt"), client-key-data: $(base64 -w0 "$pki/$1.key")}
YAML
  )
}
control_plane_certificates() {
  ca ca; ca etcd-ca; ca front-proxy-ca
  cert etcd etcd-ca /CN=etcd DNS:localhost,IP:127.0.0.1
  cert apiserver-etcd etcd-ca /CN=kube-apiserver
  local name names=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  cert apiserver ca /CN=kube-apiserver "$names,DNS:localhost,DNS:$node,IP:127.0.0.1,IP:$node_ip,IP:$api_ip"
  cert apiserver-kubelet ca /O=system:masters/CN=kube-apiserver-kubelet-client
  cert front-proxy front-proxy-ca /CN=front-proxy-client
  openssl ecparam -name prime256v1 -genkey -noout -out "$pki/sa.key"
  openssl ec -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2> /dev/null
  user admin /O=system:masters/CN=admin
  for name in kube-controller-manager kube-scheduler; do user $name /CN=system:$name; done
}
start_api_server() {
  start etcd "$bin/etcd" --name default --data-dir "$state/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "https://127.0.0.1:$etcd_port" --advertise-client-urls "https://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$etcd_peer_port" \
    --initial-advertise-peer-urls "http://127.0.0.1:$etcd_peer_port" \
    --initial-cluster "default=http://127.0.0.1:$etcd_peer_port" \
    --cert-file "$pki/etcd.crt" --key-file "$pki/etcd.key" --client-cert-auth --trusted-ca-file "$pki/etcd-ca.crt"
  start kube-apiserver "$bin/kube-apiserver" \
    --etcd-servers "https://127.0.0.1:$etcd_port" --etcd-cafile "$pki/etcd-ca.crt" \
    --etcd-certfile "$pki/apiserver-etcd.crt" --etcd-keyfile "$pki/apiserver-etcd.key" \
    --bind-address "$node_ip" --advertise-address "$node_ip" --secure-port "$api_port" \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
    --service-cluster-ip-range "$service_cidr" --allow-privileged \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" \
    --kubelet-certificate-authority "$pki/ca.crt" --kubelet-client-certificate "$pki/apiserver-kubelet.crt" \
    --kubelet-client-key "$pki/apiserver-kubelet.key" --kubelet-preferred-address-types InternalIP \
    --requestheader-client-ca-file "$pki/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- --enable-aggregator-routing \
    --proxy-client-cert-file "$pki/front-proxy.crt" --proxy-client-key-file "$pki/front-proxy.key"
}
start_controllers() {
  local name arguments port
  for name in kube-controller-manager kube-scheduler; do
    port=$scheduler_port; [ $name = kube-scheduler ] || port=$controllers_port
    arguments=(--kubeconfig "$state/$name.kubeconfig" --authentication-kubeconfig "$state/$name.kubeconfig"
      --authorization-kubeconfig "$state/$name.kubeconfig" --bind-address 127.0.0.1 --secure-port "$port"
      --leader-elect=false)
    [ $name = kube-scheduler ] || arguments+=(--use-service-account-credentials --root-ca-file "$pki/ca.crt"
      --service-account-private-key-file "$pki/sa.key"
      --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key"
      --service-cluster-ip-range "$service_cidr" --cluster-cidr "$pod_cidr"
      --kube-api-qps 200 --kube-api-burst 400) # the default of 20 makes its own start take 5 s
    start $name "$bin/$name" "${arguments[@]}"
  done
}
