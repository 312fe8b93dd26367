"""Acquisition functions, and the one builder of batches that they are maximised with.

A score is written for the marginals of a Gaussian process (`MarginalScore`: value, slopes, what to
keep of a pick); `FantasyAcquisition` gives it candidates and, where designs can move, surfaces to
climb. What scores otherwise is an `Acquisition` of its own. Modules that need scipy say so by
importing it; those that the controls stand on do not.
"""
