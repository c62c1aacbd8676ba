"""A login by SPNEGO with NTLM in it over plain SMTP, by MIT's SPNEGO and gss-ntlmssp: prints what was said, and how.

Arguments: port, mechanism, user, password. The context must be complete for the client too: it has seen the server's
signature of what was agreed on.
"""

import base64
import socket
import sys

import gssapi

port, mechanism, user, password = sys.argv[1:]
SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")

wire = socket.create_connection(("127.0.0.1", int(port))).makefile("rwb")


def reply():
    while True:
        line = wire.readline().decode("latin1")
        if line[3:4] != "-":
            return line.rstrip("\r\n")


def say(text):
    wire.write(text.encode() + b"\r\n")
    wire.flush()
    return reply()


def encode(octets):
    return base64.b64encode(octets or b"").decode()


def decode(answer):
    return base64.b64decode(answer[4:])


name = gssapi.Name(user, gssapi.NameType.user)
got = gssapi.raw.acquire_cred_with_password(name, password.encode(), mechs=[SPNEGO], usage="initiate")
context = gssapi.SecurityContext(
    name=gssapi.Name("smtp@localhost", gssapi.NameType.hostbased_service),
    creds=gssapi.Credentials(base=got.creds),
    mech=SPNEGO,
    usage="initiate",
    flags=gssapi.RequirementFlag.integrity,
)
reply()
say("EHLO client.test")
answer = say(f"AUTH {mechanism} {encode(context.step())}")
while answer.startswith("334") and not context.complete:
    answer = say(encode(context.step(decode(answer))))
print(answer)
print("complete" if context.complete else "not complete", context.mech)
