"""What an agent acts on: designs, an exploration schedule, or candidates."""
