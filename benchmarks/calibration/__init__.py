"""Are scores and likelihood ratios what they say? Fitted and checked on held-out speakers.

``probes`` hashes the clips that are queried, ``trials`` and ``deep`` query with and without
their recording, ``fitting`` fits, ``validation`` checks, ``report`` shows.
"""
