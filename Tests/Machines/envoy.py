"""Checks deploy/envoy/envoy.yaml against Envoy's own messages: every field is known, every value of its type."""

import importlib
import re
import sys
from pathlib import Path

import yaml
from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap

FILE = Path(__file__).resolve().parents[2] / "deploy/envoy/envoy.yaml"


def message(url):
    """The class of a type such as type.googleapis.com/envoy.extensions.….Router."""
    package, name = url.removeprefix("type.googleapis.com/").rsplit(".", 1)
    return getattr(importlib.import_module(f"envoy_data_plane.{package}"), name)


def take(value, found):
    """A value without the messages that have a type of their own, which are added to `found`."""
    if isinstance(value, list):
        return [take(item, found) for item in value]
    if not isinstance(value, dict):
        return value
    rest = {}
    for key, item in value.items():
        if isinstance(item, dict) and "@type" in item:
            item = dict(item)
            kind = item.pop("@type")
            found.append((kind, take(item, found)))
        else:
            rest[key] = take(item, found)
    return rest


def main():
    """Checks the file."""
    found = []
    configuration = take(yaml.safe_load(FILE.read_text()), found)
    Bootstrap.from_dict(configuration)
    for kind, value in found:
        # Durations are texts here and in Envoy's JSON.
        message(kind).from_dict(value)
    ports = re.findall(r"port_value: (\d+)", FILE.read_text())
    print(f"{FILE.name}: {len(found) + 1} messages are Envoy's, ports {', '.join(sorted(set(ports)))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
