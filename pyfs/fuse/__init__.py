"""The kernel edge: FUSE words to `pyfs.vfs` words and back."""
