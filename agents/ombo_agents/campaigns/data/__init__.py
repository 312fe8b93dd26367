"""What was measured: sheets read as rows, scores and what a policy is shown."""
