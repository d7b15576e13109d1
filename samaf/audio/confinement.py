"""What a process that decodes may use: no other files, no network, bounded memory and time.

The limits of `limit` always hold. Those of `confine` depend on the kernel: a network and a user
of its own (namespaces), and Landlock, which takes all paths and connections away. Without any
of them a process still cannot open a file or a socket while it has the file that it decodes,
since it may have no more of them than that.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import struct

MEMORY_BYTES = 1 << 30  # of data; the longest index of a film takes some hundred MB
ADDRESS_BYTES = 4 << 30  # of addresses, most of which are libraries
CPU_SECONDS = 60  # and the time for its size
CPU_BYTES_PER_SECOND = 5000  # the slowest codecs decode ten times as many on a slow machine

NEW_USER, NEW_NET = 0x1000_0000, 0x4000_0000  # of unshare(2)
NO_NEW_PRIVILEGES = 38  # of prctl(2)
CREATE_RULESET, RESTRICT_SELF = 444, 446  # system calls, the same on all architectures
RULESET_VERSION = 1
# How many kinds of access to files each version of Landlock knows, from version 1 on.
FILE_ACCESS_KINDS = (13, 14, 15, 15, 16)
TCP_SINCE, SCOPE_SINCE = 4, 6
ALL_TCP, ALL_SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals


def cpu_seconds(size: int) -> int:
    """Give the processor time in s that decoding a file of ``size`` bytes may take."""
    return CPU_SECONDS + size // CPU_BYTES_PER_SECOND


def limit(files: int) -> None:
    """Limit this process: it can have no file or socket under a number of ``files`` or more."""
    for kind, most in (
        (resource.RLIMIT_DATA, MEMORY_BYTES),
        (resource.RLIMIT_AS, ADDRESS_BYTES),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _lower(kind, most, most)


def limit_time(size: int) -> None:
    """Give this process the time for a file of ``size`` bytes, from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + cpu_seconds(size)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    _lower(resource.RLIMIT_CPU, seconds, most)


def _lower(kind: int, soft: int, hard: int) -> None:
    _, present = resource.getrlimit(kind)
    if present != resource.RLIM_INFINITY:
        soft = min(soft, present)
        hard = present if hard == resource.RLIM_INFINITY else min(hard, present)
    resource.setrlimit(kind, (soft, hard))


def confine() -> tuple[str, ...]:
    """Take files and network from this process as far as the kernel can; tell what it could.

    Everything that is to be imported has to be imported, and there must be one thread.
    """
    library = ctypes.CDLL(None, use_errno=True)
    done = []
    if library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        done.append("no new privileges")
    if library.unshare(NEW_USER | NEW_NET) == 0:
        done.append("network namespace")
    if _landlock(library):
        done.append("landlock")
    return tuple(done)


def _landlock(library: ctypes.CDLL) -> bool:
    version = library.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), RULESET_VERSION)
    if version < 1:
        return False
    kinds = FILE_ACCESS_KINDS[min(version, len(FILE_ACCESS_KINDS)) - 1]
    rules = struct.pack("=Q", (1 << kinds) - 1)
    if version >= TCP_SINCE:
        rules += struct.pack("=Q", ALL_TCP)
    if version >= SCOPE_SINCE:
        rules += struct.pack("=Q", ALL_SCOPES)
    ruleset = library.syscall(CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    try:
        return bool(library.syscall(RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
