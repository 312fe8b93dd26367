"""What campaigns look like in notebooks: intervals, and the wells so far."""
