"""The store on three MySQL servers in a replicating group, whose primary is ended while it is
written to.

Group replication answers a commit when most members have it, and the members elect another
primary. What a command reported as stored must be there, and the same command must finish the
work on it.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pymysql

from benchmarks.errors import BenchmarkError
from benchmarks.stores.mysql import MysqlServer
from benchmarks.stores.torture import VERBS, Child, Place, Tally, duration, faults
from samaf.store import Store

MEMBERS = 3
ELECTION = 120  # s, the longest that one may take
GROUP = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
PRIMARY = (
    "SELECT member_port FROM performance_schema.replication_group_members "
    "WHERE member_role = 'PRIMARY' AND member_state = 'ONLINE'"
)
ONLINE = (
    "SELECT count(*) FROM performance_schema.replication_group_members "
    "WHERE member_state = 'ONLINE'"
)


class Member(MysqlServer):
    """One server of the group.

    Parameters
    ----------
    port
        For clients.
    own, seeds
        Address for the other members, and those of all.
    """

    def __init__(self, port: int, own: str, seeds: Sequence[str]) -> None:
        self.port = port
        settings = {
            "group-name": GROUP,
            "local-address": own,
            "group-seeds": ",".join(seeds),
            "ip-allowlist": "127.0.0.1",
            "recovery-get-public-key": "ON",
            "start-on-boot": "OFF",
            "ssl-mode": "DISABLED",
            "recovery-use-ssl": "OFF",
        }
        super().__init__(
            f"--server-id={port}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            "--report-host=127.0.0.1",
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--performance-schema=ON",
            "--plugin-load-add=group_replication.so",
            *(f"--loose-group-replication-{name}={value}" for name, value in settings.items()),
        )
        self.execute(
            "SET SQL_LOG_BIN = 0",
            "CREATE USER copier IDENTIFIED BY 'secret'",
            "GRANT REPLICATION SLAVE, GROUP_REPLICATION_STREAM ON *.* TO copier",
            "SET SQL_LOG_BIN = 1",
            "CHANGE REPLICATION SOURCE TO SOURCE_USER = 'copier', SOURCE_PASSWORD = 'secret' "
            "FOR CHANNEL 'group_replication_recovery'",
        )

    def join(self, first: bool = False) -> None:
        """Become a member; the first makes the group."""
        self.execute(
            f"SET GLOBAL group_replication_bootstrap_group = {'ON' if first else 'OFF'}",
            "START GROUP_REPLICATION",
            "SET GLOBAL group_replication_bootstrap_group = OFF",
        )

    def value(self, statement: str) -> int:
        """Give the one number that a statement gives; 0 for none."""
        connection = pymysql.connect(unix_socket=str(self.socket), user="root")
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
        return int(row[0]) if row else 0


class Group:
    """Three members, one of which takes writes."""

    def __init__(self) -> None:
        ports = _free_ports(2 * MEMBERS)
        addresses = [f"127.0.0.1:{port}" for port in ports[MEMBERS:]]
        self.members: list[Member] = []
        try:
            for port, own in zip(ports[:MEMBERS], addresses, strict=True):
                self.members.append(Member(port, own, addresses))
                self.members[-1].join(first=len(self.members) == 1)
            self._wait(MEMBERS)
        except BaseException:
            self.remove()
            raise

    def primary(self, without: Member | None = None) -> Member:
        """Give the member that takes writes, as the others see it, when there is one."""
        observer = next(member for member in self.members if member is not without)
        for _ in _patiently("no primary was elected"):
            port = observer.value(PRIMARY)
            for member in self.members:
                if member.port == port and member is not without:
                    return member
        raise AssertionError

    def restart(self, member: Member) -> None:
        """Bring a member that was ended back."""
        member.start()
        member.join()
        self._wait(MEMBERS)

    def _wait(self, members: int) -> None:
        for _ in _patiently("not all members are online"):
            if all(member.value(ONLINE) == members for member in self.members):
                return

    def remove(self) -> None:
        """End all members and remove their folders."""
        for member in self.members:
            member.remove()


def _patiently(reason: str) -> Iterator[None]:
    end = time.monotonic() + ELECTION
    while time.monotonic() < end:
        yield
        time.sleep(0.2)
    raise BenchmarkError(f"replication: {reason} within {ELECTION} s")


def _free_ports(number: int) -> list[int]:
    with ExitStack() as probes:
        bound = [probes.enter_context(socket.socket()) for _ in range(number)]
        for probe in bound:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in bound]


@contextmanager
def _group() -> Iterator[Group]:
    group = Group()
    try:
        yield group
    finally:
        group.remove()


def replication(kills: int, seed: int) -> Tally:
    """End the primary at random moments while a process adds; see the module.

    Raises
    ------
    BenchmarkError
        No MySQL server is unpacked, or no primary was elected.
    """
    if not MysqlServer.is_installed():
        raise BenchmarkError(f"replication: {MysqlServer.ABSENT}")
    chance, add, amid = random.Random(seed), VERBS[0], 0
    failures: list[str] = []
    with _group() as group, TemporaryDirectory(prefix="samaf-group-") as folder:
        longest = duration(add, group.primary().database)
        for number in range(kills):
            primary, database = group.primary(), f"trial_{number}"
            primary.execute(f"CREATE DATABASE {database}")
            Store.open(primary.url(database)).close()
            child = Child(add, Place(primary.url(database), Path(folder)))
            time.sleep(chance.uniform(0, longest))
            primary.kill()
            successor = group.primary(without=primary)
            child.kill()  # it waits for the primary to come back
            said, ended = child.end()
            amid += not ended
            failures += faults(add, Place(successor.url(database), Path(folder)), said)
            group.restart(primary)
            if failures:
                break
    return Tally("mysql", "primary of a group", kills, amid, tuple(failures))
