"""What an operation is, and the one door through which all are run."""
