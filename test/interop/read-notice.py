"""Reads a notice by Python's email package, asserts its form (RFC 3464, RFC 3462) and prints it.

For notice.interop.ts; the message comes on standard input.
"""
import email
import json
import re
import sys
from email.policy import default
from email.utils import parsedate_to_datetime

message = email.message_from_bytes(sys.stdin.buffer.read(), policy=default)
assert not message.defects, message.defects
assert message["Return-Path"] == "<>", message["Return-Path"]
assert message["Auto-Submitted"] in ("auto-replied", "auto-generated")
assert message["From"] and message["To"] and message["Date"] and message["Message-ID"]
assert message.get_content_type() == "multipart/report"
assert message["Content-Type"].params["report-type"] == "delivery-status"
text, status, third = message.get_payload()
for part in message.walk():
    assert not part.defects, part.defects
assert text.get_content_type() == "text/plain" and text.get_content().strip()
assert status.get_content_type() == "message/delivery-status"
assert third.get_content_type() in ("message/rfc822", "text/rfc822-headers")
about, *recipients = status.get_payload()
recipients = [fields for fields in recipients if fields.keys()]
assert re.fullmatch(r"dns; *\S+", about["Reporting-MTA"])
if about["Arrival-Date"]:
    parsedate_to_datetime(about["Arrival-Date"])
assert recipients
for fields in recipients:
    for name in ("Final-Recipient", "Action", "Status"):
        assert len(fields.get_all(name)) == 1, name
    assert fields["Action"] in ("failed", "delayed", "delivered", "relayed", "expanded")
    assert re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", fields["Status"])
    for name in ("Last-Attempt-Date", "Will-Retry-Until"):
        if fields[name]:
            parsedate_to_datetime(fields[name])
    if fields["Diagnostic-Code"]:
        assert re.match(r"[\w-]+;", fields["Diagnostic-Code"])
    if fields["Remote-MTA"]:
        assert re.fullmatch(r"dns; *\S+", fields["Remote-MTA"])
fields = recipients[0]
if third.get_content_type() == "message/rfc822":
    original = third.get_payload()[0]
    whole = "Hello" in original.get_payload()
else:
    original = email.message_from_string(third.get_payload())
    whole = "Hello" in third.get_payload()
assert original["Subject"] == "letter", original.as_string()
json.dump({
    "action": fields["Action"],
    "status": fields["Status"],
    "final": fields["Final-Recipient"],
    "original": fields["Original-Recipient"],
    "envelope": about["Original-Envelope-Id"],
    "third": third.get_content_type(),
    "whole": whole,
    "finals": [each["Final-Recipient"] for each in recipients],
    "from": str(message["From"]),
    "subject": str(message["Subject"]),
    "text": text.get_content(),
    "fields": [name.lower() for name in fields.keys()],
}, sys.stdout)
