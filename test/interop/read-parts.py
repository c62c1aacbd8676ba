"""Reads a message by Python's email package and prints what it is made of, as JSON.

For convert.interop.ts; the message comes on standard input. Each leaf: its type, its charset, its
Content-Transfer-Encoding, and its decoded octets in hexadecimal. Any defect is an error.
"""
import email
import json
import sys
from email.policy import default

octets = sys.stdin.buffer.read()
message = email.message_from_bytes(octets, policy=default)
leaves = []
for part in message.walk():
    assert not part.defects, (part.get_content_type(), part.defects)
    if part.is_multipart():
        continue
    leaves.append(
        {
            "type": part.get_content_type(),
            "charset": part.get_content_charset(),
            "encoding": str(part["Content-Transfer-Encoding"] or "7bit").lower(),
            "octets": part.get_payload(decode=True).hex(),
        }
    )
print(json.dumps({"subject": str(message["Subject"]), "ascii": octets.isascii(), "leaves": leaves}))
