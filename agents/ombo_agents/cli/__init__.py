"""The command `ombo`: each of its subcommands is a module with `Args` and `main`."""
