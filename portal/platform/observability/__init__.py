"""What an operator sees of the portal from outside: lines of the log, and figures of its requests."""
