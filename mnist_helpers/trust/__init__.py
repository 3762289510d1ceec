"""Trust: what the project promises of files, signals and wrong values, tried again by force and counted.

Uses `benchmarks`, `sweeps`, `looking`, `runs`, `training`, `networks` and `data`.
"""
