"""samaf tells which stored recording a short, damaged clip of speech comes from.

The verbs and `Engine` are listed in ``__init__.pyi``; each is imported when it is first used, so
that ``samaf --help`` does without NumPy.

>>> import samaf
>>> with samaf.open("evidence.db") as engine:  # doctest: +SKIP
...     for result in engine.add("recordings/"):
...         print(result.path, result.status)
...     print(engine.query("clip.wav").matches)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
