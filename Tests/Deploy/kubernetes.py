"""Checks deploy/kubernetes without a cluster: each overlay is rendered with kubectl, every object is held against the
schemas of Kubernetes, names that objects use of each other are there, and times and bounds agree with the daemon's.

`python Tests/Deploy/kubernetes.py BIN`, with kubectl, promtool and haproxy on the path; BIN is the folder of posed. Exit status 1
with a line for each fault.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ("1.29", "1.33")
# Kinds of other projects, which Kubernetes has no schema of.
FOREIGN = {"ServiceMonitor"}
# Secrets that the operator makes, with their keys: docs/kubernetes.md.
SECRETS = {"posed-tls": {"tls.crt", "tls.key", "ca.crt"}, "posed-tokens": {"tokens"},
           "posed-store": {"auth", "users.acl"}}
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "": 1}


def amount(text):
    """Bytes of 3GiB or 4Gi."""
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]*)", str(text)).groups()
    return int(number) * UNITS[unit]


def rendered(overlay):
    """The objects of an overlay, as kubectl would apply them."""
    text = subprocess.run(
        ["kubectl", "kustomize", FOLDER / overlay], check=True, capture_output=True, text=True).stdout
    return [item for item in yaml.safe_load_all(text) if item]


def schema_faults(item):
    """What the schemas of Kubernetes say against an object."""
    name = f"{item['kind']} {item['metadata']['name']}"
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            if item["kind"] not in FOREIGN:
                yield f"{name}: Kubernetes {version} has no such kind"
        except kubernetes_validate.ValidationError as error:
            yield f"{name}: Kubernetes {version}: {error.message}"


def pods(items):
    """The pod templates: (name of the workload, labels, specification)."""
    for item in items:
        template = item.get("spec", {}).get("template")
        if template:
            yield item["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def volume_faults(name, spec, items):
    """Volumes that name what is not there, and mounts of no volume."""
    claims = {claim["metadata"]["name"] for item in items for claim in item.get("spec", {}).get("volumeClaimTemplates", [])}
    maps = {item["metadata"]["name"] for item in items if item["kind"] == "ConfigMap"}
    volumes = spec.get("volumes", [])
    known = {volume["name"] for volume in volumes} | claims
    for volume in volumes:
        if "configMap" in volume and volume["configMap"]["name"] not in maps:
            yield f"{name}: no ConfigMap {volume['configMap']['name']}"
        if "secret" in volume:
            keys = SECRETS.get(volume["secret"]["secretName"], set())
            asked = {entry["key"] for entry in volume["secret"].get("items", [])}
            if not keys or not asked <= keys:
                yield f"{name}: the secret {volume['secret']['secretName']} has {sorted(keys)}, not {sorted(asked)}"
    for container in spec["containers"]:
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in known:
                yield f"{name}: {container['name']} mounts {mount['name']}, which is no volume"


def reference_faults(items):
    """Names and ports of services, policies and budgets that no pod has."""
    workloads = list(pods(items))

    def ports(selector):
        chosen = [spec for _, labels, spec in workloads if selector.items() <= labels.items()]
        return {port.get("name") for spec in chosen for one in spec["containers"] for port in one.get("ports", [])} | {
            port["containerPort"] for spec in chosen for one in spec["containers"] for port in one.get("ports", [])}

    for item in items:
        name = f"{item['kind']} {item['metadata']['name']}"
        spec = item.get("spec", {})
        if item["kind"] == "Service":
            for port in spec["ports"]:
                if port["targetPort"] not in ports(spec["selector"]):
                    yield f"{name}: no pod has the port {port['targetPort']}"
        elif item["kind"] == "NetworkPolicy":
            for rule in spec.get("ingress", []):
                for port in rule.get("ports", []):
                    if port["port"] not in ports(spec["podSelector"]["matchLabels"]):
                        yield f"{name}: no pod has the port {port['port']}"
        elif item["kind"] == "PodDisruptionBudget" and not ports(spec["selector"]["matchLabels"]):
            yield f"{name}: no pod has its labels"
        elif item["kind"] == "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]["name"]
            if target not in [workload for workload, _, _ in workloads]:
                yield f"{name}: no workload {target}"
        elif item["kind"] == "ServiceMonitor":
            services = [one for one in items if one["kind"] == "Service"
                        and spec["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()]
            names = {port["name"] for one in services for port in one["spec"]["ports"]}
            if not {endpoint["port"] for endpoint in spec["endpoints"]} <= names:
                yield f"{name}: no service has its port"


def seconds(text):
    """Seconds of 30s, 2m."""
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()
    return int(number) * (60 if unit == "m" else 1)


def replica_faults(items):
    """Where HAProxy has no place for a replica."""
    scaler = next(item for item in items if item["kind"] == "HorizontalPodAutoscaler")
    places = int(re.search(r"server-template \w+ (\d+)", (FOLDER / "base/haproxy.cfg").read_text()).group(1))
    if places < scaler["spec"]["maxReplicas"]:
        yield f"haproxy.cfg: it has places for {places} replicas of {scaler['spec']['maxReplicas']}"


def daemon_faults(items):
    """Where the pod of the daemon and the daemon's configuration disagree."""
    spec = next(spec for name, _, spec in pods(items) if name == "posed")
    container = spec["containers"][0]
    settings = yaml.safe_load((FOLDER / "base/posed.yaml").read_text())
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    needed = pause + seconds(settings["shutdown"]["drainTimeout"]) + 5
    if spec["terminationGracePeriodSeconds"] < needed:
        yield f"posed: the grace period is {spec['terminationGracePeriodSeconds']} s; it needs {needed}"
    if amount(container["resources"]["limits"]["memory"]) <= amount(settings["limits"]["memory"]):
        yield "posed: limits.memory is not below the container's"
    named = {port["name"]: port["containerPort"] for port in container["ports"]}
    for name, address in (("grpc", settings["listen"]["tcp"]["addresses"][0]), ("http", settings["http"]["address"])):
        if int(address.rpartition(":")[2]) != named[name]:
            yield f"posed: the port {name} is {named[name]}, and the daemon listens on {address}"
    files = [mount["mountPath"] for mount in container["volumeMounts"]]
    for path in re.findall(r"/etc/posed/[\w./-]+", (FOLDER / "base/posed.yaml").read_text()):
        if not any(path == mount or path.startswith(mount + "/") for mount in files):
            yield f"posed: nothing is mounted at {path}"


def configuration_faults(binary):
    """What the daemon and HAProxy say against their configurations, with files of this machine in place of the
    cluster's."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=posed",
             "-keyout", home / "tls.key", "-out", home / "tls.crt"], check=True, capture_output=True)
        for name, text in (("tokens", "me " + "0123456789abcdef" * 3), ("auth", "posed secret")):
            (home / name).write_text(text + "\n")
            (home / name).chmod(0o600)
        text = (FOLDER / "base/posed.yaml").read_text()
        for there, here in (("/etc/posed/tls/", f"{folder}/"), ("/etc/posed/tokens/", f"{folder}/"),
                            ("/etc/posed/store/", f"{folder}/"), ("/run/posed/", f"{folder}/"),
                            ("/usr/share/posed/models/default", str(ROOT / "Tests/Goldens/tiny"))):
            text = text.replace(there, here)
        (home / "posed.yaml").write_text(text)
        result = subprocess.run(
            [binary / "posed", "--config", home / "posed.yaml", "--check-config"], capture_output=True, text=True)
        if result.returncode:
            yield f"posed.yaml: {result.stderr.strip()}"

        for name, source in (("posed.pem", "tls.crt"), ("posed.pem.key", "tls.key"), ("ca.crt", "tls.crt")):
            (home / name).write_bytes((home / source).read_bytes())
        text = (FOLDER / "base/haproxy.cfg").read_text().replace("/etc/haproxy/tls", folder)
        (home / "haproxy.cfg").write_text(text)
        result = subprocess.run(["haproxy", "-c", "-f", home / "haproxy.cfg"], capture_output=True, text=True)
        if result.returncode:
            yield f"haproxy.cfg: {result.stderr.strip()}"


def adapter_faults():
    """What Prometheus says against the queries of prometheus-adapter.yaml, and metrics that no page of docs/ has."""
    described = (ROOT / "docs/operations.md").read_text()
    names = []
    for rule in yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())["rules"]:
        series = rule["name"]["matches"].strip("^$")
        names.append(rule["name"]["as"])
        query = rule["metricsQuery"]
        for hole, filling in (("<<.GroupBy>>", "pod"), ("<<.Series>>", series), ("<<.LabelMatchers>>", 'namespace="posed"')):
            query = query.replace(hole, filling)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "adapter", "rules": [{"record": names[-1], "expr": query}]}]}, file)
            file.flush()
            checked = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
        if checked.returncode:
            yield f"prometheus-adapter.yaml: {checked.stdout} {checked.stderr}"
        if series.removesuffix("_bucket") not in described:
            yield f"prometheus-adapter.yaml: docs/operations.md has no metric {series}"
    scaler = (FOLDER / "base/scaling.yaml").read_text()
    for name in re.findall(r"metric: \{name: (\w+)\}", scaler):
        if name not in names:
            yield f"scaling.yaml: prometheus-adapter.yaml makes no metric {name}"


def main():
    binary = Path(sys.argv[1]).resolve()
    faults = [*configuration_faults(binary), *adapter_faults()]
    for overlay in ("base", "gpu"):
        items = rendered(overlay)
        found = [fault for item in items for fault in schema_faults(item)]
        for name, _, spec in pods(items):
            found += volume_faults(name, spec, items)
        found += [*reference_faults(items), *daemon_faults(items), *replica_faults(items)]
        faults += [f"{overlay}: {fault}" for fault in found]
        print(f"kubernetes: {overlay} has {len(items)} objects")
    for fault in faults:
        print(f"kubernetes: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
