"""What problems are made of: the interface, measured tables, simulators, checks."""
