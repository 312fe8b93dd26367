"""Measures how fast environments, policies and the evaluation are, in one run.

Timings are CPU seconds of this process where nothing else is said, so that programs beside it count
for little, and what is compared is measured in turns. `make bench` gives it one thread; without
make, set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1.
"""
