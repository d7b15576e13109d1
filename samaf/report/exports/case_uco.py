"""A report as CASE/UCO JSON-LD, the exchange format of digital investigations.

Cyber-investigation Analysis Standard Expression (CASE 1.4, UCO 1.4): each item is a file with its
hash, the examination is an investigative action, each match is a relationship of two files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from samaf.report.examined import Examined, Found, Stored
from samaf.report.record import Examination

KNOWLEDGE_BASE = "http://example.org/kb/"
CONTEXT = {
    "kb": KNOWLEDGE_BASE,
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Node = dict[str, Any]


def case_uco(record: Examination) -> str:
    """Write a record as CASE/UCO JSON-LD; the same record gives the same text."""
    graph = list(_nodes(record))
    return json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1) + "\n"


def _nodes(record: Examination) -> Iterator[Node]:
    clips = {
        clip.item.sha256: _file(clip.item.sha256, clip.item.name, clip.item.bytes)
        for clip in record.clips
        if clip.item
    }
    recordings = {
        found.recording.sha256: found.recording for clip in record.clips for found in clip.matches
    }
    yield from clips.values()
    for digest, recording in recordings.items():
        if digest not in clips:
            yield _recording(recording)
    relations = [
        _relation(clip, found) for clip in record.clips for found in clip.matches if clip.item
    ]
    yield from relations
    tool = {
        "@id": _id("tool", f"{record.program.samaf} {record.model.digest}"),
        "@type": "uco-tool:Tool",
        "uco-core:name": "samaf",
        "uco-tool:version": record.program.samaf,
        "uco-core:description": f"model {record.model.name} {record.model.digest}",
    }
    yield tool
    action: Node = {
        "@id": _id("investigative-action", record.command + record.made_at + record.store.store_id),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": record.case.title or "Search by audio fingerprints",
        "uco-core:description": record.command,
        "uco-action:instrument": {"@id": tool["@id"]},
        "uco-action:object": [{"@id": node["@id"]} for node in clips.values()],
        "uco-action:result": [{"@id": node["@id"]} for node in relations],
    }
    if record.made_at:
        action["uco-action:endTime"] = _typed("xsd:dateTime", record.made_at)
    yield action


def _recording(recording: Stored) -> Node:
    return _file(recording.sha256, recording.name, None)


def _file(sha256: str, name: str, size: int | None) -> Node:
    about: Node = {
        "@id": _id("file-facet", sha256),
        "@type": "uco-observable:FileFacet",
        "uco-observable:fileName": name,
    }
    if size is not None:
        about["uco-observable:sizeInBytes"] = size
    digest = {
        "@id": _id("hash", sha256),
        "@type": "uco-types:Hash",
        "uco-types:hashMethod": "SHA256",
        "uco-types:hashValue": _typed("xsd:hexBinary", sha256),
    }
    content = {
        "@id": _id("content-data-facet", sha256),
        "@type": "uco-observable:ContentDataFacet",
        "uco-observable:hash": [digest],
    }
    return {
        "@id": _id("file", sha256),
        "@type": "uco-observable:File",
        "uco-core:hasFacet": [about, content],
    }


def _relation(clip: Examined, found: Found) -> Node:
    assert clip.item is not None
    words = (
        f"{found.query_start:.3f} s to {found.query_stop:.3f} s of the first file agree with "
        f"{found.reference_start:.3f} s to {found.reference_stop:.3f} s of the second; bit error "
        f"rate {found.ber:.4f}, score {found.score:.2f}"
    )
    key = f"{clip.item.sha256} {found.recording.sha256} {words}"
    return {
        "@id": _id("relationship", key),
        "@type": "uco-observable:ObservableRelationship",
        "uco-core:source": {"@id": _id("file", clip.item.sha256)},
        "uco-core:target": {"@id": _id("file", found.recording.sha256)},
        "uco-core:kindOfRelationship": "Contains_Copy_Of_Sound_In",
        "uco-core:isDirectional": _typed("xsd:boolean", "true"),
        "uco-core:description": words,
    }


def _id(kind: str, key: str) -> str:
    return f"kb:{kind}-{uuid5(NAMESPACE_URL, f'{KNOWLEDGE_BASE}{kind}/{key}')}"


def _typed(kind: str, value: str) -> Node:
    return {"@type": kind, "@value": value}
