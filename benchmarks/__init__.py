"""Benchmarks: our channels beside their peers, in one run, in alternating rounds.

``python -m benchmarks`` (or ``make bench``) runs every module of `experiments` against every module of
`peers`; ``--help`` lists the options. Figures of different runs or machines are not comparable, the
ratios within one run are: that is why the peers are measured again each time.

To add a row, add one file:

* a peer that passes messages from one process to another: a module in `peers` with ``peers()``;
* another question (a payload, slices, what kills do): a module in `experiments` with ``experiments()``.
"""
