"""Pictures of a report, each for one question, as SVG: the same values give the same bytes.

Colours are those of Okabe and Ito, which colour-blind people tell apart; lines also differ in
style, so that they do in grey.
"""
