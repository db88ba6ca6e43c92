"""Recording logs of real tools."""
