"""The whole program against servers on this machine, beside dolt where it is installed."""
