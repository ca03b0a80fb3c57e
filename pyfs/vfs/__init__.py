"""What the mount shows, without FUSE."""
