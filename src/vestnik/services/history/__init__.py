"""What was sent, received and spent: listed, summed up, exported by tasks."""
