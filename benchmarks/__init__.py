"""Benchmarks: each module has ``run() -> {"name", "rows", "aims"}``; ``python -m benchmarks`` runs them all.

``rows`` are what was measured, one mapping for each line of the table. ``aims`` map what is aimed at to whether it was
reached, or to ``{"measured": ..., "reached": ...}``. With ``TRIMTAB_BENCH_QUICK=1`` they measure less, to see that
they work.
"""
