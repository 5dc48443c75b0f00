#!/usr/bin/env python3
"""A Modbus device by PyMODBUS whose registers hold every type in every byte order.

    pymodbus_server.py [PORT]              Modbus TCP
    pymodbus_server.py --rtu [PORT]        RTU frames over TCP, as a serial server
    pymodbus_server.py --serial PATH       RTU on a serial device, 9600 8N1

The encoders are PyMODBUS' own, so they are an independent witness for ours; what PyMODBUS does not know
is made here with struct and decimal texts: halves, decimal digits, and the byte swap within words. Prints JSON lines: first
`{"points": [...]}`, then `{"port": N}`, then each request as `{"request": [unit, function, address,
count]}`. Ends by a signal.

Unit 1 holds the values, unit 2 a block with a hole at holding register 4. There is no other unit: 9
gets exception 4, which is what PyMODBUS 3.16 says, 10 gets exception 11, which is what a gateway says.
"""

import asyncio
import json
import struct
import sys

from pymodbus import FramerType
from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

PY = ModbusClientMixin.DATATYPE


def half(value):
    return PY.UINT16, struct.unpack(">H", struct.pack(">e", value))[0]


def decimal(theirs, value):
    return theirs, int(str(value), 16)


# Ours, theirs, a value whose bytes all differ, or whose sign would be lost by a wrong order; where ours
# makes something else of it, what.
TYPES = [
    ("bool", PY.UINT16, 256, 1),
    ("int16", PY.INT16, -12_345),
    ("uint16", PY.UINT16, 54_321),
    ("int32", PY.INT32, -1_234_567_890),
    ("uint32", PY.UINT32, 3_456_789_012),
    ("int64", PY.INT64, -4_123_456_789_012_345),
    ("uint64", PY.UINT64, 8_123_456_789_012_345),
    ("float32", PY.FLOAT32, -1234.56787109375),
    ("float64", PY.FLOAT64, 2718.281828459045),
    ("float16", *half(-12.3359375), -12.3359375),
    ("bcd16", *decimal(PY.UINT16, 1975), 1975),
    ("bcd32", *decimal(PY.UINT32, 20461975), 20461975),
    ("bcd64", *decimal(PY.UINT64, 1357902468013579), 1357902468013579),
]
# Parts of one register, which no order can change: bytes, single bits, and bits in the middle.
PARTS = (2200, -27_719)  # 1001 0011 1011 1001
BITS = "{:016b}".format(PARTS[1] & 0xFFFF)[::-1]
# Words reversed, bytes swapped within each word.
ORDERS = {"ABCD": ("big", False), "CDAB": ("little", False), "BADC": ("big", True), "DCBA": ("little", True)}
# Between the orders in the holding table: more than a request reads over.
STRIDE = 200
HOLDING = 1000
COILS = (5, [True, False, False, True, True, False, True, False, False, True])
DISCRETES = [(0, [True, False, True]), (3000, [False, True])]


def encode(theirs, value, order):
    word_order, swapped = ORDERS[order]
    registers = ModbusClientMixin.convert_to_registers(value, theirs, word_order=word_order)
    if swapped:
        registers = [struct.unpack("<H", struct.pack(">H", word))[0] for word in registers]
    return registers


def tables():
    """Points as the gateway configures them, and what the four tables hold."""
    points, holding, inputs = [], [], []

    def point(register, value, **keys):
        points.append({"register": register, "value": float(value), **keys})

    everything = []
    for row, order in enumerate(ORDERS):
        words = []
        for ours, theirs, value, *expected in TYPES:
            expected = expected[0] if expected else value
            # A register that is zero or not: no order can change that.
            keys = {"type": ours} | ({} if ours == "bool" else {"order": order})
            point(f"input:{len(everything) + len(words)}", expected, **keys)
            point(f"holding:{HOLDING + row * STRIDE + len(words)}", expected, **keys)
            words += encode(theirs, value, order)
        holding.append(SimData(HOLDING + row * STRIDE, values=words, datatype=DataType.REGISTERS))
        everything += words
    address, value = PARTS
    high, low = divmod(value & 0xFFFF, 256)
    for ours, expected in [
        ("int8_hi", high - 256),
        ("uint8_hi", high),
        ("int8_lo", low - 256),
        ("uint8_lo", low),
    ]:
        # One register for each: two points do not read the same bits.
        point(f"holding:{address}", expected, type=ours)
        holding.append(SimData(address, values=encode(PY.INT16, value, "ABCD"), datatype=DataType.REGISTERS))
        address += 1
    for bit in range(16):
        point(f"holding:{address}", BITS[bit] == "1", bit=bit)
    holding.append(SimData(address, values=encode(PY.INT16, value, "ABCD"), datatype=DataType.REGISTERS))
    for first, last in [(0, 3), (4, 10), (11, 15)]:
        expected = int(BITS[first : last + 1][::-1], 2)
        point(f"holding:{address + 1}", expected, type="uint16", bits=[first, last])
    holding.append(SimData(address + 1, values=encode(PY.INT16, value, "ABCD"), datatype=DataType.REGISTERS))
    inputs.append(SimData(0, values=everything, datatype=DataType.REGISTERS))
    for table, first, bits in [("coil", *COILS)] + [("discrete", *block) for block in DISCRETES]:
        for offset, bit in enumerate(bits):
            point(f"{table}:{first + offset}", bit)
    coils = [SimData(COILS[0], values=COILS[1], datatype=DataType.BITS)]
    discretes = [SimData(first, values=bits, datatype=DataType.BITS) for first, bits in DISCRETES]
    return points, (coils, discretes, holding, inputs)


def with_hole():
    nothing = [SimData(0, values=[False], datatype=DataType.BITS)]
    registers = [
        SimData(0, values=[10, 11, 12, 13], datatype=DataType.REGISTERS),
        SimData(5, values=[15, 16], datatype=DataType.REGISTERS),
    ]
    return (nothing, list(nothing), registers, [SimData(0, values=[0], datatype=DataType.REGISTERS)])


def say(**line):
    print(json.dumps(line), flush=True)


def note(sending, pdu):
    if not sending:
        say(request=[pdu.dev_id, pdu.function_code, pdu.address, pdu.count])
    elif pdu.dev_id == 10:
        pdu.exception_code = ExcCodes.GATEWAY_NO_RESPONSE
    return pdu


async def main():
    points, unit_1 = tables()
    say(points=points)
    devices = [SimDevice(1, simdata=unit_1), SimDevice(2, simdata=with_hole())]
    arguments = sys.argv[1:]
    if arguments[:1] == ["--serial"]:
        # On a line nobody answers for a unit that is not there.
        server = ModbusSerialServer(
            devices, port=arguments[1], baudrate=9600, ignore_missing_devices=True, trace_pdu=note
        )
        await server.serve_forever(background=True)
        say(port=0)
    else:
        rtu = arguments[:1] == ["--rtu"]
        port = int((arguments[rtu:] or [0])[0])
        framer = FramerType.RTU if rtu else FramerType.SOCKET
        server = ModbusTcpServer(
            devices, framer=framer, address=("127.0.0.1", port), ignore_missing_devices=rtu, trace_pdu=note
        )
        await server.serve_forever(background=True)
        say(port=server.transport.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


asyncio.run(main())
