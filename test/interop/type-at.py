"""Types at a program that wants a terminal; for imap-clients.interop.ts.

Arguments: a JSON list of [what to wait for, what to type then], then the program and its arguments. What the
program shows is printed. Ends with its code, or with 124 where what is waited for does not come.
"""
import json
import os
import pty
import re
import select
import sys
import time

script, argv = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(argv[0], argv)

shown = b""


def hear(seconds):
    """Some output, or none: False once there is no more."""
    global shown
    ready, _, _ = select.select([terminal], [], [], seconds)
    if not ready:
        return True
    try:
        octets = os.read(terminal, 65536)
    except OSError:
        return False
    shown += octets
    sys.stdout.buffer.write(octets)
    return octets != b""


def give_up(why):
    os.kill(child, 9)
    sys.exit(f"\n{why}")


seen = 0
for wanted, keys in script:
    end = time.time() + 20
    while True:
        found = re.search(wanted.encode(), shown[seen:])
        if found:
            break
        if time.time() > end or not hear(0.2):
            give_up(f"not shown: {wanted}")
    seen += found.end()
    # Programs empty their input when they open a prompt.
    time.sleep(0.3)
    os.write(terminal, keys.encode())

end = time.time() + 20
while hear(0.2):
    if time.time() > end:
        give_up("it does not end")
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
