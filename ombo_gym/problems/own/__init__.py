"""Problems of a user's own: functions and spreadsheets."""
