"""The U-Net paper's experiments, redone on the corpus.

``searching``: which song holds a clip (section 4.4). ``relational``: tables of a database
against the index (section 3.7.2.1), over made-up ``songs``. ``reconstruction``: what the
decoder rebuilds (sections 4.2 and 4.3).
"""
