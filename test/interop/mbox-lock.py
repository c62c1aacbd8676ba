"""Appends messages to an mbox under a lock of fcntl(2) alone, as programs do that know no lock files."""
import fcntl
import os
import sys
import time

path, count = sys.argv[1], int(sys.argv[2])
for n in range(count):
    with open(path, "ab") as box:
        fcntl.lockf(box, fcntl.LOCK_EX)
        # Where it ends may have moved while the lock was waited for.
        box.seek(0, os.SEEK_END)
        for part in (b"From python Thu Jan  1 00:00:00 2026\n", b"Subject: python %d\n" % n, b"\nx\n\n"):
            box.write(part)
            box.flush()
            time.sleep(0.002)
        fcntl.lockf(box, fcntl.LOCK_UN)
    time.sleep(0.001)
