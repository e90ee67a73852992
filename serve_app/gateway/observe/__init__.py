"""What is told about requests: metrics, logs, traces."""
