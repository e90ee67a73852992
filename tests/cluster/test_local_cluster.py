"""The local cluster is a Kubernetes like any other: pods, Services, volumes and policies, without a chart."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kube import kubectl, wait_until

HERE = Path(__file__).parent
NAMESPACE = "local-cluster"
RESTRICTED = "local-cluster-restricted"


def k(*arguments: str, input: str | None = None) -> str:  # noqa: A002
    return kubectl("-n", NAMESPACE, *arguments, input=input)


def in_client(*command: str) -> str:
    return k("exec", "client", "--", *command)


def field(path: str, *target: str) -> str:
    return k("get", *target, "-o", f"jsonpath={{{path}}}")


def web_pods() -> set[str]:
    return set(field(".items[*].metadata.name", "pods", "-l", "app=web").split())


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        body: bytes = answer.read()
    return body.decode().strip()


@pytest.fixture(scope="module", autouse=True)
def objects() -> Iterator[None]:
    subprocess.run([str(HERE / "images.sh"), "busybox"], check=True, timeout=60)
    kubectl("delete", "namespace", NAMESPACE, RESTRICTED, "--ignore-not-found")
    kubectl("create", "namespace", NAMESPACE)
    wait_until("the default ServiceAccount", 20, lambda: bool(k("get", "serviceaccount", "default")))
    k("apply", "--server-side", "-f", str(HERE / "local-cluster.yaml"))
    k("rollout", "status", "deployment/web", "--timeout=60s")
    k("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
    yield
    kubectl("delete", "namespace", NAMESPACE, RESTRICTED, "--ignore-not-found", "--wait=false")


def test_init_container_shares_a_volume() -> None:
    assert in_client("cat", "/shared/file") == "from-init\n"


def test_exec_gives_exit_codes_and_takes_stdin() -> None:
    with pytest.raises(RuntimeError, match="exit 7"):
        in_client("sh", "-c", "exit 7")
    assert k("exec", "-i", "client", "--", "cat", input="hi") == "hi"


def test_logs() -> None:
    assert k("logs", "-l", "app=web", "--tail=-1").count("serving") == 2


def test_port_forward() -> None:
    command = ["kubectl", "-n", NAMESPACE, "port-forward", "service/web", ":80"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout
        port = forward.stdout.readline().split("127.0.0.1:")[1].split()[0]
        answer = get(f"http://127.0.0.1:{port}/")
        forward.terminate()
    assert answer.startswith("web-")


def test_services_from_the_host() -> None:
    assert get(f"http://{field('.spec.clusterIP', 'service', 'web')}/").startswith("web-")
    assert get("http://10.244.0.1:30080/").startswith("web-")


@pytest.mark.parametrize("name", ["web", f"web.{NAMESPACE}", f"web.{NAMESPACE}.svc.cluster.local"])
def test_services_from_a_pod_by_name(name: str) -> None:
    assert in_client("wget", "-qO-", f"http://{name}/").startswith("web-")


def test_a_headless_service_names_each_pod() -> None:
    addresses = set(field(".items[*].status.podIP", "pods", "-l", "app=web").split())
    answer = in_client("nslookup", f"web-headless.{NAMESPACE}.svc.cluster.local")
    assert len(addresses) == 2
    assert all(address in answer for address in addresses)


def test_a_pod_reaches_itself_through_its_service() -> None:
    pod = field(".items[0].metadata.name", "pods", "-l", "app=web")
    script = f"for i in $(seq 20); do wget -qO- http://web/ | grep {pod} && exit; done; exit 1"
    assert pod in k("exec", pod, "--", "sh", "-c", script)


def test_a_mounted_token_is_known_and_held_to_rbac() -> None:
    token = in_client("cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
    server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    as_pod = ("--kubeconfig=/dev/null", "--server", server, "--insecure-skip-tls-verify", "--token", token)
    with pytest.raises(RuntimeError, match=f"system:serviceaccount:{NAMESPACE}:default.*cannot list"):
        kubectl(*as_pod, "get", "pods")


def test_limits_reach_the_kernel() -> None:
    files = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max"  # cgroup v1, v2
    assert k("exec", "deployment/web", "--", "sh", "-c", f"cat {files} 2> /dev/null || true") == f"{32 * 2**20}\n"
    killed = ".status.containerStatuses[0].state.terminated.reason"
    wait_until("the OOM kill to be told", 30, lambda: field(killed, "pod", "oom") == "OOMKilled")


def test_a_failing_container_is_restarted() -> None:
    wait_until("a restart", 30, lambda: int(field(".status.containerStatuses[0].restartCount", "pod", "dies") or 0) > 0)


def test_a_readiness_gate_holds_until_it_is_opened() -> None:
    k("wait", "--for=condition=ContainersReady", "pod/gated", "--timeout=30s")
    assert field('.status.conditions[?(@.type=="Ready")].status', "pod", "gated") == "False"
    status = {"status": {"conditions": [{"type": "example.com/ready", "status": "True"}]}}
    k("patch", "pod", "gated", "--subresource=status", "--type=strategic", "-p", json.dumps(status))
    k("wait", "--for=condition=Ready", "pod/gated", "--timeout=30s")


def test_the_default_storage_class_makes_and_removes_volumes() -> None:
    k("wait", "--for=condition=Complete", "job/writer", "job/reader", "--timeout=60s")
    assert k("logs", "job/reader") == "written by uid 1000\n"
    volume = json.loads(kubectl("get", "pv", field(".spec.volumeName", "pvc", "data"), "-o", "json"))
    directory = Path(volume["spec"]["hostPath"]["path"])
    assert directory.is_dir()
    k("delete", "job/writer", "job/reader", "pvc/data")
    name = volume["metadata"]["name"]
    wait_until("the volume to be gone", 30, lambda: not kubectl("get", "pv", "--ignore-not-found", name))
    assert not directory.exists()


def test_a_rolling_update_replaces_pods() -> None:
    before = web_pods()
    k("set", "env", "deployment/web", "A=b")
    k("rollout", "status", "deployment/web", "--timeout=60s")
    wait_until("the old pods to go", 30, lambda: not before & web_pods())


def test_pod_security_restricted_is_enforced() -> None:
    kubectl("create", "namespace", RESTRICTED)
    kubectl("label", "namespace", RESTRICTED, "pod-security.kubernetes.io/enforce=restricted")
    wait_until("its ServiceAccount", 20, lambda: bool(kubectl("-n", RESTRICTED, "get", "serviceaccount", "default")))
    as_root, as_user = (HERE / "local-cluster-restricted.yaml").read_text().split("---\n")
    with pytest.raises(RuntimeError, match="violates PodSecurity"):
        kubectl("-n", RESTRICTED, "apply", "-f", "-", input=as_root)
    kubectl("-n", RESTRICTED, "apply", "-f", "-", input=as_user)
    kubectl("-n", RESTRICTED, "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/as-user", "--timeout=30s")
    assert "Seccomp:\t2" in kubectl("-n", RESTRICTED, "logs", "as-user")


def test_the_kubelet_tells_its_pods_statistics() -> None:
    node = kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    assert json.loads(kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary"))["pods"]


def test_pods_weigh_a_quarter_of_what_the_kubelet_gives_them() -> None:
    """Beside the control plane and the tests; the kubelet's is one cgroup further down and counts among pods."""
    cgroups = Path("/sys/fs/cgroup")
    file = "cpu.weight" if (cgroups / "cgroup.procs").exists() else "cpu.shares"
    root = cgroups / ("" if file == "cpu.weight" else "cpu") / "ray-vllm-stack"
    quarter = int((root / "kubepods" / file).read_text()) / 4
    assert int((root / file).read_text()) == pytest.approx(quarter, abs=1)
