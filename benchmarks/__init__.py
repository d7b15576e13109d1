"""Everything that is measured: all systems over the same clips by the same rules.

``transformations`` and ``conditions`` say what clips suffer, ``selection`` which, and
``preparation`` makes and keeps them. ``recognizers`` wraps the systems under test.
``campaign`` gives each a process, ``measuring`` says what it is asked, ``scale`` fills its
store, ``runs`` asks, ``results`` keeps the raw answers. ``evaluation``, ``metrics`` and
``findings`` judge them; ``tables`` and ``figures`` put them beside what is ``published``.
"""
