"""Everything that is measured, in folders by question.

``accuracy``: does a system name the right recording? ``field``: what does the program say of
clips as cases bring them? ``verification``: do signals tell right from wrong candidates?
``calibration``: are scores and likelihood ratios what they say? ``cluster``: the search in
ClickHouse against the exact one. ``shared``: recorders of one event, repeats, overlaps.
``streams``: monitors over days. ``serve``: the page. ``speed``: how fast and how large?
``stores``: does a database lose anything, how much does it take and how much work is it?
``unet``: the experiments of the U-Net paper.

Shared: ``sampling`` (clips and seeded draws), ``surroundings`` (sounds that are laid over
clips), ``metrics`` (figures of merit), ``tables``
and ``plots`` (how they are shown), ``terminal`` (options and progress). Raw results
are kept where measuring is long, and every table and figure is made from them.
"""
