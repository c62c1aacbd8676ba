"""A whole life over IMAP by imaplib; for imap.interop.ts.

Arguments: imaps port, imap port, CA file, user, password. INBOX holds three messages.
"""
import imaplib
import ssl
import sys

implicit, starttls, ca, user, password = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)


def good(answer):
    kind, data = answer
    assert kind == "OK", answer
    return data


clear = imaplib.IMAP4("localhost", int(starttls))
try:
    clear.login(user, password)
    sys.exit("a password was taken in the clear")
except imaplib.IMAP4.error:
    pass
good(clear.starttls(context))
good(clear.login(user, password))
clear.logout()

imap = imaplib.IMAP4_SSL("localhost", int(implicit), ssl_context=context)
good(imap.login(user, password))
assert good(imap.select("INBOX")) == [b"3"]
assert good(imap.search(None, "UNSEEN")) == [b"1 2 3"]
assert good(imap.search(None, "SUBJECT", '"letter 1"')) == [b"2"]
parts = good(imap.fetch("1", "(FLAGS ENVELOPE BODYSTRUCTURE BODY[])"))
assert parts[0][1].endswith(b"\r\n\r\nHello\r\n"), parts
assert b"\\Seen" in good(imap.fetch("1", "(FLAGS)"))[0]
good(imap.create("Work"))
good(imap.append("Work", r"(\Flagged)", '"17-Jul-1996 02:44:25 -0700"', b"Subject: a\r\n\r\nb\r\n"))
good(imap.copy("2", "Work"))
good(imap.uid("MOVE", "3", "Work"))
assert good(imap.status("Work", "(MESSAGES UNSEEN)")) == [b'"Work" (MESSAGES 3 UNSEEN 3)']
good(imap.store("1", "+FLAGS", r"(\Deleted)"))
assert good(imap.expunge())[-1] == b"1"
assert good(imap.select("Work")) == [b"3"]
dates = good(imap.fetch("1", "(INTERNALDATE FLAGS)"))[0]
assert b"17-Jul-1996 09:44:25 +0000" in dates and b"\\Flagged" in dates, dates
good(imap.close())
good(imap.rename("Work", "Play"))
assert any(b'"Play"' in line for line in good(imap.list()))
good(imap.delete("Play"))
imap.logout()
print("all was as it should be")
