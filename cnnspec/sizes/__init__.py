"""Arithmetic with sizes that are left open: every answer holds for all of them.

What layers do to the size h of one axis is made of sums, multiples, whole divisions and remainders. Such functions are
quasi-periodic: there are a start T, a period P and a rise k with f(h + P) = f(h) + k for all h > T (`steps`). Hence
whatever is asked of one of them holds for a set of sizes that repeats itself too (`sets`). A number that carries such a
function (`number`) goes through the ordinary code of layers and expressions; where that compares it and the answer is
not the same for all sizes, the sizes are split, and each part is gone through alone (`cases`). So the parts cover all
sizes, no size is in two of them, and within one everything happens alike: no size is tried, and none is left out.
"""
