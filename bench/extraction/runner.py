"""Runs one command, its output into a file, and prints what it cost. A process of its own, because
the kernel counts the memory of whoever starts a program as the program's."""

import json
import os
import subprocess
import sys

_, output, *command = sys.argv
with open(output, "wb") as file:
    process = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
print(json.dumps({"code": os.waitstatus_to_exitcode(status),
                  "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}))
