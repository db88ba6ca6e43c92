"""Names as Kubernetes takes them, and ports by number and name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.kubernetes import ports
from servo.connectors.kubernetes.names import dns_labelize, dns_subdomainify
from servo.connectors.kubernetes.ports import PortError

SERVICE = {
    "metadata": {"name": "web"},
    "spec": {"ports": [{"name": "http", "port": 80, "targetPort": "app"}, {"name": "admin", "port": 81}]},
}
POD = {
    "metadata": {"name": "web"},
    "spec": {
        "containers": [{"name": "app", "ports": [{"name": "app", "containerPort": 8080}]}, {"name": "bare"}]
    },
}


@pytest.mark.parametrize(
    ("name", "label", "subdomain"),
    [
        ("dev.opsani.com/app", "dev.opsani.com_app", "dev.opsani.com.app"),
        ("Two Words/App", "Two-Words_App", "two-words.app"),
        ("_odd_", "0-_odd_-1", "0-_odd_-1"),
        ("a" * 300, "a" * 63, "a" * 253),
        ("a" * 62 + "_b", "a" * 61 + "-1", "a" * 62 + "_b"),
    ],
)
def test_names_become_labels_and_names_of_objects(name, label, subdomain):
    assert dns_labelize(name) == label
    assert dns_subdomainify(name) == subdomain


@given(st.from_regex(r"[A-Za-z0-9 ._/-]{1,400}", fullmatch=True))
def test_a_label_is_always_one(name):
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", dns_labelize(name))


def test_ports_of_a_service():
    assert ports.service_port(SERVICE, "http")["port"] == 80
    assert ports.service_port(SERVICE, "81")["name"] == "admin"
    assert ports.target_of(ports.service_port(SERVICE, 80)) == "app"
    assert ports.target_of(ports.service_port(SERVICE, 81)) == 81
    with pytest.raises(PortError, match=r"2 ports: name one of http \(80\), admin \(81\)"):
        ports.service_port(SERVICE)
    with pytest.raises(PortError, match="no port 82"):
        ports.service_port(SERVICE, 82)
    with pytest.raises(PortError, match="has 0 ports"):
        ports.service_port({"metadata": {"name": "none"}, "spec": {}})


def test_ports_of_containers():
    assert ports.container_port(POD, "app") == 8080
    assert ports.container_port(POD, "1234") == ports.container_port(POD, 1234) == 1234
    with pytest.raises(PortError, match="no container of web has a port named http; there are: app"):
        ports.container_port(POD, "http")
