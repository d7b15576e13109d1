"""Metrics as Prometheus reads them."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from samaf.cli.delivery import DailyFiles, Delivery
from samaf.cli.metrics import served
from samaf.errors import SamafError
from samaf.events import StreamStatus


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def scraped(port: int) -> dict[tuple[str, ...], float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
        }


def test_all_values_of_all_streams(tmp_path: Path) -> None:
    port = free_port()
    files = Delivery(DailyFiles(tmp_path))
    with served(port, [files]) as collector:
        assert ("samaf_stream_connected",) not in scraped(port)
        collector.update(StreamStatus("old", False, 0, 0, 0, 0, 0))
        collector.update(StreamStatus('an "odd" name\n', True, 60.5, 2, 1, 7.5, 0.25))
        collector.update(StreamStatus("old", False, 9, 0, 3, 100, 0))
        files.put({})
        files.finish()
        values = scraped(port)
    odd = 'an "odd" name\n'
    assert values[("samaf_stream_connected", odd)] == 1
    assert values[("samaf_stream_sound_seconds_total", odd)] == 60.5
    assert values[("samaf_stream_matches_total", odd)] == 2
    assert values[("samaf_stream_gaps_total", "old")] == 3
    assert values[("samaf_stream_gap_seconds_total", "old")] == 100
    assert values[("samaf_stream_lag_seconds", odd)] == 0.25
    assert values[("samaf_delivery_delivered_total", str(tmp_path))] == 1
    assert values[("samaf_delivery_waiting", str(tmp_path))] == 0
    assert values[("process_resident_memory_bytes",)] > 1e6
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{port}/metrics")


def test_other_machines_are_not_served_and_a_taken_port_is_one_line() -> None:
    port = free_port()
    with served(port, []):
        line = f"--metrics {port}: .*choose another port"
        with pytest.raises(SamafError, match=line) as caught, served(port, []):
            pass
        assert "\n" not in str(caught.value)
        with open("/proc/net/tcp") as table:
            listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening
