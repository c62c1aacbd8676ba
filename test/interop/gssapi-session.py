"""A login by GSSAPI or GSS-SPNEGO over plain SMTP, step by step, with the system's library: prints the last reply.

Arguments: port, mechanism, form (krb5 or spnego), service@host, authzid, layer (a number), size (a number).
"""

import base64
import socket
import sys

import gssapi

port, mechanism, form, target, authzid, layer, size = sys.argv[1:]
OIDS = {"krb5": "1.2.840.113554.1.2.2", "spnego": "1.3.6.1.5.5.2"}

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


name = gssapi.Name(target, gssapi.NameType.hostbased_service)
context = gssapi.SecurityContext(
    name=name,
    mech=gssapi.OID.from_int_seq(OIDS[form]),
    usage="initiate",
    flags=gssapi.RequirementFlag.mutual_authentication | gssapi.RequirementFlag.integrity,
)
reply()
say("EHLO client.test")
answer = say(f"AUTH {mechanism} {encode(context.step())}")
while answer.startswith("334") and not context.complete:
    answer = say(encode(context.step(decode(answer))))
if answer.startswith("334") and form == "krb5":
    offer = context.unwrap(decode(answer)).message
    assert offer == b"\x01\x00\x00\x00", offer
    choice = bytes([int(layer)]) + int(size).to_bytes(3, "big") + authzid.encode()
    answer = say(encode(context.wrap(choice, False).message))
elif answer.startswith("334"):
    answer = say("")
print(answer)
