"""Does a system name the right recording? All systems over the same clips by the same rules.

``transformations`` says what clips go through, ``query_sets`` makes and keeps them.
``protocol`` says what a system is, ``systems`` holds those under test. ``run_all`` gives each
a process, ``stages`` says what it is queried with, ``distractors`` fills its store,
``query_systems`` queries, ``bits`` compares hashes, ``results`` keeps the raw answers.
``report`` judges them; ``tables`` and ``figures`` put them beside what is ``published``.
``longrun`` looks for altered excerpts in an hour of sound.
"""
