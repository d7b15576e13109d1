"""The JSON schema of a report's record.

``python -m samaf.report.schema > docs/report-schema.json`` writes it again.
"""

from __future__ import annotations

import json

from samaf.report.record import FORMAT, Examination
from samaf.report.values import schema


def record_schema() -> str:
    """Write the schema as JSON text."""
    return json.dumps(schema(Examination, f"samaf examination, format {FORMAT}"), indent=1) + "\n"


if __name__ == "__main__":
    print(record_schema(), end="")
