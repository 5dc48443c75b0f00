// Decodes Sparkplug B by the npm package sparkplug-payload: lines `TOPIC HEX` in, a line of JSON for each out.
//
// Data comes without datatypes, and without one this decoder gives null for every value. So they are remembered
// from births, as a host has to, and put in before it decodes.
"use strict";

const lines = require("readline").createInterface({ input: process.stdin });
const decoder = require("sparkplug-payload").get("spBv1.0");
const proto = require("sparkplug-payload/lib/sparkplugPayloadProto");
const { Payload } = (proto.default ?? proto).org.eclipse.tahu.protobuf;

const types = new Map();
const has = (object, key) => Object.hasOwn(object, key) && object[key] !== null;
const plain = (value) => {
  if (value === null || value === undefined) return null;
  return typeof value === "object" ? Number(value.toString()) : value;
};

lines.on("line", (line) => {
  const [topic, hex] = line.split(" ");
  const bytes = Buffer.from(hex, "hex");
  const raw = Payload.decode(bytes);
  const written = raw.metrics.map((metric) => (has(metric, "datatype") ? metric.datatype : null));
  for (const metric of raw.metrics) {
    if (!has(metric, "alias")) continue;
    const alias = Number(metric.alias.toString());
    if (has(metric, "datatype")) types.set(alias, metric.datatype);
    else metric.datatype = types.get(alias);
  }
  const message = decoder.decodePayload(Payload.encode(raw).finish());
  const metrics = (message.metrics ?? []).map((metric, index) => {
    const properties = Object.entries(metric.properties ?? {});
    return {
      name: metric.name ?? null,
      alias: plain(metric.alias),
      written_type: written[index],
      type: raw.metrics[index].datatype ?? null,
      timestamp: plain(metric.timestamp),
      historical: metric.isHistorical ?? false,
      null: has(raw.metrics[index], "isNull") && raw.metrics[index].isNull,
      value: plain(metric.value),
      properties: Object.fromEntries(properties.map(([key, property]) => [key, plain(property.value)])),
    };
  });
  const seq = has(raw, "seq") ? Number(raw.seq.toString()) : null;
  console.log(JSON.stringify({ topic, timestamp: plain(message.timestamp), seq, metrics }));
});
