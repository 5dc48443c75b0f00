#!/usr/bin/env python3
"""A mail relay by aiosmtpd that is not always in the mood.

    smtp_server.py                         no TLS
    smtp_server.py starttls CERT KEY       TLS by STARTTLS, which it asks for before anything else
    smtp_server.py smtps CERT KEY          TLS before the first word
    smtp_server.py --moody ...             puts off every third reader (451) and drops every fifth mail that it
                                           has taken before it says so
    smtp_server.py --full FILE ...         puts off (452) every reader of the addresses in FILE, as long as it is there
    smtp_server.py --login USER PASSWORD ...

Readers whose name begins with "refused" are refused for good (550). Prints JSON lines: first {"port": N}, then
each mail that it took: {"mail": {...}} with its envelope, its head and its decoded body. Ends by a signal.
"""

import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

ARGUMENTS = sys.argv[1:]


def say(**what):
    print(json.dumps(what), flush=True)


class Relay:
    def __init__(self, moody, full):
        self.moody = moody
        self.full = full
        self.readers = 0
        self.mails = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 nobody of that name here"
        if self.full.is_file() and address in self.full.read_text():
            return "452 4.2.2 box full"
        self.readers += 1
        if self.moody and self.readers % 3 == 0:
            return "451 4.3.0 not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(
            mail={
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "encrypted": session.ssl is not None,
                "authenticated": bool(session.authenticated),
                "ascii": envelope.content.isascii(),
                "head": {name: str(value) for name, value in mail.items()},
                "body": mail.get_content(),
            }
        )
        self.mails += 1
        if self.moody and self.mails % 5 == 0:
            server.transport.abort()
        return "250 taken"


def authenticator(user, password):
    def check(server, session, envelope, mechanism, data):
        good = data.login == user.encode() and data.password == password.encode()
        return AuthResult(success=good)

    return check


async def main():
    arguments = list(ARGUMENTS)
    moody = "--moody" in arguments
    if moody:
        arguments.remove("--moody")
    full = pathlib.Path()
    if "--full" in arguments:
        at = arguments.index("--full")
        full = pathlib.Path(arguments[at + 1])
        del arguments[at : at + 2]
    options = {}
    if "--login" in arguments:
        at = arguments.index("--login")
        _, user, password = arguments[at : at + 3]
        del arguments[at : at + 3]
        options["authenticator"] = authenticator(user, password)
        options["auth_required"] = True
    listening = None
    if arguments:
        kind, certificate, key = arguments
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if kind == "starttls":
            options["tls_context"] = context
            options["require_starttls"] = True
        else:
            listening = context
            options["auth_require_tls"] = False
    relay = Relay(moody, full)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(relay, hostname="relay.test", **options), "127.0.0.1", 0, ssl=listening
    )
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
