"""IMAP under COMPRESS=DEFLATE by Python's zlib; for imap.interop.ts.

Arguments: imaps port, CA file, user, password. INBOX holds three messages.
"""
import imaplib
import ssl
import sys
import zlib

port, ca, user, password = sys.argv[1:]
imap = imaplib.IMAP4_SSL("localhost", int(port), ssl_context=ssl.create_default_context(cafile=ca))
imap.login(user, password)
imaplib.Commands["COMPRESS"] = ("AUTH",)
assert imap._simple_command("COMPRESS", "DEFLATE")[0] == "OK"
plain = imap.sock


class Deflated:
    """The socket and its file in one, as imaplib uses them."""

    def __init__(self):
        self.out = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.come = zlib.decompressobj(-15)
        self.buffer = b""

    def sendall(self, octets):
        plain.sendall(self.out.compress(octets) + self.out.flush(zlib.Z_SYNC_FLUSH))

    def more(self):
        octets = plain.recv(4096)
        assert octets, "closed"
        self.buffer += self.come.decompress(octets)

    def read(self, size):
        while len(self.buffer) < size:
            self.more()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def readline(self, most=-1):
        while b"\n" not in self.buffer:
            self.more()
        return self.read(self.buffer.index(b"\n") + 1)

    def __getattr__(self, name):
        return getattr(plain, name)


deflated = Deflated()
imap.send = deflated.sendall
imap.read = deflated.read
imap.readline = deflated.readline
assert imap.select("INBOX") == ("OK", [b"3"])
letter = b"Subject: long\r\n\r\n" + b"all work and no play\r\n" * 20_000
assert imap.append("INBOX", None, None, letter)[0] == "OK"
for _ in range(20):
    kind, parts = imap.fetch("4", "(BODY.PEEK[])")
    assert kind == "OK" and parts[0][1] == letter, (kind, len(parts[0][1]))
imap.store("4", "+FLAGS", r"(\Deleted)")
assert imap.expunge()[0] == "OK"
imap.logout()
print("all was as it should be")
