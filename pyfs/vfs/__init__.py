"""What the mount shows and what happens to it, without a word of FUSE."""
