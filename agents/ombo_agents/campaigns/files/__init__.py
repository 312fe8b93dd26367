"""What people keep, as tables and texts that know where each part of them stands."""
