"""pyfs mounts a Dolt remote as a directory of branches and tables."""
