#!/usr/bin/env python3
"""Does every query of a Grafana dashboard find something?

    dashboard_queries.py --dashboard FILE                 structure only
    dashboard_queries.py --dashboard FILE --url URL       also runs each query on that Prometheus

Grafana itself cannot be had as a Debian package, so this stands in for it: it fills in the variables
as Grafana would (every query variable with all its values) and asks the Prometheus that scrapes the
gateway. A misspelt metric or label gives no series, which in a browser is only an empty panel.

The structure rules are those of Grafana's dashboard-linter, as far as they concern us.

Exit status: 0 good, 1 findings, 2 Prometheus not reachable or file not readable.
Python standard library only.
"""

import argparse
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# Ids of @grafana/data. A wrong id is shown by Grafana as a suffix, without complaint.
UNITS = {"none", "short", "s", "bytes", "percentunit", "percent", "cps", "dateTimeAsIso"}
WITHOUT_QUERY = {"row", "text"}
RATES = re.compile(r"\b(?:rate|irate|increase)\s*\(")
RATE_WINDOW = re.compile(r"\b(?:rate|irate|increase)\s*\([^\[\]]*\[([^\]]*)\]")
VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]")
LABEL_VALUES = re.compile(r"^label_values\((.*),\s*(\w+)\)$", re.DOTALL)


def panels_of(dashboard):
    """Every panel, also those inside collapsed rows."""
    for panel in dashboard.get("panels", []):
        yield panel
        yield from panel.get("panels", [])


def targets_of(dashboard):
    for panel in panels_of(dashboard):
        for target in panel.get("targets", []):
            yield panel, target


def query_of(variable):
    query = variable.get("query", "")
    return query.get("query", "") if isinstance(query, dict) else query


def lint(dashboard):
    """What is wrong with the dashboard by itself, one sentence each."""
    if dashboard.get("id", 0) is not None:
        yield "dashboard: `id` must be null, Grafana gives it"
    for key in ("uid", "title", "description"):
        if not dashboard.get(key):
            yield f"dashboard: has no {key}"
    if dashboard.get("editable", True):
        yield "dashboard: `editable` must be false, provisioning overwrites changes"
    if "__inputs" in dashboard:
        yield "dashboard: `__inputs` cannot be filled in by provisioning"

    variables = {v["name"]: v for v in dashboard.get("templating", {}).get("list", [])}
    if variables.get("datasource", {}).get("type") != "datasource":
        yield "variables: no `datasource` of type datasource"
    for name in ("job", "instance"):
        if name not in variables:
            yield f"variables: no `{name}`"
    for name, variable in variables.items():
        if variable["type"] != "query":
            continue
        if not LABEL_VALUES.match(query_of(variable)):
            yield f"variable {name}: query is not label_values(SELECTOR, LABEL)"
        if variable.get("refresh") != 2:
            yield f"variable {name}: must refresh when the time range changes (refresh 2)"
        if not is_our_source(variable):
            yield f"variable {name}: datasource is not ${{datasource}}"

    ids, places = set(), []
    for panel in panels_of(dashboard):
        title = panel.get("title") or f"number {panel.get('id')}"
        if panel.get("id") in ids:
            yield f"panel {title}: id {panel.get('id')} is taken"
        ids.add(panel.get("id"))
        yield from (f"panel {title}: {fault}" for fault in lint_place(panel, places))
        if panel.get("type") not in WITHOUT_QUERY:
            yield from (f"panel {title}: {fault}" for fault in lint_panel(panel, variables))


def lint_place(panel, places):
    """The panel lies on the grid of 24 columns and on no other panel."""
    grid = panel.get("gridPos", {})
    if not {"x", "y", "w", "h"} <= grid.keys():
        yield "gridPos is not complete"
        return
    if grid["x"] + grid["w"] > 24:
        yield "reaches beyond column 24"
    for title, other in places:
        if (grid["x"] < other["x"] + other["w"] and other["x"] < grid["x"] + grid["w"]
                and grid["y"] < other["y"] + other["h"] and other["y"] < grid["y"] + grid["h"]):
            yield f"lies on {title}"
    places.append((panel.get("title"), grid))


def is_our_source(thing):
    return (thing.get("datasource") or {}).get("uid") == "${datasource}"


def lint_panel(panel, variables):
    for key in ("title", "description"):
        if not panel.get(key):
            yield f"has no {key}"
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
    if unit not in UNITS:
        yield f"unit {unit!r} is not one of {', '.join(sorted(UNITS))}"
    if not is_our_source(panel):
        yield "datasource is not ${datasource}"
    if not panel.get("targets"):
        yield "has no query"
    refs = [target.get("refId") for target in panel.get("targets", [])]
    if len(set(refs)) != len(refs):
        yield "two queries have the same refId"
    for target in panel.get("targets", []):
        yield from (f"query {target.get('refId')}: {fault}" for fault in lint_target(target, variables))


def lint_target(target, variables):
    expression = target.get("expr", "")
    if not is_our_source(target):
        yield "datasource is not ${datasource}"
    if target.get("format") != "table" and not target.get("legendFormat"):
        yield "has no legend"
    for selector in re.findall(r"\{([^}]*)\}", VARIABLE.sub("V", expression)):
        for label in ("job", "instance"):
            if not re.search(rf"\b{label}\s*=~", selector):
                yield f"selector {{{selector}}} does not match {label}"
    for name in re.findall(r"\b(?:up|(?:forewarn|process)_\w+)(?![\w{])", expression):
        yield f"{name} has no selector, it must match job and instance"
    windows = RATE_WINDOW.findall(expression)
    if len(windows) != len(RATES.findall(expression)) or set(windows) - {"$__rate_interval"}:
        yield "a rate without [$__rate_interval]"
    for name in names_in(expression):
        if not name.startswith("__") and name not in variables:
            yield f"variable ${name} is not defined"
    # With several values chosen a variable becomes a regular expression.
    for operator, name in re.findall(r'(=~|!~|!=|=)\s*"\$\{?(\w+)', expression):
        if operator not in ("=~", "!~"):
            yield f"variable ${name} is compared by {operator}, not by =~"


def names_in(text):
    return {a or b or c for a, b, c in VARIABLE.findall(text)}


class Prometheus:
    """The few calls of its HTTP API that are needed."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path, **parameters):
        address = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            body = refused.read().decode(errors="replace")
            try:
                raise QueryError(json.loads(body)["error"]) from refused
            except (ValueError, KeyError):
                raise QueryError(f"HTTP {refused.code}: {body[:200]}") from refused

    def label_values(self, selector, label):
        # Without a time range: everything this Prometheus has, as in a browser's longest range.
        found = self.get("/api/v1/series", **{"match[]": selector})
        return sorted({series.get(label, "") for series in found} - {""})

    def run(self, target, expression, seconds):
        now = time.time()
        if target.get("instant"):
            return self.get("/api/v1/query", query=expression, time=now)["result"]
        step = max(1, seconds // 100)
        return self.get("/api/v1/query_range", query=expression, start=now - seconds, end=now, step=step)["result"]


class QueryError(Exception):
    """Prometheus refused the query."""


def fill_in(text, values):
    return VARIABLE.sub(lambda found: values.get(found[1] or found[2] or found[3], found[0]), text)


def values_of_variables(dashboard, prometheus, fixed):
    """What Grafana would put in, with every value of every variable chosen."""
    values = dict(fixed)
    for variable in dashboard["templating"]["list"]:
        if variable["type"] != "query":
            continue
        selector, label = LABEL_VALUES.match(fill_in(query_of(variable), values)).groups()
        found = prometheus.label_values(selector, label)
        if not found:
            yield f"variable {variable['name']}: no value in {selector}"
        if variable.get("includeAll"):
            values[variable["name"]] = variable.get("allValue", ".*")
        else:
            # re.escape is not Grafana's escape, but the same language in RE2; inside a PromQL
            # string a backslash is written twice.
            values[variable["name"]] = "|".join(re.escape(v).replace("\\", "\\\\") for v in found)
    fixed.update(values)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    arguments.add_argument("--dashboard", required=True, help="the dashboard's JSON file")
    arguments.add_argument("--url", help="a Prometheus that scrapes a running gateway")
    arguments.add_argument("--rate-interval", default="1m", help="for $__rate_interval (default 1m)")
    arguments.add_argument("--range", type=int, default=300, help="seconds for $__range (default 300)")
    arguments = arguments.parse_args()

    try:
        with open(arguments.dashboard, encoding="utf-8") as file:
            dashboard = json.load(file)
    except (OSError, ValueError) as fault:
        print(f"{arguments.dashboard}: {fault}", file=sys.stderr)
        return 2

    findings = list(lint(dashboard))
    count = sum(1 for _ in targets_of(dashboard))
    if arguments.url and not findings:
        try:
            findings = list(run_all(dashboard, Prometheus(arguments.url), arguments))
        except (OSError, ValueError) as fault:
            print(f"{arguments.url}: {fault}", file=sys.stderr)
            return 2
    for finding in findings:
        print(finding)
    done = "asked" if arguments.url else "read, none asked"
    print(f"{arguments.dashboard}: {count} queries {done}, {len(findings)} findings")
    return 1 if findings else 0


def run_all(dashboard, prometheus, arguments):
    values = {
        "__rate_interval": arguments.rate_interval,
        "__interval": "15s",
        "__range": f"{arguments.range}s",
        "datasource": "unused",
    }
    yield from values_of_variables(dashboard, prometheus, values)
    for panel, target in targets_of(dashboard):
        expression = fill_in(target["expr"], values)
        name = f"panel {panel['title']}, query {target['refId']}"
        try:
            if not prometheus.run(target, expression, arguments.range):
                yield f"{name}: no series for {expression}"
        except QueryError as refused:
            yield f"{name}: {refused} in {expression}"


if __name__ == "__main__":
    sys.exit(main())
