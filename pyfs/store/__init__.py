"""Chunks: where they are, and who waits for them."""
