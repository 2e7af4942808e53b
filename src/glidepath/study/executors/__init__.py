"""Where stretches are trained: in this process, in several on this machine, or on a Ray cluster. The same bits from each."""
