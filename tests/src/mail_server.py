"""A real mail server (aiosmtpd) over TLS, with an account; each mail that it takes becomes a file.

mail_server.py FOLDER HOST PORT MODE CERTIFICATE KEY [USER PASSWORD]. MODE is wrapper, starttls or plain (no TLS at all).
FOLDER/said has a line for each connection, login and address; who begins with "nobody" gets 550, with "later" 451, and with
"waits" no answer before there is FOLDER/go.
"""

import asyncio
import json
import os
import signal
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

folder, host, port, mode, certificate, key = sys.argv[1:7]
account = tuple(word.encode() for word in sys.argv[7:9])
lock = threading.Lock()


def say(what):
    with lock, open(f"{folder}/said", "a", encoding="utf-8") as said:
        said.write(what + "\n")


class Taker:
    count = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        say("ehlo")
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        say(f"rcpt {address}")
        if address.startswith("nobody"):
            return f"550 5.1.1 <{address}>: unknown"
        if address.startswith("later"):
            return "451 4.3.0 later"
        while address.startswith("waits") and not os.path.exists(f"{folder}/go"):
            await asyncio.sleep(0.02)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Taker.count += 1
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None or mode == "wrapper",
            "account": bool(session.authenticated),
            "text": envelope.content.decode("ascii"),
        }
        with open(f"{folder}/part", "w", encoding="utf-8") as part:
            json.dump(mail, part)
        os.rename(f"{folder}/part", f"{folder}/{Taker.count:04}-{os.getpid()}.mail")
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == account
    say(f"auth {'good' if good else 'wrong'}")
    return AuthResult(success=good)


class Server(Controller):
    def factory(self):
        more = {}
        if account:
            more = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": mode == "starttls"}
        if mode == "starttls":
            more.update(tls_context=context(), require_starttls=True)
        return SMTP(self.handler, **more)


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    return made


over = context() if mode == "wrapper" else None
server = Server(Taker(), hostname=host, port=int(port), ssl_context=over, ready_timeout=60)
server.start()
say("ready")
signal.sigwait({signal.SIGTERM, signal.SIGINT})
server.stop()
