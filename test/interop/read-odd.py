"""Reads messages by Python's email package: a JSON line {"kind", "octets" (latin1)} in, one out. Never fails."""
import email
import email.header
import email.policy
import email.utils
import json
import sys


def tree(part):
    """Types with what is within; defects anywhere are told."""
    # Python takes all up to a semicolon for the type, were it a sentence.
    kind = part.get_content_type().split()[0]
    if part.is_multipart():
        return [kind, [tree(child) for child in part.get_payload()]]
    return [kind, []]


def defects(part):
    return [type(defect).__name__ for each in part.walk() for defect in each.defects]


def words(text):
    return str(email.header.make_header(email.header.decode_header(text)))


def answer(kind, octets):
    if kind == "words":
        return words(octets)
    if kind == "addresses":
        return [address for _, address in email.utils.getaddresses([octets]) if address]
    message = email.message_from_bytes(octets.encode("latin1"))
    return {
        "tree": tree(message),
        "defects": defects(message),
        "names": [name.lower() for name in message.keys()],
    }


for line in sys.stdin:
    asked = json.loads(line)
    try:
        told = {"told": answer(asked["kind"], asked["octets"])}
    except Exception as error:
        told = {"failed": type(error).__name__}
    print(json.dumps(told), flush=True)
