"""Problems: one file per family, tables in `data/`."""
