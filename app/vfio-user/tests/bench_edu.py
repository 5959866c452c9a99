#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Benchmark: dpdk-vfio-user, whose path is the first argument, measures a device that it serves in
another process. Both share one processor, which is the steadiest setting."""

import json
import os
import subprocess
import sys
import tempfile

# What is wanted: the most, times what a figure is compared with.
MOST = {
    "read of 4 bytes": 1.10,
    "write of 4 bytes": 1.10,
    "read of 64 KiB": 1.15,
    "write of 64 KiB": 1.15,
    "map and unmap beside 1": 2.6,
    "map and unmap beside 1024": 2.6,
    "map and unmap beside 60000": 2.6,
    "1000 maps at once": 1 / 3,
    "1000 maps of files at once": 1 / 3,
    "posted write of 4 bytes": 1 / 0.6,
}


def line(figure):
    most = MOST[figure["name"]]
    return (f"{figure['name']}: {figure['us']:.2f} us, {figure['beside']} "
            f"{figure['beside_us']:.2f} us: {figure['ratio']:.2f}x (at most {most:.2f}x wanted)"
            f"{'' if figure['ratio'] <= most else ' MISSED'}")


def bench(tool, path, *args):
    output = subprocess.run([tool, "bench", path, "--json", *args], check=True,
                            stdout=subprocess.PIPE).stdout
    return [f for f in json.loads(output)["figures"] if "skipped" not in f]


def measure(tool, path):
    figures = {f["name"]: f for f in bench(tool, path, "--region", "2", "--destructive")}
    # what is small is measured where it does no harm to any device
    figures.update({f["name"]: f for f in bench(tool, path)})
    for figure in figures.values():
        print(line(figure))


def main(tool):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "edu.sock")
        with subprocess.Popen([tool, "serve", "edu", "--socket-path", path],
                              stdout=subprocess.PIPE, text=True) as server:
            server.stdout.readline()
            try:
                measure(tool, path)
            finally:
                server.terminate()


if __name__ == "__main__":
    main(sys.argv[1])
