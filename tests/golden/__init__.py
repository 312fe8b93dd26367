"""Golden values: what problems measure and surrogates believe, frozen."""
