"""Lints the Helm chart, renders it in several shapes, and holds what comes out to the schemas of Kubernetes and to our rules.

Run by tests/deploy/lint.sh, with the packages of tests/deploy/requirements.txt. Prints a line for each check.
"""

import json
import sys
from pathlib import Path

import kubernetes_validate
import yaml
from helm_python import Chart, HelmError, lint

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "embeddings"
KUBERNETES = ["1.25", "1.31", "1.37"]
OPERATOR = "monitoring.coreos.com/v1"  # its kinds are no part of Kubernetes: only their fields that are used are looked at
ALWAYS = ["Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"]

EVERYTHING = {
    "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": ["registry"]},
    "settings": {"apiKeys": ["sk-1", "sk-2"], "maxQueueTokens": 1200000, "renormalize": True, "shutdownSeconds": 60},
    "existingSecret": "more",
    "supportedModels": "a/b alias=c prompt=\"query: \"\n",
    "lockFile": '{"version": 1, "models": []}\n',
    "cache": {"persistent": True, "accessModes": ["ReadWriteMany"], "storageClass": "fast"},
    "gpus": 1,
    "runtimeClassName": "nvidia",
    "scheme": "HTTPS",
    "service": {"type": "LoadBalancer", "port": 443, "annotations": {"a": "b"}},
    "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls", "annotations": {"a": "b"}},
    "networkPolicy": {
        "namespaces": ["ingress-nginx", "monitoring"],
        "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "hubPorts": [443, 3128],
        "egress": [{"ports": [{"port": 4318, "protocol": "TCP"}]}],
    },
    "autoscaling": {"enabled": True},
    "prometheus": {"serviceMonitor": True, "labels": {"release": "prometheus"}},
    "serviceAccount": {"annotations": {"a": "b"}},
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "extraEnv": [{"name": "NODE_OPTIONS", "value": "--max-old-space-size=512"}],
    "extraVolumes": [{"name": "weights", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "weights", "mountPath": "/models"}],
}

CASES = {
    "default values": ({}, ALWAYS),
    "everything": (
        EVERYTHING,
        [*ALWAYS, "ConfigMap", "HorizontalPodAutoscaler", "Ingress", "PersistentVolumeClaim", "Secret", "ServiceMonitor"],
    ),
    "without a network": ({"settings": {"hfHubOffline": True}, "networkPolicy": {"dns": False}}, ALWAYS),
    "keys": ({"settings": {"apiKeys": "sk-1,sk-2"}}, [*ALWAYS, "Secret"]),
    "keys of one's own": ({"existingSecret": "keys"}, ALWAYS),
    "scaling by CPU": (
        {"autoscaling": {"enabled": True, "metric": "cpu"}},
        [*ALWAYS, "HorizontalPodAutoscaler"],
    ),
    "one pod with a claim": ({"cache": {"persistent": True}}, [*ALWAYS, "PersistentVolumeClaim"]),
    "a claim of one's own": ({"replicas": 3, "cache": {"persistent": True, "existingClaim": "mine"}}, ALWAYS),
    "as little as possible": (
        {
            "networkPolicy": {"enabled": False},
            "podDisruptionBudget": {"enabled": False},
            "serviceAccount": {"create": False},
            "topologySpread": False,
            "preStopSeconds": 0,
        },
        ["Deployment", "Service"],
    ),
}
if (FOLDER / "files" / "alerts.yaml").exists():
    CASES["alerts"] = ({"prometheus": {"rules": True}}, [*ALWAYS, "PrometheusRule"])

REFUSED = {
    "an unknown value": {"replica": 2},
    "an unknown value inside": {"cache": {"sise": "1Gi"}},
    "an unknown setting": {"settings": {"maxBatchSise": 1}},
    "what the chart decides": {"settings": {"port": 80}},
    "a text for a number": {"settings": {"maxBatchSize": "many"}},
    "a number for a switch": {"settings": {"renormalize": 1}},
    "no size": {"cache": {"size": "big"}},
    "an unknown metric": {"autoscaling": {"metric": "memory"}},
    "a bad digest": {"image": {"digest": "sha256:1"}},
    "several pods on one exclusive claim": {"replicas": 2, "cache": {"persistent": True}},
    "scaling on one exclusive claim": {"autoscaling": {"enabled": True}, "cache": {"persistent": True}},
    "a lock file without a list": {"lockFile": "{}"},
}


class UniqueKeys(yaml.SafeLoader):
    """YAML in which a key stands once: the API of Kubernetes would take the last one."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        assert len(set(keys)) == len(keys), f"a key stands twice in {keys}"
        return super().construct_mapping(node, deep)


def main() -> int:
    chart = Chart.load(str(FOLDER))
    checks = {f"chart: {name}": lambda case=case: check_case(chart, *case) for name, case in CASES.items()}
    checks |= {f"chart refuses {name}": lambda values=values: check_refused(chart, values) for name, values in REFUSED.items()}
    checks["chart: settings"] = lambda: check_settings(chart)
    checks["chart: network policy"] = lambda: check_network(chart)
    checks["chart: stop and scale"] = lambda: check_life(chart)
    failed = 0
    for name, check in checks.items():
        try:
            check()
            print(f"ok: {name}")
        except (AssertionError, HelmError, yaml.YAMLError, kubernetes_validate.ValidationError) as error:
            failed += 1
            print(f"FAILED: {name}\n{type(error).__name__}: {error}")
    return 1 if failed else 0


def check_case(chart, values, kinds):
    for version in KUBERNETES:
        report = lint(str(FOLDER), values, strict=True, kube_version=f"v{version}.0")
        bad = [message for message in report["messages"] if message["severity"] > 1]
        assert not bad and not report["errors"], report
    objects = render(chart, values)
    assert sorted(one["kind"] for one in objects) == sorted(kinds), [one["kind"] for one in objects]
    for one in objects:
        if one["apiVersion"] == OPERATOR:
            continue
        for version in KUBERNETES:
            kubernetes_validate.validate(one, version, strict=True)
    check_pod(find(objects, "Deployment")["spec"]["template"])


def check_pod(template):
    pod = template["spec"]
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] == 1000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    paths = [container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert paths == ["/readyz", "/livez", "/readyz"], paths
    assert container["resources"]["requests"] and container["resources"]["limits"]["memory"]
    mounts = [mount["name"] for mount in container["volumeMounts"]]
    assert mounts == [volume["name"] for volume in pod["volumes"]], mounts
    names = [variable["name"] for variable in container["env"]]
    assert len(set(names)) == len(names), names


def check_settings(chart):
    """Each setting arrives under its variable: plain ones in the pod, secrets in the Secret alone."""
    known = json.loads((FOLDER / "files" / "settings.json").read_text())
    schema = json.loads((FOLDER / "values.schema.json").read_text())["properties"]["settings"]["properties"]
    assert set(schema) == set(known["environment"])
    samples = {"boolean": True, "integer": 1200000, "number": 0.5, "string": "text", "array": ["a", "b"]}
    texts = {"boolean": "true", "integer": "1200000", "number": "0.5", "string": "text", "array": "a,b"}
    types = {name: one["type"] if isinstance(one["type"], str) else one["type"][0] for name, one in schema.items()}
    objects = render(chart, {"settings": {name: samples[kind] for name, kind in types.items()}})
    env = {one["name"]: one["value"] for one in container_of(objects)["env"]}
    secret = find(objects, "Secret")["stringData"]
    for name, variable in known["environment"].items():
        place, other = (secret, env) if name in known["secret"] else (env, secret)
        assert place.get(variable) == texts[types[name]], (name, place.get(variable))
        assert variable not in other, name
    assert container_of(objects)["envFrom"] == [{"secretRef": {"name": "release-embeddings"}}]


def check_network(chart):
    default = find(render(chart, {}), "NetworkPolicy")["spec"]
    assert default["policyTypes"] == ["Ingress", "Egress"]
    assert default["ingress"][0]["from"] == [{"podSelector": {}}]
    assert [port["port"] for rule in default["egress"] for port in rule["ports"]] == [53, 53, 443]
    offline = find(render(chart, CASES["without a network"][0]), "NetworkPolicy")["spec"]
    assert offline["egress"] == [], offline
    closed = find(render(chart, {"networkPolicy": {"sameNamespace": False}}), "NetworkPolicy")["spec"]
    assert closed["ingress"] == [], closed
    many = find(render(chart, EVERYTHING), "NetworkPolicy")["spec"]
    assert len(many["ingress"][0]["from"]) == 4 and [port["port"] for port in many["egress"][1]["ports"]] == [443, 3128]


def check_life(chart):
    spec = find(render(chart, EVERYTHING), "Deployment")["spec"]
    assert "replicas" not in spec, "the autoscaler decides"
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 60 + 5 + 10
    assert spec["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    now = find(render(chart, {"settings": {"shutdownSeconds": 0}, "preStopSeconds": 0}), "Deployment")["spec"]
    assert now["template"]["spec"]["terminationGracePeriodSeconds"] == 10
    assert "lifecycle" not in now["template"]["spec"]["containers"][0]
    [metric] = find(render(chart, EVERYTHING), "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == "embeddings_queue_tokens"
    assert find(render(chart, CASES["one pod with a claim"][0]), "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    one, other = ({"settings": {"apiKeys": [key]}} for key in ("sk-1", "sk-2"))
    assert find(render(chart, one), "Deployment") != find(render(chart, other), "Deployment"), "new keys restart the pods"


def check_refused(chart, values):
    try:
        chart.validate_schema(chart.merge_values(values))
        render(chart, values)
    except HelmError:
        return
    raise AssertionError(f"{values} passed")


def render(chart, values):
    manifests = chart.render(values, name="release", namespace="tests")
    return [
        document
        for path, text in manifests.items()
        if path.endswith(".yaml")
        for document in yaml.load_all(text, UniqueKeys)
        if document is not None
    ]


def find(objects, kind):
    return next(one for one in objects if one["kind"] == kind)


def container_of(objects):
    return find(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]


if __name__ == "__main__":
    sys.exit(main())
