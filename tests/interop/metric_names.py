#!/usr/bin/env python3
"""The documented metrics against themselves and against those who use them.

    metric_names.py --exposition LIST           a scrape with one series per family of the list
    metric_names.py --used LIST FILE...         names and labels in the files that the list lacks

LIST is deploy/prometheus/metrics.md. The exposition goes through `promtool check metrics`, which
knows the naming rules; what it does not know (a percent, a ppm or a bar in a name) is checked here.
Python standard library only.
"""

import re
import sys

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|([^|]*)\| (.+?) \|$", re.MULTILINE)
# Units that are not the base unit of their quantity.
BANNED = {"percent", "ppm", "bar", "millis", "milliseconds", "micros", "minutes", "hours", "kilobytes", "mb", "ms"}
FROM_SCRAPER = {"job", "instance", "site", "alertname", "alertstate", "severity"}


def families(path):
    with open(path, encoding="utf-8") as file:
        rows = ROW.findall(file.read())
    return {name: (kind, re.findall(r"`(\w+)`", labels), text) for name, kind, labels, text in rows}


def exposition(listed):
    for name, (kind, labels, text) in listed.items():
        pairs = [f'{label}="x"' for label in labels]
        plain = "{" + ",".join(pairs) + "}" if pairs else ""
        print(f"# HELP {name} {text}")
        print(f"# TYPE {name} {kind}")
        if kind == "histogram":
            for bound in ("0.1", "+Inf"):
                print(name + "_bucket{" + ",".join(pairs + [f'le="{bound}"']) + "} 1")
            print(f"{name}_sum{plain} 0.1")
            print(f"{name}_count{plain} 1")
        else:
            print(f"{name}{plain} 1")


def faults_of_list(listed):
    if not listed:
        yield "no metric found in the list"
    for name, (kind, _, _) in listed.items():
        if kind not in ("counter", "gauge", "histogram"):
            yield f"{name}: unknown type {kind}"
        for word in set(name.split("_")) & BANNED:
            yield f"{name}: `{word}` is not a base unit"


def faults_of_use(path, listed):
    """Metrics and matched labels in one file that the list does not have."""
    with open(path, encoding="utf-8") as file:
        text = file.read().replace('\\"', '"')
    for name, selector in re.findall(r"\b((?:forewarn|process)_[a-z_]+)(?:\{([^}]*)\})?", text):
        family = name if name in listed else re.sub(r"_(bucket|sum|count)$", "", name)
        if family not in listed:
            yield f"{path}: {name} is not listed"
            continue
        known = set(listed[family][1]) | FROM_SCRAPER | {"le"}
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
            if label not in known:
                yield f"{path}: {name} has no label {label}"


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("--exposition", "--used"):
        print(__doc__, file=sys.stderr)
        return 2
    listed = families(sys.argv[2])
    if sys.argv[1] == "--exposition":
        exposition(listed)
        return 0
    faults = list(faults_of_list(listed))
    for path in sys.argv[3:]:
        faults += faults_of_use(path, listed)
    for fault in faults:
        print(fault)
    print(f"{sys.argv[2]}: {len(listed)} metrics, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
