"""Decodes Sparkplug B by the raw protobuf of tahutils: lines `TOPIC HEX` in, a line of JSON for each out.

Datatypes are remembered from births, as a host has to: data comes without.
"""

import json
import sys

from tahutils.tahu import sparkplug_b_pb2 as spb

FIELDS = {
    "int_value",
    "long_value",
    "float_value",
    "double_value",
    "boolean_value",
    "string_value",
}


def value_of(metric, signed):
    field = metric.WhichOneof("value")
    if field is None:
        return None
    assert field in FIELDS, field
    value = getattr(metric, field)
    if field == "long_value" and signed and value >= 1 << 63:
        value -= 1 << 64
    return value


def properties_of(metric):
    keys = list(metric.properties.keys)
    values = list(metric.properties.values)
    assert len(keys) == len(values), "a value for each key"
    return {key: value_of(value, False) for key, value in zip(keys, values)}


def read(metric, types):
    if metric.HasField("datatype") and metric.HasField("alias"):
        types[metric.alias] = metric.datatype
    datatype = metric.datatype if metric.HasField("datatype") else types.get(metric.alias)
    optional = {
        "name": metric.name if metric.HasField("name") else None,
        "alias": metric.alias if metric.HasField("alias") else None,
        "written_type": metric.datatype if metric.HasField("datatype") else None,
    }
    return {
        **optional,
        "type": datatype,
        "timestamp": metric.timestamp,
        "historical": metric.is_historical,
        "null": metric.is_null,
        "value": value_of(metric, datatype == spb.Int64),
        "properties": properties_of(metric),
    }


def main():
    types = {}
    for line in sys.stdin:
        topic, payload = line.rstrip("\n").split(" ")
        message = spb.Payload()
        message.ParseFromString(bytes.fromhex(payload))
        print(
            json.dumps(
                {
                    "topic": topic,
                    "timestamp": message.timestamp,
                    "seq": message.seq if message.HasField("seq") else None,
                    "metrics": [read(metric, types) for metric in message.metrics],
                }
            )
        )


main()
