"""What is measured, how and on what: bench/README.md."""
