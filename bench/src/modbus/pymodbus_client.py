#!/usr/bin/env python3
"""The loop that a technician would write with PyMODBUS: reads 50 registers of each unit in turn.

    pymodbus_client.py HOST PORT UNITS PERIOD_MS SECONDS

Prints how many polls the seconds after a warm-up had and what CPU time they took.
"""

import json
import sys
import time

from pymodbus.client import ModbusTcpClient

WARM_UP = 1.0
REGISTERS = 50


def main():
    host, port, units, period, seconds = sys.argv[1], *map(int, sys.argv[2:])
    client = ModbusTcpClient(host, port=port)
    client.connect()
    pause = period / 1000 / units
    began = time.monotonic()
    due, polls, cpu, unit = began, 0, None, 0
    while True:
        now = time.monotonic()
        if cpu is None and now >= began + WARM_UP:
            polls, cpu = 0, time.process_time()
        if now >= began + WARM_UP + seconds:
            break
        unit = unit % units + 1
        answer = client.read_holding_registers(0, count=REGISTERS, device_id=unit)
        assert len(answer.registers) == REGISTERS
        polls += 1
        due += pause
        time.sleep(max(0.0, due - time.monotonic()))
    print(json.dumps({"polls": polls, "cpu_us": (time.process_time() - cpu) * 1e6}))


main()
