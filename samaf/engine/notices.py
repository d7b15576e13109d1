"""What somebody who relies on a sound must know of its decoding, as warnings."""

from __future__ import annotations

import logging

from samaf.media import MediaInfo

_log = logging.getLogger(__name__)


def notice(name: str, media: MediaInfo | None) -> None:
    """Log the warnings about a file: its track, its channels, what could not be decoded."""
    for warning in media.warnings() if media else ():
        _log.warning("%s: %s", name, warning)
