"""How a study is trained: one task at a time, from state to state, and what decides its bits.

The only modules of the study that know PyTorch's models and optimizers; a segment of updates goes in, records and a
state come out, wherever an executor runs it.
"""
