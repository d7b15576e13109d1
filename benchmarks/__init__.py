"""Everything that is measured, in folders by question.

``accuracy``: does a system name the right recording? ``calibration``: are scores and
likelihood ratios what they say? ``speed``: how fast and how large? ``stores``: does a
database lose anything, how much does it take and how much work is it? ``unet``: the
experiments of the U-Net paper.

Shared: ``sampling`` (clips and seeded draws), ``metrics`` (figures of merit), ``tables``
and ``plots`` (how they are shown), ``terminal`` (options and progress). Raw results
are kept where measuring is long, and every table and figure is made from them.
"""
